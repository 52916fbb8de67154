"""The rowids of new rows."""

from collections.abc import Iterable, Sequence
from types import NoneType

from discosql.errors import DataError, OperationalError
from discosql.schema import TableSchema
from discosql.storage.engine import WriteView
from discosql.types import MAX_INTEGER, Row, SqlType, Value, convert


class Rowids:
    """Chooses rowids for the rows of one INSERT that name none: each above all that are used, its own rows included.

    Where rows may be passed over, their rowids are `provisional`: `assign` chooses as if every row will be stored, and
    either `reserve` makes that good, or `next` and `use` choose again row by row, so that a row that is not stored
    takes no rowid, as in SQLite.
    """

    def __init__(self, view: WriteView, table: int, *, provisional: bool) -> None:
        self.provisional = provisional
        self._view = view
        self._table = table
        self._chosen = 0
        self._spare: int | None = None
        self._highest: int | None = None

    def assign(self, given: Iterable[int | None]) -> list[int]:
        """Return the rowids of all rows, chosen where none is given."""
        rowids = []
        highest: int | None = None
        for rowid in given:
            if rowid is None:
                rowid = self._choose(highest)
            rowids.append(rowid)
            highest = rowid if highest is None or rowid > highest else highest
        return rowids

    def _choose(self, highest: int | None) -> int:
        self._chosen += 1
        if self._chosen == 1 or not self.provisional:
            rowid = self._view.next_rowid(self._table)
            if self._chosen == 1:
                self._spare = rowid
            if highest is None or rowid > highest:
                return rowid
        if highest is None or highest == MAX_INTEGER:
            raise OperationalError("database or disk is full: the highest rowid is used")
        return highest + 1

    def reserve(self) -> None:
        """Keep other transactions from being given the rowids that were assigned."""
        if self.provisional:
            for _ in range(self._chosen - 1):
                self._view.next_rowid(self._table)

    def next(self) -> int:
        """Return the rowid for the next row that is given none; it stays free until it is used."""
        if self._spare is None or (self._highest is not None and self._spare <= self._highest):
            self._spare = self._view.next_rowid(self._table)
        return self._spare

    def use(self, rowid: int) -> None:
        """Take note that a row is stored under a rowid."""
        if self._highest is None or rowid > self._highest:
            self._highest = rowid


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
