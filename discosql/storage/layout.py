"""The layout of stored rows: which columns they have, and how rows of an older schema are read under a newer one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from discosql.schema import TableSchema
from discosql.types import Row

MISSING: Final = object()
"""What a layer of changes says of a rowid that it does not know, in contrast to None: gone."""

Layer: TypeAlias = dict[int, Row | None]
"""Rows by rowid as a change left them; None where it removed one."""

RowRemapper: TypeAlias = Callable[[Row], Row]


def layout_of(schema: TableSchema) -> tuple[int, ...]:
    """Return the ids of the columns that a stored row of a schema has."""
    return tuple([column.id for column in schema.columns])


def row_remapper(old: Sequence[int], schema: TableSchema) -> RowRemapper | None:
    """Return the function that turns rows of an old layout into rows of a schema; None if they are the same."""
    if tuple(old) == layout_of(schema):
        return None
    places: Mapping[int, int] = {column: position for position, column in enumerate(old, 1)}
    fill = tuple(column.fill for column in schema.columns)
    sources = tuple(places.get(column.id, 0) for column in schema.columns)

    def remap(row: Row) -> Row:
        return (row[0], *[row[source] if source else fill[i] for i, source in enumerate(sources)])

    return remap


def remap_layer(layer: Layer, remap: RowRemapper) -> Layer:
    """Return a layer with every row remapped."""
    return {rowid: None if row is None else remap(row) for rowid, row in layer.items()}
