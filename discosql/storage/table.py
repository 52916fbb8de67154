"""One table as of one moment: immutable, and cheap to derive the next moment's from.

Rows lie in *layers*, dicts of rowid to row (None: gone), the newest first. A commit puts its own layer on top and
merges it with older ones while those are no larger, like the digits of a binary counter, so that a version costs its
changes times a logarithm and old versions stay whole. Batches in rowid order and maps of indexes are made when first
asked for and then kept up by later versions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from discosql.schema import TableSchema
from discosql.storage.batches import Changes, apply_changes, batches_of
from discosql.storage.keys import IndexMap, KeyReader, key_maker, key_reader
from discosql.storage.views import Batch, Key
from discosql.types import Row

Layer: TypeAlias = dict[int, Row | None]

MISSING: Final = object()
"""What a layer says of a rowid that it does not know, in contrast to None: gone."""


class TableVersion:
    """A table's rows as of a slot. `rows` counts them, `used` is at least the highest rowid that was ever used."""

    __slots__ = ("_batches", "_high", "_makers", "_maps", "_source", "layers", "rows", "schema", "used")

    def __init__(self, schema: TableSchema, layers: tuple[Layer, ...] = (), *, rows: int = 0, used: int = 0) -> None:
        self.schema = schema
        self.layers = layers
        self.rows = rows
        self.used = used
        self._high: int | None = None
        self._batches: list[Batch] | None = None
        # Batches of an older version, the layers since then (newest first, linked) and how many rows these hold.
        self._source: tuple[list[Batch], Any, int] | None = None
        self._maps: dict[int, IndexMap] = {}
        self._makers: dict[int, KeyReader] = {}

    # Reading ------------------------------------------------------------------------------------------------------

    def get(self, rowid: Any) -> Row | None:
        """Return the row with a rowid, or None."""
        for layer in self.layers:
            row = layer.get(rowid, MISSING)
            if row is not MISSING:
                return row  # type: ignore[return-value]
        return None

    def batches(self) -> list[Batch]:
        """Return all rows in rowid order; the list and what is in it are shared and must not be changed."""
        if self._batches is None:
            if self._source is None:
                self._batches = batches_of(_merged(reversed(self.layers)))
            else:
                batches, since, _ = self._source
                self._batches = apply_changes(batches, _merged(_oldest_first(since)))
                self._source = None
        return self._batches

    @property
    def high(self) -> int:
        """The highest rowid in use, 0 in an empty table."""
        if self._high is None:
            batches = self.batches()
            self._high = batches[-1][-1][0] if batches else 0
        return self._high

    def find(self, index: int, keys: Sequence[Key]) -> list[Row]:
        """Return the rows whose key in an index equals one of the keys, each once, by rowid."""
        found: dict[int, Row] = {}
        for key, rowids in self.candidates(index, keys):
            read = self._maps[index].read
            for rowid in (rowids,) if isinstance(rowids, int) else rowids:
                row = self.get(rowid)
                if row is not None and read(row) == key:
                    found[rowid] = row
        return list(found.values()) if len(found) < 2 else [found[rowid] for rowid in sorted(found)]

    def candidates(self, index: int, keys: Sequence[Key]) -> list[tuple[Any, int | list[int]]]:
        """Return for each comparable key the rowids that may have it."""
        index_map = self.index_map(index)
        make = self.key_maker(index)
        pairs = [(made, index_map.get(made)) for key in keys if (made := make(key)) is not None]
        return [(made, rowids) for made, rowids in pairs if rowids is not None]

    def key_maker(self, index: int) -> KeyReader:
        """Return what makes comparable keys for an index."""
        maker = self._makers.get(index)
        if maker is None:
            maker = self._makers[index] = key_maker(self.schema.index(index))
        return maker

    def index_map(self, index: int) -> IndexMap:
        """Return the map of an index, made now if this version has none yet."""
        index_map = self._maps.get(index)
        if index_map is None:
            index_map = IndexMap(key_reader(self.schema.index(index)))
            for batch in self.batches():
                index_map.add_all(batch)
            self._maps[index] = index_map
        return index_map

    def known_map(self, index: int) -> IndexMap | None:
        """Return the map of an index if there is one already."""
        return self._maps.get(index)

    # Deriving -----------------------------------------------------------------------------------------------------

    def with_changes(self, layer: Layer, *, rows: int, used: int = 0) -> "TableVersion":
        """Return the table after changes that leave it with `rows` rows; `layer` belongs to the table from now on."""
        version = TableVersion(self.schema, _stacked(layer, self.layers, rows), rows=rows)
        top = max([rowid for rowid, row in layer.items() if row is not None], default=0)
        version.used = max(self.used, used, top)
        if self._high is not None and layer.get(self._high, MISSING) is not None:
            version._high = max(self._high, top) if self.rows else top or None
        version._source = self._source_after(layer)
        version._makers = self._makers
        for index, index_map in self._maps.items():
            index_map.add_all(layer.values())
            index_map.stale += len(layer)
            if not index_map.is_worn(rows):
                version._maps[index] = index_map
        return version

    def _source_after(self, layer: Layer) -> tuple[list[Batch], Any, int] | None:
        if self._batches is not None:
            return self._batches, (layer, None), len(layer)
        if self._source is None:
            return None
        batches, since, size = self._source
        # Beyond some size, making the batches anew is as cheap, and the old ones need not be kept in memory.
        return (batches, (layer, since), size + len(layer)) if size < max(1_000, self.rows // 4) else None

    def with_schema(self, schema: TableSchema) -> "TableVersion":
        """Return the table under a changed schema: columns are matched by id, added ones filled."""
        remap = row_remapper(self.schema, schema)
        layers = self.layers
        if remap is not None:
            layers = tuple(remap_layer(layer, remap) for layer in layers)
        version = TableVersion(schema, layers, rows=self.rows, used=self.used)
        version._high = self._high
        if remap is None:
            version._batches, version._source = self._batches, self._source
            kept = {index.id: index for index in self.schema.indexes}
            version._maps = {
                index.id: self._maps[index.id]
                for index in schema.indexes
                if index.id in self._maps and _same_key(kept[index.id], index)
            }
        return version


def _same_key(old: Any, new: Any) -> bool:
    return bool(old.columns == new.columns and old.collations == new.collations)


def _stacked(layer: Layer, older: tuple[Layer, ...], rows: int) -> tuple[Layer, ...]:
    merged = layer
    taken = 0
    while taken < len(older) and len(older[taken]) <= len(merged):
        merged = {**older[taken], **merged}
        taken += 1
    if taken and taken == len(older) and len(merged) > rows + rows // 4 + 16:
        # Nothing lies below, so what is gone need not be remembered.
        merged = {rowid: row for rowid, row in merged.items() if row is not None}
    return (merged, *older[taken:])


def _merged(layers: Iterable[Layer]) -> Changes:
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


RowRemapper: TypeAlias = Callable[[Row], Row]


def row_remapper(old: TableSchema, new: TableSchema) -> RowRemapper | None:
    """Return the function that turns rows of an old schema into rows of a new one; None if they are the same."""
    places: Mapping[int, int] = {column.id: position for position, column in enumerate(old.columns, 1)}
    if [column.id for column in old.columns] == [column.id for column in new.columns]:
        return None
    fill = tuple(column.fill for column in new.columns)
    sources = tuple(places.get(column.id, 0) for column in new.columns)

    def remap(row: Row) -> Row:
        return (row[0], *[row[source] if source else fill[i] for i, source in enumerate(sources)])

    return remap


def remap_layer(layer: Layer, remap: RowRemapper) -> Layer:
    """Return a layer with every row remapped."""
    return {rowid: None if row is None else remap(row) for rowid, row in layer.items()}
