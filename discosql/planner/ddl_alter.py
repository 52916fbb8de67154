"""ALTER TABLE (https://www.sqlite.org/lang_altertable.html).

The text of the CREATE TABLE statement is changed and read again, so that it and the schema cannot differ. Columns and
indexes keep their ids, by which storage knows them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from discosql.conversion import convert
from discosql.errors import Error, ProgrammingError, SqlSyntaxError, UnknownNameError
from discosql.planner.build import Binder
from discosql.planner.build_with import build_view
from discosql.planner.context import PlanContext
from discosql.planner.ddl_index import rebuilt_computed
from discosql.planner.ddl_rewrite import Renaming
from discosql.planner.ddl_table import build_table
from discosql.planner.dml_rows import default_value, row_rules
from discosql.planner.grammar.syntax import (
    AddColumn,
    CreateTable,
    DropColumn,
    Name,
    RenameColumn,
    RenameTable,
    TableDefinition,
)
from discosql.planner.names import check_database, check_new_name, is_reserved
from discosql.planner.parameters import ParameterTable
from discosql.planner.parse import parse
from discosql.planner.plan import ChangeSchema, Constant
from discosql.planner.trigger_body import build_trigger, triggered_table
from discosql.schema import Catalog, Column, ComputedIndex, Index, TableSchema
from discosql.types import Value, fold_case

_VIEW_MESSAGES: Final = {
    RenameTable: "view {} may not be altered",
    RenameColumn: 'cannot rename columns of view "{}"',
    AddColumn: "Cannot add a column to a view",
    DropColumn: 'cannot drop column from view "{}"',
}


def build_alter(context: PlanContext, statement: AddColumn | DropColumn | RenameColumn | RenameTable) -> ChangeSchema:
    """Return the change that ALTER TABLE makes to the catalog."""
    table = _altered_table(context, statement.table, _VIEW_MESSAGES[type(statement)])
    match statement:
        case AddColumn():
            return _add_column(context, table, statement)
        case DropColumn():
            return _drop_column(context, table, statement.column)
        case RenameColumn():
            return _rename_column(context, table, statement)
        case RenameTable():
            return _rename_table(context, table, statement)


def _altered_table(context: PlanContext, name: Name, view_message: str) -> TableSchema:
    check_database(name)
    if is_reserved(name.name):
        raise ProgrammingError(f"table {name.name} may not be altered")
    if context.catalog.find_view(name.name, name.database) is not None:
        raise ProgrammingError(view_message.format(name.name))
    return context.catalog.table(name.name, name.database)


def rebuilt(context: PlanContext, old: TableSchema, sql: str, kept: Sequence[Column | None]) -> TableSchema:
    """Return a table as a new text defines it. `kept` has the old column for each new one, None for one that is new."""
    statement = parse(sql).syntax
    assert isinstance(statement, CreateTable)
    new = build_table(context, TableSchema(old.id, statement.name.name, (), sql=sql), statement.definition)
    columns = tuple(
        column if known is None else replace(column, id=known.id, fill=known.fill)
        for column, known in zip(new.columns, kept, strict=True)
    )
    own = [index for index in old.indexes if index.origin != "c"]
    indexes = [replace(index, id=known.id) for index, known in zip(new.indexes, own, strict=True)]
    moved = {old.columns.index(column): i for i, column in enumerate(kept) if column is not None}
    indexes += [_moved(index, moved, old) for index in old.indexes if index.origin == "c"]
    new = new.replace(columns=columns, indexes=tuple(indexes))
    return new.replace(computed_indexes=tuple(_rebuilt_computed(context, new, index) for index in old.computed_indexes))


def _rebuilt_computed(context: PlanContext, table: TableSchema, index: ComputedIndex) -> ComputedIndex:
    try:
        return rebuilt_computed(context, table, index)
    except ProgrammingError as exc:
        raise ProgrammingError(f"error in index {index.name} after drop column: {exc}") from exc


def _moved(index: Index, moved: dict[int, int], table: TableSchema) -> Index:
    lost = [position for position in index.columns if position not in moved]
    if lost:
        name = table.columns[lost[0]].name
        raise ProgrammingError(f"error in index {index.name} after drop column: no such column: {name}")
    return replace(index, columns=tuple(moved[position] for position in index.columns))


def _affected(catalog: Catalog, *, temporary: bool) -> tuple[Catalog, ...]:
    """Return the parts that may name a table: what lasts names nothing that is temporary."""
    return (catalog.part(temporary=True),) if temporary else catalog.parts()


def _check_dependents(context: PlanContext, table: TableSchema, after: str = "") -> None:
    """Raise ProgrammingError if a view or a trigger that may name a table does not work (after the change)."""
    parts = _affected(context.catalog, temporary=table.temporary)
    for view in (view for part in parts for view in part.views.values()):
        try:
            build_view(Binder(context, ParameterTable()), view)
        except Error as exc:
            raise ProgrammingError(f"error in view {view.name}{after}: {exc}") from exc
    for trigger in (trigger for part in parts for trigger in part.triggers.values()):
        try:
            build_trigger(context, trigger, triggered_table(context, trigger))
        except Error as exc:
            raise ProgrammingError(f"error in trigger {trigger.name}{after}: {exc}") from exc


def _checked(context: PlanContext, catalog: Catalog, table: TableSchema, after: str) -> Catalog:
    _check_dependents(replace(context, catalog=catalog), table, f" after {after}")
    # One statement is one change, however many tables and views it touched.
    for temporary in (True, False):
        old, new = context.catalog.part(temporary=temporary), catalog.part(temporary=temporary)
        if new.version != old.version:
            catalog = catalog.with_part(replace(new, version=old.version + 1), temporary=temporary)
    return catalog


# ADD COLUMN ---------------------------------------------------------------------------------------------------------


def _add_column(context: PlanContext, table: TableSchema, statement: AddColumn) -> ChangeSchema:
    definition = statement.definition
    column = definition.columns[0]
    if table.position(column.name) is not None:
        raise ProgrammingError(f"duplicate column name: {column.name}")
    for key in definition.keys:
        raise ProgrammingError(f"Cannot add a {'PRIMARY KEY' if key.primary else 'UNIQUE'} column")
    has_rows = context.statistics(table.id).rows > 0
    if column.stored and has_rows:
        raise ProgrammingError("cannot add a STORED column")
    end = _definition(table).columns_end
    sql = f"{table.sql[:end]}, {statement.text}{table.sql[end:]}"
    try:
        new = rebuilt(context, table, sql, (*table.columns, None))
    except SqlSyntaxError as exc:
        raise ProgrammingError(f"error in table {table.name} after add column: {exc}") from exc
    added = replace(new.columns[-1], id=_next_column_id(context.catalog, table))
    fill = _fill(context, new.name, added, is_literal=not column.default_in_parentheses, has_rows=has_rows)
    if definition.references and fill is not None and has_rows:
        raise ProgrammingError("Cannot add a REFERENCES column with non-NULL default value")
    if column.not_null and fill is None and has_rows and column.generated is None:
        raise ProgrammingError("Cannot add a NOT NULL column with default value NULL")
    new = new.replace(columns=(*new.columns[:-1], replace(added, fill=fill)))
    concerns_rows = definition.checks or column.not_null or column.generated is not None
    check = row_rules(Binder(context, ParameterTable()), new) if concerns_rows else None
    catalog = context.catalog.with_table(new)
    catalog = replace(catalog, next_id=max(catalog.next_id, added.id + 1))
    return ChangeSchema(f"ALTER TABLE {table.name} ADD COLUMN {column.name}", catalog, check_rows=check)


def _definition(table: TableSchema) -> TableDefinition:
    statement = parse(table.sql).syntax
    assert isinstance(statement, CreateTable)
    return statement.definition


def _next_column_id(catalog: Catalog, table: TableSchema) -> int:
    """Return an id that no column of the table ever had: stored rows may still hold values under it."""
    return max(catalog.next_id, *(column.id + 1 for column in table.columns))


def _fill(context: PlanContext, table: str, column: Column, *, is_literal: bool, has_rows: bool) -> Value:
    """Return the value of rows that are there already."""
    if column.default is None:
        return None
    if column.default.upper().startswith("CURRENT_") or not is_literal:
        if has_rows:
            raise ProgrammingError("Cannot add a column with non-constant default")
        return None
    expression = default_value(Binder(context, ParameterTable()), column)
    value = expression.value if isinstance(expression, Constant) else context.evaluate(expression)
    return convert(value, column.type, f"{table}.{column.name}")


# DROP COLUMN --------------------------------------------------------------------------------------------------------


def _drop_column(context: PlanContext, table: TableSchema, name: str) -> ChangeSchema:
    position = _position(table, name)
    column = table.columns[position]
    if position in table.primary_key:
        raise ProgrammingError(f'cannot drop PRIMARY KEY column: "{column.name}"')
    if any(index.origin == "u" and index.columns == (position,) for index in table.indexes):
        raise ProgrammingError(f'cannot drop UNIQUE column: "{column.name}"')
    if len(table.columns) == 1:
        raise ProgrammingError(f'cannot drop column "{column.name}": no other columns exist')
    _check_dependents(context, table)
    kept = tuple(known for known in table.columns if known is not column)
    new = _rebuilt_after(context, table, _text_without(table, position), kept, "drop column")
    catalog = context.catalog.with_table(new)
    catalog = replace(catalog, next_id=max(catalog.next_id, column.id + 1))
    label = f"ALTER TABLE {table.name} DROP COLUMN {column.name}"
    return ChangeSchema(label, _checked(context, catalog, table, "drop column"))


def _position(table: TableSchema, name: str) -> int:
    position = table.position(name)
    if position is None:
        raise UnknownNameError(f'no such column: "{name}"')
    return position


def _text_without(table: TableSchema, position: int) -> str:
    """Return the text of a table without a column: up to the next one, or from the comma before the last."""
    definition, sql = _definition(table), table.sql
    start = definition.columns[position].start
    if position + 1 < len(definition.columns):
        return sql[:start] + sql[definition.columns[position + 1].start :]
    return sql[: sql.rindex(",", 0, start)] + sql[definition.columns_end :]


def _rebuilt_after(
    context: PlanContext, table: TableSchema, sql: str, kept: Sequence[Column | None], after: str
) -> TableSchema:
    try:
        return rebuilt(context, table, sql, kept)
    except ProgrammingError as exc:
        if str(exc).startswith("error in "):
            raise
        raise ProgrammingError(f"error in table {table.name} after {after}: {exc}") from exc


# RENAME -------------------------------------------------------------------------------------------------------------


def _rename_column(context: PlanContext, table: TableSchema, statement: RenameColumn) -> ChangeSchema:
    column = table.columns[_position(table, statement.column)]
    renaming = Renaming(table.name, statement.new_name, quoted=statement.quoted, column=column.name)
    label = f"ALTER TABLE {table.name} RENAME COLUMN {column.name} TO {statement.new_name}"
    return ChangeSchema(label, _renamed(context, renaming, table))


def _rename_table(context: PlanContext, table: TableSchema, statement: RenameTable) -> ChangeSchema:
    new, catalog = statement.new_name, context.catalog
    check_new_name(new)
    database = "temp" if table.temporary else "main"
    if catalog.find_table(new, database) or catalog.find_view(new, database) or catalog.find_index(new, database):
        raise ProgrammingError(f"there is already another table or index with this name: {new}")
    renaming = Renaming(table.name, new, quoted=True)
    return ChangeSchema(f"ALTER TABLE {table.name} RENAME TO {new}", _renamed(context, renaming, table))


def _renamed(context: PlanContext, renaming: Renaming, renamed: TableSchema) -> Catalog:
    """Return the catalog with a name changed in the texts of all tables, indexes, views and triggers."""
    _check_dependents(context, renamed)
    catalog = context.catalog
    parts = _affected(catalog, temporary=renamed.temporary)
    for table in context.catalog.part(temporary=renamed.temporary).tables.values():
        sql = renaming.in_definition(table.sql, table.name)
        if sql == table.sql and fold_case(table.name) != renaming.table:
            continue
        computed = [replace(each, sql=renaming.in_definition(each.sql, table.name)) for each in table.computed_indexes]
        table = table.replace(computed_indexes=tuple(computed))
        new = _rebuilt_after(context, table, sql, table.columns, "rename")
        indexes = [
            replace(index, sql=renaming.in_definition(index.sql, table.name)) if index.sql else index
            for index in new.indexes
        ]
        catalog = catalog.with_table(new.replace(indexes=tuple(indexes)))
    for view in (view for part in parts for view in part.views.values()):
        catalog = catalog.with_view(renaming.in_view(context, view))
    for trigger in (trigger for part in parts for trigger in part.triggers.values()):
        catalog = catalog.with_trigger(renaming.in_trigger(context, trigger))
    return _checked(context, catalog, renamed, "rename")
