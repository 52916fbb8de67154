"""A fault at every single request: nothing is lost, nothing happens twice, and everybody learns what happened."""

from collections.abc import Awaitable, Callable

import pytest
from faults import CRASHES, ONCE, Crash, Fault, FaultyGuild, at
from stepped_clock import SteppedClock
from tables import add, create, insert, look_up, scan

from discosql.errors import OperationalError, SerializationError, UnknownOutcomeError
from discosql.schema import Index
from discosql.storage.checkpoint import channels_of, messages_of
from discosql.storage.engine import Engine, EngineOptions, open_engine
from discosql.storage.local import LocalGuild
from discosql.storage.posting import TOPIC

EVERY_FAULT = pytest.mark.parametrize(
    "fault", [*ONCE, *(pytest.param(fault, marks=pytest.mark.campaign) for fault in (Fault.LATE, Fault.TWICE))]
)

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
    before = faulty.number
    await scenario(engine)
    return faulty.number - before


@EVERY_FAULT
@pytest.mark.parametrize("scenario", [small, large, two])
async def test_one_fault_in_commits(scenario: Scenario, fault: Fault) -> None:
    count = await _requests_of(scenario)
    for position in range(count):
        guild = await _prepared()
        faulty = FaultyGuild(guild.peer())
        engine = await open_engine(faulty)
        faulty.plan = at(faulty.number + 1 + position, fault)
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


async def build_index(engine: Engine) -> None:
    transaction = engine.begin()
    schema = transaction.catalog.table("users")
    index = Index(transaction.catalog.next_id, "users_both", (2, 1), unique=False, collations=("BINARY", "BINARY"))
    transaction.set_catalog(transaction.catalog.with_table(schema.replace(indexes=(*schema.indexes, index))))
    await engine.commit(transaction)
    await engine.checkpoint()


async def read(engine: Engine) -> None:
    rows = await scan(engine.begin())
    assert await look_up(engine.begin(), 2, *[(row[2],) for row in rows[::7]]) == rows[::7]


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


async def _small() -> tuple[LocalGuild, SteppedClock]:
    """Return a guild with a table of a few rows, changed since its checkpoint."""
    clock = SteppedClock()
    guild = LocalGuild.memory(clock=clock)
    engine = await open_engine(guild.peer(), options=PAGED)
    await create(engine)
    await insert(engine, ("Ada", 1))
    await engine.checkpoint()
    clock.advance(3700)
    await two(engine)
    return guild, clock


@EVERY_FAULT
@pytest.mark.parametrize("prepare", [_small, _paged])
@pytest.mark.parametrize("scenario", [checkpoint, build_index, vacuum, read])
async def test_one_fault_in_upkeep(
    scenario: Scenario, prepare: Callable[[], Awaitable[tuple[LocalGuild, SteppedClock]]], fault: Fault
) -> None:
    """Nothing is lost, and what is left undone the next one does."""
    guild, _ = await prepare()
    expected = await _names(guild)
    assert len(expected) == (3 if prepare is _small else 202)
    faulty = FaultyGuild(guild.peer())
    engine = await open_engine(faulty, options=PAGED)
    first = faulty.number
    await scenario(engine)
    count = faulty.number - first
    assert count > (5 if prepare is _paged else 1)
    for position in range(count):
        guild, clock = await prepare()
        faulty = FaultyGuild(guild.peer())
        engine = await open_engine(faulty, options=PAGED)
        faulty.plan = at(faulty.number + 1 + position, fault)
        try:
            await scenario(engine)
        except (Crash, OperationalError):
            assert fault in CRASHES, "a single fault is mended"
        assert await _names(guild) == expected
        clock.advance(2 * 3600)
        again = await open_engine(guild.peer(), options=PAGED)
        await again.vacuum()
        assert await _names(guild) == expected
        await read(again)
        assert await _unneeded(again) == []


async def _unneeded(engine: Engine) -> list[int]:
    """Return what is left of two hours ago that nobody needs: messages with pages that nothing names, and channels."""
    if engine.adopted is None:
        return []
    tables = engine.adopted.manifest.tables.values()
    live, used = {message for _, message in messages_of(tables)}, channels_of(tables)
    retired = {message for item in engine.adopted.retired() for _, message in item.pages}
    left = []
    for channel in await engine.guild.channels():
        if channel.topic == TOPIC:
            left += [message.id for message in await engine.guild.messages(channel.id)]
            left += [channel.id] if channel.id not in used else []
    return [message for message in left if message not in live | retired]


@EVERY_FAULT
async def test_one_fault_in_opening(fault: Fault) -> None:
    for guild in (await _prepared(), (await _paged())[0]):
        expected = await _names(guild)
        faulty = FaultyGuild(guild.peer())
        await open_engine(faulty)
        for position in range(faulty.number):
            faulty = FaultyGuild(guild.peer(), at(1 + position, fault))
            try:
                engine = await open_engine(faulty)
            except Crash:
                continue
            assert [row[2] for row in await scan(engine.begin())] == expected


@EVERY_FAULT
async def test_one_fault_in_creating(fault: Fault) -> None:
    faulty = FaultyGuild(LocalGuild.memory(clock=SteppedClock()))
    await open_engine(faulty)
    for position in range(faulty.number):
        guild = LocalGuild.memory(clock=SteppedClock())
        faulty = FaultyGuild(guild.peer(), at(1 + position, fault))
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
    faulty.plan = at(faulty.number + 1, Fault.NOT_DONE, times=4)
    with pytest.raises(UnknownOutcomeError) as raised:
        await small(engine)
    assert await engine.outcome(raised.value.transaction) is True
    assert await _names(guild) == ["Ada", "Grace"]


async def test_an_entry_that_arrived_without_an_answer_is_not_stored_twice() -> None:
    guild = await _prepared()
    faulty = FaultyGuild(guild.peer())
    engine = await open_engine(faulty)
    faulty.plan = at(faulty.number + 1, Fault.NO_ANSWER, times=4)
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
    for fault, expected in ((Fault.NO_ANSWER, True), (Fault.NOT_DONE, None)):
        faulty = FaultyGuild(guild.peer())
        engine = await open_engine(faulty)
        faulty.plan = at(faulty.number + 1, fault, times=4)
        with pytest.raises(UnknownOutcomeError) as raised:
            await small(engine)
        later = await open_engine(guild.peer())
        assert await later.outcome(raised.value.transaction) is expected


async def test_refused_for_long_means_nothing_was_done() -> None:
    guild = await _prepared()
    faulty = FaultyGuild(guild.peer())
    engine = await open_engine(faulty)
    faulty.plan = at(faulty.number + 1, Fault.LOST, times=4)
    with pytest.raises(OperationalError, match="lost before it reached") as raised:
        await small(engine)
    assert not isinstance(raised.value, UnknownOutcomeError)
    await insert(engine, ("Edsger", 3))
    assert await _names(guild) == ["Ada", "Edsger"]
