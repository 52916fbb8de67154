"""CREATE TRIGGER and DROP TRIGGER to changes of the catalog."""

from discosql.errors import ProgrammingError
from discosql.planner.context import PlanContext
from discosql.planner.grammar.syntax import CreateTrigger, Drop
from discosql.planner.names import check_created_in_main, check_new_name, is_reserved
from discosql.planner.plan import ChangeSchema
from discosql.planner.pragma import nothing
from discosql.planner.trigger_body import trigger_of


def build_create_trigger(context: PlanContext, statement: CreateTrigger) -> ChangeSchema:
    """Return the change that CREATE TRIGGER makes. As in SQLite, its statements are not looked into before it fires."""
    name, catalog = statement.name.name, context.catalog
    label = f"CREATE TRIGGER {name}"
    check_created_in_main(statement.name)
    table, view = catalog.find_table(statement.table.name), catalog.find_view(statement.table.name)
    if table is None and view is None and not is_reserved(statement.table.name):
        raise ProgrammingError(f"no such table: main.{statement.table.name}")
    check_new_name(name)
    if catalog.find_trigger(name) is not None:
        if statement.if_not_exists:
            return nothing(context, label)
        raise ProgrammingError(f"trigger {name} already exists")
    if is_reserved(statement.table.name):
        raise ProgrammingError("cannot create trigger on system table")
    if view is not None and statement.timing != "instead of":
        raise ProgrammingError(f"cannot create {statement.timing.upper()} trigger on view: {statement.table.name}")
    if table is not None and statement.timing == "instead of":
        raise ProgrammingError(f"cannot create INSTEAD OF trigger on table: {statement.table.name}")
    owner = table or view
    assert owner is not None
    return ChangeSchema(label, catalog.with_trigger(trigger_of(statement, owner.name)))


def build_drop_trigger(context: PlanContext, statement: Drop) -> ChangeSchema:
    """Return the change that DROP TRIGGER makes."""
    name, label = statement.name.name, f"DROP TRIGGER {statement.name.name}"
    if context.catalog.find_trigger(name) is None:
        if statement.if_exists:
            return nothing(context, label)
        raise ProgrammingError(f"no such trigger: {name}")
    return ChangeSchema(label, context.catalog.without_trigger(name))
