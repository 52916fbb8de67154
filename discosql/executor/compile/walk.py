"""Ways through a plan: the parts of expressions and nodes, and the columns they use."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, get_args

from discosql.planner.plan import (
    Call,
    ColumnRef,
    Constant,
    Distinct,
    Exists,
    Expression,
    Filter,
    HashJoin,
    IndexJoin,
    InSubquery,
    Limit,
    NestedLoopJoin,
    Node,
    RecursiveUnion,
    ScalarSubquery,
    SetOperation,
    Shared,
    Sort,
    TopN,
    WorkingScan,
)

NODES: Final = frozenset(get_args(Node))
_EXPRESSIONS: Final = frozenset(get_args(Expression))
_PASSING: Final = (Filter, Sort, TopN, Limit, Distinct, NestedLoopJoin, HashJoin, IndexJoin)
_WHOLE: Final[dict[type, tuple[str, ...]]] = {
    Distinct: ("child",),
    SetOperation: ("left", "right"),
    RecursiveUnion: ("initial", "step"),
    Shared: ("child",),
    ScalarSubquery: ("plan",),
    Exists: ("plan",),
    InSubquery: ("plan",),
}
"""Where the rows of a plan are kept as a whole."""

_CARRIERS: Final = ("Expression", "Node", "SortKey", "Call", "Frame", "Bound", "IndexLookup")
"""Words in the annotations of the fields that hold parts of a plan."""

_FIELDS: dict[type, tuple[str, ...]] = {}


def _fields(kind: type) -> tuple[str, ...]:
    names = _FIELDS.get(kind)
    if names is None:
        found = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
        names = _FIELDS[kind] = tuple(
            field.name for field in found if any(word in str(field.type) for word in _CARRIERS)
        )
    return names


def _parts(item: Any) -> list[Any]:
    """Return the parts of a plan directly inside one, without constants: lists of these are long."""
    found: list[Any] = []
    for name in _fields(type(item)):
        value = getattr(item, name)
        if type(value) is tuple:
            _open(value, found)
        elif value is not None:
            found.append(value)
    return found


def _open(values: tuple[Any, ...], found: list[Any]) -> None:
    for value in values:
        if type(value) is tuple:
            _open(value, found)
        elif type(value) is not Constant and dataclasses.is_dataclass(value):
            found.append(value)


def walk(item: Any) -> Iterator[Any]:
    """Yield an expression or a node and all that is in it, subqueries too, in no particular order."""
    stack = [item]
    while stack:
        part = stack.pop()
        yield part
        stack.extend(_parts(part))


def node_children(node: Node) -> list[Node]:
    """Return the nodes directly below a node, from left to right."""
    return [part for part in _parts(node) if type(part) in NODES]


def node_expressions(node: Node) -> Iterator[Expression]:
    """Yield the expressions that a node itself evaluates."""
    stack = [part for part in _parts(node) if type(part) not in NODES]
    while stack:
        part = stack.pop()
        if type(part) in _EXPRESSIONS:
            yield part
        else:  # a sort key, an aggregate or window call, a frame or a bound
            stack.extend(_parts(part))


def operands(expression: Expression) -> list[Expression]:
    """Return the expressions directly inside one, without entering subqueries."""
    if type(expression) is ColumnRef:
        return []
    return [part for part in _parts(expression) if type(part) in _EXPRESSIONS]


def count_uses(plan: Node) -> Counter[int]:
    """Count how often each column is used: named in an expression, or part of rows that are kept as a whole."""
    uses: Counter[int] = Counter([column.id for column in plan.output])
    shared: set[int] = set()
    stack: list[Any] = [plan]
    while stack:
        part = stack.pop()
        if type(part) is ColumnRef:
            uses[part.id] += 1
        elif type(part) is Shared:
            if part.id in shared:
                continue
            shared.add(part.id)
        for name in _WHOLE.get(type(part), ()):
            uses.update([column.id for column in getattr(part, name).output])
        stack.extend(_parts(part))
    return uses


def references(*items: Any) -> frozenset[int]:
    """Return what expressions or a plan take from outside: column ids, and ``~id`` for the row of a RecursiveUnion."""
    used: set[int] = set()
    produced: set[int] = set()
    for item in items:
        for part in walk(item) if item is not None else ():
            kind = type(part)
            if kind is ColumnRef:
                used.add(part.id)
            elif kind is WorkingScan:
                used.add(~part.id)
            elif kind is RecursiveUnion:
                produced.add(~part.id)
            if kind in NODES and not isinstance(part, _PASSING):
                produced.update([column.id for column in part.output])
    return frozenset(used - produced)


def is_volatile(item: Any) -> bool:
    """Whether an expression or a plan may give another value each time it is evaluated."""
    return any(type(part) is Call and not part.deterministic for part in walk(item))


def _has_more_parts(expression: Expression, number: int) -> bool:
    stack = [expression]
    for item in stack:
        stack.extend(operands(item))
        if len(stack) > number:
            return True
    return False


def deep_parts(expression: Expression, step: int) -> list[Expression]:
    """Return the parts whose height is a multiple of `step`, lowest first; none for the usual small expression."""
    if not _has_more_parts(expression, step):
        return []
    heights: dict[int, int] = {}
    deep: list[tuple[int, Expression]] = []
    stack: list[tuple[Expression, bool]] = [(expression, False)]
    while stack:
        item, done = stack.pop()
        parts = operands(item)
        if not done and parts:
            stack.append((item, True))
            stack.extend([(part, False) for part in parts if id(part) not in heights])
            continue
        height = 1 + max([heights[id(part)] for part in parts], default=0)
        heights[id(item)] = height
        if height % step == 0:
            deep.append((height, item))
    return [item for _, item in sorted(deep, key=lambda entry: entry[0])]
