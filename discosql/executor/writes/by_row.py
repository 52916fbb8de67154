"""Changing rows one at a time, with the triggers of each: what SQLite does to every row.

BEFORE triggers may change or remove the very row, so that it is read again behind them. What is to fire after the row
is changed comes back as a `Firing`: foreign key actions and RETURNING have their turn first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from discosql.executor.constraints import Holders, UniqueKey
from discosql.executor.context import Context
from discosql.executor.writes.changes import TableChanges
from discosql.executor.writes.rowids import integer_rowid, place_rowid
from discosql.executor.writes.rows import TableRules
from discosql.executor.writes.steps import NestingSteps, stored_row
from discosql.executor.writes.triggers import TriggerProgram, Triggers
from discosql.executor.writes.update import Assigned, update_rows
from discosql.planner.plan import Resolution
from discosql.schema import TableSchema
from discosql.types import Row, Value


@dataclass(frozen=True, slots=True)
class Firing:
    """AFTER triggers that are to run for a changed row, OLD and NEW, and the conflict resolution forced upon them."""

    programs: Sequence[TriggerProgram]
    rows: tuple[Row | None, Row | None]
    resolution: Resolution | None = None


def triggers_of(context: Context) -> Triggers:
    """Return the triggers of the running statement, which must have some."""
    assert context.triggers is not None
    return context.triggers


def fire(context: Context, firing: Firing | None) -> NestingSteps[None]:
    """Run AFTER triggers."""
    if firing is not None and firing.programs:
        yield from triggers_of(context).fire(context, firing.programs, firing.rows, firing.resolution)


def update_row(
    context: Context,
    rules: TableRules,
    what: Assigned,
    change: tuple[Row, Sequence[Value]],
    changes: TableChanges,
    resolution: Resolution | None = None,
) -> NestingSteps[Firing | None]:
    """Change a stored row to new values (`change`); return what is to fire then, None if the row was left alone."""
    triggers, table = triggers_of(context), rules.table
    stored, values = change
    current: Row | None = stored
    before = triggers.of(table, "before", "update", what.named)
    if before:
        new = what.apply(stored, values)
        if -1 in what.positions:
            new = place_rowid(table, new, integer_rowid(new[0]))
        new = rules.proposed(context, new, [position for position in what.positions if position >= 0])
        if not (yield from triggers.fire(context, before, (stored, new), resolution)):
            return None
        current = yield from stored_row(context.view, table.id, stored[0])
    if current is None:
        return None
    wanted = what.apply(current, values)
    keys = [key for key in what.keys if key.resolution(resolution) == "replace"]
    if keys:
        yield from make_room_for(context, table, keys, wanted, current)
    yield from update_rows(context, rules, what, [(current, wanted)], changes, resolution)
    if not changes.stored:
        return None
    return Firing(triggers.of(table, "after", "update", what.named), (stored, changes.stored[-1]), resolution)


def delete_row(
    context: Context, stored: Row, changes: TableChanges, resolution: Resolution | None = None
) -> NestingSteps[Firing | None]:
    """Remove a stored row; return what is to fire then, None if the row was left alone."""
    triggers, table = triggers_of(context), changes.table
    current: Row | None = stored
    before = triggers.of(table, "before", "delete")
    if before:
        if not (yield from triggers.fire(context, before, (stored, None), resolution)):
            return None
        current = yield from stored_row(context.view, table.id, stored[0])
    if current is None:
        return None
    changes.delete(current)
    return Firing(triggers.of(table, "after", "delete"), (stored, None), resolution)


def make_room_for(
    context: Context, table: TableSchema, keys: Sequence[UniqueKey], new: Row, old: Row | None = None
) -> NestingSteps[None]:
    """Remove the rows that REPLACE puts `new` in place of, `old` aside, if their removal fires triggers."""
    if not removal_fires(context, table):
        return
    holders = Holders(keys)
    yield from holders.load(context.view, [[new] for _ in keys])
    for rowid in dict.fromkeys(row[0] for _key, row in holders.conflicts(new, None if old is None else old[0])):
        row = yield from stored_row(context.view, table.id, rowid)
        if row is not None:
            yield from remove(context, table, row)


def removal_fires(context: Context, table: TableSchema) -> bool:
    """Return whether triggers fire when a row makes room for another: as in SQLite, only if triggers are recursive."""
    triggers = context.triggers
    if triggers is None or not context.state.recursive_triggers:
        return False
    return bool(triggers.of(table, "before", "delete") or triggers.of(table, "after", "delete"))


def remove(context: Context, table: TableSchema, row: Row) -> NestingSteps[None]:
    """Remove a row in whose place another comes, with all that follows."""
    removal = TableChanges(context.view, table)
    firing = yield from delete_row(context, row, removal, "replace")
    yield from triggers_of(context).work.follow(removal)
    yield from fire(context, firing)
