"""What a statement waits for when pages it needs are not in memory."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeAlias

from discosql.schema import TableSchema
from discosql.storage.page_store import Held, Keep, PageStore
from discosql.storage.paged import Need, Source, find_keys, find_rowids
from discosql.storage.table import TableVersion
from discosql.storage.views import Key
from discosql.storage.writes import TableWrites
from discosql.types import Row

Table: TypeAlias = TableVersion | TableWrites

Load: TypeAlias = Callable[[Need, TableSchema, Keep], Awaitable[Held]]
"""Loads pages of one table, for rows in a schema's layout."""

_MAX_ROUNDS: Final = 2


def find(table: Table, index: int | None, keys: Sequence[Key], source: Source) -> list[Row] | Need:
    """Return the rows with any of the keys in an index (None: the rowid), or what must be loaded for that."""
    if index is None:
        return find_rowids(table, keys, source)
    return find_keys(table, index, keys, source)


class Fetching:
    """A lookup whose pages are not all in memory; `note` is called with the rows once they are known."""

    __slots__ = ("_index", "_keys", "_load", "_need", "_note", "_table")

    def __init__(
        self,
        table: Table,
        index: int | None,
        keys: Sequence[Key],
        need: Need,
        *,
        load: Load,
        note: Callable[[list[Row]], None],
    ) -> None:
        self._table = table
        self._index = index
        self._keys = keys
        self._need = need
        self._load = load
        self._note = note

    async def fetch(self) -> list[Row]:
        """Load the pages and return the rows."""
        answer: list[Row] | Need = self._need
        held: Held | None = None
        while isinstance(answer, Need):
            loaded = await self._load(answer, self._table.schema, "rows")
            if held is None:
                held = loaded
            else:
                held.update(loaded)
            answer = find(self._table, self._index, self._keys, held)
        self._note(answer)
        return answer


class Prefetching:
    """Loading the pages of many scans and lookups together: first all index pages, then all row pages.

    What would not fit into the cache is left to the reads themselves.
    """

    def __init__(
        self,
        store: PageStore,
        scans: Iterable[Table],
        lookups: Iterable[tuple[Table, int | None, Sequence[Key]]],
        load: Load,
    ) -> None:
        self._store = store
        self._scans = list(scans)
        self._lookups = list(lookups)
        self._load = load

    def needs(self) -> list[tuple[Table, Need]]:
        """Return what is missing now, table by table."""
        needs: dict[int, tuple[Table, Need]] = {}
        for table, index, keys in self._lookups:
            answer = find(table, index, keys, self._store)
            if isinstance(answer, Need):
                needs.setdefault(table.schema.id, (table, Need()))[1].add(answer)
        for table in self._scans:
            pages = table.base.pages if table.base is not None else ()
            missing = [page for page in pages if not self._store.holds(page, table.schema)]
            if missing:
                needs.setdefault(table.schema.id, (table, Need()))[1].add(Need.of_rows(missing))
        room = self._store.cache.limit // 4
        wanted = sum(page.raw for _, need in needs.values() for page in (*need.rows.values(), *need.texts.values()))
        wanted += sum(page.size for _, need in needs.values() for page in need.buckets.values())
        return list(needs.values()) if wanted <= room else []

    async def fetch(self) -> None:
        """Load it."""
        for _ in range(_MAX_ROUNDS):
            needs = self.needs()
            if not needs:
                return
            await asyncio.gather(*[self._load(need, table.schema, "rows") for table, need in needs])
