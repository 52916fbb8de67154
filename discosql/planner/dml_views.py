"""INSERT, UPDATE and DELETE by what they change: a table, or what has no stored rows of its own.

That is a view that INSTEAD OF triggers make changeable, or sqlite_sequence.
"""

from typing import Final, Literal

from discosql.errors import ProgrammingError
from discosql.planner.authorizer import Authorizer
from discosql.planner.build import Binder
from discosql.planner.build_with import build_view
from discosql.planner.built import scope_columns
from discosql.planner.context import PlanContext
from discosql.planner.dml import (
    build_delete,
    build_insert,
    build_update,
    changed_rows,
    insert_positions,
    insert_source,
    returning_of,
)
from discosql.planner.dml_assignments import assigned
from discosql.planner.dml_rows import row_rules
from discosql.planner.grammar.syntax import DeleteStatement, InsertStatement, UpdateStatement
from discosql.planner.names import check_database, sequence_database
from discosql.planner.parameters import ParameterTable
from discosql.planner.plan import Delete, Insert, Update, ViewChange
from discosql.schema import SEQUENCE, TEMPORARY_VIEW_ID, VIEW_ID, Column, TableSchema, View
from discosql.types import SqlType, fold_case

_EVENTS: Final[dict[type, Literal["insert", "update", "delete"]]] = {
    InsertStatement: "insert",
    UpdateStatement: "update",
    DeleteStatement: "delete",
}

_SEQUENCES: Final = {
    database: TableSchema(
        identity, SEQUENCE, (Column(1, "name", SqlType.ANY), Column(2, "seq", SqlType.ANY)), without_rowid=True
    )
    for database, identity in (("main", VIEW_ID), ("temp", TEMPORARY_VIEW_ID))
}
"""What stands for sqlite_sequence of each database."""


def build_change(
    context: PlanContext, parameters: ParameterTable, statement: InsertStatement | UpdateStatement | DeleteStatement
) -> Insert | Update | Delete | ViewChange:
    """Return the plan of a statement that changes rows."""
    if context.authorizer is not None:
        statement = _authorized(context, context.authorizer, statement)
    view = context.catalog.find_view(statement.table.name, statement.table.database)
    if view is not None:
        check_database(statement.table)
        return _build_view_change(context, parameters, statement, view)
    sequence = sequence_database(context.catalog, statement.table)
    if sequence is not None:
        check_database(statement.table)
        return _build_rowless(context, parameters, statement, _SEQUENCES[sequence])
    match statement:
        case InsertStatement():
            return build_insert(context, parameters, statement)
        case UpdateStatement():
            return build_update(context, parameters, statement)
        case DeleteStatement():
            return build_delete(context, parameters, statement)


def _authorized(
    context: PlanContext, authorizer: Authorizer, statement: InsertStatement | UpdateStatement | DeleteStatement
) -> InsertStatement | UpdateStatement | DeleteStatement:
    """Ask the authorizer about a change of rows; what is not there is an error of its own."""
    sequence = sequence_database(context.catalog, statement.table)
    if sequence is not None:
        return authorizer.change(statement, SEQUENCE, sequence)
    part = context.catalog.part_of(statement.table.name, statement.table.database)
    found = part.find_table(statement.table.name) or part.find_view(statement.table.name)
    if found is None:
        return statement
    return authorizer.change(statement, found.name, "temp" if found.temporary else "main")


def view_table(context: PlanContext, view: View) -> TableSchema:
    """Return the table that stands for a view where rows of it are changed: its columns, without types."""
    built = build_view(Binder(context, ParameterTable()), view)
    names = view.columns or [column.name for column in scope_columns(built.columns, [c.ref for c in built.columns])]
    columns = [
        Column(identity, name, SqlType.ANY, collation=column.ref.collation)
        for identity, (name, column) in enumerate(zip(names, built.columns, strict=True), start=1)
    ]
    return TableSchema(TEMPORARY_VIEW_ID if view.temporary else VIEW_ID, view.name, tuple(columns), without_rowid=True)


def _build_view_change(
    context: PlanContext,
    parameters: ParameterTable,
    statement: InsertStatement | UpdateStatement | DeleteStatement,
    view: View,
) -> ViewChange:
    event = _EVENTS[type(statement)]
    set_names = (
        {fold_case(name) for assignment in statement.assignments for name in assignment.names}
        if isinstance(statement, UpdateStatement)
        else set()
    )
    known = context.catalog.triggers_of(view.name, temporary=view.temporary)
    triggers = [trigger for trigger in known if trigger.event == event]
    if not any(not trigger.columns or set_names & set(map(fold_case, trigger.columns)) for trigger in triggers):
        raise ProgrammingError(f"cannot modify {view.name} because it is a view")
    return _build_rowless(context, parameters, statement, view_table(context, view))


def _build_rowless(
    context: PlanContext,
    parameters: ParameterTable,
    statement: InsertStatement | UpdateStatement | DeleteStatement,
    table: TableSchema,
) -> ViewChange:
    """Return the change of something that has columns, but no stored rows; `table` stands for it."""
    event = _EVENTS[type(statement)]
    if isinstance(statement, InsertStatement):
        return _build_insert(context, parameters, statement, table)
    values = dict(assigned(table, statement.assignments)) if isinstance(statement, UpdateStatement) else {}
    target = (table, statement.alias or table.name)
    binder, source = changed_rows(context, parameters, target, statement.source, values.values())
    rules = row_rules(binder, table, source.output[: len(table.columns) + 1])
    resolution = statement.resolution if isinstance(statement, UpdateStatement) else None
    returning = returning_of(binder, rules, statement.returning)
    return ViewChange(event, rules, tuple(values), source, resolution, returning)


def _build_insert(
    context: PlanContext, parameters: ParameterTable, statement: InsertStatement, table: TableSchema
) -> ViewChange:
    if statement.upserts:
        raise ProgrammingError(f"cannot UPSERT {'a view' if table.name != SEQUENCE else SEQUENCE}")
    binder = Binder(context, parameters)
    source, positions = insert_source(binder, table, statement, insert_positions(table, statement))
    rules = row_rules(binder, table)
    returning = returning_of(binder, rules, statement.returning)
    return ViewChange("insert", rules, positions, source, statement.resolution, returning)
