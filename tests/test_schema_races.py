"""Statements planned for a schema that is no more: another process has changed it, or the change was undone."""

import asyncio

import pytest
from guilds import Server

from discosql.aio import Connection
from discosql.errors import ProgrammingError, SerializationError
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.engine import open_engine
from discosql.storage.local import LocalGuild


async def connected(server: Server) -> Connection:
    return Connection(Session(await open_engine(await server.open()), DEFAULT), isolation_level=None)


async def rows(connection: Connection, sql: str) -> list[tuple[object, ...]]:
    return await (await connection.execute(sql)).fetchall()  # type: ignore[no-any-return]


async def prepared(server: Server, count: int) -> list[Connection]:
    """Return connections of several processes that know the same table."""
    connections = [await connected(server) for _ in range(count)]
    await connections[0].execute("CREATE TABLE t (x INTEGER, y INTEGER)")
    await connections[0].execute("INSERT INTO t VALUES (1, 2)")
    for connection in connections:
        await connection._session.engine.refresh(latest=True)
    return connections


async def test_tables_made_at_once_are_all_there(server: Server) -> None:
    connections = await prepared(server, 3)
    await asyncio.gather(*[db.execute(f"CREATE TABLE t{number} (x)") for number, db in enumerate(connections)])
    for db in connections:
        await db._session.engine.refresh(latest=True)
        assert await rows(db, "SELECT name FROM sqlite_master ORDER BY 1") == [("t",), ("t0",), ("t1",), ("t2",)]


async def test_rows_are_planned_anew_after_the_schema_changed(server: Server) -> None:
    one, two, three, four = await prepared(server, 4)
    results = await asyncio.gather(
        one.execute("ALTER TABLE t ADD COLUMN z INTEGER DEFAULT 7"),
        two.execute("INSERT INTO t (y, x) VALUES (4, 3)"),
        three.executemany("INSERT INTO t (x) VALUES (?)", [(5,), (6,)]),
        four.execute("INSERT INTO t VALUES (8, 9)"),
        return_exceptions=True,
    )
    # Which comes first is open; the one that names no columns fails if it is not the first.
    failures = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(failure, ProgrammingError) for failure in failures)
    await one._session.engine.refresh(latest=True)
    expected = [(1, 2, 7), (3, 4, 7), (5, None, 7), (6, None, 7), (8, 9, 7)]
    assert await rows(one, "SELECT * FROM t ORDER BY x") == expected[: 5 - len(failures)]


@pytest.fixture
async def alone() -> Connection:
    return Connection(Session(await open_engine(LocalGuild.memory()), DEFAULT), isolation_level=None)


async def test_a_change_that_was_undone_leaves_no_plans_behind(alone: Connection) -> None:
    await alone.execute("CREATE TABLE t (x INTEGER, y INTEGER)")
    await alone.execute("BEGIN")
    await alone.execute("SAVEPOINT s")
    await alone.execute("CREATE INDEX one ON t (x)")
    await alone.execute("SELECT y FROM t WHERE x = 1")
    await alone.execute("DROP INDEX one")
    await alone.execute("ROLLBACK TO s")
    await alone.execute("CREATE INDEX two ON t (y)")
    with pytest.raises(ProgrammingError, match="no such index: one"):
        await alone.execute("DROP INDEX one")
    await alone.execute("SELECT y FROM t WHERE x = 1")
    await alone.execute("COMMIT")
    assert await rows(alone, "SELECT name FROM sqlite_master WHERE type = 'index'") == [("two",)]


async def test_what_is_being_explained_is_not_planned_for_another_schema() -> None:
    guild = LocalGuild.memory()
    one, two = [Connection(Session(await open_engine(guild.peer()), DEFAULT), isolation_level=None) for _ in range(2)]
    await one.execute("CREATE TABLE t (x INTEGER)")
    await two._session.engine.refresh()
    results = await asyncio.gather(
        one.execute("ALTER TABLE t ADD COLUMN y"),
        two.execute("EXPLAIN ANALYZE INSERT INTO t VALUES (1)"),
        return_exceptions=True,
    )
    assert not isinstance(results[0], BaseException)
    assert isinstance(results[1], SerializationError)
    assert await rows(one, "SELECT count(*) FROM t") == [(0,)]
