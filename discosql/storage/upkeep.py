"""When checkpoints are made: in the background as the log grows, and when a database is closed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from loguru import logger

from discosql.errors import DatabaseError
from discosql.storage.tail import Tail

FOREIGN_PATIENCE: Final = 4
"""How many times longer a process waits that did not make the last entry: its checkpoint would slow down who did."""

CLOSE_ENTRIES: Final = 16
"""Entries from which on closing makes a checkpoint; fewer cost the next opening nothing, unless they are in files."""

_NO_THREADS: Final = "cannot schedule new futures"
"""What `concurrent.futures` says when the interpreter is about to end."""


class Upkeep:
    """Starts checkpoints of one engine when they are due. `entries` 0 means never."""

    def __init__(self, entries: int, size: int, write: Callable[[], Awaitable[bool]]) -> None:
        self._entries = entries
        self._size = size
        self._write = write
        self._task: asyncio.Task[None] | None = None
        self._failed_at = 0

    def is_due(self, tail: Tail, *, is_owner: bool) -> bool:
        """Tell whether the log has grown enough since the last checkpoint."""
        if not self._entries:
            return False
        patience = 1 if is_owner else FOREIGN_PATIENCE
        # After a failure it is tried again when as much has come as was there.
        entries = len(tail) - self._failed_at
        return entries >= patience * self._entries or (entries > 0 and tail.size >= patience * self._size)

    def start(self, tail: Tail, *, is_owner: bool) -> None:
        """Start a checkpoint if one is due, none is being made, and there is a loop to do it."""
        if self._task is not None or not self.is_due(tail, is_owner=is_owner):
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._task = loop.create_task(self._run(tail), name="discosql checkpoint")

    async def _run(self, tail: Tail) -> None:
        try:
            written = await self._write()
        except DatabaseError as exc:
            # The log has everything; the next checkpoint will do what this one could not.
            logger.warning("a checkpoint failed: {}", exc)
            written = False
        except RuntimeError as exc:
            # A program that ends without closing its database gives no more threads; the log has everything.
            if _NO_THREADS not in str(exc):
                raise
            written = False
        finally:
            self._task = None
        self._failed_at = 0 if written else len(tail)

    async def at_close(self, tail: Tail, *, is_owner: bool) -> None:
        """Wait for a running checkpoint; make one if opening would otherwise be slow."""
        if self._task is not None:
            await asyncio.wait({self._task})
        if self._entries and is_owner and (tail.files or len(tail) >= min(CLOSE_ENTRIES, self._entries)):
            await self._run(tail)
