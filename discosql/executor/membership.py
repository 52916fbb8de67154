"""The rows of a subquery after IN."""

from collections.abc import Iterable, Sequence
from typing import Any


class Members:
    """The rows that a value or a row of values is looked for in, single columns as bare values.

    `values` are those without NULL. Keys equal exactly where SQL's ``=`` holds under the columns' collations.
    """

    __slots__ = ("_partial", "_some", "values")

    def __init__(self, rows: Iterable[Any], width: int) -> None:
        found = dict.fromkeys(rows)
        self._some = bool(found)
        if width == 1:
            self._partial: list[Sequence[Any]] = [(None,)] if None in found else []
            found.pop(None, None)
            self.values = frozenset(found)
        else:
            self._partial = [row for row in found if None in row]
            self.values = frozenset([row for row in found if None not in row])

    def holds(self, value: Any) -> int | None:
        """Return whether a value is among them: 1, 0 or NULL."""
        if value is None:
            return None if self._some else 0
        if value in self.values:
            return 1
        return None if self._partial else 0

    def holds_row(self, row: Sequence[Any]) -> int | None:
        """Return whether a row of several values is among them: 1, 0 or NULL."""
        if row in self.values:
            return 1
        candidates: Iterable[Sequence[Any]] = self._partial
        if None in row:
            candidates = [*self.values, *self._partial]
        return None if any(_may_equal(row, other) for other in candidates) else 0


def _may_equal(row: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(a is None or b is None or a == b for a, b in zip(row, other, strict=True))
