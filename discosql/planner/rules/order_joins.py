"""Join tables in the order that makes the fewest rows."""

from itertools import count

from discosql.planner.plan import Filter, Node
from discosql.planner.predicates import conjoin
from discosql.planner.rules.join_order import Search
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.rules.region import is_joint, region_of, with_relations
from discosql.planner.traverse import map_children


def order_joins(node: Node, work: Optimisation) -> Node:
    """Put inner joins in another order where that costs less by the estimates: requests first, then bytes, then rows.

    Up to eight relations every order is tried that needs no cross product, beyond that the pair with the fewest rows is
    joined first. Outer, semi and anti joins are relations as a whole, and so is a CROSS JOIN, as in SQLite. The order
    written stays if none is better.
    """
    if not is_joint(node):
        return map_children(node, lambda child: order_joins(child, work))
    region = region_of(node)
    ordered = [order_joins(relation, work) for relation in region.relations]
    if any(a is not b for a, b in zip(ordered, region.relations, strict=True)):
        node = with_relations(node, iter(ordered))
        region.relations = ordered
    if len(region.relations) < 3:
        return node
    search = Search(region, work)
    best = search.best()
    if best.cost >= search.given(node, count()).cost:
        return node
    rest = conjoin([condition for needed, _, condition in search.others if not needed & (needed - 1)])
    plan = search.plan(best)
    return plan if rest is None else Filter(plan, rest)
