"""SQLite database files, read with the standard library's sqlite3 and never written to."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from discosql.errors import OperationalError
from discosql.schema import quoted
from discosql.transfer.sources import digest_of
from discosql.types import fold_case

ENDINGS: Final = (".sqlite", ".sqlite3", ".db")
"""What such files are usually called; what they are is told by their first bytes."""

_HEADER: Final = b"SQLite format 3\0"
_OURS: Final = 0x44535153
"""The application id of databases of this library, whose files are SQLite's, too."""

_CHUNK: Final = 2_000
_VIRTUAL_GENERATED, _STORED_GENERATED = 2, 3


def is_sqlite(path: Path) -> bool:
    """Tell whether a file is a SQLite database.

    Raises OperationalError if it cannot be read, or is none although it is called so.
    """
    if path.is_dir():
        raise OperationalError(f"cannot read {path}: it is a directory")
    try:
        with path.open("rb") as file:
            start = file.read(len(_HEADER))
    except OSError as exc:
        raise OperationalError(f"cannot read {path}: {exc.strerror}") from exc
    if start == _HEADER:
        return True
    if path.suffix.lower() in ENDINGS:
        fault = "it is no SQLite database, or an encrypted one" if start else "it is empty"
        raise OperationalError(f"cannot read {path}: {fault}")
    return False


