"""Importing a SQLite file: its tables with their rows, then indexes, views and triggers.

The tables are made in one commit and noted in `discosql_imports` beside how far their rows came, so that after an
interruption it is known which are copies of the file's and which were there before.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeAlias

from discosql.connection import Progress
from discosql.errors import IntegrityError, NotSupportedError, OperationalError, ProgrammingError
from discosql.transfer.importing import (
    POSITIONS,
    Imported,
    ImportOptions,
    TableImport,
    position_of,
    set_position,
)
from discosql.transfer.ordering import parents_first
from discosql.transfer.sources import Chunk
from discosql.transfer.sqlite_file import SqliteFile, StoredItem, StoredTable
from discosql.transfer.sqlite_schema import Part, TableText
from discosql.transfer.sqlite_types import ColumnValues
from discosql.transfer.statements import Statements
from discosql.types import fold_case

Warn: TypeAlias = Callable[[str], None]
"""Told what is not carried over as it was."""

_REFUSALS = (ProgrammingError, NotSupportedError)


class SqliteImport:
    """One run of an import. A name of a table in its options may be several with commas between."""

    def __init__(
        self,
        connection: Statements,
        file: SqliteFile,
        options: ImportOptions,
        progress: Progress,
        warn: Warn,
    ) -> None:
        self._connection = connection
        self._file = file
        self._options = options
        self._progress = progress
        self._warn = warn
        self._digest = None if connection.in_transaction else file.digest()
        self._is_whole = not options.tables
        self._tables = _ordered(self._chosen(options.tables))
        self._made: set[str] = set()

    def run(self) -> list[Imported]:
        """Import what is not there yet."""
        self._begin()
        if self._is_whole:
            for name, kind in self._file.virtual_tables():
                if kind == "virtual":
                    self._warn(f"virtual table {name} is not carried over")
        with _foreign_keys_off(self._connection):
            self._make_tables()
            imported = [self._import_rows(table) for table in self._tables]
            with self._connection.committing():
                self._finish()
            self._look_for_orphans()
        return imported

    # What is to be done -------------------------------------------------------------------------------------------

    def _chosen(self, names: Sequence[str]) -> list[StoredTable]:
        tables = {fold_case(table.name): table for table in self._file.tables()}
        tables.pop(POSITIONS, None)  # how far imports into another database came
        if not names:
            return list(tables.values())
        wanted: dict[str, None] = {}
        for given in names:
            for name in [given] if fold_case(given) in tables else given.split(","):
                if fold_case(name) not in tables:
                    raise ProgrammingError(f"{self._file.path} has no table named {name}")
                wanted[fold_case(name)] = None
        return [tables[name] for name in wanted]

    def _begin(self) -> None:
        """See what an earlier import has done. Raises ProgrammingError if that is all there is to do."""
        if self._digest is None or not self._tables:
            return
        found = [position_of(self._connection, self._digest, table.name) for table in self._tables]
        marks = [position_of(self._connection, self._mark, table.name) for table in self._tables]
        if not all(position and position[1] for position in found) or any(mark and not mark[1] for mark in marks):
            return
        if not self._options.again:
            raise ProgrammingError(f"{self._file.path} was imported before")
        with self._connection.committing():
            for table in self._tables:
                set_position(self._connection, self._digest, table.name, 0, finished=False)

    @property
    def _mark(self) -> str:
        """What stands for the file where it is noted that a table was made, and whether it has all but its rows."""
        return f"{self._digest}:schema"

    # Tables -------------------------------------------------------------------------------------------------------

    def _make_tables(self) -> None:
        """Make the tables that are missing, in one commit."""
        missing: list[StoredTable] = []
        for table in self._tables:
            columns = self._columns_there(table.name)
            mark = position_of(self._connection, self._mark, table.name) if self._digest else None
            if not columns:
                missing.append(table)
            elif mark is not None and not mark[1]:
                self._made.add(table.name)
            else:
                self._compare(table, columns)
        texts = {table.name: self._values_of(table) for table in missing}
        with self._connection.committing():
            for table in missing:
                self._make(table, texts[table.name])
        self._tables = [table for table in self._tables if table not in missing or table.name in self._made]

    def _columns_there(self, table: str) -> set[str]:
        found = self._connection.execute("SELECT name FROM pragma_table_xinfo(?)", (table,))
        return {fold_case(name) for (name,) in found}

    def _compare(self, table: StoredTable, columns: set[str]) -> None:
        for name in table.given:
            if fold_case(name) not in columns:
                raise ProgrammingError(f"{self._file.path}: table {table.name} has no column named {name}")
        self._warn(f"table {table.name} is there already: it keeps its own columns, keys, indexes and triggers")

    def _values_of(self, table: StoredTable) -> dict[str, ColumnValues]:
        """Look at all values of a table."""
        self._file.undecodable = False
        try:
            found = self._values_in(table, list(table.columns))
        except OperationalError:
            if not table.generated:
                raise
            # A function of the program whose file it is may be needed to compute them.
            found = self._values_in(table, table.given)
        if self._file.undecodable:
            self._warn(f"table {table.name}: text that is no UTF-8 is kept as BLOB")
        for name, default in table.defaults.items():
            if name in found:
                found[name].add_default(self._file.value_of(default))
        return found

    def _values_in(self, table: StoredTable, names: list[str]) -> dict[str, ColumnValues]:
        found = {name: ColumnValues(table.columns[name]) for name in names}
        done = 0
        for rows in self._file.rows(table, names):
            done += len(rows)
            self._progress(f"finding the types of columns of {table.name}, rows", done, 0)
            _rowids, *columns = zip(*rows, strict=True)
            for name, values in zip(names, columns, strict=True):
                found[name].add(values)
        return found

    def _make(self, table: StoredTable, values: dict[str, ColumnValues]) -> None:
        types = {name: each.type.value for name, each in values.items() if each.type is not each.declared}
        try:
            text = TableText(table.sql)
            sql, lost = self._sql_that_works(text, types)
            self._connection.execute(sql)
        except _REFUSALS as exc:
            self._warn(f"table {table.name} is not carried over: {exc}")
            return
        for name, kind in types.items():
            self._warn(f"table {table.name}: column {name}, declared {table.columns[name]}, becomes {kind}")
        for part in lost:
            self._warn(f"table {table.name}: {part} is not carried over")
        self._made.add(table.name)
        if self._digest is not None:
            set_position(self._connection, self._mark, table.name, 0, finished=False)
            set_position(self._connection, self._digest, table.name, 0, finished=False)

    def _sql_that_works(self, text: TableText, types: dict[str, str]) -> tuple[str, list[Part | str]]:
        """Return the text of a table that can be made, and what it lacks."""
        whole = text.with_types(types)
        if self._works(whole):
            return whole, []
        kept: list[Part] = []
        for part in text.parts():
            if self._works(text.reduced(types, [*kept, part])):
                kept.append(part)
        lost = [f"collation {name}" for name in text.unknown_collations()]
        return text.reduced(types, kept), [*lost, *(part for part in text.parts() if part not in kept)]

    def _works(self, sql: str) -> bool:
        with _trial(self._connection):
            try:
                self._connection.execute(sql)
            except _REFUSALS:
                return False
        return True

    # Rows ---------------------------------------------------------------------------------------------------------

    def _import_rows(self, table: StoredTable) -> Imported:
        found = position_of(self._connection, self._digest, table.name) if self._digest else None
        if found is not None and found[1]:
            return Imported(table.name, 0, found[0], 0.0)
        there = self._columns_there(table.name)
        names = [name for name in table.given if fold_case(name) in there]
        rows = _TableRows(self._file, table, names, with_rowid=table.name in self._made)
        # In a table of this import's own no row can be there already.
        options = replace(self._options, upsert=self._options.upsert and table.name not in self._made)

        def progress(stage: str, done: int, total: int) -> None:
            self._progress(f"{table.name}: {stage}", done, total)

        return _RowsImport(self._connection, rows, table.name, self._digest, options, progress).run()

    # The rest -----------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Give the tables that were made what they have besides rows."""
        for item in self._file.items():
            if item.table in self._made or (self._is_whole and (item.kind == "view" or self._is_of_view(item))):
                self._make_item(item)
        for name, number in self._file.sequences().items():
            if name in self._made:
                self._note_used(name, number)
        if self._is_whole:
            self._take_settings()
        for name in self._made if self._digest else ():
            set_position(self._connection, self._mark, name, 0, finished=True)

    def _is_of_view(self, item: StoredItem) -> bool:
        return item.kind == "trigger" and all(item.table != table.name for table in self._tables)

    def _make_item(self, item: StoredItem) -> None:
        self._connection.execute("SAVEPOINT item")
        try:
            self._connection.execute(item.sql)
        except (*_REFUSALS, IntegrityError) as exc:
            self._connection.execute("ROLLBACK TO item")
            self._warn(f"{item.kind} {item.name} is not carried over: {exc}")
        self._connection.execute("RELEASE item")

    def _note_used(self, table: str, number: int) -> None:
        transaction = self._connection.session.transaction
        assert transaction is not None
        transaction.note_used(transaction.catalog.table(table).id, number)

    def _take_settings(self) -> None:
        for name in ("user_version", "application_id"):
            value = self._file.setting(name)
            ((own,),) = self._connection.execute(f"PRAGMA {name}")
            if value and not own:
                self._connection.execute(f"PRAGMA {name} = {value}")

    def _look_for_orphans(self) -> None:
        """Tell of rows whose parent is missing: SQLite looks at foreign keys only if it is asked to."""
        if self._connection.in_transaction:
            return  # its COMMIT looks
        sql = "SELECT parent, count(*) FROM pragma_foreign_key_check(?) GROUP BY parent"
        for table in self._tables:
            if table.parents:
                for parent, count in self._connection.execute(sql, (table.name,)):
                    self._warn(f"table {table.name}: {count} rows refer to rows that {parent} does not have")


