"""Tables as SQLite's CREATE TABLE has them (https://www.sqlite.org/stricttables.html).

The text of a table is kept as it was written, constraints and all. A table becomes STRICT where SQLite has all of its
types; else its columns have the affinity that SQLite gives their types by name. DECIMAL, BOOLEAN, DATE, TIMESTAMP, UUID
and JSON have NUMERIC affinity there, which leaves text that is no number as it is.
"""

import sqlite3
from decimal import Decimal
from typing import Final

from discosql.planner.plan import OutputColumn
from discosql.planner.tokens import tokenize
from discosql.schema import TableSchema, quoted
from discosql.transfer.sqlite_schema import TableText
from discosql.types import MAX_INTEGER, MIN_INTEGER, SqlType, Value

_STRICT_TYPES: Final = frozenset({"INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"})
_HAS_STRICT: Final = sqlite3.sqlite_version_info >= (3, 37)


def is_strict(table: TableSchema) -> bool:
    """Tell whether a table can be STRICT in SQLite, which also means that no column of its key is NULL."""
    key_is_sure = table.rowid_column is not None or all(table.columns[place].not_null for place in table.primary_key)
    return _HAS_STRICT and key_is_sure and all(column.declared.upper() in _STRICT_TYPES for column in table.columns)


def create_table(table: TableSchema) -> str:
    """Return the CREATE TABLE of a table."""
    strict = is_strict(table)
    # A type ANY would have NUMERIC affinity, which makes numbers of text; a column without a type keeps all.
    untyped = {} if strict else {column.name: "" for column in table.columns if column.declared.upper() == "ANY"}
    sql = TableText(table.sql).with_types(untyped)
    end = max(token.end for token in tokenize(sql) if token.kind == ")")
    options = [*(["WITHOUT ROWID"] if table.without_rowid else []), *(["STRICT"] if strict else [])]
    return f"{sql[:end]} {', '.join(options)}".rstrip()


def create_result(name: str, columns: tuple[OutputColumn, ...]) -> str:
    """Return the CREATE TABLE of a query's rows."""
    parts = [f"{quoted(column.name)} {_result_type(column)}".rstrip() for column in columns]
    return f"CREATE TABLE {quoted(name)} ({', '.join(parts)})"


def _result_type(column: OutputColumn) -> str:
    kind = column.declared or (column.type.value if column.type else "")
    return "" if column.type in (SqlType.ANY, None) else kind


def rowid_name(table: TableSchema) -> str | None:
    """Return a name by which rowids can be set, None if they are in a column, or not there, or hidden by columns."""
    if table.without_rowid or table.rowid_column is not None:
        return None
    return next((name for name in ("rowid", "_rowid_", "oid") if table.position(name) is None), None)


def as_sqlite(value: Value) -> Value:
    """Return a value as SQLite has it: a DECIMAL becomes the number nearest to it."""
    if not isinstance(value, Decimal):
        return value
    if value == value.to_integral_value() and MIN_INTEGER <= value <= MAX_INTEGER:
        return int(value)
    return float(value)


def is_exact(value: Value) -> bool:
    """Tell whether SQLite has a number that reads as this DECIMAL."""
    return not isinstance(value, Decimal) or Decimal(str(as_sqlite(value))) == value
