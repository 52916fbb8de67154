"""Python values to SQL values and back: what parameters become, and what values of the types are shown as."""

import datetime
import enum
import json
import operator
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from discosql.errors import DataError, IntegerRangeError, ProgrammingError, TextEncodingError
from discosql.types import MAX_INTEGER, MIN_INTEGER, SqlType, Value


def timestamp_text(moment: datetime.datetime) -> str:
    """Return the canonical text of a TIMESTAMP; a moment with a zone is written in UTC with ``+00:00``."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC)
    return moment.isoformat(sep=" ")


def check_encodable(text: str) -> None:
    """Raise TextEncodingError for text with a lone surrogate, which cannot be stored."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise TextEncodingError(*exc.args) from exc


def _checked_text(text: str) -> str:
    check_encodable(text)
    return str(text)


def _checked_integer(number: int) -> int:
    if not MIN_INTEGER <= number <= MAX_INTEGER:
        raise IntegerRangeError("Python int too large to convert to SQLite INTEGER")
    return int(number)


def _checked_decimal(number: Decimal) -> Decimal:
    if not number.is_finite():
        raise DataError("DECIMAL has no infinities and no NaN")
    return number


def _json_text(data: Any) -> str:
    try:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise DataError(f"value of type {type(data).__name__} cannot be written as JSON") from exc
    return _checked_text(text)


_TO_VALUE: Final[tuple[tuple[type, Callable[[Any], Value]], ...]] = (
    (bool, int),
    (enum.Enum, lambda member: to_value(member.value)),
    (int, _checked_integer),
    (float, lambda number: None if number != number else float(number)),
    (str, _checked_text),
    (bytes, bytes),
    (bytearray, bytes),
    (memoryview, bytes),
    (Decimal, _checked_decimal),
    (datetime.datetime, timestamp_text),
    (datetime.date, datetime.date.isoformat),
    (datetime.time, datetime.time.isoformat),
    (uuid.UUID, str),
    (dict, _json_text),
    (list, _json_text),
)


class PrepareProtocol:
    """What `__conform__(protocol)` of an object is asked with, as sqlite3 does: it returns a value for SQL, or None."""


adapters: Final[dict[tuple[type[Any], type[Any]], Callable[[Any], Any]]] = {}
"""The registered adapters by the types they are for, and `PrepareProtocol`."""


def register_adapter(type: type[Any], adapter: Callable[[Any], Any], /) -> None:
    """Let a function turn parameters of a type into something that SQL has, in all connections.

    It is asked for objects of exactly that type, before this library's own conversions.
    """
    adapters[type, PrepareProtocol] = adapter


_NOTHING: Final = object()


def adapt(obj: Any, protocol: type[Any] = PrepareProtocol, alternate: Any = _NOTHING, /) -> Any:
    """Return what the adapter of an object's type, `__adapt__` of the protocol, or its `__conform__` makes of it.

    Else `alternate`.

    Raises ProgrammingError if there is neither and no alternate.
    """
    adapter = adapters.get((type(obj), protocol))
    if adapter is not None:
        return adapter(obj)
    for offer, argument in (
        (getattr(protocol, "__adapt__", None), obj),
        (getattr(obj, "__conform__", None), protocol),
    ):
        try:
            adapted = None if offer is None else offer(argument)
        except TypeError:
            continue  # as in sqlite3: it is not for objects such as this one
        if adapted is not None:
            return adapted
    if alternate is _NOTHING:
        raise ProgrammingError("can't adapt")
    return alternate


def to_value(obj: Any) -> Value:
    """Return the SQL value of a Python object given as a parameter.

    NaN becomes NULL, as in SQLite. Raises DataError for what does not fit (integers beyond 64 bits, lone
    surrogates) and ProgrammingError for a type that has no SQL value.
    """
    kind = type(obj)
    if adapters and (kind, PrepareProtocol) in adapters:
        obj = adapters[kind, PrepareProtocol](obj)
        kind = type(obj)
    if obj is None or kind is bytes:
        return obj  # type: ignore[no-any-return]
    if kind is int and MIN_INTEGER <= obj <= MAX_INTEGER:
        return obj  # type: ignore[no-any-return]
    if kind is str and obj.isascii():
        return obj  # type: ignore[no-any-return]
    if hasattr(kind, "__conform__"):
        adapted = adapt(obj, PrepareProtocol, obj)
        if adapted is not obj:
            return to_value(adapted)
    for known, convert_known in _TO_VALUE:
        if isinstance(obj, known):
            return convert_known(obj)
    if hasattr(obj, "__index__"):
        return _checked_integer(operator.index(obj))
    raise ProgrammingError(f"type {kind.__name__} is not supported as a parameter")


def from_value(value: Value, target: SqlType) -> Any:
    """Return the Python object that a value of a column or expression of type `target` is shown as.

    A value that is not in the canonical form of the type (the type of an expression is only an expectation) is
    returned unchanged.
    """
    if value is None:
        return None
    reader = _FROM_VALUE.get(target)
    if reader is None:
        return value
    try:
        return reader(value)
    except (ValueError, TypeError, RecursionError):
        return value


_FROM_VALUE: Final[dict[SqlType, Callable[[Any], Any]]] = {
    SqlType.BOOLEAN: lambda value: bool(value) if value in (0, 1) else value,
    SqlType.DATE: lambda value: datetime.date.fromisoformat(value),
    SqlType.TIMESTAMP: lambda value: datetime.datetime.fromisoformat(value),
    SqlType.JSON: lambda value: json.loads(value),
    SqlType.UUID: lambda value: uuid.UUID(value),
}

CONVERTED_TYPES: Final = frozenset(_FROM_VALUE)
"""The types for which `from_value` does anything."""
