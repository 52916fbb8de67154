"""Separate a subquery from the query around it: what remains, and the conditions that tied them together."""

from dataclasses import replace
from typing import NamedTuple

from discosql.planner.operands import has_subquery
from discosql.planner.plan import (
    Compare,
    Expression,
    Filter,
    Is,
    NestedLoopJoin,
    Node,
    Projection,
    Sort,
)
from discosql.planner.predicates import conjoin, conjuncts, is_volatile
from discosql.planner.traverse import columns_in, expressions, free_columns


class Pulled(NamedTuple):
    """A plan that no longer uses columns from around it, and the conditions that did.

    The plan produces every column of its own that the conditions use.
    """

    plan: Node
    conditions: list[Expression]


class Tie(NamedTuple):
    """A condition that says an expression of the subquery equals one of the query around it."""

    inner: Expression
    outer: Expression
    collation: str
    null_safe: bool

    def holds(self, inner: Expression) -> Expression:
        """Return the condition with another expression on the subquery's side."""
        if self.null_safe:
            return Is(self.outer, inner, collation=self.collation)
        return Compare("=", self.outer, inner, self.collation)


def pull_up(node: Node, outer: set[int], *, ordered: bool = False) -> Pulled | None:
    """Take the conditions on outer columns out of a plan; None where they are in places that cannot be left.

    `ordered` keeps the order of rows; otherwise a Sort goes.
    """
    if not free_columns(node) & outer:
        return Pulled(node, [])
    if isinstance(node, Filter):
        return _filter(node, outer, ordered)
    if isinstance(node, Projection):
        return _projection(node, outer, ordered)
    if isinstance(node, NestedLoopJoin):
        return _join(node, outer)
    if isinstance(node, Sort):
        below = pull_up(node.child, outer, ordered=ordered)
        if below is None or _uses(node, outer):
            return None
        return Pulled(replace(node, child=below.plan), below.conditions) if ordered else below
    return None


def _uses(node: Node, outer: set[int]) -> bool:
    return any(columns_in(part) & outer for part in expressions(node))


def _divided(predicate: Expression | None, outer: set[int]) -> tuple[list[Expression], list[Expression]] | None:
    """Divide conjuncts into those that use outer columns and the others; None if one of the former cannot move."""
    tied: list[Expression] = []
    own: list[Expression] = []
    for part in conjuncts(predicate):
        if not columns_in(part) & outer:
            own.append(part)
        elif has_subquery(part) or is_volatile(part):
            return None
        else:
            tied.append(part)
    return tied, own


def _filter(node: Filter, outer: set[int], ordered: bool) -> Pulled | None:
    divided = _divided(node.predicate, outer)
    below = pull_up(node.child, outer, ordered=ordered)
    if divided is None or below is None:
        return None
    tied, own = divided
    rest = conjoin(own)
    return Pulled(below.plan if rest is None else Filter(below.plan, rest), below.conditions + tied)


def _projection(node: Projection, outer: set[int], ordered: bool) -> Pulled | None:
    below = pull_up(node.child, outer, ordered=ordered)
    if below is None or _uses(node, outer):
        return None
    return Pulled(with_columns(replace(node, child=below.plan), below.conditions), below.conditions)


def with_columns(node: Projection, needed: list[Expression]) -> Projection:
    """Return the Projection with those columns of its child added that some expressions need."""
    used = {number for expression in needed for number in columns_in(expression)}
    used -= {column.id for column in node.output}
    passed = tuple([column for column in node.child.output if column.id in used])
    return replace(node, expressions=node.expressions + passed, output=node.output + passed) if passed else node


def _join(node: NestedLoopJoin, outer: set[int]) -> Pulled | None:
    if node.lateral:
        return None
    left = pull_up(node.left, outer)
    if node.kind == "inner":
        right = pull_up(node.right, outer)
        divided = _divided(node.condition, outer)
        if left is None or right is None or divided is None:
            return None
        tied, own = divided
        joined = replace(node, left=left.plan, right=right.plan, condition=conjoin(own))
        return Pulled(joined, left.conditions + right.conditions + tied)
    if left is None or node.kind not in ("left", "semi", "anti"):
        return None
    if _uses(node, outer) or free_columns(node.right) & outer:
        return None
    return Pulled(replace(node, left=left.plan), left.conditions)


def ties(conditions: list[Expression], outer: set[int]) -> list[Tie] | None:
    """Return the conditions as equalities between the two sides; None if one of them is anything else."""
    found: list[Tie] = []
    for part in conditions:
        tie = _tie(part, outer)
        if tie is None:
            return None
        found.append(tie)
    return found


def _tie(part: Expression, outer: set[int]) -> Tie | None:
    if isinstance(part, Compare):
        if part.operator != "=":
            return None
    elif not isinstance(part, Is) or part.negated:
        return None
    for inner, other in ((part.left, part.right), (part.right, part.left)):
        used = columns_in(inner)
        if used and not used & outer and columns_in(other) <= outer:
            return Tie(inner, other, part.collation, isinstance(part, Is))
    return None
