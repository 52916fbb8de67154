"""discosql_stats, connection.stats() and metrics: what they say is what happened."""

import asyncio
from typing import Any

import pytest
from guilds import Server
from stepped_clock import SteppedClock

import discosql
from discosql.aio import Connection
from discosql.errors import SerializationError
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.engine import EngineOptions, Guild, Metric, open_engine
from discosql.storage.local import LocalGuild
from discosql.storage.metrics import WAITS

NAMES = {
    "requests",
    "downloads",
    "bytes_sent",
    "bytes_received",
    "cache.hits",
    "cache.misses",
    "cache.bytes",
    "cache.limit",
    "commits",
    "commits.joined",
    "commits.unknown",
    "conflicts",
    "slot",
    "checkpoints",
    "checkpoint.slot",
    "tail.entries",
    "tail.bytes",
    *[f"waits.{reason.replace(' ', '_')}" for reason in WAITS],
    *[f"waits.{reason.replace(' ', '_')}.seconds" for reason in WAITS],
}


async def connect(guild: Guild, **options: Any) -> Connection:
    engine = await open_engine(guild, options=EngineOptions(**options))
    return Connection(Session(engine, DEFAULT), isolation_level=None)


def test_sql_and_python_say_the_same() -> None:
    with discosql.connect(":memory:") as db:
        db.execute("CREATE TABLE t (x)")
        db.commit()
        rows = db.execute("SELECT * FROM discosql_stats").fetchall()
        assert [column[0] for column in db.execute("SELECT * FROM discosql_stats").description] == ["name", "value"]
        assert dict(rows) == db.stats()
        assert {name for name in dict(rows) if not name.startswith("requests.")} == NAMES
        sql = "SELECT s.value FROM discosql_stats AS s WHERE s.name = 'commits'"
        assert db.execute(sql).fetchall() == [(1,)]
        total = "SELECT sum(value) FROM discosql_stats WHERE name LIKE 'requests.%'"
        assert db.execute(total).fetchone() == (db.stats()["requests"],)
    db.close()
    with pytest.raises(discosql.ProgrammingError):
        db.stats()


def test_asking_costs_nothing() -> None:
    with discosql.connect(":memory:") as db:
        db.execute("CREATE TABLE t (x)")
        before = db.stats()
        db.execute("SELECT * FROM discosql_stats").fetchall()
        assert db.stats() == before
    db.close()


@pytest.mark.parametrize("server", ["memory", "file", "simcord"], indirect=True)
async def test_counts_are_those_of_the_guild(server: Server) -> None:
    guild = await server.open()
    db = await connect(guild)
    await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)")
    for number in range(5):
        await db.execute("INSERT INTO t VALUES (?, ?)", (number, number))
    stats = db.stats()
    assert (stats["commits"], stats["commits.joined"], stats["conflicts"]) == (6, 0, 0)
    assert (stats["slot"], stats["checkpoint.slot"], stats["tail.entries"], stats["checkpoints"]) == (6, 0, 6, 0)
    assert stats["tail.bytes"] > 500
    assert await db._session.engine.checkpoint(everything=True)
    stats = db.stats()
    assert (stats["slot"], stats["checkpoint.slot"], stats["tail.entries"], stats["checkpoints"]) == (7, 6, 0, 1)
    assert (stats["requests"], stats["downloads"]) == (guild.requests.rest, guild.requests.downloads)
    assert (stats["bytes_sent"], stats["bytes_received"]) == (
        guild.requests.bytes_sent,
        guild.requests.bytes_received,
    )
    assert stats["requests.post"] == guild.requests.count["post"] == 8
    await db.close()


