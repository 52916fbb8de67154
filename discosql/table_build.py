"""Bringing a table of the database up to the fields of its Table class."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from discosql.errors import DatabaseTableError, IntegrityError
from discosql.schema import Column, TableSchema, quoted
from discosql.table_fields import FieldColumn, default_literal, rowid_name
from discosql.types import SqlType

if TYPE_CHECKING:
    from discosql.table_store import TableStore

Execute: TypeAlias = Callable[[str, Sequence[Any]], Awaitable[list[tuple[Any, ...]]]]
"""Runs a statement and returns its rows."""


class TableBuilder:
    """Creates one class's table, or adds what the class has gained since.

    What cannot be done without knowing what the class's author meant is a DatabaseTableError that says what to do.
    """

    def __init__(self, store: "TableStore") -> None:
        self._name = store.name
        self._columns: Mapping[str, FieldColumn] = store.columns
        self._execute: Execute = store.select

    async def build(self, table: TableSchema | None) -> None:
        """Create the table, or bring the one that is stored up to date."""
        if table is None:
            await self._create()
        else:
            names = await self._rename(table)
            self._check_columns(table, names)
            stored = set(names.values())
            for column in self._columns.values():
                if column.name not in stored:
                    await self._add(column)
            await self._make_unique(table, names)
        await self._create_indexes()

    # New tables ---------------------------------------------------------------------------------------------------

    async def _create(self) -> None:
        definitions = ", ".join(column.definition for column in self._columns.values())
        await self._execute(f"CREATE TABLE {quoted(self._name)} ({definitions}) STRICT", ())

    async def _create_indexes(self) -> None:
        for column in self._columns.values():
            if column.storage.index and not column.storage.unique and not column.storage.primary_key:
                await self._execute(
                    f"CREATE INDEX IF NOT EXISTS {self._index_name(column)} "
                    f"ON {quoted(self._name)} ({quoted(column.name)})",
                    (),
                )

    def _index_name(self, column: FieldColumn) -> str:
        return quoted(f"{self._name}_{column.name}")

    # Tables that are there ----------------------------------------------------------------------------------------

    async def _rename(self, table: TableSchema) -> dict[str, str]:
        """Rename columns whose fields say what they were called, and return the names now by the stored ones."""
        names = {column.name: column.name for column in table.columns}
        for column in self._columns.values():
            old = column.storage.renamed_from
            if old in names and old not in self._columns and column.name not in names:
                await self._alter(f"RENAME COLUMN {quoted(old)} TO {quoted(column.name)}")
                names[old] = column.name
        return names

    def _check_columns(self, table: TableSchema, names: Mapping[str, str]) -> None:
        problems = [self._missing_field(name) for name in names.values() if name not in self._columns]
        for position, stored in enumerate(table.columns):
            column = self._columns.get(names[stored.name])
            if column is not None:
                problems += self._mismatches(table, position, stored, column)
        if problems:
            raise DatabaseTableError(
                f"class and stored table {self._name} do not fit: {'; '.join(problems)}. SQL for a database that does "
                'not open: discosql "discord://<server>" "ALTER TABLE …"'
            )

    def _missing_field(self, name: str) -> str:
        new = [column.name for column in self._columns.values() if column.storage.renamed_from is None]
        return (
            f"column {name} has no field any more (renamed: give the new field Field(renamed_from={name!r}), one of "
            f"{', '.join(new)}; removed: run ALTER TABLE {quoted(self._name)} DROP COLUMN {quoted(name)}, which erases "
            "its values)"
        )

    def _mismatches(self, table: TableSchema, position: int, stored: Column, column: FieldColumn) -> list[str]:
        found = []
        if stored.type is not column.type:
            found.append(
                f"field {column.name} is now {column.type.value}, but was stored as {stored.type.value} (add a field "
                "of another name and copy the values with UPDATE)"
            )
        is_key = position in table.primary_key
        if is_key != column.storage.primary_key:
            now = "now" if column.storage.primary_key else "no longer"
            found.append(f"field {column.name} is {now} the primary key (undo that, or move the rows to a new class)")
        if stored.not_null and column.nullable and not is_key:
            found.append(
                f"field {column.name} may now be None, but its column is NOT NULL (add a field of another name and "
                "copy the values with UPDATE)"
            )
        return found

    async def _add(self, column: FieldColumn) -> None:
        if column.storage.primary_key:
            raise DatabaseTableError(
                f"field {column.name} was added to table {self._name} as its primary key, which stored rows do not "
                "have; move the rows to a new class"
            )
        literal = default_literal(column) if column.factory is None else self._made_literal(column)
        if literal is None:
            raise DatabaseTableError(
                f"field {column.name} was added to table {self._name} without a default, which its stored rows need; "
                "give the field a default or make it optional"
            )
        not_null = "" if column.nullable else " NOT NULL"
        await self._alter(f"ADD COLUMN {quoted(column.name)} {column.type.value}{not_null} DEFAULT {literal}")
        if column.factory is not None:
            await self._fill(column, column.factory)
        if column.storage.unique:
            await self._create_unique_index(column)

    def _made_literal(self, column: FieldColumn) -> str:
        # What the column needs so that it can be added; stored rows get values of their own.
        empty = {SqlType.BLOB: "x''", SqlType.TEXT: "''", SqlType.JSON: "'null'"}
        return "NULL" if column.nullable else empty.get(column.type, "0")

    async def _fill(self, column: FieldColumn, factory: Callable[[], Any]) -> None:
        """Give every stored row what the field's factory makes."""
        for (rowid,) in await self._execute(f"SELECT {rowid_name(self._columns)} FROM {quoted(self._name)}", ()):
            value = factory()
            await self._execute(
                f"UPDATE {quoted(self._name)} SET {quoted(column.name)} = ? WHERE {rowid_name(self._columns)} = ?",
                (None if value is None else column.encode(value), rowid),
            )

    async def _make_unique(self, table: TableSchema, names: Mapping[str, str]) -> None:
        """Give fields that are unique by now an index that keeps them so."""
        unique = {
            names[table.columns[index.columns[0]].name]
            for index in table.indexes
            if index.unique and len(index.columns) == 1
        }
        for column in self._columns.values():
            if column.storage.unique and column.name in names.values() and column.name not in unique:
                await self._create_unique_index(column)

    async def _create_unique_index(self, column: FieldColumn) -> None:
        try:
            await self._execute(
                f"CREATE UNIQUE INDEX {self._index_name(column)} ON {quoted(self._name)} ({quoted(column.name)})", ()
            )
        except IntegrityError as exc:
            raise DatabaseTableError(
                f"field {column.name} of table {self._name} is now unique, but stored rows share a value; change them "
                "before you make it so"
            ) from exc

    async def _alter(self, change: str) -> None:
        await self._execute(f"ALTER TABLE {quoted(self._name)} {change}", ())
