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
BINARY: Final = _TypeCode("BLOB")
NUMBER: Final = _TypeCode("INTEGER", "REAL", "NUMERIC", "DECIMAL", "BOOLEAN")
DATETIME: Final = _TypeCode("DATE", "TIMESTAMP")
ROWID: Final = _TypeCode("INTEGER")

Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
Binary = bytes


def DateFromTicks(ticks: float) -> datetime.date:
    """Return the local date of a moment in seconds since 1970 (PEP 249)."""
    return Date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> datetime.time:
    """Return the local time of day of a moment in seconds since 1970 (PEP 249)."""
    return Time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime.datetime:
    """Return the local date and time of a moment in seconds since 1970 (PEP 249)."""
    return Timestamp(*time.localtime(ticks)[:6])
