"""Move conditions towards the tables they are about, and turn outer joins into inner ones where they allow it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from discosql.planner.operands import has_subquery, operands, walk
from discosql.planner.plan import (
    Aggregate,
    Between,
    ColumnRef,
    Compare,
    Distinct,
    Expression,
    Filter,
    InList,
    Is,
    JoinKind,
    NestedLoopJoin,
    Node,
    Projection,
    SetOperation,
    Sort,
    Window,
)
from discosql.planner.predicates import conjoin, conjuncts, is_volatile, rejects_null
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.traverse import children, columns_in, map_children, substitute, with_children


class Part(NamedTuple):
    """A conjunct on its way down, with the columns it uses."""

    expression: Expression
    columns: frozenset[int]
    volatile: bool


def push_down_filters(node: Node, _: Optimisation) -> Node:
    """Move each conjunct of a WHERE, HAVING or ON as far down as it may go.

    - Through a Projection, with the columns replaced by what they stand for.
    - To the side of a join that it is about. A condition on both sides becomes the condition of an inner join; one
      that cannot hold where an outer join fills in NULLs turns that join into an inner one first. An outer join's ON
      moves to the side that is filled in, a WHERE to the side that is kept.
    - Below an Aggregate, Distinct, Window or set operation, where all rows of a group agree on it.
    - Through Sort, but not through Limit.

    Conditions that are volatile stay where they are; those with subqueries come last in their Filter.
    """
    return _push(node, [])


def _push(node: Node, parts: list[Part], staying: Sequence[Part] = ()) -> Node:
    """Push parts into a plan. `staying` are parts above that do not move, but tell which rows are of no use."""
    if isinstance(node, Filter):
        return _filter(node, parts, staying)
    if isinstance(node, NestedLoopJoin):
        return _join(node, parts, staying)
    handler = _HANDLERS.get(type(node))
    if handler is not None:
        return handler(node, parts)
    return _filtered(map_children(node, lambda child: _push(child, [])), parts)


def _parts(predicate: Expression | None) -> list[Part]:
    return [Part(each, frozenset(columns_in(each)), is_volatile(each)) for each in conjuncts(predicate)]


def _filtered(node: Node, parts: Iterable[Part]) -> Node:
    """Put the parts in a Filter over the node, those with subqueries last, joined with a Filter that is there."""
    new = [part.expression for part in parts]
    if not new:
        return node
    if isinstance(node, Filter):
        new = conjuncts(node.predicate) + new
        node = node.child
    new.sort(key=has_subquery)
    predicate = conjoin(new)
    return Filter(node, predicate) if predicate is not None else node


def _ids(node: Node) -> set[int]:
    return {column.id for column in node.output}


def _same(left: Expression | None, right: Expression | None) -> bool:
    if left is right:
        return True
    a, b = conjuncts(left), conjuncts(right)
    return len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))


def _filter(node: Filter, parts: list[Part], staying: Sequence[Part]) -> Node:
    new = _push(node.child, _parts(node.predicate) + parts, staying)
    if isinstance(new, Filter) and new.child is node.child and _same(new.predicate, node.predicate):
        return node
    return new


def _projection(node: Projection, parts: list[Part]) -> Node:
    below: list[Part] = []
    above: list[Part] = []
    sources = {column.id: source for column, source in zip(node.output, node.expressions, strict=True)}
    for part in parts:
        used = [sources[column] for column in part.columns if column in sources]
        if part.volatile or any(is_volatile(source) or has_subquery(source) for source in used):
            above.append(part)
        else:
            below.extend(_parts(substitute(part.expression, sources)))
    child = _push(node.child, below)
    return _filtered(node if child is node.child else replace(node, child=child), above)


def _sort(node: Sort, parts: list[Part]) -> Node:
    above = [part for part in parts if part.volatile]
    child = _push(node.child, [part for part in parts if not part.volatile])
    return _filtered(node if child is node.child else replace(node, child=child), above)


# Nodes that group rows ---------------------------------------------------------------------------------------------


def _agrees(part: Part, collations: dict[int, str], own: set[int]) -> bool:
    """Whether the part has one result for values that are equal under the collations of their columns.

    Equal values need not be the same (1 and 1.0, or 'a' and 'A' under NOCASE), so only comparisons will do.
    """
    if part.volatile or not part.columns & own <= collations.keys() or has_subquery(part.expression):
        return False
    for item in walk(part.expression):
        for operand in operands(item):
            if isinstance(operand, ColumnRef) and operand.id in own and not _compares(item, collations[operand.id]):
                return False
    return not isinstance(part.expression, ColumnRef)


def _compares(expression: Expression, collation: str) -> bool:
    if isinstance(expression, Between):
        return collation in ("BINARY", expression.low_collation) and collation in ("BINARY", expression.high_collation)
    return isinstance(expression, Compare | Is | InList) and collation in ("BINARY", expression.collation)


def _divide(parts: list[Part], collations: dict[int, str], own: set[int]) -> tuple[list[Part], list[Part]]:
    """Divide parts into those that may go below a node that groups rows, and the others.

    `own` are the columns of the node; others belong to queries around it and are as good as constants.
    """
    below: list[Part] = []
    above: list[Part] = []
    for part in parts:
        (below if _agrees(part, collations, own) else above).append(part)
    return below, above


def _aggregate(node: Aggregate, parts: list[Part]) -> Node:
    if not node.keys:
        below: list[Part] = []
        above = parts
    else:
        keys = {column.id: collation for column, collation in zip(node.output, node.collations, strict=False)}
        below, above = _divide(parts, keys, _ids(node))
    sources = {column.id: key for column, key in zip(node.output, node.keys, strict=False)}
    moved = [moved for part in below for moved in _parts(substitute(part.expression, sources))]
    child = _push(node.child, moved)
    return _filtered(node if child is node.child else replace(node, child=child), above)


def _distinct(node: Distinct, parts: list[Part]) -> Node:
    collations = {column.id: name for column, name in zip(node.output, node.collations, strict=True)}
    below, above = _divide(parts, collations, _ids(node))
    child = _push(node.child, below)
    return _filtered(node if child is node.child else replace(node, child=child), above)


def _window(node: Window, parts: list[Part]) -> Node:
    shared: dict[int, str] | None = None
    for call in node.calls:
        keys = {key.expression.id: key.collation for key in call.partition_by if isinstance(key.expression, ColumnRef)}
        shared = keys if shared is None else {id: name for id, name in shared.items() if keys.get(id) == name}
    below, above = _divide(parts, shared or {}, _ids(node))
    child = _push(node.child, below)
    return _filtered(node if child is node.child else replace(node, child=child), above)


def _set_operation(node: SetOperation, parts: list[Part]) -> Node:
    own = _ids(node)
    plain = True
    collations = {column.id: name for column, name in zip(node.output, node.collations, strict=True)}
    spine: Node = node
    while isinstance(spine, SetOperation):
        plain = plain and spine.all
        if spine.collations != node.collations:
            collations = {}
        spine = spine.left
    if plain:
        below = [part for part in parts if not part.volatile]
        above = [part for part in parts if part.volatile]
    else:
        below, above = _divide(parts, collations, own)
    arms = [_push(arm, _renamed(below, node, arm)) for arm in children(node)]
    if any(a is not b for a, b in zip(arms, children(node), strict=True)):
        return _filtered(with_children(node, arms), above)
    return _filtered(node, above)


def _renamed(parts: list[Part], node: Node, arm: Node) -> list[Part]:
    if not parts:
        return []
    columns = {column.id: source for column, source in zip(node.output, arm.output, strict=True)}
    return [renamed for part in parts for renamed in _parts(substitute(part.expression, columns))]


# Joins -------------------------------------------------------------------------------------------------------------


def _strengthen(kind: JoinKind, parts: Sequence[Part], left: set[int], right: set[int]) -> JoinKind:
    """Return the kind of a join above which the parts hold: what they reject need not be filled in."""
    keeps_left = kind in ("left", "full") and not any(rejects_null(part.expression, right) for part in parts)
    keeps_right = kind in ("right", "full") and not any(rejects_null(part.expression, left) for part in parts)
    if keeps_left:
        return "full" if keeps_right else "left"
    return "right" if keeps_right else "inner"


def _join(node: NestedLoopJoin, parts: list[Part], staying: Sequence[Part]) -> Node:
    left, right = _ids(node.left), _ids(node.right)
    kind: JoinKind = node.kind
    if kind in ("left", "right", "full"):
        kind = _strengthen(kind, [*parts, *staying], left, right)
    sides = _Sides(left, right)
    if kind == "inner":
        sides.place_inner(_parts(node.condition), parts)
    else:
        sides.place_outer(kind, _parts(node.condition), parts)
    # A row that is of no use above, or that no ON is true for, need not be made by an outer join below.
    above = [*staying, *sides.above]
    useful_left = above if kind in ("inner", "left", "semi", "anti") else []
    useful_right = above if kind in ("inner", "right") else []
    matching_left = sides.condition if kind in ("inner", "right", "semi") else []
    matching_right = sides.condition if kind in ("inner", "left", "semi", "anti") else []
    new_left = _push(node.left, sides.to_left, useful_left + matching_left)
    new_right = _push(node.right, sides.to_right, useful_right + matching_right)
    condition = conjoin([part.expression for part in sides.condition])
    if _same(condition, node.condition):
        condition = node.condition
    if kind != node.kind or new_left is not node.left or new_right is not node.right or condition is not node.condition:
        node = replace(node, left=new_left, right=new_right, kind=kind, condition=condition)
    return _filtered(node, sides.above)


class _Sides:
    """Where the conjuncts of a join and of what is above it go."""

    def __init__(self, left: set[int], right: set[int]) -> None:
        self._left = left
        self._right = right
        self.to_left: list[Part] = []
        self.to_right: list[Part] = []
        self.condition: list[Part] = []
        self.above: list[Part] = []

    def place_inner(self, on: list[Part], where: list[Part]) -> None:
        """Place the conjuncts of an inner join. One with a subquery about both sides is for the Filter above."""
        for part in on + where:
            if part.volatile:
                self.above.append(part)
            elif not part.columns & self._right:
                self.to_left.append(part)
            elif not part.columns & self._left:
                self.to_right.append(part)
            else:
                (self.above if has_subquery(part.expression) else self.condition).append(part)

    def place_outer(self, kind: JoinKind, on: list[Part], where: list[Part]) -> None:
        """Place the conjuncts of any other join."""
        on_left = kind in ("right", "semi")
        on_right = kind in ("left", "semi", "anti")
        for part in on:
            if on_left and not part.volatile and part.columns & self._left and not part.columns & self._right:
                self.to_left.append(part)
            elif on_right and not part.volatile and part.columns & self._right and not part.columns & self._left:
                self.to_right.append(part)
            else:
                self.condition.append(part)
        for part in where:
            if kind in ("left", "semi", "anti") and not part.volatile and not part.columns & self._right:
                self.to_left.append(part)
            elif kind == "right" and not part.volatile and not part.columns & self._left:
                self.to_right.append(part)
            else:
                self.above.append(part)


_HANDLERS: Final[dict[type, Callable[[Any, list[Part]], Node]]] = {
    Projection: _projection,
    Sort: _sort,
    Aggregate: _aggregate,
    Distinct: _distinct,
    Window: _window,
    SetOperation: _set_operation,
}
