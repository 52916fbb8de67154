"""The types of a file's columns, found by looking at every value."""

import datetime
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeAlias

from discosql.output_fields import exact_real, nested_json
from discosql.transfer.objects import ObjectsFile
from discosql.transfer.sources import EMPTY, Chunk, Source
from discosql.types import SqlType, declared_type

# Patterns are matched against the values of a column, each with a line break after it: one call for thousands of them.
# What would not come back as it was written, such as 007 or numbers with more digits than the type holds, stays text.
_WHOLE: Final = r"(?:0|-?[1-9][0-9]{0,17})"
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_PATTERNS: Final = {
    "INTEGER": _WHOLE,
    "REAL": r"-?(?:(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?|[1-9][0-9]{15}\.[0-9])",
    "BOOLEAN": r"(?:[tT]rue|TRUE|[fF]alse|FALSE)",
    "DATE": _DAY,
    "TIMESTAMP": _DAY + r"[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})?",
}
_MATCHERS: Final = {name: re.compile(f"(?:(?:{text})?\n)*") for name, text in _PATTERNS.items()}

_EXTREME: Final = re.compile(r".*(?:[eE][+-]?[0-9]{3}|[0-9]{16}\.[0-9])")
"""REALs so large or small that not all of the kind come back; those do that are written as exports write them."""

_DIGITS: Final = re.compile(r"[xX]'((?:[0-9a-fA-F]{2})*)'|(?:[0-9a-fA-F]{2})+")

_NESTED: Final = frozenset({dict, list})

_REMEMBERED: Final = 65_536
"""Different values of a column that are known at once: few enough to take little memory."""

_KEPT: Final = 2**28
"""Bytes that the rows of a file may take in memory from the first reading of it on; larger files are read twice."""

_TEXT_COST: Final = 56
"""Bytes that a short text takes beyond its characters."""


def are_all(kind: str, values: Sequence[str]) -> bool:
    """Tell whether texts can all be stored in a column of a type; those that are empty can."""
    text = "\n".join(values) + "\n"
    if _MATCHERS[kind].fullmatch(text) is None or text.count("\n") != len(values):
        return False
    if kind == "REAL":
        return all(exact_real(float(value)) == value for value in _EXTREME.findall(text))
    if kind not in ("DATE", "TIMESTAMP"):
        return True
    try:
        for value in set(values):
            if value:
                datetime.datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Survey:
    """What looking at all of a source found: the types of its columns, and its rows, unless they are too many.

    `finish` makes the values of each column in `chunks` ready.
    """

    types: list[str]
    chunks: "deque[Chunk] | None" = None
    finish: "Sequence[Converter]" = ()


def survey(source: Source, report: Callable[[int], object]) -> Survey:
    """Find the narrowest type for each column that holds all of its values; TEXT if it has none. Reads a file of texts.

    `report` is called with how much has been read.
    """
    if isinstance(source, ObjectsFile):
        return Survey(_types_of_objects(source))
    return _survey_texts(source, report)


def _survey_texts(source: Source, report: Callable[[int], object]) -> Survey:
    found = [_Texts() for _ in source.columns]
    kept: deque[Chunk] | None = deque()
    cells = 0
    for chunk in source.chunks():
        columns = [texts.read(values) for texts, values in zip(found, chunk.columns, strict=True)]
        report(chunk.done)
        if kept is not None:
            cells += len(chunk.lines) * len(columns)
            kept.append(replace(chunk, columns=columns))
            if 8 * cells + sum([texts.cost for texts in found]) > _KEPT:
                kept = None
    return Survey([texts.type for texts in found], kept, [texts.finish for texts in found])


class _Texts:
    """What the texts of a column could be. Most columns have few different ones, and only new ones are looked at.

    `cost` is about how many bytes they take in memory.
    """

    def __init__(self) -> None:
        self.cost = 0
        self._kinds = list(_PATTERNS)
        self._known: dict[str, str | int | None] = {"": None}
        self._is_empty = True
        self._has_quotes = False

    def read(self, values: Sequence[str]) -> list[str | int | None]:
        """Return the integers that texts stand for, as long as all could be some; else the texts. None if empty."""
        try:
            return list(map(self._known.__getitem__, values))
        except KeyError:
            self._learn(set(values))
        return list(map(self._known.__getitem__, values))

    def _learn(self, texts: set[str]) -> None:
        if EMPTY in texts:
            self._has_quotes = True
            self._known[EMPTY] = ""
        fresh = list(texts.difference(self._known))
        if not fresh:
            return
        self._is_empty = False
        self._kinds = [kind for kind in self._kinds if are_all(kind, fresh)]
        if len(self._known) + len(fresh) > _REMEMBERED:
            self._known = {"": None, EMPTY: ""}
            fresh = list(texts.difference(self._known))
        self.cost += sum(map(len, fresh)) + _TEXT_COST * len(fresh)
        values: Iterable[str | int] = map(int, fresh) if self._kinds[:1] == ["INTEGER"] else fresh
        self._known.update(zip(fresh, values, strict=True))

    @property
    def type(self) -> str:
        """The narrowest type that all of them fit, TEXT if all are empty."""
        return "TEXT" if self._is_empty or not self._kinds else self._kinds[0]

    @property
    def finish(self) -> "Converter":
        """What makes values that were read ready for a column of the type.

        Integers from before the first other text are as they were written, so that as text they are what they were.
        """
        if self.type == "REAL":
            return _as_reals
        return _without_empty if self._has_quotes and self.type != "TEXT" else as_given


