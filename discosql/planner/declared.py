"""The declared types of result columns, as SQLite tells them: those of plain columns of tables, through subqueries."""

from collections.abc import Iterator, Sequence

from discosql.planner.plan import (
    Aggregate,
    ColumnRef,
    Expression,
    IndexLookup,
    Node,
    OutputColumn,
    Projection,
    RecursiveUnion,
    ScalarSubquery,
    Scan,
    SetOperation,
    Shared,
)
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
    shared: set[int] = set()
    waiting = [node]
    while waiting:
        for inner in walk_plan(waiting.pop()):
            if isinstance(inner, Scan | IndexLookup):
                for ref, position in zip(inner.output, inner.positions, strict=True):
                    if position:
                        declared[ref.id] = inner.table.columns[position - 1].declared
            if isinstance(inner, Shared) and inner.id not in shared:
                shared.add(inner.id)
                waiting.append(inner.child)
            for ref, expression in _made_of(inner):
                if isinstance(expression, ScalarSubquery):
                    waiting.append(expression.plan)
                    expression = expression.plan.output[0]
                if type(expression) is ColumnRef and expression.id != ref.id:
                    passed[ref.id] = expression.id
    return declared, passed


def _made_of(node: Node) -> Iterator[tuple[ColumnRef, Expression]]:
    """Yield the new columns of a node, each with what it is; of set operations, with the column of the first query."""
    match node:
        case Projection():
            yield from zip(node.output, node.expressions, strict=True)
        case Aggregate():
            yield from zip(node.output, node.keys, strict=False)
            for ref, call in zip(node.output[len(node.keys) :], node.calls, strict=True):
                if call.bare:
                    yield ref, call.arguments[0]
        case SetOperation():
            first: Node = node
            while isinstance(first, SetOperation):
                first = first.left
            yield from zip(node.output, first.output, strict=True)
        case Shared():
            yield from zip(node.output, node.child.output, strict=True)
        case RecursiveUnion():
            yield from zip(node.output, node.initial.output, strict=True)
