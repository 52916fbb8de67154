"""Queries inside expressions: scalar subqueries, EXISTS, and IN with a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from discosql.errors import ProgrammingError
from discosql.planner.built import BuiltQuery, ResultColumn
from discosql.planner.infer import Bound
from discosql.planner.plan import Aggregate, Exists, Node, Projection, ScalarSubquery
from discosql.planner.scope import Scope

if TYPE_CHECKING:
    from discosql.planner.build import Binder


def inner_query(binder: Binder, tree: exp.Expr, scope: Scope) -> BuiltQuery:
    """Return the plan of a query inside an expression."""
    binder.query_depth += 1
    built = binder.query(tree, scope)
    binder.query_depth -= 1
    return built


def bind_scalar_subquery(binder: Binder, tree: exp.Expr, scope: Scope) -> Bound:
    """Bind a query that stands for one value."""
    built = inner_query(binder, tree, scope)
    if len(built.columns) != 1:
        raise ProgrammingError(f"sub-select returns {len(built.columns)} columns - expected 1")
    return _scalar(built.node, built.columns[0])


def bind_column_subquery(binder: Binder, tree: exp.Expr, scope: Scope, position: int) -> Bound:
    """Bind one column of a query that stands for a row; unlike a single value it keeps the column's collation."""
    built = inner_query(binder, tree, scope)
    column = built.columns[position]
    ref = binder.new_column(column.name, None, column.ref.type, column.ref.nullable, column.ref.collation)
    value = _scalar(Projection(built.node, (column.ref,), (ref,)), column)
    return Bound(value.expression, value.affinity, column.last.collation)


def _scalar(node: Node, column: ResultColumn) -> Bound:
    nullable = column.ref.nullable or not _has_one_row(node)
    return Bound(ScalarSubquery(node, column.ref.type, nullable), column.last.affinity)


def _has_one_row(node: Node) -> bool:
    while isinstance(node, Projection):
        node = node.child
    return isinstance(node, Aggregate) and not node.keys


def query_width(binder: Binder, tree: exp.Expr, scope: Scope) -> int:
    """Return how many columns a query has."""
    return len(inner_query(binder, tree, scope).columns)


def bind_exists(binder: Binder, tree: exp.Exists, scope: Scope) -> Bound:
    """Bind EXISTS."""
    return Bound(Exists(inner_query(binder, tree.this, scope).node))
