"""A running database: what its log tells, kept as a state that transactions begin on."""

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from discosql.errors import (
    DatabaseCorruptionError,
    DatabaseError,
    EncryptionKeyError,
    InterfaceError,
    NotFoundError,
    OperationalError,
    SerializationError,
)
from discosql.schema import Catalog, TableSchema
from discosql.statistics import TableStatistics
from discosql.storage.chain import Candidate
from discosql.storage.checkpoint import Checkpoint, channels_of
from discosql.storage.collect import Collector, Progress, Vacuumed
from discosql.storage.committing import Committer
from discosql.storage.entry import Entry
from discosql.storage.guild import Channel, Guild, Requests
from discosql.storage.history import is_settled, state_as_of
from discosql.storage.log import Log
from discosql.storage.manifest import Adopted, adopted_of
from discosql.storage.mending import Mending
from discosql.storage.metrics import Activity
from discosql.storage.options import EngineOptions
from discosql.storage.page_store import Held, Keep, PageLostError, PageStore
from discosql.storage.paged import Need
from discosql.storage.posting import Channels
from discosql.storage.rekeying import Rekeying
from discosql.storage.sealing import EncryptionKey, Keyring
from discosql.storage.state import State
from discosql.storage.statistics import table_statistics
from discosql.storage.tail import Tail, commits_of
from discosql.storage.temporary import JointTransaction, TemporaryDatabase
from discosql.storage.transaction import Rowids, Transaction
from discosql.storage.upkeep import Upkeep
from discosql.storage.views import Pending


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

    `state` is the newest state known; transactions begin on it without a request. `adopted` is the checkpoint that its
    pages are of, `pages` has those that are in memory.
    """

    def __init__(
        self, guild: Guild, channel: Channel, options: EngineOptions, channels: Sequence[Channel] = ()
    ) -> None:
        self.guild = guild
        self.options = options
        self.channel = channel
        self.state = State(0, Catalog(), {})
        self.adopted: Adopted | None = None
        self.rowids: dict[int, Rowids] = {}
        self.activity = Activity()
        keyring = Keyring(options.key, channel.id, options.randbytes)
        self.log = Log(guild, channel.id, self, options.randbytes, keyring)
        self.log.newest = channel.newest
        self.pages = PageStore(guild, options.cache_size, keyring)
        self.channels = Channels(guild, channel.category or 0, channels)
        self.appending = asyncio.Lock()
        self._checkpointing = asyncio.Lock()
        self._committer = Committer(self)
        self._tail = Tail(kept=options.checkpoint_entries > 0)
        self._upkeep = Upkeep(options.checkpoint_entries, options.checkpoint_bytes, self.checkpoint)
        self._resuming: tuple[State, str] | None = None
        self._failure: DatabaseError | None = None
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

    @property
    def tail(self) -> Tail:
        """What the log says after the checkpoint in use."""
        return self._tail

    def statistics(self, table: int) -> TableStatistics:
        """Return what is known of a table of the newest state without a request."""
        version = self.state.tables[table]
        return table_statistics(version, version.rows, self.pages)

    def channels_of(self, table: int, index: int | None = None) -> tuple[str, ...]:
        """Return the names of the channels where the pages of a table are, after those of an index of it.

        None are there for a table that is all in memory.
        """
        base = self.state.tables[table].base if table in self.state.tables else None
        if base is None or not base.pages:
            return ()
        paged = base.indexes.get(index) if index is not None else None
        found = [page.place.channel for page in (paged.pages if paged is not None else ()) if page is not None]
        found += [page.place.channel for page in base.pages]
        return tuple([self.channels.name(channel) for channel in dict.fromkeys(found)])

    # Keeping up ---------------------------------------------------------------------------------------------------

    def is_stale(self, max_staleness: float) -> bool:
        """Tell whether others may have committed something that is not seen yet: a hint came, or, on a guild that
        gives none, the last look at the log is more than `max_staleness` seconds old.
        """
        self.guild.poll()
        if self.log.hinted:
            return True
        return not self.guild.is_live and self.log.clock.lower_bound() - self.log.synced > max_staleness

    async def refresh(self, *, latest: bool = False, since: int | None = None) -> None:
        """Bring the state up to what is certain in the log by now.

        With `latest`, everything that anybody had committed before the call will be in it; on Discord that means
        waiting for a second or more. With `since`, a reading that began after so many will do.
        """
        self._check_usable()
        with self._stopping():
            if latest:
                await self.log.sync_to_latest()
            else:
                await self.log.sync(since)

    def refreshing(self) -> Pending:
        """Return what refreshes when it is fetched, unless the log was read since this call."""
        return _Task(partial(self.refresh, since=self.log.readings))

    async def ready_to_append(self) -> None:
        """Resolve what is unknown, and bring the state up to date if it must be."""
        await self._committer.resolve()
        if not self.log.is_fresh:
            await self.refresh()

    @property
    def is_usable(self) -> bool:
        """Whether it was neither closed nor given up because the log turned out to be damaged."""
        return not self._closed and self._failure is None

    def _check_usable(self) -> None:
        if self._closed:
            raise InterfaceError("the database is closed")
        if self._failure is not None:
            raise self._failure

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Refuse all further work once the log has turned out to be damaged, or to go on under another key."""
        try:
            yield
        except (DatabaseCorruptionError, EncryptionKeyError) as exc:
            self._failure = exc
            raise

    def _hint(self, channel: int) -> None:
        if channel == self.channel.id:
            self.log.hinted = True

    # Transactions -------------------------------------------------------------------------------------------------

    def begin(self) -> Transaction:
        """Begin a transaction on the newest state known."""
        self._check_usable()
        return Transaction(self, self.state)

    async def begin_as_of(self, moment: int | datetime.datetime) -> Transaction:
        """Begin a transaction that sees the database as of a slot, or a moment (UTC if it has no zone).

        It can only read. Raises OperationalError if the history of that time has been removed.
        """
        self._check_usable()
        return Transaction(self, await state_as_of(self, moment), historic=True)

    def beginning_as_of(self, moment: int | datetime.datetime) -> Pending:
        """Return what gives such a transaction when it is fetched."""
        return _Task(partial(self.begin_as_of, moment))

    def is_settled(self, moment: int | datetime.datetime) -> bool:
        """Tell whether `begin_as_of` will always find the same of a slot or a moment."""
        return is_settled(self, moment)

    async def commit(self, transaction: Transaction) -> None:
        """Store a transaction's changes, all or none.

        Raises SerializationError if commits since it began changed what it read or wrote, UnknownOutcomeError if the
        guild did not answer; ask `outcome` then. The transaction has ended in any case.
        """
        try:
            self._check_usable()
            if transaction.changed:
                if transaction.historic:
                    message = "attempt to write a readonly database: the past cannot be changed"
                    raise OperationalError(message).coded("SQLITE_READONLY")
                with self._stopping():
                    await self._committer.commit(transaction)
        finally:
            transaction.release()
        self._upkeep.start(self._tail, is_owner=self._is_owner)

    def rollback(self, transaction: Transaction | JointTransaction) -> None:
        """Forget a transaction's changes; harmless after `commit`."""
        transaction.release()

    def temporary(self) -> TemporaryDatabase:
        """Return an empty database of temporary tables."""
        return TemporaryDatabase(self.pages)

    async def outcome(self, transaction: str) -> bool | None:
        """Return whether the transaction of an UnknownOutcomeError was stored; None if that is beyond finding out."""
        self._check_usable()
        return await self._committer.outcome(transaction)

    async def load(self, need: Need, schema: TableSchema, keep: Keep, snapshot: State) -> Held:
        """Load pages of a snapshot. Raises SerializationError if they were removed because newer ones replaced them."""
        try:
            return await self.pages.load(need, schema, keep)
        except PageLostError as exc:
            adopted = self.adopted
            await self.refresh()
            if self.adopted is not adopted or snapshot is not self.state:
                raise SerializationError("the pages of this snapshot have been removed") from exc
            raise

    # What the log tells -------------------------------------------------------------------------------------------

    def reset(self, checkpoint: Candidate | None, body: Any) -> None:
        """Start anew from a checkpoint's state, or from an empty database."""
        if self.state.slot:
            # Detached until the log turns out to tell what came after it.
            self.state.detached = True
            self._resuming = (self.state, self._tail.last_id)
        self.adopted = None if checkpoint is None else adopted_of(checkpoint, body)
        cover_id = ""
        self.state = State(0, Catalog(), {})
        if self.adopted is not None:
            manifest, cover = self.adopted.manifest, self.adopted.cover
            self.state, cover_id = State(cover.slot, manifest.catalog, manifest.tables), cover.id
        self._tail = Tail(kept=self.options.checkpoint_entries > 0, last_id=cover_id)
        self._resume()

    def apply(self, entry: Entry, body: Any) -> None:
        """Take the next entry of the log."""
        try:
            commits = commits_of(entry, body, self.state.catalog)
            self.state = self.state.after(entry.slot, commits)
        except (DatabaseCorruptionError, KeyError) as exc:
            raise DatabaseCorruptionError(f"entry #{entry.slot} of the log makes no sense: {exc}") from exc
        self._tail.add(entry, commits)
        self._resume()

    def adopt(self, checkpoint: Candidate, body: Any) -> None:
        """Take the pages of a checkpoint in place of what has been in memory since before it."""
        if not self.options.checkpoint_entries:
            return
        self.adopted = adopted_of(checkpoint, body)
        manifest, cover = self.adopted.manifest, self.adopted.cover
        self._tail.cut(cover.slot)
        rebased = State(cover.slot, manifest.catalog, manifest.tables)
        for slot, commits in self._tail:
            rebased = rebased.after(slot, commits)
        self._continue_as(State(self.state.slot, self.state.catalog, rebased.tables))

    def _resume(self) -> None:
        """Join the last state before a reset to the one of the same entry after it."""
        if self._resuming is None:
            return
        old, last_id = self._resuming
        if self.state.slot == old.slot and self._tail.last_id == last_id:
            old.detached = False
            old.successor = self._continue_as(State(self.state.slot, self.state.catalog, self.state.tables))
        if self.state.slot >= old.slot:
            self._resuming = None

    def _continue_as(self, state: State) -> State:
        """Go on with another form of the newest state."""
        self.state.successor = state
        self.state = state
        return state

    # Checkpoints --------------------------------------------------------------------------------------------------

    async def checkpoint(self, *, everything: bool = False, mending: Mapping[int, Mending] | None = None) -> bool:
        """Write the newest state into pages; return whether that was done, False if another process did so meanwhile.

        With `everything`, all changes go into pages; else few changes of a large table are carried along. `mending`
        tells what to do about damaged pages, by table.
        """
        self._check_usable()
        if not self.state.slot:
            return False
        async with self._checkpointing:
            with self._stopping():
                writing = Checkpoint(self, self.options.page_size, self.options.randbytes, mending)
                return await self._write(writing, everything=everything)

    async def _write(self, writing: Checkpoint, *, everything: bool = True) -> bool:
        self.channels.in_use = channels_of(self.state.tables.values())
        started = self.guild.monotonic()
        try:
            written = await writing.write(everything=everything)
        except NotFoundError:
            self.channels.forget()
            raise
        self.activity.checkpoints += written
        label = "written" if written else "given up"
        self.requests.tell("checkpoint", label, self.guild.monotonic() - started)
        return written

    async def rekey(self, key: EncryptionKey | None) -> None:
        """Encrypt the database with another key, or not at all (None): everything is written anew.

        If it fails, the database has the key that it had; only after an UnknownOutcomeError may it have either. What is
        under the old key goes with a VACUUM, an hour later at the earliest.
        """
        self._check_usable()
        async with self._checkpointing, self.log.keyring.changing(key) as seal:
            with self._stopping():
                await self.log.sync()
            if self.state.slot:
                await self._write(Rekeying(self, self.options.page_size, self.options.randbytes, seal))
            else:
                self.log.keyring.current = seal
        self.options = replace(self.options, key=key)

    @property
    def _is_owner(self) -> bool:
        return self.log.head.session == self.log.session

    async def vacuum(self, progress: Progress | None = None) -> Vacuumed:
        """Remove the entries and pages that nobody can need any more, and with them the history; return how many."""
        await self.refresh()
        if len(self._tail):
            await self.checkpoint()
        await self.refresh()
        if self.adopted is None:
            return Vacuumed()
        return await Collector(self, self.adopted, progress).collect()

    def vacuuming(self, progress: Progress | None = None) -> Pending:
        """Return what removes old entries and pages when it is fetched."""
        return _Task(partial(self.vacuum, progress))

    # Opening and closing ------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Read the log, and listen for more."""
        await self.log.open()
        await self.log.catch_up()
        self._stop_listening = self.guild.listen(self._hint)

    async def close(self) -> None:
        """Let running commits end, make a checkpoint if it is worth it, and close the guild."""
        if self._closed:
            return
        await self._committer.finish()
        if self._failure is None:
            await self._upkeep.at_close(self._tail, is_owner=self._is_owner)
        self._closed = True
        if self._stop_listening is not None:
            self._stop_listening()
        await self.pages.close()
        await self.guild.close()
