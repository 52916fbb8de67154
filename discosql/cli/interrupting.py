"""Ctrl-C: ends what runs on a connection, in good order."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from discosql.dbapi import Connection
from discosql.errors import QueryInterruptedError


class Interrupts:
    """Whether Ctrl-C was pressed in a block of `interruptible`."""

    def __init__(self) -> None:
        self.came = False

    def check(self) -> None:
        """Raise KeyboardInterrupt if it was pressed, though what ran then came to its end."""
        if self.came:
            raise KeyboardInterrupt


@contextmanager
def interruptible(connection: Callable[[], Connection]) -> Iterator[Interrupts]:
    """Let Ctrl-C interrupt the running statement, which then undoes what it did and raises KeyboardInterrupt.

    Pressed again, or where no statement runs, it raises KeyboardInterrupt at once. Does nothing in other threads than
    the main one, which get no signals.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return

    def stop(_signal: int, _frame: Any) -> None:
        if interrupts.came or not connection().is_busy:
            raise KeyboardInterrupt
        interrupts.came = True
        connection().interrupt()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield interrupts
    except QueryInterruptedError as exc:
        if interrupts.came:
            raise KeyboardInterrupt from exc
        raise
    finally:
        signal.signal(signal.SIGINT, before)
