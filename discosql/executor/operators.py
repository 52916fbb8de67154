"""What generated code calls for the operators of SQL when the short form does not do: SQLite's arithmetic, comparisons
of any classes, truth and CAST.

Arithmetic follows https://www.sqlite.org/lang_expr.html and datatype3.html: text counts as the number it starts with,
integers that overflow 64 bits become REAL, a division by zero is NULL, as is a result that is not a number. DECIMAL
values are exact with integers and with each other, and REAL with REAL.
"""

import decimal
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from discosql.conversion import apply_affinity, convert
from discosql.errors import DatabaseError, DataError, IntegrityError, OperationalError, ProgrammingError
from discosql.executor.sizes import sized
from discosql.types import (
    MAX_INTEGER,
    MIN_INTEGER,
    SqlType,
    Value,
    integer_prefix,
    number_of,
    number_prefix,
    sort_key,
    text_of,
)

_EXACT: Final = decimal.Context(prec=200, Emin=-9999, Emax=9999)
_NUMBER: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", re.ASCII)
_QUOTIENT: Final = decimal.Context(prec=34, Emin=-9999, Emax=9999)

# Arithmetic ------------------------------------------------------------------------------------------------------


def _real(number: float) -> Value:
    return number if number == number else None


def _calculate(
    left: Value,
    right: Value,
    plain: Callable[[Any, Any], Any],
    exact: Callable[[Decimal, Decimal], Decimal],
) -> Value:
    if left is None or right is None:
        return None
    a, b = number_of(left), number_of(right)
    if isinstance(a, int) and isinstance(b, int):
        result = plain(a, b)
        return result if MIN_INTEGER <= result <= MAX_INTEGER else plain(float(a), float(b))  # type: ignore[no-any-return]
    if isinstance(a, float) or isinstance(b, float):
        return _real(plain(float(a), float(b)))
    return exact(Decimal(a), Decimal(b))


def add(left: Value, right: Value) -> Value:
    """Compute ``left + right``."""
    return _calculate(left, right, lambda a, b: a + b, _EXACT.add)


def subtract(left: Value, right: Value) -> Value:
    """Compute ``left - right``."""
    return _calculate(left, right, lambda a, b: a - b, _EXACT.subtract)


def multiply(left: Value, right: Value) -> Value:
    """Compute ``left * right``."""
    return _calculate(left, right, lambda a, b: a * b, _EXACT.multiply)


def divide(left: Value, right: Value) -> Value:
    """Compute ``left / right``: whole numbers for integers, cut toward zero."""
    if left is None or right is None:
        return None
    a, b = number_of(left), number_of(right)
    if b == 0:
        return None
    if isinstance(a, int) and isinstance(b, int):
        return divide_integers(a, b)
    if isinstance(a, float) or isinstance(b, float):
        return _real(float(a) / float(b))
    return _QUOTIENT.divide(Decimal(a), Decimal(b))


def divide_integers(a: int, b: int) -> int | float:
    """Divide two integers, the second not 0, cutting toward zero."""
    quotient = abs(a) // abs(b)
    if (a < 0) != (b < 0):
        return -quotient
    return quotient if quotient <= MAX_INTEGER else float(a) / float(b)


def remainder(left: Value, right: Value) -> Value:
    """Compute ``left % right`` of both as integers; the sign is that of the left side."""
    if left is None or right is None:
        return None
    a, b = number_of(left), number_of(right)
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        return _decimal_remainder(a, b)
    divisor = to_integer(right)
    if divisor == 0:
        return None
    result = remainder_of_integers(to_integer(left), divisor)
    return float(result) if isinstance(a, float) or isinstance(b, float) else result


def remainder_of_integers(a: int, b: int) -> int:
    """Return the remainder of two integers, the second not 0, with the sign of the first."""
    rest = abs(a) % abs(b)
    return -rest if a < 0 else rest


def _decimal_remainder(a: int | float | Decimal, b: int | float | Decimal) -> Value:
    if b == 0:
        return None
    if isinstance(a, float) or isinstance(b, float):
        return math.fmod(float(a), float(b))
    return _EXACT.remainder(Decimal(a), Decimal(b))


def negate(operand: Value) -> Value:
    """Compute ``-operand``."""
    if operand is None:
        return None
    number = number_of(operand)
    if isinstance(number, int) and number == MIN_INTEGER:
        return -float(number)
    return number.copy_negate() if isinstance(number, Decimal) else -number


# Integers and bits -----------------------------------------------------------------------------------------------


def to_integer(value: Value) -> int:
    """Return a non-NULL value as a 64-bit integer (CAST AS INTEGER)."""
    if isinstance(value, int):
        return value
    if isinstance(value, str | bytes):
        return integer_prefix(text_of(value))
    if isinstance(value, float) and math.isinf(value):
        return MAX_INTEGER if value > 0 else MIN_INTEGER
    return max(MIN_INTEGER, min(MAX_INTEGER, int(value)))  # type: ignore[arg-type]


