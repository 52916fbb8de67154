"""The rowids of new rows."""

from collections.abc import Sequence
from types import NoneType

from discosql.conversion import convert
from discosql.errors import DataError
from discosql.schema import TableSchema
from discosql.storage.engine import WriteView
from discosql.types import Row, SqlType, Value


class Rowids:
    """Chooses rowids for the rows of one INSERT that name none: each above all that are used, its own rows included.

    Where rows may be left out, as `late` says, a rowid is chosen when its row is stored: a row that is not
    takes none, as in SQLite.
    """

    def __init__(self, view: WriteView, table: TableSchema, *, late: bool) -> None:
        self.late = late
        self._view = view
        self._table = table

    def assign(self, given: Sequence[int | None]) -> Sequence[int | None]:
        """Return the rowids of all rows, chosen where none is given."""
        if self.late or None not in given:
            return given
        if given.count(None) == len(given):
            return self._view.next_rowids(self._table.id, len(given))
        rowids = []
        highest: int | None = None
        for rowid in given:
            if rowid is None:
                rowid = self._view.next_rowids(self._table.id, 1, above=highest)[0]
            rowids.append(rowid)
            highest = rowid if highest is None else max(rowid, highest)
        return rowids

    def settled(self, row: Row) -> Row:
        """Return a row that is about to be stored with its rowid."""
        return row if row[0] is not None else place_rowid(self._table, row, self._view.next_rowid(self._table.id))


def given_rowids(values: Sequence[Value]) -> Sequence[int | None]:
    """Return values given for the rowids of new rows as integers, None where one is to be chosen."""
    if set(map(type, values)) <= {int, NoneType}:
        return values  # type: ignore[return-value]
    return [None if value is None else integer_rowid(value) for value in values]


def integer_rowid(value: Value) -> int:
    """Return a value given for a rowid as the integer it must be."""
    try:
        rowid = convert(value, SqlType.INTEGER, "rowid")
    except DataError:
        rowid = None
    if not isinstance(rowid, int):
        raise DataError("datatype mismatch")
    return rowid


def place_rowid(table: TableSchema, row: Row, rowid: int) -> Row:
    """Return a row under another rowid."""
    own = table.rowid_column
    return (rowid, *row[1:]) if own is None else (rowid, *row[1 : own + 1], rowid, *row[own + 2 :])
