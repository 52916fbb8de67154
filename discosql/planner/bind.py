"""Expressions: the dispatch over sqlglot's nodes; literals, columns, parameters, CASE, CAST and COLLATE.

Every node that SQLite's grammar can produce has an entry in the table at the end; any other is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlglot import exp

from discosql.errors import NotSupportedError, ProgrammingError, UnknownNameError
from discosql.planner.bind_calls import bind_call, bind_filtered
from discosql.planner.bind_operators import (
    bind_and,
    bind_between,
    bind_binary,
    bind_comparison,
    bind_escape,
    bind_in,
    bind_is,
    bind_match,
    bind_not,
    bind_or,
    bind_unary,
)
from discosql.planner.bind_rows import is_row
from discosql.planner.bind_subqueries import bind_exists, bind_scalar_subquery
from discosql.planner.bind_windows import bind_windowed
from discosql.planner.infer import Bound, collation_of, common_type, comparison_operands, constant, derived
from discosql.planner.parse import is_double_quoted
from discosql.planner.plan import Call, Case, Cast, Constant, Expression, SimpleCase
from discosql.planner.scope import Scope, resolve
from discosql.planner.spelling import declared_words
from discosql.planner.terms import unwrapped
from discosql.types import SqlType, declared_type

if TYPE_CHECKING:
    from discosql.planner.build import Binder

Handler: TypeAlias = Callable[["Binder", Any, Scope], Bound]


def bind_expression(binder: Binder, tree: exp.Expr, scope: Scope) -> Bound:
    """Return what an expression's tree means in a scope."""
    tree = unwrapped(tree)
    handler = _HANDLERS.get(type(tree))
    if handler is None:
        raise NotSupportedError(f"{tree.key.upper()} is not supported in an expression")
    return handler(binder, tree, scope)


def number(text: str) -> int | float:
    """Return the value of a numeric literal, which is decimal and an integer only within 64 bits."""
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _literal(_binder: Binder, tree: exp.Literal, _scope: Scope) -> Bound:
    return Bound(constant(tree.this if tree.is_string else number(str(tree.this))))


def _blob(_binder: Binder, tree: exp.HexString, _scope: Scope) -> Bound:
    return Bound(constant(bytes.fromhex(tree.this)))


def _null(_binder: Binder, _tree: exp.Null, _scope: Scope) -> Bound:
    return Bound(Constant(None))


def _boolean(_binder: Binder, tree: exp.Boolean, _scope: Scope) -> Bound:
    return Bound(constant(int(tree.this)))


def _parameter(binder: Binder, tree: exp.Placeholder, _scope: Scope) -> Bound:
    return Bound(binder.parameters.parameter_of(tree))


def _column(binder: Binder, tree: exp.Column, scope: Scope) -> Bound:
    identifier = tree.this
    if not isinstance(identifier, exp.Identifier):
        raise ProgrammingError('near "*": syntax error')
    name, table, schema = identifier.name, tree.table or None, tree.db or None
    found = resolve(scope, (name, table, schema), binder.operand)
    if found is not None:
        return found[0] if len(found) == 1 else coalesced(found)
    if table is not None and schema is None and binder.trigger is not None:
        value = binder.trigger.find(table, name)
        if value is not None:
            return value
    if table is None:
        if is_double_quoted(identifier):
            return Bound(constant(name))
        if name.lower() in ("true", "false"):
            return Bound(constant(int(name.lower() == "true")))
    parts = [part for part in (schema, table, name) if part]
    raise UnknownNameError(f"no such column: {'.'.join(parts)}", *parts)


def coalesced(columns: list[Bound]) -> Bound:
    """Return the first of several columns that is not NULL: what USING makes of a FULL JOIN's columns."""
    parts = tuple(column.expression for column in columns)
    nullable = all(part.nullable for part in parts)
    return Bound(Call("coalesce", parts, collation_of(*columns), common_type(parts), nullable))


def _collate(binder: Binder, tree: exp.Collate, scope: Scope) -> Bound:
    operand = binder.operand(tree.this, scope)
    return Bound(operand.expression, operand.affinity, known_collation(binder, tree.expression.name), True)


