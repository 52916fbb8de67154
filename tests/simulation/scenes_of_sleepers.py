"""Cases of processes that sleep while others go on, and of what is removed meanwhile."""

import asyncio
from typing import Final

from discosql.storage.collect import Collector
from discosql.storage.guild import File
from simulation.clients import Program
from simulation.history import Attempt
from simulation.runs import QUICK_GRACE, QUICK_SEGMENT
from simulation.scene import Scene, before, entries, in_seconds, start, write
from simulation.server import Weather

MINUTES: Final = 120.0


@in_seconds
async def compactor_sleeps_between_pages_and_entry() -> None:
    """D4: pages are removed as nobody names them, and then somebody does."""
    scene = Scene(quick=True)
    await scene.set_up()
    compactor, other = await scene.owner("compactor"), await scene.enter("other")
    await write(compactor, "large")
    assert await compactor.engine.checkpoint(everything=True)
    await write(compactor, "large")

    async def freeze() -> None:
        if "CHECKPOINT" in str(scene.history.events[-1][3]):
            compactor.process.freeze(QUICK_SEGMENT + 10)

    compactor.process.before = before("post", freeze, times=99)
    checkpoint = asyncio.ensure_future(compactor.engine.checkpoint(everything=True))
    await asyncio.sleep(QUICK_SEGMENT + 5)
    assert await collect(other)
    compactor.process.before = None
    await checkpoint
    await write(compactor)
    await scene.finish()


async def collect(program: Program) -> int:
    """Remove what nobody needs by what a process has just read; return the number of messages with pages removed."""
    await program.refresh()
    assert program.engine.adopted is not None
    return (await Collector(program.engine, program.engine.adopted).collect()).pages


async def _trim_while_frozen(scene: Scene, frozen: Program, other: Program) -> Attempt:
    """Let a process sleep between validating and posting until what it lost against has been removed."""
    rounds = 4
    pause = QUICK_GRACE + 5
    frozen.process.before = before("post", lambda: _freeze(frozen, rounds * pause + 5))
    sleeping_one = start(write(frozen))
    await asyncio.sleep(2.5)
    for _ in range(rounds):
        await write(other, "large")
        await other.engine.checkpoint(everything=True)
        await asyncio.sleep(pause - 5)
        await other.engine.vacuum()
    return await sleeping_one


async def _freeze(program: Program, seconds: float) -> None:
    program.process.freeze(seconds)


@in_seconds
async def frozen_before_posting() -> None:
    """D5: the slot that an owner posts for was decided and removed while it slept."""
    scene = Scene(quick=True)
    await scene.set_up()
    other, frozen = await scene.enter("other"), await scene.owner("frozen")
    attempt = await _trim_while_frozen(scene, frozen, other)
    assert attempt.outcome == "unknown"
    await write(frozen)
    await scene.finish()


@in_seconds
async def frozen_without_dates() -> None:
    """D11: the same where answers do not tell the time."""
    scene = Scene(quick=True)
    await scene.set_up()
    other, frozen = await scene.enter("other"), await scene.owner("frozen")
    scene.server.weather = Weather(latency=(0.02, 0.02), skew=0.0, lag=0.0, nonce=0.0, expiry=1e9, dateless=1.0)
    attempt = await _trim_while_frozen(scene, frozen, other)
    assert attempt.outcome == "unknown"
    await scene.finish()


async def owner_frozen_for_minutes() -> None:
    """D8: another took over while the owner's POST was unsent."""
    scene = Scene()
    await scene.set_up()
    owner, other = await scene.owner(), await scene.enter("other")
    owner.process.before = before("post", lambda: _freeze(owner, MINUTES))
    late = start(write(owner))
    await asyncio.sleep(5)
    assert (await write(other)).outcome == "acknowledged"
    await asyncio.sleep(MINUTES)
    assert (await late).outcome == "acknowledged"
    await scene.finish()


@in_seconds
async def copy_of_an_old_entry() -> None:
    """D9: a copy of an entry comes after the log was trimmed."""
    scene = Scene(quick=True)
    await scene.set_up()
    writer = await scene.owner()
    for _ in range(3):
        await write(writer)
        await writer.engine.checkpoint(everything=True)
        await asyncio.sleep(QUICK_GRACE + 3)
    await writer.engine.vacuum()
    first = entries(scene)[0]
    assert first.id not in scene.server.shelf(scene.server.log.id).stored
    files = [File(each.name, scene.server.files[each.url]) for each in first.attachments]
    scene.server.post(first.channel, first.content, files, None)
    await asyncio.sleep(5)
    await write(writer)
    await scene.finish()


@in_seconds
async def collector_reads_and_sleeps() -> None:
    """9: pages that were posted after a collector's last reading are not judged by what it knows."""
    scene = Scene(quick=True)
    await scene.set_up()
    collector, other = await scene.owner("collector"), await scene.enter("other")
    await write(collector, "large")
    await collector.engine.checkpoint(everything=True)
    await other.refresh()
    collector.process.before = before("channels", lambda: _freeze(collector, 30))
    collecting = asyncio.ensure_future(collector.engine.vacuum())
    await asyncio.sleep(1)
    await write(other, "large")
    await write(other, "transfer")
    assert await other.engine.checkpoint(everything=True)
    await collecting
    await scene.finish()


@in_seconds
async def checkpoint_that_lost() -> None:
    """10: a checkpoint that did not win its slot names pages that are removed."""
    scene = Scene(quick=True)
    await scene.set_up()
    owner, loser = await scene.owner(), await scene.enter("loser")
    await write(owner, "large")
    assert await owner.engine.checkpoint(everything=True)
    await write(owner, "large")
    await loser.refresh()
    await _win_against_checkpoint(owner, loser)
    for _ in range(3):
        # Often enough not to open anew.
        await asyncio.sleep(QUICK_SEGMENT)
        await owner.refresh()
    assert await collect(owner)
    await scene.finish()


async def _win_against_checkpoint(owner: Program, loser: Program) -> Attempt:
    process = loser.process
    checkpoint = asyncio.ensure_future(loser.engine.checkpoint(everything=True))
    while "CHECKPOINT" not in str(process.history.events[-1][3]):
        await asyncio.sleep(0.01)
    winning = start(write(owner))
    await asyncio.sleep(0.05)
    process.die()
    await asyncio.wait({checkpoint}, timeout=1)
    return await winning


@in_seconds
async def head_removed_under_an_idle_reader() -> None:
    """Others go on from an entry that has long been the newest, and remove it before a reader looks again."""
    scene = Scene(quick=True)
    await scene.set_up()
    reader, other = await scene.enter("reader"), await scene.owner("other")
    for _ in range(4):
        await asyncio.sleep(QUICK_GRACE / 3)
        await reader.refresh()
    head = reader.engine.log.head.message
    for _ in range(2):
        await write(other)
        assert await other.engine.checkpoint(everything=True)
    await collect(other)
    assert head not in scene.server.shelf(scene.server.log.id).stored
    await write(reader)
    await scene.finish()
