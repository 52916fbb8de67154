"""LocalGuild: Discord's behaviour in one SQLite file, or in memory.

The embedded default of discosql, and the server that tests run on: it has Discord's limits and habits, and says what
the same requests would take there (`model`).
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Final, TypeVar

from discosql.errors import InterfaceError
from discosql.storage.guild import (
    MAX_PAGE,
    Attachment,
    Channel,
    File,
    Guild,
    Listener,
    Message,
    Requests,
    Stamp,
    time_id,
)
from discosql.storage.guild_clock import Clock
from discosql.storage.local_background import LARGE, Background
from discosql.storage.local_file import MEMORY, is_busy, open_file, open_memory, running_error
from discosql.storage.local_store import Habits, Store
from discosql.storage.ratelimit import RateModel

Answer = TypeVar("Answer")

LOCK_TIMEOUT: Final = 10.0
"""Seconds to wait while other processes hold the file's write lock, before UnavailableError."""

POLL_INTERVAL: Final = 0.05
"""Seconds between looks at the file for changes by other processes, while somebody listens."""


class LocalGuild(Guild):
    """A guild in a file that several processes may open at once, or in memory.

    Every request first lets the event loop turn once, as a request to Discord would, and then runs in the loop's
    thread: it takes microseconds (a commit, one fsync), less than handing it to another thread and back would. Only
    large files go that way. A guild may be made in one thread and used in another, but not from two at once.
    """

    def __init__(self, store: Store, clock: Clock, path: Path | None = None) -> None:
        self.account = store.account
        self.visibility = 0.0
        self.settle = 0.0
        self.file_limit = store.habits.file_limit
        self.post_limit = store.habits.post_limit
        self.requests = Requests()
        self.model = RateModel(clock.monotonic)
        self._store = store
        self._clock = clock
        self._path = path
        self._peers: list[LocalGuild] = [self]  # all guilds on the same store, in this process
        self._background: Background | None = None  # shared by the peers, too
        self._closed = False
        self._stamp = self._read_stamp()
        self._listeners: list[Listener] = []
        self._watch: asyncio.Task[None] | None = None
        self._version = (0, 0)
        self._seen = 0

    @classmethod
    def memory(cls, name: str = "memory", *, clock: Clock | None = None, habits: Habits | None = None) -> "LocalGuild":
        """Return a new guild in memory; it is gone when it and its peers are closed."""
        clock = clock or Clock()
        connection = open_memory(name, time_id(clock.now()))
        return cls(Store(connection, clock.now, habits or Habits()), clock)

    @classmethod
    def open(
        cls,
        path: str | PathLike[str],
        *,
        create: bool = True,
        clock: Clock | None = None,
        habits: Habits | None = None,
    ) -> "LocalGuild":
        """Open a guild's file, or make it where there is none and `create` is true.

        Raises OperationalError when it cannot be opened for writing, DatabaseError when it is something else.
        """
        clock = clock or Clock()
        path = Path(path)
        habits = habits or Habits()
        guild = cls(_open_store(path, clock, habits, create=create), clock, path)
        guild._background = Background(lambda: _open_store(path, clock, habits, create=False))
        return guild

    def peer(self, account: int | None = None) -> "LocalGuild":
        """Return another client of the same server, with counts of its own; `account` makes it another author."""
        peer = LocalGuild(self._store, self._clock, self._path)
        peer.account = self.account if account is None else account
        peer._background = self._background
        peer._peers = self._peers
        self._peers.append(peer)
        return peer

    @property
    def _where(self) -> str:
        return str(self._path or MEMORY)

    @property
    def name(self) -> str:
        """The file's name without its ending, or what `memory` was given."""
        return self._store.name

    @property
    def is_live(self) -> bool:
        """Always: `poll` sees changes by any process."""
        return True

    def stamp(self) -> Stamp:
        """Return the server's time when the last request was answered."""
        return self._stamp

    def monotonic(self) -> float:
        """Return the local monotonic clock in seconds."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait by the local clock."""
        await self._clock.sleep(seconds)

    # Requests

    async def channels(self) -> list[Channel]:
        """Return all channels and categories, oldest first."""
        return await self._request("channels", 0, Store.channels)

    async def create_category(self, name: str) -> Channel:
        """Create a category."""
        return await self._request(
            "create_category", 0, lambda store: store.create_channel(name, None, "", is_category=True)
        )

    async def create_channel(self, name: str, category: int, topic: str = "") -> Channel:
        """Create a text channel in a category; its name is put in lower case, with `-` for spaces."""
        return await self._request("create_channel", 0, lambda store: store.create_channel(name, category, topic))

    async def delete_channel(self, channel: int) -> None:
        """Delete a channel with its messages, or a category (its channels stay)."""
        await self._request("delete_channel", channel, lambda store: store.delete_channel(channel))

    async def post(
        self, channel: int, content: str, files: Sequence[File] = (), *, nonce: str | None = None
    ) -> Message:
        """Post a message; see `Guild.post`."""
        size = sum(len(file.data) for file in files)
        self.requests.bytes_sent += _size(content) + size
        account = self.account
        message = await self._request(
            "post", channel, lambda store: store.post(account, channel, content, files, nonce), large=size >= LARGE
        )
        self._wake()
        return message

    async def messages(
        self, channel: int, *, before: int | None = None, after: int | None = None, limit: int = MAX_PAGE
    ) -> list[Message]:
        """Return a page of messages, newest first; see `Guild.messages`."""
        if before is not None and after is not None:
            raise InterfaceError("messages takes before or after, not both")
        page = await self._request("messages", channel, lambda store: store.messages(channel, before, after, limit))
        self.requests.bytes_received += sum(_size(message.content) for message in page)
        return page

    async def message(self, channel: int, message: int) -> Message:
        """Return one message, with fresh URLs of its files."""
        found = await self._request("message", channel, lambda store: store.message(channel, message))
        self.requests.bytes_received += _size(found.content)
        return found

    async def download(self, attachment: Attachment) -> bytes:
        """Return a file's bytes."""
        data = await self._request(
            "download", 0, lambda store: store.download(attachment), large=attachment.size >= LARGE
        )
        self.requests.bytes_received += len(data)
        return data

    async def delete_message(self, channel: int, message: int) -> None:
        """Delete one message."""
        await self._request(
            "delete_message",
            channel,
            lambda store: store.delete_message(channel, message),
            age=self._store.age(message),
        )
        self._wake()

    async def delete_messages(self, channel: int, messages: Sequence[int]) -> None:
        """Delete 2 to 100 messages, none older than 14 days, at once."""
        await self._request("delete_messages", channel, lambda store: store.delete_messages(channel, messages))
        self._wake()

    async def edit(self, channel: int, message: int, content: str) -> Message:
        """Replace a message's content, as its author could on Discord. discosql never does; tests do."""
        edited = await self._request("edit", channel, lambda store: store.edit(channel, message, content))
        self._wake()
        return edited

    async def _request(
        self, kind: str, channel: int, work: Callable[[Store], Answer], *, age: float = 0.0, large: bool = False
    ) -> Answer:
        if self._closed:
            raise InterfaceError(f"the guild {self.name} is closed")
        self.requests.count[kind] += 1
        started = self._clock.monotonic()
        end = self.model.begin(kind, channel, age)
        try:
            await asyncio.sleep(0)
            return await self._when_unlocked(work, large=large)
        finally:
            self.model.finish(end)
            self.requests.tell("request", kind, self._clock.monotonic() - started)
            self._stamp = self._read_stamp()

    async def _when_unlocked(self, work: Callable[[Store], Answer], *, large: bool) -> Answer:
        deadline = 0.0
        while True:
            if self._closed:
                raise InterfaceError(f"the guild {self.name} was closed during a request")
            try:
                if large and self._background is not None:
                    return await self._background.run(work)
                return work(self._store)
            except sqlite3.Error as error:
                # A lock is refused before anything was done, so the work can be started again.
                deadline = deadline or time.monotonic() + LOCK_TIMEOUT
                if not is_busy(error) or time.monotonic() > deadline:
                    raise running_error(error, self._where) from error
            await asyncio.sleep(0.002)

    def _read_stamp(self) -> Stamp:
        # The server's moment first: when the local one is read, the server's clock shows that much or more.
        return Stamp(self._clock.now(), self._clock.monotonic())

    # Changes

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` on changes by any process, from the event loop's thread."""
        if not self._listeners:
            try:
                self._version = (self._store.version(), self._store.own_changes)
                self._seen = self._store.last_change()
            except sqlite3.Error as error:
                raise running_error(error, self._where) from error
        self._listeners.append(listener)
        if self._path is not None and self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._watch_file(), name=f"watch {self.name}")

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)
            if not self._listeners:
                self._stop_watching()

        return stop

    def poll(self) -> None:
        """Call the listeners for what has changed by now, without a request."""
        if not self._listeners or self._closed:
            return
        try:
            version = (self._store.version(), self._store.own_changes)
            if version == self._version:
                return
            changes = self._store.changed_since(self._seen)
        except sqlite3.Error:
            return  # locked, or damaged: the next request will tell
        self._version = version
        self._seen = max([self._seen, *(moment for _, moment in changes)])
        for channel, _ in changes:
            for listener in tuple(self._listeners):
                listener(channel)

    def _wake(self) -> None:
        for peer in self._peers:
            if peer._listeners:
                asyncio.get_running_loop().call_soon(peer.poll)

    async def _watch_file(self) -> None:
        while True:
            await asyncio.sleep(POLL_INTERVAL)
            self.poll()

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    async def close(self) -> None:
        """Close the guild; the last of the peers closes the file."""
        if self._closed:
            return
        self._closed = True
        self._listeners.clear()
        self._stop_watching()
        self._peers.remove(self)
        if not self._peers:
            if self._background is not None:
                await self._background.close()
            self._store.close()


def _open_store(path: Path, clock: Clock, habits: Habits, *, create: bool) -> Store:
    connection = open_file(path, time_id(clock.now()), create=create)
    try:
        return Store(connection, clock.now, habits)
    except sqlite3.Error as error:
        connection.close()
        raise running_error(error, str(path)) from error


def _size(content: str) -> int:
    return len(content) if content.isascii() else len(content.encode(errors="surrogatepass"))
