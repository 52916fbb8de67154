"""The shell's dot-commands: what is no SQL. A module for each family of them, and one table of all."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from discosql.cli import dot_import, dot_schema, dot_session, dot_settings, dot_upkeep
from discosql.cli.dot_command import DotCommand
from discosql.errors import OperationalError, ProgrammingError
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


def _help(console: "Console", arguments: Sequence[str]) -> None:
    rows = [(f"{name} {command.usage}".strip(), command.help) for name, command in DOT_COMMANDS.items()]
    console.write(table(["command", "what it does"], rows))


DOT_COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {
        **dot_schema.COMMANDS,
        **dot_import.COMMANDS,
        ".export": DotCommand("FILE TABLE|QUERY", "write a table or a query to a file, by its ending", _export, 2, 2),
        **dot_upkeep.COMMANDS,
        **dot_settings.COMMANDS,
        ".help": DotCommand("", "this list", _help),
        **dot_session.COMMANDS,
    }
)
"""The commands by name."""
