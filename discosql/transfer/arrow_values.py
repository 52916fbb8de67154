"""Arrow's types: the SQL type that each becomes a column of, and its values as parameters.

Types are those of https://arrow.apache.org/docs/format/Columnar.html. Nothing is rounded: a value that its SQL type
cannot hold raises DataError.
"""

import base64
import datetime
import math
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from discosql.errors import DataError

Reader: TypeAlias = Callable[[Any], Sequence[Any]]
"""Makes parameters of a `pyarrow.Array`. Raises `pyarrow.ArrowException`, ValueError or OverflowError."""


class ArrowColumn(NamedTuple):
    """What a column of a file becomes: its SQL type, and how its values are read."""

    kind: str
    read: Reader


def _as_it_is(array: Any) -> Sequence[Any]:
    values: Sequence[Any] = array.to_pylist()
    return values


_SIMPLE: Final = (
    ("is_null", "TEXT"),
    ("is_boolean", "BOOLEAN"),
    ("is_integer", "INTEGER"),
    ("is_floating", "REAL"),
    ("is_decimal", "DECIMAL"),
    ("is_date", "DATE"),
    ("is_string", "TEXT"),
    ("is_large_string", "TEXT"),
    ("is_string_view", "TEXT"),
    ("is_binary", "BLOB"),
    ("is_large_binary", "BLOB"),
    ("is_binary_view", "BLOB"),
    ("is_fixed_size_binary", "BLOB"),
)
"""Tests of `pyarrow.types` for the types whose values Python has just so."""


def arrow_column(pyarrow: Any, name: str, kind: Any) -> ArrowColumn:
    """Return what a column of an Arrow type becomes. Raises DataError for a type that SQL has nothing for."""
    types = pyarrow.types
    extension = getattr(kind, "extension_name", None)
    if extension is not None:
        return _extension(pyarrow, name, kind, extension)
    if types.is_dictionary(kind):
        column = arrow_column(pyarrow, name, kind.value_type)
        return ArrowColumn(column.kind, lambda array: column.read(array.dictionary_decode()))
    if types.is_run_end_encoded(kind):
        from pyarrow import compute

        column = arrow_column(pyarrow, name, kind.value_type)
        return ArrowColumn(column.kind, lambda array: column.read(compute.run_end_decode(array)))
    for test, sql in _SIMPLE:
        if getattr(types, test)(kind):
            return ArrowColumn(sql, _as_it_is)
    if types.is_timestamp(kind):
        return ArrowColumn("TIMESTAMP", _moments(pyarrow, kind))
    if types.is_time(kind):
        return ArrowColumn("TEXT", lambda array: array.cast(pyarrow.time64("us")).to_pylist())
    if types.is_duration(kind):
        return ArrowColumn("INTEGER", lambda array: array.cast(pyarrow.int64()).to_pylist())
    if types.is_nested(kind) and not types.is_union(kind):
        return ArrowColumn("JSON", lambda array: [_plain(kind, value, types) for value in array.to_pylist()])
    raise DataError(f"column {name} has the type {kind}, which cannot be imported")


def _extension(pyarrow: Any, name: str, kind: Any, extension: str) -> ArrowColumn:
    stored = arrow_column(pyarrow, name, kind.storage_type)
    sql = {"arrow.uuid": "UUID", "arrow.json": "JSON", "arrow.bool8": "BOOLEAN"}.get(extension, stored.kind)
    if extension == "arrow.bool8":
        return ArrowColumn(sql, lambda array: [None if value is None else value != 0 for value in stored.read(array)])
    return ArrowColumn(sql, lambda array: stored.read(array.storage))


def _moments(pyarrow: Any, kind: Any) -> Reader:
    """Return a reader of timestamps: those with a zone are moments in UTC."""
    plain = pyarrow.timestamp("us")

    def read(array: Any) -> Sequence[Any]:
        # Not by way of the zone, whose name this machine need not know: Arrow stores all moments in UTC.
        moments: list[Any] = array.cast(pyarrow.timestamp("us", kind.tz)).cast(pyarrow.int64()).cast(plain).to_pylist()
        if kind.tz is None:
            return moments
        return [None if moment is None else moment.replace(tzinfo=datetime.UTC) for moment in moments]

    return read


def _plain(kind: Any, value: Any, types: Any) -> Any:
    """Return a nested value with nothing in it that JSON does not have.

    Maps with keys of text become objects, others lists of pairs; bytes become base64, what else JSON lacks text.
    """
    if value is None:
        return None
    if types.is_struct(kind):
        return {part.name: _plain(part.type, value[part.name], types) for part in kind}
    if types.is_map(kind):
        pairs = [[_plain(kind.key_type, key, types), _plain(kind.item_type, item, types)] for key, item in value]
        is_text = types.is_string(kind.key_type) or types.is_large_string(kind.key_type)
        return dict(pairs) if is_text and len({key for key, _ in pairs}) == len(pairs) else pairs
    if types.is_nested(kind) and hasattr(kind, "value_type"):
        return [_plain(kind.value_type, item, types) for item in value]
    return _plain_atom(value)


def _plain_atom(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | uuid.UUID | datetime.timedelta) else value
