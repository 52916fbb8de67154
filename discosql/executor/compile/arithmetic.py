"""Code for constants, columns, arithmetic, CAST and conversions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from discosql.executor import operators
from discosql.executor.compile.code import (
    ANYTHING,
    BLOB,
    BOOL,
    DECIMAL,
    INTEGER,
    JSON,
    NAN,
    NOTHING,
    NULL,
    NUMBER,
    PLAIN,
    REAL,
    TEXT,
    Code,
    Kind,
    compose,
    variable,
)
from discosql.executor.compile.scope import STRICT, VALUES, Guards, Scope
from discosql.executor.sizes import sized
from discosql.planner.plan import Binary, Cast, ColumnRef, Constant, Convert, Expression, Parameter, RaiseError, Unary
from discosql.types import MAX_INTEGER, MIN_INTEGER, SqlType

_RANGE: Final = f"{MIN_INTEGER} <= ({{t}} := {{form}}) <= {MAX_INTEGER}"


def _constant(scope: Scope, expression: Constant) -> Code:
    return scope.module.literal(expression.value)


def _parameter(scope: Scope, expression: Parameter) -> tuple[Guards, Code]:
    return (), scope.function.parameter(expression.index)


def _column(scope: Scope, expression: ColumnRef) -> tuple[Guards, Code]:
    return (), scope.columns[expression.id]


# + - * -----------------------------------------------------------------------------------------------------------

_SIMPLE: Final = {"+": operators.add, "-": operators.subtract, "*": operators.multiply}


def _sum_or_product(scope: Scope, sign: str, left: Code, right: Code) -> Code:
    function = _SIMPLE[sign]
    if not (left.only(PLAIN | NAN | BOOL) and right.only(PLAIN | NAN | BOOL)):
        may_be_decimal = (left.kind | right.kind) & DECIMAL
        return _called(scope, function, left, right, kind=PLAIN | may_be_decimal | NULL)
    if left.only(REAL | NAN) or right.only(REAL | NAN):
        return compose(f"({{}} {sign} {{}})", left, right, kind=REAL | NAN)
    return _checked(scope, sign, left, right)


def _checked(scope: Scope, sign: str, left: Code, right: Code) -> Code:
    """Write ``left sign right`` for numbers that may be integers, with the test of their range."""
    first, left_again = scope.named(left)
    second, right_again = scope.named(right)
    name = scope.function.name("t")
    test = compose(_RANGE.format(t=name, form=f"{{}} {sign} {{}}"), first, second, kind=INTEGER, binds=(name,))
    slow = _called(scope, _SIMPLE[sign], left_again, right_again, kind=PLAIN)
    may_be_null = NULL if (left.kind | right.kind) & REAL else 0
    return compose(f"({name} if {{}} else {{}})", test, slow, kind=PLAIN | may_be_null)


def _called(scope: Scope, function: Callable[..., Any], *operands: Code, kind: Kind) -> Code:
    name = scope.module.runtime(function)
    places = ", ".join(["{}"] * len(operands))
    return compose(f"{name}({places})", *[scope.normal(operand) for operand in operands], kind=kind)


# / and % ---------------------------------------------------------------------------------------------------------


def _divide(scope: Scope, guards: Guards, left: Code, right: Code, divisor: Any) -> tuple[Guards, Code]:
    if isinstance(divisor, int) and divisor > 0 and left.only(PLAIN | BOOL) and left.may_be(INTEGER):
        return guards, _cut(scope, "//", left, right)
    if left.only(INTEGER | BOOL) and right.only(INTEGER | BOOL):
        nonzero, again = _nonzero(scope, right, divisor)
        return guards + nonzero, _called(scope, operators.divide_integers, left, again, kind=PLAIN)
    reals = REAL | NAN
    if (left.only(reals) and right.only(PLAIN | NAN)) or (left.only(PLAIN | NAN) and right.only(reals)):
        nonzero, again = _nonzero(scope, right, divisor)
        return guards + nonzero, compose("({} / {})", left, again, kind=REAL | NAN)
    kind = PLAIN | NULL | (left.kind | right.kind) & DECIMAL
    return guards, _called(scope, operators.divide, left, right, kind=kind)


def _remainder(scope: Scope, guards: Guards, left: Code, right: Code, divisor: Any) -> tuple[Guards, Code]:
    if isinstance(divisor, int) and divisor > 0 and left.only(PLAIN | BOOL) and left.may_be(INTEGER):
        return guards, _cut(scope, "%", left, right)
    if left.only(INTEGER | BOOL) and right.only(INTEGER | BOOL):
        nonzero, again = _nonzero(scope, right, divisor)
        return guards + nonzero, _called(scope, operators.remainder_of_integers, left, again, kind=INTEGER)
    kind = PLAIN | NULL | (left.kind | right.kind) & DECIMAL
    return guards, _called(scope, operators.remainder, left, right, kind=kind)


def _cut(scope: Scope, sign: str, left: Code, right: Code) -> Code:
    """Write a division of a number by a positive integer constant: Python rounds down, SQL toward zero."""
    first, again = scope.named(left)
    if left.may_be(REAL):
        slow = _called(scope, operators.divide if sign == "//" else operators.remainder, again, right, kind=PLAIN)
        template = f"({{1}} {sign} {{2}} if {{0}}.__class__ is int and {{1}} >= 0 else {{3}})"
        return compose(template, first, again, right, slow, kind=PLAIN)
    template = f"({{1}} {sign} {{2}} if {{0}} >= 0 else -(-{{1}} {sign} {{2}}))"
    return compose(template, first, again, right, kind=INTEGER)


def _nonzero(scope: Scope, divisor: Code, constant: Any) -> tuple[Guards, Code]:
    if constant:
        return (), divisor
    first, again = scope.named(divisor)
    return (compose("{} != 0", first, kind=INTEGER),), again


# Other operators -------------------------------------------------------------------------------------------------

_CALLED: Final = {
    "&": (operators.bit_and, INTEGER),
    "|": (operators.bit_or, INTEGER),
    "<<": (operators.shift_left, INTEGER),
    ">>": (operators.shift_right, INTEGER),
}


def _concatenation(scope: Scope, expression: Binary) -> tuple[Guards, Code]:
    """Write a chain of ``||`` as one sum where all of it is text, which takes one look at its length."""
    operands: list[Expression] = []
    first: Expression = expression
    while isinstance(first, Binary) and first.operator == "||":
        operands.append(first.right)
        first = first.left
    guards, whole = scope.guarded(first)
    plain = whole.only(TEXT)
    for operand in reversed(operands):
        more, code = scope.guarded(operand)
        guards += more
        if NOTHING in (whole, code) or not (whole.kind and code.kind):
            return guards, NOTHING
        if plain and code.only(TEXT):
            whole = scope.shallow(compose("{} + {}", whole, code, kind=TEXT))
        else:
            whole, plain = _called(scope, operators.concatenate, whole, code, kind=TEXT), False
    return guards, _called(scope, sized, whole, kind=TEXT) if plain else whole


def _binary(scope: Scope, expression: Binary) -> tuple[Guards, Code]:
    sign = expression.operator
    if sign == "||":
        return _concatenation(scope, expression)
    left_guards, left = scope.guarded(expression.left)
    right_guards, right = scope.guarded(expression.right)
    guards = left_guards + right_guards
    if NOTHING in (left, right) or not (left.kind and right.kind):
        return guards, NOTHING
    if sign in _SIMPLE:
        return guards, _sum_or_product(scope, sign, left, right)
    if sign in ("/", "%"):
        divisor = expression.right.value if isinstance(expression.right, Constant) else None
        return (_divide if sign == "/" else _remainder)(scope, guards, left, right, divisor)
    if sign in "&|" and left.only(INTEGER) and right.only(INTEGER):
        return guards, compose(f"({{}} {sign} {{}})", left, right, kind=INTEGER)
    function, kind = _CALLED[sign]
    return guards, _called(scope, function, left, right, kind=kind)


def _arrow(scope: Scope, expression: Binary) -> Code:
    function = scope.module.registry.scalar(expression.operator, 2)
    assert function is not None
    name = scope.module.constant(function.implementation, "f")
    operands = [scope.kept(expression.left), scope.value(expression.right)]
    kind = ANYTHING | (JSON if expression.operator == "->" else 0)
    return compose(f"{name}({{}}, {{}})", *operands, kind=kind)


def _unary(scope: Scope, expression: Unary) -> tuple[Guards, Code]:
    guards, code = scope.guarded(expression.operand)
    if expression.operator == "+":
        return guards, code
    if expression.operator == "~":
        if code.only(INTEGER):
            return guards, compose("(~{})", code, kind=INTEGER)
        return guards, _called(scope, operators.bit_not, code, kind=INTEGER)
    if code.only(REAL | NAN):
        return guards, compose("(-{})", code, kind=code.kind)
    if code.only(INTEGER | BOOL):
        first, again = scope.named(code)
        slow = _called(scope, operators.negate, again, kind=PLAIN)
        return guards, compose(f"(-{{1}} if {{0}} != {MIN_INTEGER} else {{2}})", first, again, slow, kind=PLAIN)
    return guards, _called(scope, operators.negate, code, kind=PLAIN | code.kind & DECIMAL)


# CAST and conversions --------------------------------------------------------------------------------------------

_CAST_KINDS: Final = {
    SqlType.INTEGER: INTEGER,
    SqlType.REAL: REAL,
    SqlType.TEXT: TEXT,
    SqlType.BLOB: BLOB,
    SqlType.NUMERIC: NUMBER,
}
_UNCHANGED: Final = {
    SqlType.INTEGER: INTEGER,
    SqlType.REAL: REAL,
    SqlType.TEXT: TEXT,
    SqlType.BLOB: BLOB,
    SqlType.NUMERIC: NUMBER,
    SqlType.ANY: ANYTHING,
}
_CONVERTED: Final = {
    SqlType.INTEGER: NUMBER | BLOB,
    SqlType.REAL: NUMBER | BLOB,
    SqlType.NUMERIC: NUMBER | BLOB,
    SqlType.BOOLEAN: INTEGER,
    SqlType.DECIMAL: INTEGER | DECIMAL,
    SqlType.TEXT: TEXT | BLOB,
    SqlType.JSON: TEXT | BLOB,
    SqlType.DATE: TEXT | BLOB,
    SqlType.BLOB: ANYTHING,
    SqlType.ANY: ANYTHING,
}
"""The kinds that need no conversion before they are compared with a column of a type."""


def _cast(scope: Scope, expression: Cast) -> tuple[Guards, Code]:
    target = expression.type
    guards, code = scope.guarded(expression.operand)
    code = scope.normal(code)
    if code.only(_UNCHANGED.get(target, 0) | NULL):
        return guards, code
    kind = _CAST_KINDS.get(target, ANYTHING)
    if target is SqlType.REAL and code.only(INTEGER):
        return guards, compose("float({})", code, kind=REAL)
    return guards, _called(scope, operators.CASTS[target], code, kind=kind)


def _convert(scope: Scope, expression: Convert) -> Code:
    code = scope.raw(expression.operand)
    if code.only(_CONVERTED.get(expression.target, 0) | NULL | BOOL | NAN):
        return code
    if expression.target is SqlType.ANY:
        return scope.normal(code)
    function = operators.CONVERSIONS[expression.target]
    if isinstance(expression.operand, Parameter):
        return _convert_once(scope, code, function)
    return _called(scope, function, code, kind=_kind_after(expression.target, scope.normal(code).kind))


def _convert_once(scope: Scope, code: Code, function: Callable[..., Any]) -> Code:
    """Convert a parameter at the start of the function instead of once a row."""
    name = f"{scope.module.runtime(function)}_{code.text}"
    scope.function.local(name, f"{function.__name__}({code.text})")
    return variable(name, ANYTHING)


def _kind_after(target: SqlType, kind: Kind) -> Kind:
    if target.affinity.is_numeric and kind & TEXT:
        return kind | NUMBER
    return (kind | TEXT) if kind & NUMBER else kind


def _raise(scope: Scope, expression: RaiseError) -> Code:
    kind, message = scope.module.constant(expression.kind), scope.module.constant(expression.message)
    return Code(f"{scope.module.runtime(operators.raise_error)}({kind}, {message})", NULL)


def _binary_value(scope: Scope, expression: Binary) -> tuple[Guards, Code]:
    if expression.operator in ("->", "->>"):
        return (), _arrow(scope, expression)
    return _binary(scope, expression)


VALUES.update({Constant: _constant, Convert: _convert, RaiseError: _raise})
STRICT.update({Parameter: _parameter, ColumnRef: _column, Binary: _binary_value, Unary: _unary, Cast: _cast})
