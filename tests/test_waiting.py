"""Rate limits, refusals and outages: waits are counted, seen and bounded, and nothing is lost or done twice."""

import asyncio
import time
from collections.abc import Iterator
from random import Random
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from faults import Fault as GuildFault
from faults import FaultyGuild
from guilds import LoopbackServer
from loopback import Fault, rate_limited
from stepped_clock import SteppedClock

from discosql.aio import Connection
from discosql.errors import (
    ForbiddenError,
    OperationalError,
    QueryInterruptedError,
    QueryTimeoutError,
    UnavailableError,
    UnknownOutcomeError,
)
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.discord import DiscordGuild
from discosql.storage.discord_refusals import MOST, PAUSE, REPEATED, UNKNOWN_TOKENS, WINDOW, Refusals
from discosql.storage.engine import EngineOptions, Guild, open_engine
from discosql.storage.local import LocalGuild
from discosql.storage.metrics import Metric

on_loopback = pytest.mark.parametrize("server", ["loopback"], indirect=True)


@pytest.fixture
async def guild(server: LoopbackServer) -> DiscordGuild:
    return await server.open()


@pytest.fixture
async def channel(guild: DiscordGuild) -> int:
    category = await guild.create_category("data")
    return (await guild.create_channel("log", category.id)).id


@pytest.fixture(autouse=True)
def quick_sleeps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let discord.py sleep on the server's clock."""
    if "server" in request.fixturenames:
        clock = request.getfixturevalue("server").clock
        quick = SimpleNamespace(**{name: getattr(asyncio, name) for name in asyncio.__all__})
        quick.sleep = clock.sleep
        monkeypatch.setattr(discord.http, "asyncio", quick)
    yield


def heard_by(guild: Guild) -> list[Metric]:
    metrics: list[Metric] = []
    guild.requests.observers.append(metrics.append)
    return metrics


# Waits ------------------------------------------------------------------------------------------------------------


@on_loopback
async def test_a_rate_limit_is_counted_and_told(server: LoopbackServer, guild: DiscordGuild, channel: int) -> None:
    metrics = heard_by(guild)
    server.discord.faults.append(rate_limited(1.5))
    await guild.post(channel, "x")
    assert guild.requests.waits == {"rate limit": 1}
    assert guild.requests.waited == {"rate limit": 1.5}
    # It is told before, so that somebody who looks knows why nothing happens.
    assert metrics == [Metric("wait", "rate limit", 1.5), Metric("request", "post", pytest.approx(1.5, abs=0.1))]


@on_loopback
async def test_what_is_too_long_is_not_waited_for(server: LoopbackServer, guild: DiscordGuild, channel: int) -> None:
    server.discord.faults.append(rate_limited(3_600.0))
    with pytest.raises(UnavailableError):
        await guild.post(channel, "x")
    assert guild.requests.waits == {}


@on_loopback
async def test_waits_for_a_server_that_fails_are_counted(
    server: LoopbackServer, guild: DiscordGuild, channel: int
) -> None:
    server.discord.faults.extend([Fault(500), Fault(502)])
    await guild.post(channel, "x")
    assert guild.requests.waits == {"outage": 2}
    assert guild.requests.waited["outage"] == pytest.approx(1 + 3, abs=0.1)


def test_waits_since_an_earlier_moment() -> None:
    guild = LocalGuild.memory()
    guild.requests.wait("outage", 2.0)
    before = guild.requests.copy()
    guild.requests.wait("outage", 0.5)
    guild.requests.wait("settling", 1.0)
    since = guild.requests.since(before)
    assert (since.waits, since.waited) == ({"outage": 1, "settling": 1}, {"outage": 0.5, "settling": 1.0})


# Refusals ---------------------------------------------------------------------------------------------------------


@on_loopback
async def test_what_is_forbidden_is_not_asked_for_again_and_again(server: LoopbackServer, guild: DiscordGuild) -> None:
    server.forbid("manage_channels")
    before = len(server.discord.requests)
    for _ in range(200):
        with pytest.raises(ForbiddenError):
            await guild.create_category("x")
    assert len(server.discord.requests) - before == REPEATED
    with pytest.raises(ForbiddenError, match=rf"refused this {REPEATED} times and is not asked again for 60 s"):
        await guild.create_category("x")
    # Other requests go on, and this one is tried now and then.
    assert await guild.channels() == []
    server.clock.advance(PAUSE)
    before = len(server.discord.requests)
    for _ in range(20):
        with pytest.raises(ForbiddenError):
            await guild.create_category("x")
    assert len(server.discord.requests) - before == 1


