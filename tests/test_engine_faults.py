"""A fault at every single request: nothing is lost, nothing happens twice, and everybody learns what happened."""

from collections.abc import Awaitable, Callable

import pytest
from faulty_guild import FAULTS, Crash, FaultyGuild
from stepped_clock import SteppedClock
from tables import add, create, insert, scan

from discosql.errors import OperationalError, SerializationError, UnknownOutcomeError
from discosql.storage.engine import Engine, open_engine
from discosql.storage.local import LocalGuild

Scenario = Callable[[Engine], Awaitable[None]]


async def small(engine: Engine) -> None:
    await insert(engine, ("Grace", 2))


async def large(engine: Engine) -> None:
    transaction = engine.begin()
    for number in range(200):
        add(transaction, f"name {number}", number)
    await engine.commit(transaction)


async def two(engine: Engine) -> None:
    await insert(engine, ("Grace", 2))
    await insert(engine, ("Edsger", 3))


async def _prepared() -> LocalGuild:
    guild = LocalGuild.memory(clock=SteppedClock())
    engine = await open_engine(guild.peer())
    await create(engine)
    await insert(engine, ("Ada", 1))
    return guild


async def _names(guild: LocalGuild) -> list[str]:
    engine = await open_engine(guild.peer())
    rows = await scan(engine.begin()) if 1 in engine.state.tables else []
    await engine.close()
    return [row[2] for row in rows]


async def _requests_of(scenario: Scenario) -> int:
    guild = await _prepared()
    faulty = FaultyGuild(guild.peer())
    engine = await open_engine(faulty)
    before = len(faulty.sent)
    await scenario(engine)
    return len(faulty.sent) - before


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scenario", [small, large, two])
async def test_one_fault_in_commits(scenario: Scenario, fault: str) -> None:
    count = await _requests_of(scenario)
    for position in range(count):
        guild = await _prepared()
        faulty = FaultyGuild(guild.peer())
        engine = await open_engine(faulty)
        faulty.faults[len(faulty.sent) + position] = fault
        expected = {small: ["Ada", "Grace"], two: ["Ada", "Grace", "Edsger"]}.get(
            scenario, ["Ada", *[f"name {number}" for number in range(200)]]
        )
        try:
            await scenario(engine)
        except Crash:
            names = await _names(guild)
            # All of a commit or none, and none without those before it.
            assert names in (["Ada"], expected, expected[:2] if scenario is two else expected)
        else:
            # A single fault is mended without the caller's noticing.
            assert await _names(guild) == expected


@pytest.mark.parametrize("fault", FAULTS)
async def test_one_fault_in_opening(fault: str) -> None:
    guild = await _prepared()
    faulty = FaultyGuild(guild.peer())
    await open_engine(faulty)
    for position in range(len(faulty.sent)):
        faulty = FaultyGuild(guild.peer(), {position: fault})
        try:
            engine = await open_engine(faulty)
        except (Crash, OperationalError):
            continue
        assert [row[2] for row in await scan(engine.begin())] == ["Ada"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_one_fault_in_creating(fault: str) -> None:
    faulty = FaultyGuild(LocalGuild.memory(clock=SteppedClock()))
    await open_engine(faulty)
    for position in range(len(faulty.sent)):
        guild = LocalGuild.memory(clock=SteppedClock())
        faulty = FaultyGuild(guild.peer(), {position: fault})
        try:
            engine = await open_engine(faulty)
        except (Crash, OperationalError):
            engine = await open_engine(guild.peer())
        await create(engine)
        await insert(engine, ("Ada", 1))
        assert await _names(guild) == ["Ada"]


async def test_without_any_answer_the_outcome_is_unknown_until_asked_later() -> None:
    guild = await _prepared()
    faulty = FaultyGuild(guild.peer())
    engine = await open_engine(faulty)
    sent = len(faulty.sent)
    faulty.faults = dict.fromkeys(range(sent, sent + 4), "lost")
    with pytest.raises(UnknownOutcomeError) as raised:
        await small(engine)
    assert await engine.outcome(raised.value.transaction) is True
    assert await _names(guild) == ["Ada", "Grace"]


async def test_an_entry_that_arrived_without_an_answer_is_not_stored_twice() -> None:
    guild = await _prepared()
    faulty = FaultyGuild(guild.peer())
    engine = await open_engine(faulty)
    sent = len(faulty.sent)
    faulty.faults = dict.fromkeys(range(sent, sent + 4), "unanswered")
    with pytest.raises(UnknownOutcomeError) as raised:
        await small(engine)
    with pytest.raises(SerializationError):
        # It took the same rowid, as far as it could know.
        await insert(engine, ("Edsger", 3))
    await insert(engine, ("Edsger", 3))
    assert await engine.outcome(raised.value.transaction) is True
    assert await _names(guild) == ["Ada", "Grace", "Edsger"]


async def test_refused_for_long_means_nothing_was_done() -> None:
    guild = await _prepared()
    faulty = FaultyGuild(guild.peer())
    engine = await open_engine(faulty)
    sent = len(faulty.sent)
    faulty.faults = dict.fromkeys(range(sent, sent + 4), "refused")
    with pytest.raises(OperationalError, match="refused") as raised:
        await small(engine)
    assert not isinstance(raised.value, UnknownOutcomeError)
    await insert(engine, ("Edsger", 3))
    assert await _names(guild) == ["Ada", "Edsger"]
