"""ON CONFLICT of constraints, against SQLite: what a statement does not say, the constraint may."""

import pytest
from planning import oracle
from test_statements_against_sqlite import answer

import discosql

TABLES = """
    CREATE TABLE t (a INTEGER PRIMARY KEY ON CONFLICT {0}, b UNIQUE, c TEXT NOT NULL ON CONFLICT {0} DEFAULT 'd', e,
        UNIQUE (e, b) ON CONFLICT {0}, CHECK (e <> 9) ON CONFLICT {0})
    CREATE TABLE u (k TEXT PRIMARY KEY ON CONFLICT {0}, n INT NOT NULL ON CONFLICT {0}, m UNIQUE ON CONFLICT {0})
    CREATE TABLE w (x UNIQUE ON CONFLICT {0}, y, z REFERENCES u ON DELETE CASCADE, PRIMARY KEY (y, x) ON CONFLICT {0})
        WITHOUT ROWID
"""
STATEMENTS = """
    INSERT INTO t VALUES (1, 1, 'x', 1), (2, 2, 'y', 2)
    BEGIN
    INSERT INTO t VALUES (3, 3, 'z', 3), (1, 4, 'q', 4), (5, 5, 'r', 5)
    COMMIT
    INSERT INTO t VALUES (6, 6, NULL, 6), (7, 7, 'a', 7)
    INSERT INTO t (a, b, e) VALUES (8, 2, 1), (9, 10, 2)
    INSERT OR REPLACE INTO t VALUES (1, 2, NULL, 3)
    INSERT OR IGNORE INTO t VALUES (1, 2, NULL, 3)
    INSERT OR ABORT INTO t VALUES (1, 9, 'a', 3)
    UPDATE t SET c = NULL WHERE a > 2
    UPDATE t SET b = 2, e = 3 WHERE a > 5
    UPDATE OR IGNORE t SET a = 3
    INSERT INTO t VALUES (1, 77, 'a', 9)
    INSERT INTO u VALUES ('a', 1, 1), ('b', 2, 2)
    INSERT INTO u VALUES ('c', NULL, 4), ('a', 5, 5), ('d', 6, 2)
    INSERT INTO u VALUES ('a', 5, 5) ON CONFLICT (k) DO UPDATE SET m = 2
    INSERT INTO u VALUES ('z', 5, 2) ON CONFLICT (k) DO NOTHING
    INSERT INTO w VALUES (1, 1, 'a')
    INSERT INTO w VALUES (1, 2, 'b'), (3, 1, 'a')
    REPLACE INTO u VALUES ('b', 3, 3)
    UPDATE u SET m = 3
"""
CONTENTS = ("SELECT * FROM t ORDER BY a", "SELECT * FROM u ORDER BY k", "SELECT * FROM w ORDER BY x, y")


@pytest.mark.parametrize("word", ["ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"])
def test_each_resolution(word: str) -> None:
    tables = [part for part in TABLES.format(word).replace("CREATE", ";CREATE").split(";") if part.strip()]
    sqlite = oracle("PRAGMA foreign_keys = ON", *tables)
    with discosql.connect(":memory:", isolation_level=None) as db:
        for sql in tables:
            db.execute(sql)
        for sql in map(str.strip, STATEMENTS.strip().splitlines()):
            for asked in (sql, *CONTENTS):
                assert answer(db, asked) == answer(sqlite, asked), (sql, asked)


SCRIPT = """
    CREATE TABLE t (a UNIQUE ON CONFLICT IGNORE, UNIQUE (a) ON CONFLICT REPLACE)
    CREATE TABLE t (a UNIQUE ON CONFLICT IGNORE UNIQUE)
    INSERT INTO t VALUES (1), (1), (2)
    CREATE TABLE q (a NOT NULL ON CONFLICT REPLACE)
    INSERT INTO q VALUES (NULL)
    CREATE TABLE s (a INTEGER PRIMARY KEY ON CONFLICT REPLACE AUTOINCREMENT, b)
    CREATE TRIGGER d AFTER DELETE ON s BEGIN INSERT INTO q VALUES (OLD.b); END
    INSERT INTO s VALUES (1, 2), (1, 3)
    PRAGMA recursive_triggers = ON
    INSERT INTO s VALUES (1, 4)
    UPDATE s SET a = 1
    INSERT INTO s (b) VALUES (7)
    CREATE TABLE r (a UNIQUE ON CONFLICT BOGUS)
    ALTER TABLE s RENAME a TO aa
    INSERT INTO s VALUES (1, 5)
"""


def test_other_things() -> None:
    sqlite = oracle()
    with discosql.connect(":memory:", isolation_level=None) as db:
        for sql in map(str.strip, SCRIPT.strip().splitlines()):
            for asked in (sql, *(f"SELECT * FROM {name}" for name in "tqs"), "SELECT sql FROM sqlite_master"):
                ours, theirs = (sorted(answer(side, asked), key=repr) for side in (db, sqlite))
                assert ours == theirs, (sql, asked)
