"""Cases of two who write at once: they are too rare in random runs.

A scene raises when something went wrong that its rule prevents; D1 to D15 are the numbers in the protocol.
"""

import asyncio
from dataclasses import replace
from typing import Any

from tables import scan

from discosql.errors import DatabaseCorruptionError, OperationalError
from simulation.clients import Program
from simulation.history import Attempt
from simulation.scene import CALM, Scene, before, entries, lose, sleeping, start, write
from simulation.server import Weather


async def child_below_its_parent() -> None:
    """D1: an id may be lower than that of the message it follows."""
    scene = Scene()
    await scene.set_up()
    owner = await scene.owner()
    reader = await scene.enter("reader")
    scene.server.skews = [0.0, 0.2]
    writing = start(write(owner))
    await asyncio.sleep(0.03)
    reading = asyncio.ensure_future(reader.refresh())
    await writing
    await write(owner)
    await reading
    one, two = entries(scene)[-2:]
    assert two.id < one.id
    assert reader.engine.log.head.message == one.id
    await reader.refresh(latest=True)
    await scene.finish()


async def rival_between_two_pages() -> None:
    """D2: a rival becomes visible after the page it belongs to was read, and before the owner's own entry was."""
    scene = Scene()
    await scene.set_up()
    owner, rival = await scene.owner(), await scene.enter("rival")
    await rival.refresh()
    scene.server.lags = [0.8]
    losing = start(write(rival))
    await asyncio.sleep(0.1)
    scene.server.lags = []
    for number in range(150):
        scene.server.post(scene.server.log.id, f"filler {number}", (), None)
    owner.process.before = before("messages", sleeping(1.4), nth=2)
    reading = asyncio.ensure_future(owner.refresh())
    await asyncio.sleep(1.1)
    await write(owner)
    await reading
    await losing
    await scene.finish()


async def unknown_entry_lands_late() -> None:
    """D3: an entry without an answer becomes visible after the owner's next one, with a lower id."""
    scene = Scene()
    await scene.set_up()
    owner = await scene.owner()
    owner.process.before = before("post", lose, times=4)
    first = await write(owner)
    assert first.outcome == "unknown"
    (*_, text) = [detail for _, _, what, detail in scene.history.events if what == "posts"]
    owner.process.before = None
    scene.server.lags = [0.8]
    scene.server.post(scene.server.log.id, text, (), None)
    scene.server.lags = []
    assert (await write(owner)).outcome == "acknowledged"
    await scene.finish()
    assert first.told is True


async def answer_of_a_loser() -> None:
    """D6: whose POST was answered may still lose to the owner."""
    scene = Scene()
    await scene.set_up()
    owner, rival = await scene.owner(), await scene.enter("rival")
    losing = start(write(rival))
    await asyncio.sleep(0.5)
    assert (await write(owner)).outcome == "acknowledged"
    await losing
    await scene.finish()


async def two_start_at_once() -> None:
    """D7: two that own nothing post for the same slot, and see their own entry first."""
    scene = Scene()
    await scene.set_up()
    programs = [await scene.enter("one"), await scene.enter("two")]
    scene.server.lags = [0.8, 0.0]
    first = start(write(programs[0]))
    await asyncio.sleep(0.01)
    await write(programs[1])
    await first
    await scene.finish()


async def opened_among_young_candidates() -> None:
    """D10: of two candidates of the last slot only the one that loses can be seen when a process opens."""
    scene = Scene()
    await scene.set_up()
    await scene.owner("idle")
    one, two = await scene.enter("one"), await scene.enter("two")
    scene.server.lags = [0.8, 0.0]
    writing = [start(write(program)) for program in (one, two)]
    await asyncio.sleep(0.15)
    fresh = await scene.enter("fresh")
    fresh.see(fresh.engine.head, "journal", await scan(fresh.engine.begin(), 1))
    await asyncio.gather(*writing)
    await scene.finish()


async def keys_conflict_after_a_lost_slot() -> None:
    """D12: what lost its slot does not fit any more after what has won it."""
    scene = Scene()
    await scene.set_up()
    programs = [await scene.enter("one"), await scene.enter("two")]
    attempts = await asyncio.gather(*[write(program, "count_up") for program in programs])
    assert sorted(attempt.outcome for attempt in attempts) == ["acknowledged", "refused"]
    await scene.finish()


