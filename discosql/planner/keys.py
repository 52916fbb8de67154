"""Which keys of a table conditions give: what `use_index`, `index_join` and `decorrelate` look for."""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from discosql.planner.plan import ColumnRef, Expression, IndexLookup, Scan
from discosql.schema import Index, TableSchema
from discosql.types import SqlType

ROWID: Final = -1
"""What stands for the rowid where columns are named by position."""

NO_TEXT: Final = frozenset({SqlType.INTEGER, SqlType.REAL, SqlType.BOOLEAN, SqlType.DECIMAL, SqlType.BLOB})
"""Types whose columns hold no text, so that collations do not matter for them."""


class Match(NamedTuple):
    """A condition that asks a column to equal one of some values; `place` tells the caller which one it is."""

    place: int
    values: tuple[Expression, ...]
    collation: str


Matches: TypeAlias = dict[int, list[Match]]
"""The matches by the position of the column in its table."""


def table_positions(scan: Scan | IndexLookup) -> Iterator[tuple[ColumnRef, int]]:
    """Yield each output column with the position of its column in the table, -1 for the rowid."""
    rowid = scan.table.rowid_column
    for column, stored in zip(scan.output, scan.positions, strict=True):
        yield column, ROWID if stored - 1 == rowid else stored - 1


def candidates(table: TableSchema, matches: Matches) -> Iterator[tuple[Index | None, list[Match]]]:
    """Yield every index (None: the rowid) that has all its columns matched, with one match a column."""
    if not matches:
        return
    if ROWID in matches:
        yield None, [min(matches[ROWID], key=lambda match: len(match.values))]
    for index in table.indexes:
        used = [_match_for(table, matches, index, place) for place in range(len(index.columns))]
        if None not in used:
            yield index, [match for match in used if match is not None]


def _match_for(table: TableSchema, matches: Matches, index: Index, place: int) -> Match | None:
    column = index.columns[place]
    position = ROWID if column == table.rowid_column else column
    fitting = [
        match for match in matches.get(position, ()) if match.collation == _key_collation(table, index, place, match)
    ]
    return min(fitting, key=lambda match: len(match.values), default=None)


def _key_collation(table: TableSchema, index: Index, place: int, match: Match) -> str:
    """Return the collation that a comparison must have to be answered by the index: any, for columns without text."""
    if table.columns[index.columns[place]].type in NO_TEXT:
        return match.collation
    return index.collations[place] if index.collations else "BINARY"