class _RowsImport(TableImport):
    """The import of the rows of a table whose columns were looked at before."""

    def _kinds(self, declared: dict[str, str]) -> list[str]:
        return ["ANY"] * len(self._source.columns)


class _TableRows:
    """The rows of a table as a source. Errors name them by the rowid, or count them where there is none."""

    typed = True

    def __init__(self, file: SqliteFile, table: StoredTable, columns: list[str], *, with_rowid: bool) -> None:
        self.path = file.path
        self.place = f"table {table.name}, {'rowid' if table.rowid else 'row'}"
        self._file = file
        self._table = table
        self._names = columns
        self._takes_rowid = with_rowid and table.rowid is not None and not table.has_rowid_column
        self.columns = [str(table.rowid), *columns] if self._takes_rowid else columns
        self.types: list[str] | None = ["ANY"] * len(self.columns)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows."""
        size, done, count = self.path.stat().st_size, 0, max(self._file.count(self._table), 1)
        for rows in self._file.rows(self._table, self._names):
            numbers, *columns = zip(*rows, strict=True)
            places: Sequence[int] = numbers if self._table.rowid else range(done + 1, done + 1 + len(rows))
            done += len(rows)
            yield Chunk([numbers, *columns] if self._takes_rowid else columns, places, size * done // count)


def _ordered(tables: list[StoredTable]) -> list[StoredTable]:
    """Return the tables with parents before their children, as far as they can be."""
    by_name = {fold_case(table.name): table for table in tables}
    return [by_name[name] for name in parents_first({name: table.parents for name, table in by_name.items()})]


@contextmanager
def _foreign_keys_off(connection: Statements) -> Iterator[None]:
    """Let rows come before those that they refer to: until the end of the import, or of an open transaction."""
    if connection.in_transaction:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        yield
        return
    ((before,),) = connection.execute("PRAGMA foreign_keys")
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA foreign_keys = {before}")


@contextmanager
def _trial(connection: Statements) -> Iterator[None]:
    """Undo at the end what is done within."""
    connection.execute("SAVEPOINT trial")
    try:
        yield
    finally:
        connection.execute("ROLLBACK TO trial")
        connection.execute("RELEASE trial")
