"""Functions on numbers (https://www.sqlite.org/lang_corefunc.html, https://www.sqlite.org/lang_mathfunc.html).

DECIMAL values stay exact where the function has an exact answer (abs, round, sign, ceil, floor, trunc) and count as
REAL elsewhere.
"""

import decimal
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from discosql.errors import OperationalError
from discosql.executor.functions.printf import printf
from discosql.executor.functions.registry import ScalarFunction, scalar
from discosql.executor.functions.values import integer_of, numeric_of, real_of
from discosql.types import MIN_INTEGER, SqlType, Value

_WHOLE_FROM = 4503599627370496.0  # 2**52: from here on every double is whole
_EXACT = decimal.Context(prec=5000, rounding=decimal.ROUND_HALF_UP)


def absolute(value: Value) -> Value:
    """Return the absolute value; text that is no number counts as 0.0."""
    if isinstance(value, int):
        if value == MIN_INTEGER:
            raise OperationalError("integer overflow")
        return abs(value)
    if value is None:
        return None
    number = value if isinstance(value, float | Decimal) else real_of(value)
    return -number if number < 0 else number


def rounded(value: Value, digits: Value = 0) -> Value:
    """Return a number rounded half away from zero to so many digits (0 to 30) behind the point."""
    if value is None or digits is None:
        return None
    places = digits if type(digits) is int else integer_of(digits)
    places = 0 if places < 0 else 30 if places > 30 else places
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-places), context=_EXACT)
    return _rounded_real(value if type(value) is float else real_of(value), places)


def _rounded_real(number: float, places: int) -> float:
    if not -_WHOLE_FROM <= number <= _WHOLE_FROM:
        return number
    if number == 0.0:
        return 0.0
    if places == 0:
        return float(int(number + (-0.5 if number < 0 else 0.5)))
    # Python rounds the exact value, SQLite a decimal near it: they can only differ next to a tie.
    if places < 8 and -1e7 < number < 1e7:
        near = round(number, places)
        if abs(number - near) * 10.0**places < 0.4999:
            return near
    return float(str(printf("%!.*f", places, number)))


def sign(value: Value) -> Value:
    """Return -1, 0 or 1, NULL for what is no number."""
    number = numeric_of(value)
    return None if number is None else (number > 0) - (number < 0)


def _whole(toward: Callable[[float | Decimal], int]) -> Callable[[Value], Value]:
    """Return the function that makes numbers whole; integers stay integers, reals real."""

    def function(value: Value) -> Value:
        number = numeric_of(value)
        if number is None or isinstance(number, int):
            return number
        if isinstance(number, Decimal):
            return Decimal(toward(number))
        if not -_WHOLE_FROM < number < _WHOLE_FROM:
            return number
        return math.copysign(toward(number), number)

    return function


def _real_function(compute: Callable[..., float]) -> Callable[..., Value]:
    """Return the function on REALs: NULL for what is no number and where the result is undefined."""

    def function(*values: Value) -> Value:
        numbers: list[float] = []
        for value in values:
            number = value if type(value) is float else numeric_of(value)
            if number is None:
                return None
            numbers.append(float(number))
        try:
            result = compute(*numbers)
        except (ValueError, ZeroDivisionError):
            return None
        return result if result == result else None

    return function


def _or_infinite(compute: Callable[[float], float]) -> Callable[[float], float]:
    """Return a function that grows without limit to both sides, or to the right: infinite where it overflows."""

    def function(number: float) -> float:
        try:
            return compute(number)
        except OverflowError:
            return math.copysign(math.inf, compute(math.copysign(1.0, number)))

    return function


def _atanh(number: float) -> float:
    return math.copysign(math.inf, number) if abs(number) == 1.0 else math.atanh(number)


def _power(base: float, exponent: float) -> float:
    odd = abs(exponent) < 2.0**53 and exponent % 2.0 == 1.0
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0.0 and odd else math.inf
    except ValueError:
        if base == 0.0:  # to a negative power
            return math.copysign(math.inf, base) if odd else math.inf
        raise


def log(*values: Value) -> Value:
    """Return the logarithm to base 10, or with two arguments to the base given first; NULL where undefined."""
    if len(values) == 1:
        return _log10(*values)
    base = numeric_of(values[0])
    number = real_of(values[1])
    if base is None or values[1] is None or base <= 0 or number <= 0.0:
        return None
    divisor = math.log(base)
    return None if divisor <= 0.0 else math.log(number) / divisor


_log10: Final = _real_function(math.log10)

_REAL: Final[dict[str, Callable[[float], float]]] = {
    "acos": math.acos,
    "acosh": math.acosh,
    "asin": math.asin,
    "asinh": math.asinh,
    "atan": math.atan,
    "atanh": _atanh,
    "cos": math.cos,
    "cosh": _or_infinite(math.cosh),
    "degrees": math.degrees,
    "exp": _or_infinite(math.exp),
    "ln": math.log,
    "log10": math.log10,
    "log2": math.log2,
    "radians": math.radians,
    "sin": math.sin,
    "sinh": _or_infinite(math.sinh),
    "sqrt": math.sqrt,
    "tan": math.tan,
    "tanh": math.tanh,
}
_REAL_OF_TWO: Final[dict[str, Callable[[float, float], float]]] = {
    "atan2": math.atan2,
    "mod": math.fmod,
    "pow": _power,
    "power": _power,
}

FUNCTIONS: Final[tuple[ScalarFunction, ...]] = (
    scalar("abs", absolute, 1, null_safe=True),
    scalar("round", rounded, (1, 2), null_safe=True),
    scalar("sign", sign, 1, SqlType.INTEGER),
    scalar("ceil", _whole(math.ceil)),
    scalar("ceiling", _whole(math.ceil)),
    scalar("floor", _whole(math.floor)),
    scalar("trunc", _whole(math.trunc)),
    scalar("pi", lambda: math.pi, 0, SqlType.REAL, null_safe=True),
    scalar("log", log, (1, 2), SqlType.REAL),
    *(scalar(name, _real_function(compute), 1, SqlType.REAL) for name, compute in _REAL.items()),
    *(scalar(name, _real_function(compute), 2, SqlType.REAL) for name, compute in _REAL_OF_TWO.items()),
)
"""The scalar functions of this module."""
