"""Take the walls between a query and its derived tables down."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeAlias

from discosql.planner.operands import SUBQUERY_KINDS, has_subquery, walk
from discosql.planner.plan import (
    Aggregate,
    Call,
    ColumnRef,
    Expression,
    Filter,
    Limit,
    NestedLoopJoin,
    Node,
    Projection,
    Sort,
    TopN,
    Window,
)
from discosql.planner.predicates import is_volatile
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.traverse import columns_in, map_children, map_expressions, substitute, substitute_plan

MAX_COPIED: Final = 3
"""Parts of an expression that may be computed in several places instead of one."""

Columns: TypeAlias = dict[int, Expression]


class Flat(NamedTuple):
    """A plan without some of its Projections, and what stands for the columns that went with them."""

    node: Node
    columns: Columns


def flatten_subqueries(node: Node, _: Optimisation) -> Node:
    """Remove Projections that only name columns anew, and join those that follow each other.

    The columns of a derived table are replaced by what they stand for, up to the next Projection or Aggregate: plain
    columns always, small expressions unless an outer join may make NULLs of them. An expression that is not small moves
    into the Projection above if that uses it no more than once. Distinct, set operations and results know their
    columns by position; Projections there stay.
    """
    return _positioned(node)


def _positioned(node: Node) -> Node:
    """Flatten a plan whose columns must stay what and where they are."""
    if isinstance(node, Projection):
        return _projection(node)
    if isinstance(node, Sort | Limit | TopN):
        return map_children(node, _positioned)
    flat = _flat(node, True)
    if not flat.columns:
        return flat.node
    refs = tuple([flat.columns.get(column.id, column) for column in node.output])
    return Projection(flat.node, refs, node.output)


def _flat(node: Node, computed: bool) -> Flat:
    """Flatten a plan whose columns are known by id. `computed`: other expressions may stand for its columns, too."""
    handler = _HANDLERS.get(type(node))
    if handler is not None:
        return handler(node, computed)
    return Flat(map_children(node, _positioned), {})


def _projection(node: Projection) -> Projection:
    flat = _flat(node.child, True)
    if flat.node is not node.child or flat.columns:
        node = _with_columns(replace(node, child=flat.node), flat.columns)
    while isinstance(node.child, Projection):
        inner = _merged(node, node.child)
        if inner is None:
            break
        node = inner
    return node


def _with_columns(node: Any, columns: Columns) -> Any:
    if not columns:
        return node
    return map_expressions(node, lambda expression: substitute(expression, columns))


def _merged(outer: Projection, inner: Projection) -> Projection | None:
    """Return two Projections as one, None if something would be computed more often or not at all."""
    uses = Counter(
        part.id for expression in outer.expressions for part in walk(expression) if isinstance(part, ColumnRef)
    )
    if any(map(has_subquery, outer.expressions)):
        return None
    for column, expression in zip(inner.output, inner.expressions, strict=True):
        if is_volatile(expression) or not (uses[column.id] <= 1 or _is_small(expression)):
            return None
    columns = {column.id: expression for column, expression in zip(inner.output, inner.expressions, strict=True)}
    merged: Projection = _with_columns(outer, columns)
    return replace(merged, child=inner.child)


def _is_small(expression: Expression) -> bool:
    return all(count < MAX_COPIED and type(part) not in _LARGE for count, part in enumerate(walk(expression)))


_LARGE: Final = SUBQUERY_KINDS | {Call}


def _renaming(node: Projection, computed: bool) -> Flat:
    """Take from a Projection the columns that something else may stand for; without the rest it goes itself."""
    node = _projection(node)
    own = {column.id: column for column in node.child.output}
    columns: Columns = {}
    kept: list[tuple[Expression, ColumnRef]] = []
    for expression, column in zip(node.expressions, node.output, strict=True):
        if (isinstance(expression, ColumnRef) and expression.id in own) or (computed and _is_small(expression)):
            columns[column.id] = expression
        else:
            kept.append((expression, column))
    if not kept:
        return Flat(node.child, columns)
    if all(isinstance(expression, ColumnRef) and expression.id == number for number, expression in columns.items()):
        return Flat(node, {})
    used = [number for expression in columns.values() for number in columns_in(expression) if number in own]
    passed = tuple([own[number] for number in dict.fromkeys(used)])
    expressions = tuple([expression for expression, _ in kept])
    output = tuple([column for _, column in kept])
    return Flat(Projection(node.child, passed + expressions, passed + output), columns)


def _passing(node: Filter | Sort | Limit | TopN | Window, computed: bool) -> Flat:
    flat = _flat(node.child, computed)
    if flat.node is node.child:
        return Flat(node, flat.columns)
    return Flat(_with_columns(replace(node, child=flat.node), flat.columns), flat.columns)


def _aggregate(node: Aggregate, _: bool) -> Flat:
    flat = _flat(node.child, True)
    if flat.node is not node.child:
        node = _with_columns(replace(node, child=flat.node), flat.columns)
    return Flat(node, {})


def _join(node: NestedLoopJoin, computed: bool) -> Flat:
    left = _flat(node.left, computed and node.kind in ("inner", "left", "semi", "anti"))
    right = _flat(node.right, computed and node.kind in ("inner", "right", "semi", "anti"))
    if left.node is node.left and right.node is node.right:
        return Flat(node, {})
    columns = {**left.columns, **right.columns}
    inner = substitute_plan(right.node, left.columns) if node.lateral and left.columns else right.node
    node = _with_columns(replace(node, left=left.node, right=inner), columns)
    return Flat(node, left.columns if node.kind in ("semi", "anti") else columns)


_HANDLERS: Final[dict[type, Callable[[Any, bool], Flat]]] = {
    Projection: _renaming,
    Aggregate: _aggregate,
    NestedLoopJoin: _join,
    **dict.fromkeys((Filter, Sort, Limit, TopN, Window), _passing),
}
