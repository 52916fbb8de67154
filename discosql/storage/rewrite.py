"""Which pages of a table a checkpoint writes anew, and with which rows. Plain computation over immutable data.

The changes since the last checkpoint are grouped by the page that each belongs to: a *unit* is a page and its changes,
or the rows above the last page. Only units are written; all other pages stay as they are.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from discosql.schema import ComputedIndex, Index, TableSchema
from discosql.storage.batches import apply_changes
from discosql.storage.hash_index import Hasher, packed
from discosql.storage.keys import key_reader
from discosql.storage.layout import Layer
from discosql.storage.paged import Base
from discosql.storage.pages import RowPage
from discosql.storage.table import TableVersion
from discosql.storage.views import Batch
from discosql.types import Row

FILL: Final = 0.75
"""How full the last page may be to be written anew for rows that are appended."""

SMALL: Final = 2**17
"""Bytes of pages that are written anew for any change at all."""

AMPLIFICATION: Final = 16
"""How many bytes of pages may be written for a byte of changes; with less at stake, changes are carried along."""

MAX_OVERLAY: Final = 2**21
"""Bytes of changes of a table that are carried along at most."""

_ROW_SIZE: Final = 24


@dataclass(frozen=True, slots=True)
class Unit:
    """A page to be written anew (None: rows above the last page), and the rowids changed in it."""

    page: RowPage | None
    changed: Sequence[int]


def units_of(version: TableVersion, page_size: int) -> list[Unit]:
    """Return what the changes of a table touch, in the order of rowids."""
    ordered = version.ordered()
    pages = version.base.pages if version.base is not None else ()
    units: list[Unit] = []
    start = 0
    for page in _touched(ordered, version.base) if pages else ():
        end = bisect_right(ordered, page.last, start)
        units.append(Unit(page, ordered[start:end]))
        start = end
    if start == len(ordered):
        return units
    last = pages[-1] if pages else None
    above = ordered[start:]
    if last is not None and (last.size < FILL * page_size or (units and units[-1].page is last)):
        if units and units[-1].page is last:
            above = [*units.pop().changed, *above]
        units.append(Unit(last, above))
    else:
        units.append(Unit(None, above))
    return units


def _touched(ordered: Sequence[int], base: Base | None) -> Iterator[RowPage]:
    assert base is not None
    position = 0
    for page in base.pages:
        # Rowids between two pages belong to the upper one.
        end = bisect_right(ordered, page.last, position)
        if end > position:
            yield page
        position = end
        if position == len(ordered):
            return


def row_size(version: TableVersion) -> float:
    """Return the stored bytes that a row of the table takes, from its pages or by experience."""
    base = version.base
    return base.size / base.rows if base is not None and base.rows else _ROW_SIZE


def is_worth_writing(version: TableVersion, units: Sequence[Unit]) -> bool:
    """Tell whether pages shall be written for the changes now, rather than the changes carried along."""
    rewritten = sum(unit.page.size for unit in units if unit.page is not None)
    changes = int(sum(len(unit.changed) for unit in units) * row_size(version) * 1.5)
    if version.base is not None:
        touched = sum(len(unit.changed) for unit in units)
        for index in version.base.indexes.values():
            rewritten += index.size * min(touched, len(index.pages)) // len(index.pages)
    return rewritten <= SMALL or changes * AMPLIFICATION >= rewritten or changes > MAX_OVERLAY


@dataclass(slots=True)
class IndexChanges:
    """Entries that an index gains and loses. `hashes` and `rowids` are parallel; `removed` is packed."""

    hashes: "array[int]" = field(default_factory=lambda: array("Q"))
    rowids: "array[int]" = field(default_factory=lambda: array("q"))
    removed: set[int] = field(default_factory=set)

    def add(self, key_hash: int, rowid: int) -> None:
        """Note a new entry."""
        self.hashes.append(key_hash)
        self.rowids.append(rowid)

    @property
    def touched(self) -> bool:
        """Whether there is any."""
        return bool(self.hashes) or bool(self.removed)


class IndexCollector:
    """Gathers the changes of one index while its table's pages are written.

    An index that has pages is told what changed; one that has none yet (`whole`) is told all rows.
    """

    def __init__(self, schema: TableSchema, index: Index | ComputedIndex, hash_key: Hasher, *, whole: bool) -> None:
        self.index = index
        self.whole = whole
        self.changes = IndexChanges()
        self._read: Callable[[Row], Any] = key_reader(schema, index)
        self._hash = hash_key

    def add_all(self, rows: Iterable[Row]) -> None:
        """Take all rows of a page."""
        read, hash_key, add = self._read, self._hash, self.changes.add
        for row in rows:
            key = read(row)
            if key is not None:
                add(hash_key(key), row[0])

    def change(self, old: Row | None, new: Row | None) -> None:
        """Take one change."""
        before = None if old is None else self._read(old)
        after = None if new is None else self._read(new)
        if before == after:
            return
        if before is not None and old is not None:
            self.changes.removed.update(packed([self._hash(before)], [old[0]]))
        if after is not None and new is not None:
            self.changes.add(self._hash(after), new[0])


def merge_unit(old: Batch, changes: Layer, collectors: Sequence[IndexCollector]) -> Batch:
    """Return a unit's rows after its changes, and let the indexes know."""
    known = _by_rowid(old)
    for collector in collectors:
        if not collector.whole:
            for rowid, row in changes.items():
                collector.change(known(rowid), row)
    merged = [row for batch in apply_changes([old] if old else [], changes) for row in batch]
    for collector in collectors:
        if collector.whole:
            collector.add_all(merged)
    return merged


def _by_rowid(rows: Batch) -> Callable[[int], Row | None]:
    def find(rowid: int) -> Row | None:
        position = bisect_left(rows, (rowid,))
        return rows[position] if position < len(rows) and rows[position][0] == rowid else None

    return find
