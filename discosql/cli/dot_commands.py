"""The shell's dot-commands: what is no SQL."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

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


@dataclass(frozen=True, slots=True)
class DotCommand:
    """A command: how it is written, what it does in a line, and how many arguments it takes."""

    usage: str
    help: str
    run: Callable[["Console", Sequence[str]], None]
    fewest: int = 0
    most: int = 0


class Quit(Exception):
    """``.quit`` was given."""


# The schema -------------------------------------------------------------------------------------------------------


def _tables(console: "Console", arguments: Sequence[str]) -> None:
    sql = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' AND name LIKE ?"
    rows = console.connection.execute(f"{sql} ORDER BY name", (arguments[0] if arguments else "%",)).fetchall()
    console.write("".join(f"{name}\n" for (name,) in rows))


def _schema(console: "Console", arguments: Sequence[str]) -> None:
    sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND tbl_name LIKE ?"
    rows = console.connection.execute(sql, (arguments[0] if arguments else "%",)).fetchall()
    console.write("".join(f"{text};\n" for (text,) in rows))


def _indexes(console: "Console", arguments: Sequence[str]) -> None:
    sql = "SELECT name, tbl_name AS \"table\", sql FROM sqlite_master WHERE type = 'index' AND tbl_name LIKE ?"
    cursor = console.connection.execute(f"{sql} ORDER BY tbl_name, name", (arguments[0] if arguments else "%",))
    console.write(MODES[console.mode](["name", "table", "sql"], cursor.fetchall()))


def _channels(console: "Console", arguments: Sequence[str]) -> None:
    rows = [(each.name, each.messages, each.files, each.bytes) for each in console.connection.channels()]
    console.write(MODES[console.mode](["channel", "messages", "files", "bytes"], rows))


# Upkeep -----------------------------------------------------------------------------------------------------------


def _check(console: "Console", arguments: Sequence[str]) -> None:
    with ProgressLine(console.errors) as progress:
        report = console.connection.check(progress=progress)
    for problem in report.problems:
        console.write(f"{problem.severity:8}{problem.text}\n")
    console.write(f"{report.tables} tables and {report.rows} rows checked: {'ok' if report.ok else 'not ok'}\n")


def _dump(console: "Console", arguments: Sequence[str]) -> None:
    if not arguments:
        for line in console.connection.iterdump():
            console.out.write(f"{line}\n")
        return
    with ProgressLine(console.errors) as progress:
        rows = console.connection.write_archive(arguments[0], progress=progress)
    console.write(f"{rows} rows written to {arguments[0]}\n")


def _restore(console: "Console", arguments: Sequence[str]) -> None:
    with ProgressLine(console.errors) as progress:
        rows = console.connection.restore_archive(arguments[0], progress=progress)
    console.write(f"{rows} rows restored from {arguments[0]}\n")


def _vacuum(console: "Console", arguments: Sequence[str]) -> None:
    console.connection.execute("VACUUM")


# Files ------------------------------------------------------------------------------------------------------------


def _read(console: "Console", arguments: Sequence[str]) -> None:
    try:
        text = Path(arguments[0]).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise OperationalError(f"cannot read {arguments[0]}: {exc}") from exc
    console.run_all(text)


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


# Settings ---------------------------------------------------------------------------------------------------------


def _mode(console: "Console", arguments: Sequence[str]) -> None:
    if not arguments:
        console.write(f"{console.mode}; there are {', '.join(MODES)}\n")
    elif arguments[0] in MODES:
        console.mode = arguments[0]
    else:
        raise ProgrammingError(f"unknown mode {arguments[0]}; there are {', '.join(MODES)}")


def _switch(name: str) -> Callable[["Console", Sequence[str]], None]:
    def switch(console: "Console", arguments: Sequence[str]) -> None:
        if arguments and arguments[0] not in ("on", "off"):
            raise ProgrammingError(f"usage: .{name} [on|off]")
        if arguments:
            setattr(console, name, arguments[0] == "on")
        else:
            console.write(f"{'on' if getattr(console, name) else 'off'}\n")

    return switch


def _help(console: "Console", arguments: Sequence[str]) -> None:
    rows = [(f"{name} {command.usage}".strip(), command.help) for name, command in DOT_COMMANDS.items()]
    console.write(table(["command", "what it does"], rows))


def _quit(console: "Console", arguments: Sequence[str]) -> None:
    raise Quit


DOT_COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {
        ".tables": DotCommand("[LIKE]", "names of tables and views", _tables, most=1),
        ".schema": DotCommand("[TABLE]", "the SQL that made tables, indexes and views", _schema, most=1),
        ".indexes": DotCommand("[TABLE]", "indexes and their tables", _indexes, most=1),
        ".channels": DotCommand("", "the channels of the database: messages, files, bytes", _channels),
        ".import": DotCommand("FILE TABLE", "insert a CSV, TSV or JSON Lines file into a table", _import, 2, 2),
        ".export": DotCommand("FILE TABLE|QUERY", "write a table or a query to a file, by its ending", _export, 2, 2),
        ".read": DotCommand("FILE", "run the statements of a file", _read, 1, 1),
        ".dump": DotCommand("[FILE]", "SQL text of the database, or an archive in a file", _dump, most=1),
        ".restore": DotCommand("FILE", "fill an empty database from an archive", _restore, 1, 1),
        ".check": DotCommand("", "verify the whole database", _check),
        ".vacuum": DotCommand("", "remove entries and pages that nobody can need any more", _vacuum),
        ".mode": DotCommand("[MODE]", f"how rows are written: {', '.join(MODES)}", _mode, most=1),
        ".timer": DotCommand("[on|off]", "tell the time of each statement", _switch("timer"), most=1),
        ".requests": DotCommand("[on|off]", "tell the requests of each statement", _switch("requests"), most=1),
        ".help": DotCommand("", "this list", _help),
        ".quit": DotCommand("", "end the session", _quit),
    }
)
"""The commands by name."""
