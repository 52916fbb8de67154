"""Exporting to SQLite files, through the sqlite3 of the standard library."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final

from discosql.errors import IntegrityError, OperationalError
from discosql.schema import Trigger, quoted
from discosql.transfer.relations import Relation, Work
from discosql.transfer.sqlite_tables import as_sqlite, create_result, create_table, is_exact, rowid_name
from discosql.types import Row, SqlType, fold_case

_MAY_HOLD_DECIMALS: Final = frozenset({SqlType.DECIMAL, SqlType.ANY, SqlType.NUMERIC, None})


def write_sqlite(work: Work, path: Path) -> None:
    """Make a SQLite file. Raises OperationalError, or IntegrityError for rows that SQLite's rules refuse."""
    with _opened(path) as database:
        database.execute("PRAGMA journal_mode = OFF")  # the file has no name yet that anybody would look at
        database.execute("PRAGMA synchronous = OFF")
        _SqliteFile(work, database).write()


def append_to_sqlite(work: Work, path: Path) -> None:
    """Add rows to the tables of a SQLite file, and the tables that it lacks, in one transaction."""
    with _opened(path) as database:
        _SqliteFile(work, database).write()


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            yield database
    except sqlite3.IntegrityError as exc:
        raise IntegrityError(f"{path.name}: {exc}") from exc
    except sqlite3.Error as exc:
        raise OperationalError(f"cannot write {path}: {exc}") from exc


class _SqliteFile:
    """The transaction that fills a file."""

    def __init__(self, work: Work, database: sqlite3.Connection) -> None:
        self._work = work
        self._execute = database.execute
        self._many = database.executemany
        self._known = {fold_case(name) for (name,) in self._execute("SELECT name FROM sqlite_master")}

    def write(self) -> None:
        """Make tables, rows, then all that rows need not be held against: indexes, views, triggers."""
        self._execute("BEGIN IMMEDIATE")
        fresh = [relation for relation in self._work.relations if fold_case(relation.name) not in self._known]
        for relation in self._work.relations:
            self._add(relation, is_fresh=relation in fresh)
        for relation in fresh:
            self._add_indexes(relation)
        if self._work.is_whole:
            self._add_views()
            self._add_triggers()
            for name, value in self._work.snapshot.catalog.settings.items():
                self._execute(f"PRAGMA {name} = {int(value)}")
        self._check_keys()
        self._execute("COMMIT")

    # Tables -------------------------------------------------------------------------------------------------------

    def _add(self, relation: Relation, *, is_fresh: bool) -> None:
        table = relation.table
        if is_fresh:
            sql = create_result(relation.name, relation.columns) if table is None else create_table(table)
            try:
                self._execute(sql)
            except sqlite3.OperationalError as exc:
                version = sqlite3.sqlite_version
                raise OperationalError(f"SQLite {version} cannot have table {relation.name}: {exc}") from exc
        if table is None:
            self._insert(relation, relation.names, list(range(len(relation.columns))), self._work.rows(relation))
            return
        places = [place for place, column in enumerate(table.columns, 1) if column.generated is None]
        names = [table.columns[place - 1].name for place in places]
        rowid = rowid_name(table) if is_fresh else None
        if rowid is not None:
            places, names = [0, *places], [rowid, *names]
        self._insert(relation, names, places, self._work.stored_rows(relation))
        if table.autoincrement and is_fresh:
            self._set_sequence(relation)

    def _insert(self, relation: Relation, names: list[str], places: list[int], batches: Iterator[list[Row]]) -> None:
        values = ", ".join("?" * len(names))
        sql = f"INSERT INTO {quoted(relation.name)} ({', '.join(map(quoted, names))}) VALUES ({values})"
        convert = any(column.type in _MAY_HOLD_DECIMALS for column in relation.columns)
        inexact = 0
        for rows in batches:
            chosen = [tuple([row[place] for place in places]) for row in rows]
            if convert:
                inexact += sum(not is_exact(value) for row in chosen for value in row if value.__class__ is Decimal)
                chosen = [tuple(map(as_sqlite, row)) for row in chosen]
            self._many(sql, chosen)
        if inexact:
            self._work.warn(
                f"table {relation.name}: {inexact} DECIMAL values have more digits than a number of SQLite holds"
            )

    def _set_sequence(self, relation: Relation) -> None:
        assert relation.table is not None
        used = self._work.snapshot.highest_rowid(relation.table)
        self._execute("DELETE FROM sqlite_sequence WHERE name = ?", (relation.name,))
        if used:
            self._execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (relation.name, used))

    def _add_indexes(self, relation: Relation) -> None:
        for index in relation.table.all_indexes if relation.table is not None else ():
            if index.sql:
                self._attempt(index.sql, f"index {index.name}")

    # Views and triggers -------------------------------------------------------------------------------------------

    def _attempt(self, sql: str, what: str) -> bool:
        """Run a statement; note where SQLite does not take it."""
        try:
            self._execute(sql).fetchall()
        except sqlite3.OperationalError as exc:
            self._work.warn(f"{what} is left out: {exc}")
            return False
        return True

    def _add_views(self) -> None:
        views = [view for view in self._work.snapshot.catalog.views.values() if fold_case(view.name) not in self._known]
        for view in [view for view in views if self._attempt(view.sql, f"view {view.name}")]:
            if not self._attempt(f"EXPLAIN SELECT * FROM {quoted(view.name)}", f"view {view.name}"):
                self._execute(f"DROP VIEW {quoted(view.name)}")

    def _add_triggers(self) -> None:
        for trigger in self._work.snapshot.catalog.triggers.values():
            if fold_case(trigger.name) in self._known or not self._attempt(trigger.sql, f"trigger {trigger.name}"):
                continue
            if not self._attempt(f"EXPLAIN {self._firing(trigger)}", f"trigger {trigger.name}"):
                self._execute(f"DROP TRIGGER {quoted(trigger.name)}")

    def _firing(self, trigger: Trigger) -> str:
        """Return a statement that SQLite would run the trigger for."""
        name = quoted(trigger.table)
        if trigger.event == "insert":
            return f"INSERT INTO {name} DEFAULT VALUES"
        if trigger.event == "delete":
            return f"DELETE FROM {name}"
        columns = trigger.columns or self._changeable(trigger.table)
        return f"UPDATE {name} SET {quoted(columns[0])} = NULL"

    def _changeable(self, table: str) -> list[str]:
        rows = self._execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", (table,))
        return [name for (name,) in rows]

    def _check_keys(self) -> None:
        """Tell of rows whose foreign keys lead nowhere: in the database that is exported, or because of what is not."""
        for relation in self._work.relations:
            try:
                stray = self._execute("SELECT parent FROM pragma_foreign_key_check(?)", (relation.name,)).fetchall()
            except sqlite3.OperationalError as exc:
                self._work.warn(f"foreign keys of table {relation.name}: {exc}")
                continue
            for parent in sorted({name for (name,) in stray}):
                count = stray.count((parent,))
                self._work.warn(f"table {relation.name}: {count} rows have no parent in table {parent}")
