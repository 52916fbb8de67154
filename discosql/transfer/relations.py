"""What exports read: tables and queries of one moment, as batches of SQL values.

Rows of tables come page by page and are not kept. Those of a query are in memory as a whole before the first is given:
the executor makes a list of them, and a cursor only hands that list out in parts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from discosql.connection import Progress
from discosql.errors import ProgrammingError
from discosql.executor.context import Result
from discosql.explaining import Steps
from discosql.planner.plan import OutputColumn
from discosql.schema import Catalog, TableSchema, quoted
from discosql.session import Session
from discosql.storage.engine import Batch, Pending
from discosql.transfer.importing import POSITIONS
from discosql.types import Row

Batches: TypeAlias = Iterator[list[Row]]

_ROWS: Final = 10_000
"""Rows of a query that are handed on at a time."""


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows with names for their columns. `count` is how many rows there are; `table` is None for a query.

    The values are those that SQL sees, not Python's objects: a BOOLEAN is 0 or 1, a date or JSON is text.
    """

    name: str
    columns: tuple[OutputColumn, ...]
    count: int
    read: Callable[[], Batches]
    table: TableSchema | None = None

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def check_names(self) -> None:
        """Raise ProgrammingError if two columns have the same name, which most targets cannot hold."""
        seen: set[str] = set()
        for name in self.names:
            if name.lower() in seen:
                raise ProgrammingError(f"column {name} is there twice; give one of them another name with AS")
            seen.add(name.lower())


class Snapshot:
    """A database as of one moment: `session` reads that moment only, or is in a transaction.

    `run` drives the steps of a statement to their end, `fetch` gets what a scan asks for.
    """

    def __init__(
        self, session: Session, run: Callable[[Callable[[], Steps]], Result], fetch: Callable[[Pending], object]
    ) -> None:
        self._session = session
        self._view = session.snapshot()
        self._run = run
        self._fetch = fetch

    @property
    def catalog(self) -> Catalog:
        """The schema, without what is temporary."""
        return self._view.catalog

    def highest_rowid(self, table: TableSchema) -> int:
        """Return the highest rowid that AUTOINCREMENT ever gave out."""
        return self._view.statistics(table.id).highest_rowid

    def tables(self) -> list[Relation]:
        """Return all tables in the order in which they were made, but for how far imports have come here."""
        tables = sorted(self.catalog.tables.values(), key=lambda table: table.id)
        return [self._stored(table) for table in tables if table.name != POSITIONS]

    def named(self, name: str) -> Relation:
        """Return a table or a view. Raises UnknownNameError if there is none."""
        table = self._session.catalog.find_table(name)
        if table is not None and not table.temporary:
            return self._stored(table)
        view = self._session.catalog.find_view(name)
        known = view or table
        return self.queried(known.name if known else name, f"SELECT * FROM {quoted(name)}")

    def queried(self, name: str, sql: str) -> Relation:
        """Run a query and return its rows under a name. Raises ProgrammingError for what is no query."""
        if not self._session.is_query(sql):
            raise ProgrammingError("only a table or a query can be exported")
        result = self._run(lambda: self._session.execute(sql))
        if result.columns is None:
            raise ProgrammingError("only a table or a query can be exported")
        rows = result.rows

        def read() -> Batches:
            return (rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS))

        return Relation(name, result.columns, len(rows), read)

    def _stored(self, table: TableSchema) -> Relation:
        columns = tuple(OutputColumn(column.name, column.type, column.declared) for column in table.columns)

        def read() -> Batches:
            return ([row[1:] for row in batch] for batch in self.scan(table))

        return Relation(table.name, columns, self._view.statistics(table.id).rows, read, table)

    def scan(self, table: TableSchema) -> Iterator[Batch]:
        """Yield the rows of a table in the order of rowids, the rowid before the values."""
        reading = self._view.scan(table.id)
        while (batch := reading.next()) is not None:
            rows = batch if isinstance(batch, list) else self._fetch(batch)
            if rows:
                assert isinstance(rows, list)
                yield rows


@dataclass(slots=True)
class Work:
    """An export while it runs: what it is about, how far it is, and what it has to tell afterwards.

    `batch` is the number of rows that are written together; `is_whole` tells that the relations are all tables.
    """

    snapshot: Snapshot
    relations: Sequence[Relation]
    batch: int
    progress: Progress
    is_whole: bool
    counts: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    _done: int = 0

    def rows(self, relation: Relation) -> Batches:
        """Yield the rows of a relation, and report progress."""
        return self.counted(relation, relation.read())

    def stored_rows(self, relation: Relation) -> Batches:
        """Yield the rows of a table with their rowids before them, and report progress."""
        assert relation.table is not None
        return self.counted(relation, self.snapshot.scan(relation.table))

    def counted(self, relation: Relation, batches: Batches) -> Batches:
        """Yield batches as they are, and report them as rows of a relation."""
        total = sum(each.count for each in self.relations)
        self.counts[relation.name] = 0
        for rows in batches:
            yield rows
            self.counts[relation.name] += len(rows)
            self._done += len(rows)
            self.progress(f"{relation.name}, rows: {self.counts[relation.name]:,}", self._done, total)

    def large_batches(self, relation: Relation) -> Batches:
        """Yield the rows of a relation in batches of the size that is wanted; the last may be smaller."""
        waiting: list[Row] = []
        for rows in self.rows(relation):
            waiting += rows
            while len(waiting) >= self.batch:
                yield waiting[: self.batch]
                waiting = waiting[self.batch :]
        if waiting:
            yield waiting

    def warn(self, text: str) -> None:
        """Note what the target cannot hold, once."""
        if text not in self.warnings:
            self.warnings.append(text)
