"""The type objects and constructors of PEP 249 (https://peps.python.org/pep-0249/#type-objects-and-constructors)."""

from __future__ import annotations

import datetime
import time
from typing import Final


class _TypeCode:
    """A type object of PEP 249: equal to the type codes (`Cursor.description`) of the SQL types it stands for."""

    def __init__(self, *types: str) -> None:
        self._types = frozenset(types)

    def __eq__(self, other: object) -> bool:
        return other in self._types if isinstance(other, str) else self is other

    def __hash__(self) -> int:
        return hash(self._types)


STRING: Final = _TypeCode("TEXT", "JSON", "UUID")
"""Equal to the type codes of columns of text: TEXT, JSON and UUID."""

BINARY: Final = _TypeCode("BLOB")
"""Equal to the type code of BLOB."""

NUMBER: Final = _TypeCode("INTEGER", "REAL", "NUMERIC", "DECIMAL", "BOOLEAN")
"""Equal to the type codes of numbers: INTEGER, REAL, NUMERIC, DECIMAL and BOOLEAN."""

DATETIME: Final = _TypeCode("DATE", "TIMESTAMP")
"""Equal to the type codes of DATE and TIMESTAMP."""

ROWID: Final = _TypeCode("INTEGER")
"""Equal to the type code of rowids, which are integers."""

Date = datetime.date
"""Makes a date of year, month and day (PEP 249)."""

Time = datetime.time
"""Makes a time of day of hour, minute and second (PEP 249)."""

Timestamp = datetime.datetime
"""Makes a moment of year, month, day, hour, minute and second (PEP 249)."""

Binary = bytes
"""Makes a value for a BLOB column (PEP 249)."""


def DateFromTicks(ticks: float) -> datetime.date:
    """Return the local date of a moment in seconds since 1970 (PEP 249)."""
    return Date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> datetime.time:
    """Return the local time of day of a moment in seconds since 1970 (PEP 249)."""
    return Time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime.datetime:
    """Return the local date and time of a moment in seconds since 1970 (PEP 249)."""
    return Timestamp(*time.localtime(ticks)[:6])
