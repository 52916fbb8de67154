"""The shell's dot-commands: what is no SQL. A module for each family of them, and one table of all."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from discosql.cli import dot_schema, dot_session, dot_settings, dot_upkeep
from discosql.cli.dot_command import DotCommand
from discosql.cli.progress import ProgressLine
from discosql.errors import DataError, Error, IntegrityError, OperationalError, ProgrammingError
from discosql.output import MODES, table
from discosql.schema import quoted

if TYPE_CHECKING:
    from discosql.cli.console import Console

_ENDINGS: Final = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".md": "markdown",
    ".html": "html",
    ".txt": "table",
}
_BATCH: Final = 1_000


# Files ------------------------------------------------------------------------------------------------------------


def _export(console: "Console", arguments: Sequence[str]) -> None:
    path, what = Path(arguments[0]), arguments[1]
    mode = _ENDINGS.get(path.suffix.lower())
    if mode is None:
        raise ProgrammingError(f"cannot tell a format from {path.name}; the endings known are {' '.join(_ENDINGS)}")
    sql = what if " " in what.strip() else f"SELECT * FROM {quoted(what)}"
    cursor = console.connection.execute(sql)
    if cursor.description is None:
        raise ProgrammingError("only a table or a query can be exported")
    rows = cursor.fetchall()
    try:
        path.write_text(MODES[mode]([column[0] for column in cursor.description], rows), encoding="utf-8", newline="")
    except OSError as exc:
        raise OperationalError(f"cannot write {path}: {exc.strerror}") from exc
    console.write(f"{len(rows)} rows written to {path}\n")


def _import(console: "Console", arguments: Sequence[str]) -> None:
    """Insert the rows of a file into a table that exists, all of them or none."""
    name, target = arguments
    connection = console.connection
    connection.execute("SAVEPOINT import")
    try:
        count = _insert_all(console, name, target)
    except BaseException:
        connection.execute("ROLLBACK TO import")
        connection.execute("RELEASE import")
        raise
    connection.execute("RELEASE import")
    console.write(f"{count} rows inserted into {target}\n")


def _insert_all(console: "Console", name: str, target: str) -> int:
    count = 0
    waiting: list[tuple[int, dict[str, Any]]] = []
    with ProgressLine(console.errors) as progress:
        for line, row in _rows_of(name):
            if waiting and (row.keys() != waiting[0][1].keys() or len(waiting) == _BATCH):
                count += _insert(console, name, target, waiting)
                progress("rows", count, 0)
                waiting = []
            waiting.append((line, row))
        return count + (_insert(console, name, target, waiting) if waiting else 0)


def _insert(console: "Console", name: str, target: str, rows: list[tuple[int, dict[str, Any]]]) -> int:
    columns = list(rows[0][1])
    places = ", ".join("?" * len(columns))
    sql = f"INSERT INTO {quoted(target)} ({', '.join(map(quoted, columns))}) VALUES ({places})"
    try:
        console.connection.executemany(sql, [tuple(row.values()) for _, row in rows])
    except (DataError, IntegrityError) as exc:
        raise _with_line(console, name, sql, rows, exc) from exc
    return len(rows)


def _with_line(console: "Console", name: str, sql: str, rows: list[tuple[int, dict[str, Any]]], exc: Error) -> Error:
    """Return the error with the line of the file that caused it, found by inserting one row after the other."""
    for line, row in rows:
        try:
            console.connection.execute(sql, tuple(row.values()))
        except (DataError, IntegrityError) as found:
            return type(found)(f"{name}, line {line}: {found}")
    return exc


def _rows_of(name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a CSV, TSV or JSON Lines file by column, each with its line. An empty field is NULL."""
    ending = Path(name).suffix.lower()
    if ending not in (".csv", ".tsv", ".jsonl"):
        raise ProgrammingError(f"cannot import {name}: the endings known are .csv .tsv .jsonl")
    try:
        with open(name, encoding="utf-8-sig", newline="") as file:
            if ending == ".jsonl":
                yield from _json_rows(name, file)
            else:
                yield from _separated_rows(name, csv.reader(file, delimiter="," if ending == ".csv" else "\t"))
    except (OSError, UnicodeDecodeError) as exc:
        raise OperationalError(f"cannot read {name}: {exc}") from exc


def _separated_rows(name: str, reader: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    header = next(reader, None)
    if header is None:
        return
    line = reader.line_num + 1
    for fields in reader:
        if len(fields) != len(header):
            raise DataError(f"{name}, line {line}: {len(fields)} fields instead of {len(header)}")
        yield line, {column: value or None for column, value in zip(header, fields, strict=True)}
        line = reader.line_num + 1


def _json_rows(name: str, file: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except ValueError as exc:
            raise DataError(f"{name}, line {line}: {exc}") from exc
        if not isinstance(row, dict):
            raise DataError(f"{name}, line {line}: not an object")
        yield line, {key: json.dumps(value) if isinstance(value, dict | list) else value for key, value in row.items()}


def _help(console: "Console", arguments: Sequence[str]) -> None:
    rows = [(f"{name} {command.usage}".strip(), command.help) for name, command in DOT_COMMANDS.items()]
    console.write(table(["command", "what it does"], rows))


DOT_COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {
        **dot_schema.COMMANDS,
        ".import": DotCommand("FILE TABLE", "insert a CSV, TSV or JSON Lines file into a table", _import, 2, 2),
        ".export": DotCommand("FILE TABLE|QUERY", "write a table or a query to a file, by its ending", _export, 2, 2),
        **dot_upkeep.COMMANDS,
        **dot_settings.COMMANDS,
        ".help": DotCommand("", "this list", _help),
        **dot_session.COMMANDS,
    }
)
"""The commands by name."""
