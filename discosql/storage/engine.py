"""The engine: tables of a database as of a moment, and transactions that change them.

This is all of storage that the rooms above import. What they read and write through is told in `views`; an `Engine`
opens a database on a guild, keeps up with its log, and gives out transactions.
"""

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from discosql.errors import DatabaseCorruptionError, InterfaceError, OperationalError
from discosql.schema import Catalog, TableStatistics
from discosql.storage.committing import Committer
from discosql.storage.entry import Cover, Entry
from discosql.storage.guild import Channel, Guild, Requests
from discosql.storage.local import LocalGuild
from discosql.storage.log import Log
from discosql.storage.state import Changes, State, commits_from_json
from discosql.storage.statistics import table_statistics
from discosql.storage.transaction import Rowids, Transaction
from discosql.storage.views import Batch, Key, Pending, Range, ReadView, TableScan, WriteView

__all__ = [
    "DEFAULT_NAME",
    "Batch",
    "Engine",
    "EngineOptions",
    "Guild",
    "Key",
    "Pending",
    "Range",
    "ReadView",
    "Requests",
    "TableScan",
    "Transaction",
    "WriteView",
    "open_discord",
    "open_engine",
    "open_local",
    "open_memory",
]

DEFAULT_NAME: Final = "discosql"
"""The name of a database whose address has none: that of its category in the server."""

LOG_CHANNEL: Final = "_dbmetadata"


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine works. `cache_size` bounds the decoded pages in memory, in bytes; `page_size` is the stored size
    that pages aim at. A checkpoint is due after `checkpoint_entries` entries or `checkpoint_bytes` bytes of log.
    `randbytes` is the source of session ids and salts; simulations replace it.
    """

    cache_size: int = 256 * 2**20
    page_size: int = 512 * 2**10
    checkpoint_entries: int = 64
    checkpoint_bytes: int = 2**20
    randbytes: Callable[[int], bytes] = os.urandom


class _Task:
    """A `Pending` of a coroutine function."""

    __slots__ = ("_start",)

    def __init__(self, start: Callable[[], Awaitable[object]]) -> None:
        self._start = start

    async def fetch(self) -> object:
        """Run it."""
        return await self._start()


class Engine:
    """A database on a guild, as one process sees it. Not safe for use by two threads at once.

    `state` is the newest state known; transactions begin on it without a request.
    """

    def __init__(self, guild: Guild, channel: Channel, options: EngineOptions) -> None:
        self.guild = guild
        self.options = options
        self.channel = channel
        self.state = State(0, Catalog(), {})
        self.rowids: dict[int, Rowids] = {}
        self.log = Log(guild, channel.id, self, options.randbytes)
        self._committer = Committer(self)
        self._failure: DatabaseCorruptionError | None = None
        self._hinted = False
        self._closed = False
        self._stop_listening: Callable[[], None] | None = None

    # What is there ------------------------------------------------------------------------------------------------

    @property
    def catalog(self) -> Catalog:
        """The schema of the newest state known."""
        return self.state.catalog

    @property
    def head(self) -> int:
        """The slot of the newest state known."""
        return self.state.slot

    @property
    def requests(self) -> Requests:
        """What the guild was asked since it was opened."""
        return self.guild.requests

    def statistics(self, table: int) -> TableStatistics:
        """Return what is known of a table of the newest state without a request."""
        version = self.state.tables[table]
        return table_statistics(version, version.rows)

    # Keeping up ---------------------------------------------------------------------------------------------------

    def is_stale(self, max_staleness: float) -> bool:
        """Tell whether others may have committed something that is not seen yet: a hint came, or, on a guild that
        gives none, the last look at the log is more than `max_staleness` seconds old.
        """
        self.guild.poll()
        if self._hinted:
            return True
        return not self.guild.is_live and self.log.clock.lower_bound() - self.log.synced > max_staleness

    async def refresh(self) -> None:
        """Bring the state up to what is certain in the log by now."""
        self._check_usable()
        self._hinted = False
        try:
            await self.log.sync()
        except DatabaseCorruptionError as exc:
            self._failure = exc
            raise

    def refreshing(self) -> Pending:
        """Return what refreshes when it is fetched."""
        return _Task(self.refresh)

    def _check_usable(self) -> None:
        if self._closed:
            raise InterfaceError("the database is closed")
        if self._failure is not None:
            raise self._failure

    def _hint(self, channel: int) -> None:
        if channel == self.channel.id:
            self._hinted = True

    # Transactions -------------------------------------------------------------------------------------------------

    def begin(self) -> Transaction:
        """Begin a transaction on the newest state known."""
        self._check_usable()
        return Transaction(self, self.state)

    async def commit(self, transaction: Transaction) -> None:
        """Store a transaction's changes, all or none.

        Raises SerializationError if commits since it began changed what it read or wrote, UnknownOutcomeError if the
        guild did not answer; ask `outcome` then. The transaction has ended in any case.
        """
        try:
            self._check_usable()
            if transaction.changed:
                await self._committer.commit(transaction)
        except DatabaseCorruptionError as exc:
            self._failure = exc
            raise
        finally:
            transaction.release()

    def rollback(self, transaction: Transaction) -> None:
        """Forget a transaction's changes; harmless after `commit`."""
        transaction.release()

    async def outcome(self, transaction: str) -> bool | None:
        """Return whether the transaction of an UnknownOutcomeError was stored; None if that is beyond finding out."""
        self._check_usable()
        return await self._committer.outcome(transaction)

    def vacuuming(self) -> Pending:
        """Return what removes old entries and pages when it is fetched."""
        return _Task(self.refresh)

    # What the log tells -------------------------------------------------------------------------------------------

    def reset(self, cover: Cover | None, body: Any) -> None:
        """Start anew from a checkpoint's state, or from an empty database."""
        self.state = State(0, Catalog(), {})

    def apply(self, entry: Entry, body: Any, own: Any) -> None:
        """Take the next entry of the log."""
        commits: Sequence[Changes] = ()
        if entry.kind == "c":
            try:
                commits = own or commits_from_json(body, self.state.catalog, objects=entry.objects)
            except (DatabaseCorruptionError, KeyError) as exc:
                raise DatabaseCorruptionError(f"entry #{entry.slot} of the log makes no sense: {exc}") from exc
        self.state = self.state.after(entry.slot, commits)

    # Opening and closing ------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Read the log, and listen for more."""
        await self.log.open()
        self._stop_listening = self.guild.listen(self._hint)

    async def close(self) -> None:
        """Let running commits end and close the guild."""
        if self._closed:
            return
        await self._committer.finish()
        self._closed = True
        if self._stop_listening is not None:
            self._stop_listening()
        await self.guild.close()


