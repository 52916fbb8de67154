"""CREATE TRIGGER and DROP TRIGGER to changes of the catalog."""

from discosql.errors import ProgrammingError, UnknownNameError
from discosql.planner.context import PlanContext
from discosql.planner.grammar.syntax import CreateTrigger, Drop
from discosql.planner.names import check_new_name, is_reserved, is_temporary
from discosql.planner.plan import ChangeSchema
from discosql.planner.pragma import nothing
from discosql.schema import Trigger


def build_create_trigger(context: PlanContext, statement: CreateTrigger) -> ChangeSchema:
    """Return the change that CREATE TRIGGER makes. As in SQLite, its statements are not looked into before it fires."""
    name, catalog = statement.name.name, context.catalog
    label = f"CREATE TRIGGER {name}"
    temporary = is_temporary(statement.name, "trigger", temporary=statement.temporary)
    # A trigger of a temporary table is temporary itself.
    given = statement.table.database or (statement.name.database and "main" if not temporary else None)
    table, view = catalog.find_table(statement.table.name, given), catalog.find_view(statement.table.name, given)
    if table is None and view is None and not is_reserved(statement.table.name):
        raise UnknownNameError(f"no such table: main.{statement.table.name}")
    check_new_name(name)
    owner = table or view
    temporary = temporary or (owner is not None and owner.temporary)
    if catalog.find_trigger(name, "temp" if temporary else "main") is not None:
        if statement.if_not_exists:
            return nothing(context, label)
        raise ProgrammingError(f"trigger {name} already exists")
    if is_reserved(statement.table.name):
        raise ProgrammingError("cannot create trigger on system table")
    if view is not None and statement.timing != "instead of":
        raise ProgrammingError(f"cannot create {statement.timing.upper()} trigger on view: {statement.table.name}")
    if table is not None and statement.timing == "instead of":
        raise ProgrammingError(f"cannot create INSTEAD OF trigger on table: {statement.table.name}")
    assert owner is not None
    database = "temp" if owner.temporary else "main"
    parts = statement.timing, statement.event, statement.columns, statement.sql
    return ChangeSchema(label, catalog.with_trigger(Trigger(name, owner.name, *parts, database, temporary)))


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
