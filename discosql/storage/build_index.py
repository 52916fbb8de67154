"""Writing the pages of an index: the buckets that changes touch, or all of them when their number grows."""

import asyncio
from collections import defaultdict
from typing import Final

from discosql.errors import DatabaseCorruptionError
from discosql.schema import Index, TableSchema
from discosql.storage.guild import File
from discosql.storage.hash_index import (
    ENTRY_SIZE,
    Bucket,
    IndexPage,
    PagedIndex,
    bucket_of,
    bucket_place,
    encode_bucket,
    packed,
)
from discosql.storage.paged import Need
from discosql.storage.pages import Place, describe, digest_of
from discosql.storage.posting import Workshop
from discosql.storage.rewrite import IndexChanges, IndexCollector

MAX_BITS: Final = 20

_EMPTY: Final = PagedIndex(0, 0, (None,), 0)


class IndexBuilder:
    """Brings an index's pages up to date; `known` is the index as it was, None if it has no pages yet."""

    def __init__(
        self,
        workshop: Workshop,
        schema: TableSchema,
        collector: IndexCollector,
        known: PagedIndex | None,
        fallback: int,
    ) -> None:
        self._workshop = workshop
        self._schema = schema
        self._changes = collector.changes
        self._known = known or _EMPTY
        self._fallback = fallback
        index = collector.index
        columns = [schema.columns[position].name for position in index.columns if position >= 0]
        self._name = "_".join([schema.name, *(columns if isinstance(index, Index) else [index.name])])

    async def build(self) -> PagedIndex | None:
        """Post the pages and return the index; None if no channel can be had for it."""
        known = self._known
        if not self._changes.touched:
            return known
        channel = known.channel or await self._workshop.make_channel(self._name, shared=self._fallback)
        if channel is None:
            return None
        bits = self._bits()
        grown = bits - known.bits
        pages: list[IndexPage | None] = [page for page in known.pages for _ in range(2**grown)]
        distinct = known.distinct
        poster = self._workshop.poster(channel, f"`{self._name}`: a hash index")
        parts = await asyncio.to_thread(_by_bucket, self._changes, known.bits)
        for number in range(len(known.pages)) if grown else sorted(parts):
            old = await self._load(known.pages[number])
            buckets = await asyncio.to_thread(_rewrite, old, parts.get(number), bits, number << grown, 2**grown)
            distinct -= 0 if old is None else await asyncio.to_thread(old.distinct)
            for place, bucket in enumerate(buckets, number << grown):
                pages[place] = None
                if bucket is not None:
                    distinct += await asyncio.to_thread(bucket.distinct)
                    data = await asyncio.to_thread(self._encode, bucket, channel)
                    name = self._workshop.file_name(self._name, f"{place}-of-{2**bits}.idx")
                    await poster.add(File(name, data), _Placing(self._workshop, pages, place, bucket, data))
        await poster.flush()
        self._workshop.note(poster)
        return PagedIndex(channel, bits, tuple(pages), distinct, self._workshop.seed)

    def _encode(self, bucket: Bucket, channel: int) -> bytes:
        data = encode_bucket(bucket)
        seal = self._workshop.seal
        return data if seal is None else seal.seal_file(data, bucket_place(channel, len(bucket.hashes)))

    def _bits(self) -> int:
        known = self._known
        entries = sum(page.entries for page in known.pages if page is not None)
        entries += len(self._changes.hashes) - len(self._changes.removed)
        bits = known.bits
        while bits < MAX_BITS and entries * ENTRY_SIZE > self._workshop.page_size << bits:
            bits += 1
        return bits

    async def _load(self, page: IndexPage | None) -> Bucket | None:
        if page is None:
            return None
        store = self._workshop.store
        self._workshop.replaced.append(page.place)
        bucket = store.bucket(page)
        if bucket is None:
            held = await store.load(Need(buckets={page.place: page}), self._schema)
            bucket = held.bucket(page)
            if bucket is None:
                raise DatabaseCorruptionError(f"{describe(page.place)} is missing or damaged")
        return bucket


class _Placing:
    """Notes where a bucket's page was posted."""

    def __init__(
        self, workshop: Workshop, pages: list[IndexPage | None], number: int, bucket: Bucket, data: bytes
    ) -> None:
        self._workshop = workshop
        self._pages = pages
        self._number = number
        self._bucket = bucket
        self._size = len(data)
        self._digest = digest_of(data)

    def __call__(self, place: Place) -> None:
        self._pages[self._number] = IndexPage(place, len(self._bucket.hashes), self._size, self._digest)
        self._workshop.store.cache.put_if_room(place, self._bucket)


def _by_bucket(changes: IndexChanges, bits: int) -> dict[int, IndexChanges]:
    if bits == 0:
        return {0: changes}
    parts: defaultdict[int, IndexChanges] = defaultdict(IndexChanges)
    for key_hash, rowid in zip(changes.hashes, changes.rowids, strict=True):
        parts[bucket_of(key_hash, bits)].add(key_hash, rowid)
    for entry in changes.removed:
        parts[bucket_of(entry >> 64, bits)].removed.add(entry)
    return parts


def _rewrite(
    old: Bucket | None, changes: IndexChanges | None, bits: int, first: int, count: int
) -> list[Bucket | None]:
    """Return the `count` buckets, from number `first` on, that an old bucket becomes."""
    parts: list[list[int]] = [[] for _ in range(count)]
    shift = 128 - bits
    entries = old.entries() if old is not None else []
    if changes is not None:
        if changes.removed:
            entries = [entry for entry in entries if entry not in changes.removed]
        entries += packed(changes.hashes, changes.rowids)
    for entry in entries:
        parts[(entry >> shift) - first].append(entry)
    return [Bucket.of(part) if part else None for part in parts]
