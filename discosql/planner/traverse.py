"""Walk and change plans: their nodes, the expressions in them, and the subqueries in those.

The arms of a chain of set operations, of which there may be hundreds, all count as children of the topmost one. Other
nodes nest as deeply as the statement's parentheses and are walked by recursion. What does not change is returned as the
same object, so that a rule can tell by identity whether it did anything.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from discosql.planner.operands import SUBQUERIES, Change, rewrite, walk
from discosql.planner.plan import (
    Aggregate,
    AggregateCall,
    Bound,
    CatalogScan,
    ColumnRef,
    Distinct,
    Exists,
    Expression,
    Filter,
    Frame,
    FrameBound,
    HashJoin,
    IndexJoin,
    IndexLookup,
    InSubquery,
    Limit,
    NestedLoopJoin,
    Node,
    Projection,
    RecursiveUnion,
    ScalarSubquery,
    Scan,
    SetOperation,
    Sort,
    SortKey,
    TopN,
    Values,
    Window,
    WindowCall,
)


def columns_in(expression: Expression) -> set[int]:
    """Return the ids of the columns that the expression uses, those that its subqueries take from outside included."""
    if type(expression) is ColumnRef:
        return {expression.id}
    found: set[int] = set()
    for item in walk(expression):
        if type(item) is ColumnRef:
            found.add(item.id)
        elif isinstance(item, SUBQUERIES):
            found |= free_columns(item.plan)
    return found


def substitute(expression: Expression, columns: Mapping[int, Expression]) -> Expression:
    """Return the expression with columns replaced, in its subqueries too.

    A column put in another's place may be NULL wherever the old one could, so that a column keeps what an outer join
    above its table made of it.
    """

    def change(part: Expression) -> Expression:
        if type(part) is ColumnRef:
            new = columns.get(part.id)
            if new is None:
                return part
            if part.nullable and type(new) is ColumnRef and not new.nullable:
                return replace(new, nullable=True)
            return new
        if isinstance(part, SUBQUERIES):
            return with_subplan(part, substitute_plan(part.plan, columns))
        return part

    return rewrite(expression, change)


def with_subplan(subquery: ScalarSubquery | Exists | InSubquery, plan: Node) -> Expression:
    """Return the subquery with another plan."""
    return subquery if plan is subquery.plan else replace(subquery, plan=keep_output(subquery.plan, plan))


# Nodes -------------------------------------------------------------------------------------------------------------

_CARRIED: Final[dict[type, tuple[str, ...]]] = {
    SortKey: ("expression",),
    AggregateCall: ("arguments", "filter", "order_by"),
    WindowCall: ("arguments", "partition_by", "order_by", "frame", "filter"),
    Frame: ("start", "end"),
    FrameBound: ("offset",),
    Bound: ("low", "high"),
}
"""The parts of a node that are no expressions but hold some, and the attributes that hold them."""

_HELD: Final[dict[type, tuple[str, ...]]] = {
    Values: ("rows",),
    Scan: ("bounds", "as_of"),
    IndexLookup: ("keys", "as_of"),
    CatalogScan: ("arguments",),
    Filter: ("predicate",),
    Projection: ("expressions",),
    Aggregate: ("keys", "calls"),
    Window: ("calls",),
    Sort: ("keys",),
    TopN: ("keys", "limit", "offset"),
    Limit: ("limit", "offset"),
    NestedLoopJoin: ("condition",),
    HashJoin: ("left_keys", "right_keys", "residual"),
    IndexJoin: ("residual",),
    RecursiveUnion: ("keys", "limit", "offset"),
}
"""The attributes of each kind of node that hold expressions."""

_NO_EXPRESSION: Final = frozenset({type(None), str, int, bool, float, bytes})


def _collect(value: Any, found: list[Expression]) -> None:
    kind = type(value)
    if kind is tuple:
        for item in value:
            _collect(item, found)
    elif kind in _CARRIED:
        for name in _CARRIED[kind]:
            _collect(getattr(value, name), found)
    elif kind not in _NO_EXPRESSION:
        found.append(value)


def _changed(value: Any, change: Change) -> Any:
    kind = type(value)
    if kind is tuple:
        items = tuple([_changed(item, change) for item in value])
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if kind in _CARRIED:
        return _replaced(value, _CARRIED[kind], change)
    return value if kind in _NO_EXPRESSION else change(value)


def _replaced(item: Any, names: tuple[str, ...], change: Change) -> Any:
    changes = {}
    for name in names:
        old = getattr(item, name)
        new = _changed(old, change)
        if new is not old:
            changes[name] = new
    return replace(item, **changes) if changes else item


def expressions(node: Node) -> list[Expression]:
    """Return the expressions that the node itself evaluates, in the order of its attributes."""
    found: list[Expression] = []
    for name in _HELD.get(type(node), ()):
        _collect(getattr(node, name), found)
    return found


def map_expressions(node: Node, change: Change) -> Node:
    """Return the node with each of its own expressions changed as a whole."""
    names = _HELD.get(type(node))
    return _replaced(node, names, change) if names else node


def map_parts(part: Any, change: Change) -> Any:
    """Return a sort key, an aggregate call or a window call with its expressions changed."""
    return _changed(part, change)


_CHILDREN: Final[dict[type, tuple[str, ...]]] = {
    Filter: ("child",),
    Projection: ("child",),
    Aggregate: ("child",),
    Window: ("child",),
    Sort: ("child",),
    TopN: ("child",),
    Limit: ("child",),
    Distinct: ("child",),
    NestedLoopJoin: ("left", "right"),
    HashJoin: ("left", "right"),
    IndexJoin: ("left", "lookup"),
    RecursiveUnion: ("initial", "step"),
}
"""The attributes that hold a node's children. A Shared's child is none: it is planned by itself, once a statement."""


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes below; of a chain of set operations, all its arms from left to right."""
    kind = type(node)
    if kind is SetOperation:
        return _arms(node)  # type: ignore[arg-type]
    return tuple([getattr(node, name) for name in _CHILDREN.get(kind, ())])


