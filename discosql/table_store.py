"""One Table class's table in the database: its rows as SQL statements."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from discosql.errors import DatabaseStorageError, DatabaseTableError
from discosql.schema import quoted
from discosql.table_build import TableBuilder
from discosql.table_fields import UNSAVED, FieldColumn, rowid_name
from discosql.types import SqlType, Value

if TYPE_CHECKING:
    from discosql.background import BackgroundTask
    from discosql.database import Database
    from discosql.table import Table

T = TypeVar("T")


class TableStore:
    """What a ready Table class works through (`__disco_cursor__`)."""

    def __init__(self, database: "Database", name: str, columns: Mapping[str, FieldColumn]) -> None:
        self.name = name
        self.columns = columns
        self._database = database
        self._rowid = rowid_name(columns)
        self._key = next((column for column in columns.values() if column.storage.primary_key), None)

    async def build(self) -> None:
        """Create the table, or bring it up to the class's fields.

        Raises DatabaseTableError for a change that cannot be made without knowing what its author meant.
        """
        await TableBuilder(self).build(self._database.catalog.find_table(self.name))

    # Objects ------------------------------------------------------------------------------------------------------

    def is_stored(self, row: "Table") -> bool:
        """Tell whether an object is stored, or will be once what was started for it is done."""
        return self._database.background.is_stored(row, row.__disco_id__ != UNSAVED)

    def start(self, row: "Table", run: Callable[[], Coroutine[Any, Any, T]], *, stored: bool) -> "BackgroundTask[T]":
        """Run something for an object in the background; `stored` tells whether it is stored afterwards."""
        return self._database.start(row, run, stored=stored)

    def place(self, row: "Table", rowid: int) -> None:
        """Let an object know its rowid, and the integer key that was assigned to it."""
        self._remember(row)
        row._disco_rowid = rowid
        key = self.assigned_key
        if key is not None and getattr(row, key) is None:
            row.__dict__[key] = rowid

    def forget(self, row: "Table") -> None:
        """Let an object know that it is no longer stored."""
        self._remember(row)
        row._disco_rowid = UNSAVED

    def _remember(self, row: "Table") -> None:
        key = self.assigned_key
        self._database.remember(row, row.__disco_id__, {} if key is None else {key: getattr(row, key)})

    @property
    def assigned_key(self) -> str | None:
        """The field of an INTEGER primary key, which is the rowid; None without one."""
        return self._key.name if self._key is not None and self._key.type is SqlType.INTEGER else None

    # Statements ---------------------------------------------------------------------------------------------------

    async def insert(self, rows: Sequence[tuple[Value, ...]]) -> list[int]:
        """Store rows in one commit and return their rowids."""
        if not rows:
            return []
        names, marks = self._lists()
        sql = f"INSERT INTO {quoted(self.name)} ({names}) VALUES ({marks}) RETURNING {self._rowid}"
        if len(rows) == 1:
            return [row[0] for row in await self.select(sql, rows[0])]
        connection = self._database.connection
        result = await connection._run(lambda: connection._session.execute_many(sql, rows))
        return [row[0] for row in result.rows]

    async def update(self, rowid: int, row: tuple[Value, ...]) -> int:
        """Rewrite a row and return its rowid, which follows an integer key."""
        # A key that was assigned while the row was on its way is still None in its values.
        given = [(n, v) for n, v in zip(self.columns, row, strict=True) if v is not None or n != self.assigned_key]
        changes = ", ".join(f"{quoted(name)} = ?" for name, _ in given)
        sql = f"UPDATE {quoted(self.name)} SET {changes} WHERE {self._rowid} = ? RETURNING {self._rowid}"
        changed = await self.select(sql, (*(value for _, value in given), rowid))
        if not changed:
            raise DatabaseStorageError(f"the row of table {self.name} is no longer stored; somebody deleted it")
        return int(changed[0][0])

    async def delete(self, rowid: int) -> None:
        """Remove a row."""
        sql = f"DELETE FROM {quoted(self.name)} WHERE {self._rowid} = ? RETURNING {self._rowid}"
        deleted = await self.select(sql, (rowid,))
        if not deleted:
            raise DatabaseStorageError(f"the row of table {self.name} is no longer stored; somebody deleted it")

    async def upsert(self, row: tuple[Value, ...], conflict: Sequence[str]) -> int:
        """Store a row or rewrite the one with the same key, and return its rowid."""
        names, marks = self._lists()
        key = list(conflict) or ([self._key.name] if self._key is not None else [])
        if not key:
            raise DatabaseTableError(f"table {self.name} has no primary key; name the fields of a unique key")
        # A key that the database assigns is not the caller's to change.
        given = [n for n, v in zip(self.columns, row, strict=True) if v is not None or n != self.assigned_key]
        changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in given)
        target = ", ".join(map(quoted, key))
        rows = await self.select(
            f"INSERT INTO {quoted(self.name)} ({names}) VALUES ({marks}) "
            f"ON CONFLICT ({target}) DO UPDATE SET {changes} RETURNING {self._rowid}",
            row,
        )
        return int(rows[0][0])

    async def select(self, sql: str, parameters: Sequence[Value]) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows as SQL values, not yet converted."""
        connection = self._database.connection
        return (await connection._run(lambda: connection._session.execute(sql, parameters))).rows

    def _lists(self) -> tuple[str, str]:
        return ", ".join(map(quoted, self.columns)), ", ".join("?" * len(self.columns))
