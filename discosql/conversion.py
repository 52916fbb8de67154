"""Values to columns: what a column of each type stores, and what an operand beside it is compared as.

The rules are those of STRICT tables (https://www.sqlite.org/stricttables.html), without loss for every type.
"""

import datetime
import json
import math
import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Final

from discosql.adapting import timestamp_text
from discosql.errors import DataError
from discosql.types import MAX_INTEGER, MIN_INTEGER, SqlType, Value, text_of, to_numeric, to_text, type_name


class _Misfit(Exception):
    """A value does not fit the column's type."""


def _refuse(text: str) -> None:
    raise ValueError(text)


_JSON: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)
"""Reads JSON as RFC 8259 has it: without NaN and Infinity."""


def _as_integer(value: Value) -> Value:
    if isinstance(value, str):
        value = to_numeric(value)
    if isinstance(value, float | Decimal) and MIN_INTEGER <= value <= MAX_INTEGER and value == int(value):
        value = int(value)
    if not isinstance(value, int):
        raise _Misfit
    return value


def _as_real(value: Value) -> Value:
    if isinstance(value, str):
        value = to_numeric(value)
    if isinstance(value, int):
        number = float(value)
        if int(number) != value:
            raise _Misfit
        return number
    if isinstance(value, Decimal):
        number = float(value)
        if math.isinf(number) or Decimal(repr(number)) != value:
            raise _Misfit
        return number
    if not isinstance(value, float):
        raise _Misfit
    return value


def _as_text(value: Value) -> Value:
    if isinstance(value, bytes):
        raise _Misfit
    return text_of(value)


def _as_blob(value: Value) -> Value:
    if not isinstance(value, bytes):
        raise _Misfit
    return value


def _as_boolean(value: Value) -> Value:
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return int(value.strip().lower() == "true")
    number = _as_integer(value)
    if number not in (0, 1):
        raise _Misfit
    return number


def _as_decimal(value: Value) -> Value:
    if isinstance(value, float):
        if math.isinf(value):
            raise _Misfit
        return Decimal(repr(value))
    if isinstance(value, str):
        try:
            value = Decimal(value.strip())
        except InvalidOperation as exc:
            raise _Misfit from exc
        if not value.is_finite():
            raise _Misfit
        return value
    if isinstance(value, bytes):
        raise _Misfit
    return Decimal(value)  # type: ignore[arg-type]


def _as_date(value: Value) -> Value:
    if not isinstance(value, str):
        raise _Misfit
    text = value.strip()
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as exc:
        raise _Misfit from exc
    if moment.time() != datetime.time() or moment.tzinfo is not None:
        raise _Misfit
    return moment.date().isoformat()


def _as_timestamp(value: Value) -> Value:
    if not isinstance(value, str):
        raise _Misfit
    try:
        return timestamp_text(datetime.datetime.fromisoformat(value.strip()))
    except (ValueError, OverflowError) as exc:
        raise _Misfit from exc


def _as_json(value: Value) -> Value:
    if isinstance(value, bytes):
        raise _Misfit
    text = text_of(value)
    try:
        _JSON.decode(text)
    except (ValueError, RecursionError) as exc:
        raise _Misfit from exc
    return text


def _as_uuid(value: Value) -> Value:
    try:
        if isinstance(value, bytes):
            return str(uuid.UUID(bytes=value))
        if isinstance(value, str):
            return str(uuid.UUID(value))
    except ValueError as exc:
        raise _Misfit from exc
    raise _Misfit


def moment_of(value: object) -> int | datetime.datetime:
    """Return what AS OF names: the slot of an entry of the log, or a moment, UTC if it has no zone.

    Text is ISO 8601. Raises DataError for anything else.
    """
    if isinstance(value, datetime.datetime) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    try:
        if isinstance(value, str):
            return datetime.datetime.fromisoformat(value.strip())
    except ValueError:
        pass
    shown = repr(value) if isinstance(value, str) else "NULL" if value is None else str(value)
    raise DataError(f"AS OF {shown} is neither a moment such as '2024-05-01 12:30:00' nor the number of a slot")


_COLUMNS: Final[dict[SqlType, Callable[[Value], Value]]] = {
    SqlType.INTEGER: _as_integer,
    SqlType.REAL: _as_real,
    SqlType.TEXT: _as_text,
    SqlType.BLOB: _as_blob,
    SqlType.NUMERIC: to_numeric,
    SqlType.ANY: lambda value: value,
    SqlType.BOOLEAN: _as_boolean,
    SqlType.DATE: _as_date,
    SqlType.TIMESTAMP: _as_timestamp,
    SqlType.DECIMAL: _as_decimal,
    SqlType.JSON: _as_json,
    SqlType.UUID: _as_uuid,
}


def convert(value: Value, target: SqlType, column: str) -> Value:
    """Return the value as a column of type `target` stores it; NULL stays NULL.

    Raises DataError naming the column (``table.column``) when the value does not fit without loss
    (https://www.sqlite.org/stricttables.html).
    """
    if value is None:
        return None
    try:
        return _COLUMNS[target](value)
    except _Misfit:
        kind = "INT" if isinstance(value, int) else type_name(value)
        message = f"cannot store {kind} value in {target.value} column {column}"
        raise DataError(message).coded("SQLITE_CONSTRAINT_DATATYPE") from None


def _leniently(convert_value: Callable[[Value], Value]) -> Callable[[Value], Value]:
    def operand(value: Value) -> Value:
        if value is None:
            return None
        try:
            return convert_value(value)
        except _Misfit:
            return value

    return operand


def _timestamp_operand(value: Value) -> Value:
    # A prefix such as '2024' or '2024-05' is kept for comparisons with < and >; whole moments are canonical.
    return _as_timestamp(value) if isinstance(value, str) and len(value.strip()) > 10 else to_text(value)


def _decimal_operand(value: Value) -> Value:
    # Text that SQL reads as a number is read exactly: as a float, '0.1' would not equal DECIMAL 0.1.
    return value if isinstance(to_numeric(value), str | bytes) else _as_decimal(value)


_OPERANDS: Final[dict[SqlType, Callable[[Value], Value]]] = {
    SqlType.INTEGER: to_numeric,
    SqlType.REAL: to_numeric,
    SqlType.NUMERIC: to_numeric,
    SqlType.TEXT: to_text,
    SqlType.JSON: to_text,
    SqlType.BLOB: lambda value: value,
    SqlType.ANY: lambda value: value,
    SqlType.BOOLEAN: _leniently(_as_boolean),
    SqlType.DATE: to_text,
    SqlType.TIMESTAMP: _leniently(_timestamp_operand),
    SqlType.DECIMAL: _leniently(_decimal_operand),
    SqlType.UUID: _leniently(_as_uuid),
}


def apply_affinity(value: Value, target: SqlType) -> Value:
    """Bring the other operand of a comparison to the canonical form of a column's type; what cannot be stays as is."""
    return _OPERANDS[target](value)
