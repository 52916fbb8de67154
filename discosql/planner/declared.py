"""The declared types of result columns, as SQLite tells them: those of plain columns of tables, through subqueries."""

from collections.abc import Sequence

from discosql.planner.plan import ColumnRef, IndexLookup, Node, OutputColumn, Projection, Scan
from discosql.planner.traverse import walk_plan


def result_columns(node: Node, named: Sequence[tuple[str, ColumnRef]]) -> tuple[OutputColumn, ...]:
    """Return a query's result columns; `named` are their names and what the plan calls them."""
    declared, passed = _leaves(node)
    columns = []
    for name, ref in named:
        origin = ref.id
        while origin in passed:
            origin = passed[origin]
        columns.append(OutputColumn(name, ref.type, declared.get(origin, "")))
    return tuple(columns)


def _leaves(node: Node) -> tuple[dict[int, str], dict[int, int]]:
    """Return the declared types of the columns of tables, and which columns are others passed on, by their ids."""
    declared: dict[int, str] = {}
    passed: dict[int, int] = {}
    for inner in walk_plan(node):
        if isinstance(inner, Scan | IndexLookup):
            for ref, position in zip(inner.output, inner.positions, strict=True):
                if position:
                    declared[ref.id] = inner.table.columns[position - 1].declared
        elif isinstance(inner, Projection):
            for ref, expression in zip(inner.output, inner.expressions, strict=True):
                if type(expression) is ColumnRef and expression.id != ref.id:
                    passed[ref.id] = expression.id
    return declared, passed
