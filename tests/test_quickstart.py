"""The quickstart, word for word out of its Markdown: here, in an environment of its own, and on Discord."""

import asyncio
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from guilds import LoopbackServer, loopback_server
from loopback import TOKEN
from pages_walked import TOP, blocks, page, part, walk
from stepped_clock import SteppedClock

from discosql.cli.main import main
from discosql.storage.discord_login import NEEDED
from discosql.storage.guild import NEEDED_PERMISSIONS

QUICKSTART = page("quickstart.md")
INSTALL = part(QUICKSTART, "## Install")
LOCAL = part(QUICKSTART, "## A local database")
DISCORD = part(QUICKSTART, "## The same on Discord")
EXTRAS = part(QUICKSTART, "## Extras")


def test_the_local_part(tmp_path: Path) -> None:
    """Its commands run from an empty folder, and print what the page says."""
    runs = walk(blocks(LOCAL), tmp_path)
    assert len(runs) == 4
    for run in runs:
        assert run.printed == run.told, run.commands


@pytest.mark.campaign
def test_from_an_empty_folder(tmp_path: Path) -> None:
    """Nothing is there but Python and a copy of discosql: what the page says installs it, runs, and is enough."""
    (tmp_path / "discosql").symlink_to(TOP)
    installed, *runs = walk(blocks(INSTALL) + blocks(LOCAL), tmp_path, python=Path(sys.base_prefix, "bin"))
    assert re.search(r"^discosql \d+\.\d+\.\d+$", installed.printed, re.M)
    for run in runs:
        assert run.printed == run.told, run.commands
    assert (tmp_path / "shop" / "shop.zip").exists()
    assert len(list((tmp_path / "shop" / ".venv").rglob("discosql/py.typed"))) == 1

    python = tmp_path / "shop" / ".venv" / "bin" / "python"
    seconds = sorted(seconds_to_import(python) for _ in range(5))[2]
    assert seconds < 0.4
    (extras,) = walk(blocks(EXTRAS), tmp_path / "shop", python=python.parent)
    assert "Successfully installed" in extras.printed
    assert subprocess.run([python, "-c", "import cryptography, prompt_toolkit"], check=False).returncode == 0


def seconds_to_import(python: Path) -> float:
    """Return how long ``import discosql`` takes in a new process, without the start of Python itself."""
    code = "import time; begun = time.perf_counter(); import discosql; print(time.perf_counter() - begun)"
    answer = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    return float(answer.stdout)


def test_the_permissions_and_the_invitation() -> None:
    told = re.findall(r"^\| ([A-Z][A-Za-z ]+) \|", DISCORD, re.M)
    assert told == list(NEEDED_PERMISSIONS.values())
    assert f"&permissions={NEEDED.value}\n" in DISCORD


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[LoopbackServer]:
    """Discord on this machine, with a server that the bot is on but that is not yet the one of the page."""
    clock = SteppedClock()
    monkeypatch.setattr("discosql.storage.discord.Clock", lambda: clock)
    monkeypatch.setattr("discosql.bot.doctor.time.time", clock.now)
    monkeypatch.delenv("DISCOSQL_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    async with loopback_server(clock) as opened:
        yield opened


async def command(line: str) -> int:
    """Run a command of the page in this process."""
    return await asyncio.to_thread(main, shlex.split(line)[1:])


async def test_on_discord(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What the page promises of each command from the invitation on comes true."""
    walk(blocks(LOCAL), tmp_path)
    invite, again, move, offer = (block.text.splitlines() for block in blocks(DISCORD) if block.kind == "bash")
    assert invite[0].startswith("export DISCOSQL_TOKEN=")
    assert offer == ['discosql bot "My Server"']

    assert await command(invite[1]) == 1
    assert "there is no bot token" in capsys.readouterr().out

    monkeypatch.setenv("DISCOSQL_TOKEN", TOKEN)
    assert await command(invite[1]) == 1
    shown = capsys.readouterr().out
    (address,) = re.findall(r"https://discord\.com/oauth2/\S+", shown)
    (told,) = re.findall(r"^https://discord\.com/oauth2/.*<id>.*$", DISCORD, re.M)
    assert re.sub(r"client_id=\d+", "client_id=<id>", address) == told

    invited = server.backend.create_guild("My Server")
    assert await command(again[0]) == 0
    assert "all is well" in capsys.readouterr().out
    for line in move:
        assert await command(line) == 0, line
    assert " 1  tea    2.50" in capsys.readouterr().out
    assert await command(move[1].replace("My Server", str(invited.id))) == 0
    assert " 1  tea    2.50" in capsys.readouterr().out
