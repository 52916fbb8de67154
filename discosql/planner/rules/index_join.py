"""Find the partners of few rows by an index instead of reading the other table."""

from typing import Final, NamedTuple

from discosql.planner.cost import Cost, lookup_cost, scan_cost
from discosql.planner.keys import Match, Matches, candidates, table_positions
from discosql.planner.plan import (
    Aggregate,
    ColumnRef,
    Compare,
    Expression,
    Filter,
    HashJoin,
    IndexJoin,
    IndexLookup,
    Is,
    JoinKind,
    Node,
    Scan,
)
from discosql.planner.predicates import conjoin, conjuncts, is_fixed
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.traverse import rewrite_plan
from discosql.schema import Index

_KINDS: Final[dict[JoinKind, JoinKind]] = {"inner": "inner", "left": "left", "semi": "semi", "anti": "anti"}
_MIRRORED_KINDS: Final[dict[JoinKind, JoinKind]] = {"inner": "inner", "right": "left"}


class Side(NamedTuple):
    """A join seen from one side: rows of `outer` find theirs in a table. Conjuncts of both are numbered as one."""

    outer: Node
    scan: Scan
    kind: JoinKind
    keys: list[tuple[Expression, Expression]]
    filters: list[Expression]


def index_join(node: Node, work: Optimisation) -> Node:
    """Make an IndexJoin of a HashJoin with a table that has an index on the columns compared, if that costs less.

    That is the case where the other side has few rows: fewer requests, or all in memory and fewer rows. Conditions that
    the index does not answer become the residual. A semi join with few rows on its right is turned round: each value
    there, once, finds its rows by the index.
    """
    return rewrite_plan(node, lambda item: _indexed(item, work) if isinstance(item, HashJoin) else item)


def _indexed(join: HashJoin, work: Optimisation) -> Node:
    best: tuple[Cost, Node] | None = None
    for side in _sides(join):
        for index, used in candidates(side.scan.table, _matches(join, side)):
            cost = lookup_cost(work.estimates, side.scan.table, index, work.estimates.rows(side.outer))
            if cost < scan_cost(work.estimates, side.scan.table) and (best is None or cost < best[0]):
                best = cost, _join(join, side, index, used, work)
    return join if best is None else best[1]


def _sides(join: HashJoin) -> list[Side]:
    pairs = list(zip(join.left_keys, join.right_keys, strict=True))
    mirrored = [(right, left) for left, right in pairs]
    sides: list[Side] = []
    if join.kind in _KINDS:
        sides += _side(join.left, join.right, join.kind, pairs)
    if join.kind in _MIRRORED_KINDS:
        sides += _side(join.right, join.left, _MIRRORED_KINDS[join.kind], mirrored)
    if join.kind == "semi" and join.residual is None and not any(join.null_safe):
        sides += _side(join.right, join.left, "semi", mirrored)
    return sides


def _side(outer: Node, inner: Node, kind: JoinKind, keys: list[tuple[Expression, Expression]]) -> list[Side]:
    filters: list[Expression] = []
    while isinstance(inner, Filter):
        filters.extend(conjuncts(inner.predicate))
        inner = inner.child
    return [Side(outer, inner, kind, keys, filters)] if isinstance(inner, Scan) else []


def _matches(join: HashJoin, side: Side) -> Matches:
    positions = {column.id: position for column, position in table_positions(side.scan)}
    matches: Matches = {}
    for place, (outer, inner) in enumerate(side.keys):
        null_safe = join.null_safe[place] if join.null_safe else False
        if isinstance(inner, ColumnRef) and inner.id in positions and not null_safe:
            matches.setdefault(positions[inner.id], []).append(Match(place, (outer,), join.collations[place]))
    if not matches:
        return {}
    for place, part in enumerate(side.filters, len(side.keys)):
        if not isinstance(part, Compare) or part.operator != "=" or not is_fixed(part.right):
            continue
        if isinstance(part.left, ColumnRef) and part.left.id in positions:
            matches.setdefault(positions[part.left.id], []).append(Match(place, (part.right,), part.collation))
    return matches


def _join(join: HashJoin, side: Side, index: Index | None, used: list[Match], work: Optimisation) -> Node:
    scan = side.scan
    turned = side.outer is join.right and join.kind == "semi"
    outer: Node = side.outer
    values = [value for value, _ in side.keys]
    if turned:
        columns = tuple([work.column("key", type=value.type, nullable=value.nullable) for value in values])
        outer = Aggregate(outer, tuple(values), join.collations, (), columns)
        values = list(columns)
    gone = {match.place for match in used}
    rest: list[Expression] = []
    for place, (_, inner) in enumerate(side.keys):
        if place not in gone:
            null_safe = join.null_safe[place] if join.null_safe else False
            collation = join.collations[place]
            equal = Compare("=", values[place], inner, collation)
            rest.append(Is(values[place], inner, collation=collation) if null_safe else equal)
    rest += [part for place, part in enumerate(side.filters, len(side.keys)) if place not in gone]
    rest += conjuncts(join.residual)
    key = tuple([values[match.place] if match.place < len(values) else match.values[0] for match in used])
    lookup = IndexLookup(scan.table, scan.alias, scan.output, scan.positions, index, (key,), scan.as_of)
    return IndexJoin(outer, lookup, "inner" if turned else side.kind, conjoin(rest))