def _wrapped(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


def bit_and(left: Value, right: Value) -> Value:
    """Compute ``left & right``."""
    return None if left is None or right is None else to_integer(left) & to_integer(right)


def bit_or(left: Value, right: Value) -> Value:
    """Compute ``left | right``."""
    return None if left is None or right is None else to_integer(left) | to_integer(right)


def bit_not(operand: Value) -> Value:
    """Compute ``~operand``."""
    return None if operand is None else ~to_integer(operand)


def shift_left(left: Value, right: Value) -> Value:
    """Compute ``left << right``; a negative distance shifts the other way."""
    return None if left is None or right is None else _shift(to_integer(left), to_integer(right))


def shift_right(left: Value, right: Value) -> Value:
    """Compute ``left >> right``; the sign is kept."""
    return None if left is None or right is None else _shift(to_integer(left), -to_integer(right))


def _shift(number: int, distance: int) -> int:
    if distance >= 0:
        return _wrapped(number << distance) if distance < 64 else 0
    if distance > -64:
        return number >> -distance
    return -1 if number < 0 else 0


def concatenate(left: Value, right: Value) -> Value:
    """Compute ``left || right``."""
    return None if left is None or right is None else sized(text_of(left) + text_of(right))


# Comparisons and truth -------------------------------------------------------------------------------------------


def is_true(value: Value) -> bool:
    """Whether a value counts as true: a number other than 0, or text that starts with one. NULL does not."""
    if isinstance(value, str | bytes):
        return number_prefix(text_of(value)) != 0
    return bool(value)


def less(left: Any, right: Any) -> bool:
    """Whether one non-NULL value comes before another of any class."""
    try:
        return left < right  # type: ignore[no-any-return]
    except TypeError:
        return sort_key(left)[0] < sort_key(right)[0]


def less_equal(left: Any, right: Any) -> bool:
    """Whether one non-NULL value does not come after another of any class."""
    try:
        return left <= right  # type: ignore[no-any-return]
    except TypeError:
        return sort_key(left)[0] < sort_key(right)[0]


# CAST and conversion ---------------------------------------------------------------------------------------------


def plain_text(value: Value) -> Value:
    """Return text as a plain str; functions of JSON mark theirs with a class of its own."""
    return str.__str__(value) if isinstance(value, str) else value


def cast_integer(value: Value) -> Value:
    """Compute ``CAST(value AS INTEGER)``."""
    return None if value is None else to_integer(value)


def cast_real(value: Value) -> Value:
    """Compute ``CAST(value AS REAL)``."""
    return None if value is None else float(number_of(value))


def cast_text(value: Value) -> Value:
    """Compute ``CAST(value AS TEXT)``."""
    return None if value is None else text_of(value)


def cast_blob(value: Value) -> Value:
    """Compute ``CAST(value AS BLOB)``: numbers become their text first."""
    return value if value is None or isinstance(value, bytes) else text_of(value).encode("utf-8")


def cast_numeric(value: Value) -> Value:
    """Compute ``CAST(value AS NUMERIC)``: the number that text starts with, an integer where no digit is lost."""
    if value is None or isinstance(value, int | float | Decimal):
        return value
    number = number_prefix(text_of(value))
    if isinstance(number, float) and number.is_integer() and abs(number) < 2**53:
        return int(number)
    return number


def cast_decimal(value: Value) -> Value:
    """Compute ``CAST(value AS DECIMAL)``: the number that text starts with, to its last digit."""
    if isinstance(value, str | bytes):
        found = _NUMBER.match(text_of(value))
        value = Decimal(0) if found is None else Decimal(found[1])
    return _convert_decimal(value)


def cast_any(value: Value) -> Value:
    """Compute a CAST that changes nothing."""
    return value


def _cast_to(target: SqlType) -> Callable[[Value], Value]:
    def cast(value: Value) -> Value:
        try:
            return convert(value, target, "")
        except DataError:
            return None

    cast.__name__ = f"cast_{target.value.lower()}"
    return cast


_convert_decimal: Final = _cast_to(SqlType.DECIMAL)

CASTS: Final[dict[SqlType, Callable[[Value], Value]]] = {
    SqlType.INTEGER: cast_integer,
    SqlType.REAL: cast_real,
    SqlType.TEXT: cast_text,
    SqlType.BLOB: cast_blob,
    SqlType.NUMERIC: cast_numeric,
    SqlType.ANY: cast_any,
    SqlType.DECIMAL: cast_decimal,
    **{
        target: _cast_to(target)
        for target in (
            SqlType.BOOLEAN,
            SqlType.DATE,
            SqlType.TIMESTAMP,
            SqlType.JSON,
            SqlType.UUID,
        )
    },
}
"""The function of each type's CAST."""


def _operand_of(target: SqlType) -> Callable[[Value], Value]:
    def operand(value: Value) -> Value:
        return apply_affinity(value, target)

    operand.__name__ = f"as_{target.value.lower()}"
    return operand


CONVERSIONS: Final = {target: _operand_of(target) for target in SqlType}
"""The function that brings the other side of a comparison to the form of each type."""

_ERRORS: Final = {
    "ProgrammingError": ProgrammingError,
    "DataError": DataError,
    "IntegrityError": IntegrityError,
    "OperationalError": OperationalError,
}


class IgnoreRaised(Exception):
    """RAISE(IGNORE): the trigger ends, and so does all work on the row that fired it."""


class FailRaised(Exception):
    """OR FAIL or RAISE(FAIL): the statement stops, but what it has changed stays. `error` is to be raised then."""

    def __init__(self, error: DatabaseError) -> None:
        super().__init__(str(error))
        self.error = error


class RollbackRequired(Exception):
    """OR ROLLBACK or RAISE(ROLLBACK): the transaction is to be rolled back, and `error` raised."""

    def __init__(self, error: DatabaseError) -> None:
        super().__init__(str(error))
        self.error = error


def raise_in_trigger(action: str, message: Value = None) -> Value:
    """Do what RAISE() does; `action` is ignore, abort, fail or rollback."""
    if action == "ignore":
        raise IgnoreRaised
    error = IntegrityError("" if message is None else text_of(message)).coded("SQLITE_CONSTRAINT_TRIGGER")
    if action == "fail":
        raise FailRaised(error)
    if action == "rollback":
        raise RollbackRequired(error)
    raise error


def raise_error(kind: str, message: str) -> Value:
    """Raise the error of a `RaiseError` expression."""
    raise _ERRORS.get(kind, ProgrammingError)(message)