def known_collation(binder: Binder, name: str) -> str:
    """Return a collation's name as plans write it. Raises ProgrammingError if there is none of that name."""
    if name.upper() not in binder.context.collations:
        raise UnknownNameError(f"no such collation sequence: {name}", name)
    return name.upper()


def _cast(binder: Binder, tree: exp.Cast, scope: Scope) -> Bound:
    operand = binder.operand(tree.this, scope)
    target = declared_type(declared_words(tree))
    if target is SqlType.ANY:
        target = SqlType.NUMERIC
    plain = target in (SqlType.INTEGER, SqlType.REAL, SqlType.TEXT, SqlType.BLOB, SqlType.NUMERIC)
    cast = Cast(operand.expression, target, operand.nullable or not plain)
    return Bound(cast, target, operand.collation, operand.explicit)


def _case(binder: Binder, tree: exp.Case, scope: Scope) -> Bound:
    branches = tree.args["ifs"]
    results = [binder.operand(branch.args["true"], scope) for branch in branches]
    otherwise = tree.args.get("default")
    default = binder.operand(otherwise, scope) if otherwise is not None else Bound(Constant(None))
    parts = [item.expression for item in (*results, default)]
    kind, nullable = common_type(parts), any(part.nullable for part in parts)
    expression: Expression
    if tree.this is None:
        conditions = [binder.operand(branch.this, scope).expression for branch in branches]
        whens = tuple(zip(conditions, parts, strict=False))
        expression = Case(whens, default.expression, kind, nullable)
    else:
        if is_row(tree.this):
            return binder.operand(_searched(tree), scope)
        expression = _simple_case(binder, tree, scope, parts)
    return derived(expression, *results, default)


def _simple_case(binder: Binder, tree: exp.Case, scope: Scope, results: list[Expression]) -> Expression:
    operand = binder.operand(tree.this, scope)
    whens = []
    for branch, result in zip(tree.args["ifs"], results, strict=False):
        value = binder.operand(branch.this, scope)
        left, right = comparison_operands(operand, value)
        whens.append((left, right, collation_of(operand, value), result))
    return SimpleCase(tuple(whens), results[-1], common_type(results), any(result.nullable for result in results))


def _searched(tree: exp.Case) -> exp.Case:
    """Return ``CASE row WHEN …`` with the comparisons written out."""
    branches = [
        exp.If(this=exp.EQ(this=tree.this.copy(), expression=branch.this.copy()), true=branch.args["true"].copy())
        for branch in tree.args["ifs"]
    ]
    otherwise = tree.args.get("default")
    return exp.Case(ifs=branches, default=otherwise.copy() if otherwise is not None else None)


def _row(_binder: Binder, _tree: exp.Tuple, _scope: Scope) -> Bound:
    raise ProgrammingError("row value misused")


_HANDLERS: Final[dict[type, Handler]] = {
    exp.Literal: _literal,
    exp.HexString: _blob,
    exp.Null: _null,
    exp.Boolean: _boolean,
    exp.Placeholder: _parameter,
    exp.Column: _column,
    exp.Collate: _collate,
    exp.Cast: _cast,
    exp.Case: _case,
    exp.Tuple: _row,
    exp.Anonymous: bind_call,
    exp.Filter: bind_filtered,
    exp.Window: bind_windowed,
    exp.Subquery: bind_scalar_subquery,
    exp.Select: bind_scalar_subquery,
    exp.Exists: bind_exists,
    exp.And: bind_and,
    exp.Or: bind_or,
    exp.Not: bind_not,
    exp.Neg: bind_unary,
    exp.Sqrt: bind_unary,
    exp.BitwiseNot: bind_unary,
    exp.Between: bind_between,
    exp.In: bind_in,
    exp.Is: bind_is,
    exp.NullSafeEQ: bind_is,
    exp.NullSafeNEQ: bind_is,
    exp.Like: bind_match,
    exp.Glob: bind_match,
    exp.RegexpLike: bind_match,
    exp.Match: bind_match,
    exp.Escape: bind_escape,
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), bind_comparison),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe), bind_binary),
    **dict.fromkeys((exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseLeftShift, exp.BitwiseRightShift), bind_binary),
}
"""What binds each kind of node. `exp.Sqrt` is unary plus: see the parser."""
