"""A clock that only moves when it is told to, or when somebody sleeps by it."""

import asyncio

from discosql.storage.guild_clock import Clock

START = 1_780_000_000.0
"""A moment in 2026, so that ids look as they do."""


class SteppedClock(Clock):
    """The server's clock and the client's move together; a sleep is over at once, with the clock moved on."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def now(self) -> float:
        return START + self.elapsed

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self.elapsed += seconds
