"""Keep only the rows that ORDER BY … LIMIT asks for."""

from dataclasses import replace

from discosql.planner.plan import ColumnRef, Constant, Limit, Node, Projection, Sort, TopN
from discosql.planner.predicates import is_volatile
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.traverse import map_parts, rewrite_plan, substitute


def top_n(node: Node, _: Optimisation) -> Node:
    """Make a TopN of a Limit over a Sort, which needs memory for the rows of the result only.

    It moves below a Projection that computes columns it does not sort by, so that they are computed for the rows of the
    result only. A negative limit means none; a constant one is left alone.
    """
    return rewrite_plan(node, _joined)


def _joined(node: Node) -> Node:
    if not isinstance(node, Limit) or not isinstance(node.child, Sort) or node.limit is None:
        return node
    limit = node.limit
    if isinstance(limit, Constant) and (not isinstance(limit.value, int) or limit.value < 0):
        return node
    top = TopN(node.child.child, node.child.keys, limit, node.offset)
    return _below(top, top.child) if isinstance(top.child, Projection) else top


def _below(node: TopN, projection: Projection) -> Node:
    computed = [source for source in projection.expressions if not isinstance(source, ColumnRef)]
    if not computed or any(map(is_volatile, computed)):
        return node
    columns = {column.id: source for column, source in zip(projection.output, projection.expressions, strict=True)}
    for key in node.keys:
        if not isinstance(key.expression, ColumnRef) or not isinstance(columns.get(key.expression.id), ColumnRef):
            return node
    keys = tuple([map_parts(key, lambda part: substitute(part, columns)) for key in node.keys])
    return replace(projection, child=replace(node, child=projection.child, keys=keys))
