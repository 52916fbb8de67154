"""Recursive common table expressions (https://www.sqlite.org/lang_with.html#recursive_common_table_expressions)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from discosql.errors import ProgrammingError
from discosql.planner.build_compound import Arm, combine, compound_arms, compound_order, limits
from discosql.planner.built import BuiltQuery, ResultColumn
from discosql.planner.plan import Aggregate, Distinct, Filter, Node, Projection, RecursiveUnion, SetOperation, Window
from discosql.types import fold_case

if TYPE_CHECKING:
    from discosql.planner.build import Binder
    from discosql.planner.build_with import Definition


def recursive_arm(tree: exp.Expr, name: str) -> int | None:
    """Return which arm of a set operation is the first to read the table being defined; None if none does."""
    if not isinstance(tree, exp.SetOperation):
        return None
    arms = compound_arms(tree)
    found = [position for position, arm in enumerate(arms) if _reads(arm.tree, fold_case(name))]
    return found[0] if found and found[0] > 0 else None


def _reads(arm: exp.Expr, folded: str) -> bool:
    return any(
        isinstance(table, exp.Table) and not table.db and fold_case(table.name) == folded for table in _sources(arm)
    )


def _sources(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the tables of an arm's FROM, those in parentheses included, without entering subqueries."""
    clause = tree.args.get("from_")
    stack = [clause.this] if clause is not None else []
    stack += [join.this for join in tree.args.get("joins") or []]
    while stack:
        item = stack.pop()
        stack += [join.this for join in item.args.get("joins") or []]
        if isinstance(item, exp.Subquery | exp.Paren) and isinstance(item.this, exp.Table | exp.Subquery):
            stack.append(item.this)
        else:
            yield item


def build_recursive(binder: Binder, definition: Definition, first: int) -> BuiltQuery:
    """Return the plan of a recursive query whose arms from `first` on read its own rows."""
    tree = definition.tree
    assert isinstance(tree, exp.SetOperation)
    binder.asking.recursion()
    arms = compound_arms(tree)
    for arm in arms[first:]:
        _check_arm(arm, arms[-1], definition.name)
    initial = combine(binder, arms[:first], definition.outer)
    names = definition.columns or tuple(column.name for column in initial.columns)
    if len(names) != len(initial.columns):
        raise ProgrammingError(f"table {definition.name} has {len(initial.columns)} values for {len(names)} columns")
    columns = [
        _working_column(binder, column, definition.name, name)
        for column, name in zip(initial.columns, names, strict=True)
    ]
    working = BuiltQuery(initial.node, tuple(columns))
    id = binder.new_id()
    definition.working, definition.references = (id, working), 0
    step = _step(binder, arms[first:], definition, len(columns))
    definition.working = None
    columns = [
        replace(column, collation=column.collation or later.collation)
        for column, later in zip(columns, step.columns, strict=True)
    ]
    working = replace(working, columns=tuple(columns))
    output = tuple(column.ref for column in columns)
    limit, offset = limits(binder, tree)
    node = RecursiveUnion(
        id,
        definition.name,
        initial.node,
        step.node,
        arms[-1].all,
        output,
        tuple(column.collation or "BINARY" for column in columns),
        compound_order(binder, tree, [arm.tree for arm in arms], working),
        limit,
        offset,
    )
    return replace(working, node=node)


def _check_arm(arm: Arm, last: Arm, name: str) -> None:
    if arm.operator != "union" or arm.all != last.all:
        raise ProgrammingError(f"circular reference: {name}")
    if _direct_reads(arm, name) > 1:
        raise ProgrammingError(f"multiple references to recursive table: {name}")


def _direct_reads(arm: Arm, name: str) -> int:
    return sum(_reads(item, fold_case(name)) for item in _tables_of(arm))


def _step(binder: Binder, arms: Sequence[Arm], definition: Definition, width: int) -> BuiltQuery:
    """Return the plan of the recursive arms put together, all of whose rows go to the queue."""
    step = combine(binder, [replace(arm, all=True) for arm in arms], definition.outer)
    if definition.references > sum(_direct_reads(arm, definition.name) for arm in arms):
        raise ProgrammingError(f"multiple recursive references: {definition.name}")
    top = set(map(type, _top_nodes(step.node)))
    if Window in top:
        raise ProgrammingError("cannot use window functions in recursive queries")
    if Aggregate in top:
        raise ProgrammingError("recursive aggregate queries not supported")
    if len(step.columns) != width:
        raise ProgrammingError(
            f"SELECTs to the left and right of {arms[0].label} do not have the same number of result columns"
        )
    return step


def _top_nodes(node: Node) -> Iterator[Node]:
    """Yield what arms do with the rows of their FROM, from the top; not what they join."""
    yield node
    if isinstance(node, SetOperation):
        yield from _top_nodes(node.left)
        yield from _top_nodes(node.right)
    elif isinstance(node, Projection | Filter | Window | Distinct):
        yield from _top_nodes(node.child)


def _tables_of(arm: Arm) -> list[exp.Expr]:
    return [exp.Select(from_=exp.From(this=item.copy())) for item in _sources(arm.tree)]


def _working_column(binder: Binder, column: ResultColumn, table: str, name: str) -> ResultColumn:
    # Later rounds may give values of other classes than the first, so nothing is certain of them.
    ref = binder.new_column(name, table, None, True, column.ref.collation)
    return ResultColumn(name, ref, column.affinity, column.collation, column.last)
