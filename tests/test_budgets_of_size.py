"""What statements on large tables ask of the guild: the same however many rows there are, counted through SQL."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from guilds import Server

from discosql.aio import Connection
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.engine import EngineOptions, open_engine
from discosql.storage.guild import Attachment, Guild, Requests
from discosql.storage.hash_index import PagedIndex
from discosql.storage.paged import Base

KEY, GROUP = 2, 3
"""The ids of the table's indexes."""


def sizes(*known: tuple[str, int]) -> pytest.MarkDecorator:
    """Run a test on these kinds of servers with so many rows; the largest only in campaigns."""
    marked = [pytest.param(*each, marks=pytest.mark.campaign) if each[1] > 100_000 else each for each in known]
    return pytest.mark.parametrize(("server", "rows"), marked, indirect=["server"])


EVERYWHERE = sizes(
    ("memory", 1_000),
    ("memory", 10_000),
    ("memory", 100_000),
    ("file", 10_000),
    ("file", 1_000_000),
    ("simcord", 1_000),
    ("simcord", 10_000),
)


def options(rows: int) -> EngineOptions:
    """Return options that make several pages of so many rows."""
    return EngineOptions(page_size=2**13) if rows < 100_000 else EngineOptions()


async def connect(guild: Guild, rows: int) -> Connection:
    return Connection(Session(await open_engine(guild, options=options(rows)), DEFAULT), isolation_level=None)


class Asked:
    """What a guild is asked within a block; `files` are the ids of the files downloaded."""

    def __init__(self, guild: Guild, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files: list[int] = []
        self._guild = guild
        self._download = guild.download
        self._before = guild.requests.copy()
        monkeypatch.setattr(guild, "download", self._noted, raising=True)

    async def _noted(self, attachment: Attachment) -> bytes:
        self.files.append(attachment.id)
        return await self._download(attachment)

    def take(self) -> Requests:
        """Return what was asked since the last time."""
        found, self._before = self._guild.requests.since(self._before), self._guild.requests.copy()
        return found


async def fill(server: Server, rows: int) -> None:
    db = await connect(await server.open(), rows)
    await db.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, grp INTEGER, n INTEGER, note TEXT)")
    await db.execute("CREATE INDEX item_grp ON item (grp)")
    await db.execute("CREATE TABLE wanted (name TEXT)")
    await db.executemany(
        "INSERT INTO item VALUES (?, ?, ?, ?, ?)",
        ((number, f"name {number}", number * 7 % rows, number % 10, f"note {number % 100}") for number in range(rows)),
    )
    await db.executemany("INSERT INTO wanted VALUES (?)", [(name,) for name in names(rows)])
    await db.close()


