"""Row values: ``(a, b) = (1, 2)``, ``(a, b) < (…)``, and rows that a subquery gives.

Comparisons of rows are written out as comparisons of their values, from left to right
(https://www.sqlite.org/rowvalue.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sqlglot import exp

from discosql.errors import ProgrammingError
from discosql.planner.bind_subqueries import bind_column_subquery, inner_query, query_width
from discosql.planner.built import BuiltQuery
from discosql.planner.infer import Bound, collation_of, comparison_operands
from discosql.planner.plan import And, Compare, Expression, InSubquery, Is, Node, Or, Projection
from discosql.planner.scope import Scope
from discosql.planner.terms import unwrapped

if TYPE_CHECKING:
    from discosql.planner.build import Binder

_QUERIES = (exp.Select, exp.SetOperation, exp.Values, exp.Subquery)

CompareOperator = Literal["=", "<>", "<", "<=", ">", ">="]


def is_row(tree: exp.Expr) -> bool:
    """Whether an operand is a row: several values in parentheses, or a query of several columns."""
    tree = unwrapped(tree)
    return isinstance(tree, exp.Tuple) or (
        isinstance(tree, exp.Subquery) and isinstance(tree.this, exp.Query) and len(tree.this.selects) > 1
    )


def row_values(binder: Binder, tree: exp.Expr, scope: Scope) -> list[Bound]:
    """Return the values of a row; a single value is a row of one."""
    tree = unwrapped(tree)
    if isinstance(tree, exp.Tuple):
        return [binder.operand(item, scope) for item in tree.expressions]
    if isinstance(tree, exp.Subquery):
        width = query_width(binder, tree, scope)
        return [bind_column_subquery(binder, tree, scope, position) for position in range(width)]
    return [binder.operand(tree, scope)]


def _pairs(binder: Binder, left: exp.Expr, right: exp.Expr, scope: Scope) -> list[tuple[Bound, Bound]]:
    a, b = row_values(binder, left, scope), row_values(binder, right, scope)
    if len(a) != len(b):
        raise ProgrammingError("row value misused")
    return list(zip(a, b, strict=True))


def bind_row_comparison(
    binder: Binder, operator: CompareOperator, left: exp.Expr, right: exp.Expr, scope: Scope
) -> Expression:
    """Return the comparison of two rows."""
    pairs = _pairs(binder, left, right, scope)
    if operator == "=":
        return _all([_compare("=", *pair) for pair in pairs])
    if operator == "<>":
        return _any([_compare("<>", *pair) for pair in pairs])
    return _ordered(operator, pairs)


def _ordered(operator: CompareOperator, pairs: list[tuple[Bound, Bound]]) -> Expression:
    """Return ``a < c OR (a = c AND b < d)``, the last pair compared with the operator itself."""
    strict: CompareOperator = "<" if operator in ("<", "<=") else ">"
    result: Expression = _compare(operator, *pairs[-1])
    for pair in reversed(pairs[:-1]):
        result = _any([_compare(strict, *pair), _all([_compare("=", *pair), result])])
    return result


def bind_row_between(binder: Binder, tree: exp.Between, scope: Scope) -> Expression:
    """Return ``row BETWEEN low AND high``."""
    low = bind_row_comparison(binder, ">=", tree.this, tree.args["low"], scope)
    high = bind_row_comparison(binder, "<=", tree.this, tree.args["high"], scope)
    return _all([low, high])


def bind_row_is(binder: Binder, left: exp.Expr, right: exp.Expr, negated: bool, scope: Scope) -> Expression:
    """Return ``row IS [NOT] row``."""
    parts: list[Expression] = [
        Is(*comparison_operands(a, b), negated, collation_of(a, b)) for a, b in _pairs(binder, left, right, scope)
    ]
    return _any(parts) if negated else _all(parts)


def _compare(operator: CompareOperator, left: Bound, right: Bound) -> Expression:
    return Compare(operator, *comparison_operands(left, right), collation_of(left, right))


def _all(parts: list[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else And(tuple(parts), nullable=any(part.nullable for part in parts))


def _any(parts: list[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else Or(tuple(parts), nullable=any(part.nullable for part in parts))


def query_of(tree: exp.In) -> exp.Expr | None:
    """Return the query on the right of IN, None if there is a list; ``IN t`` is a query of the whole table."""
    query = tree.args.get("query")
    if query is not None:
        return query if isinstance(query, exp.Expr) else None
    field = tree.args.get("field")
    if field is not None:
        table = exp.Table(this=field.this.copy(), db=exp.to_identifier(field.table) if field.table else None)
        return exp.Select(expressions=[exp.Star()], from_=exp.From(this=table))
    items = tree.expressions
    left = unwrapped(tree.this)
    if isinstance(left, exp.Tuple) and items and not isinstance(unwrapped(items[0]), _QUERIES):
        _check_widths(len(left.expressions), items)
        return exp.Values(expressions=[unwrapped(item).copy() for item in items])
    # One query in parentheses of its own is still the query, not a list of one value.
    single = unwrapped(items[0]) if len(items) == 1 else None
    return single if isinstance(single, _QUERIES) else None


def _check_widths(width: int, items: list[exp.Expr]) -> None:
    for item in map(unwrapped, items):
        count = len(item.expressions) if isinstance(item, exp.Tuple) else 1
        if count != width:
            plural = "" if count == 1 else "s"
            raise ProgrammingError(f"IN(...) element has {count} term{plural} - expected {width}")


def bind_in_query(binder: Binder, left: exp.Expr, query: exp.Expr, scope: Scope) -> Expression:
    """Return ``left IN (query)`` with both sides converted as the comparison of each pair of columns asks for."""
    operands = row_values(binder, left, scope)
    built = inner_query(binder, query, scope)
    if len(operands) != len(built.columns):
        raise ProgrammingError(f"sub-select returns {len(built.columns)} columns - expected {len(operands)}")
    columns = [column.bound for column in built.columns]
    pairs = [comparison_operands(a, b) for a, b in zip(operands, columns, strict=True)]
    return InSubquery(
        tuple(pair[0] for pair in pairs),
        _converted(binder, built, [pair[1] for pair in pairs]),
        collations=tuple(collation_of(a, b) for a, b in zip(operands, columns, strict=True)),
        nullable=any(side.nullable for side in (*operands, *columns)),
    )


def _converted(binder: Binder, built: BuiltQuery, values: list[Expression]) -> Node:
    refs = [column.ref for column in built.columns]
    if all(value is ref for value, ref in zip(values, refs, strict=True)):
        return built.node
    output = [binder.new_column(ref.name, None, None, ref.nullable, ref.collation) for ref in refs]
    return Projection(built.node, tuple(values), tuple(output))
