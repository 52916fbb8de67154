"""Computing constant expressions without compiling them: the planner folds many, each of which is evaluated once.

The kinds of expression that are common among constants are computed directly; any other, and very deep ones, are
compiled like the expressions of a plan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from discosql.executor import operators
from discosql.executor.compile.statement import compile_rows
from discosql.executor.compile.walk import deep_parts
from discosql.executor.context import Context
from discosql.executor.functions.registry import Registry
from discosql.planner.plan import And, Binary, Case, Cast, Compare, Constant, Convert, Expression, Is, Not, Or, Unary
from discosql.types import Value, collate, compare

_DEEP: Final = 60

_BINARY: Final[dict[str, Callable[[Value, Value], Value]]] = {
    "+": operators.add,
    "-": operators.subtract,
    "*": operators.multiply,
    "/": operators.divide,
    "%": operators.remainder,
    "&": operators.bit_and,
    "|": operators.bit_or,
    "<<": operators.shift_left,
    ">>": operators.shift_right,
    "||": operators.concatenate,
}
_UNARY: Final[dict[str, Callable[[Value], Value]]] = {
    "-": operators.negate,
    "+": lambda value: value,
    "~": operators.bit_not,
}
_COMPARISONS: Final[dict[str, Callable[[int], bool]]] = {
    "=": lambda order: order == 0,
    "<>": lambda order: order != 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}
_BUILT_IN: Final = frozenset({"BINARY", "NOCASE", "RTRIM"})


def evaluate_constant(expression: Expression, registry: Registry) -> Value:
    """Return the value of an expression that uses no column, parameter or subquery, or raise what running it would."""
    if not deep_parts(expression, _DEEP):
        try:
            return _evaluate(expression)
        except _NotDirect:
            pass
    # Constant expressions see nothing of the connection, so there is no view to give them.
    return compile_rows([expression], [], registry).evaluate(Context(None, timeless="a constant"))[0]  # type: ignore[arg-type, no-any-return]


class _NotDirect(Exception):
    """An expression is of a kind that has to be compiled."""


def _evaluate(expression: Expression) -> Value:
    handler = _HANDLERS.get(type(expression))
    if handler is None:
        raise _NotDirect
    return handler(expression)


def _truth(expression: Expression) -> bool | None:
    value = _evaluate(expression)
    return None if value is None else operators.is_true(value)


def _compare(expression: Compare) -> Value:
    if expression.collation not in _BUILT_IN:
        raise _NotDirect
    left, right = (collate(_evaluate(side), expression.collation) for side in (expression.left, expression.right))
    if left is None or right is None:
        return None
    return int(_COMPARISONS[expression.operator](compare(left, right)))


def _is(expression: Is) -> Value:
    if expression.collation not in _BUILT_IN:
        raise _NotDirect
    left, right = (collate(_evaluate(side), expression.collation) for side in (expression.left, expression.right))
    return int((left == right) != expression.negated)


def _binary(expression: Binary) -> Value:
    operator = _BINARY.get(expression.operator)
    if operator is None:
        raise _NotDirect
    return operator(_evaluate(expression.left), _evaluate(expression.right))


def _junction(operands: tuple[Expression, ...], deciding: bool) -> Value:
    unknown = False
    for operand in operands:
        truth = _truth(operand)
        if truth is deciding:
            return int(deciding)
        unknown = unknown or truth is None
    return None if unknown else int(not deciding)


def _not(expression: Not) -> Value:
    truth = _truth(expression.operand)
    return None if truth is None else int(not truth)


def _case(expression: Case) -> Value:
    for condition, result in expression.whens:
        if _truth(condition):
            return _evaluate(result)
    return _evaluate(expression.default)


_HANDLERS: Final[dict[type, Callable[[Any], Value]]] = {
    Constant: lambda expression: expression.value,
    Unary: lambda expression: _UNARY[expression.operator](_evaluate(expression.operand)),
    Binary: _binary,
    Compare: _compare,
    Is: _is,
    And: lambda expression: _junction(expression.operands, False),
    Or: lambda expression: _junction(expression.operands, True),
    Not: _not,
    Case: _case,
    Cast: lambda expression: operators.CASTS[expression.type](_evaluate(expression.operand)),
    Convert: lambda expression: operators.CONVERSIONS[expression.target](_evaluate(expression.operand)),
}
