"""Transactions that run at once, in one process and in two, on every kind of guild, through SQL."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from guilds import LoopbackServer, Server

from discosql.aio import Connection
from discosql.errors import SerializationError
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.engine import Engine, EngineOptions, open_engine

TINY = EngineOptions(page_size=1_000, cache_size=2_000, checkpoint_entries=8)


async def processes(server: Server, number: int = 2, options: EngineOptions | None = None) -> list[Engine]:
    """Open the server's database as so many processes would."""
    return [await open_engine(await server.open(), options=options) for _ in range(number)]


def connect(engine: Engine, *, max_staleness: float = 0.0) -> Connection:
    return Connection(Session(engine, DEFAULT, max_staleness=max_staleness), isolation_level=None)


async def rows(db: Connection, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    return await (await db.execute(sql, parameters)).fetchall()


async def set_up(engine: Engine, script: str) -> None:
    await connect(engine).executescript(script)


ACCOUNTS = """
BEGIN;
CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT UNIQUE, balance INTEGER NOT NULL CHECK (balance >= 0));
INSERT INTO account VALUES (1, 'a', 100), (2, 'b', 100), (3, 'c', 100), (4, 'd', 100);
COMMIT;
"""


async def transfer(db: Connection, chance: Random) -> int:
    """Move money in a transaction, again until it fits; return how often that was needed."""
    giver, taker = chance.sample(range(1, 5), 2)
    tries = 0
    while True:
        tries += 1
        await db.execute("BEGIN")
        try:
            ((balance,),) = await rows(db, "SELECT balance FROM account WHERE id = ?", giver)
            amount = min(balance, chance.randrange(1, 30))
            await db.execute("UPDATE account SET balance = balance - ? WHERE id = ?", (amount, giver))
            await asyncio.sleep(0)
            await db.execute("UPDATE account SET balance = balance + ? WHERE id = ?", (amount, taker))
            await db.execute("COMMIT")
        except SerializationError:
            assert not db.in_transaction
        else:
            return tries


async def test_transfers_keep_the_sum(server: Server) -> None:
    engines = await processes(server)
    await set_up(engines[0], ACCOUNTS)
    done = asyncio.Event()
    looks = 0

    async def look(engine: Engine) -> None:
        nonlocal looks
        db = connect(engine, max_staleness=0.5)
        while not done.is_set():
            assert await rows(db, "SELECT sum(balance), count(*) FROM account") == [(400, 4)]
            looks += 1
            await asyncio.sleep(0)

    async def write(engine: Engine, seed: int) -> int:
        db, chance = connect(engine), Random(seed)
        return sum([await transfer(db, chance) for _ in range(3)])

    looking = [asyncio.ensure_future(look(engine)) for engine in engines]
    tries = await asyncio.gather(*[write(engine, seed) for seed, engine in enumerate(engines * 2)])
    done.set()
    await asyncio.gather(*looking)
    assert looks > 2
    assert sum(tries) > 12, "nobody got in anybody's way"
    for engine in [*engines, *await processes(server, 1)]:
        await engine.refresh(latest=True)
        assert await rows(connect(engine), "SELECT sum(balance), count(*) FROM account") == [(400, 4)]


DOCTORS = """
BEGIN;
CREATE TABLE doctor (name TEXT PRIMARY KEY, on_call BOOLEAN NOT NULL);
INSERT INTO doctor VALUES ('Ada', TRUE), ('Grace', TRUE);
COMMIT;
"""


@pytest.mark.parametrize("number", [1, 2])
async def test_write_skew_is_refused(server: Server, number: int) -> None:
    """Each of two transactions relies on what the other changes; one process or two."""
    engines = await processes(server, number)
    await set_up(engines[0], DOCTORS)
    await engines[-1].refresh(latest=True)
    one, two = connect(engines[0]), connect(engines[-1])
    for db, name in ((one, "Ada"), (two, "Grace")):
        await db.execute("BEGIN")
        assert await rows(db, "SELECT count(*) FROM doctor WHERE on_call") == [(2,)]
        await db.execute("UPDATE doctor SET on_call = FALSE WHERE name = ?", (name,))
    ended = await asyncio.gather(one.execute("COMMIT"), two.execute("COMMIT"), return_exceptions=True)
    assert sum(isinstance(end, SerializationError) for end in ended) == 1
    await engines[0].refresh(latest=True)
    assert await rows(one, "SELECT count(*) FROM doctor WHERE on_call") == [(1,)]


async def test_a_phantom_is_noticed(server: Server) -> None:
    """What was read was that there is nothing."""
    engines = await processes(server)
    await set_up(engines[0], DOCTORS)
    await engines[1].refresh(latest=True)
    one, two = map(connect, engines)
    await one.execute("BEGIN")
    assert await rows(one, "SELECT * FROM doctor WHERE name = 'Edsger'") == []
    await one.execute("UPDATE doctor SET on_call = FALSE WHERE name = 'Ada'")
    await two.execute("INSERT INTO doctor VALUES ('Edsger', TRUE)")
    with pytest.raises(SerializationError):
        await one.execute("COMMIT")


async def test_statements_of_their_own_are_run_again(server: Server) -> None:
    engines = await processes(server)
    await set_up(engines[0], "CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0);")
    await engines[1].refresh(latest=True)

    async def count(engine: Engine) -> None:
        db = connect(engine)
        for _ in range(2):
            await db.execute("UPDATE counter SET n = n + 1")

    await asyncio.gather(*[count(engine) for engine in engines * 3])
    await engines[0].refresh(latest=True)
    assert await rows(connect(engines[0]), "SELECT n FROM counter") == [(12,)]


async def test_a_long_scan_sees_one_snapshot(server: Server) -> None:
    """Its pages are fetched one after another while others change all rows and write new pages."""
    engines = await processes(server, options=TINY)
    await set_up(engines[0], "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, s TEXT)")
    writer = connect(engines[0])
    await writer.executemany("INSERT INTO t VALUES (?, 1, ?)", [(i, f"{i * i:050}") for i in range(300)])
    assert await engines[0].checkpoint(everything=True)
    await engines[1].refresh(latest=True)
    view = engines[1].begin()
    table = next(iter(view.catalog.tables.values())).id
    scan = view.scan(table)
    seen: list[int] = []
    for step in range(1_000):
        batch: Any = scan.next()
        if hasattr(batch, "fetch"):
            batch = await batch.fetch()
        if batch is None:
            break
        seen += [row[2] for row in batch]
        if step % 3 == 0:
            await writer.execute("UPDATE t SET n = n + 1")
            await engines[0].checkpoint(everything=True)
            await engines[1].refresh()
    assert seen == [1] * 300
    assert (await rows(writer, "SELECT min(n) > 1, count(*) FROM t")) == [(1, 300)]


async def test_a_transaction_sees_one_snapshot(server: Server) -> None:
    engines = await processes(server)
    await set_up(engines[0], ACCOUNTS)
    await engines[1].refresh(latest=True)
    reader, writer = connect(engines[1]), connect(engines[0])
    await reader.execute("BEGIN")
    before = await rows(reader, "SELECT * FROM account")
    await writer.execute("UPDATE account SET balance = balance + 1")
    await engines[1].refresh(latest=True)
    assert await rows(reader, "SELECT * FROM account") == before
    await reader.execute("COMMIT")
    assert await rows(reader, "SELECT sum(balance) FROM account") == [(404,)]


@pytest.mark.parametrize("server", ["loopback"], indirect=True)
async def test_how_stale_a_snapshot_may_be(server: Server) -> None:
    engines = await processes(server)
    await set_up(engines[0], ACCOUNTS)
    await engines[1].refresh(latest=True)
    fresh, patient = connect(engines[1], max_staleness=1.0), connect(engines[1], max_staleness=60.0)
    await connect(engines[0]).execute("UPDATE account SET balance = balance + 1")
    sql = "SELECT sum(balance) FROM account"
    before = engines[1].requests.copy()
    server.clock.advance(30)
    assert await rows(patient, sql) == [(400,)]
    assert engines[1].requests.since(before).rest == 0
    assert await rows(fresh, sql) == [(404,)]
    assert engines[1].requests.since(before).rest == 1
    assert await rows(fresh, sql) == [(404,)]
    assert engines[1].requests.since(before).rest == 1


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")


@pytest.mark.parametrize("server", ["loopback"], indirect=True)
async def test_push_events_spare_requests_and_bring_news(server: LoopbackServer) -> None:
    listening = await server.open(gateway=True)
    engines = [await open_engine(await server.open()), await open_engine(listening)]
    await set_up(engines[0], ACCOUNTS)
    await until(lambda: listening.is_live and engines[1].log.hinted)
    db = connect(engines[1], max_staleness=1.0)
    sql = "SELECT sum(balance) FROM account"
    assert await rows(db, sql) == [(400,)]
    before = engines[1].requests.copy()
    server.clock.advance(600)
    assert await rows(db, sql) == [(400,)]
    assert engines[1].requests.since(before).rest == 0
    await connect(engines[0]).execute("UPDATE account SET balance = balance + 1")
    await until(lambda: engines[1].log.hinted)
    assert await rows(db, sql) == [(404,)]