def _arms(node: SetOperation) -> tuple[Node, ...]:
    arms: list[Node] = []
    spine: Node = node
    while isinstance(spine, SetOperation):
        arms.append(spine.right)
        spine = spine.left
    arms.append(spine)
    return tuple(reversed(arms))


def keep_output(old: Node, new: Node) -> Node:
    """Return the new node, under a Projection where its columns are not those of the old one in the same order."""
    wanted = old.output
    if [column.id for column in wanted] == [column.id for column in new.output]:
        return new
    return Projection(new, wanted, wanted)


def with_children(node: Node, parts: Sequence[Node]) -> Node:
    """Return the node with other children, as many as `children` gives.

    Where the node knows columns by position (Distinct, SetOperation, RecursiveUnion), they keep their order.
    """
    if isinstance(node, SetOperation | Distinct | RecursiveUnion):
        parts = [keep_output(old, new) for old, new in zip(children(node), parts, strict=True)]
    if isinstance(node, SetOperation):
        return _with_arms(node, parts)
    names = _CHILDREN.get(type(node), ())
    changes: dict[str, Any] = {
        name: part for name, part in zip(names, parts, strict=True) if getattr(node, name) is not part
    }
    return replace(node, **changes) if changes else node


def _with_arms(node: SetOperation, arms: Sequence[Node]) -> Node:
    spine: list[SetOperation] = []
    below: Node = node
    while isinstance(below, SetOperation):
        spine.append(below)
        below = below.left
    below = arms[0]
    for operation, arm in zip(reversed(spine), arms[1:], strict=True):
        if operation.left is not below or operation.right is not arm:
            operation = replace(operation, left=below, right=arm)
        below = operation
    return below


def map_children(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the node with each child changed."""
    old = children(node)
    if not old:
        return node
    if len(old) == 1:
        child = change(old[0])
        return node if child is old[0] else with_children(node, (child,))
    new = [change(child) for child in old]
    if any(a is not b for a, b in zip(old, new, strict=True)):
        return with_children(node, new)
    return node


def rewrite_plan(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the plan with `change` applied to every node, children before parents, without entering subqueries."""
    return change(map_children(node, lambda child: rewrite_plan(child, change)))


def walk_plan(node: Node) -> Iterator[Node]:
    """Yield the node and all nodes below it, parents first, without entering subqueries."""
    stack = [node]
    while stack:
        item = stack.pop()
        yield item
        stack.extend(reversed(children(item)))


def free_columns(node: Node) -> set[int]:
    """Return the ids of the columns that a plan uses and does not produce: those of the queries around it."""
    used: set[int] = set()
    produced: set[int] = set()
    for item in walk_plan(node):
        for expression in expressions(item):
            used |= columns_in(expression)
        if not isinstance(item, PASSING):
            produced.update([column.id for column in item.output])
    return used - produced


PASSING: Final = (Filter, Sort, TopN, Limit, Distinct, NestedLoopJoin, HashJoin, IndexJoin)
"""Nodes whose output is made of their children's columns and nothing else."""


def substitute_plan(node: Node, columns: Mapping[int, Expression]) -> Node:
    """Return the plan with columns from outside replaced in all its expressions."""
    return rewrite_plan(node, lambda item: map_expressions(item, lambda part: substitute(part, columns)))
