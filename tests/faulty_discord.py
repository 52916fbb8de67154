"""A Discord on this machine where every few requests go wrong; a program, run by test_many_processes.

Prints the address at which it answers, and runs until it is killed.
"""

import asyncio
import random
import time

from guilds import NAME
from loopback import Fault, LoopbackDiscord, rate_limited
from stepped_clock import SteppedClock

PEACEFUL = 20
"""Requests before the first fault: time to make the tables."""


class WallClock(SteppedClock):
    """The real time, where a test's clock is asked for."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def some_fault(chance: random.Random) -> Fault:
    """Return one of the ways in which a request to Discord fails."""
    return chance.choice(
        [
            Fault(502),
            Fault(503),
            Fault(500, done=True, method="POST"),
            Fault(drop=True),
            Fault(drop=True, done=True, method="POST"),
            Fault(cut=True, done=True),
            Fault(delay=chance.uniform(0.2, 2.0), path="/api/"),
            rate_limited(chance.uniform(0.1, 1.0)),
        ]
    )


async def main() -> None:
    chance = random.Random(7)
    async with LoopbackDiscord(WallClock()).running() as server:
        server.backend.create_guild(NAME)
        print(server.shim.base_url.removesuffix("/cdn"), flush=True)
        while True:
            await asyncio.sleep(chance.uniform(0.3, 1.5))
            if len(server.requests) > PEACEFUL and len(server.faults) < 3:
                server.faults.append(some_fault(chance))


if __name__ == "__main__":
    asyncio.run(main())
