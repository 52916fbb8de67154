"""The shell's engine room: runs statements and dot-commands, and writes what comes of them.

It knows no terminal but by what it is told: whether to colour, to page, and to tell costs.
"""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TextIO

from discosql.cli.dot_commands import DOT_COMMANDS
from discosql.cli.progress import ProgressLine
from discosql.dbapi import Connection
from discosql.errors import Error, ProgrammingError, SqlSyntaxError
from discosql.output import MODES, width
from discosql.planner.tokens import is_complete, split

_RED: Final = "\x1b[31m"
_DIM: Final = "\x1b[2m"
_PLAIN: Final = "\x1b[0m"
_PAGER: Final = "less -FRSX"


@dataclass
class Console:
    """One session of the shell. `is_terminal` allows colours and the pager; `timer` and `requests` tell costs."""

    connection: Connection
    mode: str = "table"
    out: TextIO = field(default_factory=lambda: sys.stdout)
    errors: TextIO = field(default_factory=lambda: sys.stderr)
    is_terminal: bool = False
    timer: bool = False
    requests: bool = False

    # Running ------------------------------------------------------------------------------------------------------

    def run(self, text: str) -> bool:
        """Run statements and dot-commands up to the first error; return whether there was none."""
        try:
            self.run_all(text)
        except Error as exc:
            self._tell(exc)
            return False
        return True

    def run_all(self, text: str) -> None:
        """Run statements and dot-commands. Raises the first error; Quit where one of them is ``.quit``."""
        for part in parts_of(text):
            if part.startswith("."):
                self._command(part)
            else:
                self._statement(part)

    def _command(self, line: str) -> None:
        try:
            name, *arguments = shlex.split(line)
        except ValueError as exc:
            raise ProgrammingError(f"{line}: {exc}") from exc
        command = DOT_COMMANDS.get(name)
        if command is None:
            raise ProgrammingError(f"unknown command {name}; .help lists all")
        if not command.fewest <= len(arguments) <= command.most:
            raise ProgrammingError(f"usage: {name} {command.usage}")
        command.run(self, arguments)

    def _statement(self, sql: str) -> None:
        started, before = time.perf_counter(), self.connection.requests.copy()
        with ProgressLine(self.errors) as progress:
            self.connection.set_progress_handler(
                lambda: progress("running, seconds", int(time.perf_counter() - started), 0), 1
            )
            try:
                cursor = self.connection.execute(sql)
                names = None if cursor.description is None else [column[0] for column in cursor.description]
                rows = [] if names is None else cursor.fetchall()
            finally:
                self.connection.set_progress_handler(None, 1)
        if names is not None:
            self.write(MODES[self.mode](names, rows))
        asked = self.connection.requests.since(before)
        self._tell_cost(time.perf_counter() - started, asked.rest, asked.downloads)

    # Writing ------------------------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """Write output, through a pager if it is longer than the terminal."""
        if self.is_terminal and text.count("\n") >= shutil.get_terminal_size().lines and self._page(text):
            return
        self.out.write(text)
        self.out.flush()

    def _page(self, text: str) -> bool:
        command = shlex.split(os.environ.get("PAGER", _PAGER))
        if not command or shutil.which(command[0]) is None:
            return False
        subprocess.run(command, input=text, text=True, encoding="utf-8", check=False)
        return True

    def _tell_cost(self, seconds: float, requests: int, downloads: int) -> None:
        told = []
        if self.timer:
            told.append(f"{seconds:.3f} s")
        if self.requests:
            told.append(f"{requests} requests, {downloads} downloads")
        if told:
            self._aside(", ".join(told), _DIM)

    def _aside(self, text: str, colour: str) -> None:
        if self.is_terminal:
            text = f"{colour}{text}{_PLAIN}"
        self.errors.write(f"{text}\n")
        self.errors.flush()

    def _tell(self, exc: Error) -> None:
        if isinstance(exc, SqlSyntaxError) and exc.sql:
            for line in caret_lines(exc):
                self.errors.write(f"{line}\n")
        self._aside(f"discosql: {type(exc).__name__}: {exc}", _RED)


def caret_lines(exc: SqlSyntaxError) -> Iterator[str]:
    """Yield the line of the SQL with an error, and below it a caret at the place."""
    lines = exc.sql.splitlines() or [""]
    line = lines[min(exc.line, len(lines)) - 1]
    before = line[: exc.column - 1]
    yield f"  {line}"
    # What takes no column, or two, is kept as it is, so that the caret stands where the eye sees the place.
    yield "  " + "".join(character if character == "\t" else " " * width(character) for character in before) + "^"


def is_ready(text: str) -> bool:
    """Tell whether a text can be run as it is: a dot-command, complete statements, or nothing at all."""
    stripped = text.strip()
    return not stripped or stripped.startswith(".") or is_complete(text)


def parts_of(text: str) -> Iterator[str]:
    """Yield the statements and dot-commands of a text. A line that begins with a dot is one only between statements."""
    waiting: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.startswith(".") and (not "".join(waiting).strip() or is_complete("".join(waiting))):
            yield from split("".join(waiting))
            waiting = []
            yield line.strip()
        else:
            waiting.append(line)
    yield from split("".join(waiting))
