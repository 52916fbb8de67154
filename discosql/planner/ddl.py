"""CREATE and DROP to changes of the catalog; ALTER is in `ddl_alter`."""

from typing import Final

from discosql.errors import NotSupportedError, ProgrammingError, UnknownNameError
from discosql.planner.build import Binder
from discosql.planner.built import ResultColumn
from discosql.planner.context import PlanContext
from discosql.planner.ddl_alter import build_alter
from discosql.planner.ddl_index import build_create_index
from discosql.planner.ddl_table import build_table
from discosql.planner.ddl_trigger import build_create_trigger, build_drop_trigger
from discosql.planner.dml_rows import related_rules, row_rules
from discosql.planner.grammar.syntax import (
    AddColumn,
    CreateIndex,
    CreateTable,
    CreateTrigger,
    CreateView,
    Drop,
    DropColumn,
    RenameColumn,
    RenameTable,
    StatementSyntax,
)
from discosql.planner.names import check_database, check_new_name, is_temporary
from discosql.planner.parameters import ParameterTable
from discosql.planner.plan import ChangeSchema, Insert
from discosql.planner.pragma import nothing
from discosql.planner.tokens import quote
from discosql.schema import Catalog, Column, TableSchema, View
from discosql.types import SqlType, declared_type, fold_case

_DATABASES: Final = ("main", "temp")
"""The databases of what is not temporary and of what is."""

_SHORT_TYPES = {SqlType.INTEGER: "INT", SqlType.NUMERIC: "NUM", SqlType.ANY: "", SqlType.BLOB: ""}
"""How CREATE TABLE AS declares its columns; the other types by their names."""


def build_ddl(context: PlanContext, parameters: ParameterTable, statement: StatementSyntax) -> ChangeSchema:
    """Return the change that a statement makes to the catalog."""
    match statement:
        case CreateTable():
            return _create_table(context, parameters, statement)
        case CreateIndex():
            return build_create_index(context, statement)
        case CreateView():
            return _create_view(context, statement)
        case CreateTrigger():
            return build_create_trigger(context, statement)
        case Drop():
            return _drop(context, statement)
        case AddColumn() | DropColumn() | RenameColumn() | RenameTable():
            return build_alter(context, statement)
        case _:
            raise NotSupportedError(f"{type(statement).__name__} is not supported")


def _is_taken(context: PlanContext, name: str, database: str, *, if_not_exists: bool) -> bool:
    """Tell whether a table or view of that name is in a database and that is all right."""
    catalog = context.catalog
    found = "table" if catalog.find_table(name, database) else "view" if catalog.find_view(name, database) else ""
    if found and if_not_exists:
        return True
    if found:
        raise ProgrammingError(f"{found} {name} already exists")
    if catalog.find_index(name, database) is not None:
        raise ProgrammingError(f"there is already an index named {name}")
    return False


# Tables -------------------------------------------------------------------------------------------------------------


def _create_table(context: PlanContext, parameters: ParameterTable, statement: CreateTable) -> ChangeSchema:
    name = statement.name.name
    temporary = is_temporary(statement.name, temporary=statement.temporary)
    check_new_name(name)
    if _is_taken(context, name, _DATABASES[temporary], if_not_exists=statement.if_not_exists):
        return nothing(context, f"CREATE TABLE {name}")
    identity = context.catalog.part(temporary=temporary).next_id
    if statement.query is not None:
        return _create_table_as(context, parameters, statement, identity)
    table = build_table(context, TableSchema(identity, name, (), sql=statement.sql), statement.definition)
    return ChangeSchema(f"CREATE TABLE {name}", context.catalog.with_table(table))


def _create_table_as(
    context: PlanContext, parameters: ParameterTable, statement: CreateTable, table_id: int
) -> ChangeSchema:
    name = statement.name.name
    assert statement.query is not None
    binder = Binder(context, parameters)
    built = binder.query(statement.query, None)
    columns: list[Column] = []
    known: set[str] = set()
    for identity, result in enumerate(built.columns, start=1):
        column = _copied_column(result, identity, known)
        known.add(fold_case(column.name))
        columns.append(column)
    table = TableSchema(table_id, name, tuple(columns), sql=_table_text(name, columns))
    source = built.node
    fill = Insert(row_rules(binder, table), tuple(range(len(columns))), source)
    return ChangeSchema(f"CREATE TABLE {name} AS", context.catalog.with_table(table), fill=fill)


