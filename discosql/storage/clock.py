"""What time it is at the server, at least."""

from typing import Final

from discosql.storage.guild import Guild, Stamp, id_time

DRIFT: Final = 2e-4
"""The share by which the local clock may run fast or slow."""

DATE_AGE: Final = 1.2
"""Seconds by which a stamp may be older than the moment of the answer that brought it."""

_ROUNDING: Final = 1e-3
"""Seconds that make up for what is lost in calculating with moments since 1970."""


class ServerClock:
    """A lower bound of the server's clock: the best known stamp and the local time that went by since."""

    def __init__(self, guild: Guild) -> None:
        self._guild = guild
        self._best: Stamp | None = None

    def lower_bound(self) -> float:
        """Return a moment (seconds since 1970) that the server's clock has reached for certain."""
        stamp = self._guild.stamp()
        if stamp is not None:
            self._take(stamp)
        if self._best is None:
            return 0.0
        return self._best.server + (self._guild.monotonic() - self._best.local) * (1 - DRIFT)

    def until(self, moment: float) -> float:
        """Return the local seconds after which `lower_bound` will have reached a moment; less than 0 if it has.

        0 as long as nothing has told the time: the next answer may.
        """
        now = self.lower_bound()
        return (moment - now) / (1 - DRIFT) + _ROUNDING if self._best is not None else 0.0

    def observe(self, message: int) -> None:
        """Take the id of a message that was just received as a stamp."""
        self._take(Stamp(id_time(message), self._guild.monotonic()))

    def upper_bound(self, since: float) -> float | None:
        """Return a moment not yet passed; None if no answer that tells the time came since a local moment."""
        stamp = self._guild.heard()
        if stamp is None or stamp.local < since:
            return None
        return stamp.server + (self._guild.monotonic() - stamp.local) * (1 + DRIFT) + DATE_AGE

    def _take(self, stamp: Stamp) -> None:
        best = self._best
        if best is None or stamp.server > best.server + (stamp.local - best.local) * (1 - DRIFT):
            self._best = stamp
