"""The catalog: the tables, columns, indexes, constraints, views and triggers of a database; all of it immutable.

Expressions of the schema (DEFAULT, CHECK, generated columns, views, triggers) are kept as SQL text, which the planner
reads. Names are compared without regard to ASCII case, as in SQLite, and kept as written.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from discosql.errors import UnknownNameError
from discosql.types import SqlType, Value, fold_case

TEMPORARY_ID: Final = 2**40
"""The first id of temporary tables and their indexes."""

SEQUENCE: Final = "sqlite_sequence"
"""The table that tells what AUTOINCREMENT gave out last."""

PAGE_SIZE: Final = 4096
"""The bytes of a page in which PRAGMA page_count counts; those stored are of any size."""

VIEW_ID, TEMPORARY_VIEW_ID = 0, -1
"""The ids of tables that stand for views, where rows of a view are changed."""


def quoted(name: str) -> str:
    """Return a name as SQL writes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    `id` is unique within the table and survives renaming and dropping of other columns: stored rows are read by it.
    `declared` is the type as written; `type` what it means. `default` and `generated` are SQL expressions.
    `fill` is the value of rows that were stored before the column was added. `conflict` is the ON CONFLICT of NOT NULL.
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
    conflict: str | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """An index over columns given by position. `origin`: ``c`` CREATE INDEX, ``u`` UNIQUE, ``pk`` PRIMARY KEY.

    Equality of keys is that of each column's `collations` entry. A key with a NULL in it is never equal to another.
    `conflict` is the constraint's ON CONFLICT: replace, ignore, fail, rollback, or None for abort.
    """

    id: int
    name: str
    columns: tuple[int, ...]
    unique: bool
    origin: str = "c"
    collations: tuple[str, ...] = ()
    descending: tuple[bool, ...] = ()
    sql: str | None = None
    conflict: str | None = None


