"""Keep only the rows that ORDER BY … LIMIT asks for."""

from discosql.planner.plan import Constant, Limit, Node, Sort, TopN
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.traverse import rewrite_plan


def top_n(node: Node, _: Optimisation) -> Node:
    """Make a TopN of a Limit over a Sort, which needs memory for the rows of the result only.

    A negative limit means none, so that a constant one is left alone.
    """
    return rewrite_plan(node, _joined)


def _joined(node: Node) -> Node:
    if not isinstance(node, Limit) or not isinstance(node.child, Sort) or node.limit is None:
        return node
    limit = node.limit
    if isinstance(limit, Constant) and (not isinstance(limit.value, int) or limit.value < 0):
        return node
    return TopN(node.child.child, node.child.keys, limit, node.offset)
