"""From a trigger's text to the plans of its condition and its statements."""

from dataclasses import replace

from sqlglot import exp

from discosql.planner.build import Binder
from discosql.planner.context import PlanContext
from discosql.planner.dml_views import build_change, view_table
from discosql.planner.grammar.syntax import CreateTrigger, QueryStatement, TriggerStep
from discosql.planner.parameters import ParameterTable
from discosql.planner.parse import parse
from discosql.planner.plan import Delete, Insert, Query, TriggerPlan, Update, ViewChange
from discosql.planner.trigger_rows import TriggerRows
from discosql.schema import TableSchema, Trigger
from discosql.types import fold_case


def parse_trigger(sql: str) -> CreateTrigger:
    """Parse the text of a trigger that the catalog has."""
    syntax = parse(sql).syntax
    assert isinstance(syntax, CreateTrigger)
    return syntax


def trigger_of(syntax: CreateTrigger, like: Trigger, table: str) -> Trigger:
    """Return a trigger whose text was changed; `table` is the name of its table or view now."""
    return replace(like, table=table, columns=syntax.columns, sql=syntax.sql)


def triggered_table(context: PlanContext, trigger: Trigger) -> TableSchema:
    """Return the table of a trigger, or what stands for its view."""
    view = context.catalog.find_view(trigger.table, trigger.database)
    if view is None:
        return context.catalog.table(trigger.table, trigger.database)
    return view_table(context, view)


def build_trigger(context: PlanContext, trigger: Trigger, table: TableSchema) -> TriggerPlan:
    """Return the plans of a trigger, not optimised yet. Raises ProgrammingError if it names what is not there."""
    syntax = parse_trigger(trigger.sql)
    rows = TriggerRows(table, old=trigger.event != "insert", new=trigger.event != "delete")
    # What lasts sees nothing that is temporary.
    catalog = context.catalog if trigger.temporary else context.catalog.lasting
    authorizer = context.authorizer and context.authorizer.within(trigger.name)
    context = replace(context, trigger=rows, catalog=catalog, authorizer=authorizer)
    condition = None
    if syntax.when is not None:
        condition = _query(context, exp.Select(expressions=[syntax.when]))
    return TriggerPlan(
        trigger.name,
        (table.id, fold_case(table.name)),
        trigger.timing,
        trigger.event,
        updated_positions(trigger, table),
        rows.width,
        condition,
        tuple(_build_step(context, step) for step in syntax.steps),
    )


def updated_positions(trigger: Trigger, table: TableSchema) -> frozenset[int] | None:
    """Return the positions of UPDATE OF, None for any; names that the table does not have stand for nothing."""
    if not trigger.columns:
        return None
    found = (table.position(name) for name in trigger.columns)
    return frozenset(position for position in found if position is not None)


def _build_step(context: PlanContext, step: TriggerStep) -> Query | Insert | Update | Delete | ViewChange:
    if isinstance(step, QueryStatement):
        return _query(context, step.tree)
    return build_change(context, ParameterTable(), step)


def _query(context: PlanContext, tree: exp.Expr) -> Query:
    return Query(*Binder(context, ParameterTable()).build_query(tree))