@on_loopback
async def test_a_permission_that_was_given_is_noticed(
    server: LoopbackServer, guild: DiscordGuild, channel: int
) -> None:
    server.discord.faults.extend(Fault(403, '{"code": 50013, "message": "Missing Permissions"}') for _ in range(6))
    for _ in range(6):
        with pytest.raises(ForbiddenError):
            await guild.post(channel, "x")
        server.clock.advance(PAUSE)
    for _ in range(6):
        await guild.post(channel, "x")


@on_loopback
async def test_a_token_that_is_gone_is_not_tried_again(
    server: LoopbackServer, guild: DiscordGuild, channel: int
) -> None:
    server.discord.faults.extend(Fault(401, '{"code": 0, "message": "401: Unauthorized"}') for _ in range(50))
    before = len(server.discord.requests)
    for number in range(50):
        with pytest.raises(ForbiddenError, match="token is no longer valid"):
            await (guild.channels() if number % 2 else guild.post(channel, "x"))
        server.clock.advance(PAUSE)
    assert len(server.discord.requests) - before == UNKNOWN_TOKENS


def test_far_fewer_requests_are_refused_than_discord_bears() -> None:
    clock = SteppedClock()
    refusals = Refusals(clock.monotonic)
    asked = 0
    for number in range(20_000):
        try:
            # The worst there is: each time another channel.
            refusals.check("post", number)
        except UnavailableError as exc:
            assert "before it shuts this address out" in str(exc)
        else:
            asked += 1
            refusals.note_try(429)
        clock.advance(0.02)
    assert asked == MOST
    clock.advance(WINDOW)
    refusals.check("post", 0)


# Statements that wait ---------------------------------------------------------------------------------------------


async def cold(plan_after: GuildFault) -> tuple[Connection, FaultyGuild]:
    """Return a connection that has read nothing but the schema, to a guild that now fails every request."""
    guild = LocalGuild.memory()
    options = EngineOptions()
    db = Connection(Session(await open_engine(guild.peer(), options=options), DEFAULT), isolation_level=None)
    await db.execute("CREATE TABLE t (n INTEGER)")
    await db.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(100)])
    assert await db._session.engine.checkpoint(everything=True)
    await db.close()
    faulty = FaultyGuild(guild.peer())
    engine = await open_engine(faulty)
    faulty.plan = lambda number, kind: plan_after
    return Connection(Session(engine, DEFAULT), isolation_level=None), faulty


async def test_a_timeout_ends_a_wait() -> None:
    db, _ = await cold(GuildFault.LOST)
    db.timeout = 0.2
    started = time.monotonic()
    with pytest.raises(QueryTimeoutError):
        await db.execute("SELECT * FROM t")
    assert time.monotonic() - started < 0.45
    assert db.stats()["waits.outage"] == 1
    await db.close()


async def test_a_progress_handler_is_called_during_a_wait_and_may_end_it() -> None:
    db, _ = await cold(GuildFault.LOST)
    calls = 0

    def handler() -> bool:
        nonlocal calls
        calls += 1
        return calls > 3

    db.set_progress_handler(handler)
    started = time.monotonic()
    with pytest.raises(QueryInterruptedError):
        await db.execute("SELECT * FROM t")
    assert calls >= 4
    assert time.monotonic() - started < 0.5
    await db.close()


async def test_a_wait_can_be_interrupted_and_the_connection_goes_on() -> None:
    db, faulty = await cold(GuildFault.LOST)
    asyncio.get_running_loop().call_later(0.05, db.interrupt)
    with pytest.raises(QueryInterruptedError):
        await db.execute("SELECT * FROM t")
    faulty.plan = lambda number, kind: None
    assert await (await db.execute("SELECT count(*) FROM t")).fetchone() == (100,)
    await db.close()


async def test_a_commit_that_was_interrupted_has_an_outcome() -> None:
    db, faulty = await cold(GuildFault.LOST)
    asyncio.get_running_loop().call_later(0.05, db.interrupt)
    with pytest.raises(UnknownOutcomeError) as caught:
        await db.execute("INSERT INTO t VALUES (-1)")
    faulty.plan = lambda number, kind: None
    stored = await db._session.engine.outcome(caught.value.transaction)
    found = await (await db.execute("SELECT count(*) FROM t WHERE n = -1")).fetchone()
    assert found == (int(stored or 0),)
    await db.close()


