"""Statements that change rows, compiled: the source of rows, what is done with them, RETURNING."""

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Any

from discosql.executor.compile import CompiledRows, compile_plan, compile_rows
from discosql.executor.compile.walk import references, walk
from discosql.executor.context import Context, Result
from discosql.executor.functions.registry import Registry
from discosql.executor.operators import FailRaised
from discosql.executor.writes.actions import ForeignKeyWork
from discosql.executor.writes.by_row import Firing, delete_row, fire, triggers_of, update_row
from discosql.executor.writes.changes import TableChanges
from discosql.executor.writes.insert import Inserter
from discosql.executor.writes.parameter_rows import is_fixed, parameter_rows_of
from discosql.executor.writes.resolution import ChangesKeptError
from discosql.executor.writes.rules import RulesOfTables
from discosql.executor.writes.sequence import change_sequence
from discosql.executor.writes.steps import CHUNK, NestingSteps, Steps, lookup, stored_row
from discosql.executor.writes.triggers import TriggerProgram, Triggers
from discosql.executor.writes.update import assigned, update_rows
from discosql.planner.plan import (
    Delete,
    IndexLookup,
    Insert,
    OutputColumn,
    Parameter,
    Query,
    RowRules,
    Update,
    ViewChange,
)
from discosql.schema import SEQUENCE
from discosql.types import Row, Value, collate, sort_key


