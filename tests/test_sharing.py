"""Connections of one process to one database on Discord share a login, a log and a cache."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from dialects import dialects as dialects
from loopback import TOKEN, LoopbackDiscord
from sqlalchemy.ext.asyncio import create_async_engine
from stepped_clock import SteppedClock

import discosql
from discosql.drive import LOOP_THREAD

ADDRESS = "discord://Shop"


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopbackDiscord]:
    """Discord on this machine, for connections that know no more than its address and the token."""
    clock = SteppedClock()
    monkeypatch.setattr("discosql.storage.discord.Clock", lambda: clock)
    monkeypatch.setenv("DISCOSQL_TOKEN", TOKEN)
    async with LoopbackDiscord(clock).running() as running:
        running.backend.create_guild("Shop")
        yield running


def asked(server: LoopbackDiscord) -> Counter[str]:
    """Return what was asked since the last call, by method and kind; ``login`` is what only a new client asks."""
    kinds = Counter(
        "login" if request.path.endswith("/users/@me") else f"{request.method} {request.path.split('/')[3]}"
        for request in server.requests
    )
    server.requests.clear()
    return kinds


async def in_thread(work: Callable[[], Any]) -> Any:
    """Run what waits for Discord, which is in this thread, in another one."""
    return await asyncio.to_thread(work)


async def test_one_login_for_all_connections(server: LoopbackDiscord) -> None:
    first = await in_thread(lambda: discosql.connect(ADDRESS))
    await in_thread(lambda: first.executescript("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"))
    assert asked(server)["login"] == 1
    others = [await in_thread(lambda: discosql.connect(ADDRESS)) for _ in range(5)]
    assert asked(server) == {}
    for number, db in enumerate(others):
        await in_thread(
            lambda db=db, number=number: db.execute("INSERT INTO item VALUES (?, ?)", (number, str(number)))
        )
        assert not first.in_transaction
        await in_thread(db.commit)
    assert await in_thread(lambda: first.execute("SELECT count(*) FROM item").fetchone()) == (5,)
    assert set(asked(server)) <= {"POST channels", "GET channels"}
    for db in [*others, first]:
        await in_thread(db.close)
    assert asked(server) == {}
    await in_thread(lambda: discosql.connect(ADDRESS).close())
    assert asked(server)["login"] == 1


async def test_what_is_not_shared(server: LoopbackDiscord) -> None:
    first = await in_thread(lambda: discosql.connect(ADDRESS))
    await in_thread(lambda: first.execute("CREATE TABLE t (a)"))
    other = await in_thread(lambda: discosql.connect(f"{ADDRESS}/other"))
    larger = await in_thread(lambda: discosql.connect(ADDRESS, cache_size=2**20))
    with pytest.raises(discosql.OperationalError):
        await in_thread(lambda: discosql.connect(ADDRESS, token="another"))
    with pytest.raises(discosql.EncryptionKeyError):
        await in_thread(lambda: discosql.connect(ADDRESS, key="a passphrase"))
    assert asked(server)["login"] == 5
    for db in (first, other, larger):
        await in_thread(db.close)


async def test_transactions_of_connections_that_share(server: LoopbackDiscord) -> None:
    def work() -> None:
        one, two = discosql.connect(ADDRESS), discosql.connect(ADDRESS)
        one.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n)")
        one.execute("INSERT INTO t VALUES (1, 0)")
        assert two.execute("SELECT * FROM t").fetchall() == []
        one.commit()
        assert two.execute("SELECT * FROM t").fetchall() == [(1, 0)]
        one.execute("UPDATE t SET n = n + 1 WHERE id = 1")
        two.execute("UPDATE t SET n = n + 1 WHERE id = 1")
        one.commit()
        with pytest.raises(discosql.SerializationError):
            two.commit()
        one.execute("CREATE TEMP TABLE mine (a)")
        with pytest.raises(discosql.UnknownNameError):
            two.execute("SELECT * FROM mine")
        one.close()
        assert two.execute("SELECT n FROM t").fetchone() == (1,)
        two.close()

    await in_thread(work)


async def test_threads_with_connections_of_their_own(server: LoopbackDiscord) -> None:
    """Each thread opens, reads, writes and closes again and again, alone now and then."""
    threads, rounds = 4, 5
    barrier = threading.Barrier(threads)

    def prepare() -> None:
        with discosql.connect(ADDRESS) as db:
            db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, thread, round)")
        db.close()

    def work(thread: int) -> None:
        barrier.wait()
        for number in range(rounds):
            db = discosql.connect(ADDRESS, isolation_level=None)
            seen = db.execute("SELECT count(*) FROM t WHERE thread = ?", (thread,)).fetchone()
            assert seen == (number,)
            db.execute("INSERT INTO t (thread, round) VALUES (?, ?)", (thread, number))
            assert len(
                db.execute("SELECT a.id FROM t a JOIN t b ON b.id <= a.id WHERE a.thread = ?", (thread,)).fetchall()
            )
            db.close()

    await in_thread(prepare)
    with ThreadPoolExecutor(threads) as pool:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*[loop.run_in_executor(pool, work, thread) for thread in range(threads)])

    def look() -> None:
        with discosql.connect(ADDRESS) as db:
            rows = db.execute("SELECT thread, count(*), count(DISTINCT round) FROM t GROUP BY thread").fetchall()
            assert rows == [(thread, rounds, rounds) for thread in range(threads)]
        db.close()

    await in_thread(look)


async def test_statements_run_in_the_callers_thread_only_without_others(server: LoopbackDiscord) -> None:
    def work() -> list[bool]:
        one = discosql.connect(ADDRESS)
        ran_on: list[bool] = []
        one.create_function("noted", 0, lambda: ran_on.append(threading.current_thread() is LOOP_THREAD._thread) or 1)
        one.execute("SELECT noted()")
        two = discosql.connect(ADDRESS)
        one.execute("SELECT noted()")
        two.close()
        one.execute("SELECT noted()")
        one.close()
        return ran_on

    assert await in_thread(work) == [False, True, False]


async def test_a_forgotten_connection_does_not_count(server: LoopbackDiscord) -> None:
    def work() -> bool:
        one = discosql.connect(ADDRESS)
        discosql.connect(ADDRESS).execute("SELECT 1")
        lease = one._session.lease
        assert lease is not None
        lease.join()
        alone = lease.is_alone
        one.close()
        return alone

    assert await in_thread(work)


async def test_a_key_that_was_changed_is_asked_for(server: LoopbackDiscord) -> None:
    def work() -> None:
        one, two = discosql.connect(ADDRESS), discosql.connect(ADDRESS)
        with one:
            one.execute("CREATE TABLE t (a)")
        one.rekey("secret")
        with pytest.raises(discosql.EncryptionKeyError):
            discosql.connect(ADDRESS)
        assert two.execute("SELECT count(*) FROM t").fetchone() == (0,)
        three = discosql.connect(ADDRESS, key="secret")
        for db in (one, two, three):
            db.close()

    await in_thread(work)


async def test_engines_of_sqlalchemy(server: LoopbackDiscord) -> None:
    """A pool of connections logs in once, and is closed with the engine."""

    def work() -> None:
        engine = sa.create_engine("discosql+discord://Shop", pool_size=4)
        connections = [engine.connect() for _ in range(4)]
        for connection in connections:
            assert connection.scalar(sa.text("SELECT 1")) == 1
            connection.close()
        engine.dispose()

    await in_thread(lambda: discosql.connect(ADDRESS).close())
    server.requests.clear()
    await in_thread(work)
    seen = asked(server)
    assert (seen["login"], seen.total()) == (1, 6)


async def test_asynchronous_connections_share_too(server: LoopbackDiscord) -> None:
    async with discosql.aio.connect(ADDRESS) as one, discosql.aio.connect(ADDRESS) as two:
        await one.execute("CREATE TABLE t (a)")
        await one.execute("INSERT INTO t VALUES (1)")
        await one.commit()
        assert await (await two.execute("SELECT * FROM t")).fetchall() == [(1,)]
    assert asked(server)["login"] == 1
    engine = create_async_engine("discosql+aio://Shop", pool_size=3)
    async with engine.connect() as first, engine.connect() as second:
        assert await first.scalar(sa.text("SELECT a FROM t")) == await second.scalar(sa.text("SELECT a FROM t")) == 1
    await engine.dispose()
    assert asked(server)["login"] == 1


async def test_connections_that_are_opened_at_once(server: LoopbackDiscord) -> None:
    opened = await asyncio.gather(*[discosql.aio.connect(ADDRESS) for _ in range(10)])
    assert asked(server)["login"] == 1
    for db in opened:
        await db.close()
