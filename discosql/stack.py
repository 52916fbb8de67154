"""Room for deep recursion: statements nest as deep as they like, Python's own stack bears about a thousand calls.

What runs out of it is done once more on a thread with a large stack. Nobody pays for it but deep statements.
"""

import sys
import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

STACK_SIZE: Final = 256 * 2**20
"""Bytes of the deep thread's stack; the system gives memory only for what is used."""

MAX_CALLS: Final = 25_000
"""Calls within each other on the deep thread: a thousand levels of expressions, of up to twenty calls each."""

_HERE: Final = threading.local()
_SETTING: Final = threading.Lock()


def is_deep() -> bool:
    """Tell whether this is a thread with a large stack."""
    return getattr(_HERE, "deep", False)


def call_deeply(function: Callable[[], T]) -> T:
    """Call a function that recurses, and again with more room if it runs out of stack; it must not mind.

    Raises RecursionError if that does not suffice, or if there is no memory for it.
    """
    if is_deep():
        return function()
    try:
        return function()
    except RecursionError:
        pass
    return _call_on_thread(function)


def _call_on_thread(function: Callable[[], T]) -> T:
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        _HERE.deep = True
        try:
            results.append(function())
        except BaseException as exc:
            # Raised again in the caller's thread.
            failures.append(exc)

    # The limit on calls and the size of new stacks are the whole process's: one deep statement at a time.
    with _SETTING:
        limit, size = sys.getrecursionlimit(), threading.stack_size(STACK_SIZE)
        sys.setrecursionlimit(max(limit, MAX_CALLS))
        try:
            thread = threading.Thread(target=run, name="discosql deep statement")
            thread.start()
            thread.join()
        except RuntimeError as exc:
            raise RecursionError("there is no memory for a large stack") from exc
        finally:
            threading.stack_size(size)
            sys.setrecursionlimit(limit)
    if failures:
        raise failures[0]
    return results[0]