class WriteProgram:
    """A compiled INSERT, UPDATE or DELETE.

    All rows are changed together as a rule. Where it shows that SQLite changes them one at a time, so is done here: a
    subquery of RETURNING looks at the table, or foreign key actions lead back to it.
    """

    def __init__(
        self,
        statement: Insert | Update | Delete | ViewChange,
        registry: Registry,
        parameter_types: Sequence[Any] = (),
        count_rows: bool = False,
    ) -> None:
        self.statement = statement
        self.table = statement.rules.table
        self.source = compile_plan(statement.source, registry, parameter_types, count_rows=count_rows)
        self.rules = RulesOfTables(_all_rules(statement), registry)
        self._triggers = tuple(TriggerProgram(plan, registry, compile_change) for plan in statement.triggers)
        self._registry = registry
        self._returning: CompiledRows | None = None
        if statement.returning is not None:
            self._returning = compile_rows(statement.returning.expressions, (statement.rules.row,), registry)
        self._looks_back = self._returning is not None and not self._returning.is_plain

    @property
    def code(self) -> str:
        """The generated code of the source."""
        return self.source.source

    @property
    def columns(self) -> tuple[OutputColumn, ...] | None:
        """The columns of RETURNING."""
        return None if self.statement.returning is None else self.statement.returning.columns

    def run(self, context: Context) -> NestingSteps[Result]:
        """Run the statement."""
        return (yield from self.apply(context, (yield from self.source.run(context))))

    def run_inside(self, context: Context) -> NestingSteps[Result]:
        """Run the statement as part of another one, which sees to its foreign keys."""
        result = Result(self.columns, rowcount=0)
        source = yield from self.source.run(context)
        yield from self._apply_by_row(context, triggers_of(context).work, source, result)
        return result

    def run_many(self, context: Context, parameter_rows: Sequence[tuple[Value, ...]]) -> NestingSteps[Result]:
        """Run the statement once for each set of parameters."""
        yield from self._prefetch(context, parameter_rows)
        total = Result(self.columns, rowcount=0)
        each = dataclasses.replace(context)
        for count, parameters in enumerate(parameter_rows):
            each.parameters = parameters
            result = yield from self.run(each)
            total.rows += result.rows
            total.rowcount += result.rowcount
            context.state.changes = result.rowcount
            if result.last_rowid is not None:
                context.state.last_insert_rowid = total.last_rowid = result.last_rowid
            if count % CHUNK == CHUNK - 1:
                yield None
        return total

    def apply(self, context: Context, source: Sequence[Row]) -> NestingSteps[Result]:
        """Make the changes that the rows of the source ask for."""
        result = Result(self.columns, rowcount=0)
        if self._triggers:
            context = dataclasses.replace(context)
        work = self.rules.work(context)
        try:
            if self._triggers:
                context.triggers = Triggers(self._triggers, work)
                yield from self._apply_by_row(context, work, source, result)
            else:
                yield from self._apply(context, work, source, result)
        except FailRaised as failure:
            yield from work.check()
            raise ChangesKeptError(failure.error, result) from failure
        yield from work.check()
        return result

    def _apply(
        self, context: Context, work: ForeignKeyWork, source: Sequence[Row], result: Result
    ) -> NestingSteps[None]:
        work.require(self.table, self._places(), removes=not isinstance(self.statement, Insert))
        source = self._ordered(source)
        parts = [[row] for row in source] if len(source) > 1 and self._in_turn(work) else [source]
        for part in parts:
            changes = TableChanges(context.view, self.table)
            if len(parts) > 1:
                part = yield from self._as_it_is(context, part)
            yield from self._change(context, part, changes, work)
            yield from work.follow(changes)
            yield from self._note(context, changes, result)

    def _apply_by_row(
        self, context: Context, work: ForeignKeyWork, source: Sequence[Row], result: Result
    ) -> NestingSteps[None]:
        """Make the changes row by row with the triggers of each."""
        work.require(self.table, self._places(), removes=not isinstance(self.statement, Insert))
        kept: dict[Any, Any] = {}
        for row in self._ordered(source):
            changes = TableChanges(context.view, self.table)
            firing = yield from self._change_row(context, row, changes, kept)
            yield from work.follow(changes)
            yield from self._note(context, changes, result)
            if changes.inserted and not self.table.without_rowid:
                context.state.last_insert_rowid = changes.inserted[-1][0]
            yield from fire(context, firing)
            yield None

    def _note(self, context: Context, changes: TableChanges, result: Result) -> Steps[None]:
        """Add to the result what a part of the statement has changed. Raises FailRaised where OR FAIL stopped it."""
        result.rowcount += changes.count
        if changes.inserted and not self.table.without_rowid:
            result.last_rowid = changes.inserted[-1][0]
        if self._returning is not None:
            result.rows += yield from self._returning.run(context, list(zip(changes.stored, strict=True)))
        if changes.failure is not None:
            raise FailRaised(changes.failure)

    def _in_turn(self, work: ForeignKeyWork) -> bool:
        """Return whether rows must be changed one at a time."""
        return self._looks_back or work.goes_row_by_row(self.table)

    def _ordered(self, source: Sequence[Row]) -> Sequence[Row]:
        """Return the rows of the source in the order in which they are to be changed, each once."""
        return source

    def _places(self) -> Collection[int] | None:
        """Return the places of a stored row that an UPDATE changes, None for whole rows."""
        return None

    def _as_it_is(self, context: Context, source: Sequence[Row]) -> Steps[Sequence[Row]]:
        """Return rows of the source with the stored rows in them as they are by now, without those that are gone."""
        width = len(self.table.columns) + 1
        stored = yield from lookup(context.view, self.table.id, None, [row[:1] for row in source])
        now = {row[0]: row for row in stored}
        return [now[row[0]] + row[width:] for row in source if row[0] in now]

    def _change(
        self, context: Context, source: Sequence[Row], changes: TableChanges, work: ForeignKeyWork
    ) -> NestingSteps[None]:
        raise NotImplementedError

    def _change_row(
        self, context: Context, row: Row, changes: TableChanges, kept: dict[Any, Any]
    ) -> NestingSteps[Firing | None]:
        """Change one row with its triggers, and return what is to fire then. `kept` is as in `CompiledRows.run`."""
        raise NotImplementedError

    def _prefetch(self, context: Context, parameter_rows: Sequence[tuple[Value, ...]]) -> Steps[None]:
        """Load what index lookups with the parameters as keys will need, for all sets of parameters together."""
        lookups = []
        for node in walk(self.statement.source):
            if isinstance(node, IndexLookup) and node.as_of is None and len(node.keys) == 1:
                if references(*node.keys[0]) or not is_fixed(*node.keys[0]):
                    continue
                key = compile_rows(node.keys[0], (), self._registry)
                each = dataclasses.replace(context)
                keys = []
                for parameters in parameter_rows:
                    each.parameters = parameters
                    keys.append(key.evaluate(each))
                lookups.append((node.table.id, None if node.index is None else node.index.id, keys))
        pending = context.view.prefetch((), lookups) if lookups else None
        if pending is not None:
            yield pending


