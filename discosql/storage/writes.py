"""What a running transaction has changed in one table: one more layer over the table's version."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from discosql.schema import TableSchema
from discosql.storage.batches import apply_changes, sorted_in_steps
from discosql.storage.keys import IndexMap, KeyReader, key_reader
from discosql.storage.layout import MISSING, Layer, layout_of, remap_layer, row_remapper
from discosql.storage.paged import Base
from discosql.storage.state import TableChanges
from discosql.storage.table import TableVersion
from discosql.storage.views import Batch
from discosql.types import Row


class TableWrites:
    """A table under a transaction: its version in the snapshot, and the rows changed since.

    `layer` holds the changed rows as they are now, `before` as they are in the snapshot (None: not there). `used` and
    `reset` are as in `TableChanges`.
    """

    __slots__ = (
        "_batches",
        "_high",
        "_maps",
        "_merged",
        "_ordered",
        "before",
        "layer",
        "reset",
        "rows",
        "schema",
        "used",
        "version",
    )

    def __init__(self, version: TableVersion) -> None:
        self.version = version
        self.schema = version.schema
        self.layer: Layer = {}
        self.before: Layer = {}
        self.rows = version.rows
        self.used = 0
        self.reset: int | None = None
        self._high: int | None = None
        self._maps: dict[int, IndexMap] = {}
        # What scans need, until the next change.
        self._batches: list[Batch] | None = None
        self._merged: Layer | None = None
        self._ordered: list[int] | None = None

    # Changing -----------------------------------------------------------------------------------------------------

    def put(self, rowid: int, row: Row | None, old: Row | None) -> Any:
        """Set a rowid's row (None: gone) where `old` was; return what `undo` wants to have back."""
        layer = self.layer
        previous = layer.get(rowid, MISSING)
        if previous is MISSING:
            self.before[rowid] = old
        layer[rowid] = row
        self._batches = self._merged = None
        if row is None:
            self.rows -= 1
            if rowid == self._high:
                self._high = None
        else:
            if old is None:
                self.rows += 1
            if self._high is not None and rowid > self._high:
                self._high = rowid
            for index_map in self._maps.values():
                index_map.add_all((row,))
        return previous

    def add(self, rows: Mapping[int, Row]) -> None:
        """Add rows, by rowids that no change has touched."""
        self.layer.update(rows)
        self.before.update(dict.fromkeys(rows))
        self._batches = self._merged = None
        self.rows += len(rows)
        if self._high is not None and rows:
            self._high = max(self._high, max(rows))
        for index_map in self._maps.values():
            index_map.add_all(rows.values())

    def remove(self, rows: Iterable[int]) -> None:
        """Take one `add` back."""
        for rowid in rows:
            del self.layer[rowid], self.before[rowid]
            self.rows -= 1
        self._batches = self._merged = None
        self._high = None

    def undo(self, rowid: int, previous: Any) -> None:
        """Take one `put` back, the last first."""
        was = self.layer[rowid] is not None
        if previous is MISSING:
            is_now = self.before.pop(rowid) is not None
            del self.layer[rowid]
        else:
            is_now = previous is not None
            self.layer[rowid] = previous
        self.rows += is_now - was
        self._batches = self._merged = None
        self._high = None

    @property
    def high(self) -> int:
        """The highest rowid in use, 0 in an empty table; over a base, possibly one that was in use once."""
        if self._high is None:
            top = self.version.high if self.reset is None else min(self.version.high, self.reset)
            if self.base is None and self.layer.get(top, MISSING) is None:
                batches = self.batches()
                top = batches[-1][-1][0] if batches else 0
            elif self.layer:
                top = max([top, *[rowid for rowid, row in self.layer.items() if row is not None]])
            self._high = top
        return self._high

    @property
    def noted(self) -> int:
        """The highest rowid that AUTOINCREMENT may not give out any more, the changed rows aside."""
        return max(self.version.used if self.reset is None else self.reset, self.used)

    @property
    def spent(self) -> int:
        """The highest rowid that AUTOINCREMENT may not give out any more."""
        return max(self.noted, self.high)

    def last_rowid(self, above: int | None) -> int:
        """Return what a new rowid follows: the highest in use or `above`, what is higher; 0 if there is neither.

        It is negative where all are, as in SQLite; over a base it may be 0 instead, and for AUTOINCREMENT it is.
        """
        if self.schema.autoincrement:
            return max(self.spent, above or 0)
        last = self.high
        if last <= 0 and self.base is None:
            if not self.rows:
                return above or 0
            # `high` may be 0 instead.
            last = self.batches()[-1][-1][0]
        return last if above is None else max(last, above)

    @property
    def sequence(self) -> tuple[int, int | None]:
        """What changes tell AUTOINCREMENT beside the rows: `used` and `reset`."""
        return self.used, self.reset

    @sequence.setter
    def sequence(self, value: tuple[int, int | None]) -> None:
        if value[1] != self.reset:
            self._high = None
        self.used, self.reset = value

    # Reading ------------------------------------------------------------------------------------------------------

    @property
    def base(self) -> Base | None:
        """The pages below; None for a table that has none."""
        return self.version.base

    def changed(self, rowid: int) -> Any:
        """Return the row that a change put there, None where one removed it, MISSING if none touched it."""
        row = self.layer.get(rowid, MISSING)
        return self.version.changed(rowid) if row is MISSING else row

    def changes(self) -> Layer:
        """Return all changes over the base as one layer; it must not be changed."""
        if self._merged is None:
            self._merged = {**self.version.changes(), **self.layer}
            self._ordered = sorted_in_steps(self._merged)
        return self._merged

    def ordered(self) -> list[int]:
        """Return the rowids of `changes` in order."""
        self.changes()
        assert self._ordered is not None
        return self._ordered

    def batches(self) -> list[Batch]:
        """Return all rows of a table without base in rowid order."""
        if self._batches is None:
            self._batches = apply_changes(self.version.batches(), self.layer)
        return self._batches

    def candidates(self, index: int, key: Any) -> Iterable[int]:
        """Return the rowids of changed rows that may have a comparable key."""
        index_map = self._maps.get(index)
        if index_map is None:
            index_map = self._maps[index] = IndexMap(key_reader(self.schema, self.schema.index(index)))
            index_map.add_all(self.layer.values())
        rowids = index_map.get(key)
        below = self.version.candidates(index, key)
        if rowids is None:
            return below
        return chain(below, (rowids,) if isinstance(rowids, int) else rowids)

    def key_maker(self, index: int) -> KeyReader:
        """Return what makes a comparable key of given values."""
        return self.version.key_maker(index)

    def key_reader(self, index: int) -> KeyReader:
        """Return what reads the comparable key of a row."""
        return self.version.key_reader(index)

    # Schema and commit --------------------------------------------------------------------------------------------

    def under(self, schema: TableSchema) -> "TableWrites":
        """Return the same changes under a changed schema."""
        writes = TableWrites(self.version.with_schema(schema))
        remap = row_remapper(layout_of(self.schema), schema)
        writes.layer = dict(self.layer) if remap is None else remap_layer(self.layer, remap)
        writes.before = dict(self.before)
        writes.rows, writes.sequence = self.rows, self.sequence
        return writes

    @property
    def changed_rows(self) -> bool:
        """Whether there is anything to commit."""
        before = self.before
        if self.used > 0 or self.reset is not None:
            return True
        return any(row is not None or before[rowid] is not None for rowid, row in self.layer.items())

    def to_commit(self) -> TableChanges:
        """Return what is to be committed."""
        inserted: list[Row] = []
        updated: list[Row] = []
        deleted: list[int] = []
        before = self.before
        if not any(before.values()):
            # Nothing that was there is touched, the usual case of a load.
            return TableChanges([row for row in self.layer.values() if row is not None], [], [], *self.sequence)
        for rowid, row in self.layer.items():
            if row is None:
                if before[rowid] is not None:
                    deleted.append(rowid)
            elif before[rowid] is None:
                inserted.append(row)
            else:
                updated.append(row)
        return TableChanges(inserted, updated, deleted, *self.sequence)
