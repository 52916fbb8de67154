"""Join on equality by a hash table instead of trying every pair of rows."""

from dataclasses import replace
from typing import Final, NamedTuple

from discosql.planner.operands import has_subquery
from discosql.planner.plan import (
    Compare,
    Expression,
    HashJoin,
    Is,
    JoinKind,
    NestedLoopJoin,
    Node,
    RecursiveUnion,
    WorkingScan,
)
from discosql.planner.predicates import conjoin, conjuncts, is_volatile
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.traverse import columns_in, free_columns, rewrite_plan, walk_plan

_MIRRORED: Final[dict[JoinKind, JoinKind]] = {"inner": "inner", "left": "right", "right": "left", "full": "full"}


class Equality(NamedTuple):
    """A conjunct that says an expression of the left side equals one of the right."""

    left: Expression
    right: Expression
    collation: str
    null_safe: bool


def choose_hash_joins(node: Node, work: Optimisation) -> Node:
    """Make a HashJoin of every join whose condition has an equality between its sides; the rest is its residual.

    ``IS`` counts as an equality that holds for NULLs too. The side with fewer rows is built into the hash table,
    except for semi and anti joins, which always build the right, as does a CROSS JOIN; a lateral join stays as it is.
    """
    changing = _is_changing(node) or any(isinstance(item, RecursiveUnion) for item in walk_plan(node))
    return rewrite_plan(node, lambda item: _hashed(item, changing, work) if isinstance(item, NestedLoopJoin) else item)


def _hashed(join: NestedLoopJoin, changing: bool, work: Optimisation) -> Node:
    if join.condition is None or join.lateral:
        return join
    left = {column.id for column in join.left.output}
    right = {column.id for column in join.right.output}
    found: list[Equality] = []
    residual: list[Expression] = []
    for part in conjuncts(join.condition):
        equality = equality_between(part, left, right)
        if equality is None:
            residual.append(part)
        else:
            found.append(equality)
    if not found:
        return join
    hashed = HashJoin(
        join.left,
        join.right,
        join.kind,
        tuple([item.left for item in found]),
        tuple([item.right for item in found]),
        tuple([item.collation for item in found]),
        conjoin(residual),
        tuple([item.null_safe for item in found]) if any(item.null_safe for item in found) else (),
    )
    return hashed if join.ordered else _built_small(hashed, changing, work)


def _is_changing(node: Node) -> bool:
    """Whether a plan may give other rows when it is run again within a statement."""
    return any(isinstance(item, WorkingScan) for item in walk_plan(node)) or bool(free_columns(node))


def equality_between(part: Expression, left: set[int], right: set[int]) -> Equality | None:
    """Return the equality that a conjunct states between two sets of columns, if it does."""
    if isinstance(part, Compare):
        if part.operator != "=":
            return None
    elif not isinstance(part, Is) or part.negated:
        return None
    a, b = columns_in(part.left), columns_in(part.right)
    if has_subquery(part) or is_volatile(part):
        return None
    null_safe = isinstance(part, Is)
    if a & left and b & right and not a & right and not b & left:
        return Equality(part.left, part.right, part.collation, null_safe)
    if a & right and b & left and not a & left and not b & right:
        return Equality(part.right, part.left, part.collation, null_safe)
    return None


def _built_small(join: HashJoin, repeated: bool, work: Optimisation) -> HashJoin:
    """Return the join with its sides exchanged where that builds fewer rows.

    In a plan that is run again and again (for the rows around it, or those of a recursion), a side that stays the same
    is built once and for all.
    """
    if join.kind not in _MIRRORED:
        return join
    changing = (_is_changing(join.left), _is_changing(join.right)) if repeated else (False, False)
    if changing[0] == changing[1]:
        keep = work.estimates.rows(join.left) >= work.estimates.rows(join.right)
    else:
        keep = changing[0]
    if keep:
        return join
    return replace(
        join,
        left=join.right,
        right=join.left,
        kind=_MIRRORED[join.kind],
        left_keys=join.right_keys,
        right_keys=join.left_keys,
    )
