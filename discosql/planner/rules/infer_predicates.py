"""Conclude conditions on one table from those on others."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from discosql.planner.operands import has_subquery
from discosql.planner.plan import (
    Between,
    ColumnRef,
    Compare,
    Expression,
    Filter,
    InList,
    Limit,
    NestedLoopJoin,
    Node,
    Or,
    Sort,
    TopN,
    Window,
)
from discosql.planner.predicates import conjoin, conjuncts, disjuncts, fingerprint, is_fixed, is_volatile
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.rules.push_down_filters import push_down_filters
from discosql.planner.rules.region import Classes, Region, column_equality, is_joint, region_of
from discosql.planner.rules.simplify_predicates import simplify
from discosql.planner.traverse import columns_in, map_children, substitute


def infer_predicates(node: Node, work: Optimisation) -> Node:
    """Add conditions that follow from others, where they let less be read or joined.

    - ``a = b AND b = 5`` gives ``a = 5``, and so do inequalities, IN and BETWEEN, if both compare by one collation
      and nothing is converted. An ON of an outer join carries conditions from the side that is kept to the other.
    - ``(a = 1 AND b = 2) OR (a = 3 AND b = 4)`` gives ``a IN (1, 3)`` if a and b are of different tables.
    """
    if isinstance(node, NestedLoopJoin):
        added = _inferred(region_of(node)) if is_joint(node) else []
        if added:
            node = push_down_filters(Filter(node, _all(added)), work)
        elif node.kind in ("left", "right", "semi", "anti") and not node.lateral:
            node = _carried(node, work)
    if isinstance(node, NestedLoopJoin) and is_joint(node):
        return _relations(node, lambda relation: infer_predicates(relation, work))
    return map_children(node, lambda child: infer_predicates(child, work))


def _relations(node: Node, change: Any) -> Node:
    """Return a tree of inner joins with its relations changed, and not inferred from again part by part."""
    if is_joint(node):
        return map_children(node, lambda child: _relations(child, change))
    return change(node)  # type: ignore[no-any-return]


def _all(parts: list[Expression]) -> Expression:
    predicate = conjoin(parts)
    assert predicate is not None
    return predicate


def known(node: Node) -> list[Expression]:
    """Return conjuncts that hold for every row of a plan."""
    if isinstance(node, Filter):
        return conjuncts(node.predicate) + known(node.child)
    if isinstance(node, Sort | Limit | TopN | Window):
        return known(node.child)
    if not isinstance(node, NestedLoopJoin):
        return []
    if node.kind == "inner":
        return conjuncts(node.condition) + known(node.left) + known(node.right)
    if node.kind in ("left", "semi", "anti"):
        return known(node.left)
    return known(node.right) if node.kind == "right" else []


# Equal columns -----------------------------------------------------------------------------------------------------


def _inferred(region: Region) -> list[Expression]:
    facts = region.conditions + [part for relation in region.relations for part in known(relation)]
    own = set(region.home)
    return [*_transferred(facts, facts, own), *_of_arms(region)]


def _transferred(equalities: Iterable[Expression], facts: list[Expression], own: set[int]) -> list[Expression]:
    """Return the facts about single columns said of the columns that equal them, as far as that is new."""
    classes = Classes()
    for part in equalities:
        pair = column_equality(part)
        if pair is not None and pair[0].id in own and pair[1].id in own:
            classes.add(*pair)
    if not classes.columns:
        return []
    said = {fingerprint(part) for part in facts}
    added: list[Expression] = []
    groups = classes.members()
    for part in facts:
        subject = _subject(part)
        if subject is None or subject[0].id not in classes.columns:
            continue
        column, collation = subject
        for (_, agreed), members in groups.items():
            if agreed == collation and any(member.id == column.id for member in members):
                for member in members:
                    new = substitute(part, {column.id: member})
                    mark = fingerprint(new)
                    if mark not in said:
                        said.add(mark)
                        added.append(new)
    return added


def _subject(part: Expression) -> tuple[ColumnRef, str] | None:
    """Return the column that a conjunct compares with what has one value a run, and the collation."""
    if isinstance(part, Compare) and isinstance(part.left, ColumnRef) and is_fixed(part.right):
        return part.left, part.collation
    if isinstance(part, InList) and isinstance(part.operand, ColumnRef) and all(map(is_fixed, part.items)):
        return part.operand, part.collation
    if isinstance(part, Between) and isinstance(part.low_operand, ColumnRef):
        same = part.low_operand is part.high_operand and part.low_collation == part.high_collation
        if same and is_fixed(part.low) and is_fixed(part.high):
            return part.low_operand, part.low_collation
    return None


def _carried(node: NestedLoopJoin, work: Optimisation) -> NestedLoopJoin:
    """Carry conditions through an outer, semi or anti join's ON to the side that need not be kept."""
    on = conjuncts(node.condition)
    if not on:
        return node
    from_right = node.kind in ("right", "semi")
    sides = {column.id for column in (*node.left.output, *node.right.output)}
    if node.kind != "right":
        target = {column.id for column in node.right.output}
        added = _about(_transferred(on, on + known(node.left) + known(node.right), sides), target)
        if added:
            node = replace(node, right=push_down_filters(Filter(node.right, _all(added)), work))
    if from_right:
        target = {column.id for column in node.left.output}
        added = _about(_transferred(on, on + known(node.left) + known(node.right), sides), target)
        if added:
            node = replace(node, left=push_down_filters(Filter(node.left, _all(added)), work))
    return node


def _about(parts: list[Expression], columns: set[int]) -> list[Expression]:
    return [part for part in parts if columns_in(part) & columns]


# Arms of an OR -----------------------------------------------------------------------------------------------------


def _of_arms(region: Region) -> list[Expression]:
    """Return what each OR about several relations says of single ones."""
    added: list[Expression] = []
    for condition in region.conditions:
        if not isinstance(condition, Or) or has_subquery(condition) or is_volatile(condition):
            continue
        arms = [conjuncts(arm) for arm in disjuncts(condition)]
        for place in range(len(region.relations)):
            bit = 1 << place
            said = [[part for part in arm if region.mask(part) == bit] for arm in arms]
            if all(said):
                added.append(simplify(Or(tuple([_all(parts) for parts in said]), nullable=condition.nullable)))
    return added
