"""Sorting rows while a statement runs, and the queue of a recursive union."""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

from discosql.types import Row


def sort_with_nulls(rows: list[Any], position: int, descending: bool, nulls_first: bool) -> None:
    """Sort rows in place by one value of each that may be NULL; equal ones keep their order."""
    present = [row for row in rows if row[position] is not None]
    missing = [row for row in rows if row[position] is None] if len(present) < len(rows) else []
    present.sort(key=itemgetter(position), reverse=descending)
    rows[:] = missing + present if nulls_first else present + missing


class _Rank:
    """The place of a row in an order with directions of its own for each key."""

    __slots__ = ("terms", "values")

    def __init__(self, values: Sequence[Any], terms: Sequence[tuple[bool, bool]]) -> None:
        self.values = values
        self.terms = terms

    def __lt__(self, other: "_Rank") -> bool:
        for mine, others, (descending, nulls_first) in zip(self.values, other.values, self.terms, strict=True):
            if mine is None or others is None:
                if mine is not others:
                    return (mine is None) == nulls_first
            elif mine != others:
                return bool(others < mine if descending else mine < others)
        return False


class Queue:
    """The rows that a recursive union has still to follow.

    `key` tells what makes rows equal, where rows seen before are dropped. `order` is a function from a row to its sort
    keys and, for each of these, whether it descends and whether NULL comes first; without it first in is first out.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        key: Callable[[Row], Any] | None,
        order: tuple[Callable[[Row], Sequence[Any]], Sequence[tuple[bool, bool]]] | None,
    ) -> None:
        self.items: deque[Row] = deque()
        self._key = key
        self._order = order
        self._ranks: list[_Rank] = []
        self._seen: set[Any] = set()
        self.take = self.items.popleft if order is None else self._take_first
        self.add(rows)

    def add(self, rows: Iterable[Row]) -> None:
        """Add rows, without those that were there before if doubles are dropped."""
        if self._key is not None:
            rows = self._new(rows)
        if self._order is None:
            self.items.extend(rows)
            return
        function, terms = self._order
        for row in rows:
            rank = _Rank(function(row), terms)
            place = bisect_right(self._ranks, rank)
            self._ranks.insert(place, rank)
            self.items.insert(place, row)

    def _new(self, rows: Iterable[Row]) -> list[Row]:
        new = []
        for row in rows:
            key = self._key(row) if self._key is not None else row
            if key not in self._seen:
                self._seen.add(key)
                new.append(row)
        return new

    def _take_first(self) -> Row:
        del self._ranks[0]
        return self.items.popleft()
