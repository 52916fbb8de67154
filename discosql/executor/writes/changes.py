"""What a statement does to one table: the changes are made at once and kept for foreign keys and RETURNING."""

from collections.abc import Sequence

from discosql.errors import DatabaseError
from discosql.schema import TableSchema
from discosql.storage.engine import WriteView
from discosql.types import Row


class TableChanges:
    """Changes of a table's rows, each made in the view when it is told.

    `stored` holds the rows as RETURNING shows them, in the order of the changes. `failure` is the error of the row
    at which OR FAIL stopped.
    """

    __slots__ = ("_view", "deleted", "failure", "inserted", "stored", "table", "updated")

    def __init__(self, view: WriteView, table: TableSchema) -> None:
        self.table = table
        self.inserted: list[Row] = []
        self.updated: list[tuple[Row, Row]] = []
        self.deleted: list[Row] = []
        self.stored: list[Row] = []
        self.failure: DatabaseError | None = None
        self._view = view

    @property
    def count(self) -> int:
        """The number of changes, not counting rows that made room for others."""
        return len(self.stored)

    def insert(self, row: Row) -> None:
        """Add a row."""
        self._view.insert(self.table.id, row)
        self.inserted.append(row)
        self.stored.append(row)

    def insert_all(self, rows: Sequence[Row]) -> None:
        """Add many rows."""
        self._view.insert_all(self.table.id, rows)
        self.inserted.extend(rows)
        self.stored.extend(rows)

    def update(self, old: Row, new: Row) -> None:
        """Replace a row; what is exactly as it was counts as changed but is not written."""
        if not _is_same(old, new):
            self._view.update(self.table.id, old, new)
            self.updated.append((old, new))
        self.stored.append(new)

    def delete(self, row: Row) -> None:
        """Remove a row."""
        self.make_room(row)
        self.stored.append(row)

    def make_room(self, row: Row) -> None:
        """Remove a row that is in the way of a new one (REPLACE)."""
        self._view.delete(self.table.id, row)
        self.deleted.append(row)


def _is_same(old: Row, new: Row) -> bool:
    # Equality alone does not tell 1 from 1.0, nor 0.0 from -0.0.
    return old == new and all(a is b or repr(a) == repr(b) for a, b in zip(old, new, strict=True))
