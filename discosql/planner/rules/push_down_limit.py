"""Let LIMIT see rows before work is done on them."""

from dataclasses import replace

from discosql.planner.plan import (
    Constant,
    Expression,
    HashJoin,
    Limit,
    NestedLoopJoin,
    Node,
    Projection,
    SetOperation,
    TopN,
)
from discosql.planner.predicates import is_volatile
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.traverse import children, rewrite_plan, with_children


def push_down_limit(node: Node, _: Optimisation) -> Node:
    """Move a Limit below what neither adds, drops nor orders rows.

    Below a Projection; into the arms of UNION ALL and the kept side of a left join, where a copy stays above. A Filter
    stops it: a limit reaches a table only if every condition does.
    """
    return rewrite_plan(node, lambda item: _limit(item) if isinstance(item, Limit) else item)


def _limit(node: Limit) -> Node:
    child = node.child
    if isinstance(child, Projection) and not any(map(is_volatile, child.expressions)):
        return replace(child, child=_limit(replace(node, child=child.child)))
    enough = _enough(node)
    if enough is None:
        return node
    if isinstance(child, NestedLoopJoin | HashJoin) and child.kind == "left":
        if isinstance(child.left, Limit | TopN):
            return node
        return replace(node, child=replace(child, left=_limit(Limit(child.left, enough))))
    if isinstance(child, SetOperation) and _is_union_all(child):
        arms = [arm if isinstance(arm, Limit | TopN) else _limit(Limit(arm, enough)) for arm in children(child)]
        return replace(node, child=with_children(child, arms))
    return node


def _enough(node: Limit) -> Expression | None:
    """Return a limit that leaves every row that the Limit needs, None if it cannot be told."""
    limit, offset = node.limit, node.offset
    if offset is None:
        return limit
    if isinstance(limit, Constant) and isinstance(offset, Constant):
        a, b = limit.value, offset.value
        if isinstance(a, int) and isinstance(b, int) and a >= 0:
            return Constant(a + max(b, 0), limit.type)
    return None


def _is_union_all(node: Node) -> bool:
    while isinstance(node, SetOperation):
        if not node.all:
            return False
        node = node.left
    return True
