"""Reading the past through SQL: `as_of` of a connection, and FOR SYSTEM_TIME AS OF in a statement."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from guilds import Server
from stepped_clock import SteppedClock

import discosql
from discosql.aio import Connection
from discosql.errors import DataError, OperationalError, ProgrammingError
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.engine import Engine, EngineOptions, open_engine
from discosql.storage.local import LocalGuild

TINY = EngineOptions(page_size=2_000, checkpoint_entries=10**9, checkpoint_bytes=10**12, cache_size=10_000)


async def connected(engine: Engine, as_of: Any = None) -> Connection:
    past = None if as_of is None else await engine.begin_as_of(as_of)
    return Connection(Session(engine, DEFAULT, past=past), isolation_level=None)


async def rows(connection: Connection, sql: str, *parameters: Any) -> list[Any]:
    return await (await connection.execute(sql, parameters)).fetchall()


def moment(server: Server) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(server.clock.now(), datetime.UTC)


async def test_the_past_on_every_guild(server: Server) -> None:
    engine = await open_engine(await server.open(), options=TINY)
    db = await connected(engine)
    await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, n INTEGER)")
    numbers = range(300)
    await db.executemany("INSERT INTO t VALUES (?, ?, 0)", [(number, f"name {number}") for number in numbers])
    server.clock.advance(60)
    filled = moment(server)
    server.clock.advance(60)
    await db.execute("UPDATE t SET n = 1")
    assert await engine.checkpoint(everything=True)
    slot = engine.head
    await db.execute("DELETE FROM t WHERE id >= 100")
    await db.execute("ALTER TABLE t ADD COLUMN more TEXT DEFAULT 'x'")
    assert await engine.checkpoint(everything=True)

    then = filled.replace(tzinfo=None).isoformat(" ")
    assert await rows(db, "SELECT count(*), sum(n) FROM t FOR SYSTEM_TIME AS OF ?", then) == [(300, 0)]
    assert await rows(db, "SELECT count(*), sum(n) FROM t FOR SYSTEM_TIME AS OF ?", filled) == [(300, 0)]
    assert await rows(db, "SELECT count(*), sum(n) FROM t FOR SYSTEM_TIME AS OF ?", slot) == [(300, 300)]
    by_name = "SELECT id, more FROM t FOR SYSTEM_TIME AS OF ? WHERE name = 'name 250'"
    assert await rows(db, by_name, slot) == await rows(db, by_name, filled) == [(250, "x")]
    joined = "SELECT count(*) FROM t JOIN t FOR SYSTEM_TIME AS OF ? AS old USING (id) WHERE old.n <> t.n"
    assert await rows(db, joined, then) == [(100,)]

    again = await open_engine(await server.open(), options=TINY)
    for past, changed in ((await connected(again, filled), 0), (await connected(again, slot), 300)):
        assert await rows(past, "SELECT count(*), sum(n) FROM t") == [(300, changed)]
        assert await rows(past, "SELECT id FROM t WHERE name = 'name 250'") == [(250,)]
        with pytest.raises(ProgrammingError, match="no such column: more"):
            await past.execute("SELECT more FROM t")


async def test_any_slot_can_be_read_whatever_the_millisecond() -> None:
    clock = SteppedClock()
    engine = await open_engine(LocalGuild.memory(clock=clock))
    db = await connected(engine)
    await db.execute("CREATE TABLE t (n INTEGER)")
    for number in range(60):
        clock.advance(0.0137)
        await db.execute("INSERT INTO t VALUES (?)", (number,))
    for slot in range(1, engine.head + 1):
        assert await rows(db, "SELECT count(*) FROM t FOR SYSTEM_TIME AS OF ?", slot) == [(slot - 1,)]


async def test_a_connection_to_the_past_can_only_read(tmp_path: Path) -> None:
    path = tmp_path / "shop.disco"
    with discosql.connect(path, isolation_level=None) as db:
        db.execute("CREATE TABLE item (name TEXT)")
        db.execute("INSERT INTO item VALUES ('tea')")
        db.execute("ALTER TABLE item ADD COLUMN price INTEGER")
        db.execute("DELETE FROM item")
    past = discosql.connect(path, as_of=2)
    assert past.execute("SELECT * FROM item").fetchall() == [("tea",)]
    assert past.execute("SELECT sql FROM sqlite_master").fetchall() == [("CREATE TABLE item (name TEXT)",)]
    assert past.execute("SELECT count(*) FROM item FOR SYSTEM_TIME AS OF 1").fetchall() == [(0,)]
    for sql in ("INSERT INTO item VALUES ('x')", "CREATE TABLE t (x)", "DELETE FROM item WHERE 0", "VACUUM"):
        with pytest.raises(OperationalError, match="attempt to write a readonly database"):
            past.execute(sql)
    with pytest.raises(OperationalError, match="readonly"):
        past.executemany("INSERT INTO item VALUES (?)", [("x",)])
    past.execute("BEGIN")
    assert past.execute("SELECT name FROM item").fetchall() == [("tea",)]
    past.commit()
    past.close()
    async with discosql.aio.connect(path, as_of=3) as again:
        assert await rows(again, "SELECT * FROM item") == [("tea", None)]


def test_a_moment_must_be_one_that_the_database_has_seen(tmp_path: Path) -> None:
    path = tmp_path / "shop.disco"
    with discosql.connect(path, isolation_level=None) as db:
        db.execute("CREATE TABLE item (name TEXT)")
    now = datetime.datetime.now(datetime.UTC)
    with discosql.connect(path, as_of=now) as past:
        assert past.execute("SELECT count(*) FROM item").fetchall() == [(0,)]
    for as_of, message in (
        (0, "no slot 0"),
        (2, "no slot 2 yet"),
        ("2020-01-01", "it had no entry by then"),
        (now + datetime.timedelta(days=1), "in the future"),
    ):
        with pytest.raises(OperationalError, match=message):
            discosql.connect(path, as_of=as_of)
    with pytest.raises(DataError, match="AS OF 'monday' is neither a moment"):
        discosql.connect(path, as_of="monday")
    with pytest.raises(OperationalError, match="no such file"):
        discosql.connect(tmp_path / "other.disco", as_of=1)
    assert not (tmp_path / "other.disco").exists()


async def test_after_vacuum_the_past_is_gone() -> None:
    clock = SteppedClock()
    engine = await open_engine(LocalGuild.memory(clock=clock), options=TINY)
    db = await connected(engine)
    await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
    await db.executemany("INSERT INTO t VALUES (?, ?)", [(number, f"name {number}") for number in range(300)])
    await engine.checkpoint(everything=True)
    kept = await connected(engine, engine.head)
    filled = engine.head
    for _ in range(3):
        clock.advance(7_200)
        await db.execute("UPDATE t SET name = name || '.'")
        await db.execute("VACUUM")
    for as_of in (filled, "2020-01-01"):
        with pytest.raises(OperationalError, match="has been removed"):
            await rows(db, "SELECT count(*) FROM t FOR SYSTEM_TIME AS OF ?", as_of)
    with pytest.raises(OperationalError, match="history of that time has been removed"):
        await rows(kept, "SELECT sum(length(name)) FROM t")
    assert await rows(db, "SELECT count(*) FROM t FOR SYSTEM_TIME AS OF ?", engine.head) == [(300,)]
