"""Unique keys: which stored rows hold the keys of new rows.

SQLite tests each new row against the rows stored before it, those of the same statement included. Here the stored
holders of all new keys are looked up at once, and `Holders` follows what the statement does to them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias, cast

from discosql.errors import IntegrityError
from discosql.executor.writes.steps import Lookup, Steps, lookup, prefetch, scan
from discosql.planner.plan import Resolution
from discosql.schema import ComputedIndex, Index, TableSchema
from discosql.storage.engine import Key, ReadView
from discosql.types import Row, collate

Mark: TypeAlias = Any
"""A hashable stand-in for a key: equal exactly where the keys are equal under their collations."""

PRIMARY_KEY, UNIQUE = "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE"


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """A UNIQUE or PRIMARY KEY constraint. `index` None is the rowid; `places` are those of a stored row.

    It may also stand for the key of an index over expressions that is not unique.
    """

    table: TableSchema
    index: Index | ComputedIndex | None
    places: tuple[int, ...]
    mark: Callable[[Row], Mark | None]

    @property
    def is_computed(self) -> bool:
        """Whether it is one over expressions or some rows."""
        return isinstance(self.index, ComputedIndex)

    @property
    def is_unique(self) -> bool:
        """Whether no two rows may have it."""
        return self.index is None or self.index.unique

    @property
    def is_kept(self) -> bool:
        """Whether lookups find its holders."""
        return not isinstance(self.index, ComputedIndex) or self.index.kept

    @property
    def id(self) -> int:
        """The index's id, -1 for the rowid, as `Upsert.index` has it."""
        return -1 if self.index is None else self.index.id

    @property
    def conflict(self) -> str | None:
        """The ON CONFLICT of the constraint."""
        if isinstance(self.index, ComputedIndex):
            return None
        return self.table.conflict if self.index is None else self.index.conflict

    def resolution(self, given: Resolution | None) -> Resolution | None:
        """Return what happens to a second row with one key: what the statement says, else what the constraint says."""
        return given or cast("Resolution | None", self.conflict)

    def error(self) -> IntegrityError:
        """Return the error of a second row with one key."""
        places = self.places
        if isinstance(self.index, ComputedIndex):
            if -2 in self.index.columns:
                return IntegrityError(f"UNIQUE constraint failed: index '{self.index.name}'").coded(UNIQUE)
            places = tuple(position + 1 for position in self.index.columns)
        columns = [self._column(place) for place in places]
        is_primary = self.index is None or self.index.origin == "pk"
        code = PRIMARY_KEY if is_primary else UNIQUE
        return IntegrityError(f"UNIQUE constraint failed: {', '.join(columns)}").coded(code)

    def lookup(self, rows: Iterable[Row]) -> Lookup:
        """Return what to look up for the holders of the rows' keys."""
        keys: list[Key]
        if self.is_computed:
            keys = [mark for mark in map(self.mark, rows) if mark is not None]
        elif len(self.places) == 1:
            keys = [(value,) for value in map(itemgetter(*self.places), rows) if value is not None]
        else:
            keys = [key for key in map(itemgetter(*self.places), rows) if None not in key]
        return self.table.id, None if self.index is None else self.index.id, keys

    def _column(self, place: int) -> str:
        position = place - 1 if place else self.table.rowid_column
        return f"{self.table.name}.{'rowid' if position is None else self.table.columns[position].name}"


def unique_keys(table: TableSchema) -> tuple[UniqueKey, ...]:
    """Return the unique keys of a table as SQLite tests them: the rowid, then the indexes, the newest first.

    Those whose constraint replaces rows come last.
    """
    rowid = () if table.without_rowid else (UniqueKey(table, None, (0,), itemgetter(0)),)
    keys = rowid + tuple(_index_key(table, index) for index in reversed(table.indexes) if index.unique)
    return tuple(sorted(keys, key=lambda key: key.conflict == "replace")) if table.replaces else keys


