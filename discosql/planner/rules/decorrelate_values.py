"""Subqueries that are values, as left joins: the part of `decorrelate` about scalar subqueries and EXISTS in them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from discosql.planner.cost import lookup_cost, scan_cost
from discosql.planner.keys import Match, Matches, candidates, table_positions
from discosql.planner.operands import has_subquery
from discosql.planner.plan import (
    Aggregate,
    AggregateCall,
    Call,
    Case,
    ColumnRef,
    Constant,
    Distinct,
    Exists,
    Expression,
    Filter,
    Is,
    Limit,
    NestedLoopJoin,
    Node,
    Projection,
    ScalarSubquery,
    Scan,
    Sort,
    Window,
)
from discosql.planner.predicates import NULL, conjoin, plan_is_volatile
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.rules.pull_up import Tie, pull_up, ties
from discosql.planner.traverse import columns_in, expressions, free_columns, substitute, walk_plan
from discosql.types import SqlType

_OF_NO_ROWS: Final[dict[str, Expression | None]] = {
    "count": Constant(0, SqlType.INTEGER),
    "total": Constant(0.0, SqlType.REAL),
    "json_group_array": Call("json_array", (), type=SqlType.TEXT, nullable=False),
    "json_group_object": Call("json_object", (), type=SqlType.TEXT, nullable=False),
    **dict.fromkeys(("sum", "avg", "min", "max", "group_concat", "string_agg")),
}
"""What the built-in aggregate functions make of no rows. A function of the user may make anything, and stays."""


class Joined(NamedTuple):
    """A join that has the value of a subquery, and the value as an expression over it."""

    plan: Node
    value: Expression


def joined_value(child: Node, part: ScalarSubquery | Exists, work: Optimisation) -> Joined | None:
    """Join a plan with what a subquery gives for each of its rows; None where it cannot or should not be done."""
    outer = {column.id for column in child.output}
    if not free_columns(part.plan) & outer or plan_is_volatile(part.plan):
        return None
    if isinstance(part, Exists):
        return _existence(child, part, outer, work)
    peeled = _peeled(part.plan)
    if peeled is None:
        return None
    value, plan = peeled
    having: list[Expression] = []
    below = plan
    while isinstance(below, Filter):
        having.append(below.predicate)
        below = below.child
    if isinstance(below, Aggregate) and not below.keys:
        return _total(child, value, conjoin(having), below, work)
    return _first(child, value, plan, work)


def rows_only(plan: Node) -> Node:
    """Return a plan that has a row where the given one has: without what only changes which, or in what order."""
    while _keeps_existence(plan):
        plan = plan.child  # type: ignore[union-attr]
    return plan


def _keeps_existence(plan: Node) -> bool:
    if isinstance(plan, Aggregate):
        return bool(plan.keys)
    return isinstance(plan, Projection | Window | Sort | Distinct) or (isinstance(plan, Limit) and _keeps_one(plan))


def _keeps_one(limit: Limit) -> bool:
    count = limit.limit
    some = count is None or (isinstance(count, Constant) and isinstance(count.value, int) and count.value != 0)
    return some and limit.offset is None


def _peeled(plan: Node) -> tuple[Expression, Node] | None:
    """Return the first column of a plan's first row as an expression over the first row of a simpler plan."""
    value: Expression = plan.output[0]
    while True:
        if isinstance(plan, Projection):
            if has_subquery(value):
                return None
            columns = zip(plan.output, plan.expressions, strict=True)
            value = substitute(value, {column.id: source for column, source in columns})
        elif not isinstance(plan, Distinct) and not (isinstance(plan, Limit) and _keeps_one(plan)):
            return value, plan
        plan = plan.child


# The three kinds ---------------------------------------------------------------------------------------------------


def _total(
    child: Node, value: Expression, having: Expression | None, aggregate: Aggregate, work: Optimisation
) -> Joined | None:
    """Join with aggregates over the rows tied to each group of outer rows; no rows make what they make of none."""
    outer = {column.id for column in child.output}
    if any(not call.bare and call.name not in _OF_NO_ROWS for call in aggregate.calls):
        return None
    if any(columns_in(part) & outer for part in expressions(aggregate)):
        return None
    tied = _tied(child, aggregate.child, outer, work)
    if tied is None:
        return None
    plan, found = tied
    results = tuple([replace(column, nullable=True) for column in aggregate.output])
    grouped = _grouped(plan, found, aggregate.calls, results, work)
    columns = {column.id: _or_of_no_rows(column, call) for column, call in zip(results, aggregate.calls, strict=True)}
    value = substitute(value, columns)
    if having is not None:
        value = Case(((substitute(having, columns), value),), NULL, value.type)
    return Joined(_left_join(child, grouped, found, grouped.output), value)