async def test_a_handler_that_fails_leaves_nothing_behind() -> None:
    db, faulty = await cold(GuildFault.LOST)

    def handler() -> bool:
        raise ValueError("of the handler itself")

    db.set_progress_handler(handler)
    with pytest.raises(QueryInterruptedError):
        await db.execute("SELECT * FROM t")
    db.set_progress_handler(None)
    faulty.plan = lambda number, kind: None
    assert await (await db.execute("SELECT count(*) FROM t")).fetchone() == (100,)
    await db.close()


# An outage --------------------------------------------------------------------------------------------------------

BEGIN, END = 60.0, 660.0
INSERTS = 40


class Outage:
    """Ten minutes in which every request fails, mostly without being done."""

    def __init__(self, clock: SteppedClock, random: Random) -> None:
        self._clock = clock
        self._random = random

    def __call__(self, number: int, kind: str) -> GuildFault | None:
        if not BEGIN <= self._clock.elapsed < END:
            return None
        # A server that answers with status 500 may have done what it was asked, and late.
        kinds = [GuildFault.LOST, GuildFault.NOT_DONE, GuildFault.NO_ANSWER, GuildFault.LATE]
        return self._random.choices(kinds, [5, 5, 1, 1])[0]


async def write(db: Connection, clock: SteppedClock, name: str, failures: list[str]) -> None:
    """Insert numbers one after the other, as a program does that must not lose any and insert none twice."""
    number = 0
    while number < INSERTS:
        try:
            await db.execute("INSERT INTO t VALUES (?, ?)", (name, number))
        except UnknownOutcomeError as exc:
            failures.append(type(exc).__name__)
            number += bool(await outcome(db, clock, exc.transaction))
        except OperationalError as exc:
            failures.append(type(exc).__name__)
            await clock.sleep(7.0)
        else:
            number += 1
            await clock.sleep(1.0)


async def outcome(db: Connection, clock: SteppedClock, transaction: str) -> bool:
    while True:
        try:
            stored = await db._session.engine.outcome(transaction)
        except OperationalError:
            await clock.sleep(11.0)
        else:
            assert stored is not None
            return stored


@pytest.mark.parametrize("seed", range(6))
async def test_ten_minutes_without_discord(seed: int) -> None:
    clock, random = SteppedClock(), Random(seed)
    server = LocalGuild.memory(clock=clock)
    writers: list[tuple[Connection, list[str]]] = []
    for number in range(3):
        faulty = FaultyGuild(server.peer(), Outage(clock, random))
        options = EngineOptions(checkpoint_entries=16)
        writers.append(
            (Connection(Session(await open_engine(faulty, options=options), DEFAULT), isolation_level=None), [])
        )
        if number == 0:
            await writers[0][0].execute("CREATE TABLE t (writer TEXT, n INTEGER)")
    tasks = [write(db, clock, f"writer {number}", failures) for number, (db, failures) in enumerate(writers)]
    await asyncio.gather(*tasks)
    assert clock.elapsed > END
    expected = [(f"writer {number}", n) for number in range(3) for n in range(INSERTS)]
    fresh = Connection(Session(await open_engine(server.peer()), DEFAULT), isolation_level=None)
    for db in (*[db for db, _ in writers], fresh):
        rows: list[Any] = await (await db.execute("SELECT writer, n FROM t ORDER BY writer, n")).fetchall()
        assert rows == expected
    for db, failures in writers:
        assert failures
        stats = db.stats()
        assert stats["waits.outage"] > 3
        assert stats["waits.outage.seconds"] > 3
        await db.close()
    await fresh.close()


@on_loopback
async def test_ten_minutes_without_discord_under_the_real_client(server: LoopbackServer) -> None:
    clock, random = server.clock, Random(7)
    begin, end = clock.elapsed + 20.0, clock.elapsed + 20.0 + END - BEGIN

    def weather() -> Fault | None:
        if not begin <= clock.elapsed < end:
            return None
        return random.choice([Fault(500), Fault(502, done=True), Fault(503), Fault(drop=True), Fault(504)])

    db = Connection(Session(await open_engine(await server.open()), DEFAULT), isolation_level=None)
    await db.execute("CREATE TABLE t (writer TEXT, n INTEGER)")
    server.discord.weather = weather
    failures: list[str] = []
    await write(db, clock, "the only one", failures)
    assert clock.elapsed > end
    assert failures
    stats = db.stats()
    assert stats["waits.outage.seconds"] > 300
    fresh = Connection(Session(await open_engine(await server.open()), DEFAULT), isolation_level=None)
    for each in (db, fresh):
        rows: list[Any] = await (await each.execute("SELECT n FROM t ORDER BY n")).fetchall()
        assert rows == [(number,) for number in range(INSERTS)]
        await each.close()
