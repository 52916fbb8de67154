"""Tasks that need not be awaited, whose errors are nevertheless never lost."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
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


@dataclass(slots=True)
class _Owned:
    """The last task that an object has under way, and whether the object is stored once it is done."""

    task: BackgroundTask[Any]
    stored: bool


class BackgroundTasks:
    """Running tasks, and the errors of those that nobody awaited.

    Tasks belong to an object, whose tasks run in the order in which they were started, and to a `group` (a transaction,
    None outside of any) that can be waited for.
    """

    def __init__(self) -> None:
        self._running: dict[BackgroundTask[Any], object] = {}
        self._failed: list[tuple[BackgroundTask[Any], object]] = []
        self._owned: dict[int, _Owned] = {}

    def start(
        self, owner: object, run: Callable[[], Coroutine[Any, Any, T]], *, stored: bool, group: object = None
    ) -> BackgroundTask[T]:
        """Run something for an object once its earlier tasks are done, and hold on to it until it is done itself.

        `stored` is what `is_stored` tells of the object from now on.
        """
        before = self._owned.get(id(owner))

        async def in_turn() -> T:
            if before is not None:
                await asyncio.wait({before.task})
            return await run()

        task = BackgroundTask(in_turn(), loop=asyncio.get_running_loop())
        owned = self._owned[id(owner)] = _Owned(task, stored)
        self._running[task] = group
        task.add_done_callback(lambda _: self._done(task, owner, owned))
        return task

    def is_stored(self, owner: object, now: bool) -> bool:
        """Tell whether an object that is stored or not `now` will be once its tasks are done."""
        owned = self._owned.get(id(owner))
        return now if owned is None else owned.stored

    def _done(self, task: BackgroundTask[Any], owner: object, owned: _Owned) -> None:
        group = self._running.pop(task)
        if self._owned.get(id(owner)) is owned:
            del self._owned[id(owner)]
        if task.cancelled():
            return
        error = asyncio.Task.exception(task)  # not the subclass's: looking here is not taking
        if error is not None and not task.taken:
            self._failed.append((task, group))
            logger.error("a background task failed: {}", type(error).__name__)

    async def finish_group(self, group: object) -> None:
        """Wait for the tasks of a group; raise the error of the first that failed and whose outcome nobody took."""
        await self._finish(lambda other: other is group)

    async def finish(self) -> None:
        """Wait for all tasks; raise the error of the first that failed and whose outcome nobody took."""
        await self._finish(lambda _: True)

    async def _finish(self, concerns: Callable[[object], bool]) -> None:
        while running := [task for task, group in self._running.items() if concerns(group)]:
            await asyncio.wait(running)
            await asyncio.sleep(0)  # the callbacks of tasks that are done come after this one's waking
        failed = [task for task, group in self._failed if concerns(group)]
        self._failed = [(task, group) for task, group in self._failed if not concerns(group)]
        errors = [error for task in failed if not task.taken and (error := task.exception()) is not None]
        if len(errors) > 1:
            errors[0].add_note(f"{len(errors) - 1} more background tasks failed; the log names their errors")
        if errors:
            raise errors[0]
