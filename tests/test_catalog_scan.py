"""Tables made from the catalog, against SQLite's of the same schema."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pysqlite3.dbapi2 as sqlite
import pytest

import discosql
from discosql.errors import InternalError
from discosql.executor.catalog_scan import catalog_rows
from discosql.executor.context import Context

SCHEMA = """
CREATE TABLE p (
    id INTEGER PRIMARY KEY AUTOINCREMENT, k TEXT UNIQUE COLLATE NOCASE, n INTEGER DEFAULT (1 + 2) NOT NULL
) STRICT;
CREATE TABLE t (
    a INT, b TEXT NOT NULL DEFAULT 'x''y', c INT GENERATED ALWAYS AS (a + 1), d INT AS (a + 2) STORED, e TEXT,
    PRIMARY KEY (b, a), UNIQUE (e DESC, a),
    FOREIGN KEY (a) REFERENCES p ON DELETE CASCADE,
    FOREIGN KEY (e, b) REFERENCES p (k, id) ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX i1 ON t (e COLLATE NOCASE, a DESC);
CREATE UNIQUE INDEX i2 ON t (a);
CREATE TABLE w (x INTEGER, y TEXT PRIMARY KEY, z TEXT COLLATE RTRIM) STRICT, WITHOUT ROWID;
CREATE INDEX wi ON w (z);
"""

NAMES = (
    "p",
    "T",
    "w",
    "i1",
    "i2",
    "wi",
    "sqlite_autoindex_t_1",
    "sqlite_autoindex_t_2",
    "sqlite_autoindex_w_1",
    "nope",
)


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Any, Any]]:
    ours, theirs = discosql.connect(":memory:"), sqlite.connect(":memory:")
    for side in (ours, theirs):
        side.executescript(SCHEMA)
    yield ours, theirs
    ours.close()
    theirs.close()


def _both(pair: tuple[Any, Any], sql: str, *, ordered: bool = True) -> list[Any]:
    answers = []
    for side in pair:
        cursor = side.execute(sql)
        rows = cursor.fetchall()
        answers.append(([column[0] for column in cursor.description], rows if ordered else sorted(rows, key=repr)))
    assert answers[0] == answers[1]
    return answers[0][1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "pragma", ["table_info", "table_xinfo", "index_list", "index_info", "index_xinfo", "foreign_key_list"]
)
def test_pragmas_about_one_thing(pair: tuple[Any, Any], pragma: str, name: str) -> None:
    _both(pair, f"PRAGMA {pragma}({name})")
    _both(pair, f"PRAGMA main.{pragma} = '{name}'")
    _both(pair, f"SELECT * FROM pragma_{pragma}('{name}')")


def test_sqlite_master(pair: tuple[Any, Any]) -> None:
    assert _both(pair, "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name <> 'sqlite_sequence'")
    _both(pair, "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name = 'sqlite_sequence'")
    _both(pair, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name")
    _both(pair, "SELECT count(DISTINCT rootpage), min(rootpage) > 0 FROM main.sqlite_master")
    _both(
        pair,
        "SELECT m.name, i.name, i.pk FROM sqlite_master m, pragma_table_info(m.name) i WHERE m.type = 'table' AND i.pk",
    )


def test_the_rest(pair: tuple[Any, Any]) -> None:
    _both(pair, "PRAGMA database_list")
    _both(pair, "PRAGMA collation_list")
    _both(pair, "PRAGMA table_list", ordered=False)
    _both(pair, "PRAGMA table_list(t)")
    _both(pair, "PRAGMA encoding")
    _both(pair, "PRAGMA user_version")


def test_views() -> None:
    pair = discosql.connect(":memory:"), sqlite.connect(":memory:")
    for side in pair:
        side.executescript("CREATE TABLE t (a INTEGER) STRICT; CREATE VIEW v (q) AS SELECT a FROM t")
    _both(pair, "SELECT * FROM sqlite_master WHERE type = 'view'")
    for side in pair:
        side.close()


def test_foreign_key_check() -> None:
    pair = discosql.connect(":memory:"), sqlite.connect(":memory:")
    for side in pair:
        side.executescript(
            """PRAGMA foreign_keys = OFF;
            CREATE TABLE p (a INTEGER PRIMARY KEY, b TEXT COLLATE NOCASE UNIQUE) STRICT;
            CREATE TABLE c (a INTEGER REFERENCES p, b TEXT REFERENCES p (b), x INTEGER REFERENCES nowhere) STRICT;
            CREATE TABLE w (a INTEGER PRIMARY KEY REFERENCES p) STRICT, WITHOUT ROWID;
            INSERT INTO p VALUES (1, 'a');
            INSERT INTO c VALUES (1, 'A', NULL), (2, 'a', NULL), (NULL, 'b', 5), (1, NULL, 6), (2, 'a', NULL);
            INSERT INTO w VALUES (1), (2)"""
        )
    assert len(_both(pair, "PRAGMA foreign_key_check", ordered=False)) == 6
    _both(pair, "PRAGMA foreign_key_check(c)", ordered=False)
    _both(pair, "SELECT rowid, parent FROM pragma_foreign_key_check('c') WHERE fkid = 2", ordered=False)
    for side in pair:
        side.close()


def test_function_list() -> None:
    with discosql.connect(":memory:") as connection:
        functions = connection.execute("SELECT name, type, narg FROM pragma_function_list").fetchall()
        assert ("abs", "s", 1) in functions
        assert ("row_number", "w", 0) in functions
    connection.close()


def test_settings() -> None:
    with discosql.connect(":memory:") as connection:
        assert connection.execute("PRAGMA foreign_keys").fetchall() == [(1,)]
        connection.execute("PRAGMA foreign_keys = OFF")
        assert connection.execute("PRAGMA foreign_keys").fetchall() == [(0,)]
        connection.execute("PRAGMA case_sensitive_like = ON")
        assert connection.execute("SELECT 'a' LIKE 'A'").fetchall() == [(0,)]
    connection.close()


def test_foreign_keys_are_not_switched_within_a_transaction() -> None:
    pair = discosql.connect(":memory:", isolation_level=None), sqlite.connect(":memory:", isolation_level=None)
    for side in pair:
        side.execute("PRAGMA foreign_keys = ON")
    for begin, end in (("BEGIN", "COMMIT"), ("BEGIN", "ROLLBACK"), ("SAVEPOINT s", "RELEASE s")):
        for side in pair:
            side.execute(begin)
            side.execute("PRAGMA foreign_keys = OFF")
        assert _both(pair, "PRAGMA foreign_keys") == [(1,)]
        for side in pair:
            side.execute(end)
        assert _both(pair, "PRAGMA foreign_keys") == [(1,)]
    for side in pair:
        side.execute("PRAGMA foreign_keys = OFF")
    assert _both(pair, "PRAGMA foreign_keys") == [(0,)]
    for side in pair:
        side.close()


def test_an_unknown_table_is_a_fault_of_ours() -> None:
    with pytest.raises(InternalError, match="no catalog table nonsense"):
        catalog_rows("nonsense", (), Context(None))  # type: ignore[arg-type]


VIEWS = """
    CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL DEFAULT 'x', c DECIMAL(10, 2), d, e VARCHAR(10), f BLOB);
    CREATE VIEW plain AS SELECT a, b, c, d, e, f, a + 1 AS g, CAST(a AS TEXT) AS h, CAST(a AS INTEGER) i, NULL j FROM t;
    CREATE VIEW named(x, y) AS SELECT a, b || '1' FROM t UNION ALL SELECT b, 1 FROM t;
    CREATE VIEW other AS SELECT *, y AS q FROM named;
    CREATE VIEW doubled AS WITH z(k) AS (SELECT b FROM t) SELECT k, k AS k, (SELECT b FROM t) FROM z;
    CREATE VIEW rows AS VALUES (1, 'x'), (2, 3);
    CREATE VIEW inside AS SELECT m.name, p.cid FROM sqlite_master m, pragma_table_info(m.name) p;
    CREATE TEMP VIEW own AS SELECT a AS aa FROM t;
