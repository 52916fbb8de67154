"""Regions of inner joins: relations and conditions that may be joined in any order."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from discosql.planner.plan import ColumnRef, Compare, Expression, NestedLoopJoin, Node
from discosql.planner.predicates import conjuncts
from discosql.planner.traverse import columns_in

Member: TypeAlias = tuple[int, str]
"""A column's id, and the collation by which it is compared."""


@dataclass
class Region:
    """The relations below a tree of inner joins, and the conjuncts of its conditions."""

    relations: list[Node]
    conditions: list[Expression]

    @cached_property
    def home(self) -> dict[int, int]:
        """The place of the relation that produces each column."""
        return {column.id: place for place, node in enumerate(self.relations) for column in node.output}

    def mask(self, expression: Expression) -> int:
        """Return the relations that an expression uses, as bits by their place."""
        bits = 0
        for column in columns_in(expression):
            place = self.home.get(column)
            if place is not None:
                bits |= 1 << place
        return bits


def is_joint(node: Node) -> bool:
    """Whether a node is a join that belongs to a region."""
    return isinstance(node, NestedLoopJoin) and node.kind == "inner" and not node.lateral and not node.ordered


def region_of(node: Node) -> Region:
    """Return the region that a join is the top of; any other node is a region of one relation."""
    relations: list[Node] = []
    conditions: list[Expression] = []
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, NestedLoopJoin) and is_joint(item):
            conditions.extend(conjuncts(item.condition))
            stack.extend((item.right, item.left))
        else:
            relations.append(item)
    return Region(relations, conditions)


def with_relations(node: Node, relations: Iterator[Node]) -> Node:
    """Return the tree of joins of a region with its relations replaced, from left to right."""
    if isinstance(node, NestedLoopJoin) and is_joint(node):
        left = with_relations(node.left, relations)
        return replace(node, left=left, right=with_relations(node.right, relations))
    return next(relations)


def column_equality(condition: Expression) -> tuple[ColumnRef, ColumnRef, str] | None:
    """Return the two columns that a condition says are equal, and its collation.

    Equality of columns as they are is transitive; where one is converted it need not be.
    """
    if isinstance(condition, Compare) and condition.operator == "=":
        left, right = condition.left, condition.right
        if isinstance(left, ColumnRef) and isinstance(right, ColumnRef):
            return left, right, condition.collation
    return None


class Classes:
    """Columns that equal each other under a collation, by the conditions added."""

    def __init__(self) -> None:
        self._parents: dict[Member, Member] = {}
        self.columns: dict[int, ColumnRef] = {}

    def add(self, left: ColumnRef, right: ColumnRef, collation: str) -> None:
        """Note that two columns are equal."""
        self.columns[left.id] = left
        self.columns[right.id] = right
        a, b = self._root((left.id, collation)), self._root((right.id, collation))
        self._parents.setdefault(a, a)
        self._parents[b] = a

    def state(self, condition: Expression) -> bool:
        """Note the equality that a condition states; False if it followed from what was noted before."""
        pair = column_equality(condition)
        if pair is None or self.are_equal(*pair):
            return False
        self.add(*pair)
        return True

    def are_equal(self, left: ColumnRef, right: ColumnRef, collation: str) -> bool:
        """Whether the conditions noted make two columns equal."""
        return self._root((left.id, collation)) == self._root((right.id, collation))

    def _root(self, member: Member) -> Member:
        while (parent := self._parents.get(member, member)) != member:
            member = parent
        return member

    def members(self) -> dict[Member, list[ColumnRef]]:
        """Return the classes by a root each, the columns in the order they were met in."""
        found: dict[Member, list[ColumnRef]] = {}
        for number, column in self.columns.items():
            for collation in {collation for id_, collation in self._parents if id_ == number}:
                found.setdefault(self._root((number, collation)), []).append(column)
        return found
