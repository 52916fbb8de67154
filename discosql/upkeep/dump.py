"""A database as SQL text, as sqlite3's ``.dump`` writes it: for discosql, and for SQLite where types allow."""

from collections.abc import Generator, Iterator
from decimal import Decimal
from typing import Final, TypeAlias, cast

from discosql.executor.catalog_scan import catalog_rows
from discosql.executor.context import Context
from discosql.executor.functions.patterns import compile_like
from discosql.schema import SEQUENCE, TableSchema, quoted
from discosql.storage.engine import Batch, Pending, ReadView
from discosql.types import Row, Value

_ROWS: Final = 100
_SIZE: Final = 2**16
_BREAK: Final = ",\n"

Lines: TypeAlias = Generator[str | Pending, object, None]
"""Statements, and between them what must be fetched first: its answer is to be sent."""


def dump_lines(view: ReadView, pattern: str | None = None) -> Lines:
    """Yield the statements that make the database anew: tables with their rows, then indexes, views and the rest.

    With a pattern of LIKE, only what has a name like it.
    """
    matches = compile_like("%" if pattern is None else pattern)
    tables = view.catalog.tables
    if any(table.foreign_keys and matches(table.name) for table in tables.values()):
        yield "PRAGMA foreign_keys=OFF;"
    yield "BEGIN TRANSACTION;"
    everything = catalog_rows("sqlite_master", (), Context(view))  # type: ignore[arg-type]  # nothing is written
    master = [row for row in everything if matches(str(row[1]))]
    for kind, name, _table, _root, sql in master:
        if kind == "table" and (table := view.catalog.find_table(str(name))) is not None:
            yield f"{sql};"
            yield from _rows(view, table)
    for kind, _name, _table, _root, sql in master:
        if kind != "table" and sql is not None:
            yield f"{sql};"
    if any(name == SEQUENCE for _kind, name, *_ in master):
        yield from _sequence(view)
    yield "COMMIT;"


def _sequence(view: ReadView) -> Iterator[str]:
    """Yield what sets sqlite_sequence, which the rows alone do not tell: AUTOINCREMENT goes on where it was."""
    yield f'DELETE FROM "{SEQUENCE}";'
    for name, number in catalog_rows(SEQUENCE, (), Context(view)):  # type: ignore[arg-type]  # nothing is written
        yield f'INSERT INTO "{SEQUENCE}" VALUES({literal(name)},{number});'


def _rows(view: ReadView, table: TableSchema) -> Lines:
    stored = [place for place, column in enumerate(table.columns, 1) if column.generated is None]
    columns = ""
    if len(stored) < len(table.columns):
        columns = f"({','.join(quoted(table.columns[place - 1].name) for place in stored)})"
    start = f"INSERT INTO {quoted(table.name)}{columns} VALUES"
    reading = view.scan(table.id)
    while (batch := reading.next()) is not None:
        if not isinstance(batch, list):
            batch = cast("Batch | None", (yield batch))
        yield from _inserts(start, batch or [], stored)


def _inserts(start: str, rows: list[Row], places: list[int]) -> Iterator[str]:
    """Yield statements of many rows, each on a line of its own: a statement takes longer to read than a row."""
    lines: list[str] = []
    size = 0
    for row in rows:
        line = f"({','.join([literal(row[place]) for place in places])})"
        if lines and (len(lines) == _ROWS or size + len(line) > _SIZE):
            yield _statement(start, lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield _statement(start, lines)


def _statement(start: str, lines: list[str]) -> str:
    return f"{start}{lines[0]};" if len(lines) == 1 else f"{start}\n{_BREAK.join(lines)};"


def literal(value: Value) -> str:
    """Return a value as SQL writes it; reading it gives the same value in a column of the same type."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        if "\0" in value:
            # SQLite's text of a statement ends at a NUL.
            return f"CAST(X'{value.encode().hex()}' AS TEXT)"
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, Decimal):
        return f"'{value}'"
    if isinstance(value, float):
        return {"inf": "9e999", "-inf": "-9e999"}.get(repr(value), repr(value))
    return str(value)