async def test_joined_commits_and_conflicts_are_counted() -> None:
    guild = LocalGuild.memory(clock=SteppedClock())
    db = await connect(guild.peer())
    await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)")
    metrics: list[Metric] = []
    db.set_metrics_callback(metrics.append)
    await asyncio.gather(*[db.execute("INSERT INTO t VALUES (?, 0)", (number,)) for number in range(100)])
    stats = db.stats()
    entries = [metric.value for metric in metrics if metric.name == "commit"]
    assert stats["commits"] == 101 and sum(entries) == 100
    assert stats["commits.joined"] == 100 - len(entries) >= 90
    first, second = [Connection(Session(db._session.engine, DEFAULT), isolation_level=None) for _ in range(2)]
    for each in (first, second):
        await each.execute("BEGIN")
        await each.execute("UPDATE t SET n = n + 1 WHERE id = 7")
    await first.commit()
    with pytest.raises(SerializationError):
        await second.commit()
    assert db.stats()["conflicts"] == 1
    assert [metric for metric in metrics if metric.name == "conflict"] == [Metric("conflict", "", 1)]
    await db.close()


async def test_the_cache_is_counted() -> None:
    guild = LocalGuild.memory(clock=SteppedClock())
    db = await connect(guild.peer())
    await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
    await db.executemany("INSERT INTO t VALUES (?, ?)", [(number, f"name {number}") for number in range(1_000)])
    assert await db._session.engine.checkpoint(everything=True)
    await db.close()
    again = await connect(guild.peer(), cache_size=2**24)
    cold = again.stats()
    assert (cold["cache.bytes"], cold["cache.limit"]) == (0, 2**24)
    await again.execute("SELECT name FROM t WHERE id = 7")
    first = again.stats()
    assert first["cache.misses"] > cold["cache.misses"]
    assert first["cache.bytes"] > 10_000
    assert first["downloads"] == cold["downloads"] + 1
    await again.execute("SELECT name FROM t WHERE id = 8")
    second = again.stats()
    assert second["cache.hits"] > first["cache.hits"]
    assert (second["cache.misses"], second["downloads"]) == (first["cache.misses"], first["downloads"])
    await again.close()


async def test_metrics_tell_of_everything_until_they_are_stopped() -> None:
    db = await connect(LocalGuild.memory(clock=SteppedClock()))
    metrics: list[Metric] = []
    db.set_metrics_callback(metrics.append)
    await db.execute("CREATE TABLE t (x)")
    assert [(metric.name, metric.label) for metric in metrics] == [
        ("request", "post"),
        ("request", "messages"),
        ("commit", ""),
    ]
    assert await db._session.engine.checkpoint()
    assert metrics[-1].name == "checkpoint" and metrics[-1].label == "written"
    replaced: list[Metric] = []
    db.set_metrics_callback(replaced.append)
    count = len(metrics)
    await db.execute("INSERT INTO t VALUES (1)")
    assert len(metrics) == count and len(replaced) == 3
    db.set_metrics_callback(None)
    await db.execute("INSERT INTO t VALUES (2)")
    assert len(replaced) == 3
    await db.close()


async def test_what_a_callback_raises_ends_the_operation_and_no_more() -> None:
    db = await connect(LocalGuild.memory(clock=SteppedClock()))
    await db.execute("CREATE TABLE t (x)")

    def fail(metric: Metric) -> None:
        if metric.name == "commit":
            raise ValueError("of the callback itself")

    db.set_metrics_callback(fail)
    with pytest.raises(ValueError, match="of the callback itself"):
        await db.execute("INSERT INTO t VALUES (1)")
    db.set_metrics_callback(None)
    await db.execute("INSERT INTO t VALUES (2)")
    # The first one was stored before anybody was told.
    assert await (await db.execute("SELECT x FROM t")).fetchall() == [(1,), (2,)]
    await db.close()


@pytest.mark.parametrize("server", ["simcord"], indirect=True)
async def test_settling_is_a_wait_that_is_counted(server: Server) -> None:
    db = await connect(await server.open())
    await db.execute("CREATE TABLE t (x)")
    stats = db.stats()
    # The first commit of a process waits until every rival would have shown.
    assert stats["waits.settling"] >= 1
    assert stats["waits.settling.seconds"] >= 1.0
    await db.close()
