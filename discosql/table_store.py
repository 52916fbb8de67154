"""One Table class's table in the database: its schema, and its rows as SQL statements."""

from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from discosql.errors import DatabaseStorageError, DatabaseTableError
from discosql.schema import Column, TableSchema
from discosql.table_fields import FieldColumn, default_literal, quote
from discosql.types import SqlType, Value

if TYPE_CHECKING:
    from discosql.background import BackgroundTask
    from discosql.database import Database
    from discosql.table import Table

T = TypeVar("T")


class TableStore:
    """What a ready Table class works through (`__disco_cursor__`)."""

    def __init__(self, database: "Database", name: str, columns: Mapping[str, FieldColumn]) -> None:
        self._database = database
        self._name = name
        self._columns = columns
        self._key = next((column for column in columns.values() if column.storage.primary_key), None)

    # Schema -------------------------------------------------------------------------------------------------------

    async def build(self) -> None:
        """Create the table, or bring it up to the class's fields.

        Raises DatabaseTableError for a change that cannot be made without knowing what its author meant.
        """
        table = self._database.catalog.find_table(self._name)
        if table is None:
            await self._create()
            return
        self._check_columns(table)
        for column in self._columns.values():
            if table.position(column.name) is None:
                await self._add(column)
        await self._create_indexes()

    async def _create(self) -> None:
        definitions = ", ".join(column.definition for column in self._columns.values())
        await self._run(f"CREATE TABLE IF NOT EXISTS {quote(self._name)} ({definitions}) STRICT")
        await self._create_indexes()

    async def _create_indexes(self) -> None:
        for column in self._columns.values():
            if column.storage.index and not column.storage.unique and not column.storage.primary_key:
                index = quote(f"{self._name}_{column.name}")
                await self._run(f"CREATE INDEX IF NOT EXISTS {index} ON {quote(self._name)} ({quote(column.name)})")

    def _check_columns(self, table: TableSchema) -> None:
        missing = [column.name for column in table.columns if column.name not in self._columns]
        if missing:
            raise DatabaseTableError(
                f"table {self._name} has column {missing[0]}, which the class has no field for; keep the field, or run "
                f"ALTER TABLE {quote(self._name)} RENAME COLUMN or DROP COLUMN {quote(missing[0])} first"
            )
        for stored in table.columns:
            self._check_column(table, stored, self._columns[stored.name])

    def _check_column(self, table: TableSchema, stored: Column, column: FieldColumn) -> None:
        if stored.type is not column.type:
            raise DatabaseTableError(
                f"field {column.name} of table {self._name} is now {column.type.value}, but was stored as "
                f"{stored.type.value}; add a field of another name and copy the values with UPDATE"
            )
        position = table.position(column.name)
        if stored.not_null and column.nullable and position not in table.primary_key:
            raise DatabaseTableError(
                f"field {column.name} of table {self._name} may now be None, but its column is NOT NULL; "
                f"add a field of another name and copy the values with UPDATE"
            )

    async def _add(self, column: FieldColumn) -> None:
        if column.storage.primary_key or column.storage.unique:
            raise DatabaseTableError(
                f"field {column.name} was added to table {self._name} as a key, which its stored rows do not have; "
                f"add it without, fill it, and make it unique by CREATE UNIQUE INDEX"
            )
        default = default_literal(column)
        if default is None:
            raise DatabaseTableError(
                f"field {column.name} was added to table {self._name} without a default, which its stored rows need; "
                f"give the field a default or make it optional"
            )
        not_null = "" if column.nullable else " NOT NULL"
        await self._run(
            f"ALTER TABLE {quote(self._name)} ADD COLUMN {quote(column.name)} {column.type.value}{not_null} "
            f"DEFAULT {default}"
        )

    # Rows ---------------------------------------------------------------------------------------------------------

    def start(self, coroutine: Coroutine[Any, Any, T]) -> "BackgroundTask[T]":
        """Run something in the background, for the database to remember."""
        return self._database.background.start(coroutine)

    def take_assigned_key(self, row: "Table", rowid: int) -> None:
        """Give a stored object the integer key that was assigned to it."""
        if self._key is not None and self._key.type is SqlType.INTEGER and getattr(row, self._key.name) is None:
            row.__dict__[self._key.name] = rowid

    async def insert(self, rows: Sequence[tuple[Value, ...]]) -> list[int]:
        """Store rows in one commit and return their rowids."""
        if not rows:
            return []
        names, marks = self._lists()
        sql = f"INSERT INTO {quote(self._name)} ({names}) VALUES ({marks}) RETURNING rowid"
        if len(rows) == 1:
            return [row[0] for row in await self.select(sql, rows[0])]
        connection = self._database.connection
        result = await connection._run(lambda: connection._session.execute_many(sql, rows))
        return [row[0] for row in result.rows]

    async def update(self, rowid: int, row: tuple[Value, ...]) -> int:
        """Rewrite a row and return its rowid, which follows an integer key."""
        changes = ", ".join(f"{quote(name)} = ?" for name in self._columns)
        sql = f"UPDATE {quote(self._name)} SET {changes} WHERE rowid = ? RETURNING rowid"
        changed = await self.select(sql, (*row, rowid))
        if not changed:
            raise DatabaseStorageError(f"the row of table {self._name} is no longer stored; somebody deleted it")
        return int(changed[0][0])

    async def delete(self, rowid: int) -> None:
        """Remove a row."""
        deleted = await self.select(f"DELETE FROM {quote(self._name)} WHERE rowid = ? RETURNING rowid", (rowid,))
        if not deleted:
            raise DatabaseStorageError(f"the row of table {self._name} is no longer stored; somebody deleted it")

    async def upsert(self, row: tuple[Value, ...], conflict: Sequence[str]) -> int:
        """Store a row or rewrite the one with the same key, and return its rowid."""
        names, marks = self._lists()
        key = list(conflict) or ([self._key.name] if self._key is not None else [])
        if not key:
            raise DatabaseTableError(f"table {self._name} has no primary key; name the fields of a unique key")
        # A key that the database assigns is not the caller's to change.
        given = [name for name, value in zip(self._columns, row, strict=True) if name not in self._assigned(value)]
        changes = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in given)
        target = ", ".join(map(quote, key))
        rows = await self.select(
            f"INSERT INTO {quote(self._name)} ({names}) VALUES ({marks}) "
            f"ON CONFLICT ({target}) DO UPDATE SET {changes} RETURNING rowid",
            row,
        )
        return int(rows[0][0])

    def _assigned(self, value: Value) -> tuple[str, ...]:
        return (self._key.name,) if self._key is not None and value is None else ()

    async def select(self, sql: str, parameters: Sequence[Value]) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows as SQL values, not yet converted."""
        connection = self._database.connection
        return (await connection._run(lambda: connection._session.execute(sql, parameters))).rows

    async def _run(self, sql: str) -> None:
        await self.select(sql, ())

    def _lists(self) -> tuple[str, str]:
        return ", ".join(map(quote, self._columns)), ", ".join("?" * len(self._columns))
