"""Transactions: a snapshot, the changes made over it, and what was read."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from discosql.errors import OperationalError, SerializationError
from discosql.schema import Catalog, TableSchema
from discosql.statistics import TableStatistics
from discosql.storage.fetching import Fetching, Prefetching, find
from discosql.storage.layout import MISSING
from discosql.storage.page_store import Held, Keep, PageStore
from discosql.storage.paged import Need, find_keys
from discosql.storage.reads import MAX_LOOKUPS, ReadSet
from discosql.storage.scans import MemoryScan, PagedScan
from discosql.storage.state import Changes, State
from discosql.storage.statistics import table_statistics
from discosql.storage.table import TableVersion
from discosql.storage.views import Key, Pending, Range
from discosql.storage.writes import TableWrites
from discosql.types import MAX_INTEGER, Row


class Home(Protocol):
    """What a transaction needs of its engine."""

    pages: PageStore
    rowids: dict[int, "Rowids"]

    async def commit(self, transaction: "Transaction") -> None:
        """Store the transaction."""

    async def load(self, need: Need, schema: TableSchema, keep: Keep, snapshot: State) -> Held:
        """Load pages of a snapshot."""


class Committing:
    """What a session waits for at the end of a transaction."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: "Transaction") -> None:
        self._transaction = transaction

    async def fetch(self) -> None:
        """Commit the transaction."""
        await self._transaction.engine.commit(self._transaction)


class Rowids:
    """The highest rowid given out in a table, and the running transactions that were given some.

    `shared` tells that there was more than one at some time.
    """

    __slots__ = ("highest", "holders", "shared")

    def __init__(self) -> None:
        self.highest = 0
        self.holders: set[int] = set()
        self.shared = False


