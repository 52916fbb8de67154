"""Files of JSON objects that rows are imported from: an array of them, or one a line, plain or by gzip.

They are read by orjson where it is there, which is fast, and again by Python's own `json` where orjson could give
something else: it makes floats of integers with more than 64 bits and refuses NaN, Infinity, numbers that no float
holds, and lone surrogates.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from discosql.errors import DataError
from discosql.transfer.sources import CHUNK, Chunk, OpenText

_loads: Callable[[str], Any]
try:
    from orjson import loads as _loads
except ImportError:  # without the extra `speed`
    _loads = json.loads

_NESTED: Final = frozenset({dict, list})
_MAYBE_LONG: Final = _NESTED | {float}
_LONG: Final = re.compile("[0-9]{19}")
"""Fewer digits are an integer of 64 bits."""


class ObjectsFile:
    """JSON objects, whose keys are the columns; a key that is not there is NULL.

    `kinds` are the types of the values that each column has.
    """

    typed = True
    types: list[str] | None = None
    place = "line"

    def __init__(self, path: Path) -> None:
        self.path = path
        found: dict[str, set[type]] = {}
        for items, _numbers, _done in self._parts():
            for name, values in _columns(items, _names(items)):
                found.setdefault(name, set()).update(map(type, values))
        self.columns = list(found)
        self.kinds = list(found.values())

    def _parts(self) -> Iterator[tuple[Sequence[dict[str, Any]], Sequence[int], int]]:
        """Yield some objects at a time with the line or number of each, and the bytes read."""
        raise NotImplementedError

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows. Raises DataError, with the line, for what is no object."""
        for items, numbers, done in self._parts():
            yield Chunk([values for _name, values in _columns(items, self.columns)], numbers, done)


def _names(items: Sequence[dict[str, Any]]) -> list[str]:
    """Return all keys in the order in which they come."""
    different = dict.fromkeys(map(tuple, items))
    return list(dict.fromkeys(chain.from_iterable(different)))


def _columns(items: Sequence[dict[str, Any]], names: Sequence[str]) -> Iterable[tuple[str, Sequence[Any]]]:
    """Return the names with the values that objects have for each, None where one has none."""
    if set(map(tuple, items)) == {tuple(names)}:
        return zip(names, zip(*map(dict.values, items), strict=True), strict=True)
    return [(name, [item.get(name) for item in items]) for name in names]


class JsonLinesFile(ObjectsFile):
    """A file with a JSON object a line."""

    def _parts(self) -> Iterator[tuple[Sequence[dict[str, Any]], Sequence[int], int]]:
        with OpenText(self.path) as text:
            before = 0
            while lines := list(islice(text.lines, CHUNK)):
                numbers: Sequence[int] = range(before + 1, before + 1 + len(lines))
                before += len(lines)
                if not all(map(str.strip, lines)):
                    numbers = [number for number, line in zip(numbers, lines, strict=True) if line.strip()]
                    lines = list(filter(str.strip, lines))
                yield self._read(lines, numbers), numbers, text.done

    def _read(self, lines: Sequence[str], numbers: Sequence[int]) -> list[dict[str, Any]]:
        try:
            items = list(map(_loads, lines))
        except (ValueError, RecursionError):
            items = list(map(self._read_line, lines, numbers))
        if set(map(type, items)) - {dict}:
            line = next(number for item, number in zip(items, numbers, strict=True) if type(item) is not dict)
            raise DataError(f"{self.path}, line {line}: not an object")
        if _may_be_long(items) and any(map(_LONG.search, lines)):
            return list(map(self._read_line, lines, numbers))
        return items

    def _read_line(self, data: str, line: int) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as exc:
            raise DataError(f"{self.path}, line {line}: {exc}") from exc


def _may_be_long(items: Iterable[dict[str, Any]]) -> bool:
    """Tell whether objects have values that orjson may have made of integers with too many bits, or that hold some."""
    return not _MAYBE_LONG.isdisjoint(map(type, chain.from_iterable(map(dict.values, items))))


class JsonFile(ObjectsFile):
    """A file with one JSON array of objects, which is read as a whole; a row's number is its place in the array."""

    place = "row"

    def __init__(self, path: Path) -> None:
        self._items, self._done = self._read(path)
        super().__init__(path)

    def _parts(self) -> Iterator[tuple[Sequence[dict[str, Any]], Sequence[int], int]]:
        for start in range(0, len(self._items), CHUNK):
            items = self._items[start : start + CHUNK]
            yield items, range(start + 1, start + 1 + len(items)), self._done

    def _read(self, path: Path) -> tuple[list[dict[str, Any]], int]:
        with OpenText(path) as text:
            data, done = text.lines.read(), text.done
        try:
            items = _loads(data)
        except (ValueError, RecursionError):
            items = _read_whole(path, data)
        if not isinstance(items, list):
            raise DataError(f"{path}, line 1: not an array of objects")
        if set(map(type, items)) - {dict}:
            row = next(number for number, item in enumerate(items, 1) if type(item) is not dict)
            raise DataError(f"{path}, row {row}: not an object")
        return _read_whole(path, data) if _may_be_long(items) and _LONG.search(data) else items, done


def _read_whole(path: Path, data: str) -> Any:
    try:
        return json.loads(data)
    except json.JSONDecodeError as exc:
        raise DataError(f"{path}, line {exc.lineno}: {exc.msg}") from exc
    except (ValueError, RecursionError) as exc:
        raise DataError(f"{path}: {exc}") from exc
