"""Counting what a bot asks of Discord, at the place where discord.py would send it.

Both libraries run on the real discord.py over the same simulated server. Each request takes its time on a virtual
clock: it waits for its bucket as `discosql.storage.ratelimit` models it, and then takes 0.1 s. Requests that are under
way together overlap. Editing a message has a bucket of its own, five in five seconds for each channel, as bots have
measured it.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from unittest.mock import patch

from simcord.http.client import FakeHTTPClient
from stepped_clock import SteppedClock

from discosql.storage.ratelimit import RateModel

KINDS: Final = (
    ("POST", r"/channels/(\d+)/messages", "post"),
    ("GET", r"/channels/(\d+)/messages", "messages"),
    ("GET", r"/channels/(\d+)/messages/\d+", "message"),
    ("PATCH", r"/channels/(\d+)/messages/\d+", "edit"),
    ("DELETE", r"/channels/(\d+)/messages/\d+", "delete_message"),
    ("POST", r"/channels/(\d+)/messages/bulk-delete", "delete_messages"),
)
"""Requests by method and path, and the kind whose bucket they use; the first group is the channel."""

BORROWED: Final = {"edit": ("post", -1)}
"""Kinds that the model does not have: whose limit they share, and what keeps their buckets apart."""

OTHER: Final = "other"


@dataclass(frozen=True)
class Cost:
    """What a step asked for: requests by kind, and the seconds that it would take on Discord."""

    count: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def requests(self) -> int:
        """All requests, downloads of files included."""
        return self.count.total()

    def shared_by(self, number: int) -> tuple[float, float]:
        """Return requests and seconds for one of that many equal pieces of work."""
        return self.requests / number, self.seconds / number


class Meter:
    """Watches discord.py's HTTP client; the clock moves as requests take their time."""

    def __init__(self) -> None:
        self.clock = SteppedClock()
        self._model = RateModel(self.clock.monotonic)
        self._count: Counter[str] = Counter()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count all requests until the end of the block."""
        asked, downloaded = FakeHTTPClient.request, FakeHTTPClient.get_from_cdn

        async def request(client: FakeHTTPClient, route: Any, **given: Any) -> Any:
            kind, channel = kind_of(route.method, route.url)
            return await self._timed(kind, channel, lambda: asked(client, route, **given))

        async def get_from_cdn(client: FakeHTTPClient, url: str) -> bytes:
            return await self._timed("download", 0, lambda: downloaded(client, url))

        with (
            patch.object(FakeHTTPClient, "request", request),
            patch.object(FakeHTTPClient, "get_from_cdn", get_from_cdn),
        ):
            yield

    async def _timed(self, kind: str, channel: int, send: Callable[[], Awaitable[Any]]) -> Any:
        self._count[kind] += 1
        limit, sign = BORROWED.get(kind, (kind, 1))
        end = self._model.begin(limit, sign * channel)
        await asyncio.sleep(0)  # others start theirs meanwhile
        try:
            return await send()
        finally:
            self.clock.advance(max(0.0, end - self.clock.monotonic()))

    async def cost(self, work: Awaitable[Any]) -> Cost:
        """Do the work; return what it asked for. Its errors pass."""
        count, started = self._count.copy(), self.clock.monotonic()
        await work
        return Cost(self._count - count, self.clock.monotonic() - started)


def kind_of(method: str, url: str) -> tuple[str, int]:
    """Return a request's kind and its channel."""
    path = re.sub(r".*/api/v\d+", "", url.partition("?")[0])
    for wanted, pattern, kind in KINDS:
        match = re.fullmatch(pattern, path)
        if wanted == method and match is not None:
            return kind, int(match[1])
    return OTHER, 0
