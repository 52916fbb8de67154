"""An event loop on virtual time: a minute takes milliseconds, and the same seed gives the same run."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Never waits: tells the loop how far to move its clock instead."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for nothing")
        if timeout > 0:
            self.skipped += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while everybody waits. Threads know nothing of it, so there are none."""

    def __init__(self) -> None:
        self._skipping = _Selector()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.skipped

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        done = self.create_future()
        try:
            done.set_result(func(*arguments))
        except Exception as exc:
            done.set_exception(exc)
        return done


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        # Failures of those that went on beside the one that ended the run are of no interest.
        loop.set_exception_handler(lambda *_: None)
        loop.run_until_complete(_cancel_all())
        loop.close()


async def _cancel_all() -> None:
    while left := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in left:
            task.cancel()
        await asyncio.wait(left)
