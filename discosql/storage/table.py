"""One table as of one moment: immutable, and cheap to derive the next moment's from.

Rows changed since the last checkpoint lie in *layers*, dicts of rowid to row (None: gone), the newest first, over the
pages of the checkpoint (the *base*). A commit puts its own layer on top and merges it with older ones while those are
no larger, like the digits of a binary counter, so that a version costs its changes times a logarithm and old versions
stay whole. Batches in rowid order and maps of indexes are made when first asked for and then kept up by later versions.
"""

from collections.abc import Iterable
from typing import Any

from discosql.schema import ComputedIndex, Index, TableSchema
from discosql.statistics import TableStatistics
from discosql.storage.batches import apply_changes, batches_of, sorted_in_steps
from discosql.storage.keys import IndexMap, KeyReader, key_maker, key_reader
from discosql.storage.layout import MISSING, Layer, layout_of, remap_layer, row_remapper
from discosql.storage.paged import Base
from discosql.storage.views import Batch, Key
from discosql.types import Row


class TableVersion:
    """A table's rows as of a slot. `rows` counts them, `used` is what AUTOINCREMENT goes on from.

    That is at least the highest rowid ever used, unless sqlite_sequence was set: then since, and at least any in use.

    Without a base the layers are the whole table. `estimates` is left to `statistics`, which fills it in.
    """

    __slots__ = (
        "_batches",
        "_high",
        "_makers",
        "_maps",
        "_merged",
        "_ordered",
        "_source",
        "base",
        "estimates",
        "layers",
        "rows",
        "schema",
        "used",
    )

    def __init__(
        self,
        schema: TableSchema,
        layers: tuple[Layer, ...] = (),
        *,
        base: Base | None = None,
        rows: int = 0,
        used: int = 0,
    ) -> None:
        self.schema = schema
        self.layers = layers
        self.base = base
        self.rows = rows
        self.used = used
        self.estimates: TableStatistics | None = None
        self._high: int | None = None
        self._batches: list[Batch] | None = None
        # Batches of an older version, the layers since then (newest first, linked) and how many rows these hold.
        self._source: tuple[list[Batch], Any, int] | None = None
        self._merged: Layer | None = None
        self._ordered: list[int] | None = None
        self._maps: dict[int, IndexMap] = {}
        self._makers: dict[int, KeyReader] = {}

    # Reading ------------------------------------------------------------------------------------------------------

    def changed(self, rowid: int) -> Any:
        """Return the row that a layer has, None where one removed it, MISSING if none knows it."""
        for layer in self.layers:
            row = layer.get(rowid, MISSING)
            if row is not MISSING:
                return row
        return MISSING

    def changes(self) -> Layer:
        """Return all layers as one; it is shared and must not be changed."""
        merged = self._merged
        if merged is None:
            merged = self._merged = _merge(reversed(self.layers)) if len(self.layers) != 1 else self.layers[0]
        return merged

    def ordered(self) -> list[int]:
        """Return the rowids of `changes` in order; shared, too."""
        ordered = self._ordered
        if ordered is None:
            ordered = self._ordered = sorted_in_steps(self.changes())
        return ordered

    def batches(self) -> list[Batch]:
        """Return all rows of a table without base in rowid order; shared, too."""
        batches = self._batches
        if batches is None:
            source = self._source
            if source is None:
                batches = batches_of(self.changes())
            else:
                batches = apply_changes(source[0], _merge(_oldest_first(source[1])))
            self._batches, self._source = batches, None
        return batches

    @property
    def high(self) -> int:
        """The highest rowid in use, 0 in an empty table; over a base, possibly one that was in use once."""
        high = self._high
        if high is None:
            if self.base is None:
                batches = self.batches()
                high = batches[-1][-1][0] if batches else 0
            else:
                high = max([self.base.high, *[rowid for rowid, row in self.changes().items() if row is not None]])
                if self.schema.autoincrement:
                    # Nothing above is in use, even where pages still hold what was deleted.
                    high = min(high, self.used)
            self._high = high
        return high

    def find_in_memory(self, index: int, key: Key) -> list[Row]:
        """Return the rows of a table without base that have a key: the short way for one key."""
        index_map = self._index_map(index)
        made = self.key_maker(index)(key)
        rowids = None if made is None else index_map.get(made)
        if rowids is None:
            return []
        read = index_map.read
        if isinstance(rowids, int):
            row = self.changed(rowids)
            return [row] if row is not MISSING and row is not None and read(row) == made else []
        rows = [self.changed(rowid) for rowid in sorted(set(rowids))]
        return [row for row in rows if row is not MISSING and row is not None and read(row) == made]

    def candidates(self, index: int, key: Any) -> Iterable[int]:
        """Return the rowids of rows in layers that may have a comparable key."""
        rowids = self._index_map(index).get(key)
        if rowids is None:
            return ()
        return (rowids,) if isinstance(rowids, int) else rowids

    def key_maker(self, index: int) -> KeyReader:
        """Return what makes comparable keys for an index."""
        maker = self._makers.get(index)
        if maker is None:
            maker = self._makers[index] = key_maker(self.schema.index(index))
        return maker

    def key_reader(self, index: int) -> KeyReader:
        """Return what reads the comparable key of a row."""
        return self._index_map(index).read

    def _index_map(self, index: int) -> IndexMap:
        index_map = self._maps.get(index)
        if index_map is None:
            index_map = self._maps[index] = IndexMap(key_reader(self.schema, self.schema.index(index)))
            for layer in self.layers:
                index_map.add_all(layer.values())
        return index_map

    def known_map(self, index: int) -> IndexMap | None:
        """Return the map of an index if there is one already."""
        return self._maps.get(index)

    # Deriving -----------------------------------------------------------------------------------------------------

    def with_changes(self, layer: Layer, *, rows: int, used: int = 0, reset: int | None = None) -> "TableVersion":
        """Return the table after changes that leave it with `rows` rows; `layer` belongs to the table from now on.

        `used` and `reset` are as in `TableChanges`.
        """
        version = TableVersion(self.schema, self._stacked(layer, rows), base=self.base, rows=rows)
        top = max([rowid for rowid, row in layer.items() if row is not None], default=0)
        version.used = max(self.used if reset is None else reset, used, top)
        if reset is None and self._high is not None and layer.get(self._high, MISSING) is not None:
            version._high = max(self._high, top) if self.rows else top or None
        version._source = self._source_after(layer)
        version._makers = self._makers
        version.estimates = self.estimates
        outdated = len(layer) - max(0, rows - self.rows)
        for index, index_map in self._maps.items():
            index_map.add_all(layer.values())
            index_map.stale += outdated
            if not index_map.is_worn(rows):
                version._maps[index] = index_map
        return version

    def _stacked(self, layer: Layer, rows: int) -> tuple[Layer, ...]:
        older = self.layers
        merged = layer
        taken = 0
        while taken < len(older) and len(older[taken]) <= len(merged):
            merged = {**older[taken], **merged}
            taken += 1
        if self.base is None and taken and taken == len(older) and len(merged) > rows + rows // 4 + 16:
            # Nothing lies below, so what is gone need not be remembered.
            merged = {rowid: row for rowid, row in merged.items() if row is not None}
        return (merged, *older[taken:])

    def _source_after(self, layer: Layer) -> tuple[list[Batch], Any, int] | None:
        if self._batches is not None:
            return self._batches, (layer, None), len(layer)
        source = self._source
        if source is None:
            return None
        batches, since, size = source
        # Beyond some size, making the batches anew is as cheap, and the old ones need not be kept in memory.
        return (batches, (layer, since), size + len(layer)) if size < max(1_000, self.rows // 4) else None

    def with_schema(self, schema: TableSchema) -> "TableVersion":
        """Return the table under a changed schema: columns are matched by id, added ones filled."""
        remap = row_remapper(layout_of(self.schema), schema)
        layers = self.layers
        if remap is not None:
            layers = tuple(remap_layer(layer, remap) for layer in layers)
        version = TableVersion(schema, layers, base=self.base, rows=self.rows, used=self.used)
        version._high = self._high
        if remap is None:
            version._batches, version._source = self._batches, self._source
            kept = {index.id: index for index in self.schema.kept_indexes}
            version._maps = {
                index.id: self._maps[index.id]
                for index in schema.kept_indexes
                if index.id in self._maps and _same_key(kept[index.id], index)
            }
        return version


def _same_key(old: Index | ComputedIndex, new: Index | ComputedIndex) -> bool:
    if isinstance(new, ComputedIndex):
        return old == new
    return old.columns == new.columns and old.collations == new.collations


def _merge(layers: Iterable[Layer]) -> Layer:
    merged: Layer = {}
    for layer in layers:
        if merged:
            merged.update(layer)
        else:
            merged = dict(layer)
    return merged


def _oldest_first(since: Any) -> list[Layer]:
    layers = []
    while since is not None:
        layer, since = since
        layers.append(layer)
    return layers[::-1]
