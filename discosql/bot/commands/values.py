"""Values as users write them in a command's options, for columns of any type."""

from typing import Any

from discosql.errors import DataError
from discosql.types import SqlType


def equality(name: str, kind: SqlType, value: str) -> tuple[str, Any]:
    """Return a SQL condition that a column has a value given as people write it, and the parameter it needs.

    The column's type makes of text what it stores; only BLOBs, which are written in hexadecimal, and columns that take
    anything need more. Raises DataError for a BLOB that is none.
    """
    if kind is SqlType.ANY:
        return f"CAST({name} AS TEXT) = ?", value
    return f"{name} = ?", stored(kind, value)


def stored(kind: SqlType, value: str) -> Any:
    """Return text as a parameter for a column of a type. Raises DataError for a BLOB that is not hexadecimal."""
    if kind is not SqlType.BLOB:
        return value
    try:
        return bytes.fromhex(value.removeprefix("x'").removesuffix("'"))
    except ValueError as exc:
        raise DataError("a BLOB is written in hexadecimal, such as 01ff") from exc
