"""Row pages: blocks of a table's rows in the files of its channel.

A page is JSON Lines, a row a line, in the order of rowids. Small pages are plain text, so that a person who opens the
channel can read the rows; large ones are gzipped. What the manifest knows of a page is a `RowPage`: where it is, which
rowids it spans, and the smallest and largest value of each column (its *zones*), by which scans pass it by.
"""

import gzip
import hashlib
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from discosql.errors import DatabaseCorruptionError
from discosql.schema import ComputedIndex, Index, TableSchema
from discosql.storage.codec import decode_lines, encode_lines
from discosql.storage.keys import IndexMap, key_reader
from discosql.storage.layout import layout_of, row_remapper
from discosql.storage.sealing import Keyring, Seal, place_of
from discosql.storage.views import Batch, Range
from discosql.types import Row, Value, sort_key

PLAIN_SIZE: Final = 48 * 2**10
"""Bytes up to which a page stays plain text: Discord shows files up to about that size."""

_CHUNK: Final = 2**16
_SLICE: Final = 1_024
"""Rows whose columns are looked at together: as many as stay in the processor's cache."""

_ZONE_LENGTH: Final = 24

Zone: TypeAlias = tuple[Value, Value] | None
"""The smallest and largest value of a column in a page, without NULLs; None if it has nothing but NULLs."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file is: its channel, message, and number among the message's files."""

    channel: int
    message: int
    file: int


@dataclass(frozen=True, slots=True)
class RowPage:
    """A page as the manifest knows it.

    `size` is that of the file, `raw` that of its text. `columns` are the ids of the columns that its rows have.
    """

    place: Place
    first: int
    last: int
    rows: int
    size: int
    raw: int
    digest: str
    packed: bool
    objects: bool
    columns: tuple[int, ...]
    zones: tuple[Zone, ...]

    def may_match(self, ranges: Sequence[Range], schema: TableSchema) -> bool:
        """Tell whether the page may have a row whose values lie in all ranges."""
        return all(self._meets(bounds, schema) for bounds in ranges)

    def _meets(self, bounds: Range, schema: TableSchema) -> bool:
        zone: Zone = (self.first, self.last)
        if bounds.position:
            column = schema.columns[bounds.position - 1]
            if column.id in self.columns:
                zone = self.zones[self.columns.index(column.id)]
            else:
                zone = None if column.fill is None else (column.fill, column.fill)
        if bounds.low is None and bounds.high is None:
            return True
        if zone is None:
            return False
        return (bounds.low is None or sort_key(bounds.low) <= sort_key(zone[1])) and (
            bounds.high is None or sort_key(zone[0]) <= sort_key(bounds.high)
        )


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """A page ready to be posted, with its rows; `placed` makes it one that the manifest can name."""

    data: bytes
    rows: Batch
    raw: int
    digest: str
    packed: bool
    objects: bool
    columns: tuple[int, ...]
    zones: tuple[Zone, ...]

    def placed(self, place: Place) -> RowPage:
        """Return the page as it is once it has been posted there."""
        return RowPage(
            place=place,
            first=self.rows[0][0],
            last=self.rows[-1][0],
            rows=len(self.rows),
            size=len(self.data),
            raw=self.raw,
            digest=self.digest,
            packed=self.packed,
            objects=self.objects,
            columns=self.columns,
            zones=self.zones,
        )


def digest_of(data: bytes) -> str:
    """Return the checksum of a page's bytes."""
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def row_place(channel: int, first: int, last: int, rows: int) -> bytes:
    """Return what binds a sealed page to its channel and rows."""
    return place_of("rows", channel, first, last, rows)


def encode_page(rows: Batch, columns: tuple[int, ...], channel: int = 0, seal: Seal | None = None) -> EncodedPage:
    """Return the page that holds these rows, of which there is at least one, sealed for a channel with `seal`."""
    text, objects = encode_lines(rows)
    packed = len(text) > PLAIN_SIZE
    data = gzip.compress(text, 1, mtime=0) if packed else text
    if seal is not None:
        data = seal.seal_file(data, row_place(channel, rows[0][0], rows[-1][0], len(rows)))
    zones = zones_of(rows, len(columns))
    return EncodedPage(data, rows, len(text), digest_of(data), packed, objects, columns, zones)


def zones_of(rows: Sequence[Row], columns: int) -> tuple[Zone, ...]:
    """Return the zone of each column of some rows."""
    # Most columns have few different values. Of equal ones of two types either will do.
    known: list[set[Any]] = [set() for _ in range(columns + 1)]
    for start in range(0, len(rows), _SLICE):
        for values, found in zip(zip(*rows[start : start + _SLICE], strict=True), known, strict=True):
            found.update(values)
    return tuple(map(_zone, known[1:]))


