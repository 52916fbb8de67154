"""Problems: what a look at a stored database finds wrong, and where."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Severity: TypeAlias = Literal["damage", "history", "note"]

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being worked on, how many steps of that are done, and how many there are (0: not known)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and its place as far as it has one.

    ``damage`` harms the database as it is now, ``history`` only its past (reading as of an earlier moment, and what
    lost pages could be rebuilt from), a ``note`` nothing. `file` counts from 1 within its message.
    """

    severity: Severity
    text: str
    slot: int | None = None
    channel: int | None = None
    message: int | None = None
    file: int | None = None
    table: str | None = None
    rowid: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as JSON data, without the places it has not."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def no_progress(_stage: str, _done: int, _total: int) -> None:
    """Take a report of progress that nobody wants to see."""
