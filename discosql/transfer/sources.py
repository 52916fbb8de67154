"""Files of text that rows are imported from, some rows at a time: CSV and TSV, plain or by gzip."""

import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any, Final, Protocol

from discosql.errors import DataError, OperationalError

CHUNK: Final = 2_000
"""Rows, or lines, that are read at a time: as many as stay in the processor's cache."""

EMPTY: Final = "\udc00"
"""What stands for empty text among texts, where ``""`` is NULL. No file of UTF-8 has this character."""

_LONGEST: Final = 2**31 - 1
_NULL: Final = r"\N"
_FIELD: Final = re.compile(r'(?:^|,)(?:("[^"]*(?:""[^"]*)*")|[^,\r\n]*)')
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
    number of a row: its line or its row. Among texts ``""`` is NULL and `EMPTY` empty text.
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


class OpenText:
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
        """The bytes read."""
        return self._binary.tell()

    def __enter__(self) -> "OpenText":
        return self

    def __exit__(self, _kind: object, exc: BaseException | None, _trace: object) -> None:
        self.lines.close()
        self._binary.close()
        if isinstance(exc, OSError | UnicodeDecodeError | EOFError | zlib.error):
            raise OperationalError(f"cannot read {self._path}: {exc}") from exc


class SeparatedFile:
    """A CSV or TSV file with the columns' names in its first line.

    CSV is as RFC 4180 has it; a field with nothing in it is NULL, one with nothing in quotes is empty text. In TSV, the
    text format of PostgreSQL's COPY, quotes mean nothing, tab, line break and backslash are written with a backslash
    (``\\t``, ``\\n``, ``\\r``, ``\\\\``), and NULL is ``\\N``. A blank line is a row of files with one column only.
    """

    typed = False
    types: list[str] | None = None
    place = "line"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tabs = plain_path(path).suffix.lower() == ".tsv"
        with OpenText(path) as text:
            try:
                names: list[str] = next(self._reader(text.lines), [])
            except csv.Error as exc:
                raise DataError(f"{path}, line 1: {exc}") from exc
        self.columns = list(map(_unescaped, names)) if self._tabs else names

    def _reader(self, lines: Iterable[str]) -> Any:
        if self._tabs:
            return csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return csv.reader(lines, strict=True)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows. Raises DataError, with the line, for rows that are too short or too long."""
        with OpenText(self.path) as text:
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
        """Return the columns of lines of which each is a row and has no quotes that mean anything, else None."""
        text = "".join(lines).replace("\r\n", "\n").removesuffix("\n")
        count, mark = len(self.columns), "\t" if self._tabs else ","
        if "\r" in text or set(map(str.count, lines, repeat(mark))) != {count - 1}:
            return None
        if not self._tabs and '"' in text:
            return None
        fields = text.replace("\n", mark).split(mark)
        if self._tabs:
            fields = _read_tabbed(fields)
        return [fields[place::count] for place in range(count)]

    def _rows(self, lines: Iterable[str], before: int, most: int) -> tuple[list[list[str]], list[int], int]:
        """Return the rows that begin in the first `most` lines, the line of each, and how many lines they take."""
        count = len(self.columns)
        rows: list[list[str]] = []
        numbers: list[int] = []
        record: list[str] = []
        reader = self._reader(_noted(lines, record))
        line = 1
        # The csv module refuses fields of more than 131,072 characters, in all of the process, unless told otherwise.
        limit = csv.field_size_limit(_LONGEST)
        try:
            for fields in reader:
                if fields or count == 1:
                    rows.append(self._read(fields or [""], record))
                    numbers.append(before + line)
                    if len(rows[-1]) != count:
                        raise DataError(f"{self.path}, line {before + line}: {len(fields)} fields instead of {count}")
                record.clear()
                line = reader.line_num + 1
                if line > most:
                    break
        except csv.Error as exc:
            raise DataError(f"{self.path}, line {before + reader.line_num}: {exc}") from exc
        finally:
            csv.field_size_limit(limit)
        return rows, numbers, reader.line_num

    def _read(self, fields: list[str], record: Sequence[str]) -> list[str]:
        """Return the fields of a record of some lines with `EMPTY` for those that are empty text."""
        if self._tabs:
            return _read_tabbed(fields)
        if "" not in fields or not any('""' in line for line in record):
            return fields
        return [
            EMPTY if found[1] == '""' else field
            for field, found in zip(fields, _FIELD.finditer("".join(record)), strict=True)
        ]


def _noted(lines: Iterable[str], record: list[str]) -> Iterator[str]:
    """Yield lines, and add each to a record before."""
    for line in lines:
        record.append(line)
        yield line


def _read_tabbed(fields: list[str]) -> list[str]:
    return [
        EMPTY if not field else field if "\\" not in field else "" if field == _NULL else _unescaped(field)
        for field in fields
    ]


def _unescaped(field: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED[match[1]], field)
