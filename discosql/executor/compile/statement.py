"""Compiling a whole plan, or expressions over rows that somebody else has."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from discosql.errors import OperationalError
from discosql.executor.compile import handlers  # noqa: F401  (makes all kinds of nodes and expressions known)
from discosql.executor.compile.code import NULL, column_of, kind_of_parameter, kind_of_type, row_of
from discosql.executor.compile.module import Function, Module
from discosql.executor.compile.prefetching import write_prefetch
from discosql.executor.compile.producer import STATE, Producer
from discosql.executor.compile.rows import return_rows
from discosql.executor.compile.walk import count_uses
from discosql.executor.context import Context
from discosql.executor.functions.registry import Registry
from discosql.executor.reads import without_collections
from discosql.planner.plan import ColumnRef, Expression, IndexLookup, Node, Projection
from discosql.stack import call_deeply
from discosql.storage.engine import Pending
from discosql.types import Row, SqlType

NULL_TYPE: Final = type(None)
"""The type of a parameter that is NULL."""

Running: TypeAlias = Generator[Pending | None, Any, list[Row]]
"""A statement being run: yields what must be fetched, and None now and then so that others can work."""


class CompiledPlan:
    """A plan as a generated function. `source` is its text, `row_counts` what was counted in the last run."""

    __slots__ = ("_counted", "_run", "_scans", "plan", "row_counts", "source")

    def __init__(self, plan: Node, module: Module, function: Function) -> None:
        self.plan = plan
        self.source = module.source()
        self.row_counts: dict[int, int] = {}
        self._counted = module.counted
        self._scans = not isinstance(plan, Projection) or not isinstance(plan.child, IndexLookup)
        self._run: Callable[[Context, dict[Any, Any]], Running] = module.load()[function.label]

    def run(self, context: Context) -> Running:
        """Start the plan; the generator returns its rows as tuples in the order of the plan's output."""
        if self._counted is not None:
            return self._run_and_count(context, self._counted)
        steps = self._run(context, {0: 0})
        return without_collections(steps) if self._scans else steps

    def _run_and_count(self, context: Context, counted: Mapping[int, int]) -> Running:
        memo: dict[Any, Any] = {0: 0, **{place: itertools.count() for place in counted.values()}}
        rows = yield from self._run(context, memo)
        self.row_counts = {node: next(memo[place]) for node, place in counted.items()}
        self.row_counts[id(self.plan)] = len(rows)
        return rows


def compile_plan(
    plan: Node,
    registry: Registry,
    parameter_types: Sequence[SqlType | type | None] = (),
    *,
    count_rows: bool = False,
) -> CompiledPlan:
    """Compile a plan for parameters of the given types.

    A type is the SQL type of the value or its Python class (``NoneType`` for NULL); None means any. A plan must only be
    run with parameters of the types it was compiled for. With `count_rows`, `row_counts` tells after a run how many
    rows each node produced, by the `id` of the node.
    """
    try:
        return call_deeply(lambda: _compile_plan(plan, registry, parameter_types, count_rows))
    except (RecursionError, MemoryError) as exc:
        raise OperationalError("statement is nested too deeply") from exc


def _compile_plan(
    plan: Node, registry: Registry, parameter_types: Sequence[SqlType | type | None], count_rows: bool
) -> CompiledPlan:
    module = Module(registry, [kind_of_parameter(item) for item in parameter_types], count_uses(plan))
    module.counted = {} if count_rows else None
    function = module.function("run", STATE)
    producer = Producer(function)
    write_prefetch(producer, plan)
    return_rows(producer, plan, plain=True)
    return CompiledPlan(plan, module, function)


class CompiledRows:
    """Expressions over rows as a generated function. `is_plain` tells that `evaluate` may be used."""

    __slots__ = ("_evaluate", "is_plain", "source")

    def __init__(self, module: Module, function: Function) -> None:
        self.is_plain = not function.generates
        self.source = module.source()
        self._evaluate: Callable[..., Any] = module.load()[function.label]

    def evaluate(self, context: Context, *inputs: Row) -> Row:
        """Return the values of the expressions for one row of each input."""
        return self._evaluate(context, None, *inputs)  # type: ignore[no-any-return]

    def run(self, context: Context, given: Sequence[Sequence[Row]], kept: dict[Any, Any] | None = None) -> Running:
        """Return the values of the expressions for many rows; each item has one row of each input.

        What does not depend on a row is computed once; with `kept`, an empty dict at first, once for several calls.
        """
        if self.is_plain:
            evaluate = self._evaluate
            return [evaluate(context, None, *inputs) for inputs in given]
            yield  # a generator all the same
        memo: dict[Any, Any] = {0: 0}
        if kept is not None:
            # Results of correlated subqueries are in dicts by their arguments: what they read may have changed.
            memo |= {place: value for place, value in kept.items() if not isinstance(value, dict)}
        result = []
        for inputs in given:
            result.append((yield from self._evaluate(context, memo, *inputs)))
        if kept is not None:
            kept.update(memo)
        return result


def compile_rows(
    expressions: Sequence[Expression],
    inputs: Sequence[Sequence[ColumnRef]],
    registry: Registry,
    parameter_types: Sequence[SqlType | type | None] = (),
) -> CompiledRows:
    """Compile expressions over the columns of given rows, such as the old and the new row of an UPDATE.

    Values must be of their columns' types, but may be NULL in any column.
    """
    try:
        return call_deeply(lambda: _compile_rows(expressions, inputs, registry, parameter_types))
    except (RecursionError, MemoryError) as exc:
        raise OperationalError("expression is nested too deeply") from exc


def _compile_rows(
    expressions: Sequence[Expression],
    inputs: Sequence[Sequence[ColumnRef]],
    registry: Registry,
    parameter_types: Sequence[SqlType | type | None],
) -> CompiledRows:
    module = Module(registry, [kind_of_parameter(item) for item in parameter_types])
    names = [f"r{number}_" for number in range(len(inputs))]
    function = module.function("evaluate", (*STATE, *names))
    columns = {
        column.id: column_of(name, place, kind_of_type(column.type, True) | NULL)
        for name, row in zip(names, inputs, strict=True)
        for place, column in enumerate(row)
    }
    producer = Producer(function, columns)
    values = row_of([producer.value(expression) for expression in expressions])
    function.generates = values.yields
    function.line(f"return {values.text}")
    return CompiledRows(module, function)