def _index_key(table: TableSchema, index: Index) -> UniqueKey:
    places = tuple(position + 1 for position in index.columns)
    collations = index.collations or tuple("BINARY" for _ in places)
    return UniqueKey(table, index, places, mark_function(places, collations))


def mark_function(places: Sequence[int], collations: Sequence[str]) -> Callable[[Row], Mark | None]:
    """Return the function that gives a row's mark for the values at `places`, None where one of them is NULL."""
    if all(collation == "BINARY" for collation in collations):
        if len(places) == 1:
            return itemgetter(places[0])
        values = itemgetter(*places)

        def plain_mark(row: Row) -> Mark | None:
            key = values(row)
            return None if None in key else key

        return plain_mark

    def collated_mark(row: Row) -> Mark | None:
        key = tuple([collate(row[place], collation) for place, collation in zip(places, collations, strict=True)])
        return None if None in key else key

    return collated_mark


class Holders:
    """Which rows hold the unique keys that new rows of one statement ask for.

    After `load`, the rows that a statement stores or removes are told by `occupy` and `release`, in their order.
    """

    def __init__(self, keys: Sequence[UniqueKey]) -> None:
        self.keys = tuple(keys)
        self._held: list[dict[Mark, Row]] = [{} for _ in self.keys]

    def load(self, view: ReadView, asking: Sequence[Iterable[Row]], besides: Iterable[Lookup] = ()) -> Steps[bool]:
        """Look up who holds the keys of the rows in `asking`, some rows for each key. Return whether somebody does.

        What the caller will look up `besides` is fetched at the same time.
        """
        pairs = list(zip(self.keys, asking, strict=True))
        lookups = [key.lookup(rows) if key.is_kept else (key.table.id, None, []) for key, rows in pairs]
        yield from prefetch(view, [each for each in (*lookups, *besides) if each[2]])
        for (key, rows), held, asked in zip(pairs, self._held, lookups, strict=True):
            if not key.is_kept:
                yield from _find_by_scan(view, key, rows, held)
            elif asked[2]:
                for row in (yield from lookup(view, *asked)):
                    held[key.mark(row)] = row
        return any(self._held)

    def forget(self) -> None:
        """Forget all, so that what is loaded next is what is stored by then."""
        for held in self._held:
            held.clear()

    def conflicts(self, row: Row, besides: int | None = None) -> Iterator[tuple[UniqueKey, Row]]:
        """Yield the keys of a new row that rows other than `besides` (a rowid) hold, each with its holder."""
        for key, held in zip(self.keys, self._held, strict=True):
            mark = key.mark(row)
            holder = None if mark is None else held.get(mark)
            if holder is not None and holder[0] != besides:
                yield key, holder

    def occupy(self, row: Row) -> None:
        """Take note of a stored row."""
        for key, held in zip(self.keys, self._held, strict=True):
            mark = key.mark(row)
            if mark is not None:
                held[mark] = row

    def release(self, row: Row) -> None:
        """Take note of a removed row."""
        for key, held in zip(self.keys, self._held, strict=True):
            holder = held.get(key.mark(row))
            if holder is not None and holder[0] == row[0]:
                del held[key.mark(row)]


def _find_by_scan(view: ReadView, key: UniqueKey, asking: Iterable[Row], held: dict[Mark, Row]) -> Steps[None]:
    """Find the holders of a key that storage has no index for: simple, at the cost of reading the table."""
    wanted = {mark for mark in map(key.mark, asking) if mark is not None}
    for row in (yield from scan(view, key.table.id)) if wanted else ():
        mark = key.mark(row)
        if mark in wanted:
            held[mark] = row


def has_doubles(key: UniqueKey, rows: Sequence[Row]) -> bool:
    """Return whether two of the rows have one key."""
    marks = [mark for mark in map(key.mark, rows) if mark is not None]
    return len(set(marks)) < len(marks)
