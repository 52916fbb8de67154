"""Calls of functions: scalar ones, aggregates, and either kind of them over a window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from sqlglot import exp

from discosql.errors import NotSupportedError, ProgrammingError, SqlLimitError, UnknownNameError
from discosql.planner.infer import Bound, common_type, derived, is_same
from discosql.planner.plan import AggregateCall, Call, Case, ColumnRef, Constant, Expression, FunctionSignature, SortKey
from discosql.planner.scope import Level, Scope
from discosql.planner.spelling import RAISE_CALL
from discosql.planner.traverse import columns_in
from discosql.types import SqlType, fold_case

if TYPE_CHECKING:
    from discosql.planner.build import Binder

Kind: TypeAlias = Literal["scalar", "aggregate", "window"]

_CONDITIONAL: Final = frozenset({"iif", "if"})
_TRANSPARENT: Final = frozenset({"likely", "unlikely", "likelihood"})
"""Hints for SQLite's planner: they give their first argument, column that it may be."""


def find_function(binder: Binder, name: str, kinds: Sequence[Kind], count: int) -> FunctionSignature:
    """Return the function of one of these kinds that takes so many arguments.

    Raises ProgrammingError where there is none.
    """
    if count > binder.context.most_arguments:
        raise SqlLimitError(f"too many arguments on function {name}")
    folded = fold_case(name)
    found = [binder.context.functions.get((folded, kind)) for kind in kinds]
    for signature in found:
        if signature is not None and (
            signature.minimum <= count and (signature.maximum is None or count <= signature.maximum)
        ):
            return signature
    if any(signature is not None for signature in found):
        raise ProgrammingError(f"wrong number of arguments to function {name}()")
    raise UnknownNameError(f"no such function: {name}", name)


def bind_call(binder: Binder, tree: exp.Anonymous, scope: Scope) -> Bound:
    """Bind a call without FILTER and OVER."""
    if tree.name == RAISE_CALL:
        return _bind_raise(binder, tree, scope)
    return _bind_plain(binder, tree, None, scope)


def _bind_raise(binder: Binder, tree: exp.Anonymous, scope: Scope) -> Bound:
    """Bind RAISE(), which only the grammar of triggers lets through."""
    arguments = tuple(binder.operand(item, scope).expression for item in tree.expressions)
    return Bound(Call("raise", arguments, deterministic=False))


def bind_filtered(binder: Binder, tree: exp.Filter, scope: Scope) -> Bound:
    """Bind an aggregate with FILTER."""
    return _bind_plain(binder, tree.this, tree.expression.this, scope)


def _bind_plain(binder: Binder, tree: exp.Expr, condition: exp.Expr | None, scope: Scope) -> Bound:
    if not isinstance(tree, exp.Anonymous):
        raise NotSupportedError(f"{tree.key.upper()} is not supported as a function")
    arguments = Arguments(tree)
    signature = find_function(binder, tree.name, ("scalar", "aggregate", "window"), len(arguments.trees))
    if signature.kind == "window":
        raise ProgrammingError(f"misuse of window function {tree.name}()")
    if signature.kind == "aggregate" and not binder.asking.may_call(tree.name):
        return Bound(Constant(None))
    if signature.kind == "aggregate":
        return _bind_aggregate(binder, signature, arguments, condition, scope)
    if condition is not None:
        raise ProgrammingError(f"FILTER may not be used with non-aggregate {tree.name}()")
    if arguments.order:
        raise ProgrammingError(f"ORDER BY may not be used with non-aggregate {tree.name}()")
    return scalar_call(binder, tree.name, [binder.operand(item, scope) for item in arguments.trees])


class Arguments:
    """The arguments of a call as written: their trees, whether DISTINCT is before and ORDER BY behind them."""

    def __init__(self, call: exp.Anonymous) -> None:
        self.name: str = call.name
        self.distinct = False
        self.order: list[exp.Expr] = []
        trees = list(call.expressions)
        if trees and isinstance(trees[-1], exp.Order):
            self.order = trees[-1].expressions
            trees[-1] = trees[-1].this
        if trees and isinstance(trees[0], exp.Distinct):
            self.distinct = True
            trees[:1] = trees[0].expressions
        if len(trees) == 1 and isinstance(trees[0], exp.Star):
            trees = []
        self.trees: list[exp.Expr] = trees


# Scalar functions --------------------------------------------------------------------------------------------------


def scalar_call(binder: Binder, name: str, arguments: Sequence[Bound]) -> Bound:
    """Return the call of a scalar function."""
    signature = find_function(binder, name, ("scalar",), len(arguments))
    if not binder.asking.may_call(name):
        return Bound(Constant(None))
    folded = fold_case(name)
    parts = tuple(argument.expression for argument in arguments)
    if folded in _TRANSPARENT and not signature.by_user:
        _check_likelihood(arguments)
        return replace(derived(parts[0], *arguments), call=True)
    if folded in _CONDITIONAL and not signature.by_user:
        return replace(derived(_conditional(parts), *arguments), call=True)
    kind, nullable = _result(signature, folded, parts)
    collation = next((argument.collation for argument in arguments if argument.collation is not None), "BINARY")
    return derived(Call(folded, parts, collation, kind, nullable, signature.deterministic), *arguments)


