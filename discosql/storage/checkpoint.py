"""Checkpoints: the state as of a slot, written into pages and named by one entry of the log.

Pages come first, and nothing names them until the entry has won a slot; so a checkpoint that is broken off anywhere
leaves nothing but messages that nobody reads. Commits go on meanwhile, and the entry follows them.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from loguru import logger

from discosql.errors import DatabaseCorruptionError
from discosql.storage.body import dump_body
from discosql.storage.build import TableBuilder
from discosql.storage.entry import Cover
from discosql.storage.guild import Guild, id_time, time_id
from discosql.storage.log import Log
from discosql.storage.manifest import Adopted, Manifest, Retired, manifest_to_json
from discosql.storage.mending import Mending
from discosql.storage.opening import SEGMENT
from discosql.storage.page_store import PageStore
from discosql.storage.paged import Base
from discosql.storage.posting import Channels, Workshop
from discosql.storage.rewrite import is_worth_writing, units_of
from discosql.storage.sealing import Seal, plain_seed
from discosql.storage.state import State
from discosql.storage.switching import quick_switching
from discosql.storage.table import TableVersion

KEEP_RETIRED: Final = 2 * 3600.0
"""Seconds for which manifests tell what was retired; half of that is the time after which it may be removed."""


class Home(Protocol):
    """What a checkpoint needs of its engine. `adopted` is the last valid checkpoint."""

    guild: Guild
    log: Log
    pages: PageStore
    channels: Channels
    appending: asyncio.Lock
    state: State
    adopted: Adopted | None

    async def ready_to_append(self) -> None:
        """Resolve what is unknown, and bring the state up to date if it must be."""


class Checkpoint:
    """One checkpoint of one engine, of the state that is the newest when it is made."""

    def __init__(
        self,
        home: Home,
        page_size: int,
        randbytes: Callable[[int], bytes],
        mending: Mapping[int, Mending] | None = None,
    ) -> None:
        self._home = home
        self._mending = mending or {}
        self._state = home.state
        self._head = home.log.head
        self._cover = home.log.cover
        self._adopted = home.adopted
        self._seal = seal = home.log.keyring.current
        # One key for all indexes as long as the database keeps its key.
        seed = home.adopted.manifest.seed if home.adopted is not None else new_seed(seal, home.log.channel)
        since = time_id(home.log.clock.lower_bound() - SEGMENT / 2)
        self._workshop = Workshop(home.guild, home.pages, home.channels, page_size, randbytes, seed, seal, since)

    async def write(self, *, everything: bool = False) -> bool:
        """Write the pages and the entry; return whether it won.

        With `everything`, all changes go into pages, however few they are.
        """
        tables = {}
        with quick_switching():
            for table, version in self._state.tables.items():
                tables[table] = await self._write_table(version, everything=everything)
        return await self._append(
            Manifest(self._state.catalog, tables, self._retired(tables.values()), self._workshop.seed)
        )

    async def _write_table(self, version: TableVersion, *, everything: bool) -> TableVersion:
        """Write what changed in a table, and its indexes anew that have lost a page.

        Where a page with rows cannot be read, the changes are carried along: they are safe, and so are other tables.
        """
        rebuild = _damaged_indexes(version, self._home.pages)
        mending = self._mending.get(version.schema.id)
        if mending is not None:
            version = mending.applied(version)
            rebuild |= mending.indexes
        try:
            return await self._build_table(version, rebuild, everything=everything)
        except DatabaseCorruptionError as exc:
            if not _damaged_indexes(version, self._home.pages) <= rebuild:
                return await self._write_table(version, everything=everything)
            logger.warning("the pages of table {} stay as they are: {}", version.schema.name, exc)
            return version

    async def _build_table(self, version: TableVersion, rebuild: set[int], *, everything: bool) -> TableVersion:
        changes = await asyncio.to_thread(version.ordered)
        base = version.base
        lacks_index = _lacks_index(version) or bool(rebuild)
        if not changes and not lacks_index:
            return version
        units = await asyncio.to_thread(units_of, version, self._workshop.page_size)
        if not everything and not lacks_index and not is_worth_writing(version, units):
            return version
        if base is None:
            shared = next((table.base.channel for table in self._state.tables.values() if table.base), None)
            channel = await self._workshop.make_channel(version.schema.name, shared=shared)
            if channel is None:
                return version
            base = Base(channel)
        return await TableBuilder(self._workshop, version, units, base, rebuild).build()

    def _retired(self, tables: Iterable[TableVersion]) -> tuple[Retired, ...]:
        """Return what this checkpoint makes needless, and what earlier ones did not long ago."""
        before = self._adopted
        if before is None:
            return ()
        tables = list(tables)
        old = list(before.manifest.tables.values())
        gone = messages_of(old) - messages_of(tables)
        channels = channels_of(old) - channels_of(tables)
        retired = [Retired(0, tuple(sorted(gone)), tuple(sorted(channels)))] if gone or channels else []
        now = self._home.log.clock.lower_bound()
        for item in before.retired():
            if id_time(item.message) + KEEP_RETIRED > now:
                retired.append(item)
        return tuple(retired)

    async def _append(self, manifest: Manifest) -> bool:
        home, head = self._home, self._head
        values = manifest_to_json(manifest, sealed=self._seal is not None)
        packed = await home.log.pack(await dump_body(values), self._seal)
        cover = Cover(head.slot, head.id, head.session, head.message, self._cover.slot if self._cover else 0)
        while True:
            async with home.appending:
                await home.ready_to_append()
                if home.log.cover != self._cover or self._is_late():
                    return False
                title = f"CHECKPOINT of #{head.slot}"
                draft = home.log.draft(packed, title, oldest=self._workshop.oldest, cover=cover)
                if await home.log.append(draft, manifest):
                    break
        for place in self._workshop.replaced:
            home.pages.cache.drop(place)
        return True

    def _is_late(self) -> bool:
        oldest = self._workshop.oldest
        return oldest != 0 and self._home.log.clock.lower_bound() - id_time(oldest) > SEGMENT


def _damaged_indexes(version: TableVersion, store: PageStore) -> set[int]:
    """Return the indexes of a table of which a page is missing or damaged, as far as that is known."""
    if version.base is None:
        return set()
    return {
        index
        for index, paged in version.base.indexes.items()
        if any(page is not None and store.is_lost(page) for page in paged.pages)
    }


def new_seed(seal: Seal | None, log: int) -> bytes:
    """Return the key of index hashes for a database that has no indexes yet, or none under this seal."""
    return plain_seed(log) if seal is None else seal.seed


def _lacks_index(version: TableVersion) -> bool:
    base = version.base
    if base is None or len(base.pages) < 2:
        return False
    return any(index.id not in base.indexes for index in version.schema.kept_indexes)


def messages_of(tables: Iterable[TableVersion]) -> set[tuple[int, int]]:
    """Return the channels and messages of all pages of some tables."""
    found = set()
    for table in tables:
        if table.base is not None:
            found |= {(page.place.channel, page.place.message) for page in table.base.pages}
            for index in table.base.indexes.values():
                found |= {(page.place.channel, page.place.message) for page in index.pages if page is not None}
    return found


def channels_of(tables: Iterable[TableVersion]) -> set[int]:
    """Return the channels in which pages of some tables are or would be posted."""
    found = {channel for channel, _ in messages_of(tables)}
    for table in tables:
        if table.base is not None:
            found.add(table.base.channel)
            found |= {index.channel for index in table.base.indexes.values() if index.channel}
    return found
