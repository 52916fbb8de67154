"""Large files of a local guild, read and written in another thread, so that the event loop does not stand still.

A mebibyte takes 1 ms to read and 4 ms to write and make safe; handing work to a thread takes 0.1 ms.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from discosql.storage.local_store import Store

Answer = TypeVar("Answer")

LARGE: Final = 1 << 19
"""The number of bytes from which files are large."""


class Background:
    """A second connection to a guild's file, used by worker threads one at a time.

    To SQLite it is like another process: while it writes, others are refused for the moment, and readers go on.
    """

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self._store: Store | None = None
        self._turn = threading.Lock()
        self._running: set[asyncio.Future[Any]] = set()

    async def run(self, work: Callable[[Store], Answer]) -> Answer:
        """Do the work in a thread. If the caller is cancelled, the work goes on."""
        future = asyncio.get_running_loop().run_in_executor(None, self._in_turn, work)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return await asyncio.shield(future)

    def _in_turn(self, work: Callable[[Store], Answer]) -> Answer:
        with self._turn:
            if self._store is None:
                self._store = self._open_store()
            return work(self._store)

    async def close(self) -> None:
        """Wait for what is running, then close the connection."""
        if self._running:
            await asyncio.wait(self._running)
        if self._store is not None:
            self._store.close()
            self._store = None