class InsertProgram(WriteProgram):
    """A compiled INSERT."""

    def __init__(
        self, statement: Insert, registry: Registry, parameter_types: Sequence[Any] = (), count_rows: bool = False
    ) -> None:
        super().__init__(statement, registry, parameter_types, count_rows)
        self._inserter = Inserter(statement, self.rules.of(self.table.id), registry)
        beyond = (*statement.upserts, *(statement.returning.expressions if statement.returning else ()))
        self._together = is_fixed(statement.source) and not any(
            isinstance(part, Parameter) for item in beyond for part in walk(item)
        )

    def run_many(self, context: Context, parameter_rows: Sequence[tuple[Value, ...]]) -> NestingSteps[Result]:
        """Run the statement once for each set of parameters; plain rows of values are inserted all together."""
        if not self._together or self._triggers:
            return (yield from super().run_many(context, parameter_rows))
        source = parameter_rows_of(self.statement.source, parameter_rows)
        if source is None:
            source = []
            each = dataclasses.replace(context)
            for parameters in parameter_rows:
                each.parameters = parameters
                source += yield from self.source.run(each)
        return (yield from self.apply(context, source))

    def _in_turn(self, work: ForeignKeyWork) -> bool:
        return self._looks_back or (self._inserter.passes_over and work.changes_children(self.table))

    def _as_it_is(self, context: Context, source: Sequence[Row]) -> Steps[Sequence[Row]]:
        return source
        yield

    def _change(
        self, context: Context, source: Sequence[Row], changes: TableChanges, work: ForeignKeyWork
    ) -> NestingSteps[None]:
        yield from self._inserter.insert(context, source, changes, work)

    def _change_row(
        self, context: Context, row: Row, changes: TableChanges, kept: dict[Any, Any]
    ) -> NestingSteps[Firing | None]:
        return (yield from self._inserter.insert_row(context, row, changes))


class UpdateProgram(WriteProgram):
    """A compiled UPDATE."""

    statement: Update

    def __init__(
        self, statement: Update, registry: Registry, parameter_types: Sequence[Any] = (), count_rows: bool = False
    ) -> None:
        super().__init__(statement, registry, parameter_types, count_rows)
        self._assigned = assigned(self.rules.of(self.table.id), statement.positions)
        self._values: CompiledRows | None = None
        if statement.values is not None:
            self._values = compile_rows(statement.values, (statement.rules.row,), registry, parameter_types)

    def _places(self) -> Collection[int]:
        return self._assigned.places

    def _change(
        self, context: Context, source: Sequence[Row], changes: TableChanges, work: ForeignKeyWork
    ) -> NestingSteps[None]:
        width = len(self.table.columns) + 1
        pairs = [(old := row[:width], self._assigned.apply(old, row[width:])) for row in source]
        rules = self.rules.of(self.table.id)
        yield from update_rows(context, rules, self._assigned, pairs, changes, self.statement.resolution)

    def _change_row(
        self, context: Context, row: Row, changes: TableChanges, kept: dict[Any, Any]
    ) -> NestingSteps[Firing | None]:
        stored = yield from stored_row(context.view, self.table.id, row[0])
        if stored is None:
            return None
        values: Sequence[Value] = row[len(self.table.columns) + 1 :]
        if self._values is not None:
            (values,) = yield from self._values.run(context, [(stored,)], kept)
        rules, change = self.rules.of(self.table.id), (stored, values)
        return (yield from update_row(context, rules, self._assigned, change, changes, self.statement.resolution))

    def _ordered(self, source: Sequence[Row]) -> Sequence[Row]:
        if any(a[0] >= b[0] for a, b in pairwise(source)):
            # A row that a join produced several times is changed once, by the last of its partners.
            last = {row[0]: row for row in source}
            source = [last[rowid] for rowid in sorted(last)]
        return sorted(source, key=self._primary_key) if self.table.without_rowid else source

    def _primary_key(self, row: Row) -> list[Any]:
        collations = [self.table.columns[position].collation for position in self.table.primary_key]
        values = [row[position + 1] for position in self.table.primary_key]
        return [sort_key(collate(value, collation)) for value, collation in zip(values, collations, strict=True)]