class Transaction:
    """A view of the database that can be changed (`WriteView`). Nothing is stored before `Engine.commit`.

    Begin one with `Engine.begin`, end it with `Engine.commit` or `Engine.rollback`; another use after that is a
    programmer's fault. `number` identifies it in the log once it is committed. A `historic` one sees the past.
    """

    __slots__ = ("_reserved", "_tables", "_undo", "catalog", "engine", "historic", "number", "reads", "snapshot")

    def __init__(self, engine: Home, snapshot: State, *, historic: bool = False) -> None:
        self.engine = engine
        self.snapshot = snapshot
        self.catalog = snapshot.catalog
        self.historic = historic
        self.number: int | None = None
        self.reads = ReadSet()
        self._tables: dict[int, TableWrites] = {}
        self._undo: list[tuple[Any, ...]] = []
        self._reserved: set[int] = set()

    def _table(self, table: int) -> TableVersion | TableWrites:
        return self._tables.get(table) or self.snapshot.tables[table]

    # Reading ------------------------------------------------------------------------------------------------------

    def statistics(self, table: int) -> TableStatistics:
        """Return what is known of a table without a request."""
        writes = self._tables.get(table)
        if writes is None:
            version = self.snapshot.tables[table]
            return table_statistics(version, version.rows, self.engine.pages)
        known = table_statistics(writes.version, writes.rows, self.engine.pages)
        return replace(known, highest_rowid=writes.spent) if writes.schema.autoincrement else known

    def scan(self, table: int, ranges: Sequence[Range] = ()) -> MemoryScan | PagedScan:
        """Start a scan of the rows as they are now; later changes do not show in it."""
        self.reads.add_scan(table, ranges)
        found = self._table(table)
        base = found.base
        if base is None or not base.pages:
            return MemoryScan(found.batches())
        return PagedScan(self.engine.pages, found, ranges, self._load)

    def lookup(self, table: int, index: int | None, keys: Sequence[Key]) -> "list[Row] | Pending":
        """Return the rows whose key equals one of the keys, each once, by rowid."""
        found = self._tables.get(table) or self.snapshot.tables[table]
        answer: list[Row] | Need
        if len(keys) == 1 and found.base is None:
            if index is None:
                row = found.changed(keys[0][0])  # type: ignore[arg-type]  # other values equal an integer or none
                answer = [] if row is None or row is MISSING else [row]
            elif isinstance(found, TableVersion):
                answer = found.find_in_memory(index, keys[0])
            else:
                answer = find_keys(found, index, keys, self.engine.pages)
        else:
            answer = find(found, index, keys, self.engine.pages)
        if isinstance(answer, Need):
            note = partial(self._note, table, index, keys)
            return Fetching(found, index, keys, answer, load=self._load, note=note)
        self._note(table, index, keys, answer)
        return answer

    def _note(self, table: int, index: int | None, keys: Sequence[Key], rows: list[Row]) -> None:
        lookups = self.reads.lookups
        lookups.append((table, index, keys, rows))
        if len(lookups) > MAX_LOOKUPS:
            self.reads.compact()

    def prefetch(
        self, scans: Sequence[int], lookups: Sequence[tuple[int, int | None, Sequence[Key]]]
    ) -> "Pending | None":
        """Return what loads all of these together; None if all is in memory."""
        wanted = [(self._table(table), index, keys) for table, index, keys in lookups]
        prefetching = Prefetching(self.engine.pages, map(self._table, scans), wanted, self._load)
        return prefetching if prefetching.needs() else None

    async def _load(self, need: Need, schema: TableSchema, keep: Keep) -> Held:
        try:
            return await self.engine.load(need, schema, keep, self.snapshot)
        except SerializationError as exc:
            if self.historic:
                raise OperationalError("the history of that time has been removed") from exc
            raise

    def renewed(self) -> "Transaction":
        """Return a new transaction on the same snapshot."""
        return Transaction(self.engine, self.snapshot, historic=self.historic)

    def under(self, catalog: Catalog) -> "Transaction":
        """Return a view of the same snapshot with its tables as a newer schema has them: columns matched by id.

        Its catalog stays that of the snapshot: tables that are not in it cannot be read.
        """
        old, schemas = self.snapshot, {schema.id: schema for schema in catalog.tables.values()}
        tables = {
            table: version if version.schema == schemas[table] else version.with_schema(schemas[table])
            for table, version in old.tables.items()
            if table in schemas
        }
        return Transaction(self.engine, State(old.slot, old.catalog, tables), historic=True)

    # Changing -----------------------------------------------------------------------------------------------------

    @property
    def changed(self) -> bool:
        """Whether there is anything to commit."""
        return self.catalog is not self.snapshot.catalog or any(writes.changed_rows for writes in self._tables.values())

    def _writes(self, table: int) -> TableWrites:
        writes = self._tables.get(table)
        if writes is None:
            writes = self._tables[table] = TableWrites(self.snapshot.tables[table])
        return writes

    def _put(self, table: int, rowid: int, row: Row | None, old: Row | None) -> None:
        writes = self._tables.get(table) or self._writes(table)
        self._undo.append((writes, rowid, writes.put(rowid, row, old)))

    def insert(self, table: int, row: Row) -> None:
        """Add a row whose rowid is not used."""
        self._put(table, row[0], row, None)

    def insert_all(self, table: int, rows: Sequence[Row]) -> None:
        """Add rows with different rowids, none of which is used."""
        writes = self._tables.get(table) or self._writes(table)
        added = {row[0]: row for row in rows}
        if writes.layer and not writes.layer.keys().isdisjoint(added):
            for row in rows:
                self.insert(table, row)
            return
        writes.add(added)
        self._undo.append((writes, added, None))

    def update(self, table: int, old: Row, new: Row) -> None:
        """Replace a stored row; its rowid may change to one that is not used."""
        if old[0] != new[0]:
            self._put(table, old[0], None, old)
            old = ()
        self._put(table, new[0], new, old or None)

    def delete(self, table: int, row: Row) -> None:
        """Remove a stored row."""
        self._put(table, row[0], None, row)
        if self._tables[table].schema.autoincrement:
            # What the commit stores does not tell of a row that came and went.
            self.note_used(table, row[0])

    def next_rowid(self, table: int) -> int:
        """Return a rowid above all that are used, and not given to another running transaction of this process."""
        return self.next_rowids(table, 1)[0]

    def next_rowids(self, table: int, count: int, *, above: int | None = None) -> Sequence[int]:
        """Return that many successive rowids, with the promises of `next_rowid`, all above a given one."""
        writes = self._tables.get(table) or self._writes(table)
        rowids = self.engine.rowids.get(table)
        if rowids is None:
            rowids = self.engine.rowids[table] = Rowids()
        if table not in self._reserved:
            self._reserved.add(table)
            rowids.shared = rowids.shared or bool(rowids.holders)
            rowids.holders.add(id(self))
        # What was given to this transaction alone may be given again, as soon as no row has it any more.
        last = writes.last_rowid(above)
        rowid = (max(last, rowids.highest) if rowids.shared else last) + 1
        last = rowid + count - 1
        if last > MAX_INTEGER:
            raise OperationalError(f"table {writes.schema.name} has no rowid left: the highest, {MAX_INTEGER}, is used")
        rowids.highest = max(last, rowids.highest)
        if writes.schema.autoincrement:
            self._undo.append((writes, None, writes.sequence))
            writes.used = last
        return range(rowid, last + 1)

    def note_used(self, table: int, rowid: int) -> None:
        """Let AUTOINCREMENT give out no rowid up to this one."""
        writes = self._writes(table)
        if writes.schema.autoincrement and rowid > writes.noted:
            self._undo.append((writes, None, writes.sequence))
            writes.used = rowid

    def set_used(self, table: int, rowid: int) -> None:
        """Let AUTOINCREMENT go on from a rowid, also from one that is lower than those it gave out.

        Whoever calls it has seen that no row has a higher one, by a scan of what is above it.
        """
        writes = self._writes(table)
        self._undo.append((writes, None, writes.sequence))
        writes.sequence = 0, rowid

    def set_catalog(self, catalog: Catalog) -> None:
        """Change the schema. Rows follow by id: new tables are empty, missing ones dropped, columns matched by id."""
        self._undo.append((None, self._tables, self.catalog))
        tables: dict[int, TableWrites] = {}
        for schema in catalog.tables.values():
            writes, version = self._tables.get(schema.id), self.snapshot.tables.get(schema.id)
            if writes is not None:
                tables[schema.id] = writes if writes.schema == schema else writes.under(schema)
            elif version is None:
                tables[schema.id] = TableWrites(TableVersion(schema))
            elif version.schema != schema:
                tables[schema.id] = TableWrites(version.with_schema(schema))
        self._tables, self.catalog = tables, catalog

    def mark(self) -> object:
        """Return a mark to which `rollback_to` can return, with the schema."""
        return len(self._undo)

    def rollback_to(self, mark: object) -> None:
        """Undo what was done since the mark."""
        assert isinstance(mark, int)
        undo = self._undo
        while len(undo) > mark:
            writes, first, second = undo.pop()
            if writes is None:
                self._tables, self.catalog = first, second
            elif first is None:
                writes.sequence = second
            elif isinstance(first, dict):
                writes.remove(first)
            else:
                writes.undo(first, second)
        for table in self._reserved:
            rowids = self.engine.rowids[table]
            if len(rowids.holders) == 1:
                # Nobody else was given any since, so those given for what is undone may be given again.
                rowids.highest = 0

    # Ending -------------------------------------------------------------------------------------------------------

    def changes(self, number: int) -> Changes:
        """Return what is to be committed, as transaction `number` of its session."""
        catalog = None if self.catalog is self.snapshot.catalog else self.catalog
        tables = {table: writes.to_commit() for table, writes in self._tables.items() if writes.changed_rows}
        return Changes(number, catalog, tables)

    def committing(self) -> Committing:
        """Return what commits the transaction when it is fetched."""
        return Committing(self)

    def release(self) -> None:
        """Give back the rowids that were reserved; the engine calls it at the end."""
        for table in self._reserved:
            rowids = self.engine.rowids[table]
            rowids.holders.discard(id(self))
            if not rowids.holders:
                del self.engine.rowids[table]
        self._reserved.clear()
