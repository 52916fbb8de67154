"""Leave out what changes nothing."""

from dataclasses import replace
from typing import Any, Final

from discosql.planner.keys import ROWID, table_positions
from discosql.planner.plan import (
    Aggregate,
    ColumnRef,
    Constant,
    Distinct,
    Expression,
    Filter,
    IndexLookup,
    Limit,
    Node,
    Projection,
    Scan,
    Sort,
    SortKey,
    TopN,
)
from discosql.planner.predicates import fingerprint, is_fixed
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.traverse import rewrite_plan
from discosql.planner.unique import has_one_row, is_unique
from discosql.types import SqlType


def remove_redundant(node: Node, _: Optimisation) -> Node:
    """Leave out a Distinct over rows that differ anyway and a Sort whose order nobody sees.

    - Distinct over columns that hold a key: of a table, of groups, of another Distinct.
    - Sort of at most one row, of a table by its rowid, below an Aggregate that minds no order, by constants, or by a
      term named before.
    - Limit of at most one row to one or more, or to a negative number, which means none.
    - A Projection of all its child's columns as they are.
    - The rows after the first for a ``min()`` of the rowid alone: they come in its order.
    """
    return rewrite_plan(node, lambda item: _RULES[type(item)](item) if type(item) in _RULES else item)


def _distinct(node: Distinct) -> Node:
    return node.child if is_unique(node.child, node.output, node.collations) else node


def _sort(node: Sort) -> Node:
    if has_one_row(node.child):
        return node.child
    keys = _telling(node.keys)
    if not keys or _is_ordered(node.child, keys[0]):
        return node.child
    return node if len(keys) == len(node.keys) else replace(node, keys=keys)


def _is_ordered(node: Node, key: SortKey) -> bool:
    """Whether a plan gives its rows in the order of a key that tells them all apart: the rowid, as tables are read."""
    expression = key.expression
    while isinstance(node, Projection | Filter) and isinstance(expression, ColumnRef):
        if isinstance(node, Projection):
            sources = dict(zip((column.id for column in node.output), node.expressions, strict=True))
            expression = sources.get(expression.id, expression)
        node = node.child
    if key.descending or not isinstance(node, Scan | IndexLookup) or not isinstance(expression, ColumnRef):
        return False
    return any(column.id == expression.id and position == ROWID for column, position in table_positions(node))


def _telling(keys: tuple[SortKey, ...]) -> tuple[SortKey, ...]:
    """Return the keys that can make a difference."""
    kept: list[SortKey] = []
    seen: set[tuple[Any, ...]] = set()
    for key in keys:
        mark = (*fingerprint(key.expression), key.collation)
        if mark not in seen and not is_fixed(key.expression):
            kept.append(key)
        seen.add(mark)
    return tuple(kept)


def _top_n(node: TopN) -> Node:
    keys = _telling(node.keys)
    if has_one_row(node.child) or not keys or _is_ordered(node.child, keys[0]):
        return _limit(Limit(node.child, node.limit, node.offset))
    return node if len(keys) == len(node.keys) else replace(node, keys=keys)


def _limit(node: Limit) -> Node:
    limit = node.limit
    if isinstance(limit, Constant) and isinstance(limit.value, int) and limit.value < 0:
        return node.child if node.offset is None else replace(node, limit=None)
    if node.offset is not None or not has_one_row(node.child):
        return node
    some = limit is None or (isinstance(limit, Constant) and isinstance(limit.value, int) and limit.value != 0)
    return node.child if some else node


def _projection(node: Projection) -> Node:
    own = node.child.output
    if len(own) != len(node.output):
        return node
    for expression, column, below in zip(node.expressions, node.output, own, strict=True):
        if not isinstance(expression, ColumnRef) or not expression.id == column.id == below.id:
            return node
    return node.child


_UNORDERED: Final = frozenset({"count", "min", "max"})
"""Aggregate functions that give the same for any order of rows."""


def _aggregate(node: Aggregate) -> Node:
    child = node.child
    if isinstance(child, Sort) and not any(map(_minds_order, node.calls)):
        child = child.child
    if not node.keys and node.calls and not isinstance(child, Limit) and _is_first(node, child):
        child = Limit(child, Constant(1, SqlType.INTEGER))
    return node if child is node.child else replace(node, child=child)


def _minds_order(call: Any) -> bool:
    return call.bare or call.name not in _UNORDERED


def _is_first(node: Aggregate, child: Node) -> bool:
    """Whether the first row of the child tells all that an Aggregate without keys asks of it."""
    while isinstance(child, Filter):
        child = child.child
    if not isinstance(child, Scan | IndexLookup):
        return False
    rowids = {column.id for column, position in table_positions(child) if position == ROWID}
    has_minimum = False
    for call in node.calls:
        if call.filter is not None or not (call.bare or (call.name == "min" and len(call.arguments) == 1)):
            return False
        if not call.bare:
            argument: Expression = call.arguments[0]
            if not isinstance(argument, ColumnRef) or argument.id not in rowids:
                return False
            has_minimum = True
    return has_minimum


_RULES: Final[dict[type, Any]] = {
    Distinct: _distinct,
    Sort: _sort,
    TopN: _top_n,
    Limit: _limit,
    Projection: _projection,
    Aggregate: _aggregate,
}