_JSON_TYPES: Final[dict[type, str]] = {
    bool: "BOOLEAN", int: "INTEGER", float: "REAL", str: "TEXT", list: "JSON", dict: "JSON"
}  # fmt: skip


def _types_of_objects(source: ObjectsFile) -> list[str]:
    return [_type_of_kinds({_JSON_TYPES[kind] for kind in kinds if kind is not type(None)}) for kinds in source.kinds]


def _type_of_kinds(kinds: set[str]) -> str:
    if kinds == {"INTEGER", "REAL"}:
        return "REAL"
    if len(kinds) > 1:
        return "JSON" if "JSON" in kinds else "ANY"
    return kinds.pop() if kinds else "TEXT"


Converter: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]
"""Makes values of a file ready for their column, as many as it is given."""


def as_given(values: Sequence[Any]) -> Sequence[Any]:
    """Return values of a file that are ready as they are."""
    return values


def converter(kind: str, *, typed: bool) -> Converter:
    """Return what converts a column's values for a column of a type. What does not fit is left as it is.

    It is for the database then to refuse. `typed` as a source has it.
    """
    declared = declared_type(kind)
    if typed:
        if declared is SqlType.BLOB:
            return partial(_bytes_of_digits, empty=b"")
        return partial(_written_as_json, always=declared is SqlType.JSON)
    if declared in (SqlType.INTEGER, SqlType.REAL):
        return _Numbers(declared.value)
    if declared is SqlType.BLOB:
        return lambda values: _bytes_of_digits(_or_null(values), empty=None)
    return _texts_or_null if declared in (SqlType.TEXT, SqlType.ANY) else _or_null


def _as_reals(values: Sequence[str | int | None]) -> Sequence[float | None]:
    known: dict[str | int | None, float | None] = {value: float(value) for value in set(values) - {None, ""}}  # type: ignore[arg-type]
    known[None] = known[""] = None
    return list(map(known.__getitem__, values))


def _without_empty(values: Sequence[str | int | None]) -> Sequence[str | int | None]:
    return [None if value == "" else value for value in values]


def _written_as_json(values: Sequence[Any], *, always: bool) -> Sequence[Any]:
    if not always and _NESTED.isdisjoint(map(type, values)):
        return values
    return [
        nested_json(value) if type(value) in _NESTED or (always and value is not None) else value for value in values
    ]


def _bytes_of_digits(values: Sequence[Any], *, empty: bytes | None) -> Sequence[Any]:
    """Return the bytes that hexadecimal digits stand for, bare or as SQL writes them."""
    return [_bytes(value) if value and isinstance(value, str) else empty if value == "" else value for value in values]


def _bytes(text: str) -> bytes | str:
    found = _DIGITS.fullmatch(text)
    if found is None:
        return text
    return bytes.fromhex(found[1] if found[1] is not None else text)


def _or_null(values: Sequence[str]) -> Sequence[str | None]:
    if "" not in values and EMPTY not in values:
        return values
    return [None if value in ("", EMPTY) else value for value in values]


def _texts_or_null(values: Sequence[str]) -> Sequence[str | None]:
    if EMPTY in values:
        return [None if not value else "" if value == EMPTY else value for value in values]
    return [value or None for value in values] if "" in values else values


class _Numbers:
    """Numbers out of texts, each different text read once."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._known: dict[str, int | float | str | None] = {"": None, EMPTY: None}

    def __call__(self, values: Sequence[str]) -> Sequence[int | float | str | None]:
        """Return the numbers, None for those that are empty."""
        try:
            return list(map(self._known.__getitem__, values))
        except KeyError:
            self._learn(set(values))
        return list(map(self._known.__getitem__, values))

    def _learn(self, texts: set[str]) -> None:
        fresh = list(texts.difference(self._known))
        if len(self._known) + len(fresh) > _REMEMBERED:
            self._known = {"": None, EMPTY: None}
            fresh = list(texts.difference(self._known))
        read = int if self._kind == "INTEGER" else float
        if are_all(self._kind, fresh):
            self._known.update(zip(fresh, map(read, fresh), strict=True))
        else:
            self._known.update([(text, read(text) if are_all(self._kind, [text]) else text) for text in fresh])
