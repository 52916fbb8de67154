"""What the rooms above see of storage: tables of a database as of a moment, and transactions that change them.

Rows are tuples (rowid, values of the table's columns in order); a batch is a list of rows in rowid order. Reads come
in two forms, so that what is in memory costs no waiting: `next` and `lookup` answer at once if they can, and
otherwise give something with a coroutine `fetch` that does the requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from discosql.schema import Catalog
from discosql.statistics import TableStatistics
from discosql.types import Row, Value

Batch: TypeAlias = list[Row]
Key: TypeAlias = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Closed bounds for a stored column (position in the row: 0 is the rowid); None is open. A hint for pruning."""

    position: int
    low: Value = None
    high: Value = None


class Pending(Protocol):
    """Something that needs requests. `fetch` does them and returns the answer."""

    async def fetch(self) -> object:
        """Do the requests and return what was asked for."""


class TableScan(Protocol):
    """Rows of a table, batch by batch in rowid order."""

    def next(self) -> "Batch | Pending | None":
        """Return the next batch, None at the end, or what to fetch: its `fetch` returns the batch or None."""


class ReadView(Protocol):
    """What a statement sees: a snapshot, and over it the changes of its own transaction."""

    @property
    def catalog(self) -> Catalog:
        """The schema as of this view."""

    def statistics(self, table: int) -> TableStatistics:
        """Return what is known of a table without a request."""

    def scan(self, table: int, ranges: Sequence[Range] = ()) -> TableScan:
        """Start a scan; batches without any row in the ranges may be left out."""

    def lookup(self, table: int, index: int | None, keys: Sequence[Key]) -> "list[Row] | Pending":
        """Return the rows whose key in the index (None: the rowid) equals one of the keys, each once, by rowid.

        Equality is SQL's under the index's collations; a key with a NULL finds nothing. The answer is exact. The
        Pending's `fetch` returns the list.
        """

    def prefetch(
        self, scans: Sequence[int], lookups: Sequence[tuple[int, int | None, Sequence[Key]]]
    ) -> "Pending | None":
        """Return what loads all of these together, with as few requests as can be; None if all is in memory."""


class WriteView(ReadView, Protocol):
    """A transaction: a view that can be changed. Nothing is stored before the engine commits it."""

    def insert(self, table: int, row: Row) -> None:
        """Add a row whose rowid is not used."""

    def insert_all(self, table: int, rows: Sequence[Row]) -> None:
        """Add rows with different rowids, none of which is used."""

    def update(self, table: int, old: Row, new: Row) -> None:
        """Replace a stored row; its rowid may change to one that is not used."""

    def delete(self, table: int, row: Row) -> None:
        """Remove a stored row."""

    def next_rowid(self, table: int) -> int:
        """Return a rowid above all that are used, and not given to another running transaction of this process.

        Raises OperationalError when the highest 64-bit rowid is used.
        """

    def next_rowids(self, table: int, count: int, *, above: int | None = None) -> Sequence[int]:
        """Return that many successive rowids, with the promises of `next_rowid`, all above a given one."""

    def set_used(self, table: int, rowid: int) -> None:
        """Let AUTOINCREMENT go on from a rowid, also from one that is lower than those it gave out.

        Whoever calls it has seen that no row has a higher one, by a scan of what is above it.
        """

    def set_catalog(self, catalog: Catalog) -> None:
        """Change the schema. Rows follow by id: new tables are empty, missing ones dropped, columns matched by id."""

    def mark(self) -> object:
        """Return a mark to which `rollback_to` can return, with the schema."""

    def rollback_to(self, mark: object) -> None:
        """Undo what was done since the mark."""
