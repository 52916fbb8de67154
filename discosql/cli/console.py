"""The shell's engine room: runs statements and dot-commands, and writes what comes of them."""

import difflib
import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, TextIO

from discosql.cli.carets import caret_lines, placed
from discosql.cli.dot_command import DotCommand
from discosql.cli.dot_commands import DOT_COMMANDS
from discosql.cli.interrupting import Interrupts, interruptible
from discosql.cli.progress import ProgressLine
from discosql.cli.reporting import counted
from discosql.cli.screen import Screen
from discosql.dbapi import Connection
from discosql.errors import Error, ProgrammingError, QueryInterruptedError
from discosql.output import Style
from discosql.planner.tokens import is_complete, split, tokenize
from discosql.storage.engine import Requests

_CUT: Final = "… ends a value that was cut; .mode line shows values whole"


class Console:
    """One session of the shell: its connection, and its settings, which dot-commands change.

    `timer` and `requests` tell what each statement cost, `explain` what it is expected to cost; `echo` writes it first;
    `bail` ends what is run at the first error. `headers`, `null` and `widest` are those of `Style`; `widest` None fits
    tables to the terminal. `database` is the address; `connect` opens another: its address, and a file with its key.
    """

    def __init__(
        self,
        connection: Connection,
        mode: str = "table",
        *,
        database: str = "",
        out: TextIO | None = None,
        errors: TextIO | None = None,
        is_prompt: bool = False,
        connect: Callable[[str, str | None], Connection] | None = None,
    ) -> None:
        self.connection = connection
        self.database = database
        self.connect = connect
        self.is_prompt = is_prompt
        self.screen = Screen(out, errors, pages=is_prompt)
        self.mode = mode
        self.headers = True
        self.null: str | None = None
        self.widest: int | None = None
        self.timer = self.requests = is_prompt
        self.explain = self.echo = False
        self.bail = True
        self._interrupts = Interrupts()
        self._failed = False
        self._source = ""
        self._line = 0
        self._part = ""

    @property
    def out(self) -> TextIO:
        """The stream of results."""
        return self.screen.out

    @out.setter
    def out(self, stream: TextIO) -> None:
        self.screen.out = stream

    @property
    def errors(self) -> TextIO:
        """The stream of errors, costs and progress."""
        return self.screen.errors

    @errors.setter
    def errors(self, stream: TextIO) -> None:
        self.screen.errors = stream

    # Running ------------------------------------------------------------------------------------------------------

    def run(self, text: str, source: str = "") -> bool:
        """Run statements and dot-commands; return whether there was no error. `source` is told with the line of one.

        Raises KeyboardInterrupt after Ctrl-C, Quit where a command is ``.quit``.
        """
        self._failed = False
        try:
            with interruptible(lambda: self.connection) as self._interrupts:
                self.run_all(text, source)
        except Error as exc:
            self._tell(exc)
        return not self._failed

    def run_all(self, text: str, source: str = "") -> None:
        """Run statements and dot-commands of a text or of the file `source`. Raises the first error if `bail`."""
        outer, position, line = (self._source, self._line), 0, 1
        for part in parts_of(text):
            start = text.index(part, position)
            line += text.count("\n", position, start)
            self._source, self._line = source, line
            line += part.count("\n")
            position = start + len(part)
            self._part = part
            try:
                self._run_part(part)
            except QueryInterruptedError:
                raise
            except Error as exc:
                if self.bail:
                    raise
                self._tell(exc)
            self._interrupts.check()
        self._source, self._line = outer

    def _run_part(self, part: str) -> None:
        is_once = self.screen.is_redirected_once
        if self.echo:
            self.write(f"{part}\n")
        if part.startswith("."):
            self._command(part)
        else:
            self._statement(part)
        if is_once:
            self.screen.end_once()

    def _command(self, line: str) -> None:
        try:
            given, *arguments = shlex.split(line)
        except ValueError as exc:
            raise ProgrammingError(f"{line}: {exc}") from exc
        name, command = command_of(given.removesuffix(";"))
        if not command.fewest <= len(arguments) <= command.most:
            raise ProgrammingError(f"usage: {name} {command.usage}".rstrip())
        started, connection = time.perf_counter(), self.connection
        before = connection.requests.copy()
        command.run(self, arguments)
        asked = connection.requests.since(before)
        if connection is self.connection and asked.count:
            self._tell_cost(None, -1, time.perf_counter() - started, asked)

    def _statement(self, sql: str) -> None:
        if self.explain:
            self._explain(sql)
        started, before = time.perf_counter(), self.connection.requests.copy()
        with ProgressLine(self.errors, lambda: _work_of(self.connection.requests.since(before))):
            cursor = self.connection.execute(sql)
            names = None if cursor.description is None else [column[0] for column in cursor.description]
            rows = [] if names is None else cursor.fetchall()
        seconds = time.perf_counter() - started
        asked = self.connection.requests.since(before)
        changed = cursor.rowcount if names is None else -1
        if names is not None:
            self.show(names, rows, whole=_first_word(sql) == "EXPLAIN")
        self._tell_cost(None if names is None else len(rows), changed, seconds, asked)

    def _explain(self, sql: str) -> None:
        if _first_word(sql) in ("SELECT", "WITH", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE"):
            rows = self.connection.execute(f"EXPLAIN {sql}").fetchall()
            self.write("".join(f"{row[-1]}\n" for row in rows))

    # Writing ------------------------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """Write output, through a pager if it is longer than the terminal."""
        self.screen.write(text)

    def show(self, names: Sequence[str], rows: Sequence[Sequence[Any]], *, mode: str = "", whole: bool = False) -> None:
        """Write rows, in the mode that is set if none is given; `whole` cuts no value so as to fit the terminal."""
        widest = 0 if whole else self.widest
        style = Style(self.headers, self.null, widest or 0, room=int(widest is None))
        if self.screen.show(mode or self.mode, names, rows, style):
            self.screen.tell(_CUT, "aside")

    def _tell_cost(self, rows: int | None, changed: int, seconds: float, asked: Requests) -> None:
        told = []
        if self.timer or self.requests:
            told += [counted(rows, "row")] if rows is not None else []
            told += [f"{counted(changed, 'row')} changed"] if changed >= 0 else []
        if self.timer:
            told.append(f"{seconds:.3f} s")
        if self.requests:
            told += [counted(asked.rest, "request"), counted(asked.downloads, "download")]
        if told:
            self.screen.tell(", ".join(told), "aside")

    def _tell(self, exc: Error) -> None:
        self._failed = True
        place = placed(exc, self._part)
        if place is not None:
            room = shutil.get_terminal_size().columns if self.errors.isatty() else 0
            for line in caret_lines(place, room, self._line if self._source else 1):
                self.screen.tell(line)
        source = f"{self._source}, line {self._line}: " if self._source else ""
        self.screen.tell(f"discosql: {source}{type(exc).__name__}: {exc}", "error")

    # The end ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the database, and the file that results go to."""
        self.screen.close()
        self.close_connection()

    def close_connection(self) -> None:
        """Close the database; what was not committed is rolled back, and that is told."""
        if self.connection.in_transaction:
            self.screen.tell("discosql: the transaction was not committed: it is rolled back", "error")
        self.connection.close()


def command_of(given: str) -> tuple[str, DotCommand]:
    """Return the name and the dot-command that a name or its beginning stands for. Raises ProgrammingError if none."""
    found = [given] if given in DOT_COMMANDS else [name for name in DOT_COMMANDS if name.startswith(given)]
    if len(found) == 1:
        return found[0], DOT_COMMANDS[found[0]]
    meant = found or difflib.get_close_matches(given, DOT_COMMANDS)
    advice = f"did you mean {' or '.join(meant)}?" if meant and given != "." else ".help lists all"
    raise ProgrammingError(f"unknown command {given}; {advice}")


def _first_word(sql: str) -> str:
    return next(tokenize(sql)).kind


def _work_of(asked: Requests) -> str:
    """Say what a running statement does."""
    waited = f", waited {sum(asked.waited.values()):.0f} s" if asked.waited else ""
    return f"running, {counted(asked.rest + asked.downloads, 'request')}{waited}"


@lru_cache(maxsize=4)
def is_ready(text: str) -> bool:
    """Tell whether a text can be run as it is: a dot-command, complete statements, or nothing at all."""
    stripped = text.strip()
    if not stripped or stripped.startswith(".") or is_complete(text):
        return True
    first = next(tokenize(text))
    return first.kind == "end" and not first.text


def parts_of(text: str) -> Iterator[str]:
    """Yield the statements and dot-commands of a text. A line that begins with a dot is one only between statements."""
    waiting: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith(".") and is_ready("".join(waiting)):
            yield from split("".join(waiting))
            waiting = []
            yield line.strip()
        else:
            waiting.append(line)
    yield from split("".join(waiting))
