"""Collations while a statement runs: keys whose plain order and equality are those of the values under a collation."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import cmp_to_key
from typing import Any, TypeAlias

from discosql.errors import OperationalError
from discosql.executor.context import Context
from discosql.types import Value, collate, fold_case, sort_key


def fold_value(value: Value) -> Value:
    """Return the NOCASE form of a value of any class."""
    return fold_case(value) if isinstance(value, str) else value


class _CollatedText(str):
    """A text that compares as a collation of the user's tells.

    It stays a str, so that it comes after numbers and before blobs like any text. Equal texts have one hash because
    each is represented by the first equal one that was seen.
    """

    __slots__ = ("compare", "representative")
    compare: Callable[[str, str], int]
    representative: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _CollatedText) and self.compare(str(self), str(other)) == 0

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, _CollatedText):
            return NotImplemented
        return self.compare(str(self), str(other)) < 0

    def __le__(self, other: object) -> bool:
        if not isinstance(other, _CollatedText):
            return NotImplemented
        return self.compare(str(self), str(other)) <= 0

    def __gt__(self, other: object) -> bool:
        return isinstance(other, _CollatedText) and other < self

    def __ge__(self, other: object) -> bool:
        return isinstance(other, _CollatedText) and other <= self

    def __hash__(self) -> int:
        return hash(self.representative)

    def __str__(self) -> str:
        return str.__str__(self)


Memo: TypeAlias = dict[Any, Any] | None
"""What is kept while a statement runs, None where a single expression is evaluated."""


def collator(context: Context, memo: Memo, name: str) -> Callable[[Value], Value]:
    """Return the function from a value to its key under one of the connection's own collations.

    A statement has one such function for each collation: keys are only comparable with others from it.
    """
    if memo is None:
        return _new_collator(context, name)
    if name not in memo:
        memo[name] = _new_collator(context, name)
    known: Callable[[Value], Value] = memo[name]
    return known


def _new_collator(context: Context, name: str) -> Callable[[Value], Value]:
    compare = context.collations.get(name)
    if compare is None:
        raise OperationalError(f"no such collation sequence: {name}")
    ordered = cmp_to_key(compare)
    seen: list[Any] = []
    keys: dict[str, _CollatedText] = {}

    def key(value: Value) -> Value:
        if not isinstance(value, str):
            return value
        known = keys.get(value)
        if known is None:
            known = keys[value] = _CollatedText(value)
            known.compare = compare
            wrapped = ordered(value)
            place = bisect_left(seen, wrapped)
            if place == len(seen) or wrapped < seen[place]:
                seen.insert(place, wrapped)
            known.representative = str(seen[place].obj)
        return known

    return key


def sort_key_of(context: Context, memo: Memo, collation: str) -> Callable[[Value], Any]:
    """Return the function from a value of any class to its sort key under a collation."""
    if collation == "BINARY":
        return sort_key
    if collation in ("NOCASE", "RTRIM"):
        return lambda value: sort_key(collate(value, collation))
    key = collator(context, memo, collation)
    return lambda value: sort_key(key(value))
