"""The same statements on discosql and on SQLite, one after the other: the same results, refusals and PRAGMAs."""

from collections.abc import Iterator

import pytest
from planning import oracle
from pysqlite3 import dbapi2
from statement_corpus import CHANGES, SCRIPTS, TABLES

import discosql


@pytest.fixture
def connection() -> Iterator[discosql.Connection]:
    opened = discosql.connect(":memory:", isolation_level=None)
    yield opened
    opened.close()


def answer(connection: discosql.Connection | dbapi2.Connection, sql: str) -> object:
    """Return the rows that a statement gives, or the message of its error."""
    try:
        cursor = connection.execute(sql)
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []
    except (discosql.Error, dbapi2.Error) as error:
        # SQLite names the database before a missing table only in some places.
        return str(error).replace("main.", "")


PRAGMAS = ("table_info", "table_xinfo", "index_list", "foreign_key_list")
MASTER = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_scripts(connection: discosql.Connection, script: tuple[str, ...]) -> None:
    sqlite = oracle()
    for sql in (*script, MASTER):
        assert answer(connection, sql) == answer(sqlite, sql), sql
    for (name,) in sqlite.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for pragma in PRAGMAS:
            sql = f"PRAGMA {pragma}([{name}])"
            assert answer(connection, sql) == answer(sqlite, sql), sql


def test_changes_of_rows(connection: discosql.Connection) -> None:
    sqlite = oracle(*TABLES)
    for sql in TABLES:
        connection.execute(sql)
    contents = ("SELECT * FROM t", "SELECT * FROM u ORDER BY x, y", "SELECT * FROM w")
    for change in CHANGES:
        for sql in (change, *contents):
            assert answer(connection, sql) == answer(sqlite, sql), (change, sql)
