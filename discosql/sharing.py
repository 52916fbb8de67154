"""Databases on Discord that the connections of a process share: one login, one reading of the log, one cache.

Connections share an engine if they name the same server and database with the same token, key and way of listening, on
the same event loop (all synchronous connections have one loop). The first one opens it, the last one closes it.
Transactions, settings and temporary tables are each connection's own.

An engine is not for two threads at once. As long as a connection has it alone, its statements run in the thread that
asks for them; while others have it too, all run on the event loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Hashable
from typing import Final
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from discosql.storage.engine import Engine


class SharedEngine:
    """An engine and the leases on it. All but `turn` and `has_many` belong to the event loop.

    Leases are held weakly: a connection that was forgotten, not closed, does not count.
    """

    def __init__(self) -> None:
        self.turn = threading.RLock()
        self.has_many = False
        self.leases: WeakSet[Lease] = WeakSet()
        self.opening = asyncio.Lock()
        self.engine: Engine | None = None
        self.retired = False


class Lease:
    """A connection's part in an engine that others may use, too."""

    def __init__(self, shared: SharedEngine, engine: Engine) -> None:
        self._shared = shared
        self.engine: Final = engine
        shared.leases.add(self)

    @property
    def turn(self) -> threading.RLock:
        """The lock that a thread holds while it works with the engine itself."""
        return self._shared.turn

    @property
    def is_alone(self) -> bool:
        """Whether a thread that holds `turn` may do so."""
        return not self._shared.has_many

    def join(self) -> None:
        """Begin to use the engine, once the thread that works with it is done. Not to be called on the event loop."""
        with self._shared.turn:
            self._shared.has_many = len(self._shared.leases) > 1

    def retire(self) -> None:
        """Let no more connections share the engine: it has another key than the one they would name."""
        self._shared.retired = True

    async def release(self) -> None:
        """End; the engine is closed if it was the last lease."""
        shared = self._shared
        async with shared.opening:
            shared.leases.discard(self)
            if shared.leases:
                # Whoever is left alone has nothing running now but what runs on this loop.
                shared.has_many = len(shared.leases) > 1
                return
            shared.retired = True
            await self.engine.close()


_SHARED: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[Hashable, SharedEngine]]] = (
    WeakKeyDictionary()
)
"""The engines of each event loop by what tells them apart."""


async def lease(key: Hashable, open_engine: Callable[[], Awaitable[Engine]]) -> Lease:
    """Return a lease on the engine of a key, opened now if there is none that can be used."""
    known = _SHARED.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    while True:
        shared = known.get(key)
        if shared is None:
            shared = known[key] = SharedEngine()
        async with shared.opening:
            if shared.engine is None:
                shared.engine = await open_engine()
            if not shared.retired and shared.engine.is_usable:
                return Lease(shared, shared.engine)
        if known.get(key) is shared:
            del known[key]


async def leave(engine: Engine, held: Lease | None) -> None:
    """Close an engine, or end the lease on it."""
    await (engine.close() if held is None else held.release())
