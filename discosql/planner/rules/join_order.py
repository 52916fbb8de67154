"""Find a good order for a region of inner joins: the search of `order_joins`.

Sets of relations are numbers with a bit for each. The cost of an order is that of reading its relations (by an index,
if the join before gives the keys) and the rows of every join in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from math import prod
from operator import or_
from typing import Final, NamedTuple, TypeAlias

from discosql.planner.cost import Cost, access_cost, lookup_cost
from discosql.planner.estimate import ROWS_PER_VALUE
from discosql.planner.keys import Match, Matches, candidates, table_positions
from discosql.planner.plan import ColumnRef, Compare, Expression, Filter, IndexLookup, NestedLoopJoin, Node, Scan
from discosql.planner.predicates import conjoin
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.rules.region import Classes, Region, column_equality, is_joint
from discosql.planner.traverse import walk_plan

MAX_EXHAUSTIVE: Final = 8
"""Relations of which every order without a cross product is tried; with more, pairs are joined greedily."""

Set: TypeAlias = int


class Order(NamedTuple):
    """A set of relations joined, what it costs, and how: two orders, or one relation alone."""

    relations: Set
    cost: Cost
    left: "Order | None" = None
    right: "Order | None" = None


class Equals(NamedTuple):
    """Columns of one class of equal ones, with their relation and how many values they have, if that is known."""

    collation: str
    members: tuple[tuple[int, ColumnRef, float | None], ...]
    places: Set


@dataclass
class Search:
    """The search for an order of one region."""

    region: Region
    work: Optimisation
    rows: list[float] = field(default_factory=list)
    classes: list[Equals] = field(default_factory=list)
    others: list[tuple[Set, float, Expression]] = field(default_factory=list)
    equalities: list[tuple[Set, Expression]] = field(default_factory=list)
    _known_rows: dict[Set, float] = field(default_factory=dict)
    _costs: list[Cost] = field(default_factory=list)
    _neighbours: list[Set] = field(default_factory=list)
    _scans: list[tuple[Scan | None, dict[int, int]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        estimates = self.work.estimates
        self.rows = [estimates.rows(node) for node in self.region.relations]
        self._costs = [self._access(place) for place in range(len(self.rows))]
        classes = Classes()
        for condition in self.region.conditions:
            pair = column_equality(condition)
            home = self.region.home
            if pair is not None and pair[0].id in home and pair[1].id in home:
                classes.add(*pair)
                self.equalities.append((self.region.mask(condition), condition))
            else:
                share = estimates.selectivity(condition, max(self.rows))
                self.others.append((self.region.mask(condition), share, condition))
        for (_, collation), columns in classes.members().items():
            members = tuple([self._member(column) for column in columns])
            self.classes.append(Equals(collation, members, reduce(or_, (1 << place for place, _, _ in members))))
        self._scans = [_scanned(node) for node in self.region.relations]
        self._neighbours = [self._tied_to(1 << place) for place in range(len(self.rows))]

    def _tied_to(self, relation: Set) -> Set:
        """Return all relations that some condition about a relation is about."""
        tied = 0
        for group in self.classes:
            if group.places & relation:
                tied |= group.places
        for needed, _, _ in self.others:
            if needed & relation:
                tied |= needed
        return tied

    def _member(self, column: ColumnRef) -> tuple[int, ColumnRef, float | None]:
        place = self.region.home[column.id]
        return place, column, self.work.estimates.known_distinct(column, self.rows[place])

    def _access(self, place: int) -> Cost:
        cost = Cost(rows=self.rows[place])
        for leaf in walk_plan(self.region.relations[place]):
            if isinstance(leaf, Scan | IndexLookup):
                cost += access_cost(self.work.estimates, leaf)
        return cost

    # Sets of relations ---------------------------------------------------------------------------------------------

    def single(self, place: int) -> Order:
        """Return the order of one relation."""
        return Order(1 << place, self._costs[place])

    def size(self, relations: Set) -> float:
        """Return how many rows the relations joined are likely to have, in whatever order."""
        known = self._known_rows.get(relations)
        if known is None:
            known = self._known_rows[relations] = self._size(relations)
        return known

    def _size(self, relations: Set) -> float:
        rows = 1.0
        for place, count in enumerate(self.rows):
            if relations >> place & 1:
                rows *= count
        pairs: dict[Set, list[tuple[Expression, Expression]]] = {}
        for group in self.classes:
            tied = group.places & relations
            if tied.bit_count() == 2:
                pairs.setdefault(tied, []).append(_pair(group, tied))
            elif tied.bit_count() > 2:
                rows *= self._share(group, relations)
        for tied, equal in pairs.items():
            first, second = [self.region.relations[place] for place in _places(tied)]
            rows *= self.work.estimates.matching(first, second, equal)
        for needed, share, _ in self.others:
            if needed & relations == needed:
                rows *= share
        return max(rows, 1e-6)

    def _share(self, group: Equals, relations: Set) -> float:
        """Return the share of combinations of rows in which the columns of a class are equal.

        Each relation but the one with the fewest values keeps one of its values. A relation whose values are unknown
        is taken to have those of the others: it may refer to them. Where none is known, they are guessed.
        """
        values: dict[int, float | None] = {}
        for place, _, distinct in group.members:
            if relations >> place & 1:
                values[place] = distinct if values.get(place) is None else max(distinct or 1.0, values[place] or 1.0)
        known = [count for count in values.values() if count is not None]
        guess = max(known, default=max(self.rows[place] for place in values) / ROWS_PER_VALUE)
        counts = sorted(count if count is not None else guess for count in values.values())
        return 1 / max(prod(counts[1:]), 1.0)

    def are_tied(self, left: Set, right: Set) -> bool:
        """Whether a condition is about relations of both sets and of no others."""
        if not any(tied & right for place, tied in enumerate(self._neighbours) if left >> place & 1):
            return False
        if any(group.places & left and group.places & right for group in self.classes):
            return True
        both = left | right
        return any(needed & left and needed & right and needed & both == needed for needed, _, _ in self.others)

    def join(self, left: Order, right: Order) -> Order:
        """Return two orders joined; the cheaper of reading the right whole and looking it up counts."""
        relations = left.relations | right.relations
        rows = Cost(rows=self.size(relations))
        cost = left.cost + right.cost
        for outer, inner in ((left, right), (right, left)):
            if inner.left is None:
                found = self._lookup(outer, inner)
                if found is not None and outer.cost + found < cost:
                    cost = outer.cost + found
        return Order(relations, cost + rows, left, right)

    def _lookup(self, outer: Order, inner: Order) -> Cost | None:
        """Return the cost of finding a relation's rows by an index for each row of another order."""
        place = inner.relations.bit_length() - 1
        scan, positions = self._scans[place]
        if scan is None:
            return None
        matches: Matches = {}
        for group in self.classes:
            others = [column for home, column, _ in group.members if outer.relations >> home & 1]
            for home, column, _ in group.members:
                if home == place and others and column.id in positions:
                    match = Match(0, (others[0],), group.collation)
                    matches.setdefault(positions[column.id], []).append(match)
        keys = self.size(outer.relations)
        costs = [
            lookup_cost(self.work.estimates, scan.table, index, keys) for index, _ in candidates(scan.table, matches)
        ]
        return min(costs, default=None)

    # The search ----------------------------------------------------------------------------------------------------

    def best(self) -> Order:
        """Return the best order found."""
        if len(self.rows) <= MAX_EXHAUSTIVE:
            return self._crossed(self._exhaustive())
        return self._crossed(self._greedy())

    def _exhaustive(self) -> list[Order]:
        """Return the best order of each set of relations that conditions tie together, by dynamic programming."""
        count = len(self.rows)
        best: dict[Set, Order] = {1 << place: self.single(place) for place in range(count)}
        by_size: list[list[Set]] = [[], list(best)]
        for size in range(2, count + 1):
            by_size.append([])
            for left, right in _pairs(by_size, size):
                if left & right or not self.are_tied(left, right):
                    continue
                order = self.join(best[left], best[right])
                known = best.get(left | right)
                if known is None:
                    by_size[size].append(left | right)
                if known is None or order.cost < known.cost:
                    best[left | right] = order
        return self._largest(best)

    def _largest(self, best: dict[Set, Order]) -> list[Order]:
        covered: Set = 0
        found: list[Order] = []
        for relations in sorted(best, key=int.bit_count, reverse=True):
            if not relations & covered:
                covered |= relations
                found.append(best[relations])
        return found

    def _greedy(self) -> list[Order]:
        """Join the pair that gives the fewest rows, again and again, as long as conditions tie some pair."""
        orders = [self.single(place) for place in range(len(self.rows))]
        pairs = {
            (a.relations, b.relations): self.join(a, b)
            for at, a in enumerate(orders)
            for b in orders[at + 1 :]
            if self.are_tied(a.relations, b.relations)
        }
        while pairs:
            chosen = min(pairs.values(), key=lambda order: (self.size(order.relations), order.cost))
            orders = [order for order in orders if not order.relations & chosen.relations]
            pairs = {key: order for key, order in pairs.items() if not order.relations & chosen.relations}
            for other in orders:
                if self.are_tied(chosen.relations, other.relations):
                    pairs[chosen.relations, other.relations] = self.join(chosen, other)
            orders.append(chosen)
        return orders

    def _crossed(self, orders: list[Order]) -> Order:
        """Return orders that nothing ties together as one, small ones first."""
        orders = sorted(orders, key=lambda order: self.size(order.relations))
        result = orders[0]
        for order in orders[1:]:
            result = self.join(result, order)
        return result

    # Plans ---------------------------------------------------------------------------------------------------------

    def given(self, node: Node, places: Iterator[int]) -> Order:
        """Return the order that a plan of the region has; `places` counts its relations from the left."""
        if isinstance(node, NestedLoopJoin) and is_joint(node):
            left = self.given(node.left, places)
            return self.join(left, self.given(node.right, places))
        return self.single(next(places))

    def plan(self, order: Order) -> Node:
        """Return the plan of an order: the side with more rows on the left, conditions where they first can be."""
        return self._plan(order)[0]

    def _plan(self, order: Order) -> tuple[Node, list[Expression]]:
        """Return the plan of an order, and the equalities of columns that it sees to."""
        if order.left is None or order.right is None:
            return self.region.relations[order.relations.bit_length() - 1], []
        left, right = order.left, order.right
        sizes = self.size(left.relations), self.size(right.relations)
        if sizes[0] < sizes[1] or (sizes[0] == sizes[1] and left.relations > right.relations):
            left, right = right, left
        left_plan, left_equal = self._plan(left)
        right_plan, right_equal = self._plan(right)
        new = self._equalities(left.relations, right.relations, left_equal + right_equal)
        both = order.relations
        other = [
            condition
            for needed, _, condition in self.others
            if needed & both == needed and needed & left.relations and needed & right.relations
        ]
        join = NestedLoopJoin(left_plan, right_plan, "inner", conjoin(new + other))
        return join, left_equal + right_equal + new

    def _equalities(self, left: Set, right: Set, seen_to: list[Expression]) -> list[Expression]:
        """Return the equalities of columns that a join must see to: those written that do not follow from others.

        Where none was written between the sides, but columns of both equal a third one, those two are compared.
        """
        both = left | right
        classes = Classes()
        for condition in seen_to:
            classes.state(condition)
        found: list[Expression] = []
        for needed, condition in self.equalities:
            if needed & both == needed and needed & left and needed & right and classes.state(condition):
                found.append(condition)
        for group in self.classes:
            on_left = [column for place, column, _ in group.members if left >> place & 1]
            on_right = [column for place, column, _ in group.members if right >> place & 1]
            if on_left and on_right:
                condition = Compare("=", on_left[0], on_right[0], group.collation)
                tied = any(classes.are_equal(a, b, group.collation) for a in on_left for b in on_right)
                if not tied and classes.state(condition):
                    found.append(condition)
        return found


def _scanned(node: Node) -> tuple[Scan | None, dict[int, int]]:
    """Return the table that a relation is, apart from conditions, with the positions of its columns by id."""
    while isinstance(node, Filter):
        node = node.child
    if not isinstance(node, Scan):
        return None, {}
    return node, {column.id: position for column, position in table_positions(node)}


def _places(relations: Set) -> list[int]:
    return [place for place in range(relations.bit_length()) if relations >> place & 1]


def _pair(group: Equals, relations: Set) -> tuple[ColumnRef, ColumnRef]:
    """Return a column of each of two relations, in their order."""
    columns = {place: column for place, column, _ in group.members}
    first, second = _places(relations)
    return columns[first], columns[second]


def _pairs(by_size: list[list[Set]], size: int) -> Iterator[tuple[Set, Set]]:
    for small in range(1, size // 2 + 1):
        for left in by_size[small]:
            for right in by_size[size - small]:
                if small * 2 < size or left < right:
                    yield left, right
