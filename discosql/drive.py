"""Drivers of steps: what runs a session's generators, waits for what they ask for, and stops them on demand."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from discosql.errors import QueryInterruptedError, QueryTimeoutError
from discosql.executor.context import Result
from discosql.session import Steps
from discosql.storage.engine import Pending

T = TypeVar("T")

SLICE: Final = 0.005
"""Seconds a long computation runs before other tasks of the event loop get a turn."""


class Control:
    """The stop button of a connection's operations, and its time limit. `interrupt` may be called from any thread.

    `timeout` is in seconds for a whole operation, None for no limit. `progress` is called at every tick; a true result
    interrupts, as `sqlite3.Connection.set_progress_handler` does.
    """

    def __init__(self, timeout: float | None = None) -> None:
        self.timeout = timeout
        self.progress: Callable[[], object] | None = None
        self._interrupted = False
        self._deadline: float | None = None
        self._waiting: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None

    def start(self) -> None:
        """Begin an operation: the clock starts, earlier interrupts are forgotten."""
        self._interrupted = False
        self._deadline = None if self.timeout is None else time.monotonic() + self.timeout

    def interrupt(self) -> None:
        """Stop the running operation at its next tick or request."""
        self._interrupted = True
        waiting = self._waiting
        if waiting is not None:
            loop, task = waiting
            loop.call_soon_threadsafe(task.cancel)

    def check(self) -> None:
        """Raise QueryInterruptedError or QueryTimeoutError if the operation shall stop."""
        if self.progress is not None and self.progress():
            self._interrupted = True
        if self._interrupted:
            raise QueryInterruptedError("interrupted")
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise QueryTimeoutError(f"the statement ran longer than its timeout of {self.timeout:g} s")

    async def fetch(self, pending: Pending) -> object:
        """Await what steps asked for, within the time that is left."""
        self.check()
        task = asyncio.ensure_future(pending.fetch())
        self._waiting = (asyncio.get_running_loop(), task)
        try:
            left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
            done, _ = await asyncio.wait({task}, timeout=left)
            if not done:
                task.cancel()
                await asyncio.wait({task})
            if task.cancelled():
                self.check()
            return task.result()
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            self._waiting = None


async def drive(steps: Steps, control: Control, asked: Pending | None = None) -> Result:
    """Run steps to their end on the running event loop; `asked` is what they asked for last, if they began elsewhere."""
    last_turn = time.monotonic()
    need = asked
    try:
        if need is None:
            need = next(steps)
        while True:
            try:
                if need is None:
                    control.check()
                    now = time.monotonic()
                    if now - last_turn > SLICE:
                        await asyncio.sleep(0)
                        last_turn = time.monotonic()
                    answer = None
                else:
                    answer = await control.fetch(need)
                    last_turn = time.monotonic()
            except BaseException as exc:
                # The steps see the failure where they asked, so that they can undo what they had begun.
                need = steps.throw(exc)
            else:
                need = steps.send(answer)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def run_here(steps: Steps, control: Control) -> Result | Pending:
    """Run steps in this thread for as long as all is in memory; return the result, or what must be fetched."""
    try:
        need = next(steps)
        while need is None:
            try:
                control.check()
            except (QueryInterruptedError, QueryTimeoutError) as exc:
                need = steps.throw(exc)
            else:
                need = steps.send(None)
        return need
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


class LoopThread:
    """An event loop in a daemon thread of its own, for callers that have none. Started at first use, again after a fork."""

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

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> "Future[T]":
        """Start a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def run(self, coroutine: Coroutine[Any, Any, T], on_interrupt: Callable[[], object] | None = None) -> T:
        """Run a coroutine to its end and return its result; Ctrl-C is passed on to it before it is raised here."""
        future = self.submit(coroutine)
        try:
            return future.result()
        except KeyboardInterrupt:
            if on_interrupt is not None:
                on_interrupt()
            else:
                future.cancel()
            raise

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