def names(rows: int) -> list[str]:
    """Return keys all over a table."""
    return [f"name {number}" for number in range(3, rows, rows // 8)]


async def answer(db: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
    return await (await db.execute(sql, parameters)).fetchall()


@EVERYWHERE
async def test_reading(server: Server, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(server, rows)
    some = rows // 2 + 3
    for sql, parameter, expected in (
        ("SELECT n FROM item WHERE id = ?", some, [(some % 10,)]),
        ("SELECT n FROM item WHERE id = ?", -5, []),
        ("SELECT n FROM item WHERE name = ?", f"name {some}", [(some % 10,)]),
        ("SELECT n FROM item WHERE name = ?", "nobody", []),
        ("SELECT id FROM item WHERE grp = ?", some * 7 % rows, [(some,)]),
        ("SELECT id FROM item WHERE grp = ?", rows, []),
    ):
        guild = await server.open()
        asked = Asked(guild, monkeypatch)
        db = await connect(guild, rows)
        opening = asked.take()
        assert opening.rest <= 2 and opening.downloads <= 1, opening.count
        assert len(pages_of(db).pages) > 1
        assert await answer(db, sql, (parameter,)) == expected
        cold = asked.take()
        assert cold.rest <= 2 and cold.downloads <= 2, (sql, cold.count)
        assert await answer(db, sql, (parameter,)) == expected
        assert asked.take().count == {}, sql
        await db.close()


@EVERYWHERE
async def test_reading_much(server: Server, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(server, rows)
    keys = names(rows)
    marks = ", ".join("?" * len(keys))
    for sql, parameters in (
        (f"SELECT count(*) FROM item WHERE name IN ({marks})", keys),
        ("SELECT count(*) FROM wanted CROSS JOIN item USING (name)", ()),
        ("SELECT count(*) FROM item WHERE name IN (SELECT name FROM wanted)", ()),
    ):
        guild = await server.open()
        db = await connect(guild, rows)
        asked = Asked(guild, monkeypatch)
        plan = await answer(db, f"EXPLAIN {sql}", parameters)
        assert rows != 10_000 or "Lookup: item.name" in str(plan)
        assert await answer(db, sql, parameters) == [(len(keys),)]
        spent = asked.take()
        # The addresses of all pages that are wanted in a channel, of which there are three, come together.
        assert spent.rest <= 3, (sql, spent.count)
        assert len(asked.files) == len(set(asked.files)), f"{sql} read a page twice"
        base = pages_of(db)
        assert spent.downloads <= 1 + len(base.pages) + len(base.indexes[KEY].pages)
        await db.close()

    guild = await server.open()
    db = await connect(guild, rows)
    asked = Asked(guild, monkeypatch)
    assert await answer(db, "SELECT count(*), sum(n) FROM item") == [(rows, sum(n % 10 for n in range(rows)))]
    spent, pages = asked.take(), len(pages_of(db).pages)
    assert spent.downloads == pages
    assert spent.rest <= -(-pages // 10)
    await db.close()


def pages_of(db: Connection) -> Base:
    engine = db._session.engine
    base = engine.state.tables[engine.catalog.tables["item"].id].base
    assert base is not None
    return base


@sizes(("memory", 1_000), ("memory", 100_000), ("simcord", 10_000), ("file", 1_000_000))
async def test_upkeep(server: Server, rows: int) -> None:
    """A hundred commits of one changed row each: two requests a commit, what finding the row takes, and upkeep."""
    await fill(server, rows)
    guild = await server.open()
    db = await connect(guild, rows)
    await db.execute("UPDATE item SET n = 11 WHERE id = 0")
    before = guild.requests.copy()
    for number in range(100):
        await db.execute("UPDATE item SET n = 11 WHERE name = ?", (f"name {number * 199 % rows}",))
        await asyncio.sleep(0)
    await db.close()
    spent = guild.requests.since(before)
    finding = spent.count["message"] + spent.count["messages"] - 100
    written = spent.count["post"] - 100
    assert 2 * written <= 10 and finding <= 20, spent.count
    again = await connect(await server.open(), rows)
    assert await answer(again, "SELECT count(*) FROM item WHERE n = 11") == [
        (len({n * 199 % rows for n in range(100)}),)
    ]
    await again.close()


@sizes(("memory", 10_000), ("memory", 100_000), ("simcord", 10_000), ("file", 1_000_000))
async def test_only_pages_with_changes_are_written(server: Server, rows: int) -> None:
    await fill(server, rows)
    db = await connect(await server.open(), rows)
    before = pages_of(db)
    # A thousand rows in the lower half, each with another key than before.
    changed = range(5, rows // 2, max(1, rows // 2_000))
    await db.executemany("UPDATE item SET name = name || '!' WHERE id = ?", [(number,) for number in changed])
    engine = db._session.engine
    assert await engine.checkpoint(everything=True)
    after = pages_of(db)
    untouched = [page for page in before.pages if not any(page.first <= rowid <= page.last for rowid in changed)]
    assert untouched
    assert set(untouched) <= set(after.pages)
    assert before.indexes[GROUP] == after.indexes[GROUP]
    old, new = before.indexes[KEY], after.indexes[KEY]
    hash_key = old.hash_key
    assert old.bits == new.bits
    touched = {old.page_of(hash_key(f"name {number}")) for number in changed}
    touched |= {old.page_of(hash_key(f"name {number}!")) for number in changed}
    assert kept(old, new) >= set(old.pages) - touched
    assert await answer(db, "SELECT count(*) FROM item WHERE name LIKE '%!'") == [(len(changed),)]
    assert await answer(db, "SELECT count(*) FROM item WHERE name = ?", (f"name {changed[7]}",)) == [(0,)]
    await db.close()


def kept(old: PagedIndex, new: PagedIndex) -> set[Any]:
    return {page for page, other in zip(old.pages, new.pages, strict=True) if page == other}
