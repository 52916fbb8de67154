"""CREATE TRIGGER and DROP TRIGGER to changes of the catalog."""

from typing import Final

from discosql.errors import ProgrammingError, UnknownNameError
from discosql.planner.context import PlanContext
from discosql.planner.grammar.syntax import CreateTrigger, Drop
from discosql.planner.names import check_new_name, is_reserved, is_temporary
from discosql.planner.plan import ChangeSchema
from discosql.planner.pragma import nothing
from discosql.schema import TableSchema, Trigger, View

_QUALIFIED: Final = "temporary trigger may not have qualified name"


def build_create_trigger(context: PlanContext, statement: CreateTrigger) -> ChangeSchema:
    """Return the change that CREATE TRIGGER makes. As in SQLite, its statements are not looked into before it fires."""
    name, table, catalog = statement.name.name, statement.table, context.catalog
    temporary = is_temporary(statement.name, temporary=statement.temporary, refusal=_QUALIFIED)
    given = table.database or ("main" if statement.name.database is not None and not temporary else None)
    owner = catalog.find_table(table.name, given) or catalog.find_view(table.name, given)
    if owner is None and not is_reserved(table.name):
        raise UnknownNameError(f"no such table: main.{table.name}")
    check_new_name(name)
    # A trigger of a temporary table is temporary itself.
    temporary = temporary or (owner is not None and owner.temporary)
    if catalog.find_trigger(name, "temp" if temporary else "main") is not None:
        if statement.if_not_exists:
            return nothing(context, f"CREATE TRIGGER {name}")
        raise ProgrammingError(f"trigger {name} already exists")
    if owner is None:
        raise ProgrammingError("cannot create trigger on system table")
    _check_timing(statement, owner)
    database = "temp" if owner.temporary else "main"
    parts = statement.timing, statement.event, statement.columns, statement.sql
    trigger = Trigger(name, owner.name, *parts, database, temporary)
    return ChangeSchema(f"CREATE TRIGGER {name}", catalog.with_trigger(trigger))


def _check_timing(statement: CreateTrigger, owner: TableSchema | View) -> None:
    name = statement.table.name
    if isinstance(owner, View) and statement.timing != "instead of":
        raise ProgrammingError(f"cannot create {statement.timing.upper()} trigger on view: {name}")
    if isinstance(owner, TableSchema) and statement.timing == "instead of":
        raise ProgrammingError(f"cannot create INSTEAD OF trigger on table: {name}")


def build_drop_trigger(context: PlanContext, statement: Drop) -> ChangeSchema:
    """Return the change that DROP TRIGGER makes."""
    name, label = statement.name.name, f"DROP TRIGGER {statement.name.name}"
    trigger = context.catalog.find_trigger(name, statement.name.database)
    if trigger is None:
        if statement.if_exists:
            return nothing(context, label)
        database = statement.name.database
        raise UnknownNameError(f"no such trigger: {name if database is None else f'{database}.{name}'}")
    part = context.catalog.part(temporary=trigger.temporary).without_trigger(name)
    return ChangeSchema(label, context.catalog.with_part(part, temporary=trigger.temporary))
