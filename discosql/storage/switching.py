"""Quick changes between threads while one of them computes in the background.

Each call of SQLite's library gives the interpreter's lock away, and a thread that computes keeps it for the switch
interval, 5 ms by default. A request to a local guild is a dozen such calls, so an event loop beside a computing thread
would stand still for a tenth of a second.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

INTERVAL: Final = 0.0005
"""Seconds after which a computing thread lets others have a turn."""


class _Switching:
    """How many computations there are, and the interval that others had set before them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running = 0
        self.before = 0.0


_switching: Final = _Switching()


@contextmanager
def quick_switching() -> Iterator[None]:
    """Let threads change quickly until the end of the block; afterwards the interval is what it was."""
    with _switching.lock:
        if not _switching.running:
            _switching.before = sys.getswitchinterval()
            sys.setswitchinterval(min(_switching.before, INTERVAL))
        _switching.running += 1
    try:
        yield
    finally:
        with _switching.lock:
            _switching.running -= 1
            if not _switching.running:
                sys.setswitchinterval(_switching.before)
