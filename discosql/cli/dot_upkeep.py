"""Dot-commands that check, copy and tidy a database."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from discosql.cli.dot_command import DotCommand
from discosql.cli.progress import ProgressLine

if TYPE_CHECKING:
    from discosql.cli.console import Console


def _check(console: "Console", arguments: Sequence[str]) -> None:
    with ProgressLine(console.errors, lambda: "checking") as progress:
        report = console.connection.check(progress=progress)
    for problem in report.problems:
        console.write(f"{problem.severity:8}{problem.text}\n")
    console.write(f"{report.tables} tables and {report.rows} rows checked: {'ok' if report.ok else 'not ok'}\n")


def _dump(console: "Console", arguments: Sequence[str]) -> None:
    if not arguments:
        with ProgressLine(console.errors, lambda: "dumping") as progress:
            for number, line in enumerate(console.connection.iterdump()):
                if console.screen.is_terminal:
                    progress.wipe()
                else:
                    progress("lines", number, 0)
                console.write(f"{line}\n")
        return
    with ProgressLine(console.errors, lambda: "dumping") as progress:
        rows = console.connection.write_archive(arguments[0], progress=progress)
    console.write(f"{rows} rows written to {arguments[0]}\n")


def _restore(console: "Console", arguments: Sequence[str]) -> None:
    with ProgressLine(console.errors, lambda: "restoring") as progress:
        rows = console.connection.restore_archive(arguments[0], progress=progress)
    console.write(f"{rows} rows restored from {arguments[0]}\n")


def _vacuum(console: "Console", arguments: Sequence[str]) -> None:
    with ProgressLine(console.errors, lambda: "removing what nobody can need"):
        console.connection.execute("VACUUM")


COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {
        ".dump": DotCommand("[FILE]", "SQL text of the database, or an archive in a file", _dump, most=1),
        ".restore": DotCommand("FILE", "fill an empty database from an archive", _restore, 1, 1),
        ".check": DotCommand("", "verify the whole database", _check),
        ".vacuum": DotCommand("", "remove entries and pages that nobody can need any more", _vacuum),
    }
)
"""The commands by name."""
