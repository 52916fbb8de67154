"""Triggers while a statement runs: which fire, what they see, and where an error in them leads.

A trigger's statements run inside the one that fired it: in its transaction and with its foreign keys, which are checked
when the outermost statement is complete. Triggers may fire triggers up to a thousand deep, which is more than Python's
stack bears, so that each is handed to the driver loop at the bottom (`Nested`, `unnested`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Generator, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from discosql.errors import OperationalError
from discosql.executor.compile import CompiledPlan, compile_plan
from discosql.executor.context import Context, Result
from discosql.executor.functions.registry import Registry
from discosql.executor.operators import IgnoreRaised, is_true
from discosql.executor.writes.steps import Nested, NestingSteps
from discosql.planner.plan import Delete, Insert, Query, Resolution, TriggerPlan, Update, ViewChange
from discosql.schema import TableSchema
from discosql.storage.engine import Pending
from discosql.types import Row, Value, fold_case

if TYPE_CHECKING:
    from discosql.executor.writes.actions import ForeignKeyWork

MAX_DEPTH: Final = 1000
"""How many triggers may be running within each other, as in SQLite."""


class Change(Protocol):
    """A compiled statement that changes rows."""

    def run_inside(self, context: Context) -> NestingSteps[Result]:
        """Run it as part of another statement."""


class CompileChange(Protocol):
    """Compiles a statement of a trigger that changes rows."""

    def __call__(self, statement: Insert | Update | Delete | ViewChange, registry: Registry) -> Change:
        """Return the compiled statement."""


class TriggerProgram:
    """One trigger, compiled when it first fires, once for each conflict resolution that is forced upon it."""

    def __init__(self, plan: TriggerPlan, registry: Registry, compile_change: CompileChange) -> None:
        self.plan = plan
        self._registry = registry
        self._compile_change = compile_change
        self._when: CompiledPlan | None = None
        self._bodies: dict[Resolution | None, list[CompiledPlan | Change]] = {}

    def fires(self, event: str, positions: Collection[int] | None) -> bool:
        """Return whether an event fires it; `positions` are those that UPDATE sets, None for other events."""
        wanted = self.plan.positions
        return self.plan.event == event and (
            wanted is None or positions is None or bool(wanted.intersection(positions))
        )

    def run(self, context: Context, resolution: Resolution | None) -> NestingSteps[bool]:
        """Run it with the rows in the context's parameters; return False if it ends the work on its row by RAISE."""
        state = context.state
        kept = state.changes, state.last_insert_rowid
        try:
            if not (yield from self._holds(context)):
                return True
            for step in self._body(resolution):
                if isinstance(step, CompiledPlan):
                    yield from step.run(context)
                    continue
                result = yield from step.run_inside(context)
                state.changes = result.rowcount
                state.total_changes += result.rowcount
        except IgnoreRaised:
            return False
        finally:
            state.changes, state.last_insert_rowid = kept
        return True

    def _holds(self, context: Context) -> NestingSteps[bool]:
        if self.plan.when is None:
            return True
        if self._when is None:
            self._when = compile_plan(self.plan.when.plan, self._registry)
        rows = yield from self._when.run(context)
        return rows[0][0] is not None and is_true(rows[0][0])

    def _body(self, resolution: Resolution | None) -> list[CompiledPlan | Change]:
        body = self._bodies.get(resolution)
        if body is None:
            body = self._bodies[resolution] = [self._compiled(step, resolution) for step in self.plan.body]
        return body

    def _compiled(
        self, step: Query | Insert | Update | Delete | ViewChange, resolution: Resolution | None
    ) -> CompiledPlan | Change:
        if isinstance(step, Query):
            return compile_plan(step.plan, self._registry)
        if resolution is not None and isinstance(step, Insert | Update | ViewChange):
            # What the statement says that fired the trigger overrides what the trigger's own statements say.
            step = dataclasses.replace(step, resolution=resolution)
        return self._compile_change(step, self._registry)


class Triggers:
    """The triggers of one execution of a statement. `work` is what its foreign keys ask for."""

    def __init__(self, programs: Sequence[TriggerProgram], work: ForeignKeyWork) -> None:
        self.work = work
        self._programs = programs
        self._running: list[TriggerPlan] = []

    def of(
        self, table: TableSchema, timing: str, event: str, positions: Collection[int] | None = None
    ) -> list[TriggerProgram]:
        """Return the triggers that an event of a table fires, in their order."""
        target = table.id, fold_case(table.name)
        return [
            program
            for program in self._programs
            if program.plan.target == target and program.plan.timing == timing and program.fires(event, positions)
        ]

    def fire(
        self,
        context: Context,
        programs: Sequence[TriggerProgram],
        rows: tuple[Row | None, Row | None],
        resolution: Resolution | None = None,
    ) -> NestingSteps[bool]:
        """Run triggers for one row, `rows` being OLD and NEW; return False if the row is to be left alone then.

        Raises OperationalError if they fire each other without end.
        """
        recursive = context.state.recursive_triggers
        for program in programs:
            if not recursive and any(plan is program.plan for plan in self._running):
                continue
            if len(self._running) >= MAX_DEPTH:
                raise OperationalError("too many levels of trigger recursion")
            inner = dataclasses.replace(context, parameters=_parameters(program.plan.width, rows))
            self._running.append(program.plan)
            try:
                going_on = yield Nested(program.run(inner, resolution))
            finally:
                self._running.pop()
            if not going_on:
                return False
        return True


def _parameters(width: int, rows: tuple[Row | None, Row | None]) -> tuple[Value, ...]:
    nothing = (None,) * width
    old, new = rows
    return (nothing if old is None else old) + (nothing if new is None else new)


def unnested(steps: NestingSteps[Result]) -> Generator[Pending | None, object, Result]:
    """Run steps with all that they nest, on a stack of our own."""
    stack: list[Generator[Pending | Nested | None, Any, Any]] = [steps]
    answer: object = None
    failure: BaseException | None = None
    while True:
        try:
            asked = stack[-1].send(answer) if failure is None else stack[-1].throw(failure)
        except StopIteration as stop:
            stack.pop()
            answer, failure = stop.value, None
            if not stack:
                return stop.value  # type: ignore[no-any-return]
            continue
        except BaseException as exc:
            stack.pop()
            if not stack:
                raise
            answer, failure = None, exc
            continue
        answer, failure = None, None
        if isinstance(asked, Nested):
            stack.append(asked.steps)
            continue
        try:
            answer = yield asked
        except BaseException as exc:
            # GeneratorExit, too: what was begun must be undone from the inside out.
            failure = exc
