"""Temporary tables: a database of one connection, in memory and without a log, beside the one that lasts.

It ends with the connection. A `JointTransaction` is a transaction of both, told apart by the ids of tables.
"""

from collections.abc import Sequence
from typing import Protocol

from discosql.errors import InternalError
from discosql.schema import TEMPORARY_ID, Catalog, TableSchema
from discosql.statistics import TableStatistics
from discosql.storage.page_store import Held, Keep, PageStore
from discosql.storage.paged import Need
from discosql.storage.scans import MemoryScan, PagedScan
from discosql.storage.state import State
from discosql.storage.statistics import table_statistics
from discosql.storage.transaction import Rowids, Transaction
from discosql.storage.views import Key, Pending, Range
from discosql.types import Row


class TemporaryDatabase:
    """The temporary tables, views and triggers of a connection."""

    def __init__(self, pages: PageStore) -> None:
        self.pages = pages
        self.rowids: dict[int, Rowids] = {}
        self._state = State(0, Catalog(next_id=TEMPORARY_ID), {})
        self._joined: tuple[Catalog, Catalog, Catalog] | None = None

    def joined(self, lasting: Catalog) -> Catalog:
        """Return what a session sees that has these tables beside those of a catalog."""
        return self.join(lasting, self._state.catalog)

    def join(self, lasting: Catalog, temporary: Catalog) -> Catalog:
        """Return a catalog of both parts, the same object for the same parts."""
        known = self._joined
        if known is None or known[0] is not lasting or known[1] is not temporary:
            known = self._joined = lasting, temporary, lasting.with_part(temporary, temporary=True)
        return known[2]

    def statistics(self, table: int) -> TableStatistics:
        """Return what is known of a table."""
        version = self._state.tables[table]
        return table_statistics(version, version.rows, self.pages)

    def begin(self) -> Transaction:
        """Begin a transaction of these tables."""
        return Transaction(self, self._state)

    def apply(self, transaction: Transaction) -> None:
        """Make a transaction's changes the newest state."""
        state = self._state.after(self._state.slot + 1, [transaction.changes(0)])
        self._state = State(state.slot, state.catalog, state.tables)

    async def commit(self, transaction: Transaction) -> None:
        """Make a transaction's changes the newest state; nothing is to be awaited."""
        self.apply(transaction)

    async def load(self, need: Need, schema: TableSchema, keep: Keep, snapshot: State) -> Held:
        """Raise InternalError: temporary tables have no pages."""
        raise InternalError(f"the temporary table {schema.name} has no pages")


class Schema(Protocol):
    """The tables that last, outside a transaction."""

    @property
    def catalog(self) -> Catalog:
        """The schema."""

    def statistics(self, table: int) -> TableStatistics:
        """Return what is known of a table."""


class JointView:
    """What a statement outside a transaction sees before it runs: both schemas and what is known of the tables."""

    __slots__ = ("_database", "_lasting")

    def __init__(self, lasting: Schema, database: TemporaryDatabase) -> None:
        self._lasting = lasting
        self._database = database

    @property
    def catalog(self) -> Catalog:
        """The schema of both."""
        return self._database.joined(self._lasting.catalog)

    def statistics(self, table: int) -> TableStatistics:
        """Return what is known of a table without a request."""
        return (self._lasting if table < TEMPORARY_ID else self._database).statistics(table)


