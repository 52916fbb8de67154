"""Checkpoints: what is written where, what it costs, and that nobody notices but by the requests."""

import asyncio
import gc
import json
import time
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from stepped_clock import SteppedClock
from tables import USERS, add, create, insert, look_up, scan

from discosql.errors import DatabaseCorruptionError, SerializationError
from discosql.schema import Index
from discosql.storage.engine import Engine, EngineOptions, Range, open_engine
from discosql.storage.guild import Requests
from discosql.storage.local import LocalGuild
from discosql.storage.local_store import Habits

NO_CHECKPOINTS = EngineOptions(checkpoint_entries=10**9, checkpoint_bytes=10**12)


def some_rows(count: int, start: int = 0) -> list[tuple[Any, ...]]:
    return [(f"name {number}", number % 97) for number in range(start, start + count)]


async def new_engine(options: EngineOptions = NO_CHECKPOINTS, guild: LocalGuild | None = None) -> Engine:
    guild = guild or LocalGuild.memory(clock=SteppedClock())
    engine = await open_engine(guild.peer(), options=options)
    if not engine.head:
        await create(engine)
    return engine


async def reopened(engine: Engine, options: EngineOptions = NO_CHECKPOINTS) -> Engine:
    guild = engine.guild
    assert isinstance(guild, LocalGuild)
    return await open_engine(guild.peer(), options=options)


