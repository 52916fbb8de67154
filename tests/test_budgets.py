"""What statements may ask of the guild, on every kind of guild: requests, counted."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from guilds import Server, SimcordServer

from discosql.aio import Connection
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.engine import open_engine
from discosql.storage.guild import Guild, Requests

pytestmark = pytest.mark.parametrize("server", ["memory", "file", "simcord"], indirect=True)


async def connect(guild: Guild) -> Connection:
    return Connection(Session(await open_engine(guild), DEFAULT), isolation_level=None)


async def used(guild: Guild, operation: Awaitable[Any]) -> Requests:
    before = guild.requests.copy()
    await operation
    return guild.requests.since(before)


async def filled(guild: Guild, rows: int) -> None:
    """Make a database with one table of so many rows, and close it."""
    db = await connect(guild)
    await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, n INTEGER)")
    await db.executemany("INSERT INTO t VALUES (?, ?, ?)", [(i, f"name {i}", i * 7 % 1000) for i in range(rows)])
    await db.close()


async def test_creating_and_reopening(server: Server) -> None:
    guild = await server.open()
    assert (await used(guild, connect(guild))).rest <= 5
    again = await server.open()
    opened = await used(again, connect(again))
    assert (opened.rest, opened.downloads) <= (2, 1)


async def test_statements_of_one_writer(server: Server) -> None:
    guild = await server.open()
    db = await connect(guild)
    # The first commit of a process on Discord waits until every rival would have shown, reading now and then.
    assert (await used(guild, db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER UNIQUE)"))).rest <= 8
    for sql in (
        "INSERT INTO t VALUES (1, 1)",
        "INSERT INTO t VALUES (2, 2)",
        "UPDATE t SET n = 5 WHERE id = 1",
        "UPDATE t SET n = 6 WHERE n = 5",
        "DELETE FROM t WHERE id = 2",
        "CREATE TABLE u (x)",
    ):
        spent = await used(guild, db.execute(sql))
        assert spent.count == {"post": 1, "messages": 1}, sql
    for sql in ("SELECT * FROM t", "SELECT * FROM t WHERE id = 1", "SELECT * FROM t WHERE n = 99"):
        assert (await used(guild, db.execute(sql))).count == {}, sql
    await db.close()


async def test_commits_cost_the_same_while_time_goes_by(server: Server) -> None:
    """Discord dates its answers in whole seconds, and what is known of its time is often better than such a date."""
    guild = await server.open()
    db = await connect(guild)
    await db.execute("CREATE TABLE t (n INTEGER)")
    if isinstance(server, SimcordServer):
        server.shim.latency = 0.1
    for number in range(40):
        spent = await used(guild, db.execute("INSERT INTO t VALUES (?)", (number,)))
        assert spent.count == {"post": 1, "messages": 1}
        server.clock.advance(0.17)


async def test_ten_thousand_rows_are_one_commit(server: Server) -> None:
    guild = await server.open()
    db = await connect(guild)
    await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
    rows = [(None, f"name {number}") for number in range(10_000)]
    spent = await used(guild, db.executemany("INSERT INTO t VALUES (?, ?)", rows))
    assert spent.count == {"post": 1, "messages": 1}
    await db.close()


async def test_a_transaction_over_five_tables_is_one_message(server: Server) -> None:
    guild = await server.open()
    db = await connect(guild)
    await db.executescript("".join(f"CREATE TABLE t{number} (x INTEGER);" for number in range(5)))

    async def transfer() -> None:
        await db.execute("BEGIN")
        for number in range(5):
            await db.execute(f"INSERT INTO t{number} VALUES (1)")
        await db.execute("COMMIT")

    assert (await used(guild, transfer())).count == {"post": 1, "messages": 1}
    await db.close()


async def test_commits_of_a_thousand_coroutines_are_joined(server: Server) -> None:
    guild = await server.open()
    db = await connect(guild)
    await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)")
    await db.execute("INSERT INTO t (n) VALUES (-1)")
    inserts = asyncio.gather(*(db.execute("INSERT INTO t (n) VALUES (?)", (number,)) for number in range(1000)))
    assert (await used(guild, inserts)).rest <= 6
    assert await (await db.execute("SELECT count(*), count(DISTINCT n) FROM t")).fetchall() == [(1001, 1001)]
    await db.close()


@pytest.mark.parametrize("rows", [1_000, 10_000])
async def test_a_cold_lookup_costs_the_same_at_any_size(server: Server, rows: int) -> None:
    await filled(await server.open(), rows)
    for sql, expected in (
        ("SELECT n FROM t WHERE id = 500", [(500,)]),
        ("SELECT n FROM t WHERE name = 'name 500'", [(500,)]),
        ("SELECT n FROM t WHERE name = 'nobody'", []),
        ("SELECT n FROM t WHERE id = -5", []),
    ):
        guild = await server.open()
        opening = guild.requests.copy()
        db = await connect(guild)
        opened = guild.requests.since(opening)
        assert (opened.rest, opened.downloads) <= (2, 1)
        before = guild.requests.copy()
        assert await (await db.execute(sql)).fetchall() == expected
        spent = guild.requests.since(before)
        assert spent.rest <= 2, (sql, spent.count)
        assert spent.downloads <= 2, (sql, spent.count)
        again = guild.requests.copy()
        assert await (await db.execute(sql)).fetchall() == expected
        assert guild.requests.since(again).count == {}
        await db.close()