"""


@pytest.mark.parametrize(
    "query",
    [
        *[f"PRAGMA table_xinfo({name})" for name in ("plain", "named", "other", "doubled", "rows", "own", "gone")],
        "PRAGMA table_info(plain)",
        "SELECT m.name, i.name FROM sqlite_master m, pragma_table_info(m.name) i WHERE m.type = 'view' ORDER BY 1, cid",
        "SELECT name FROM pragma_table_info('own', 'main')",
        "SELECT name FROM pragma_table_info('own', 'temp')",
        "SELECT name FROM pragma_table_info(NULL)",
        "SELECT * FROM inside WHERE name = 'other'",
    ],
)
def test_the_columns_of_views_are_those_of_sqlite(query: str) -> None:
    with closing(discosql.connect(":memory:")) as ours, closing(sqlite.connect(":memory:")) as theirs:
        for connection in (ours, theirs):
            connection.executescript(VIEWS)
        assert ours.execute(query).fetchall() == theirs.execute(query).fetchall()


def test_a_view_whose_table_is_gone_has_no_columns() -> None:
    with closing(discosql.connect(":memory:")) as db:
        db.executescript(
            "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT 1 AS b; DROP TABLE t"
        )
        with pytest.raises(discosql.ProgrammingError, match="no such table: t"):
            db.execute("PRAGMA table_info(v)")
        every = "SELECT p.name FROM sqlite_master m, pragma_table_info(m.name) p"
        assert db.execute(every).fetchall() == [("b",)]
        db.execute("CREATE TABLE t (a INT)")
        assert db.execute("PRAGMA table_info(v)").fetchall() == [(0, "a", "INT", 0, None, 0)]


def test_columns_of_table_functions_have_no_affinity() -> None:
    pair = discosql.connect(":memory:"), sqlite.connect(":memory:")
    for sql in (
        "SELECT fullkey <= 0.0, id = '1', '1' = id, type = 1 FROM json_each('[7]')",
        "SELECT count(*) FROM json_each('[7]') WHERE 0 BETWEEN fullkey AND 3.5",
        "SELECT cid = '0', '0' = cid FROM pragma_table_info('sqlite_schema')",
        "SELECT type < 3 FROM (SELECT 1) LEFT JOIN sqlite_schema",
    ):
        _both(pair, sql, ordered=False)
