"""Functions on numbers (https://www.sqlite.org/lang_corefunc.html, https://www.sqlite.org/lang_mathfunc.html)."""

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from discosql.errors import OperationalError
from discosql.executor.functions.define import null_through, scalar
from discosql.executor.functions.printf import printf
from discosql.executor.functions.registry import ScalarFunction
from discosql.executor.functions.values import integer_of, numeric_of, real_of
from discosql.types import MIN_INTEGER, SqlType, Value


def absolute(value: Value) -> Value:
    """Return the absolute value; text that is no number counts as 0.0."""
    if isinstance(value, int):
        if value == MIN_INTEGER:
            raise OperationalError("integer overflow")
        return abs(value)
    return abs(value) if isinstance(value, Decimal) else abs(real_of(value))


def rounded(value: Value, digits: Value = 0) -> Value:
    """Return a number rounded half away from zero to so many digits (0 to 30) behind the point."""
    places = max(0, min(30, integer_of(digits)))
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    number = real_of(value)
    if math.isinf(number) or abs(number) > 4503599627370496.0:
        return number
    if places == 0:
        return float(int(number + (0.5 if number >= 0 else -0.5)))
    return float(str(printf(f"%!.{places}f", number)))


def sign(value: Value) -> Value:
    """Return -1, 0 or 1, NULL for what is no number."""
    number = numeric_of(value)
    return None if number is None else (number > 0) - (number < 0)


def _real_function(compute: Callable[..., float]) -> Callable[..., Value]:
    """Return the function on REALs: NULL for what is no number and where the result is undefined."""

    def function(*values: Value) -> Value:
        numbers = [numeric_of(value) for value in values]
        if None in numbers:
            return None
        try:
            result = compute(*(float(number) for number in numbers if number is not None))
        except (ValueError, ZeroDivisionError):
            return None
        except OverflowError:
            return math.inf
        return None if result != result else result

    return function


def _whole(toward: Callable[[float], int]) -> Callable[..., Value]:
    """Return the function that makes reals whole and leaves integers as they are."""

    def function(value: Value) -> Value:
        number = numeric_of(value)
        if number is None or isinstance(number, int):
            return number
        if isinstance(number, Decimal):
            return Decimal(toward(number))  # type: ignore[arg-type]
        return number if math.isinf(number) else float(toward(number))

    return function


def _log(*numbers: float) -> float:
    if len(numbers) == 1:
        return math.log10(numbers[0])
    base, number = numbers
    if base <= 0 or base == 1 or number <= 0:
        raise ValueError
    return math.log(number) / math.log(base)


def _mod(left: float, right: float) -> float:
    return math.fmod(left, right)


def _power(base: float, exponent: float) -> float:
    if base < 0 and not exponent.is_integer() and not math.isinf(exponent):
        raise ValueError
    try:
        return math.pow(base, exponent)
    except ValueError:
        return math.inf  # zero to a negative power


_REAL: Final[dict[str, Callable[..., float]]] = {
    "acos": math.acos,
    "acosh": math.acosh,
    "asin": math.asin,
    "asinh": math.asinh,
    "atan": math.atan,
    "atanh": math.atanh,
    "cos": math.cos,
    "cosh": math.cosh,
    "degrees": math.degrees,
    "exp": math.exp,
    "ln": math.log,
    "log10": math.log10,
    "log2": math.log2,
    "radians": math.radians,
    "sin": math.sin,
    "sinh": math.sinh,
    "sqrt": math.sqrt,
    "tan": math.tan,
    "tanh": math.tanh,
}
_REAL_OF_TWO: Final[dict[str, Callable[..., float]]] = {
    "atan2": math.atan2,
    "mod": _mod,
    "pow": _power,
    "power": _power,
}

NUMERIC_FUNCTIONS: Final[tuple[ScalarFunction, ...]] = (
    scalar("abs", null_through(absolute), 1, null_safe=True),
    scalar("round", null_through(rounded), 1, 2, null_safe=True),
    scalar("sign", sign, 1, result=SqlType.INTEGER),
    scalar("ceil", _whole(math.ceil), 1),
    scalar("ceiling", _whole(math.ceil), 1),
    scalar("floor", _whole(math.floor), 1),
    scalar("trunc", _whole(math.trunc), 1),
    scalar("pi", lambda: math.pi, 0, result=SqlType.REAL, null_safe=True),
    scalar("log", _real_function(_log), 1, 2, result=SqlType.REAL),
    *(scalar(name, _real_function(compute), 1, result=SqlType.REAL) for name, compute in _REAL.items()),
    *(scalar(name, _real_function(compute), 2, result=SqlType.REAL) for name, compute in _REAL_OF_TWO.items()),
)
"""The functions of this module."""
