"""Tasks that need not be awaited, whose errors are nevertheless never lost."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

from loguru import logger

T = TypeVar("T")


class BackgroundTask(asyncio.Task[T]):
    """A task that knows whether somebody took its outcome, by awaiting it or by asking for its result."""

    taken = False

    def __await__(self) -> Generator[Any, None, T]:
        self.taken = True
        return (yield from super().__await__())

    __iter__ = __await__

    def result(self) -> T:
        """Return the result or raise the task's exception."""
        self.taken = True
        return super().result()

    def exception(self) -> BaseException | None:
        """Return the task's exception, None if it has none."""
        self.taken = True
        return super().exception()


class BackgroundTasks:
    """Running tasks, and the errors of those that nobody awaited."""

    def __init__(self) -> None:
        self._running: set[BackgroundTask[Any]] = set()
        self._failed: list[BackgroundTask[Any]] = []

    def start(self, coroutine: Coroutine[Any, Any, T]) -> BackgroundTask[T]:
        """Start a task and hold on to it until it is done."""
        task = BackgroundTask(coroutine, loop=asyncio.get_running_loop())
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: BackgroundTask[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = asyncio.Task.exception(task)  # not the subclass's: looking here is not taking
        if error is not None and not task.taken:
            self._failed.append(task)
            logger.error("a background task failed: {}", type(error).__name__)

    async def finish(self) -> None:
        """Wait for all tasks; raise the error of the first that failed and whose outcome nobody took."""
        while self._running:
            await asyncio.wait(self._running)
        failed, self._failed = self._failed, []
        errors = [error for task in failed if not task.taken and (error := task.exception()) is not None]
        if errors:
            raise errors[0]
