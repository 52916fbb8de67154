"""Triggers of a statement: which ones it may fire, directly or by way of others, and the plans of what they do.

A trigger is read from its text for every statement that may fire it, as SQLite does: what it names need not be there
before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from discosql.planner.context import PlanContext
from discosql.planner.plan import Delete, Insert, Query, Statement, TriggerPlan, Update, ViewChange
from discosql.planner.rules import optimise
from discosql.planner.trigger_body import build_trigger, updated_positions
from discosql.schema import ForeignKey, TableSchema, Trigger

Change: TypeAlias = Insert | Update | Delete | ViewChange


@dataclass(frozen=True, slots=True)
class Event:
    """Something that fires triggers of a table. `positions` are those of the columns that UPDATE sets.

    The kind ``replace`` is the removal of a row in whose place another comes.
    """

    table: TableSchema
    kind: str
    positions: frozenset[int] = frozenset()


def with_triggers(statement: Statement, context: PlanContext) -> Statement:
    """Return a statement that changes rows with the plans of all triggers that it may fire."""
    if not context.catalog.has_triggers or not isinstance(statement, Change):
        return statement
    triggers = TriggerSearch(context).reached_by(statement)
    if not triggers and isinstance(statement, Update):
        return replace(statement, values=None)
    return replace(statement, triggers=triggers)


class TriggerSearch:
    """Finds triggers, follows what they do to those that they fire in turn, and plans each once."""

    def __init__(self, context: PlanContext) -> None:
        self._context = context
        self._found: dict[Trigger, TriggerPlan] = {}
        self._order: dict[Trigger, int] = {}
        self._seen: set[Event] = set()
        self._replaces = False
        self._removal = "delete" if context.recursive_triggers else "replace"

    def reached_by(self, statement: Change) -> tuple[TriggerPlan, ...]:
        """Return the plans of the triggers that a statement may fire."""
        # A statement's own conflict resolution is that of all that its triggers do.
        self._replaces = not isinstance(statement, Delete) and statement.resolution == "replace"
        waiting = list(self._events(statement))
        while waiting:
            event = waiting.pop()
            if event in self._seen:
                continue
            self._seen.add(event)
            waiting += self._referential_events(event)
            own = self._context.catalog.triggers_of(event.table.name, temporary=event.table.temporary)
            for place, trigger in enumerate(own):
                if trigger not in self._found and _fires(trigger, event):
                    plan = self._found[trigger] = self._plan(trigger, event.table)
                    self._order[trigger] = place
                    waiting += [found for step in plan.body for found in self._events(step)]
        return tuple(self._found[trigger] for trigger in sorted(self._found, key=self._order.__getitem__))

    def _events(self, statement: Change | Query) -> Iterator[Event]:
        match statement:
            case Insert():
                yield Event(statement.rules.table, "insert")
                for upsert in statement.upserts:
                    if upsert.assignments is not None:
                        positions = frozenset(position for position, _ in upsert.assignments)
                        yield Event(statement.rules.table, "update", positions)
            case Update():
                yield Event(statement.rules.table, "update", frozenset(statement.positions))
            case Delete():
                yield Event(statement.rules.table, "delete")
            case ViewChange():
                yield Event(statement.rules.table, statement.event, frozenset(statement.positions))
        replaces = self._replaces
        if isinstance(statement, Insert | Update) and not replaces:
            replaces = statement.resolution == "replace" or (
                statement.resolution is None and statement.rules.table.replaces
            )
        if replaces and isinstance(statement, Insert | Update) and _meets_keys(statement):
            yield Event(statement.rules.table, self._removal)

    def _referential_events(self, event: Event) -> Iterator[Event]:
        """Yield what the actions of foreign keys do when rows of a parent go or change."""
        for child, key in self._context.catalog.children(event.table) if event.kind != "insert" else ():
            if event.kind == "update" and not _changes_parent(event, key):
                continue
            action = key.on_update if event.kind == "update" else key.on_delete
            if action == "CASCADE" and event.kind != "update":
                yield Event(child, "delete")
            elif action in ("CASCADE", "SET NULL", "SET DEFAULT"):
                yield Event(child, "update", frozenset(key.columns))

    def _plan(self, trigger: Trigger, table: TableSchema) -> TriggerPlan:
        plan = build_trigger(self._context, trigger, table)
        if not self._context.optimise:
            return plan
        condition = None if plan.when is None else optimise(plan.when, self._context)
        return replace(plan, when=condition, body=tuple(optimise(step, self._context) for step in plan.body))


def _meets_keys(statement: Insert | Update) -> bool:
    """Return whether new rows may have a key of other rows that no ON CONFLICT clause takes care of."""
    table, positions = statement.rules.table, set(statement.positions)
    handled = {upsert.index for upsert in statement.upserts} if isinstance(statement, Insert) else set()
    if None in handled:
        return False
    if -1 not in handled and not positions.isdisjoint({-1, table.rowid_column}):
        return True
    unique = [index for index in table.indexes if index.unique and index.id not in handled]
    return any(isinstance(statement, Insert) or not positions.isdisjoint(index.columns) for index in unique)


def _changes_parent(event: Event, key: ForeignKey) -> bool:
    """Return whether an UPDATE sets a column that a foreign key refers to."""
    table = event.table
    named = [table.position(name) for name in key.parent_columns] if key.parent_columns else table.primary_key
    referred = {position for position in named if position is not None}
    if table.rowid_column in referred:
        referred.add(-1)
    return not referred.isdisjoint(event.positions)


def _fires(trigger: Trigger, event: Event) -> bool:
    if trigger.event != event.kind:
        return False
    positions = updated_positions(trigger, event.table) if event.kind == "update" else None
    return positions is None or bool(positions & event.positions)
