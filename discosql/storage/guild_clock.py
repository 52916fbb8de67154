"""The clocks that guilds live by; simulations and tests give them others."""

import asyncio
import time


class Clock:
    """The machine's clocks: `now` is that of a local guild's server, `monotonic` and `sleep` are the client's."""

    def now(self) -> float:
        """Return the seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Return the seconds of a clock that is never set back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
