"""The catalog: the tables, columns, indexes, constraints, views and triggers of a database; all of it immutable.

Expressions of the schema (DEFAULT, CHECK, generated columns, views, triggers) are kept as SQL text, which the planner
reads. Names are compared without regard to ASCII case, as in SQLite, and kept as written.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from discosql.errors import ProgrammingError
from discosql.types import SqlType, Value, fold_case


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    `id` is unique within the table and survives renaming and dropping of other columns: stored rows are read by it.
    `declared` is the type as written; `type` what it means. `default` and `generated` are SQL expressions.
    `fill` is the value of rows that were stored before the column was added.
    """

    id: int
    name: str
    type: SqlType
    declared: str = ""
    not_null: bool = False
    default: str | None = None
    collation: str = "BINARY"
    generated: str | None = None
    stored: bool = False
    fill: Value = None


@dataclass(frozen=True, slots=True)
class Index:
    """An index over columns given by position. `origin`: ``c`` CREATE INDEX, ``u`` UNIQUE, ``pk`` PRIMARY KEY.

    Equality of keys is that of each column's `collations` entry. A key with a NULL in it is never equal to another.
    """

    id: int
    name: str
    columns: tuple[int, ...]
    unique: bool
    origin: str = "c"
    collations: tuple[str, ...] = ()
    descending: tuple[bool, ...] = ()
    sql: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK constraint; `name` is None where it has none."""

    name: str | None
    expression: str


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A FOREIGN KEY: child columns by position, the parent by name; empty `parent_columns` mean its primary key.

    `on_delete` and `on_update` are NO ACTION, RESTRICT, SET NULL, SET DEFAULT or CASCADE.
    """

    columns: tuple[int, ...]
    parent: str
    parent_columns: tuple[str, ...] = ()
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"
    deferred: bool = False


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A table. `rowid_column` is the position of the INTEGER PRIMARY KEY column, which is the rowid itself.

    `primary_key` holds positions in key order. `autoincrement` says that a rowid is never used twice.
    """

    id: int
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[int, ...] = ()
    rowid_column: int | None = None
    indexes: tuple[Index, ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    autoincrement: bool = False
    without_rowid: bool = False
    sql: str = ""

    def position(self, name: str) -> int | None:
        """Return the position of the column with that name, or None."""
        folded = fold_case(name)
        for position, column in enumerate(self.columns):
            if fold_case(column.name) == folded:
                return position
        return None

    def index(self, index_id: int) -> Index:
        """Return the index with that id."""
        return next(index for index in self.indexes if index.id == index_id)

    def replace(self, **changes: Any) -> "TableSchema":
        """Return a copy with some attributes replaced."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True, slots=True)