class DeleteProgram(WriteProgram):
    """A compiled DELETE."""

    def _change(
        self, context: Context, source: Sequence[Row], changes: TableChanges, work: ForeignKeyWork
    ) -> NestingSteps[None]:
        for count, row in enumerate(source):
            changes.delete(row)
            if count % CHUNK == CHUNK - 1:
                yield None

    def _change_row(
        self, context: Context, row: Row, changes: TableChanges, kept: dict[Any, Any]
    ) -> NestingSteps[Firing | None]:
        stored = yield from stored_row(context.view, self.table.id, row[0])
        return None if stored is None else (yield from delete_row(context, stored, changes))


class ViewProgram(WriteProgram):
    """A compiled INSERT, UPDATE or DELETE of a view: its INSTEAD OF triggers, row by row."""

    statement: ViewChange

    def _apply_by_row(
        self, context: Context, work: ForeignKeyWork, source: Sequence[Row], result: Result
    ) -> NestingSteps[None]:
        positions = None if self.statement.event != "update" else self.statement.positions
        triggers = triggers_of(context)
        programs = triggers.of(self.table, "instead of", self.statement.event, positions)
        for row in source:
            rows = self._old_and_new(row)
            going_on = yield from triggers.fire(context, programs, rows, self.statement.resolution)
            if going_on and self._returning is not None:
                shown = [each for each in rows if each is not None][-1]
                result.rows += yield from self._returning.run(context, [(shown,)])
            yield None

    def _old_and_new(self, row: Row) -> tuple[Row | None, Row | None]:
        width = len(self.table.columns) + 1
        if self.statement.event == "delete":
            return row, None
        is_insert = self.statement.event == "insert"
        old = None if is_insert else row[:width]
        new: list[Value] = [None] * width if old is None else list(old)
        for position, value in zip(self.statement.positions, row if is_insert else row[width:], strict=True):
            new[position + 1] = value
        return old, tuple(new)


class SequenceProgram(ViewProgram):
    """A compiled INSERT, UPDATE or DELETE of sqlite_sequence."""

    def _apply(
        self, context: Context, work: ForeignKeyWork, source: Sequence[Row], result: Result
    ) -> NestingSteps[None]:
        yield from self._apply_by_row(context, work, source, result)

    def _apply_by_row(
        self, context: Context, work: ForeignKeyWork, source: Sequence[Row], result: Result
    ) -> NestingSteps[None]:
        for row in source:
            old, new = self._old_and_new(row)
            yield from change_sequence(context, self.statement, old, new)
            result.rowcount += 1
            if self._returning is not None:
                shown = [each for each in (old, new) if each is not None][-1]
                result.rows += yield from self._returning.run(context, [(shown,)])


def compile_change(
    statement: Insert | Update | Delete | ViewChange,
    registry: Registry,
    parameter_types: Sequence[Any] = (),
    count_rows: bool = False,
) -> WriteProgram:
    """Compile a statement that changes rows."""
    match statement:
        case Insert():
            return InsertProgram(statement, registry, parameter_types, count_rows)
        case Update():
            return UpdateProgram(statement, registry, parameter_types, count_rows)
        case Delete():
            return DeleteProgram(statement, registry, parameter_types, count_rows)
        case ViewChange() if statement.rules.table.name == SEQUENCE:
            return SequenceProgram(statement, registry, parameter_types, count_rows)
        case ViewChange():
            return ViewProgram(statement, registry, parameter_types, count_rows)


def _all_rules(statement: Insert | Update | Delete | ViewChange) -> Iterator[RowRules]:
    """Yield the rules of all tables that a statement may change, by way of its triggers too."""
    for plan in statement.triggers:
        for step in plan.body:
            if not isinstance(step, Query):
                yield from _all_rules(step)
    yield from () if isinstance(statement, ViewChange) else statement.related
    yield statement.rules