async def write_skew() -> None:
    """D13: each of two transactions reads what the other changes."""
    scene = Scene()
    await scene.set_up()
    programs = [await scene.enter("one"), await scene.enter("two")]

    async def swap(program: Program, own: int, others: int) -> Attempt:
        async def work(transaction: Any, attempt: Attempt) -> None:
            row = await program.read(transaction, attempt, own)
            await program.read(transaction, attempt, others)
            transaction.update(10, row, (*row[:3], 0))

        return await program.attempt(f"{program.process.name}.skew", work)

    await asyncio.gather(swap(programs[0], 1, 2), swap(programs[1], 2, 1))
    await scene.finish()


async def nonce_of_a_deleted_message() -> None:
    """D14: a copy of an entry is deleted before its POST is repeated, and the answer is 404; another copy is there."""
    scene = Scene()
    await scene.set_up()
    owner = await scene.owner()
    scene.server.weather = Weather(latency=(0.02, 0.02), skew=0.0, lag=0.0, unanswered=1.0, expiry=1e9)
    writing = start(write(owner))
    while len(posted := [each for each in entries(scene) if f"{owner.process.name}.2" in each.content]) < 1:
        await asyncio.sleep(0.01)
    scene.server.weather = Weather(latency=(0.02, 0.02), skew=0.0, lag=0.0, expiry=1e9)
    scene.server.post(posted[0].channel, posted[0].content, (), None)
    scene.server.delete(posted[0].channel, posted[0].id)
    assert (await writing).outcome == "acknowledged"
    await scene.finish()


async def parent_deleted() -> None:
    """D15: an administrator deletes an entry that others follow."""
    scene = Scene(damages=1.0)
    await scene.set_up()
    owner = await scene.owner()
    for _ in range(3):
        await write(owner)
        await asyncio.sleep(2)
    await asyncio.sleep(20)
    log = entries(scene)
    scene.server.delete(log[-2].channel, log[-2].id)
    try:
        fresh = await scene.open("fresh")
        await fresh.engine.refresh(latest=True)
    except DatabaseCorruptionError as error:
        assert f"slot {len(log) - 1} of the log is missing" in str(error)
    else:
        raise AssertionError("nobody noticed")


async def running_engine_loses_its_head() -> None:
    """12: the newest entry is deleted under those who have read it."""
    scene = Scene(damages=1.0)
    await scene.set_up()
    owner, other = await scene.owner(), await scene.enter("other")
    log = entries(scene)
    scene.server.delete(log[-1].channel, log[-1].id)
    for program in (owner, other):
        try:
            await program.engine.refresh(latest=True)
        except DatabaseCorruptionError:
            continue
        raise AssertionError("nobody noticed")


async def reads_lag_more_than_assumed() -> None:
    """12: a rival shows three seconds late, and changes what was decided."""
    scene = Scene()
    await scene.set_up()
    programs = [await scene.enter("one"), await scene.enter("two")]
    scene.server.lags = [4.0, 0.0]
    first = start(write(programs[0]))
    await asyncio.sleep(0.3)
    second = await write(programs[1])
    assert second.outcome == "acknowledged"
    try:
        await asyncio.sleep(1)
        await programs[1].engine.refresh(latest=True)
        await programs[1].engine.refresh(latest=True)
    except OperationalError as error:
        assert "commits that were acknowledged have been lost" in str(error)
        assert programs[1].engine.log.timing.visibility > 1.0
    else:
        raise AssertionError("nobody noticed")
    await first


async def settling_time_of_the_owner() -> None:
    """2: the owner's entry wins though it came after another's, while that is not yet visible to it."""
    scene = Scene()
    await scene.set_up()
    owner, rival = await scene.owner(), await scene.enter("rival")
    await rival.refresh()
    scene.server.lags = [0.8, 0.0]
    losing = start(write(rival))
    await asyncio.sleep(0.5)
    assert (await write(owner)).outcome == "acknowledged"
    await losing
    await scene.finish()


async def owner_shows_late() -> None:
    """4b: the owner's entry comes just in time, and shows as late as it may."""
    scene = Scene()
    await scene.set_up()
    owner, rival = await scene.owner(), await scene.enter("rival")
    await rival.refresh()
    scene.server.lags = [0.0, 0.8]
    losing = start(write(rival))
    await asyncio.sleep(0.95)
    assert (await write(owner)).outcome == "acknowledged"
    await losing
    await scene.finish()


async def opened_without_dates() -> None:
    """Nothing tells the time when a process opens that has to wait for a decision."""
    scene = Scene()
    await scene.set_up()
    writer = await scene.enter("writer")
    writing = start(write(writer))
    await asyncio.sleep(0.1)
    scene.server.weather = replace(CALM, dateless=1.0)
    opening = asyncio.ensure_future(scene.enter("fresh"))
    await asyncio.wait({opening}, timeout=60)
    assert opening.done()
    await writing
    await scene.finish()
