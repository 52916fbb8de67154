"""Not asking again what Discord keeps refusing.

Discord shuts out an address for hours that gets 10,000 answers with status 401, 403 or 429 within ten minutes, and with
it everybody who shares the address. A program in a loop reaches that within minutes, so what is refused again and again
is refused here, and says so.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from discosql.errors import ForbiddenError, UnavailableError

WINDOW: Final = 600.0
"""Seconds in which Discord counts."""

MOST: Final = 1_000
"""Refused tries within the window after which nothing is asked any more: a tenth of what Discord bears."""

REPEATED: Final = 5
"""Refusals of one kind of request in one channel in a row, after which it is asked once in `PAUSE` seconds only."""

PAUSE: Final = 60.0

UNKNOWN_TOKENS: Final = 3
"""Answers in a row that the token is not known, after which it is not tried again."""

INVALID: Final = frozenset({401, 403, 429})


@dataclass(slots=True)
class _Refused:
    number: int = 0
    until: float = 0.0


class Refusals:
    """What Discord refused lately, on one connection. Times are those of a monotonic clock."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._tries: deque[float] = deque()
        self._routes: dict[tuple[str, int], _Refused] = {}
        self._unknown_tokens = 0

    def note_try(self, status: int) -> None:
        """Note the status of an answer to one try."""
        if status in INVALID:
            self._tries.append(self._monotonic())
        self._unknown_tokens = self._unknown_tokens + 1 if status == 401 else 0

    def note(self, kind: str, channel: int, *, forbidden: bool) -> None:
        """Note how a request ended."""
        if not forbidden:
            self._routes.pop((kind, channel), None)
            return
        refused = self._routes.setdefault((kind, channel), _Refused())
        refused.number += 1
        refused.until = self._monotonic() + PAUSE

    def check(self, kind: str, channel: int) -> None:
        """Raise ForbiddenError or UnavailableError if a request shall not be made now."""
        doing = kind.replace("_", " ")
        if self._unknown_tokens >= UNKNOWN_TOKENS:
            raise ForbiddenError(
                f"{doing}: the bot's token is no longer valid, and Discord is not asked again; connect with a new one"
            )
        now = self._monotonic()
        while self._tries and self._tries[0] <= now - WINDOW:
            self._tries.popleft()
        if len(self._tries) >= MOST:
            raise UnavailableError(
                f"{doing}: Discord refused {len(self._tries)} requests within ten minutes and is not asked for "
                f"{self._tries[0] + WINDOW - now:.0f} s, before it shuts this address out"
            )
        refused = self._routes.get((kind, channel))
        if refused is not None and refused.number >= REPEATED and now < refused.until:
            raise ForbiddenError(
                f"{doing}: Discord refused this {refused.number} times and is not asked again for "
                f"{refused.until - now:.0f} s; the bot lacks a permission"
            )
