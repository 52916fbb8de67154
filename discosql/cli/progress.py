"""Progress of long work on a terminal: a line of standard error that is written over."""

import shutil
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Protocol, TextIO

from discosql.cli.screen import has_colours, is_dumb
from discosql.output_text import cut, harmless

_PATIENCE: Final = 1.0
"""Seconds for which work goes on before anything is shown."""

_PAUSE: Final = 0.1
_BAR: Final = 24
_BLOCK: Final = 4


_FEWEST: Final = 1_000
"""Rows that tell a speed: of fewer the time is that of starting."""


def speed_of(rows: int, seconds: float) -> str:
    """Return rows a second in parentheses after a blank; nothing for work too small to tell."""
    return f" ({rows / seconds:,.0f} rows/s)" if rows >= _FEWEST and seconds > 1 else ""


class Display(Protocol):
    """A line that shows how far work is."""

    def show(self, stage: str, done: int, total: int, seconds: float) -> None:
        """Draw the line anew; a total of 0 is not known."""

    def wipe(self) -> None:
        """Take the line away."""


class ProgressLine:
    """Shows a bar for work that takes longer than a second; nothing where the output is no terminal.

    A context manager: at its end the line is wiped. Calling it reports what is worked on, how much of it is done and
    how much there is (0: not known). `describe` tells what is worked on where nothing reports. The line moves ten
    times a second by itself, so that work that reports nothing is seen to go on, too.
    """

    def __init__(self, out: TextIO | None = None, describe: Callable[[], str] = lambda: "working") -> None:
        self._out = out or sys.stderr
        self._describe = describe
        self._report: tuple[str, int, int] | None = None
        self._start = self._since = time.monotonic()
        self._display: Display | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Report how far the work is."""
        if self._report is None:
            self._since = time.monotonic()
        self._report = (stage, done, total)

    def wipe(self) -> None:
        """Take the line away, so that other text can be written; it comes back with work that takes a second more."""
        with self._lock:
            self._since = time.monotonic()
            self._report = None
            if self._display is not None:
                self._display.wipe()

    def __enter__(self) -> "ProgressLine":
        if self._out.isatty() and not is_dumb():
            self._thread = threading.Thread(target=self._run, name="discosql progress", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self.wipe()

    def _run(self) -> None:
        while not self._ended.wait(_PAUSE):
            with self._lock:
                if time.monotonic() - self._since < _PATIENCE:
                    continue
                stage, done, total = self._report or (self._describe(), 0, 0)
                if self._display is None:
                    self._display = _display_of(self._out)
                try:
                    self._display.show(harmless(stage), done, total, time.monotonic() - self._start)
                except OSError:
                    return  # the terminal is gone


class PlainDisplay:
    """A line of ASCII characters."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._shown = 0

    def show(self, stage: str, done: int, total: int, seconds: float) -> None:
        """Draw the line anew."""
        text = f"[{_bar(done, total, seconds)}] {f'{min(100, 100 * done // total):3}% ' if total else ''}{stage}"
        text = cut(f"{text}{f': {done:,}' if done and not total else ''}, {seconds:.0f} s", _columns() - 1, "...")
        self._out.write(f"\r{text.ljust(self._shown)}")
        self._out.flush()
        self._shown = len(text)

    def wipe(self) -> None:
        """Take the line away."""
        if self._shown:
            self._out.write(f"\r{' ' * self._shown}\r")
            self._out.flush()
            self._shown = 0


class RichDisplay:
    """The progress bar of rich, or a plain one that goes to and fro where it would have no end."""

    def __init__(self, rich: Any, console: Any) -> None:
        self._rich = rich
        self._console = console
        self._is_bar = False
        self._live: Any = None

    def show(self, stage: str, done: int, total: int, seconds: float) -> None:
        """Draw the line anew."""
        if self._live is None or self._is_bar != bool(total):
            self.wipe()
            self._is_bar = bool(total)
            self._live = self._started()
        count = f": {done:,}" if done and not total else ""
        mark = f"{min(100, 100 * done // total):3}%" if total else f"[{_bar(0, 0, seconds)}]"
        self._live.update(
            self._live.task_ids[0],
            completed=done,
            total=total or None,
            description=f"{mark} {stage}{count}, {seconds:.0f} s",
            refresh=True,
        )

    def _started(self) -> Any:
        live = self._rich.Progress(
            *([self._rich.BarColumn(_BAR)] if self._is_bar else []),
            self._rich.TextColumn("{task.description}", markup=False),
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        live.add_task("")
        live.start()
        return live

    def wipe(self) -> None:
        """Take the line away."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def _display_of(out: TextIO) -> Display:
    try:
        from rich import console, progress
    except ImportError:
        return PlainDisplay(out)
    return RichDisplay(progress, console.Console(file=out, force_terminal=True, no_color=not has_colours(out)))


def _bar(done: int, total: int, seconds: float) -> str:
    """Return a bar: filled as far as the work is, or with a block that goes to and fro where that is not known."""
    if total:
        filled = min(_BAR, _BAR * done // total)
        return f"{'#' * filled}{'.' * (_BAR - filled)}"
    path = _BAR - _BLOCK
    place = int(seconds * 10) % (2 * path)
    left = min(place, 2 * path - place)
    return f"{'.' * left}{'#' * _BLOCK}{'.' * (path - left)}"


def _columns() -> int:
    return shutil.get_terminal_size().columns