@dataclass(frozen=True, slots=True)
class ComputedIndex:
    """An index over expressions, or of some rows only.

    `keys` are the SQL texts of what it is over, and `columns` their positions, -2 for an expression; `where` is the
    text of the condition that its rows meet. One that is `kept` has pages like any other; it uses nothing that only
    some connections have, such as their own functions. Without, it is for the sake of uniqueness. The rest is as in
    `Index`.
    """

    id: int
    name: str
    keys: tuple[str, ...]
    columns: tuple[int, ...]
    unique: bool
    where: str | None = None
    collations: tuple[str, ...] = ()
    descending: tuple[bool, ...] = ()
    sql: str = ""
    kept: bool = False

    @property
    def origin(self) -> str:
        """It is always made by CREATE INDEX."""
        return "c"


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

    `primary_key` holds positions in key order. `autoincrement` says that a rowid is never used twice. `conflict` is the
    ON CONFLICT of the INTEGER PRIMARY KEY.
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
    conflict: str | None = None
    computed_indexes: tuple[ComputedIndex, ...] = ()

    @property
    def temporary(self) -> bool:
        """Whether it belongs to one session only."""
        return self.id >= TEMPORARY_ID or self.id == TEMPORARY_VIEW_ID

    @property
    def replaces(self) -> bool:
        """Whether a constraint says that rows in the way of new ones are replaced."""
        return "replace" in (self.conflict, *(index.conflict for index in self.indexes))

    @property
    def passes_over(self) -> bool:
        """Whether a constraint says something else than that a statement which breaks it is undone."""
        marks = (self.conflict, *(item.conflict for items in (self.indexes, self.columns) for item in items))
        return any(marks)

    @property
    def all_indexes(self) -> "tuple[Index | ComputedIndex, ...]":
        """The indexes of both kinds."""
        return (*self.indexes, *self.computed_indexes)

    @property
    def kept_indexes(self) -> "tuple[Index | ComputedIndex, ...]":
        """The indexes that rows are found by."""
        if not self.computed_indexes:
            return self.indexes
        return (*self.indexes, *(index for index in self.computed_indexes if index.kept))

    def position(self, name: str) -> int | None:
        """Return the position of the column with that name, or None."""
        folded = fold_case(name)
        for position, column in enumerate(self.columns):
            if fold_case(column.name) == folded:
                return position
        return None

    def index(self, index_id: int) -> "Index | ComputedIndex":
        """Return the index with that id, one that rows are found by."""
        return next(index for index in self.kept_indexes if index.id == index_id)

    def replace(self, **changes: Any) -> "TableSchema":
        """Return a copy with some attributes replaced."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True, slots=True)
class View:
    """A view: its name, the column names given with it (empty: those of the query) and the text of its query.

    A `temporary` one may name temporary tables.
    """

    name: str
    columns: tuple[str, ...]
    query: str
    sql: str = ""
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger of a table, or of a view (`timing` ``instead of``).

    `timing` is before, after or instead of, `event` insert, update or delete; `columns` are those of UPDATE OF, empty
    for any. The condition and the statements are read from `sql`, its CREATE TRIGGER. `database` is that of the table;
    a `temporary` trigger may be of a table that is not.
    """

    name: str
    table: str
    timing: str
    event: str
    columns: tuple[str, ...] = ()
    sql: str = ""
    database: str = "main"
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class Catalog:
    """All tables, views and triggers of a database by folded name. `version` changes with every change of the schema.

    `next_id` is the next free id for tables and indexes; ids are never used twice. Triggers are in the order in which
    they were made. `settings` are numbers that programs keep with their schema (PRAGMA user_version).

    What a session sees may have a `temporary` part, a catalog of its own whose ids begin at `TEMPORARY_ID`. Its tables
    and views hide others of the same name unless a database is named, ``main`` or ``temp``. The attributes above are
    those of ``main``; methods that take a table, view or trigger change the part that it belongs to.
    """

    tables: Mapping[str, TableSchema] = field(default_factory=dict)
    views: Mapping[str, View] = field(default_factory=dict)
    version: int = 0
    next_id: int = 1
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    temporary: "Catalog | None" = None
    settings: Mapping[str, int] = field(default_factory=dict)

    # Parts --------------------------------------------------------------------------------------------------------

    @property
    def lasting(self) -> "Catalog":
        """The catalog without its temporary part."""
        return self if self.temporary is None else dataclasses.replace(self, temporary=None)

    def parts(self) -> "tuple[Catalog, ...]":
        """Return the part that names are looked up in first, then the other."""
        return (self,) if self.temporary is None else (self.temporary, self)

    def part(self, *, temporary: bool) -> "Catalog":
        """Return one of the two parts; the temporary one is empty as long as nothing is in it."""
        return self if not temporary else self.temporary or Catalog(next_id=TEMPORARY_ID)

    def part_of(self, name: str, database: str | None = None) -> "Catalog":
        """Return the part in which a table or view of that name is looked up."""
        if database is not None:
            return self.part(temporary=fold_case(database) == "temp")
        folded = fold_case(name)
        return next((part for part in self.parts() if folded in part.tables or folded in part.views), self)

    def with_part(self, part: "Catalog", *, temporary: bool) -> "Catalog":
        """Return the catalog with one of the two parts replaced."""
        return dataclasses.replace(self, temporary=part) if temporary else part

    # Finding ------------------------------------------------------------------------------------------------------

    def table(self, name: str, database: str | None = None) -> TableSchema:
        """Return the table with that name. Raises UnknownNameError if there is none."""
        found = self.find_table(name, database)
        if found is None:
            raise UnknownNameError(f"no such table: {name if database is None else f'{database}.{name}'}", name)
        return found

    def find_table(self, name: str, database: str | None = None) -> TableSchema | None:
        """Return the table with that name, or None."""
        return self.part_of(name, database).tables.get(fold_case(name))

    def find_view(self, name: str, database: str | None = None) -> View | None:
        """Return the view with that name, or None."""
        return self.part_of(name, database).views.get(fold_case(name))

    def table_by_id(self, table_id: int) -> TableSchema | None:
        """Return the table with that id, or None."""
        tables = self.part(temporary=table_id >= TEMPORARY_ID).tables
        return next((table for table in tables.values() if table.id == table_id), None)

    def find_index(self, name: str, database: str | None = None) -> tuple[TableSchema, Index | ComputedIndex] | None:
        """Return the index with that name and its table, or None."""
        folded = fold_case(name)
        parts = self.parts() if database is None else (self.part(temporary=fold_case(database) == "temp"),)
        for table in (table for part in parts for table in part.tables.values()):
            for index in table.all_indexes:
                if fold_case(index.name) == folded:
                    return table, index
        return None

    def find_trigger(self, name: str, database: str | None = None) -> Trigger | None:
        """Return the trigger with that name, or None."""
        parts = self.parts() if database is None else (self.part(temporary=fold_case(database) == "temp"),)
        return next((part.triggers[fold_case(name)] for part in parts if fold_case(name) in part.triggers), None)

    @property
    def has_triggers(self) -> bool:
        """Whether there is any trigger."""
        return any(part.triggers for part in self.parts())

    def triggers_of(self, table: str, *, temporary: bool = False) -> Iterator[Trigger]:
        """Yield the triggers of a table or view in the order in which they fire: temporary ones and new ones first.

        `temporary` tells in which part the table is.
        """
        folded, database = fold_case(table), "temp" if temporary else "main"
        for part in self.parts():
            for trigger in reversed([*part.triggers.values()]) if part.triggers else ():
                if fold_case(trigger.table) == folded and trigger.database == database:
                    yield trigger

    def children(self, parent: TableSchema) -> Iterator[tuple[TableSchema, ForeignKey]]:
        """Yield every foreign key that refers to a table, with the table that has it: one of the same part."""
        folded = fold_case(parent.name)
        for table in self.part(temporary=parent.temporary).tables.values():
            for key in table.foreign_keys:
                if fold_case(key.parent) == folded:
                    yield table, key

    # Changing -----------------------------------------------------------------------------------------------------

    def with_table(self, table: TableSchema) -> "Catalog":
        """Return the catalog with a table added, or replaced where its id is known (under a new name too)."""
        part = self.part(temporary=table.temporary)
        return self.with_part(part._with_own_table(table), temporary=table.temporary)

    def _with_own_table(self, table: TableSchema) -> "Catalog":
        tables = {name: known for name, known in self.tables.items() if known.id != table.id}
        tables[fold_case(table.name)] = table
        used = max((table.id, *(index.id for index in table.all_indexes)))
        return self._changed(tables=tables, next_id=max(self.next_id, used + 1))

    def without_table(self, name: str) -> "Catalog":
        """Return this part without the named table."""
        folded = fold_case(name)
        return self._changed(tables={key: table for key, table in self.tables.items() if key != folded})

    def with_view(self, view: View) -> "Catalog":
        """Return the catalog with a view added or replaced."""
        part = self.part(temporary=view.temporary)
        part = part._changed(views={**part.views, fold_case(view.name): view})
        return self.with_part(part, temporary=view.temporary)

    def without_view(self, name: str) -> "Catalog":
        """Return this part without the named view."""
        folded = fold_case(name)
        return self._changed(views={key: view for key, view in self.views.items() if key != folded})

    def with_setting(self, name: str, value: int) -> "Catalog":
        """Return the catalog with a setting changed."""
        return self._changed(settings={**self.settings, name: value})

    def with_trigger(self, trigger: Trigger) -> "Catalog":
        """Return the catalog with a trigger added or replaced."""
        part = self.part(temporary=trigger.temporary)
        part = part._changed(triggers={**part.triggers, fold_case(trigger.name): trigger})
        return self.with_part(part, temporary=trigger.temporary)

    def without_trigger(self, name: str) -> "Catalog":
        """Return this part without the named trigger."""
        folded = fold_case(name)
        return self._changed(triggers={key: trigger for key, trigger in self.triggers.items() if key != folded})

    def without_triggers_of(self, table: str, *, temporary: bool = False) -> "Catalog":
        """Return the catalog without the triggers of a table or view of one of the parts."""
        catalog = self
        for trigger in tuple(self.triggers_of(table, temporary=temporary)):
            part = catalog.part(temporary=trigger.temporary).without_trigger(trigger.name)
            catalog = catalog.with_part(part, temporary=trigger.temporary)
        return catalog

    def _changed(self, **changes: Any) -> "Catalog":
        return dataclasses.replace(self, version=self.version + 1, **changes)
