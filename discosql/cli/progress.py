"""Progress of long work on a terminal: a line of standard error that is written over."""

import sys
import time
from typing import Final, TextIO

_PATIENCE: Final = 1.0
"""Seconds for which work goes on before anything is shown."""

_PAUSE: Final = 0.1
_WIDTH: Final = 24


class ProgressLine:
    """Shows a bar for work that takes longer than a second; nothing where the output is no terminal.

    A context manager: at its end the line is wiped. Calling it reports what is worked on, how much of it is done and
    how much there is (0: not known).
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._next = time.monotonic() + _PATIENCE
        self._shown = 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show how far the work is, a few times a second."""
        now = time.monotonic()
        if now < self._next or not self._out.isatty():
            return
        self._next = now + _PAUSE
        if total:
            filled = min(_WIDTH, _WIDTH * done // total)
            text = f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {min(100, 100 * done // total):3}% {stage}"
        else:
            text = f"{stage}: {done:,}"
        self._out.write(f"\r{text.ljust(self._shown)}")
        self._out.flush()
        self._shown = len(text)

    def wipe(self) -> None:
        """Take the line away, so that other text can be written."""
        if self._shown:
            self._out.write(f"\r{' ' * self._shown}\r")
            self._out.flush()
            self._shown = 0

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()