def _or_of_no_rows(column: ColumnRef, call: AggregateCall) -> Expression:
    nothing = None if call.bare else _OF_NO_ROWS[call.name]
    if nothing is None:
        return column
    # A call that makes something of no rows makes something of any: NULL is the join's.
    return Case(((Is(column, NULL), nothing),), column, call.type, nullable=False)


def _first(child: Node, value: Expression, plan: Node, work: Optimisation) -> Joined | None:
    """Join with the first of the rows tied to each group of outer rows."""
    outer = {column.id for column in child.output}
    if columns_in(value) & outer or has_subquery(value):
        return None
    tied = _tied(child, plan, outer, work)
    if tied is None:
        return None
    below, found = tied
    result = work.column("value", type=value.type)
    if _are_unique(below, found):
        keys = _key_columns(found, work)
        right: Node = Projection(below, (*(tie.inner for tie in found), value), (*keys, result))
    else:
        call = AggregateCall("", (value,), type=value.type, bare=True)
        right = _grouped(below, found, (call,), (result,), work)
    return Joined(_left_join(child, right, found, right.output), result)


def _existence(child: Node, part: Exists, outer: set[int], work: Optimisation) -> Joined | None:
    """Join with the values there are of what outer rows are compared with; a key that is not NULL tells a match."""
    tied = _tied(child, rows_only(part.plan), outer, work)
    if tied is None:
        return None
    plan, found = tied
    marker = next((place for place, tie in enumerate(found) if not tie.null_safe), None)
    if marker is None:
        return None
    grouped = _grouped(plan, found, (), (), work)
    value = Is(grouped.output[marker], NULL, negated=not part.negated)
    return Joined(_left_join(child, grouped, found, grouped.output), value)


# What they share ---------------------------------------------------------------------------------------------------


def _tied(child: Node, plan: Node, outer: set[int], work: Optimisation) -> tuple[Node, list[Tie]] | None:
    """Return a plan without outer columns and the equalities that tied it to them, if that is all and worth it."""
    pulled = pull_up(plan, outer, ordered=True)
    if pulled is None:
        return None
    found = ties(pulled.conditions, outer)
    if not found or _finds_few(child, pulled.plan, found, work):
        return None
    return pulled.plan, found


def _finds_few(child: Node, plan: Node, found: list[Tie], work: Optimisation) -> bool:
    """Whether looking the rows up for each outer row costs less than reading them all."""
    estimates = work.estimates
    count = estimates.rows(child)
    for leaf in walk_plan(plan):
        if isinstance(leaf, Scan):
            for index, _ in candidates(leaf.table, _matches(leaf, found)):
                if lookup_cost(estimates, leaf.table, index, count) < scan_cost(estimates, leaf.table):
                    return True
    return False


def _matches(scan: Scan, found: list[Tie]) -> Matches:
    matches: Matches = {}
    positions = {column.id: position for column, position in table_positions(scan)}
    for place, tie in enumerate(found):
        if isinstance(tie.inner, ColumnRef) and tie.inner.id in positions and not tie.null_safe:
            position = positions[tie.inner.id]
            matches.setdefault(position, []).append(Match(place, (tie.outer,), tie.collation))
    return matches


def _are_unique(plan: Node, found: list[Tie]) -> bool:
    """Whether the ties leave at most one row of a plan."""
    while isinstance(plan, Filter | Sort):
        plan = plan.child
    if not isinstance(plan, Scan):
        return False
    return any(index is None or index.unique for index, _ in candidates(plan.table, _matches(plan, found)))


def _key_columns(found: list[Tie], work: Optimisation) -> tuple[ColumnRef, ...]:
    columns = []
    for tie in found:
        column = work.column("key", type=tie.inner.type, collation=tie.collation)
        if isinstance(tie.inner, ColumnRef):
            column = replace(column, name=tie.inner.name, table=tie.inner.table)
        columns.append(column)
    return tuple(columns)


def _grouped(
    plan: Node,
    found: list[Tie],
    calls: tuple[AggregateCall, ...],
    results: tuple[ColumnRef, ...],
    work: Optimisation,
) -> Aggregate:
    keys = _key_columns(found, work)
    collations = tuple([tie.collation for tie in found])
    return Aggregate(plan, tuple([tie.inner for tie in found]), collations, calls, keys + results)


def _left_join(child: Node, right: Node, found: list[Tie], keys: Sequence[ColumnRef]) -> Node:
    condition = conjoin([tie.holds(key) for tie, key in zip(found, keys, strict=False)])
    return NestedLoopJoin(child, right, "left", condition)
