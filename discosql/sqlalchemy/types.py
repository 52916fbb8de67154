"""How SQLAlchemy's types meet the driver's, which gives Python objects for columns of its own types by itself.

The values of an expression whose type the driver does not know come as SQLite stores them; the type code of a result's
column tells which is the case.
"""

import datetime
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.sqlite import base as sqlite
from sqlalchemy.dialects.sqlite.json import JSON, JSONIndexType, JSONPathType

from discosql.adapting import timestamp_text

Processor: TypeAlias = Callable[[Any], Any] | None


class Date(sqlite.DATE):
    """A DATE, which the driver gives as a `datetime.date`."""

    def result_processor(self, dialect: Any, coltype: object) -> Processor:
        """Return what reads a date from text, where the driver has not."""
        return None if coltype == "DATE" else super().result_processor(dialect, coltype)


class DateTime(sqlite.DATETIME):
    """A TIMESTAMP, which the driver gives as a `datetime.datetime`; moments with a zone come back in UTC."""

    def bind_processor(self, dialect: Any) -> Processor:
        """Return what writes a moment as TIMESTAMP has it, with its zone."""
        return _moment_text

    def result_processor(self, dialect: Any, coltype: object) -> Processor:
        """Return what reads a moment from text, where the driver has not."""
        return None if coltype == "TIMESTAMP" else _read_moment


def _moment_text(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, datetime.datetime):
        if not isinstance(value, datetime.date):
            raise TypeError("DateTime only accepts Python datetime and date objects as input")
        value = datetime.datetime(value.year, value.month, value.day)
    return timestamp_text(value)


def _read_moment(value: Any) -> Any:
    return datetime.datetime.fromisoformat(value) if isinstance(value, str) else value


class Json(JSON):
    """A JSON column, which the driver gives as what the JSON says."""

    def result_processor(self, dialect: Any, coltype: object) -> Processor:
        """Return what reads JSON from text, where the driver has not.

        An engine's own ``json_deserializer`` gets text in any case: what the driver has read is written again for it.
        """
        if coltype != "JSON":
            return super().result_processor(dialect, coltype)
        own = dialect._json_deserializer
        return None if own is None else lambda value: None if value is None else own(json.dumps(value))


class Numeric(sqltypes.Numeric[Any]):
    """A DECIMAL, which the driver gives exactly; what an expression made a REAL of is rounded to the type's scale."""

    def bind_processor(self, dialect: Any) -> Processor:
        """Return what makes a float the Decimal that it is written as, so that it equals what is stored."""
        return lambda value: Decimal(repr(value)) if isinstance(value, float) else value

    def literal_processor(self, dialect: Any) -> Processor:
        """Return what writes a number as SQL; a plain literal would be a REAL."""
        return lambda value: f"CAST('{value}' AS DECIMAL)"

    def result_processor(self, dialect: Any, coltype: object) -> Processor:
        """Return what makes the numbers that come Decimals, or floats if the type says so."""
        if not self.asdecimal:
            return lambda value: None if value is None else float(value)
        digits = f".{self._effective_decimal_return_scale}f"

        def as_decimal(value: Any) -> Any:
            if value is None or isinstance(value, Decimal):
                return value
            return Decimal(format(value, digits)) if isinstance(value, float) else Decimal(value)

        return as_decimal


class Float(sqltypes.Float[Any]):
    """A REAL."""

    def bind_processor(self, dialect: Any) -> Processor:
        """Return what makes a Decimal the float nearest to it, which is what a REAL column holds."""
        return lambda value: float(value) if isinstance(value, Decimal) else value


COLSPECS: dict[type[sqltypes.TypeEngine[Any]], type[sqltypes.TypeEngine[Any]]] = {
    sqltypes.Date: Date,
    sqltypes.DateTime: DateTime,
    sqltypes.Float: Float,
    sqltypes.JSON: Json,
    sqltypes.Numeric: Numeric,
    sqltypes.JSON.JSONIndexType: JSONIndexType,
    sqltypes.JSON.JSONPathType: JSONPathType,
    sqltypes.Time: sqlite.TIME,
}
"""The types that need more than SQLAlchemy's own."""

ISCHEMA_NAMES = {**sqlite.SQLiteDialect.ischema_names, "UUID": sqltypes.UUID}
"""The types of columns by the names they were declared with."""