def _check_likelihood(arguments: Sequence[Bound]) -> None:
    if len(arguments) < 2:
        return
    value = arguments[1].expression
    if not (isinstance(value, Constant) and isinstance(value.value, float) and 0.0 <= value.value <= 1.0):
        raise ProgrammingError("second argument to likelihood() must be a constant between 0.0 and 1.0")


def _result(signature: FunctionSignature, name: str, parts: tuple[Expression, ...]) -> tuple[SqlType | None, bool]:
    nullable = not signature.null_safe or any(part.nullable for part in parts)
    if signature.result != "argument":
        return signature.result, nullable
    special = _RESULTS.get(name)
    return special(parts) if special is not None else (common_type(parts), nullable)


def _first_result(parts: tuple[Expression, ...]) -> tuple[SqlType | None, bool]:
    return common_type(parts), all(part.nullable for part in parts)


def _conditional(parts: tuple[Expression, ...]) -> Case:
    """Return what ``iif(a, b, c, d, …)`` stands for: ``CASE WHEN a THEN b WHEN c THEN d … END``."""
    default = parts[-1] if len(parts) % 2 else Constant(None)
    results = (*parts[1::2], default)
    whens = tuple(zip(parts[:-1:2] if len(parts) % 2 else parts[::2], parts[1::2], strict=True))
    return Case(whens, default, common_type(results), any(part.nullable for part in results))


_RESULTS: Final[dict[str, Callable[[tuple[Expression, ...]], tuple[SqlType | None, bool]]]] = {
    "coalesce": _first_result,
    "ifnull": _first_result,
    "nullif": lambda parts: (parts[0].type, True),
    "min": lambda parts: (common_type(parts), any(part.nullable for part in parts)),
    "max": lambda parts: (common_type(parts), any(part.nullable for part in parts)),
}
"""Functions whose result is one of their arguments."""

# Aggregates --------------------------------------------------------------------------------------------------------


def _bind_aggregate(
    binder: Binder, signature: FunctionSignature, arguments: Arguments, condition: exp.Expr | None, scope: Scope
) -> Bound:
    name = arguments.name
    if arguments.distinct and len(arguments.trees) != 1:
        raise ProgrammingError("DISTINCT aggregates must have exactly one argument")
    inner = scope.allowing()
    bounds = [binder.operand(tree, inner) for tree in arguments.trees]
    call = AggregateCall(
        fold_case(name),
        tuple(bound.expression for bound in bounds),
        arguments.distinct,
        binder.operand(condition, inner).expression if condition is not None else None,
        tuple(sort_key(binder, term, inner) for term in arguments.order),
        first_collation(bounds),
        *aggregate_result(signature, bounds),
    )
    level = _level_of(call, scope)
    if level is None:
        raise ProgrammingError(f"misuse of aggregate{':' if _is_aggregated(scope) else ' function'} {name}()")
    return Bound(_placed(binder, call, level))


def _is_aggregated(scope: Scope) -> bool:
    return scope.windows or (scope.level is not None and bool(scope.level.aggregates))


def aggregate_result(signature: FunctionSignature, arguments: Sequence[Bound]) -> tuple[SqlType | None, bool]:
    """Return type and nullability of an aggregate's result."""
    kind = signature.result
    if kind == "argument":
        kind = common_type([argument.expression for argument in arguments])
    return kind, not signature.null_safe


def first_collation(arguments: Sequence[Bound]) -> str:
    """Return the collation a function compares by: that of the first argument that has one."""
    return next((argument.collation for argument in arguments if argument.collation is not None), "BINARY")


def _level_of(call: AggregateCall, scope: Scope) -> Level | None:
    """Return the SELECT an aggregate belongs to: the innermost whose columns it uses, else the one it stands in."""
    used: set[int] = set()
    for part in (*call.arguments, *((call.filter,) if call.filter is not None else ())):
        used |= columns_in(part)
    owner = next((level for level in scope.enclosing() if level.owns(used)), scope) if used else scope
    return owner.level if owner.aggregates else None


def _placed(binder: Binder, call: AggregateCall, level: Level) -> ColumnRef:
    """Return the column that will hold the call's result; equal calls share one."""
    for known, column in level.aggregates:
        if is_same(known, call):
            return column
    column = binder.new_column(f"{call.name}()", None, call.type, call.nullable)
    level.aggregates.append((call, column))
    return column


def sort_key(binder: Binder, term: exp.Expr, scope: Scope) -> SortKey:
    """Return one term of ORDER BY."""
    assert isinstance(term, exp.Ordered)
    return ordered(term, binder.operand(term.this, scope))


def ordered(term: exp.Ordered, operand: Bound) -> SortKey:
    """Return a sort key for an operand, with direction and place of NULLs as the term says."""
    descending = bool(term.args.get("desc"))
    nulls_first = term.args.get("nulls_first")
    first = bool(nulls_first) if nulls_first is not None else not descending
    return SortKey(operand.expression, descending, first, operand.collation or "BINARY")
