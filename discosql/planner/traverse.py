"""Walk and change the trees of a plan: expressions, nodes, and the subqueries that tie them together.

Whatever can be thousands of levels deep is walked with a stack of our own: expressions (``a + a + … + a``) and chains
of set operations, whose arms all count as children of the topmost one. Other nodes nest as deeply as the statement's
parentheses and are walked by recursion. What does not change is returned as the same object, so that a rule can tell by
identity whether it did anything.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from discosql.planner.plan import (
    Aggregate,
    AggregateCall,
    And,
    Between,
    Binary,
    Bound,
    Call,
    Case,
    Cast,
    CatalogScan,
    ColumnRef,
    Compare,
    Convert,
    Distinct,
    Exists,
    Expression,
    Filter,
    Frame,
    FrameBound,
    HashJoin,
    IndexJoin,
    IndexLookup,
    InList,
    InSubquery,
    Is,
    Limit,
    NestedLoopJoin,
    Node,
    Not,
    Or,
    Projection,
    RecursiveUnion,
    ScalarSubquery,
    Scan,
    SetOperation,
    SimpleCase,
    Sort,
    SortKey,
    TopN,
    Unary,
    Values,
    Window,
    WindowCall,
)

Change: TypeAlias = Callable[[Expression], Expression]

SUBQUERIES: Final = (ScalarSubquery, Exists, InSubquery)
SUBQUERY_KINDS: Final = frozenset(SUBQUERIES)

# Expressions -------------------------------------------------------------------------------------------------------

_OPERANDS: Final[dict[type, Callable[[Any], tuple[Expression, ...]]]] = {
    Unary: lambda e: (e.operand,),
    Binary: lambda e: (e.left, e.right),
    Compare: lambda e: (e.left, e.right),
    Is: lambda e: (e.left, e.right),
    And: lambda e: e.operands,
    Or: lambda e: e.operands,
    Not: lambda e: (e.operand,),
    Between: lambda e: (e.low_operand, e.low, e.high_operand, e.high),
    InList: lambda e: (e.operand, *e.items),
    Case: lambda e: (*(part for when in e.whens for part in when), e.default),
    SimpleCase: lambda e: (*(part for when in e.whens for part in (when[0], when[1], when[3])), e.default),
    Cast: lambda e: (e.operand,),
    Convert: lambda e: (e.operand,),
    Call: lambda e: e.arguments,
    InSubquery: lambda e: e.operands,
}


def _with_case(case: Case, parts: Sequence[Expression]) -> Expression:
    whens = tuple((parts[at], parts[at + 1]) for at in range(0, len(parts) - 1, 2))
    return replace(case, whens=whens, default=parts[-1])


def _with_simple_case(case: SimpleCase, parts: Sequence[Expression]) -> Expression:
    whens = tuple((parts[3 * at], parts[3 * at + 1], when[2], parts[3 * at + 2]) for at, when in enumerate(case.whens))
    return replace(case, whens=whens, default=parts[-1])


_WITH_OPERANDS: Final[dict[type, Callable[[Any, Sequence[Expression]], Expression]]] = {
    Unary: lambda e, p: Unary(e.operator, p[0], e.type, e.nullable),
    Binary: lambda e, p: Binary(e.operator, p[0], p[1], e.type, e.nullable),
    Compare: lambda e, p: Compare(e.operator, p[0], p[1], e.collation, e.type),
    Is: lambda e, p: Is(p[0], p[1], e.negated, e.collation, e.type, e.nullable),
    And: lambda e, p: And(tuple(p), e.type, e.nullable),
    Or: lambda e, p: Or(tuple(p), e.type, e.nullable),
    Not: lambda e, p: Not(p[0], e.type, e.nullable),
    Between: lambda e, p: replace(e, low_operand=p[0], low=p[1], high_operand=p[2], high=p[3]),
    InList: lambda e, p: replace(e, operand=p[0], items=tuple(p[1:])),
    Case: _with_case,
    SimpleCase: _with_simple_case,
    Cast: lambda e, p: Cast(p[0], e.type, e.nullable),
    Convert: lambda e, p: Convert(p[0], e.target),
    Call: lambda e, p: replace(e, arguments=tuple(p)),
    InSubquery: lambda e, p: replace(e, operands=tuple(p)),
}


def operands(expression: Expression) -> tuple[Expression, ...]:
    """Return the direct parts of an expression; a subquery's plan is none of them."""
    parts = _OPERANDS.get(type(expression))
    return parts(expression) if parts is not None else ()


def with_operands(expression: Expression, parts: Sequence[Expression]) -> Expression:
    """Return the expression with other direct parts, as many as `operands` gives."""
    return _WITH_OPERANDS[type(expression)](expression, parts)


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield the expression and all its parts, outer before inner, without entering subqueries."""
    stack = [expression]
    while stack:
        item = stack.pop()
        yield item
        parts = _OPERANDS.get(type(item))
        if parts is not None:
            stack.extend(reversed(parts(item)))


def rewrite(expression: Expression, change: Change) -> Expression:
    """Return the expression with `change` applied to every part, inner before outer."""
    if type(expression) not in _OPERANDS:
        return change(expression)
    stack: list[tuple[Expression, int]] = [(expression, -1)]
    results: list[Expression] = []
    while stack:
        item, count = stack.pop()
        if count < 0:
            parts = operands(item)
            if not parts:
                results.append(change(item))
                continue
            stack.append((item, len(parts)))
            stack.extend([(part, -1) for part in reversed(parts)])
            continue
        new = results[-count:]
        del results[-count:]
        if any(a is not b for a, b in zip(operands(item), new, strict=True)):
            item = with_operands(item, new)
        results.append(change(item))
    return results[0]


def columns_in(expression: Expression) -> set[int]:
    """Return the ids of the columns that the expression uses, those that its subqueries take from outside included."""
    found: set[int] = set()
    for item in walk(expression):
        if type(item) is ColumnRef:
            found.add(item.id)
        elif isinstance(item, SUBQUERIES):
            found |= free_columns(item.plan)
    return found


def has_subquery(expression: Expression) -> bool:
    """Whether a subquery is part of the expression."""
    return any(type(item) in SUBQUERY_KINDS for item in walk(expression))


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