def is_own(path: Path) -> bool:
    """Tell whether a file is a database of this library."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            found: tuple[int] = database.execute("PRAGMA application_id").fetchone()
    except sqlite3.Error:
        return False
    return found[0] == _OURS


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table of a SQLite file.

    `columns` are those whose values are stored or computed, with their declared types; `generated` names the computed.
    `key` are the columns of the primary key. `rowid` is a name for the rowid, None where rows have none or all its
    names mean columns; `has_rowid_column` tells that a column, an INTEGER PRIMARY KEY, is the same.
    """

    name: str
    sql: str
    columns: dict[str, str]
    generated: frozenset[str]
    defaults: dict[str, str]
    key: tuple[str, ...]
    rowid: str | None
    has_rowid_column: bool
    parents: tuple[str, ...]

    @property
    def given(self) -> list[str]:
        """The columns that an INSERT gives values."""
        return [name for name in self.columns if name not in self.generated]


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An index, view or trigger: its kind, its name, its table (a view: itself) and the SQL that made it."""

    kind: str
    name: str
    table: str
    sql: str


class SqliteFile:
    """A SQLite file as it was when it was opened, whoever writes to it meanwhile. A context manager.

    Everything raises OperationalError for a file that is damaged, locked or encrypted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.undecodable = False
        with self._reading():
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            with self._reading():
                self._connection.execute("BEGIN")
                self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if self.setting("application_id") == _OURS:
                raise OperationalError(f"cannot import {path}: it is a database of discosql; dump and restore it")
        except BaseException:
            self._connection.close()
            raise

    def digest(self) -> str:
        """Return the SHA-256 of what is in it, the same whether that is in the file or still in the log beside it."""
        log = self.path.with_name(f"{self.path.name}-wal")
        if log.exists() and log.stat().st_size:
            with self._reading():
                return hashlib.sha256(self._connection.serialize()).hexdigest()
        return digest_of(self.path)

    # The schema ---------------------------------------------------------------------------------------------------

    def tables(self) -> list[StoredTable]:
        """Return the tables, in the order in which they were made."""
        hidden = {name for name, _kind in self.virtual_tables()}
        sql = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        return [self._table(name, text) for name, text in self._all(f"{sql} ORDER BY rowid") if name not in hidden]

    def virtual_tables(self) -> list[tuple[str, str]]:
        """Return the tables that are no plain ones with their kinds: virtual ones, and the shadow tables of those."""
        if sqlite3.sqlite_version_info < (3, 37):
            return self._all("SELECT name, 'virtual' FROM sqlite_master WHERE type = 'table' AND rootpage = 0")
        return self._all("SELECT name, type FROM pragma_table_list WHERE type IN ('virtual', 'shadow') ORDER BY name")

    def items(self) -> list[StoredItem]:
        """Return indexes, then views, then triggers, as they were made; without those that constraints made."""
        sql = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type <> 'table' AND sql IS NOT NULL"
        return [StoredItem(*row) for row in self._all(f"{sql} ORDER BY type = 'trigger', type = 'view', rowid")]

    def sequences(self) -> dict[str, int]:
        """Return the highest rowid that AUTOINCREMENT ever gave out in each table."""
        if not self._all("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
            return {}
        return {name: number for name, number in self._all("SELECT name, seq FROM sqlite_sequence") if number}

    def setting(self, name: str) -> int:
        """Return the value of a PRAGMA."""
        return int(self._all(f"PRAGMA {name}")[0][0])

    def _table(self, name: str, sql: str) -> StoredTable:
        columns = self._all("SELECT name, type, dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid", name)
        key = [column[0] for column in sorted(columns, key=lambda column: column[3]) if column[3]]
        key_index = self._all("SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'", name)
        return StoredTable(
            name,
            sql,
            {column[0]: column[1] for column in columns},
            frozenset(column[0] for column in columns if column[4] in (_VIRTUAL_GENERATED, _STORED_GENERATED)),
            {column[0]: column[2] for column in columns if column[2] is not None},
            tuple(key),
            self._rowid_name(name, {fold_case(column[0]) for column in columns}),
            bool(key) and not key_index,
            tuple(parent for (parent,) in self._all('SELECT DISTINCT "table" FROM pragma_foreign_key_list(?)', name)),
        )

    def _rowid_name(self, table: str, columns: set[str]) -> str | None:
        for name in ("rowid", "_rowid_", "oid"):
            if name not in columns:
                try:
                    self._connection.execute(f"SELECT {name} FROM {quoted(table)} LIMIT 0")
                except sqlite3.OperationalError:
                    return None  # WITHOUT ROWID
                return name
        return None

    # Rows ---------------------------------------------------------------------------------------------------------

    def count(self, table: StoredTable) -> int:
        """Return the number of rows."""
        return int(self._all(f"SELECT count(*) FROM {quoted(table.name)}")[0][0])

    def rows(self, table: StoredTable, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
        """Yield some rows at a time, always in the same order, each with its rowid (None where there is none) in front.

        Text that is no UTF-8 comes as bytes, and `undecodable` is then set.
        """
        order = [table.rowid] if table.rowid else [quoted(name) for name in table.key]
        sql = f"SELECT {', '.join([table.rowid or 'NULL', *map(quoted, columns)])} FROM {quoted(table.name)}"
        if order:
            sql += f" ORDER BY {', '.join(order)}"
        done = 0
        while True:
            try:
                for rows in self._fetch(sql, done):
                    done += len(rows)
                    yield rows
                return
            except sqlite3.OperationalError as exc:
                if self._connection.text_factory is not str or "decode" not in str(exc):
                    raise self._error(exc) from exc
                # Only now: a function of Python for each text takes three times as long.
                self._connection.text_factory = self._text_or_bytes
            except sqlite3.Error as exc:
                raise self._error(exc) from exc

    def _fetch(self, sql: str, skip: int) -> Iterator[list[tuple[Any, ...]]]:
        cursor = self._connection.execute(f"{sql} LIMIT -1 OFFSET {skip}")
        while rows := cursor.fetchmany(_CHUNK):
            yield rows

    def _text_or_bytes(self, data: bytes) -> str | bytes:
        try:
            return data.decode()
        except UnicodeDecodeError:
            self.undecodable = True
            return data

    def value_of(self, expression: str) -> Any:
        """Return what a DEFAULT gives, a text for a bare word; None for what cannot be computed here."""
        try:
            return self._connection.execute(f"SELECT {expression}").fetchone()[0]
        except sqlite3.Error:
            return expression if expression.isidentifier() else None

    # Errors -------------------------------------------------------------------------------------------------------

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._reading():
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise self._error(exc) from exc

    def _error(self, exc: sqlite3.Error) -> OperationalError:
        return OperationalError(f"cannot read {self.path}: {exc}")

    def __enter__(self) -> "SqliteFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
