"""The databases that are compared, behind one face: `load` tables, then `query`."""

import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import duckdb
import sqlglot.executor
from sqlglot.executor.table import Table as SqlglotTable

import discosql
from benchmarks.memory_adapter import connect_shillelagh
from benchmarks.tables import Table


class Engine(ABC):
    """A database in memory with its tables loaded."""

    name: ClassVar[str]

    @abstractmethod
    def load(self, tables: Iterable[Table]) -> None:
        """Make the tables and fill them."""

    @abstractmethod
    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query and return its rows."""


class _DbApi(Engine):
    """A database with a PEP 249 connection that has `execute`."""

    keyed = True
    indexes: Sequence[str] = ()
    connection: Any

    def load(self, tables: Iterable[Table]) -> None:
        for table in tables:
            self.connection.execute(table.create(keyed=self.keyed))
            self.connection.executemany(table.insert, table.rows)
        for index in self.indexes:
            self.connection.execute(index)
        self.connection.commit()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.connection.execute(sql, parameters).fetchall()
        return rows


class Discosql(_DbApi):
    """discosql with a local guild in memory; tables have their keys and no other index."""

    name = "discosql"

    def __init__(self) -> None:
        self.connection = discosql.connect(":memory:")


class Sqlite(_DbApi):
    """The standard library's sqlite3 without any key or index, so that every query reads whole tables."""

    name = "sqlite3"
    keyed = False

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")


class KeyedSqlite(Sqlite):
    """The standard library's sqlite3, with the tables' keys and indexes made for the queries."""

    name = "sqlite3, indexed"
    keyed = True

    def __init__(self, indexes: Sequence[str] = ()) -> None:
        super().__init__()
        self.indexes = indexes


class Duckdb(_DbApi):
    """DuckDB on one thread: columns and vectors in C++, the far bound."""

    name = "duckdb"

    def __init__(self) -> None:
        self.connection = duckdb.connect(":memory:", config={"threads": 1})

    def load(self, tables: Iterable[Table]) -> None:
        for table in tables:
            # DuckDB's REAL has 32 bits. Rows are written as text, since its executemany would take minutes.
            self.connection.execute(table.create().replace(" REAL", " DOUBLE"))
            for start in range(0, len(table.rows), 1000):
                values = ", ".join(_values(row) for row in table.rows[start : start + 1000])
                self.connection.execute(f"INSERT INTO {table.name} VALUES {values}")

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return super().query(portable(sql), parameters)


class Shillelagh(Engine):
    """Shillelagh with its SQLite backend over rows in memory."""

    name = "Shillelagh"

    def load(self, tables: Iterable[Table]) -> None:
        self._cursor = connect_shillelagh(tables).cursor()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._cursor.execute(sql, tuple(parameters)).fetchall()
        return rows


class Sqlglot(Engine):
    """sqlglot's own executor, in pure Python as discosql is."""

    name = "sqlglot.executor"

    def load(self, tables: Iterable[Table]) -> None:
        self._tables = {table.name: SqlglotTable(table.names, table.rows) for table in tables}
        self._schema = {table.name: dict(table.columns) for table in tables}

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        for value in parameters:
            sql = sql.replace("?", _literal(value), 1)
        result = sqlglot.executor.execute(portable(sql), self._schema, "sqlite", self._tables)
        return [tuple(row) for row in result.rows]


def portable(sql: str) -> str:
    """Return a query without SQLite's own date functions."""
    database = sqlite3.connect(":memory:")
    sql = re.sub(r"date\('[^)]*\)", lambda call: f"'{database.execute(f'SELECT {call[0]}').fetchone()[0]}'", sql)
    database.close()
    return re.sub(r"strftime\('%Y', (\w+)\)", r"substr(\1, 1, 4)", sql)


def _values(row: Sequence[Any]) -> str:
    return f"({', '.join(map(_literal, row))})"


def _literal(value: Any) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
