"""A fault at every single request: nothing is lost, nothing happens twice, and everybody learns what happened."""

from collections.abc import Awaitable, Callable

import pytest
from faulty_guild import FAULTS, Crash, FaultyGuild
from stepped_clock import SteppedClock
from tables import add, create, insert, look_up, scan

from discosql.errors import OperationalError, SerializationError, UnknownOutcomeError
from discosql.storage.checkpoint import messages_of
from discosql.storage.engine import Engine, EngineOptions, open_engine
from discosql.storage.local import LocalGuild
from discosql.storage.posting import TOPIC

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


PAGED = EngineOptions(page_size=1_000, cache_size=0, checkpoint_entries=10**9)


async def checkpoint(engine: Engine) -> None:
    await engine.checkpoint(everything=True)


async def vacuum(engine: Engine) -> None:
    await engine.vacuum()


async def read(engine: Engine) -> None:
    assert len(await look_up(engine.begin(), 2, ("Ada",), ("name 7",))) == 2
    assert len(await scan(engine.begin())) == 202


async def _paged() -> tuple[LocalGuild, SteppedClock]:
    """Return a guild with some pages that are in use, some that are not any more, and changes since."""
    clock = SteppedClock()
    guild = LocalGuild.memory(clock=clock)
    engine = await open_engine(guild.peer(), options=PAGED)
    await create(engine)
    await insert(engine, ("Ada", 1))
    await large(engine)
    await engine.checkpoint()
    for number in range(3):
        transaction = engine.begin()
        (row,) = await look_up(transaction, 2, (f"name {number}",))
        transaction.update(1, row, (*row[:3], -1))
        await engine.commit(transaction)
        clock.advance(3600)
        await engine.checkpoint(everything=True)
    clock.advance(3700)
    await insert(engine, ("Grace", 2))
    return guild, clock


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scenario", [checkpoint, vacuum, read])
async def test_one_fault_in_upkeep(scenario: Scenario, fault: str) -> None:
    """Nothing is lost, and what is left undone the next one does."""
    guild, _ = await _paged()
    expected = await _names(guild)
    assert len(expected) == 202
    faulty = FaultyGuild(guild.peer())
    engine = await open_engine(faulty, options=PAGED)
    first = len(faulty.sent)
    await scenario(engine)
    count = len(faulty.sent) - first
    assert count > 5
    for position in range(count):
        guild, clock = await _paged()
        faulty = FaultyGuild(guild.peer())
        engine = await open_engine(faulty, options=PAGED)
        faulty.faults[len(faulty.sent) + position] = fault
        try:
            await scenario(engine)
        except (Crash, OperationalError):
            assert fault.startswith("crash"), "a single fault is mended"
        assert await _names(guild) == expected
        clock.advance(2 * 3600)
        again = await open_engine(guild.peer(), options=PAGED)
        await again.vacuum()
        assert await _names(guild) == expected
        await read(again)
        assert await _unneeded(again) == []


async def _unneeded(engine: Engine) -> list[int]:
    """Return the messages older than two hours in page channels that nothing names."""
    assert engine.adopted is not None
    live = {message for _, message in messages_of(engine.adopted.manifest.tables.values())}
    retired = {message for item in engine.adopted.retired() for _, message in item.pages}
    left = []
    for channel in await engine.guild.channels():
        if channel.topic == TOPIC:
            left += [message.id for message in await engine.guild.messages(channel.id)]
    return [message for message in left if message not in live | retired]


@pytest.mark.parametrize("fault", FAULTS)
async def test_one_fault_in_opening(fault: str) -> None:
    for guild in (await _prepared(), (await _paged())[0]):
        expected = await _names(guild)
        faulty = FaultyGuild(guild.peer())
        await open_engine(faulty)
        for position in range(len(faulty.sent)):
            faulty = FaultyGuild(guild.peer(), {position: fault})
            try:
                engine = await open_engine(faulty)
            except Crash:
                continue
            assert [row[2] for row in await scan(engine.begin())] == expected


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


async def test_another_process_can_tell_the_outcome() -> None:
    guild = await _prepared()
    for fault, expected in (("unanswered", True), ("lost", None)):
        faulty = FaultyGuild(guild.peer())
        engine = await open_engine(faulty)
        sent = len(faulty.sent)
        faulty.faults = dict.fromkeys(range(sent, sent + 4), fault)
        with pytest.raises(UnknownOutcomeError) as raised:
            await small(engine)
        later = await open_engine(guild.peer())
        assert await later.outcome(raised.value.transaction) is expected


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
