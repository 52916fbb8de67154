"""Importing a file of rows into a table, a batch a commit, so that an interrupted import goes on where it stopped.

How many rows of a file were stored is kept in the table `discosql_imports` of the same database and changed in the same
commit as the rows. A file is known by the SHA-256 of what is in it, not by its name. Within a transaction that is open
already nothing is committed and nothing of that kept.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from discosql.connection import Progress
from discosql.errors import DataError, Error, IntegrityError, ProgrammingError
from discosql.schema import quoted
from discosql.transfer.formats import open_source
from discosql.transfer.inference import Converter, as_given, converter, survey
from discosql.transfer.sources import Chunk, Source, digest_of, plain_path
from discosql.transfer.statements import Statements

BATCH: Final = 50_000
"""Rows a commit unless told otherwise."""

POSITIONS: Final = "discosql_imports"
"""The table that says how far each import has come; it may be dropped when no import is to be continued."""

_MAKE_POSITIONS: Final = f"""CREATE TABLE IF NOT EXISTS {POSITIONS} (
    file TEXT, "table" TEXT, rows INTEGER NOT NULL, finished BOOLEAN NOT NULL, PRIMARY KEY (file, "table"))"""
_SET_POSITION: Final = f"""INSERT INTO {POSITIONS} VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET rows = excluded.rows, finished = excluded.finished"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How a file is imported.

    `table`: default the file's name without its ending; of a SQLite file the table or tables that are wanted, default
    all. `primary_key`: columns of the key of a table that is made, and the key of `upsert`, which changes rows that are
    there already. `again`: also what was imported before.
    """

    table: str | Sequence[str] | None = None
    primary_key: Sequence[str] = ()
    upsert: bool = False
    batch: int = BATCH
    again: bool = False

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ProgrammingError("a batch has at least one row")

    @property
    def tables(self) -> list[str]:
        """The tables named, none if that is left to the file."""
        return [self.table] if isinstance(self.table, str) else list(self.table or ())


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: the table, rows stored by it, rows that an earlier one had stored, seconds."""

    table: str
    rows: int
    before: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did to each table, and what of a SQLite file could not be kept as it was."""

    tables: Sequence[Imported]
    warnings: Sequence[str]

    @property
    def rows(self) -> int:
        """Rows stored in all of them."""
        return sum(table.rows for table in self.tables)


def import_file(connection: Statements, path: Path, options: ImportOptions, progress: Progress) -> Imported:
    """Import a file of one of the formats in `formats`; the table is made if there is none.

    Batches before one that fails stay; of that one nothing does. Raises DataError or IntegrityError with the file and
    the line, ProgrammingError for a file that was imported before.
    """
    if len(options.tables) > 1:
        raise ProgrammingError(f"{path} has the rows of one table, not of {len(options.tables)}")
    table = options.tables[0] if options.tables else plain_path(path).stem
    source = open_source(path)
    digest = None if connection.in_transaction else digest_of(path)
    return TableImport(connection, source, table, digest, options, progress).run()


class TableImport:
    """The import of one table's rows. Without a `digest` of the file nobody will know how far it came."""

    def __init__(
        self,
        connection: Statements,
        source: Source,
        table: str,
        digest: str | None,
        options: ImportOptions,
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._source = source
        self._table = table
        self._digest = digest
        self._options = options
        self._progress = progress
        self._size = source.path.stat().st_size
        self._start = time.monotonic()
        self._stored = 0
        self._kept: deque[Chunk] | None = None
        self._finish: Sequence[Converter] = ()

    def run(self) -> Imported:
        """Import what is not there yet."""
        before = self._position()
        declared = self._declared_types()
        make = None
        if not declared:
            found = self._source.types or self._survey()
            declared = dict(zip(self._source.columns, found, strict=True))
            make = self._create_table(declared)
        kinds = self._kinds(declared)
        insert = self._insert_statement(make is None)
        for rows, lines, last in self._batches(before, kinds):
            self._store(make, insert, rows, lines, before, last=last)
            make = None
        return Imported(self._table, self._stored, before, time.monotonic() - self._start)

    def _survey(self) -> list[str]:
        def report(done: int) -> None:
            self._progress("finding the types of columns", done, self._size)

        found = survey(self._source, report)
        self._kept, self._finish = found.chunks, found.finish
        return found.types

    def _position(self) -> int:
        """Return how many rows of the file are in the table already."""
        if self._digest is None:
            return 0
        row = position_of(self._connection, self._digest, self._table)
        if row is None:
            return 0
        if row[1] and not self._options.again:
            raise ProgrammingError(f"{self._source.path} was imported into {self._table} before")
        if not self._declared_types():
            return 0  # the table was dropped
        return 0 if row[1] else row[0]

    def _declared_types(self) -> dict[str, str]:
        """Return the types of the table's columns, none if there is no table."""
        found = self._connection.execute("SELECT name, type FROM pragma_table_info(?)", (self._table,))
        return {name.lower(): kind for name, kind in found}

    def _kinds(self, declared: dict[str, str]) -> list[str]:
        declared = {name.lower(): kind for name, kind in declared.items()}
        for name in self._source.columns:
            if name.lower() not in declared:
                raise ProgrammingError(f"{self._source.path}: table {self._table} has no column named {name}")
        return [declared[name.lower()].upper() for name in self._source.columns]

    def _create_table(self, kinds: dict[str, str]) -> str:
        key = self._options.primary_key
        for name in key:
            if name not in kinds:
                raise ProgrammingError(f"{self._source.path} has no column named {name}")
        parts = [f"{quoted(name)} {kind}" for name, kind in kinds.items()]
        if key:
            parts.append(f"PRIMARY KEY ({', '.join(map(quoted, key))})")
        return f"CREATE TABLE {quoted(self._table)} ({', '.join(parts)})"

    def _insert_statement(self, exists: bool) -> str:
        names = self._source.columns
        places = ", ".join("?" * len(names))
        sql = f"INSERT INTO {quoted(self._table)} ({', '.join(map(quoted, names))}) VALUES ({places})"
        if not self._options.upsert:
            return sql
        key = list(self._options.primary_key) or (self._stored_key() if exists else [])
        if not key:
            raise ProgrammingError(
                f"table {self._table} has no primary key to find rows by; name its columns with --pk"
            )
        folded = {name.lower() for name in key}
        others = [f"{quoted(name)} = excluded.{quoted(name)}" for name in names if name.lower() not in folded]
        action = f"UPDATE SET {', '.join(others)}" if others else "NOTHING"
        return f"{sql} ON CONFLICT ({', '.join(map(quoted, key))}) DO {action}"

    def _stored_key(self) -> list[str]:
        sql = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk"
        return [name for (name,) in self._connection.execute(sql, (self._table,))]

    def _chunks(self) -> Iterator[Chunk]:
        if self._kept is None:
            yield from self._source.chunks()
        while self._kept:
            yield self._kept.popleft()

    def _converters(self, kinds: list[str]) -> Sequence[Converter]:
        if self._source.types:
            return [as_given] * len(kinds)
        if self._kept is not None:
            return self._finish
        return [converter(kind, typed=self._source.typed) for kind in kinds]

    def _batches(self, skip: int, kinds: list[str]) -> Iterator[tuple[list[tuple[Any, ...]], list[int], bool]]:
        """Yield rows beyond the first `skip` with their lines, and whether they are the last."""
        size = self._options.batch
        converters = self._converters(kinds)
        rows: list[tuple[Any, ...]] = []
        lines: list[int] = []
        for chunk in self._chunks():
            fresh, skip = chunk.lines[skip:], max(0, skip - len(chunk.lines))
            if fresh:
                given = [values[-len(fresh) :] for values in chunk.columns]
                ready = [convert(values) for convert, values in zip(converters, given, strict=True)]
                rows.extend(zip(*ready, strict=True))
                lines.extend(fresh)
            while len(rows) > size:
                yield rows[:size], lines[:size], False
                rows, lines = rows[size:], lines[size:]
            rate = self._stored / max(time.monotonic() - self._start, 0.001)
            self._progress(f"{self._stored:,} rows, {rate:,.0f} rows/s", chunk.done, self._size)
        yield rows, lines, True

    def _store(
        self, make: str | None, sql: str, rows: list[tuple[Any, ...]], lines: list[int], before: int, *, last: bool
    ) -> None:
        """Commit a batch and the new position, or neither."""
        execute = self._connection.execute
        with self._connection.committing():
            if make is not None:
                execute(make)
            execute("SAVEPOINT batch")
            try:
                if rows:
                    self._connection.executemany(sql, rows)
            except (DataError, IntegrityError) as exc:
                if not self._connection.session.in_transaction:
                    # ON CONFLICT ROLLBACK has undone everything, and would do so again while the row is looked for.
                    place = f"{self._source.place}s {lines[0]} to {lines[-1]}"
                    raise type(exc)(f"{self._source.path}, {place}: {exc}") from exc
                execute("ROLLBACK TO batch")
                raise self._with_line(sql, rows, lines, exc) from exc
            execute("RELEASE batch")
            if self._digest is not None:
                position = before + self._stored + len(rows)
                set_position(self._connection, self._digest, self._table, position, finished=last)
        self._stored += len(rows)

    def _with_line(self, sql: str, rows: list[tuple[Any, ...]], lines: list[int], exc: Error) -> Error:
        """Return the error with the line of the row that caused it: the half it is in is halved until one is left."""
        while len(rows) > 1:
            middle = len(rows) // 2
            self._connection.execute("SAVEPOINT half")
            try:
                self._connection.executemany(sql, rows[:middle])
            except (DataError, IntegrityError) as found:
                self._connection.execute("ROLLBACK TO half")
                rows, lines, exc = rows[:middle], lines[:middle], found
            else:
                rows, lines = rows[middle:], lines[middle:]
            self._connection.execute("RELEASE half")
        return type(exc)(f"{self._source.path}, {self._source.place} {lines[0]}: {exc}")


# How far imports came ---------------------------------------------------------------------------------------------


def position_of(connection: Statements, digest: str, table: str) -> tuple[int, bool] | None:
    """Return how many rows of a file are in a table and whether that is all of them; None if nothing is known."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (POSITIONS,)):
        return None
    sql = f'SELECT rows, finished FROM {POSITIONS} WHERE file = ? AND "table" = ?'
    rows = connection.execute(sql, (digest, table))
    return (rows[0][0], bool(rows[0][1])) if rows else None


def set_position(connection: Statements, digest: str, table: str, rows: int, *, finished: bool) -> None:
    """Note how many rows of a file are in a table."""
    connection.execute(_MAKE_POSITIONS)
    connection.execute(_SET_POSITION, (digest, table, rows, finished))
