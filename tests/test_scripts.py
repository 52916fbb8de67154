"""Golden scripts on every guild: the recorded output must come out, whatever the database is stored on."""

from pathlib import Path

import pytest
from script_runner import run_script, script_paths

from discosql.aio import Connection
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.engine import EngineOptions, open_engine
from discosql.storage.guild import Guild
from discosql.storage.local import LocalGuild

HERE = Path(__file__).parent / "scripts"


@pytest.mark.parametrize("server", ["memory", "file", "simcord"], indirect=True)
@pytest.mark.parametrize("path", script_paths(), ids=lambda path: str(path.relative_to(HERE)))
async def test_script(path: Path, guild: Guild, request: pytest.FixtureRequest) -> None:
    connection = Connection(Session(await open_engine(guild), DEFAULT), isolation_level=None)
    recorded = path.read_text(encoding="utf-8")
    given = await run_script(recorded, connection)
    await connection.close()
    if request.config.getoption("--rewrite"):
        path.write_text(given, encoding="utf-8")
    else:
        assert given == recorded


@pytest.mark.parametrize("path", script_paths(), ids=lambda path: str(path.relative_to(HERE)))
async def test_script_with_a_key(path: Path) -> None:
    engine = await open_engine(LocalGuild.memory(), options=EngineOptions(key=bytes(32)))
    connection = Connection(Session(engine, DEFAULT), isolation_level=None)
    recorded = path.read_text(encoding="utf-8")
    assert await run_script(recorded, connection) == recorded
    await connection.close()


def test_every_script_says_what_it_is_about() -> None:
    assert len(script_paths()) >= 35
    for path in script_paths():
        assert path.read_text(encoding="utf-8").startswith("# "), path