def _zone(known: set[Any]) -> Zone:
    known.discard(None)
    if not known:
        return None
    kinds = set(map(type, known))
    if kinds <= {str} or kinds <= {bytes} or kinds <= {int, float}:
        low, high = min(known), max(known)
    else:
        low, high = min(known, key=sort_key), max(known, key=sort_key)
    return (low[:_ZONE_LENGTH] if isinstance(low, str | bytes) else low), _shortened_high(high)


def _shortened_high(value: Value) -> Value:
    """Return a short value that is not below the given one."""
    if not isinstance(value, str | bytes) or len(value) <= _ZONE_LENGTH:
        return value
    if isinstance(value, bytes):
        stem = value[:_ZONE_LENGTH].rstrip(b"\xff")
        return stem[:-1] + bytes([stem[-1] + 1]) if stem else value
    text = value[:_ZONE_LENGTH].rstrip("\U0010ffff")
    if not text:
        return value
    following = ord(text[-1]) + 1
    # Surrogates are no characters.
    return text[:-1] + chr(0xE000 if following == 0xD800 else following)


class PageRows:
    """The rows of a page in memory, in the layout of the schema they were asked for with. `cost` is in bytes."""

    __slots__ = ("_columns", "_maps", "_schema", "cost", "dense", "first", "rows")

    def __init__(self, rows: Batch, schema: TableSchema, raw: int) -> None:
        self.rows = rows
        self._schema = schema
        self._columns = layout_of(schema)
        self.first: int = rows[0][0]
        self.dense = rows[-1][0] - self.first + 1 == len(rows)
        # A tuple and its values as CPython keeps them, by experience.
        self.cost = raw + len(rows) * (64 + 40 * (len(self._columns) + 1))
        self._maps: dict[int, IndexMap] = {}

    def fits(self, schema: TableSchema) -> bool:
        """Tell whether the rows have the layout of a schema."""
        if self._schema is not schema:
            if self._columns != layout_of(schema):
                return False
            self._schema = schema
        return True

    def get(self, rowid: int) -> Row | None:
        """Return the row with a rowid, or None."""
        rows = self.rows
        position = rowid - self.first if self.dense else bisect_left(rows, (rowid,))
        if 0 <= position < len(rows) and rows[position][0] == rowid:
            return rows[position]
        return None

    def find(self, schema: TableSchema, index: Index | ComputedIndex, key: Any) -> list[int]:
        """Return the rowids of the rows with a comparable key; for tables too small for index pages."""
        index_map = self._maps.get(index.id)
        if index_map is None:
            index_map = IndexMap(key_reader(schema, index))
            index_map.add_all(self.rows)
            self._maps[index.id] = index_map
        found = index_map.get(key)
        return [] if found is None else [found] if isinstance(found, int) else found


def unpack_page(page: RowPage, data: bytes, keyring: Keyring | None = None) -> bytes:
    """Return the text of a page's file. Raises DatabaseCorruptionError if it is damaged."""
    check_digest(page.place, page.digest, data)
    if keyring is not None:
        data = unsealed(keyring, page.place, data, row_place(page.place.channel, page.first, page.last, page.rows))
    try:
        return gzip.decompress(data) if page.packed else data
    except (OSError, EOFError, zlib.error) as exc:
        raise DatabaseCorruptionError(f"{describe(page.place)} cannot be read") from exc


def decode_page(page: RowPage, text: bytes, schema: TableSchema) -> PageRows:
    """Return the rows of a page's text in a schema's layout. Raises DatabaseCorruptionError if it is damaged.

    Works in steps of about a millisecond, so that another thread gets its turn in between.
    """
    remap = row_remapper(page.columns, schema)
    rows: Batch = []
    start = 0
    try:
        while start < len(text):
            end = text.find(b"\n", min(start + _CHUNK, len(text)))
            end = len(text) if end < 0 else end
            chunk = decode_lines(text[start:end], objects=page.objects)
            rows += chunk if remap is None else map(remap, chunk)
            start = end + 1
    except ValueError as exc:
        raise DatabaseCorruptionError(f"{describe(page.place)} cannot be read") from exc
    return PageRows(rows, schema, page.raw)


def check_digest(place: Place, digest: str, data: bytes) -> None:
    """Raise DatabaseCorruptionError unless the bytes of a page are those that were written."""
    if digest_of(data) != digest:
        raise DatabaseCorruptionError(f"{describe(place)} is damaged")


def unsealed(keyring: Keyring, place: Place, data: bytes, bound: bytes) -> bytes:
    """Return a page's bytes, opened if they are sealed. Raises DatabaseCorruptionError if they were not `bound` so."""
    opened = keyring.open_file(data, bound)
    if opened is None:
        raise DatabaseCorruptionError(f"{describe(place)} was not sealed for that place with a known key")
    return opened


def describe(place: Place) -> str:
    """Return the words for a page in a message."""
    return f"the page in file {place.file + 1} of message {place.message} of channel {place.channel}"


def describe_rows(page: RowPage) -> str:
    """Return the words for the rows of a page in a message."""
    return f"the {page.rows} rows with rowids from {page.first} to {page.last}"
