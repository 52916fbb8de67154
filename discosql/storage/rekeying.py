"""Giving a database another key, or its first, or none: all pages written anew, and one entry that changes over.

The entry is a checkpoint that covers the entry right before it, sealed with the new key, and so is all that follows.
What is older stays as it was until VACUUM removes it. Up to that entry the old key opens the database, and from it on
the new one, wherever the work is broken off. A process that has only the old key learns of it with the next reading.
"""

from collections.abc import Callable
from dataclasses import replace

from discosql.errors import LimitExceededError, OperationalError
from discosql.storage.body import dump_body
from discosql.storage.build import TableBuilder
from discosql.storage.checkpoint import Checkpoint, Home, new_seed
from discosql.storage.entry import Cover
from discosql.storage.manifest import Manifest, manifest_to_json
from discosql.storage.paged import Base
from discosql.storage.rewrite import Unit, units_of
from discosql.storage.sealing import Seal
from discosql.storage.state import State
from discosql.storage.table import TableVersion


class Rekeying(Checkpoint):
    """A checkpoint of everything under another seal; None makes the database plain."""

    def __init__(self, home: Home, page_size: int, randbytes: Callable[[int], bytes], seal: Seal | None) -> None:
        super().__init__(home, page_size, randbytes)
        # What tells nothing stays in its channel; a name that tells something must go, and a person may want one back.
        self._moves = (self._seal is None) != (seal is None)
        self._seal = seal
        self._workshop = replace(self._workshop, seal=seal, seed=new_seed(seal, home.log.channel))

    async def write(self, *, everything: bool = True) -> bool:
        """Write all pages and the entry. Always wins in the end."""
        tables = {}
        shared: int | None = None
        for table, version in self._state.tables.items():
            tables[table] = await self._write_anew(version, shared)
            base = tables[table].base
            shared = base.channel if base is not None else shared
        await self._append_anew(State(self._state.slot, self._state.catalog, tables))
        return True

    async def _write_anew(self, version: TableVersion, shared: int | None) -> TableVersion:
        base = version.base
        units = units_of(version, self._workshop.page_size)
        touched = {unit.page.place for unit in units if unit.page is not None}
        pages = base.pages if base is not None else ()
        units += [Unit(page, ()) for page in pages if page.place not in touched]
        if not units:
            return TableVersion(version.schema, rows=version.rows, used=version.used)
        if base is None or self._moves:
            channel = await self._workshop.make_channel(version.schema.name, shared=shared)
            if channel is None:
                raise LimitExceededError("no channel can be made for the pages under the new key; nothing was changed")
            base = Base(channel, pages)
        return await TableBuilder(self._workshop, version, units, base, set(base.indexes)).build()

    async def _append_anew(self, written: State) -> None:
        """Append the entry right after the newest one, with what was committed meanwhile over the pages."""
        home, log, seen = self._home, self._home.log, self._state
        async with home.appending:
            while True:
                await home.ready_to_append()
                for state in seen.since():
                    written, seen = written.after(state.slot, state.changes), state
                if seen is not home.state or self._is_late():
                    raise OperationalError("the key is as it was: too much was changed meanwhile; try again")
                self._adopted = home.adopted
                retired = self._retired(written.tables.values())
                manifest = Manifest(written.catalog, written.tables, retired, self._workshop.seed)
                values = manifest_to_json(manifest, sealed=self._seal is not None)
                packed = await log.pack(await dump_body(values), self._seal)
                head = log.head
                if seen is not home.state:
                    continue  # somebody read the log meanwhile
                # VACUUM shall remove all that is under the old key, so there is no checkpoint before this one.
                cover = Cover(head.slot, head.id, head.session, head.message, head.slot + 1)
                draft = log.draft(packed, "CHECKPOINT under another key", oldest=self._workshop.oldest, cover=cover)
                if await log.append(draft, manifest):
                    break
        for place in self._workshop.replaced:
            home.pages.cache.drop(place)
