"""Where the shell's output goes: a terminal, with colours and a pager, or a file or another program, as it is."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TextIO

from discosql.cli.rich_table import GAP, rich_table
from discosql.errors import OperationalError
from discosql.output import MODES, Style
from discosql.output_table import grid_of, table_text
from discosql.output_text import harmless

_PAGER: Final = "less"
_PAGER_OPTIONS: Final = "FRSX"
"""Leave at once if all fits, show colours, do not fold lines, leave the screen as it is: less reads them from LESS."""


class Screen:
    """Writes results to `out` and what is told besides to `errors`.

    On a terminal nothing that is stored can be more than text: control characters show as escapes. Long output goes
    through a pager if `pages`. `redirect` sends results to a file instead.
    """

    def __init__(self, out: TextIO | None = None, errors: TextIO | None = None, *, pages: bool = False) -> None:
        self.out = out or sys.stdout
        self.errors = errors or sys.stderr
        self.pages = pages
        self._file: TextIO | None = None
        self._once = False

    @property
    def is_terminal(self) -> bool:
        """Whether results are seen by a person."""
        return self._file is None and self.out.isatty() and not is_dumb()

    # Writing ------------------------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """Write text that may hold what is stored."""
        self._send(harmless(text) if self._file is None and self.out.isatty() else text)

    def show(self, mode: str, names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style) -> bool:
        """Write rows; return whether values were cut so as to fit the terminal, which any `style.room` but 0 means."""
        if mode != "table" or not names or not self.is_terminal:
            self.write(MODES[mode](names, rows, replace(style, room=0)))
            return False
        encoding = self.out.encoding or "utf-8"
        columns = shutil.get_terminal_size().columns
        mark = "…" if _can_write("…", encoding) else "..."
        grid = grid_of(names, rows, replace(style, room=style.room and columns - len(names), mark=mark))
        text = rich_table(grid, encoding, headers=style.headers, colours=has_colours(self.out))
        plain = table_text(grid, headers=style.headers)
        is_wide = sum(grid.widths) + GAP * (len(names) - 1) > columns
        self._send(plain if text is None else text, is_wide=is_wide)
        return grid.is_cut

    def tell(self, text: str, style: str = "") -> None:
        """Write a line apart from results; `style` is ``error``, ``aside`` or nothing."""
        if self.errors.isatty():
            text = harmless(text)
            code = {"error": "31", "aside": "2"}.get(style)
            if code is not None and has_colours(self.errors):
                text = f"\x1b[{code}m{text}\x1b[0m"
        self.errors.write(f"{text}\n")
        self.errors.flush()

    def _send(self, text: str, *, is_wide: bool = False) -> None:
        if self._file is not None:
            self._file.write(text)
            self._file.flush()
        elif not (self.pages and self.is_terminal and self._page(text, is_wide)):
            self.out.write(text)
            self.out.flush()

    def _page(self, text: str, is_wide: bool) -> bool:
        """Show text in a pager if it does not fit the terminal; tell whether that was done."""
        if not is_wide and text.count("\n") < shutil.get_terminal_size().lines:
            return False
        command = shlex.split(os.environ.get("PAGER", _PAGER))
        if not command or shutil.which(command[0]) is None:
            return False
        # What fits the terminal's lines but not its columns must not be left at once.
        options = _PAGER_OPTIONS.replace("F", "") if is_wide else _PAGER_OPTIONS
        with _left_to_others():
            subprocess.run(
                command,
                input=text,
                text=True,
                encoding=self.out.encoding,
                errors="backslashreplace",
                env={"LESS": options, **os.environ},
                check=False,
            )
        return True

    # Files --------------------------------------------------------------------------------------------------------

    def redirect(self, path: str | None, *, once: bool = False) -> None:
        """Send results to a file from now on (None: no longer), or those of one statement or command."""
        self.close()
        if path is not None:
            try:
                self._file = Path(path).open("w", encoding="utf-8", newline="")  # noqa: SIM115 - stays open
            except OSError as exc:
                raise OperationalError(f"cannot write {path}: {exc.strerror}") from exc
            self._once = once

    def end_once(self) -> None:
        """End a redirection that was for one statement."""
        if self._once:
            self.close()

    @property
    def target(self) -> str:
        """Where results go, as a person calls it."""
        return "standard output" if self._file is None else self._file.name

    @property
    def is_redirected_once(self) -> bool:
        """Whether the next results, and only they, go to a file."""
        return self._once

    def close(self) -> None:
        """End a redirection."""
        if self._file is not None:
            self._file.close()
        self._file, self._once = None, False


def is_dumb() -> bool:
    """Tell whether the terminal is one that only prints."""
    return os.environ.get("TERM", "dumb" if os.name == "posix" else "") == "dumb"


def has_colours(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that may be given colours (https://no-color.org)."""
    return stream.isatty() and not is_dumb() and not os.environ.get("NO_COLOR")


def _can_write(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _left_to_others() -> Iterator[None]:
    """Leave Ctrl-C to the program in the foreground, for which it is meant as much as for this one.

    A handler that does nothing, not SIG_IGN: the other program would inherit that.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
