"""The Python blocks of the pages on tables run in order, as one program each, against Discord on this machine."""

import ast
import asyncio
import inspect
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from loopback import TOKEN, LoopbackDiscord
from stepped_clock import SteppedClock

import discosql
from discosql.database_start import own_bot

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopbackDiscord]:
    """Discord with the server of the pages."""
    clock = SteppedClock()

    def quick_bot() -> Any:
        bot = own_bot()
        bot._connection.guild_ready_timeout = 0.05
        return bot

    monkeypatch.setattr("discosql.storage.discord.Clock", lambda: clock)
    monkeypatch.setattr("discosql.database.own_bot", quick_bot)
    monkeypatch.setenv("DISCOSQL_TOKEN", TOKEN)
    async with LoopbackDiscord(clock).running() as running:
        running.backend.create_guild("My Server")
        yield running


def blocks(page: str) -> list[str]:
    """Return the Python blocks of a page."""
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.S)


async def run(code: str, names: dict[str, Any]) -> None:
    """Run a block as a notebook would: with ``await`` outside of functions."""
    code = code.replace("asyncio.run(main())", "await main()")
    running = eval(compile(code, "block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True), names)
    if inspect.isawaitable(running):
        await running


async def test_tables(server: LoopbackDiscord, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "docs"}
    program, *further = blocks("table.md")
    await run(program, names)
    assert "User(name='Ada', age=36)" in capsys.readouterr().out
    db: discosql.Database = names["db"]
    async with db.conn(TOKEN):
        for block in further:
            await run(block, names)
    shown = capsys.readouterr().out
    assert "1 [Item(id=1, code='a-1', kind=<Kind.BOOK: 'book'>" in shown
    assert "[User(name='Eve', age=31)]" in shown
    assert "User(name='user 999', age=999), User(name='user 998', age=998)" in shown
    assert "[{'decade': 30, 'users': 12}" in shown
    assert len(further) >= 6


async def test_migrating(server: LoopbackDiscord) -> None:
    names: dict[str, Any] = {"__name__": "docs"}
    try:
        for block in blocks("migrating.md"):
            await run(block, names)
    finally:
        discosql.database.logger.disable("discosql")
    async with names["db"].conn(TOKEN):
        (peter,) = await names["User"].find()
    assert peter.password == "barfoo"


def test_every_public_name_of_tables_is_told() -> None:
    told = (DOCS / "table.md").read_text(encoding="utf-8") + (DOCS / "migrating.md").read_text(encoding="utf-8")
    for owner in (discosql.Database, discosql.Table):
        own = {name for name in vars(owner) if not name.startswith("_") and name not in WITHIN}
        missing = {name for name in own if not re.search(rf"\b{name}\b", told)}
        assert missing == set(), owner.__name__
    assert asyncio.iscoroutinefunction(discosql.Database.login)


WITHIN = {
    "start",
    "remember",
    "connection",
    "new_connection",
    "catalog",
    "insert_many",
    "model_config",
    "model_post_init",
}
"""What the rooms of the package use of each other, and synonyms."""
