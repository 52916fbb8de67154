"""A model of Discord's rate limits: how long a sequence of requests would take there.

Discord documents no limits and changes them; the figures are those that bots measure. Since 2022 most buckets are
leaky: a bucket of n per s seconds lets n requests through at once, and then one every s/n seconds. The model counts
that way (as the generic cell rate algorithm does) on a virtual clock, which is the local clock plus all the time that
requests would have taken on Discord and did not take here. A pause of the program fills the buckets again, as it would
there.

Requests in flight together overlap. A request is taken to start when it was issued, and the clock moves to a request's
end when it returns; where several chains of requests run side by side and one of them had to wait, the others are
counted from the end of that wait, so the model errs towards too long.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from types import MappingProxyType
from typing import Final

LATENCY: Final = 0.1
"""Seconds from a request's start to its answer, as seen from a host near Discord's."""

FORTNIGHT: Final = 14 * 86_400.0
"""The age in seconds from which messages cannot be deleted in bulk and single deletes have a bucket of their own."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket: `number` requests at once, refilled at the rate of `number` in `seconds`."""

    number: int
    seconds: float

    @property
    def interval(self) -> float:
        """The seconds in which one more request is let through."""
        return self.seconds / self.number


GLOBAL: Final = Limit(50, 1.0)  # documented: 50 requests a second for each bot, over all routes

# By kind of request (the names of Guild's methods), each counted for one channel apart.
LIMITS: Final[Mapping[str, Limit]] = MappingProxyType(
    {
        "post": Limit(5, 5.0),  # POST /channels/{c}/messages; measured by Javacord and many bots
        "messages": Limit(5, 5.0),  # GET /channels/{c}/messages; measured by hata
        "message": Limit(5, 5.0),  # GET /channels/{c}/messages/{m}; measured by hata
        "delete_message": Limit(3, 1.0),  # DELETE of a message; measured by hata and eris
        "delete_message_old": Limit(30, 120.0),  # the same beyond 14 days; measured by hata and eris
        "delete_messages": Limit(1, 3.0),  # POST …/messages/bulk-delete; measured by hata
    }
)
# No bucket is known for channel lists, creation and deletion (a cap of 500 creations a day is claimed), and downloads
# come from the CDN, which has no limit that matters.

# How far ahead of "now" a bucket's moment of being full may lie for a request to pass, and what a request adds to it.
_TERMS: Final = {kind: (limit.seconds - limit.interval, limit.interval) for kind, limit in LIMITS.items()}
_GLOBAL_INTERVAL: Final = GLOBAL.interval
_GLOBAL_SLACK: Final = GLOBAL.seconds - _GLOBAL_INTERVAL


class RateModel:
    """Turns requests into the seconds they would take on Discord.

    `begin` is called when a request is issued and `finish` when it has returned. `charge` does both for one that
    nothing overlaps.
    """

    __slots__ = (
        "_all_full_again",
        "_busy_since",
        "_clock",
        "_full_again",
        "_in_flight",
        "_skipped",
        "latency",
        "seconds",
    )

    def __init__(self, clock: Callable[[], float] = monotonic, *, latency: float = LATENCY) -> None:
        self.latency = latency
        self.seconds = 0.0
        """The time so far in which at least one request was in flight."""
        self._clock = clock
        self._skipped = 0.0  # what the virtual clock is ahead of the local one
        self._in_flight = 0
        self._busy_since = 0.0
        self._all_full_again = 0.0  # when the global bucket is full
        self._full_again: dict[tuple[str, int], float] = {}  # the same by kind and channel

    def begin(self, kind: str, channel: int = 0, age: float = 0.0) -> float:
        """Return when a request issued now ends, by the virtual clock. `age` is that of the message it deletes."""
        now = start = self._clock() + self._skipped
        if not self._in_flight:
            self._busy_since = now
        self._in_flight += 1
        if kind == "download":
            return now + self.latency
        if kind == "delete_message" and age > FORTNIGHT:
            kind = "delete_message_old"
        if self._all_full_again - _GLOBAL_SLACK > start:
            start = self._all_full_again - _GLOBAL_SLACK
        terms = _TERMS.get(kind)
        if terms is not None:
            slack, interval = terms
            full_again = self._full_again.get((kind, channel), 0.0)
            if full_again - slack > start:
                start = full_again - slack
            self._full_again[kind, channel] = (full_again if full_again > start else start) + interval
        self._all_full_again = max(self._all_full_again, start) + _GLOBAL_INTERVAL
        return start + self.latency

    def finish(self, end: float) -> None:
        """Note that the request for which `begin` returned `end` has returned."""
        now = self._clock() + self._skipped
        if end > now:
            self._skipped += end - now
            now = end
        self._in_flight -= 1
        if not self._in_flight:
            self.seconds += now - self._busy_since

    def charge(self, kind: str, channel: int = 0, age: float = 0.0) -> None:
        """Count one request that starts when all before it have ended."""
        self.finish(self.begin(kind, channel, age))