class View:
    """A view: its name, the column names given with it (empty: those of the query) and the text of its query."""

    name: str
    columns: tuple[str, ...]
    query: str
    sql: str = ""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger of a table, or of a view (`timing` ``instead of``).

    `timing` is before, after or instead of, `event` insert, update or delete; `columns` are those of UPDATE OF, empty
    for any. The condition and the statements are read from `sql`, its CREATE TRIGGER.
    """

    name: str
    table: str
    timing: str
    event: str
    columns: tuple[str, ...] = ()
    sql: str = ""


@dataclass(frozen=True, slots=True)
class IndexStatistics:
    """What the planner may know of an index without a request."""

    pages: int = 0
    distinct: int = 0
    cached_pages: int = 0


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """What the planner may know of a table without a request.

    `ranges` maps a column's position to its smallest and largest stored value, where known. `highest_rowid` is the
    highest that AUTOINCREMENT ever gave out, which sqlite_sequence shows.
    """

    rows: int = 0
    pages: int = 0
    bytes: int = 0
    cached_pages: int = 0
    indexes: Mapping[int, IndexStatistics] = field(default_factory=dict)
    ranges: Mapping[int, tuple[Value, Value]] = field(default_factory=dict)
    highest_rowid: int = 0


@dataclass(frozen=True, slots=True)
class Catalog:
    """All tables, views and triggers of a database by folded name. `version` changes with every change of the schema.

    `next_id` is the next free id for tables and indexes; ids are never used twice. Triggers are in the order in which
    they were made.
    """

    tables: Mapping[str, TableSchema] = field(default_factory=dict)
    views: Mapping[str, View] = field(default_factory=dict)
    version: int = 0
    next_id: int = 1
    triggers: Mapping[str, Trigger] = field(default_factory=dict)

    def table(self, name: str) -> TableSchema:
        """Return the table with that name. Raises ProgrammingError if there is none."""
        found = self.find_table(name)
        if found is None:
            raise ProgrammingError(f"no such table: {name}")
        return found

    def find_table(self, name: str) -> TableSchema | None:
        """Return the table with that name, or None."""
        return self.tables.get(fold_case(name))

    def find_view(self, name: str) -> View | None:
        """Return the view with that name, or None."""
        return self.views.get(fold_case(name))

    def table_by_id(self, table_id: int) -> TableSchema | None:
        """Return the table with that id, or None."""
        return next((table for table in self.tables.values() if table.id == table_id), None)

    def find_index(self, name: str) -> tuple[TableSchema, Index] | None:
        """Return the index with that name and its table, or None."""
        folded = fold_case(name)
        for table in self.tables.values():
            for index in table.indexes:
                if fold_case(index.name) == folded:
                    return table, index
        return None

    def find_trigger(self, name: str) -> Trigger | None:
        """Return the trigger with that name, or None."""
        return self.triggers.get(fold_case(name))

    def triggers_of(self, table: str) -> Iterator[Trigger]:
        """Yield the triggers of the named table or view, the newest first: the order in which they fire."""
        if self.triggers:
            folded = fold_case(table)
            yield from (item for item in reversed([*self.triggers.values()]) if fold_case(item.table) == folded)

    def children(self, parent: str) -> Iterator[tuple[TableSchema, ForeignKey]]:
        """Yield every foreign key that refers to the named table, with the table that has it."""
        folded = fold_case(parent)
        for table in self.tables.values():
            for key in table.foreign_keys:
                if fold_case(key.parent) == folded:
                    yield table, key

    def with_table(self, table: TableSchema) -> "Catalog":
        """Return the catalog with a table added, or replaced where its id is known (under a new name too)."""
        tables = {name: known for name, known in self.tables.items() if known.id != table.id}
        tables[fold_case(table.name)] = table
        used = max((table.id, *(index.id for index in table.indexes)))
        return self._changed(tables=tables, next_id=max(self.next_id, used + 1))

    def without_table(self, name: str) -> "Catalog":
        """Return the catalog without the named table."""
        folded = fold_case(name)
        return self._changed(tables={key: table for key, table in self.tables.items() if key != folded})

    def with_view(self, view: View) -> "Catalog":
        """Return the catalog with a view added or replaced."""
        return self._changed(views={**self.views, fold_case(view.name): view})

    def without_view(self, name: str) -> "Catalog":
        """Return the catalog without the named view."""
        folded = fold_case(name)
        return self._changed(views={key: view for key, view in self.views.items() if key != folded})

    def with_trigger(self, trigger: Trigger) -> "Catalog":
        """Return the catalog with a trigger added or replaced."""
        return self._changed(triggers={**self.triggers, fold_case(trigger.name): trigger})

    def without_trigger(self, name: str) -> "Catalog":
        """Return the catalog without the named trigger."""
        folded = fold_case(name)
        return self._changed(triggers={key: trigger for key, trigger in self.triggers.items() if key != folded})

    def without_triggers_of(self, table: str) -> "Catalog":
        """Return the catalog without the triggers of the named table or view."""
        folded = fold_case(table)
        left = {key: trigger for key, trigger in self.triggers.items() if fold_case(trigger.table) != folded}
        return self if len(left) == len(self.triggers) else self._changed(triggers=left)

    def _changed(self, **changes: Any) -> "Catalog":
        return dataclasses.replace(self, version=self.version + 1, **changes)


def table_to_json(table: TableSchema) -> dict[str, Any]:
    """Return a table as JSON data, without what equals a default; `table_from_json` reads it back.

    Values of `fill` stay SQL values; the storage codec writes them.
    """
    return _to_json(table)


def table_from_json(data: Mapping[str, Any]) -> TableSchema:
    """Return the table that `table_to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return TableSchema(
        **{
            **data,
            "columns": tuple(Column(**{**item, "type": SqlType(item["type"])}) for item in data["columns"]),
            "primary_key": tuple(data.get("primary_key", ())),
            "indexes": tuple(Index(**_tuples(item)) for item in data.get("indexes", ())),
            "checks": tuple(Check(**item) for item in data.get("checks", ())),
            "foreign_keys": tuple(ForeignKey(**_tuples(item)) for item in data.get("foreign_keys", ())),
        }
    )


def view_to_json(view: View) -> dict[str, Any]:
    """Return a view as JSON data; `view_from_json` reads it back."""
    return _to_json(view)


def view_from_json(data: Mapping[str, Any]) -> View:
    """Return the view that `view_to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return View(**_tuples(data))


def trigger_to_json(trigger: Trigger) -> dict[str, Any]:
    """Return a trigger as JSON data; `trigger_from_json` reads it back."""
    return _to_json(trigger)


def trigger_from_json(data: Mapping[str, Any]) -> Trigger:
    """Return the trigger that `trigger_to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return Trigger(**_tuples(data))


def _to_json(item: Any) -> dict[str, Any]:
    data = {}
    for attribute in dataclasses.fields(item):
        value = getattr(item, attribute.name)
        if value != attribute.default:
            data[attribute.name] = _json_value(value)
    return data


def _json_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_json_value(item) for item in value]
    if isinstance(value, SqlType):
        return value.value
    return _to_json(value) if dataclasses.is_dataclass(value) else value


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else value
        for key, value in data.items()
    }