def _copied_column(result: ResultColumn, identity: int, known: set[str]) -> Column:
    name, count = result.name, 0
    while fold_case(name) in known:
        count += 1
        name = f"{result.name}:{count}"
    affinity = result.affinity or SqlType.ANY
    declared = _SHORT_TYPES.get(affinity, affinity.value)
    return Column(identity, name, declared_type(declared), declared)


def _table_text(name: str, columns: list[Column]) -> str:
    """Return the text of a table made by a query, set as SQLite sets it: on one line if it is short."""
    parts = [quote(column.name) + (f" {column.declared}" if column.declared else "") for column in columns]
    # SQLite counts each name with room for its quotes and separator.
    size = sum(len(column.name) + 5 + column.name.count('"') for column in columns) + len(name) + 2
    if size < 50:
        return f"CREATE TABLE {quote(name)}({','.join(parts)})"
    return f"CREATE TABLE {quote(name)}(\n  " + ",\n  ".join(parts) + "\n)"


# Indexes and views --------------------------------------------------------------------------------------------------


def _create_view(context: PlanContext, statement: CreateView) -> ChangeSchema:
    # SQLite looks at what a view selects only when it is used.
    name = statement.name.name
    temporary = is_temporary(statement.name, temporary=statement.temporary)
    check_new_name(name)
    if _is_taken(context, name, _DATABASES[temporary], if_not_exists=statement.if_not_exists):
        return nothing(context, f"CREATE VIEW {name}")
    view = View(name, statement.columns, statement.query, statement.sql, temporary)
    return ChangeSchema(f"CREATE VIEW {name}", context.catalog.with_view(view))


# DROP ---------------------------------------------------------------------------------------------------------------


def _drop(context: PlanContext, statement: Drop) -> ChangeSchema:
    name, label = statement.name.name, f"DROP {statement.kind.upper()} {statement.name.name}"
    check_database(statement.name)
    if statement.kind == "trigger":
        return build_drop_trigger(context, statement)
    if statement.kind == "index":
        return _drop_index(context, statement, label)
    catalog = context.catalog
    database = statement.name.database
    if fold_case(name) in ("sqlite_master", "sqlite_schema"):
        raise ProgrammingError(f"table {name} may not be dropped")
    table, view = catalog.find_table(name, database), catalog.find_view(name, database)
    if statement.kind == "table" and view is not None:
        raise ProgrammingError(f"use DROP VIEW to delete view {name}")
    if statement.kind == "view" and table is not None:
        raise ProgrammingError(f"use DROP TABLE to delete table {name}")
    if view is not None:
        return ChangeSchema(label, _without(catalog, name, temporary=view.temporary))
    if table is not None:
        related = related_rules(Binder(context, ParameterTable()), table)
        left = _without(catalog, name, temporary=table.temporary)
        return ChangeSchema(label, left, dropped=table, related=related)
    if statement.if_exists:
        return nothing(context, label)
    raise UnknownNameError(f"no such {statement.kind}: {name if database is None else f'{database}.{name}'}", name)


def _without(catalog: Catalog, name: str, *, temporary: bool) -> Catalog:
    """Return the catalog without a table or view and its triggers."""
    part = catalog.part(temporary=temporary)
    part = part.without_table(name) if fold_case(name) in part.tables else part.without_view(name)
    return catalog.with_part(part, temporary=temporary).without_triggers_of(name, temporary=temporary)


def _drop_index(context: PlanContext, statement: Drop, label: str) -> ChangeSchema:
    found = context.catalog.find_index(statement.name.name, statement.name.database)
    if found is None:
        if statement.if_exists:
            return nothing(context, label)
        raise UnknownNameError(f"no such index: {statement.name.name}")
    table, index = found
    if index.origin != "c":
        raise ProgrammingError("index associated with UNIQUE or PRIMARY KEY constraint cannot be dropped")
    indexes = tuple(known for known in table.indexes if known.id != index.id)
    computed = tuple(known for known in table.computed_indexes if known.id != index.id)
    changed = table.replace(indexes=indexes, computed_indexes=computed)
    return ChangeSchema(label, context.catalog.with_table(changed))
