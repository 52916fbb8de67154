"""Files that rows are imported from: CSV, TSV, JSON and JSON Lines, some rows at a time."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from discosql.errors import DataError, OperationalError, ProgrammingError

CHUNK: Final = 10_000
"""Rows that are read at a time."""

_ESCAPE: Final = re.compile(r"\\([\\tnr])")
_ESCAPED: Final = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


@dataclass(slots=True)
class Chunk:
    """Some rows of a file: their values in the order of the columns, the line each begins at, bytes read so far."""

    rows: list[tuple[Any, ...]]
    lines: list[int]
    done: int


class Source(Protocol):
    """A file of rows. `typed` tells whether values have types of their own, as JSON's have; else all are text."""

    path: Path
    columns: list[str]
    typed: bool

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows. Raises DataError, with the line, for what is no row."""
        ...


def open_source(path: Path) -> Source:
    """Return the file as rows, by its ending. Raises OperationalError if it cannot be read, DataError for no rows."""
    known: dict[str, Callable[[Path], Source]] = {
        ".csv": SeparatedFile,
        ".tsv": SeparatedFile,
        ".json": JsonFile,
        ".jsonl": JsonLinesFile,
        ".ndjson": JsonLinesFile,
    }
    kind = known.get(path.suffix.lower())
    if kind is None:
        raise ProgrammingError(f"cannot import {path}: the endings known are {' '.join(known)}")
    source = kind(path)
    doubles = {name for name in source.columns if source.columns.count(name) > 1}
    if not source.columns or doubles or "" in source.columns:
        fault = f"column {min(doubles)} is there twice" if doubles else "a column has no name"
        raise DataError(f"{path}, line 1: {fault if source.columns else 'there are no columns'}")
    return source


class _Text:
    """A file of UTF-8 text, with or without a byte order mark, and how much of it was read. A context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._binary = path.open("rb")
        except OSError as exc:
            raise OperationalError(f"cannot read {path}: {exc.strerror}") from exc
        self.lines = io.TextIOWrapper(self._binary, encoding="utf-8-sig", newline="")

    @property
    def done(self) -> int:
        return self._binary.tell()

    def __enter__(self) -> "_Text":
        return self

    def __exit__(self, _kind: object, exc: BaseException | None, _trace: object) -> None:
        self.lines.close()
        if isinstance(exc, OSError | UnicodeDecodeError):
            raise OperationalError(f"cannot read {self._path}: {exc}") from exc


class SeparatedFile:
    """A CSV or TSV file with the columns' names in its first line; an empty field is NULL, a blank line no row.

    CSV is as RFC 4180 has it. In TSV quotes mean nothing, and tab, line break and backslash are written with a
    backslash (``\\t``, ``\\n``, ``\\r``, ``\\\\``), as exports are.
    """

    typed = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tabs = path.suffix.lower() == ".tsv"
        with _Text(path) as text:
            try:
                self.columns: list[str] = next(self._reader(text.lines), [])
            except csv.Error as exc:
                raise DataError(f"{path}, line 1: {exc}") from exc

    def _reader(self, lines: Iterable[str]) -> Any:
        if self._tabs:
            return csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return csv.reader(lines, strict=True)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows. Raises DataError, with the line, for rows that are too short or too long."""
        with _Text(self.path) as text:
            reader = self._reader(text.lines)
            try:
                next(reader, None)
                yield from self._chunks(reader, text)
            except csv.Error as exc:
                raise DataError(f"{self.path}, line {reader.line_num}: {exc}") from exc

    def _chunks(self, reader: Any, text: _Text) -> Iterator[Chunk]:
        count = len(self.columns)
        chunk = Chunk([], [], 0)
        line = reader.line_num + 1
        for fields in reader:
            if len(fields) != count:
                if fields:
                    raise DataError(f"{self.path}, line {line}: {len(fields)} fields instead of {count}")
                line = reader.line_num + 1
                continue  # a blank line
            if self._tabs:
                fields = [_unescaped(field) for field in fields]
            chunk.rows.append(tuple(fields))
            chunk.lines.append(line)
            line = reader.line_num + 1
            if len(chunk.rows) == CHUNK:
                chunk.done = text.done
                yield chunk
                chunk = Chunk([], [], 0)
        chunk.done = text.done
        yield chunk


def _unescaped(field: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED[match[1]], field) if "\\" in field else field


class _Objects:
    """JSON objects, whose keys are the columns; a key that is not there is NULL."""

    typed = True

    def __init__(self, path: Path) -> None:
        self.path = path
        keys: dict[str, None] = {}
        for _line, item, _done in self._items():
            keys.update(dict.fromkeys(item))
        self.columns = list(keys)

    def _items(self) -> Iterator[tuple[int, dict[str, Any], int]]:
        """Yield each object with its line and the bytes read."""
        raise NotImplementedError

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows. Raises DataError, with the line, for what is no object."""
        chunk = Chunk([], [], 0)
        for line, item, done in self._items():
            chunk.rows.append(tuple(map(item.get, self.columns)))
            chunk.lines.append(line)
            chunk.done = done
            if len(chunk.rows) == CHUNK:
                yield chunk
                chunk = Chunk([], [], 0)
        yield chunk


class JsonLinesFile(_Objects):
    """A file with a JSON object a line."""

    def _items(self) -> Iterator[tuple[int, dict[str, Any], int]]:
        with _Text(self.path) as text:
            for line, data in enumerate(text.lines, 1):
                if not data.strip():
                    continue
                try:
                    item = json.loads(data)
                except ValueError as exc:
                    raise DataError(f"{self.path}, line {line}: {exc}") from exc
                if not isinstance(item, dict):
                    raise DataError(f"{self.path}, line {line}: not an object")
                yield line, item, text.done


class JsonFile(_Objects):
    """A file with one JSON array of objects, which is read as a whole; a row's line is its place in the array."""

    def _items(self) -> Iterator[tuple[int, dict[str, Any], int]]:
        with _Text(self.path) as text:
            try:
                items = json.load(text.lines)
            except json.JSONDecodeError as exc:
                raise DataError(f"{self.path}, line {exc.lineno}: {exc.msg}") from exc
            done = text.done
        if not isinstance(items, list):
            raise DataError(f"{self.path}, line 1: not an array of objects")
        for number, item in enumerate(items, 1):
            if not isinstance(item, dict):
                raise DataError(f"{self.path}, row {number}: not an object")
            yield number, item, done
