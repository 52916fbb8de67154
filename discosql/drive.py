"""Drivers of steps: what runs a session's generators, waits for what they ask for, and stops them on demand."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from discosql.errors import ProgrammingError, QueryInterruptedError, QueryTimeoutError

if TYPE_CHECKING:
    from discosql.executor.context import Result
    from discosql.explaining import Steps
    from discosql.storage.engine import Pending

T = TypeVar("T")

TURN: Final = 0.1
"""Seconds after which the progress handler is called again during a wait."""

SLICE: Final = 0.005
"""Seconds a long computation runs before other tasks of the event loop get a turn."""


class Control:
    """The stop button of a connection's operations, and their time limit.

    `timeout` is in seconds for a whole operation, None for no limit. `progress` is called at every tick; a true result
    interrupts, as `sqlite3.Connection.set_progress_handler` does.
    """

    def __init__(self, timeout: float | None = None) -> None:
        self.timeout = timeout
        self.progress: Callable[[], object] | None = None
        self._running: set[Operation] = set()

    def start(self) -> Operation:
        """Begin an operation: its clock starts. It is a context manager that ends it."""
        return Operation(self)

    @property
    def is_busy(self) -> bool:
        """Whether an operation is running."""
        return bool(self._running)

    def interrupt(self) -> None:
        """Stop the running operations at their next tick or request. May be called from any thread."""
        for operation in tuple(self._running):
            operation.interrupt()


class Operation:
    """One running operation of a connection."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._timeout = control.timeout
        self._deadline = None if control.timeout is None else time.monotonic() + control.timeout
        self._interrupted = False
        self._waiting: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None

    def __enter__(self) -> Self:
        self._control._running.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._control._running.discard(self)

    def interrupt(self) -> None:
        """Stop at the next tick or request."""
        self._interrupted = True
        waiting = self._waiting
        if waiting is not None:
            loop, task = waiting
            loop.call_soon_threadsafe(task.cancel)

    def check(self) -> None:
        """Raise QueryInterruptedError or QueryTimeoutError if the operation shall stop."""
        progress = self._control.progress
        if progress is not None and progress():
            self._interrupted = True
        if self._interrupted:
            raise QueryInterruptedError("interrupted")
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise QueryTimeoutError(f"the statement ran longer than its timeout of {self._timeout:g} s")

    def _is_over(self) -> bool:
        """Tell whether a wait must end, having told the progress handler that there is one."""
        try:
            self.check()
        except (QueryInterruptedError, QueryTimeoutError):
            return True
        return False

    def _patience(self) -> float | None:
        """Return the seconds after which a wait is looked at again, None if there is no need to."""
        left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        if self._control.progress is None:
            return left
        return TURN if left is None else min(left, TURN)

    async def fetch(self, pending: Pending) -> object:
        """Await what steps asked for, within the time that is left."""
        self.check()
        task = asyncio.ensure_future(pending.fetch())
        self._waiting = (asyncio.get_running_loop(), task)
        try:
            while not task.done() and not self._is_over():
                await asyncio.wait({task}, timeout=self._patience())
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
            if task.cancelled():
                self.check()
            return task.result()
        except BaseException:
            task.cancel()
            raise
        finally:
            self._waiting = None


async def drive(steps: Steps, operation: Operation, asked: Pending | None = None) -> Result:
    """Run steps to their end on the running event loop; `asked` is what they asked for last if they began elsewhere."""
    last_turn = time.monotonic()
    need = asked
    try:
        if need is None:
            need = next(steps)
        while True:
            try:
                if need is None:
                    operation.check()
                    now = time.monotonic()
                    if now - last_turn > SLICE:
                        await asyncio.sleep(0)
                        last_turn = time.monotonic()
                    answer = None
                else:
                    answer = await operation.fetch(need)
                    last_turn = time.monotonic()
            except BaseException as exc:
                # The steps see the failure where they asked, so that they can undo what they had begun.
                need = steps.throw(exc)
            else:
                need = steps.send(answer)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def run_here(steps: Steps, operation: Operation) -> Result | Pending:
    """Run steps in this thread for as long as all is in memory; return the result, or what must be fetched."""
    try:
        need = next(steps)
        while need is None:
            try:
                operation.check()
            except (QueryInterruptedError, QueryTimeoutError) as exc:
                need = steps.throw(exc)
            else:
                need = steps.send(None)
        return need
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


class LoopThread:
    """An event loop in a daemon thread, for callers that have none. Started at first use, again after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop."""
        with self._lock:
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="discosql", daemon=True)
                self._thread.start()
            return self._loop

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def run(self, coroutine: Coroutine[Any, Any, T], on_interrupt: Callable[[], object] | None = None) -> T:
        """Run a coroutine to its end and return its result; Ctrl-C is passed on to it before it is raised here.

        Raises ProgrammingError in the loop's own thread, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise ProgrammingError("a callback cannot use connections: what called it waits for the callback to end")
        future = self.submit(coroutine)
        try:
            return future.result()
        except KeyboardInterrupt:
            if on_interrupt is not None:
                on_interrupt()
            else:
                future.cancel()
            raise

    def fetch(self, pending: Pending) -> object:
        """Get what steps or a scan asked for."""

        async def fetching() -> object:
            return await pending.fetch()

        return self.run(fetching())

    def stop(self) -> None:
        """End the thread; later use starts another."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is not None and thread is not None and thread.is_alive():
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


LOOP_THREAD: Final = LoopThread()
"""The loop of all synchronous connections of this process."""
