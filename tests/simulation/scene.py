"""A stage for single cases: a few processes in calm weather that do what they are told."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any, Final

from discosql.errors import NoAnswerError
from discosql.storage.guild import Message
from simulation.clients import Program, set_up
from simulation.history import Attempt
from simulation.modes import Mode
from simulation.process import Hook
from simulation.runs import Run, quick_times
from simulation.server import Weather

CALM: Final = Weather(latency=(0.02, 0.02), skew=0.0, lag=0.0, nonce=0.0, expiry=1e9)


class Scene(Run):
    """A few processes in calm weather that do what they are told."""

    def __init__(self, **mode: Any) -> None:
        super().__init__(Mode(CALM, **mode), 0, 1)
        self.server.weather = CALM

    async def set_up(self) -> None:
        first = await self.open("setup")
        await set_up(first.engine)
        await asyncio.sleep(10)

    async def enter(self, name: str) -> Program:
        """Start a process that will be asked at the end."""
        program = await self.open(name)
        program.hesitation = 0.0
        self.lives[len(self.lives)] = program
        return program

    async def owner(self, name: str = "owner") -> Program:
        """Start a process that has made the last commit."""
        program = await self.enter(name)
        await write(program)
        await asyncio.sleep(5)
        return program

    async def finish(self) -> None:
        await self.judge()


async def write(program: Program, kind: str = "write") -> Attempt:
    """Commit something; `kind` names what."""
    program.steps += 1
    return await program.attempt(f"{program.process.name}.{program.steps} {kind}", getattr(program, kind))


def start(coroutine: Awaitable[Attempt]) -> "asyncio.Future[Attempt]":
    return asyncio.ensure_future(coroutine)


def in_seconds(scene: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Play a scene with seconds for the protocol's hours."""

    @functools.wraps(scene)
    async def quickly() -> None:
        with quick_times():
            await scene()

    return quickly


def before(kind: str, act: Callable[[], Awaitable[None]], *, nth: int = 1, times: int = 1) -> Hook:
    """Return a hook that acts before the nth request of a kind, and the ones after it up to `times` in all."""
    seen = 0

    async def hook(current: str) -> None:
        nonlocal seen
        seen += current == kind
        if current == kind and nth <= seen < nth + times:
            await act()

    return hook


def sleeping(seconds: float) -> Callable[[], Awaitable[None]]:
    return lambda: asyncio.sleep(seconds)


async def lose() -> None:
    raise NoAnswerError("lost")


def entries(scene: Scene) -> list[Message]:
    """Return the messages of the log in the order in which they were posted."""
    return scene.server.shelf(scene.server.log.id).posted