class Counted:
    """What an engine asks its guild for within a block."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Requests:
        self._before = self._engine.requests.copy()
        self.asked = Requests()
        return self.asked

    def __exit__(self, *exc: object) -> None:
        asked = self._engine.requests.since(self._before)
        self.asked.count = asked.count
        self.asked.bytes_sent = asked.bytes_sent


# Budgets -----------------------------------------------------------------------------------------------------------


async def test_creating_a_database_takes_five_requests() -> None:
    engine = await open_engine(LocalGuild.memory().peer())
    assert engine.requests.rest <= 5


async def test_opening_an_empty_database_takes_two_requests() -> None:
    engine = await new_engine()
    again = await reopened(engine)
    assert (again.requests.rest, again.requests.downloads) == (2, 0)


@pytest.mark.parametrize(
    "count",
    [1_000, 10_000, pytest.param(100_000, marks=pytest.mark.campaign), pytest.param(10**6, marks=pytest.mark.campaign)],
)
async def test_budgets_of_reading(count: int) -> None:
    engine = await new_engine(EngineOptions(page_size=2**13 if count < 100_000 else 384 * 2**10))
    for start in range(0, count, 10_000):
        with Counted(engine) as asked:
            await insert(engine, *some_rows(min(count, 10_000), start))
        assert start > 0 or asked.rest == 2
    await engine.close()
    engine = await reopened(engine)
    assert engine.requests.rest <= 2 and engine.requests.downloads <= 1
    assert len(engine.state.tables[1].base.pages) > 1  # type: ignore[union-attr]

    async def costs(rest: int, downloads: int, index: int | None, key: Any, found: int) -> None:
        with Counted(engine) as asked:
            assert len(await look_up(engine.begin(), index, (key,))) == found
        assert asked.rest <= rest and asked.downloads <= downloads, (index, key, asked.count)

    await costs(2, 2, 2, f"name {count // 2}", 1)
    await costs(0, 0, 2, f"name {count // 2}", 1)
    await costs(2, 2, 2, "nobody", 0)
    await costs(0, 0, 2, "nobody", 0)
    await costs(1, 1, None, count - 3, 1)
    await costs(0, 0, None, count - 3, 1)
    await costs(0, 0, None, count + 3, 0)
    engine = await reopened(engine)
    pages = engine.state.tables[1].base.pages  # type: ignore[union-attr]
    with Counted(engine) as asked:
        assert len(await scan(engine.begin())) == count
    assert asked.downloads == len(pages)
    assert asked.rest <= -(-len(pages) // 10)


async def test_many_keys_are_looked_up_together() -> None:
    engine = await new_engine(EngineOptions(page_size=2**12))
    await insert(engine, *some_rows(5_000))
    await engine.close()
    engine = await reopened(engine)
    base = engine.state.tables[1].base
    assert base is not None
    with Counted(engine) as asked:
        found = await look_up(engine.begin(), 2, *[(f"name {number}",) for number in range(0, 5_000, 7)])
    assert len(found) == 715
    index = base.indexes[2]
    assert asked.downloads <= len(base.pages) + len(index.pages)
    assert asked.rest <= 2 + len(base.pages) // 10 + len(index.pages) // 10


async def test_prefetch_loads_for_all_lookups_at_once() -> None:
    engine = await new_engine(EngineOptions(page_size=2**12))
    await insert(engine, *some_rows(2_000))
    await engine.close()
    engine = await reopened(engine)
    view = engine.begin()
    lookups = [(1, 2, [("name 5",)]), (1, 2, [("name 1900",)]), (1, None, [(700,)])]
    pending = view.prefetch([], lookups)
    assert pending is not None
    with Counted(engine) as asked:
        await pending.fetch()
    assert asked.rest <= 4
    with Counted(engine) as asked:
        assert [len(await look_up(view, index, *keys)) for _, index, keys in lookups] == [1, 1, 1]
    assert asked.rest + asked.downloads == 0
    assert view.prefetch([], lookups) is None


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.campaign)])
async def test_upkeep_of_a_hundred_small_commits(count: int) -> None:
    engine = await new_engine(EngineOptions(page_size=2**15 if count < 100_000 else 384 * 2**10))
    for start in range(0, count, 10_000):
        await insert(engine, *some_rows(10_000, start))
    await engine.checkpoint(everything=True)
    with Counted(engine) as asked:
        for number in range(100):
            transaction = engine.begin()
            rowid = 1 + number * 199 % count
            (row,) = await look_up(transaction, None, (rowid,))
            transaction.update(1, row, (*row[:3], -1))
            await engine.commit(transaction)
            await asyncio.sleep(0)
        await engine.close()
    # Two for each commit; the rest is upkeep, and reading what the commits needed.
    reading = asked.count["message"]
    assert asked.rest - reading - 200 <= 10, asked.count


# What is written ---------------------------------------------------------------------------------------------------


async def test_small_pages_are_readable_text() -> None:
    engine = await new_engine()
    await insert(engine, ("Ada", 36), ("Grace `☃`", None))
    await engine.checkpoint()
    guild = engine.guild
    assert isinstance(guild, LocalGuild)
    (channel,) = [channel for channel in await guild.channels() if channel.name == "users"]
    (message,) = await guild.messages(channel.id)
    assert message.content == "`users: rowid, id, name, age`"
    assert [attachment.name for attachment in message.attachments] == ["users.1-2.jsonl.txt"]
    data = await guild.download(message.attachments[0])
    assert [json.loads(line) for line in data.splitlines()] == [[1, 1, "Ada", 36], [2, 2, "Grace `☃`", None]]


async def test_an_index_gets_its_channel_once_there_is_more_than_one_page() -> None:
    engine = await new_engine(EngineOptions(page_size=2_000))
    await insert(engine, *some_rows(10))
    await engine.checkpoint()
    assert not engine.state.tables[1].base.indexes  # type: ignore[union-attr]
    await insert(engine, *some_rows(2_000, 10))
    await engine.checkpoint()
    names = {channel.name for channel in await engine.guild.channels()}
    assert {"users", "users_name", "users_age"} <= names
    assert await look_up(engine.begin(), 2, ("name 7",)) == [(8, 8, "name 7", 7)]


async def test_only_changed_pages_are_written_again() -> None:
    engine = await new_engine(EngineOptions(page_size=4_000))
    await insert(engine, *some_rows(5_000))
    await engine.checkpoint()
    before = engine.state.tables[1].base
    assert before is not None and len(before.pages) > 8 and len(before.indexes[2].pages) > 8
    transaction = engine.begin()
    row = (await look_up(transaction, None, (2_500,)))[0]
    transaction.update(1, row, (*row[:2], "someone else", row[3]))
    await engine.commit(transaction)
    assert await engine.checkpoint(everything=True)
    after = engine.state.tables[1].base
    assert after is not None
    assert len(set(before.pages) - set(after.pages)) == 1
    # The name has left one bucket and come into another; the age is as it was.
    assert len(set(before.indexes[2].pages) - set(after.indexes[2].pages)) in (1, 2)
    assert before.indexes[3] == after.indexes[3]
    assert await look_up(engine.begin(), 2, (row[2],)) == []
    assert len(await look_up(engine.begin(), 2, ("someone else",))) == 1


async def test_few_changes_of_a_large_table_are_carried_along() -> None:
    engine = await new_engine(EngineOptions(page_size=2**14))
    await insert(engine, *[(f"{number:0200}", number) for number in range(20_000)])
    await engine.checkpoint()
    pages = engine.state.tables[1].base.pages  # type: ignore[union-attr]
    transaction = engine.begin()
    for rowid in range(1, 20_001, 1_000):
        (row,) = await look_up(transaction, None, (rowid,))
        transaction.update(1, row, (*row[:3], "changed"))
    await engine.commit(transaction)
    with Counted(engine) as asked:
        assert await engine.checkpoint()
    assert asked.count == {"post": 1, "messages": 1}
    assert engine.state.tables[1].base.pages == pages  # type: ignore[union-attr]
    engine = await reopened(engine)
    assert len(await look_up(engine.begin(), 3, ("changed",))) == 20


async def test_ranges_pass_pages_by() -> None:
    engine = await new_engine(EngineOptions(page_size=4_000))
    await insert(engine, *[(f"name {number}", number) for number in range(5_000)])
    await engine.close()
    engine = await reopened(engine)
    await insert(engine, ("new", 3_000))
    with Counted(engine) as asked:
        reading = engine.begin().scan(1, [Range(3, 2_990, 3_010)])
        rows = []
        while (batch := reading.next()) is not None:
            rows += batch if isinstance(batch, list) else await batch.fetch() or []
    assert {row[3] for row in rows} >= set(range(2_990, 3_011))
    assert any(row[2] == "new" for row in rows)
    assert asked.downloads <= 2


async def test_a_dropped_table_leaves_the_manifest() -> None:
    engine = await new_engine()
    await insert(engine, ("Ada", 1))
    await engine.checkpoint()
    transaction = engine.begin()
    transaction.set_catalog(transaction.catalog.without_table("users"))
    await engine.commit(transaction)
    await engine.checkpoint()
    assert engine.adopted is not None
    assert not engine.adopted.manifest.tables
    assert engine.adopted.manifest.retired[0].channels


async def test_values_of_all_kinds_survive_a_checkpoint() -> None:
    from test_codec import EDGES, assert_same_rows

    engine = await new_engine(EngineOptions(page_size=500))
    await insert(engine, *[(f"edge {number}", value) for number, value in enumerate(EDGES)])
    expected = await scan(engine.begin())
    await engine.checkpoint(everything=True)
    engine = await reopened(engine)
    assert_same_rows(expected, await scan(engine.begin()))
    for rowid, value in enumerate(EDGES, 1):
        found = await look_up(engine.begin(), 3, (value,))
        assert (value is None and not found) or any(row[0] == rowid for row in found), value


async def test_columns_may_come_and_go_over_pages() -> None:
    engine = await new_engine(EngineOptions(page_size=2_000))
    await insert(engine, *some_rows(500))
    await engine.checkpoint()
    transaction = engine.begin()
    users = transaction.catalog.table("users")
    column = USERS.columns[2]
    kept = (users.columns[0], users.columns[1])
    added = type(column)(4, "city", column.type, fill="Paris")
    indexes = (users.indexes[0], Index(5, "city", (2,), unique=False, collations=("BINARY",)))
    transaction.set_catalog(transaction.catalog.with_table(users.replace(columns=(*kept, added), indexes=indexes)))
    transaction.insert(1, (1_000, 1_000, "new", "Rome"))
    assert len(await look_up(transaction, 5, ("Paris",))) == 500
    await engine.commit(transaction)
    for _ in range(2):
        assert (await scan(engine.begin()))[0] == (1, 1, "name 0", "Paris")
        assert len(await look_up(engine.begin(), 5, ("Paris",))) == 500
        assert len(await look_up(engine.begin(), 5, ("Rome",))) == 1
        assert await engine.checkpoint(everything=True)
    assert 5 in engine.state.tables[1].base.indexes  # type: ignore[union-attr]


# Together with others ----------------------------------------------------------------------------------------------


async def test_commits_and_reads_go_on_during_a_checkpoint() -> None:
    engine = await new_engine(EngineOptions(page_size=2_000, checkpoint_entries=10**9, checkpoint_bytes=10**12))
    await insert(engine, *some_rows(2_000))
    checkpoint = asyncio.ensure_future(engine.checkpoint())
    committed = 0
    while not checkpoint.done():
        await insert(engine, (f"meanwhile {committed}", committed))
        committed += 1
        assert len(await look_up(engine.begin(), 2, ("name 77",))) == 1
    assert await checkpoint
    assert committed > 3
    assert len(await scan(engine.begin())) == 2_000 + committed
    engine = await reopened(engine)
    assert len(await scan(engine.begin())) == 2_000 + committed


async def test_another_process_takes_over_the_pages() -> None:
    engine = await new_engine(EngineOptions(page_size=2_000))
    other = await reopened(engine)
    await insert(engine, *some_rows(2_000))
    await other.refresh()
    snapshot = other.begin()
    await engine.checkpoint()
    await insert(engine, ("later", 1))
    await other.refresh()
    assert other.state.tables[1].base is not None
    assert len(await scan(other.begin())) == 2_001
    assert len(await scan(snapshot)) == 2_000
    await insert(other, ("from the other", 1))
    await engine.refresh()
    assert len(await look_up(engine.begin(), 2, ("from the other",))) == 1


async def test_two_checkpoints_at_once_leave_one() -> None:
    engine = await new_engine(EngineOptions(page_size=2_000))
    await insert(engine, *some_rows(1_000))
    other = await reopened(engine)
    results = await asyncio.gather(engine.checkpoint(), other.checkpoint())
    assert sorted(results) == [False, True]
    for each in (engine, other, await reopened(engine)):
        await each.refresh()
        assert len(await scan(each.begin())) == 1_000


async def test_a_small_cache_bounds_memory() -> None:
    engine = await new_engine(EngineOptions(page_size=4_000, cache_size=2**18))
    await insert(engine, *some_rows(5_000))
    await engine.checkpoint(everything=True)
    for number in range(0, 5_000, 500):
        assert len(await look_up(engine.begin(), 2, (f"name {number}",))) == 1
    assert len(await scan(engine.begin())) == 5_000
    assert 0 < engine.pages.cache.used <= 2**18


async def test_channels_are_shared_where_no_more_can_be_made() -> None:
    guild = LocalGuild.memory(clock=SteppedClock(), habits=Habits(channels=3))
    engine = await new_engine(EngineOptions(page_size=2_000), guild)
    await create(engine, USERS.replace(id=10, name="second", indexes=()))
    await insert(engine, *some_rows(1_000))
    await insert(engine, ("x", 1), table=10)
    assert await engine.checkpoint(everything=True)
    engine = await reopened(engine)
    assert len(await look_up(engine.begin(), 2, ("name 500",))) == 1
    assert len(await scan(engine.begin(), 10)) == 1


async def test_without_any_channel_the_log_has_everything() -> None:
    guild = LocalGuild.memory(clock=SteppedClock(), habits=Habits(channels=2))
    engine = await new_engine(EngineOptions(page_size=2_000), guild)
    await insert(engine, *some_rows(1_000))
    assert await engine.checkpoint(everything=True)
    engine = await reopened(engine)
    assert len(await look_up(engine.begin(), 2, ("name 500",))) == 1


async def test_channels_of_a_checkpoint_that_failed_are_taken_again() -> None:
    options = EngineOptions(page_size=2_000, checkpoint_entries=10**9, checkpoint_bytes=10**12)
    engine = await new_engine(options)
    await insert(engine, *some_rows(1_000))
    other = await reopened(engine, options)
    await asyncio.gather(engine.checkpoint(), other.checkpoint())
    names = [channel.name for channel in await engine.guild.channels()]
    assert names.count("users_name") == 2
    # The loser's channels serve the next table of that name.
    again = await reopened(engine, options)
    transaction = again.begin()
    catalog = transaction.catalog.without_table("users")
    transaction.set_catalog(catalog.with_table(USERS.replace(id=10, indexes=(replace(USERS.indexes[0], id=11),))))
    for number in range(1_000):
        add(transaction, f"name {number}", number, table=10)
    await again.commit(transaction)
    assert await again.checkpoint()
    assert len(await again.guild.channels()) == len(names)


# Damage ------------------------------------------------------------------------------------------------------------


async def test_a_damaged_page_is_named() -> None:
    engine = await new_engine(EngineOptions(page_size=2_000, cache_size=0))
    await insert(engine, *some_rows(1_000))
    await engine.checkpoint()
    guild = engine.guild
    assert isinstance(guild, LocalGuild)
    page = engine.state.tables[1].base.pages[0]  # type: ignore[union-attr]
    await guild.delete_message(page.place.channel, page.place.message)
    with pytest.raises(DatabaseCorruptionError, match=f"message {page.place.message} of channel {page.place.channel}"):
        await scan((await reopened(engine)).begin())


async def test_urls_that_have_expired_are_asked_for_again() -> None:
    clock = SteppedClock()
    engine = await new_engine(EngineOptions(page_size=2_000, cache_size=0), LocalGuild.memory(clock=clock))
    await insert(engine, *some_rows(300))
    await engine.checkpoint()
    assert len(await scan(engine.begin())) == 300
    clock.advance(2 * 86_400)
    assert len(await scan(engine.begin())) == 300
    assert len(await look_up(engine.begin(), 2, ("name 7",))) == 1


async def test_a_snapshot_whose_pages_are_gone_is_to_begin_again() -> None:
    clock = SteppedClock()
    options = EngineOptions(page_size=2_000, cache_size=0, checkpoint_entries=10**9)
    engine = await new_engine(options, LocalGuild.memory(clock=clock))
    await insert(engine, *some_rows(300))
    await engine.checkpoint()
    snapshot = engine.begin()
    for _ in range(2):
        transaction = engine.begin()
        for row in await scan(transaction):
            transaction.update(1, row, (*row[:3], "changed"))
        await engine.commit(transaction)
        await engine.checkpoint(everything=True)
        clock.advance(3_700)
    await engine.vacuum()
    with pytest.raises(SerializationError, match="pages of this snapshot have been removed"):
        await scan(snapshot)
    assert len(await look_up(engine.begin(), 3, ("changed",))) == 300


# VACUUM ------------------------------------------------------------------------------------------------------------


async def messages_by_channel(engine: Engine) -> dict[str, int]:
    guild = engine.guild
    channels = [channel for channel in await guild.channels() if not channel.is_category]
    return {channel.name: len(await guild.messages(channel.id)) for channel in channels}


async def test_vacuum_removes_what_nobody_can_need() -> None:
    clock = SteppedClock()
    options = EngineOptions(page_size=2_000, checkpoint_entries=10**9)
    engine = await new_engine(options, LocalGuild.memory(clock=clock))
    await create(engine, USERS.replace(id=20, name="dropped", indexes=()))
    await insert(engine, *some_rows(300))
    await insert(engine, ("x", 1), table=20)
    await engine.checkpoint(everything=True)
    kept = await messages_by_channel(engine)
    transaction = engine.begin()
    transaction.set_catalog(transaction.catalog.without_table("dropped"))
    for row in await scan(transaction):
        transaction.update(1, row, (*row[:2], f"new {row[2]}", row[3]))
    await engine.commit(transaction)
    await engine.checkpoint(everything=True)
    grown = await messages_by_channel(engine)
    assert grown["users"] > kept["users"] and "dropped" in grown
    await engine.vacuum()
    assert await messages_by_channel(engine) == grown, "somebody may still read what is younger than an hour"
    clock.advance(3_700)
    told: list[tuple[str, int]] = []
    removed = await engine.vacuum(lambda kind, count: told.append((kind, count)))
    assert removed.channels == 1 and removed.pages == told[-1][1]
    after = await messages_by_channel(engine)
    assert after["users"] == kept["users"] and "dropped" not in after
    await insert(engine, ("later", 1))
    await engine.checkpoint()
    clock.advance(3_700)
    removed = await engine.vacuum()
    assert removed.entries > 1
    again = await reopened(engine)
    assert len(await scan(again.begin())) == 301
    assert (await again.vacuum()).entries <= 1


async def test_vacuum_removes_messages_of_any_age() -> None:
    clock = SteppedClock()
    engine = await new_engine(EngineOptions(checkpoint_entries=10**9), LocalGuild.memory(clock=clock))
    for number in range(150):
        await insert(engine, (f"name {number}", number))
        if number == 100:
            clock.advance(15 * 86_400)
    for _ in range(2):
        await insert(engine, ("more", 1))
        await engine.checkpoint()
        clock.advance(3_700)
    with Counted(engine) as asked:
        removed = await engine.vacuum()
    assert removed.entries >= 150
    assert asked.count["delete_messages"] == 1 and asked.count["delete_message"] >= 100


# Pauses ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize("count", [50_000, pytest.param(10**6, marks=pytest.mark.campaign)])
async def test_reads_and_commits_go_on_during_a_checkpoint_of_any_size(count: int, in_order: bool) -> None:
    engine = await new_engine()
    rowids = list(range(1, count + 1))
    if not in_order:
        Random(count).shuffle(rowids)
    transaction = engine.begin()
    for rowid in rowids:
        transaction.insert(1, (rowid, rowid, f"name {rowid}", rowid % 97))
    await engine.commit(transaction)
    assert len(await look_up(engine.begin(), 2, ("name 5",))) == 1
    # The pauses of Python's own collector depend on what else is in memory.
    gc.collect()
    gc.freeze()
    checkpoint = asyncio.ensure_future(engine.checkpoint())
    commits = asyncio.ensure_future(commit_until(checkpoint, engine, count))
    worst = 0.0
    try:
        while not checkpoint.done():
            # The processor time of all threads of this process, which others on the machine do not take from.
            before = time.process_time()
            await asyncio.sleep(0)
            worst = max(worst, time.process_time() - before)
    finally:
        gc.unfreeze()
    assert await checkpoint
    done = await commits
    assert done >= 10
    assert worst < 0.05
    assert len(await look_up(engine.begin(), 3, ("changed",))) == done


async def commit_until(checkpoint: "asyncio.Future[bool]", engine: Engine, count: int) -> int:
    """Commit a change and look it up, over and over while a checkpoint is being made; return how often."""
    number = 0
    while not checkpoint.done():
        transaction = engine.begin()
        rowid = 1 + number * 7919 % count
        (row,) = await look_up(transaction, None, (rowid,))
        transaction.update(1, row, (*row[:3], "changed"))
        await engine.commit(transaction)
        assert await look_up(engine.begin(), 2, (f"name {rowid}",)) == [(*row[:3], "changed")]
        number += 1
        await asyncio.sleep(0)
    return number
