"""Files of text that rows are imported from, some rows at a time: CSV, TSV, JSON and JSON Lines, plain or by gzip."""

import csv
import gzip
import hashlib
import io
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any, Final, Protocol

from discosql.errors import DataError, OperationalError

CHUNK: Final = 2_000
"""Rows, or lines, that are read at a time: as many as stay in the processor's cache."""

_LONGEST: Final = 2**31 - 1
_ESCAPE: Final = re.compile(r"\\([\\tnr])")
_ESCAPED: Final = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file: the values of each column, the line or number of each row, bytes read so far."""

    columns: Sequence[Sequence[Any]]
    lines: Sequence[int]
    done: int


class Source(Protocol):
    """A file of rows.

    `typed` tells whether values have types of their own, as JSON's have; else all are text. `types` are those of the
    columns where the file says them, and its values are then parameters as they are. `place` is what errors call the
    number of a row: its line or its row.
    """

    path: Path
    columns: list[str]
    typed: bool
    types: list[str] | None
    place: str

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows. Raises DataError, with the place, for what is no row."""
        ...


def plain_path(path: Path) -> Path:
    """Return the path without the ending of a compressed file: what it says of the content."""
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path


def digest_of(path: Path) -> str:
    """Return the SHA-256 of what is in a file. Raises OperationalError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise OperationalError(f"cannot read {path}: {exc.strerror}") from exc


class _Text:
    """A file of UTF-8 text, with or without a byte order mark, and how much of it was read. A context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._binary = path.open("rb")
        except OSError as exc:
            raise OperationalError(f"cannot read {path}: {exc.strerror}") from exc
        data = gzip.GzipFile(fileobj=self._binary) if path != plain_path(path) else self._binary
        self.lines = io.TextIOWrapper(data, encoding="utf-8-sig", newline="")

    @property
    def done(self) -> int:
        return self._binary.tell()

    def __enter__(self) -> "_Text":
        return self

    def __exit__(self, _kind: object, exc: BaseException | None, _trace: object) -> None:
        self.lines.close()
        self._binary.close()
        if isinstance(exc, OSError | UnicodeDecodeError | EOFError | zlib.error):
            raise OperationalError(f"cannot read {self._path}: {exc}") from exc


class SeparatedFile:
    """A CSV or TSV file with the columns' names in its first line; an empty field is NULL, a blank line no row.

    CSV is as RFC 4180 has it. In TSV quotes mean nothing, and tab, line break and backslash are written with a
    backslash (``\\t``, ``\\n``, ``\\r``, ``\\\\``), as exports are.
    """

    typed = False
    types: list[str] | None = None
    place = "line"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tabs = plain_path(path).suffix.lower() == ".tsv"
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
            next(reader, None)
            before = reader.line_num
            while lines := list(islice(text.lines, CHUNK)):
                columns = self._split(lines)
                numbers: Sequence[int] = range(before + 1, before + 1 + len(lines))
                if columns is None:
                    # A row that the last of these lines begins may go on in further ones.
                    rows, numbers, read = self._rows(chain(lines, text.lines), before, len(lines))
                    columns = [[row[place] for row in rows] for place in range(len(self.columns))]
                    before += read
                else:
                    before += len(lines)
                yield Chunk(columns, numbers, text.done)

    def _split(self, lines: Sequence[str]) -> list[list[str]] | None:
        """Return the columns of lines of which each is a row without anything that needs a closer look, else None."""
        text = "".join(lines).replace("\r\n", "\n").removesuffix("\n")
        count, mark, special = len(self.columns), "\t" if self._tabs else ",", "\\" if self._tabs else '"'
        if "\r" in text or special in text or set(map(str.count, lines, repeat(mark))) != {count - 1}:
            return None
        fields = text.replace("\n", mark).split(mark)
        if count == 1 and "" in fields:
            return None  # a blank line
        return [fields[place::count] for place in range(count)]

    def _rows(self, lines: Iterable[str], before: int, most: int) -> tuple[list[list[str]], list[int], int]:
        """Return the rows that begin in the first `most` lines, the line of each, and how many lines they take."""
        count = len(self.columns)
        rows: list[list[str]] = []
        numbers: list[int] = []
        reader = self._reader(lines)
        line = 1
        # The csv module refuses fields of more than 131,072 characters, in all of the process, unless told otherwise.
        limit = csv.field_size_limit(_LONGEST)
        try:
            for fields in reader:
                if len(fields) == count:
                    rows.append([_unescaped(field) for field in fields] if self._tabs else fields)
                    numbers.append(before + line)
                elif fields:
                    raise DataError(f"{self.path}, line {before + line}: {len(fields)} fields instead of {count}")
                line = reader.line_num + 1
                if line > most:
                    break
        except csv.Error as exc:
            raise DataError(f"{self.path}, line {before + reader.line_num}: {exc}") from exc
        finally:
            csv.field_size_limit(limit)
        return rows, numbers, reader.line_num


def _unescaped(field: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED[match[1]], field) if "\\" in field else field


class ObjectsFile:
    """JSON objects, whose keys are the columns; a key that is not there is NULL.

    `kinds` are the types of the values that each column has.
    """

    typed = True
    types: list[str] | None = None
    place = "line"

    def __init__(self, path: Path) -> None:
        self.path = path
        found: defaultdict[str, set[type]] = defaultdict(set)
        for _line, item, _done in self._items():
            for key, value in item.items():
                found[key].add(type(value))
        self.columns = list(found)
        self.kinds = list(found.values())

    def _items(self) -> Iterator[tuple[int, dict[str, Any], int]]:
        """Yield each object with its line and the bytes read."""
        raise NotImplementedError

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows. Raises DataError, with the line, for what is no object."""
        items = self._items()
        while some := list(islice(items, CHUNK)):
            columns = [[item.get(name) for _line, item, _done in some] for name in self.columns]
            yield Chunk(columns, [line for line, _item, _done in some], some[-1][2])


class JsonLinesFile(ObjectsFile):
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


class JsonFile(ObjectsFile):
    """A file with one JSON array of objects, which is read as a whole; a row's number is its place in the array."""

    place = "row"

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
