"""A table's pages as of a checkpoint, and reading them under the changes made since.

Functions here answer from what a `Source` has in memory, or return a `Need`: everything that is missing for the next
step, so that it can be loaded together.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol

from discosql.schema import ComputedIndex, Index, TableSchema
from discosql.storage.hash_index import Bucket, IndexPage, PagedIndex
from discosql.storage.keys import KeyReader
from discosql.storage.layout import MISSING
from discosql.storage.page_text import PageText
from discosql.storage.pages import PageRows, Place, RowPage
from discosql.storage.views import Key
from discosql.types import Row


@dataclass(frozen=True)
class Base:
    """The pages of a table: row pages with disjoint ranges of rowids in order, and those of its indexes by id.

    `channel` is where new row pages go.
    """

    channel: int
    pages: tuple[RowPage, ...] = ()
    indexes: Mapping[int, PagedIndex] = field(default_factory=dict)

    @cached_property
    def firsts(self) -> list[int]:
        """The first rowid of each page."""
        return [page.first for page in self.pages]

    @cached_property
    def rows(self) -> int:
        """The number of rows in all pages."""
        return sum(page.rows for page in self.pages)

    @cached_property
    def size(self) -> int:
        """The bytes of all row pages."""
        return sum(page.size for page in self.pages)

    @property
    def high(self) -> int:
        """The highest rowid in the pages, 0 if there is none."""
        return self.pages[-1].last if self.pages else 0

    def position(self, rowid: int) -> int:
        """Return the position of the page where a rowid belongs, be it there or not."""
        return max(0, bisect_right(self.firsts, rowid) - 1)

    def page_at(self, rowid: int) -> RowPage | None:
        """Return the page that has a rowid if any has."""
        if not self.pages:
            return None
        page = self.pages[self.position(rowid)]
        return page if page.first <= rowid <= page.last else None


@dataclass(slots=True)
class Need:
    """Pages that must be loaded before an answer can be given: `rows` all of whose rows are wanted, `texts` of which
    single rows are, and `buckets`.
    """

    rows: dict[Place, RowPage] = field(default_factory=dict)
    texts: dict[Place, RowPage] = field(default_factory=dict)
    buckets: dict[Place, IndexPage] = field(default_factory=dict)

    @classmethod
    def of_rows(cls, pages: Iterable[RowPage]) -> "Need":
        """Return the need of all rows of some pages."""
        return cls(rows={page.place: page for page in pages})

    def __bool__(self) -> bool:
        return bool(self.rows or self.texts or self.buckets)

    def add(self, other: "Need") -> None:
        """Add what another answer needs."""
        self.rows |= other.rows
        self.texts |= other.texts
        self.buckets |= other.buckets


class Source(Protocol):
    """Pages in memory."""

    def rows(self, page: RowPage, schema: TableSchema) -> PageRows | None:
        """Return a page's rows in the layout of a schema, None if they are not in memory."""

    def lookup(self, page: RowPage, schema: TableSchema) -> PageRows | PageText | None:
        """Return what gives single rows of a page in the layout of a schema, None if it is not in memory."""

    def bucket(self, page: IndexPage) -> Bucket | None:
        """Return a bucket, None if it is not in memory."""

    def is_lost(self, page: IndexPage) -> bool:
        """Tell whether a bucket was found missing or damaged, so that the rows have to be searched instead."""


class Overlay(Protocol):
    """A table as changes over pages: a version, or what a transaction made of it."""

    schema: TableSchema

    @property
    def base(self) -> Base | None:
        """The pages below; None for a table that has none."""

    def changed(self, rowid: int) -> Any:
        """Return the row that a change put there, None where one removed it, MISSING if none touched it."""

    def candidates(self, index: int, key: Any) -> Iterable[int]:
        """Return the rowids of changed rows that may have a comparable key."""

    def key_reader(self, index: int) -> KeyReader:
        """Return what reads the comparable key of a row."""

    def key_maker(self, index: int) -> KeyReader:
        """Return what makes a comparable key of given values."""


def find_rowids(table: Overlay, keys: Iterable[Key], source: Source) -> list[Row] | Need:
    """Return the rows with these rowids, each once, in order."""
    need = Need()
    found: dict[int, Row] = {}
    for (value,) in keys:
        rowid = _as_rowid(value)
        if rowid is None:
            continue
        row = table.changed(rowid)
        if row is MISSING:
            row = _paged_row(table, rowid, source, need)
        if row is not None:
            found[rowid] = row
    return need or _in_order(found)


def find_keys(table: Overlay, index: int, keys: Iterable[Key], source: Source) -> list[Row] | Need:
    """Return the rows whose key in an index equals one of the keys, each once, in order."""
    make, read = table.key_maker(index), table.key_reader(index)
    wanted = {made for key in keys if (made := make(key)) is not None}
    found: dict[int, Row] = {}
    for key in wanted:
        for rowid in table.candidates(index, key):
            row = table.changed(rowid)
            if row is not MISSING and row is not None and read(row) == key:
                found[rowid] = row
    base = table.base
    if base is None or not base.pages:
        return _in_order(found)
    need = Need()
    for key, rowid in _paged_candidates(table, base, index, wanted, source, need):
        if table.changed(rowid) is MISSING:
            row = _paged_row(table, rowid, source, need)
            if row is not None and read(row) == key:
                found[rowid] = row
    return need or _in_order(found)


def _in_order(found: dict[int, Row]) -> list[Row]:
    return list(found.values()) if len(found) < 2 else [found[rowid] for rowid in sorted(found)]


def _as_rowid(value: Any) -> int | None:
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal):
        return int(value) if -(2.0**63) <= value < 2.0**63 and value == int(value) else None
    return None


def _paged_row(table: Overlay, rowid: int, source: Source, need: Need) -> Row | None:
    page = table.base.page_at(rowid) if table.base is not None else None
    if page is None:
        return None
    rows = source.lookup(page, table.schema)
    if rows is None:
        need.texts[page.place] = page
        return None
    return rows.get(rowid)


def _paged_candidates(
    table: Overlay, base: Base, index_id: int, keys: set[Any], source: Source, need: Need
) -> list[tuple[Any, int]]:
    """Return the keys with the rowids in pages that may have them."""
    index = base.indexes.get(index_id)
    if index is None:
        return _candidates_in_rows(table, base, table.schema.index(index_id), keys, source, need)
    found: list[tuple[Any, int]] = []
    unindexed: set[Any] = set()
    hash_key = index.hash_key
    for key in keys:
        key_hash = hash_key(key)
        page = index.page_of(key_hash)
        if page is None:
            continue
        if source.is_lost(page):
            unindexed.add(key)
            continue
        bucket = source.bucket(page)
        if bucket is None:
            need.buckets[page.place] = page
        else:
            found += [(key, rowid) for rowid in bucket.get(key_hash)]
    if need.buckets:
        # Which rows to load is known when all buckets are there, and then they are loaded together.
        return []
    if unindexed:
        found += _candidates_in_rows(table, base, table.schema.index(index_id), unindexed, source, need)
    return [] if need.rows else found


def _candidates_in_rows(
    table: Overlay, base: Base, index: Index | ComputedIndex, keys: set[Any], source: Source, need: Need
) -> list[tuple[Any, int]]:
    found: list[tuple[Any, int]] = []
    for page in base.pages:
        rows = source.rows(page, table.schema)
        if rows is None:
            need.rows[page.place] = page
        else:
            found += [(key, rowid) for key in keys for rowid in rows.find(table.schema, index, key)]
    return [] if need.rows else found
