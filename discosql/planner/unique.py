"""What is known of the rows of a plan: whether they all differ, and whether there is at most one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from discosql.planner.keys import NO_TEXT, ROWID, table_positions
from discosql.planner.plan import (
    Aggregate,
    ColumnRef,
    Constant,
    Distinct,
    Filter,
    HashJoin,
    IndexJoin,
    IndexLookup,
    Limit,
    NestedLoopJoin,
    Node,
    Projection,
    Scan,
    Sort,
    TopN,
    Values,
    Window,
)

Key: TypeAlias = Mapping[int, str]
"""Columns by id, of which no two rows have equal values, each by the collation named (empty for any)."""


def is_unique(node: Node, columns: Sequence[ColumnRef], collations: Sequence[str]) -> bool:
    """Whether no two rows of a plan have equal values in all of the columns, each compared by its collation."""
    compared = {column.id: collation for column, collation in zip(columns, collations, strict=True)}
    for key in unique_keys(node):
        if all(_tells_apart(compared.get(number), collation) for number, collation in key.items()):
            return True
    return False


def _tells_apart(collation: str | None, unique_by: str) -> bool:
    """Whether values that are different by one collation are by another; None if they are not compared at all."""
    # By BINARY fewer values are equal than by any other collation.
    return collation is not None and (not unique_by or collation in (unique_by, "BINARY"))


def has_one_row(node: Node) -> bool:
    """Whether a plan has at most one row."""
    if isinstance(node, Aggregate):
        return not node.keys
    if isinstance(node, Values):
        return len(node.rows) <= 1
    if isinstance(node, IndexLookup):
        return len(node.keys) == 1 and (node.index is None or node.index.unique)
    if isinstance(node, Limit | TopN) and isinstance(node.limit, Constant) and node.limit.value in (0, 1):
        return True
    if isinstance(node, Filter | Projection | Sort | Window | Distinct | Limit | TopN):
        return has_one_row(node.child)
    return isinstance(node, NestedLoopJoin | HashJoin) and node.kind in ("semi", "anti") and has_one_row(node.left)


def unique_keys(node: Node) -> Iterator[Key]:
    """Yield sets of columns whose values together are different in every row of a plan."""
    if isinstance(node, Scan | IndexLookup):
        yield from _table_keys(node)
    elif isinstance(node, Aggregate):
        if node.keys:
            yield {column.id: name for column, name in zip(node.output, node.collations, strict=False)}
    elif isinstance(node, Distinct):
        yield {column.id: name for column, name in zip(node.output, node.collations, strict=True)}
        yield from unique_keys(node.child)
    elif isinstance(node, Projection):
        yield from _renamed_keys(node)
    elif isinstance(node, Filter | Sort | Window | Limit | TopN):
        yield from unique_keys(node.child)
    elif isinstance(node, NestedLoopJoin | HashJoin | IndexJoin) and node.kind in ("semi", "anti"):
        yield from unique_keys(node.left)


def _table_keys(node: Scan | IndexLookup) -> Iterator[Key]:
    columns = {position: column for column, position in table_positions(node)}
    if ROWID in columns:
        yield {columns[ROWID].id: ""}
    for index in node.table.indexes:
        names = index.collations or ("BINARY",) * len(index.columns)
        found = [columns.get(ROWID if place == node.table.rowid_column else place) for place in index.columns]
        # A key with a NULL is not equal to any other.
        if index.unique and all(column is not None and not column.nullable for column in found):
            types = [node.table.columns[place].type for place in index.columns]
            yield {
                column.id: "" if type in NO_TEXT else name
                for column, name, type in zip(found, names, types, strict=True)
                if column is not None
            }


def _renamed_keys(node: Projection) -> Iterator[Key]:
    names = {
        expression.id: column.id
        for expression, column in zip(node.expressions, node.output, strict=True)
        if isinstance(expression, ColumnRef)
    }
    for key in unique_keys(node.child):
        if all(number in names for number in key):
            yield {names[number]: collation for number, collation in key.items()}
