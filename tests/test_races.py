"""Faults that simulations have found, each by itself."""

import asyncio
import json

import pytest
from faults import Fault, FaultyGuild, never, on
from stepped_clock import SteppedClock
from tables import create, insert, scan

from discosql.errors import UnavailableError
from discosql.storage.engine import Engine, EngineOptions, open_engine
from discosql.storage.guild import Channel
from discosql.storage.local import LocalGuild
from discosql.storage.local_store import Habits
from discosql.storage.posting import TOPIC

PAGED = EngineOptions(page_size=1_000, cache_size=0, checkpoint_entries=10**9)


async def with_spare_channel(clock: SteppedClock, age: float) -> tuple[LocalGuild, Channel]:
    """Return a guild with a channel for pages that an attempt has left so long ago."""
    guild = LocalGuild.memory(clock=clock)
    engine = await open_engine(guild.peer())
    await create(engine)
    await insert(engine, ("Ada", 1))
    assert engine.channel.category is not None
    spare = await guild.create_channel("users", engine.channel.category, TOPIC)
    clock.advance(age)
    return guild, spare


async def channel_of_users(guild: LocalGuild) -> tuple[int, int]:
    """Make a checkpoint; return the channel of the table, and the oldest thing that its entry admits to need."""
    engine = await open_engine(guild.peer(), options=PAGED)
    assert await engine.checkpoint(everything=True)
    base = engine.state.tables[1].base
    assert base is not None
    newest = (await guild.messages(engine.channel.id, limit=1))[0]
    return base.channel, json.loads(newest.content.split("```json\n")[1].split("\n```")[0])["old"]


async def test_a_channel_that_was_left_lately_is_taken_again() -> None:
    guild, spare = await with_spare_channel(SteppedClock(), 600)
    assert await channel_of_users(guild) == (spare.id, spare.id)


async def test_a_channel_that_vacuum_may_remove_is_left_alone() -> None:
    guild, spare = await with_spare_channel(SteppedClock(), 3_590)
    channel, oldest = await channel_of_users(guild)
    assert channel == oldest > spare.id


async def test_a_hint_outlives_a_reading_that_failed() -> None:
    guild = LocalGuild.memory(clock=SteppedClock())
    other = await open_engine(guild.peer())
    await create(other)
    faulty = FaultyGuild(guild.peer())
    engine = await open_engine(faulty)
    await insert(other, ("Ada", 1))
    assert engine.is_stale(1.0)
    faulty.plan = on("messages", Fault.LOST, times=4)
    with pytest.raises(UnavailableError):
        await engine.refresh()
    faulty.plan = never
    assert engine.is_stale(1.0)
    await engine.refresh()
    assert not engine.is_stale(1.0)
    assert len(await scan(engine.begin())) == 1


async def test_pages_of_one_message_are_found_again_together() -> None:
    """Their addresses expire at the same moment, and one request brings new ones for all."""
    clock = SteppedClock()
    guild = LocalGuild.memory(clock=clock, habits=Habits())
    engine = await open_engine(guild.peer(), options=PAGED)
    await create(engine)
    await insert(engine, *[(f"{number:050}", number) for number in range(200)])
    assert await engine.checkpoint(everything=True)
    base = engine.state.tables[1].base
    assert base is not None
    assert len({page.place.message for page in base.pages}) < len(base.pages)
    clock.advance(2 * 86_400)
    before = engine.requests.copy()
    assert len(await scan(engine.begin())) == 200
    assert engine.requests.since(before).count["message"] <= len({page.place.message for page in base.pages})


async def test_readings_are_shared() -> None:
    """Who asks while the log is being read waits for the next reading, and for no other."""
    guild = LocalGuild.memory()
    engine: Engine = await open_engine(guild.peer())
    await create(engine)
    before = engine.requests.copy()
    await asyncio.gather(*[engine.refresh() for _ in range(100)])
    assert engine.requests.since(before).count["messages"] <= 2
