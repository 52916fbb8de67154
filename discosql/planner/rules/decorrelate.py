"""Turn subqueries that would run for each row into joins that run once."""

from typing import Final

from discosql.planner.operands import has_subquery, rewrite, walk
from discosql.planner.plan import (
    Aggregate,
    Compare,
    Distinct,
    Exists,
    Expression,
    Filter,
    InSubquery,
    Is,
    NestedLoopJoin,
    Node,
    Or,
    Projection,
    ScalarSubquery,
    Sort,
    Window,
)
from discosql.planner.predicates import NULL, conjoin, conjuncts, is_volatile, plan_is_volatile
from discosql.planner.rules.decorrelate_values import joined_value, rows_only
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.rules.pull_up import Pulled, pull_up
from discosql.planner.traverse import children, expressions, free_columns, map_expressions, rewrite_plan, with_children

_WITH_VALUES: Final = (Filter, Projection, Aggregate, Window, Sort)


def decorrelate(node: Node, work: Optimisation) -> Node:
    """Make joins of subqueries.

    - A conjunct ``EXISTS (…)`` is a semi join, ``NOT EXISTS (…)`` an anti join, if the conditions on outer columns can
      be taken out of the subquery; they become the join's condition.
    - A conjunct ``x IN (…)`` is a semi join on equality. ``NOT IN`` is an anti join if no NULL can be involved, and
      one that minds NULLs if the subquery depends on the outer row; else it stays, since it runs once.
    - A scalar subquery that depends on the outer row by equality is a left join with the subquery's rows, grouped by
      what it is compared with; so is an EXISTS that is part of another expression.

    What fits none of these stays a subquery, and so does one that finds its rows by an index for few outer rows.
    """
    return rewrite_plan(node, lambda item: _joined(item, work))


def _joined(node: Node, work: Optimisation) -> Node:
    if isinstance(node, Filter):
        node = _filter(node)
    if isinstance(node, _WITH_VALUES) and any(map(has_subquery, expressions(node))):
        return _values(node, work)
    return node


# Conjuncts ---------------------------------------------------------------------------------------------------------


def _filter(node: Filter) -> Node:
    """Join the subqueries that are conjuncts of a Filter, above the conjuncts that are none."""
    rest: list[Expression] = []
    joined: Node | None = None
    parts = conjuncts(node.predicate)
    plain = [part for part in parts if not has_subquery(part)]
    below = conjoin(plain)
    start = node.child if below is None else Filter(node.child, below)
    for part in parts:
        new = _join_conjunct(joined or start, part)
        if new is not None:
            joined = new
        elif has_subquery(part):
            rest.append(part)
    if joined is None:
        return node
    above = conjoin(rest)
    return joined if above is None else Filter(joined, above)


def _join_conjunct(child: Node, part: Expression) -> Node | None:
    if not isinstance(part, Exists | InSubquery) or plan_is_volatile(part.plan):
        return None
    outer = {column.id for column in child.output}
    if isinstance(part, Exists):
        if not free_columns(part.plan) & outer:
            return None
        pulled = pull_up(rows_only(part.plan), outer)
        return _semi_join(child, pulled, [], part.negated) if pulled is not None else None
    if any(is_volatile(operand) or has_subquery(operand) for operand in part.operands):
        return None
    return _membership(child, part, outer)


def _semi_join(child: Node, pulled: Pulled, equalities: list[Expression], negated: bool) -> Node:
    return NestedLoopJoin(child, pulled.plan, "anti" if negated else "semi", conjoin(equalities + pulled.conditions))


def _membership(child: Node, part: InSubquery, outer: set[int]) -> Node | None:
    plan = part.plan
    correlated = bool(free_columns(plan) & outer)
    while isinstance(plan, Sort | Distinct):
        plan = plan.child
    results: tuple[Expression, ...] = plan.output
    nullable = any(item.nullable for item in (*part.operands, *results))
    if part.negated and nullable and not correlated:
        return None
    if correlated and isinstance(plan, Projection):
        results, plan = plan.expressions, plan.child
        if any(has_subquery(result) for result in results):
            return None
    pulled = pull_up(plan, outer)
    if pulled is None:
        return None
    equalities = [
        _is_member(operand, result, collation, part.negated)
        for operand, result, collation in zip(part.operands, results, part.collations, strict=True)
    ]
    return _semi_join(child, pulled, equalities, part.negated)


def _is_member(operand: Expression, result: Expression, collation: str, negated: bool) -> Expression:
    """Return the condition under which a result makes IN true, or NOT IN not true: NULL might be any value."""
    equal = Compare("=", operand, result, collation)
    nullable = [item for item in (operand, result) if item.nullable]
    if not negated or not nullable:
        return equal
    return Or((equal, *(Is(item, NULL) for item in nullable)))


# Values ------------------------------------------------------------------------------------------------------------


def _values(node: Node, work: Optimisation) -> Node:
    """Join the subqueries that are parts of a node's expressions, and put columns in their places."""
    (child,) = children(node)
    values: dict[tuple[int, ...], Expression] = {}
    for expression in expressions(node):
        for part in walk(expression):
            if isinstance(part, ScalarSubquery | Exists) and _identity(part) not in values:
                made = joined_value(child, part, work)
                if made is not None:
                    child, values[_identity(part)] = made
    if not values:
        return node
    node = with_children(node, [child])

    def change(part: Expression) -> Expression:
        return values.get(_identity(part), part) if isinstance(part, ScalarSubquery | Exists) else part

    return map_expressions(node, lambda expression: rewrite(expression, change))


def _identity(part: ScalarSubquery | Exists) -> tuple[int, ...]:
    """Return what tells subqueries apart: one may stand in several places, as the operand of CASE does."""
    return tuple([column.id for column in part.plan.output])