class JointTransaction:
    """A transaction of the lasting tables and the temporary ones (`WriteView`)."""

    __slots__ = ("_database", "_temporary", "lasting")

    def __init__(self, lasting: Transaction, database: TemporaryDatabase) -> None:
        self.lasting = lasting
        self._database = database
        self._temporary = database.begin()

    def _of(self, table: int) -> Transaction:
        return self.lasting if table < TEMPORARY_ID else self._temporary

    @property
    def catalog(self) -> Catalog:
        """The schema of both."""
        return self._database.join(self.lasting.catalog, self._temporary.catalog)

    # Reading ------------------------------------------------------------------------------------------------------

    def statistics(self, table: int) -> TableStatistics:
        """Return what is known of a table without a request."""
        return self._of(table).statistics(table)

    def scan(self, table: int, ranges: Sequence[Range] = ()) -> MemoryScan | PagedScan:
        """Start a scan of the rows as they are now."""
        return self._of(table).scan(table, ranges)

    def lookup(self, table: int, index: int | None, keys: Sequence[Key]) -> list[Row] | Pending:
        """Return the rows whose key equals one of the keys."""
        return self._of(table).lookup(table, index, keys)

    def prefetch(
        self, scans: Sequence[int], lookups: Sequence[tuple[int, int | None, Sequence[Key]]]
    ) -> Pending | None:
        """Return what loads all of these together; temporary tables need no loading."""
        return self.lasting.prefetch(
            [table for table in scans if table < TEMPORARY_ID],
            [lookup for lookup in lookups if lookup[0] < TEMPORARY_ID],
        )

    # Changing -----------------------------------------------------------------------------------------------------

    @property
    def changed(self) -> bool:
        """Whether there is anything to commit."""
        return self.lasting.changed or self._temporary.changed

    def insert(self, table: int, row: Row) -> None:
        """Add a row whose rowid is not used."""
        self._of(table).insert(table, row)

    def insert_all(self, table: int, rows: Sequence[Row]) -> None:
        """Add rows with different rowids, none of which is used."""
        self._of(table).insert_all(table, rows)

    def update(self, table: int, old: Row, new: Row) -> None:
        """Replace a stored row."""
        self._of(table).update(table, old, new)

    def delete(self, table: int, row: Row) -> None:
        """Remove a stored row."""
        self._of(table).delete(table, row)

    def next_rowid(self, table: int) -> int:
        """Return a rowid above all that are used."""
        return self._of(table).next_rowid(table)

    def next_rowids(self, table: int, count: int, *, above: int | None = None) -> Sequence[int]:
        """Return that many successive rowids above all that are used, and above a given one."""
        return self._of(table).next_rowids(table, count, above=above)

    def note_used(self, table: int, rowid: int) -> None:
        """Let AUTOINCREMENT give out no rowid up to this one."""
        self._of(table).note_used(table, rowid)

    def set_used(self, table: int, rowid: int) -> None:
        """Let AUTOINCREMENT go on from a rowid."""
        self._of(table).set_used(table, rowid)

    def set_catalog(self, catalog: Catalog) -> None:
        """Change the schema of either part, or of both."""
        lasting, temporary = catalog.lasting, catalog.part(temporary=True)
        if lasting.version != self.lasting.catalog.version:
            self.lasting.set_catalog(lasting)
        if temporary.version != self._temporary.catalog.version:
            self._temporary.set_catalog(temporary)

    def mark(self) -> object:
        """Return a mark to which `rollback_to` can return."""
        return self.lasting.mark(), self._temporary.mark()

    def rollback_to(self, mark: object) -> None:
        """Undo what was done since the mark, which may be of a time before there were temporary tables."""
        lasting, temporary = mark if isinstance(mark, tuple) else (mark, 0)
        self.lasting.rollback_to(lasting)
        self._temporary.rollback_to(temporary)

    # Ending -------------------------------------------------------------------------------------------------------

    def committing(self) -> "Pending":
        """Return what commits the transaction when it is fetched."""
        return _JointCommitting(self)

    async def commit(self) -> None:
        """Commit the lasting part, and the temporary one if that has succeeded."""
        if self.lasting.changed:
            await self.lasting.committing().fetch()
        self._database.apply(self._temporary)

    def release(self) -> None:
        """Give back the rowids that were reserved."""
        self.lasting.release()
        self._temporary.release()


class _JointCommitting:
    __slots__ = ("_transaction",)

    def __init__(self, transaction: JointTransaction) -> None:
        self._transaction = transaction

    async def fetch(self) -> None:
        """Commit the transaction."""
        await self._transaction.commit()
