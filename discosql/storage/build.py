"""Writing a table's pages: those that changes touch, and those of its indexes."""

import asyncio
from collections.abc import Collection, Sequence

from discosql.storage.build_index import IndexBuilder
from discosql.storage.guild import File
from discosql.storage.hash_index import PagedIndex, hasher
from discosql.storage.layout import layout_of
from discosql.storage.paged import Base, Need
from discosql.storage.pages import EncodedPage, PageRows, Place, RowPage, encode_page
from discosql.storage.posting import Workshop, page_text
from discosql.storage.rewrite import IndexCollector, Unit, merge_unit, row_size
from discosql.storage.scans import MAX_AHEAD
from discosql.storage.table import TableVersion
from discosql.storage.views import Batch

_SLICE = 4_096


class TableBuilder:
    """Writes the pages of one table anew where the units say so, and the indexes in `rebuild` from its rows."""

    def __init__(
        self,
        workshop: Workshop,
        version: TableVersion,
        units: Sequence[Unit],
        base: Base,
        rebuild: Collection[int] = (),
    ) -> None:
        self._workshop = workshop
        self._version = version
        self._schema = version.schema
        self._columns = layout_of(version.schema)
        self._base = base
        self._units = units
        self._rebuild = rebuild
        self._row_size = row_size(version)
        self._pages: list[RowPage | None] = []
        self._buffer: Batch = []
        names = [column.name for column in version.schema.columns]
        self._poster = workshop.poster(base.channel, page_text(version.schema.name, names))
        self._collectors = self._make_collectors()

    def _make_collectors(self) -> list[IndexCollector]:
        # An index gets pages once its table has more than one, which is about to be seen.
        many = len(self._base.pages) > 1 or self._version.rows > self._target
        hash_key = hasher(self._workshop.seed)
        known = self._base.indexes
        return [
            IndexCollector(self._schema, index, hash_key, whole=index.id not in known or index.id in self._rebuild)
            for index in self._schema.kept_indexes
            if many or index.id in known
        ]

    @property
    def _target(self) -> int:
        """The number of rows that a page should have."""
        return max(1, int(self._workshop.page_size / self._row_size))

    async def build(self) -> TableVersion:
        """Post the pages and return the table with all its changes in them."""
        kept = await self._write_rows()
        self._workshop.note(self._poster)
        pages = tuple([page for page in self._pages if page is not None])
        indexes = await self._write_indexes(pages, kept)
        base = Base(self._base.channel, pages, indexes)
        return TableVersion(self._schema, base=base, rows=self._version.rows, used=self._version.used)

    # Rows ---------------------------------------------------------------------------------------------------------

    async def _write_rows(self) -> list[RowPage]:
        """Write all units; return the pages that stay."""
        units = {unit.page.place: unit for unit in self._units if unit.page is not None}
        kept: list[RowPage] = []
        for page in self._base.pages:
            unit = units.get(page.place)
            if unit is None:
                await self._end_run()
                self._pages.append(page)
                kept.append(page)
            else:
                await self._write_unit(page, unit.changed)
        for unit in self._units:
            if unit.page is None:
                await self._write_above(unit.changed)
        await self._end_run()
        await self._poster.flush()
        return kept

    async def _write_unit(self, page: RowPage, changed: Sequence[int]) -> None:
        store = self._workshop.store
        self._workshop.replaced.append(page.place)
        rows = store.rows(page, self._schema)
        if rows is None:
            held = await store.load(Need.of_rows([page]), self._schema)
            rows = held.rows(page, self._schema)
        assert rows is not None
        inside = sum(rowid <= page.last for rowid in changed)
        await self._merge(rows.rows, changed[:inside])
        await self._write_above(changed[inside:])

    async def _write_above(self, changed: Sequence[int]) -> None:
        for start in range(0, len(changed), _SLICE):
            await self._merge([], changed[start : start + _SLICE])

    async def _merge(self, old: Batch, changed: Sequence[int]) -> None:
        changes = self._version.changes()
        layer = {rowid: changes[rowid] for rowid in changed}
        self._buffer += await asyncio.to_thread(merge_unit, old, layer, self._collectors)
        while len(self._buffer) >= 2 * self._target:
            target = self._target
            rows, self._buffer = self._buffer[:target], self._buffer[target:]
            await self._write_page(rows)

    async def _end_run(self) -> None:
        """Write what is left of a run of pages side by side."""
        rows, self._buffer = self._buffer, []
        count = max(1, round(len(rows) / self._target))
        size = -(-len(rows) // count)
        for start in range(0, len(rows), size or 1):
            await self._write_page(rows[start : start + size])

    async def _write_page(self, rows: Batch) -> None:
        encoded = await asyncio.to_thread(encode_page, rows, self._columns, self._base.channel, self._workshop.seal)
        if len(encoded.data) > self._workshop.guild.file_limit and len(rows) > 1:
            await self._write_page(rows[: len(rows) // 2])
            await self._write_page(rows[len(rows) // 2 :])
            return
        self._row_size = max(1.0, len(encoded.data) / len(rows))
        number = len(self._pages)
        self._pages.append(None)
        ending = "jsonl.gz" if encoded.packed else "jsonl.txt"
        name = self._workshop.file_name(self._schema.name, f"{rows[0][0]}-{rows[-1][0]}.{ending}")
        await self._poster.add(File(name, encoded.data), lambda place: self._place(number, encoded, place))

    def _place(self, number: int, encoded: EncodedPage, place: Place) -> None:
        page = self._pages[number] = encoded.placed(place)
        cache = self._workshop.store.cache
        rows = PageRows(encoded.rows, self._schema, page.raw)
        # What was just written is likely to be read, but not at the cost of what is being read.
        cache.put_if_room(place, rows)

    # Indexes ------------------------------------------------------------------------------------------------------

    async def _write_indexes(self, pages: Sequence[RowPage], kept: Sequence[RowPage]) -> dict[int, PagedIndex]:
        collectors = [collector for collector in self._collectors if not collector.whole or len(pages) > 1]
        whole = [collector for collector in collectors if collector.whole]
        if whole:
            await self._read_kept(kept, whole)
        indexes = {}
        for collector in collectors:
            known = self._base.indexes.get(collector.index.id)
            if known is not None and collector.whole:
                known = PagedIndex(known.channel, 0, (None,), 0, self._workshop.seed)
            paged = await IndexBuilder(self._workshop, self._schema, collector, known, self._base.channel).build()
            if paged is not None:
                indexes[collector.index.id] = paged
        return indexes

    async def _read_kept(self, kept: Sequence[RowPage], collectors: Sequence[IndexCollector]) -> None:
        store = self._workshop.store
        for start in range(0, len(kept), MAX_AHEAD):
            window = kept[start : start + MAX_AHEAD]
            missing = [page for page in window if not store.holds(page, self._schema)]
            held = await store.load(Need.of_rows(missing), self._schema)
            for page in window:
                rows = held.rows(page, self._schema)
                assert rows is not None
                for collector in collectors:
                    await asyncio.to_thread(collector.add_all, rows.rows)
