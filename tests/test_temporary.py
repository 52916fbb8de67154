"""Temporary tables, views and triggers: as SQLite has them, seen by one connection, and without any request."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from planning import oracle
from test_statements_against_sqlite import answer

import discosql

OURS = "SELECT type, name, tbl_name, sql FROM sqlite_temp_master ORDER BY name"
LASTING = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"

SCRIPTS = {
    "a temporary table hides another": """
        CREATE TEMP TABLE a (x INTEGER PRIMARY KEY, y UNIQUE)
        INSERT INTO a VALUES (1, 2), (3, 4)
        SELECT * FROM temp.a
        SELECT * FROM main.a
        SELECT a.x, temp.a.y FROM a
        CREATE TABLE a (z)
        INSERT INTO a VALUES (7, 8)
        INSERT INTO main.a VALUES (9)
        SELECT * FROM a
        SELECT * FROM main.a
        PRAGMA table_info(a)
        PRAGMA database_list
        CREATE INDEX temp.i ON a (y)
        CREATE INDEX j ON a (x)
        PRAGMA index_list(a)
        UPDATE main.a SET z = 10
        UPDATE temp.a SET y = x
        DELETE FROM temp.a WHERE x = 1
        SELECT * FROM a, main.a
        DROP TABLE a
        SELECT * FROM a
        DROP TABLE temp.a
        DROP TABLE a
    """,
    "names": """
        CREATE TEMP TABLE main.q (a)
        CREATE TEMP VIEW main.q AS SELECT 1
        CREATE TABLE temp.q (a, b)
        CREATE TABLE nope.q (a)
        CREATE TEMP TABLE q (x)
        CREATE TEMP TABLE IF NOT EXISTS q (x)
        CREATE TEMP TABLE sqlite_q (x)
        CREATE TEMP VIEW q AS SELECT 1
        CREATE TABLE q (other)
        DROP TABLE temp.x
        ALTER TABLE q RENAME TO r
        ALTER TABLE r ADD COLUMN c DEFAULT 4
        ALTER TABLE r RENAME a TO aa
        INSERT INTO r (aa) VALUES (1)
        SELECT * FROM r
        ALTER TABLE r DROP COLUMN b
        SELECT * FROM temp.sqlite_master
    """,
    "views": """
        CREATE TEMP VIEW v AS SELECT 1 AS a
        CREATE VIEW v AS SELECT 2 AS a
        SELECT * FROM v
        SELECT * FROM main.v
        DROP VIEW v
        SELECT * FROM v
        CREATE TEMP TABLE t (a)
        CREATE VIEW w AS SELECT * FROM t
        SELECT * FROM w
        CREATE TEMPORARY VIEW u AS SELECT * FROM t
        INSERT INTO t VALUES (5)
        SELECT * FROM u
        CREATE TABLE t (b)
        SELECT * FROM w
        SELECT * FROM u
        DROP TABLE t
        SELECT * FROM u
    """,
    "triggers": """
        CREATE TABLE t (a, b)
        CREATE TEMP TABLE l (x)
        CREATE TEMP TRIGGER one AFTER INSERT ON t BEGIN INSERT INTO l VALUES (NEW.a); END
        CREATE TRIGGER two AFTER INSERT ON l WHEN NEW.x < 5 BEGIN INSERT INTO t VALUES (10, 20); END
        INSERT INTO t VALUES (1, 2), (7, 8)
        SELECT * FROM t
        SELECT * FROM l
        DROP TABLE t
        CREATE TRIGGER temp.three AFTER INSERT ON l BEGIN SELECT 1; END
        CREATE TEMP TRIGGER main.four AFTER INSERT ON l BEGIN SELECT 1; END
        DROP TRIGGER two
        DROP TRIGGER temp.one
        DROP TRIGGER temp.three
    """,
    "transactions": """
        CREATE TABLE t (a)
        BEGIN
        CREATE TEMP TABLE x (a)
        INSERT INTO x VALUES (1)
        INSERT INTO t VALUES (1)
        SAVEPOINT s
        INSERT INTO x VALUES (2)
        ROLLBACK TO s
        SELECT * FROM x
        COMMIT
        SELECT * FROM x
        BEGIN
        SAVEPOINT s
        INSERT INTO x VALUES (5)
        DROP TABLE t
        ROLLBACK
        SELECT * FROM x, t
        BEGIN
        CREATE TEMP TABLE y (a)
        ROLLBACK
        SELECT * FROM y
        CREATE TEMP TABLE c AS SELECT a + 1 FROM t
        INSERT INTO t SELECT * FROM c
        SELECT * FROM t WHERE a IN temp.x
        WITH x AS (SELECT 7) SELECT * FROM x
    """,
    "foreign keys and rowids": """
        PRAGMA foreign_keys = ON
        CREATE TABLE p (id INTEGER PRIMARY KEY)
        INSERT INTO p VALUES (9)
        CREATE TEMP TABLE p (id INTEGER PRIMARY KEY)
        CREATE TEMP TABLE q (p REFERENCES p ON DELETE CASCADE)
        INSERT INTO p VALUES (1), (2)
        INSERT INTO q VALUES (1), (2)
        INSERT INTO q VALUES (9)
        DELETE FROM p WHERE id = 1
        SELECT * FROM q
        DROP TABLE p
        SELECT * FROM p
        SELECT count(*) FROM q
        CREATE TEMP TABLE n (a INTEGER PRIMARY KEY AUTOINCREMENT)
        INSERT INTO n DEFAULT VALUES
        DELETE FROM n
        INSERT INTO n DEFAULT VALUES
        SELECT * FROM n
    """,
}
"""Statements, one a line."""


@pytest.fixture
def connection() -> Iterator[discosql.Connection]:
    with discosql.connect(":memory:", isolation_level=None) as opened:
        yield opened


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_scripts(connection: discosql.Connection, script: str) -> None:
    sqlite = oracle()
    for sql in map(str.strip, script.strip().splitlines()):
        for asked in (sql, OURS, LASTING):
            ours, theirs = answer(connection, asked), answer(sqlite, asked)
            if "sqlite_master" in sql and isinstance(ours, list) and isinstance(theirs, list):
                ours, theirs = (sorted((row[1], row[-1]) for row in rows) for rows in (ours, theirs))
            assert ours == theirs, (sql, asked)


def test_they_are_one_connections_and_cost_no_request(tmp_path: Path) -> None:
    path = tmp_path / "a.disco"
    with discosql.connect(path, isolation_level=None) as db, discosql.connect(path, isolation_level=None) as other:
        db.execute("CREATE TABLE t (a INTEGER)")
        other.execute("SELECT * FROM t")
        before = db.requests.copy()
        db.execute("CREATE TEMP TABLE x (a INTEGER PRIMARY KEY, b TEXT UNIQUE)")
        db.executemany("INSERT INTO x (b) VALUES (?)", [("a",), ("b",)])
        db.execute("UPDATE x SET b = b || '!'")
        assert db.execute("SELECT * FROM x WHERE b = 'b!'").fetchall() == [(2, "b!")]
        assert not db.requests.since(before).count
        with pytest.raises(discosql.ProgrammingError, match="no such table: x"):
            other.execute("SELECT * FROM x")
        other.execute("CREATE TEMP TABLE x (only_mine)")
        assert db.execute("SELECT count(*) FROM x").fetchone() == (2,)
    with discosql.connect(path) as db:
        assert db.execute("SELECT count(*) FROM sqlite_temp_master").fetchone() == (0,)
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("t",)]


def test_a_statement_over_both_commits_both_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.disco"
    with discosql.connect(path, isolation_level=None) as db, discosql.connect(path, isolation_level=None) as other:
        db.executescript(
            "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 0); CREATE TEMP TABLE x (a)"
        )
        db.execute("CREATE TEMP TRIGGER tr AFTER UPDATE ON t BEGIN INSERT INTO x VALUES (NEW.b); END")
        other.execute("UPDATE t SET b = b + 1")
        db.execute("UPDATE t SET b = b + 1")
        assert db.execute("SELECT a FROM x").fetchall() == [(2,)]
        db.execute("BEGIN")
        db.execute("UPDATE t SET b = b + 1")
        other.execute("UPDATE t SET b = 10")
        with pytest.raises(discosql.SerializationError):
            db.execute("COMMIT")
        assert db.execute("SELECT a FROM x").fetchall() == [(2,)]
