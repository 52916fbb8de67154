"""Find rows by their keys instead of reading the whole table."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, product
from math import prod
from typing import Final

from discosql.planner.cost import Cost, lookup_cost, scan_cost
from discosql.planner.keys import Match, Matches, candidates, table_positions
from discosql.planner.operands import has_subquery
from discosql.planner.plan import (
    Between,
    Bound,
    ColumnRef,
    Compare,
    Expression,
    Filter,
    IndexLookup,
    InList,
    Node,
    Scan,
)
from discosql.planner.predicates import MIRRORED, conjoin, conjuncts, is_volatile
from discosql.planner.rules.computed_answers import answers
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.traverse import columns_in, rewrite_plan
from discosql.schema import ComputedIndex, Index

MAX_COMBINED_KEYS: Final = 1_000
"""Keys that may come of combining several IN lists; a single list may be of any length."""


def use_index(node: Node, work: Optimisation) -> Node:
    """Make an IndexLookup of a Scan whose Filter asks every column of an index, or the rowid, to equal values.

    The values may be constants, parameters or columns of a query around; ``IN`` gives a key a value. The comparison
    must be by the index's collation, which is what makes the index's answer exact: the conjunct goes. An index is not
    used where it costs more requests than reading the table. Where none is used, conditions on single columns
    become the Scan's bounds, by which pages are left out.
    """
    return rewrite_plan(node, lambda item: _indexed(item, work) if isinstance(item, Filter) else item)


def _indexed(node: Filter, work: Optimisation) -> Node:
    scan = node.child
    if not isinstance(scan, Scan):
        return node
    parts = conjuncts(node.predicate)
    lookup = _cheapest(scan, parts, work)
    if lookup is None:
        bounds = tuple(_bounds(scan, parts))
        return replace(node, child=replace(scan, bounds=bounds)) if bounds and bounds != scan.bounds else node
    found, used = lookup
    gone = {match.place for match in used}
    rest = conjoin([part for place, part in enumerate(parts) if place not in gone])
    return found if rest is None else Filter(found, rest)


# Equalities --------------------------------------------------------------------------------------------------------


def _matches(scan: Scan, parts: list[Expression]) -> Matches:
    columns = {column.id: position for column, position in table_positions(scan)}
    found: Matches = {}
    for place, part in enumerate(parts):
        if isinstance(part, Compare) and part.operator == "=":
            for side, other in ((part.left, part.right), (part.right, part.left)):
                if isinstance(side, ColumnRef) and side.id in columns and _given((other,), columns):
                    found.setdefault(columns[side.id], []).append(Match(place, (other,), part.collation))
        elif isinstance(part, InList) and not part.negated:
            operand = part.operand
            if isinstance(operand, ColumnRef) and operand.id in columns and _given(part.items, columns):
                found.setdefault(columns[operand.id], []).append(Match(place, part.items, part.collation))
    return found


def _given(values: tuple[Expression, ...], columns: dict[int, int]) -> bool:
    """Whether the values can be computed before the table is read."""
    return all(not is_volatile(value) and columns.keys().isdisjoint(columns_in(value)) for value in values)


def _cheapest(scan: Scan, parts: list[Expression], work: Optimisation) -> tuple[IndexLookup, list[Match]] | None:
    """Return the best lookup with the matches it replaces, if one costs no more than reading the table."""
    best: tuple[Cost, IndexLookup, list[Match]] | None = None
    estimates = work.estimates
    limit = scan_cost(estimates, scan.table)
    for index, used in chain(candidates(scan.table, _matches(scan, parts)), answers(scan, parts, work)):
        count = prod(len(match.values) for match in used)
        if len(used) > 1 and count > MAX_COMBINED_KEYS:
            continue
        cost = lookup_cost(estimates, scan.table, index, count)
        if cost.requests > limit.requests or (count > 1 and cost.requests == limit.requests and count > limit.rows):
            continue
        if best is None or cost < best[0]:
            keys = tuple(product(*(match.values for match in used)))
            best = cost, _lookup(scan, index, keys), used
    return best[1:] if best is not None else None


def _lookup(scan: Scan, index: Index | ComputedIndex | None, keys: tuple[tuple[Expression, ...], ...]) -> IndexLookup:
    return IndexLookup(scan.table, scan.alias, scan.output, scan.positions, index, keys, scan.as_of)


# Bounds ------------------------------------------------------------------------------------------------------------


def _bounds(scan: Scan, parts: list[Expression]) -> Iterator[Bound]:
    """Yield a bound for each column that conjuncts compare with values given before the table is read.

    A bound is computed besides the Filter's condition, so that it is never a subquery.
    """
    columns = {column.id: position for column, position in table_positions(scan)}
    lows: dict[int, Expression] = {}
    highs: dict[int, Expression] = {}
    for part in parts:
        for column, operator, value in _comparisons(part):
            if column.id in columns and _given((value,), columns) and not has_subquery(value):
                position = columns[column.id]
                if operator in ("=", ">", ">="):
                    lows.setdefault(position, value)
                if operator in ("=", "<", "<="):
                    highs.setdefault(position, value)
    for position in sorted(lows.keys() | highs.keys()):
        yield Bound(position, lows.get(position), highs.get(position))


def _comparisons(part: Expression) -> Iterator[tuple[ColumnRef, str, Expression]]:
    """Yield (column, operator, value) for what the conjunct says of columns by their plain order."""
    if isinstance(part, Compare) and part.operator != "<>" and part.collation == "BINARY":
        if isinstance(part.left, ColumnRef):
            yield part.left, part.operator, part.right
        if isinstance(part.right, ColumnRef):
            yield part.right, MIRRORED[part.operator], part.left
    elif isinstance(part, Between) and part.low_collation == part.high_collation == "BINARY":
        if isinstance(part.low_operand, ColumnRef):
            yield part.low_operand, ">=", part.low
        if isinstance(part.high_operand, ColumnRef):
            yield part.high_operand, "<=", part.high