async def open_engine(
    guild: Guild, name: str = DEFAULT_NAME, *, create: bool = True, options: EngineOptions | None = None
) -> Engine:
    """Open the database of that name on a guild, or make it where there is none and `create` is true."""
    channel = _find_log(await guild.channels(), name)
    if channel is None:
        if not create:
            raise OperationalError(f"there is no database {name} on {guild.name}")
        channel = await _create_log(guild, name)
    engine = Engine(guild, channel, options or EngineOptions())
    await engine.open()
    return engine


def _find_log(channels: list[Channel], name: str) -> Channel | None:
    folded = name.lower()
    categories = {channel.id for channel in channels if channel.is_category and channel.name.lower() == folded}
    logs = [channel for channel in channels if channel.category in categories and channel.name == LOG_CHANNEL]
    # Should two processes have made the database at once, everybody takes the older one.
    return min(logs, key=lambda channel: channel.id, default=None)


async def _create_log(guild: Guild, name: str) -> Channel:
    category = await guild.create_category(name)
    channel = await guild.create_channel(LOG_CHANNEL, category.id, "The log of a discosql database: do not write here.")
    await guild.sleep(guild.visibility)
    found = _find_log(await guild.channels(), name)
    if found is None or found.id == channel.id:
        return channel
    await guild.delete_channel(channel.id)
    await guild.delete_channel(category.id)
    return found


async def open_memory(*, options: EngineOptions | None = None) -> Engine:
    """Open a new database in memory."""
    return await open_engine(LocalGuild.memory(), options=options)


async def open_local(
    path: "str | os.PathLike[str]",
    name: str = DEFAULT_NAME,
    *,
    create: bool = True,
    options: EngineOptions | None = None,
) -> Engine:
    """Open a database in a local guild's file."""
    guild = LocalGuild.open(path, create=create)
    try:
        return await open_engine(guild, name, create=create, options=options)
    except BaseException:
        await guild.close()
        raise


async def open_discord(
    server: str,
    name: str = DEFAULT_NAME,
    *,
    token: str | None = None,
    client: Any = None,
    gateway: bool = False,
    create: bool = True,
    options: EngineOptions | None = None,
) -> Engine:
    """Open a database on a Discord server, through a client of our own (`token`) or the caller's."""
    # discord.py takes long to import, and most programs on a local guild never need it.
    from discosql.storage.discord import DiscordGuild

    if client is not None:
        guild: Guild = await DiscordGuild.attach(client, server)
    else:
        guild = await DiscordGuild.connect(server, token, gateway=gateway)
    try:
        return await open_engine(guild, name, create=create, options=options)
    except BaseException:
        await guild.close()
        raise
