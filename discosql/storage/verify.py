"""Verifying a table as it is stored: every page against the manifest, every index against the rows and back.

Nothing here stops at a page that cannot be read: it is told, its rows are left out, and so are the entries of indexes
for rows that it may hold.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, TypeAlias

from discosql.errors import DatabaseCorruptionError, GuildError
from discosql.schema import ComputedIndex, Index, TableSchema
from discosql.storage.archive import Archive
from discosql.storage.batches import BATCH_ROWS
from discosql.storage.hash_index import IndexPage, PagedIndex, bucket_of, packed
from discosql.storage.keys import key_reader
from discosql.storage.layout import layout_of
from discosql.storage.page_store import PageStore
from discosql.storage.paged import Base, Need
from discosql.storage.pages import Place, RowPage, describe, describe_rows, zones_of
from discosql.storage.problems import Problem, Progress
from discosql.storage.table import TableVersion
from discosql.storage.views import Batch
from discosql.types import Row

Inspect: TypeAlias = Callable[[TableSchema, Batch], Iterable[Problem]]
"""Told some rows of a table: says what is wrong with them."""

_LOW: Final = 2**64 - 1
_SIGN: Final = 2**63


def pages_of(versions: Iterable[TableVersion]) -> int:
    """Return the number of pages that verifying some tables reads."""
    count = 0
    for version in versions:
        if version.base is not None:
            count += len(version.base.pages)
            count += sum(page is not None for index in version.base.indexes.values() for page in index.pages)
    return count


class TableVerifier:
    """Verifies one table of an archive.

    `lost` are then the row pages that cannot be read, `indexes` those with anything wrong, by id, and `rows` the number
    of rows that were found.
    """

    def __init__(
        self,
        archive: Archive,
        version: TableVersion,
        inspect: Inspect,
        progress: Callable[[], None],
        *,
        indexes: bool = True,
    ) -> None:
        self.lost: list[RowPage] = []
        self.indexes: set[int] = set()
        self.rows = 0
        self.problems: list[Problem] = []
        self._store: PageStore = archive.pages
        self.version = version
        self._schema = version.schema
        self._inspect = inspect
        self._progress = progress
        self._highest = 0
        self._unique = {
            index.id: (index, key_reader(self._schema, index), dict[Any, int]())
            for index in self._schema.kept_indexes
            if index.unique and indexes
        }
        self._indexes = self._schema.kept_indexes if indexes else ()

    async def verify(self) -> list[Problem]:
        """Return what is wrong with the table."""
        base = self.version.base
        if base is not None and base.pages:
            await self._verify_pages(base)
        for start in range(0, len(self.version.ordered()), BATCH_ROWS):
            changed = self.version.ordered()[start : start + BATCH_ROWS]
            rows = [self.version.changes()[rowid] for rowid in changed]
            self._take([row for row in rows if row is not None])
        if not self.lost and self.rows != self.version.rows:
            self._report(f"table {self._schema.name} has {self.rows} rows, not {self.version.rows} as noted")
        if self._highest > self.version.used and self._schema.autoincrement:
            self._report(f"table {self._schema.name} uses rowid {self._highest}, above the highest noted")
        return self.problems

    def _report(self, text: str, place: Place | None = None, rowid: int | None = None) -> None:
        table = self._schema.name
        if place is None:
            self.problems.append(Problem("damage", text, table=table, rowid=rowid))
        else:
            self.problems.append(
                Problem("damage", text, None, place.channel, place.message, place.file + 1, table=table, rowid=rowid)
            )

    def _take(self, rows: Batch) -> None:
        """Note rows as they are now."""
        self.rows += len(rows)
        self._highest = max([self._highest, *[row[0] for row in rows]])
        self.problems += self._inspect(self._schema, rows)
        for index, read, holders in self._unique.values():
            for row in rows:
                key = read(row)
                if key is not None and holders.setdefault(key, row[0]) != row[0]:
                    self._report(
                        f"non-unique entry in index {index.name}: rows {holders[key]} and {row[0]}", None, row[0]
                    )

    # Rows ---------------------------------------------------------------------------------------------------------

    async def _verify_pages(self, base: Base) -> None:
        expected = {
            index.id: _Expected(self._schema, index, paged)
            for index in self._indexes
            if (paged := base.indexes.get(index.id)) is not None
        }
        for before, page in pairwise((None, *base.pages)):
            assert page is not None
            if before is not None and before.last >= page.first:
                self._report(f"the rowids of two pages of table {self._schema.name} overlap", page.place)
            rows = await self._page(page)
            if rows is None:
                continue
            for each in expected.values():
                each.add(rows)
            changes = self.version.changes()
            self._take([row for row in rows if row[0] not in changes] if changes else rows)
        for each in expected.values():
            told = len(self.problems)
            await self._verify_index(each)
            if len(self.problems) > told:
                self.indexes.add(each.index.id)

    async def _page(self, page: RowPage) -> Batch | None:
        self._progress()
        try:
            held = await self._store.load(Need.of_rows([page]), self._schema, "nothing")
            rows = held.rows(page, self._schema)
            assert rows is not None
        except (DatabaseCorruptionError, GuildError) as exc:
            self.lost.append(page)
            self._report(str(exc), page.place)
            return None
        for text in _faults_of(page, rows.rows, self._schema):
            self._report(
                f"{text} in the page in file {page.place.file + 1} of message {page.place.message}", page.place
            )
        return rows.rows

    # Indexes ------------------------------------------------------------------------------------------------------

    async def _verify_index(self, expected: "_Expected") -> None:
        """Compare the entries of an index with those that the rows of the pages make."""
        name = expected.index.name
        for number, page in enumerate(expected.paged.pages):
            wanted = expected.bucket(number)
            place = None if page is None else page.place
            found: list[int] | None = []
            if page is not None:
                found = await self._bucket(page, number, expected)
            if found is None:
                continue
            for entry in sorted(wanted.difference(found)):
                self._report(f"row {_rowid(entry)} missing from index {name}", place, _rowid(entry))
            for entry in sorted(set(found).difference(wanted)):
                if not self._may_be_lost(_rowid(entry)):
                    text = f"index {name} has an entry for row {_rowid(entry)}, which has another key or is not there"
                    self._report(text, place, _rowid(entry))

    async def _bucket(self, page: IndexPage, number: int, expected: "_Expected") -> list[int] | None:
        self._progress()
        name = expected.index.name
        held = await self._store.load(Need(buckets={page.place: page}), self._schema)
        bucket = held.bucket(page)
        if bucket is None:
            place = page.place
            self._report(
                f"{describe(place)} is missing or damaged: it holds {page.entries} entries of index {name} of table "
                f"{self._schema.name}",
                place,
            )
            return None
        entries = bucket.entries()
        if any(one > other for one, other in pairwise(bucket.hashes)):
            self._report(f"entries of index {name} are out of order", page.place)
        if any(bucket_of(key_hash, expected.paged.bits) != number for key_hash in bucket.hashes):
            self._report(f"entries of index {name} are in a page that is not theirs", page.place)
        if len(set(entries)) < len(entries):
            self._report(f"index {name} has an entry twice", page.place)
        return entries

    def _may_be_lost(self, rowid: int) -> bool:
        return any(page.first <= rowid <= page.last for page in self.lost)


class _Expected:
    """The entries that an index must have, by the bucket that they belong to."""

    def __init__(self, schema: TableSchema, index: Index | ComputedIndex, paged: PagedIndex) -> None:
        self.index = index
        self.paged = paged
        self._hash = paged.hash_key
        self._read = key_reader(schema, index)
        self._entries: list[int] = []
        self._sorted = False

    def add(self, rows: Batch) -> None:
        """Take all rows of a page."""
        keyed = [(key, row[0]) for row in rows if (key := self._read(row)) is not None]
        self._entries += packed([self._hash(key) for key, _ in keyed], [rowid for _, rowid in keyed])

    def bucket(self, number: int) -> set[int]:
        """Return those of one bucket; all rows must have been taken."""
        if not self._sorted:
            self._entries.sort()
            self._sorted = True
        shift = 128 - self.paged.bits
        start = bisect_left(self._entries, number << shift)
        return set(self._entries[start : bisect_left(self._entries, (number + 1) << shift)])


def _rowid(entry: int) -> int:
    low = entry & _LOW
    return low - 2**64 if low >= _SIGN else low


def _faults_of(page: RowPage, rows: Sequence[Row], schema: TableSchema) -> Iterator[str]:
    """Yield in what the rows of a page differ from what the manifest says of it."""
    if len(rows) != page.rows or rows[0][0] != page.first or rows[-1][0] != page.last:
        yield f"{len(rows)} rows from {rows[0][0]} to {rows[-1][0]} instead of {describe_rows(page)}"
    if any(one[0] >= other[0] for one, other in pairwise(rows)):
        yield "rows out of order"
    if any(len(row) != len(schema.columns) + 1 for row in rows):
        yield "rows with too many or too few values"
    elif page.columns == layout_of(schema) and zones_of(rows, len(page.columns)) != page.zones:
        yield "values beyond the smallest and largest that are noted"


async def verify_tables(
    archive: Archive,
    tables: Mapping[int, TableVersion],
    inspect: Inspect,
    progress: Progress,
    *,
    indexes: bool = True,
) -> dict[int, TableVerifier]:
    """Verify tables of an archive, with their indexes or without; return by table what was found."""
    total = pages_of(tables.values())
    done = 0

    def count() -> None:
        nonlocal done
        progress("pages", done, total)
        done += 1

    found: dict[int, TableVerifier] = {}
    for table, version in tables.items():
        found[table] = TableVerifier(archive, version, inspect, count, indexes=indexes)
        await found[table].verify()
    return found
