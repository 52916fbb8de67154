"""Join to find out what has no partner, where that is all that is asked."""

from discosql.planner.keys import ROWID, table_positions
from discosql.planner.plan import ColumnRef, Compare, Expression, Filter, Is, NestedLoopJoin, Node, Projection, Scan
from discosql.planner.predicates import NULL, conjoin, conjuncts
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.traverse import rewrite_plan


def find_anti_joins(node: Node, _: Optimisation) -> Node:
    """Make an anti join of ``a LEFT JOIN b ON b.x = a.x … WHERE b.x IS NULL``.

    A column that the join compares by ``=``, or that its table has as NOT NULL, is NULL only where there is no partner;
    all columns of that side are NULL then.
    """
    return rewrite_plan(node, lambda item: _anti_join(item) if isinstance(item, Filter) else item)


def _anti_join(node: Filter) -> Node:
    join = node.child
    if not isinstance(join, NestedLoopJoin) or join.kind != "left" or join.lateral:
        return node
    filled = {column.id for column in join.right.output}
    telling = {column.id for part in conjuncts(join.condition) for column in _compared(part)} & filled
    telling |= _never_null(join.right)
    parts = conjuncts(node.predicate)
    rest = [part for part in parts if not _is_null_test(part, telling)]
    if len(rest) == len(parts):
        return node
    anti = NestedLoopJoin(join.left, join.right, "anti", join.condition)
    plan = Projection(anti, join.left.output + (NULL,) * len(join.right.output), join.output)
    above = conjoin(rest)
    return plan if above is None else Filter(plan, above)


def _compared(part: Expression) -> list[ColumnRef]:
    if not isinstance(part, Compare):
        return []
    return [side for side in (part.left, part.right) if isinstance(side, ColumnRef)]


def _never_null(node: Node) -> set[int]:
    """Return the columns of a plan that are NULL in no row of it."""
    if isinstance(node, Filter):
        return _never_null(node.child)
    if isinstance(node, NestedLoopJoin) and node.kind == "inner":
        return _never_null(node.left) | _never_null(node.right)
    if not isinstance(node, Scan):
        return set()
    columns = node.table.columns
    return {column.id for column, position in table_positions(node) if position == ROWID or columns[position].not_null}


def _is_null_test(part: Expression, columns: set[int]) -> bool:
    if not isinstance(part, Is) or part.negated or part.right != NULL:
        return False
    return isinstance(part.left, ColumnRef) and part.left.id in columns
