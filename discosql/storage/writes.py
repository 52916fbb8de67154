"""What a running transaction has changed in one table: one more layer over the table's version."""

from collections.abc import Sequence
from typing import Any

from discosql.schema import TableSchema
from discosql.storage.batches import apply_changes
from discosql.storage.keys import IndexMap, key_reader
from discosql.storage.state import TableChanges
from discosql.storage.table import MISSING, Layer, TableVersion, remap_layer, row_remapper
from discosql.storage.views import Batch, Key
from discosql.types import Row


class TableWrites:
    """A table under a transaction: its version in the snapshot, and the rows changed since.

    `layer` holds the changed rows as they are now, `before` as they are in the snapshot (None: not there).
    """

    __slots__ = ("_batches", "_high", "_maps", "before", "layer", "rows", "schema", "used", "version")

    def __init__(self, version: TableVersion) -> None:
        self.version = version
        self.schema = version.schema
        self.layer: Layer = {}
        self.before: Layer = {}
        self.rows = version.rows
        self.used = 0
        self._batches: list[Batch] | None = None
        self._high: int | None = None
        self._maps: dict[int, IndexMap] = {}

    # Changing -----------------------------------------------------------------------------------------------------

    def put(self, rowid: int, row: Row | None, old: Row | None) -> Any:
        """Set a rowid's row (None: gone) where `old` was; return what `undo` wants to have back."""
        layer = self.layer
        previous = layer.get(rowid, MISSING)
        if previous is MISSING:
            self.before[rowid] = old
        layer[rowid] = row
        self._batches = None
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
        self._batches = None
        self._high = None

    @property
    def high(self) -> int:
        """The highest rowid in use, 0 in an empty table."""
        if self._high is None:
            top = self.version.high
            if self.layer.get(top, MISSING) is None:
                batches = self.batches()
                top = batches[-1][-1][0] if batches else 0
            elif self.layer:
                top = max([top, *[rowid for rowid, row in self.layer.items() if row is not None]])
            self._high = top
        return self._high

    # Reading ------------------------------------------------------------------------------------------------------

    def get(self, rowid: Any) -> Row | None:
        """Return the row with a rowid, or None."""
        row = self.layer.get(rowid, MISSING)
        return self.version.get(rowid) if row is MISSING else row  # type: ignore[return-value]

    def batches(self) -> list[Batch]:
        """Return all rows in rowid order."""
        if self._batches is None:
            self._batches = apply_changes(self.version.batches(), self.layer)
        return self._batches

    def find(self, index: int, keys: Sequence[Key]) -> list[Row]:
        """Return the rows whose key in an index equals one of the keys, each once, by rowid."""
        layer = self.layer
        found = {row[0]: row for row in self.version.find(index, keys) if row[0] not in layer}
        index_map = self._map(index)
        make = self.version.key_maker(index)
        for key in keys:
            made = make(key)
            rowids = index_map.get(made) if made is not None else None
            if rowids is None:
                continue
            for rowid in (rowids,) if isinstance(rowids, int) else rowids:
                row = layer.get(rowid)
                if row is not None and index_map.read(row) == made:
                    found[rowid] = row
        return list(found.values()) if len(found) < 2 else [found[rowid] for rowid in sorted(found)]

    def _map(self, index: int) -> IndexMap:
        index_map = self._maps.get(index)
        if index_map is None:
            index_map = self._maps[index] = IndexMap(key_reader(self.schema.index(index)))
            index_map.add_all(self.layer.values())
        return index_map

    # Schema and commit --------------------------------------------------------------------------------------------

    def under(self, schema: TableSchema) -> "TableWrites":
        """Return the same changes under a changed schema."""
        writes = TableWrites(self.version.with_schema(schema))
        remap = row_remapper(self.schema, schema)
        writes.layer = dict(self.layer) if remap is None else remap_layer(self.layer, remap)
        writes.before = dict(self.before)
        writes.rows, writes.used = self.rows, self.used
        return writes

    @property
    def changed(self) -> bool:
        """Whether there is anything to commit."""
        return self.used > 0 or any(
            row is not None or self.before[rowid] is not None for rowid, row in self.layer.items()
        )

    def changes(self) -> TableChanges:
        """Return what is to be committed."""
        inserted: list[Row] = []
        updated: list[Row] = []
        deleted: list[int] = []
        before = self.before
        for rowid, row in self.layer.items():
            if row is None:
                if before[rowid] is not None:
                    deleted.append(rowid)
            elif before[rowid] is None:
                inserted.append(row)
            else:
                updated.append(row)
        return TableChanges(inserted, updated, deleted, self.used)
