"""PRAGMAs and declared types, as tools ask for them, compared with SQLite on one schema."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2 as sqlite

import discosql
from discosql.planner.pragma import FIXED

SCHEMA = """
CREATE TABLE a (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'x' COLLATE NOCASE, n REAL DEFAULT (1 + 2),
    g REAL AS (n * 2), h INT GENERATED ALWAYS AS (id + 1) STORED, UNIQUE (name, n)
) STRICT;
CREATE TABLE b (
    x INTEGER, y TEXT, a_id INTEGER REFERENCES a (id) ON DELETE CASCADE ON UPDATE SET NULL, PRIMARY KEY (y, x)
) STRICT;
CREATE TABLE w (k TEXT PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID;
CREATE TABLE st (i INTEGER PRIMARY KEY AUTOINCREMENT, t TEXT) STRICT;
CREATE TABLE c (
    p TEXT, q INTEGER, FOREIGN KEY (p, q) REFERENCES b (y, x) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (q) REFERENCES a
) STRICT;
CREATE INDEX bi ON b (y DESC, x);
CREATE UNIQUE INDEX bu ON b (a_id) WHERE a_id > 3;
CREATE INDEX be ON b (lower(y), x);
CREATE VIEW v AS SELECT a.id, name AS nm, count(*) AS c, n + 1 FROM a GROUP BY 1;
CREATE VIEW v2 (p, q) AS SELECT 1, 'x';
CREATE VIEW broken AS SELECT * FROM gone;
CREATE TRIGGER tr AFTER INSERT ON a BEGIN SELECT 1; END;
CREATE TEMP TABLE tt (z TEXT) STRICT;
CREATE TEMP VIEW tv AS SELECT z FROM tt;
"""

TABLES = ("a", "b", "c", "w", "st", "v", "v2", "tt", "tv", "missing", "sqlite_master", "sqlite_sequence")
INDEXES = ("bi", "bu", "be", "sqlite_autoindex_a_1", "sqlite_autoindex_b_1", "sqlite_autoindex_w_1", "missing")
ASKED = [
    *(
        f"{name}({table})"
        for name in ("table_info", "table_xinfo", "index_list", "foreign_key_list")
        for table in TABLES
    ),
    *(f"{name}({index})" for name in ("index_info", "index_xinfo") for index in INDEXES),
    *(f"table_list({table})" for table in TABLES if table != "sqlite_master"),
    "main.table_info(tt)",
    "temp.table_info(tt)",
    "database_list",
    "main.database_list",
    "collation_list",
    "encoding",
    "user_version",
    "application_id",
    "foreign_key_check",
    "integrity_check",
    "recursive_triggers",
    "defer_foreign_keys",
    "query_only",
    "page_size",
    "freelist_count",
    "integrity_check(3)",
    "quick_check(1)",
    "main.quick_check(a)",
    "page_size = 1024",
    "cache_size = -8000",
    "max_page_count = 4294967294",
    "shrink_memory",
    "incremental_vacuum",
    "unknown",
]
OTHERWISE = {"journal_mode": ("wal",), "busy_timeout": (0,), "temp_store": (2,)}


@pytest.fixture(scope="module")
def databases() -> Iterator[tuple[Any, Any]]:
    ours: Any = discosql.connect(":memory:", isolation_level=None)
    theirs: Any = sqlite.connect(":memory:", isolation_level=None)
    for db in (ours, theirs):
        db.executescript(SCHEMA)
        for view in ("v", "v2"):
            db.execute(f"SELECT * FROM {view}")  # before, SQLite does not know how many columns it has
    yield ours, theirs
    ours.close()
    theirs.close()


def answer(db: Any, pragma: str) -> Any:
    """Return the names of the columns and the rows of a PRAGMA."""
    cursor = db.execute(f"PRAGMA {pragma}")
    return cursor.description and ([column[0] for column in cursor.description], sorted(cursor.fetchall(), key=repr))


@pytest.mark.parametrize("pragma", ASKED)
def test_answers_are_those_of_sqlite(databases: tuple[Any, Any], pragma: str) -> None:
    ours, theirs = (answer(db, pragma) for db in databases)
    assert ours == theirs


def test_the_list_of_tables(databases: tuple[Any, Any]) -> None:
    """It has views with as many columns as they show; one that cannot be read has none."""
    ours, theirs = (answer(db, "table_list") for db in databases)
    assert ours == theirs
    assert ("main", "v", "view", 4, 0, 0) in ours[1]
    assert ("main", "broken", "view", 0, 0, 0) in ours[1]


@pytest.mark.parametrize("pragma", sorted(FIXED.keys() - {"compile_options", "module_list"}))
def test_what_is_always_so(databases: tuple[Any, Any], pragma: str) -> None:
    ours, theirs = (answer(db, pragma) for db in databases)
    assert ours[0] == theirs[0]
    assert ours[1] == ([OTHERWISE[pragma]] if pragma in OTHERWISE else theirs[1])


def test_setting_what_cannot_be_changed_does_nothing() -> None:
    db = discosql.connect(":memory:")
    assert db.execute("PRAGMA journal_mode = delete").fetchall() == [("wal",)]
    for sql in ("PRAGMA synchronous = 0", "PRAGMA temp_store = 1"):
        assert db.execute(sql).description is None
    assert db.execute("PRAGMA synchronous").fetchall() == [(2,)]
    with pytest.raises(discosql.NotSupportedError):
        db.execute("PRAGMA writable_schema = 1")


QUERY_ONLY = (
    "PRAGMA query_only = ON",
    "PRAGMA query_only",
    "INSERT INTO t VALUES (1)",
    "UPDATE t SET a = 2 WHERE 0",
    "DELETE FROM t",
    "CREATE TABLE u (a)",
    "CREATE TEMP TABLE u (a)",
    "DROP TABLE t",
    "PRAGMA user_version = 4",
    "VACUUM",
    "SELECT * FROM t",
    "BEGIN",
    "INSERT INTO t VALUES (2)",
    "COMMIT",
    "PRAGMA cache_size = 5",
    "REINDEX",
    "PRAGMA query_only = 0",
    "INSERT INTO t VALUES (3) RETURNING a",
    "PRAGMA user_version",
    "PRAGMA query_only = yes",
    "PRAGMA query_only",
)


def test_query_only() -> None:
    """It refuses what writes, as in SQLite, but not what writes nothing."""
    told: list[list[Any]] = []
    for module in (discosql, sqlite):
        db: Any = module.connect(":memory:", isolation_level=None)
        db.execute("CREATE TABLE t (a)")
        told.append([])
        for sql in QUERY_ONLY:
            try:
                cursor = db.execute(sql)
                told[-1].append((sql, cursor.description and cursor.fetchall()))
            except module.OperationalError as error:
                told[-1].append((sql, str(error), error.sqlite_errorname))
        db.close()
    assert told[0] == told[1]
    assert [len(answer) for answer in told[0]].count(3) == 9


def data_version(db: Any) -> int:
    ((version,),) = db.execute("PRAGMA data_version").fetchall()
    return int(version)


def test_data_version(tmp_path: Path) -> None:
    """It tells of commits of other connections, not of one's own, of checkpoints or of temporary tables."""
    one, two = (discosql.connect(tmp_path / "a.disco", isolation_level=None) for _ in range(2))
    before = data_version(one)
    one.execute("CREATE TABLE t (a)")
    one.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(9)])
    one.executescript("CREATE TEMP TABLE u (a); INSERT INTO u VALUES (1); SELECT * FROM t; UPDATE t SET a = 1 WHERE 0")
    for _ in range(70):
        one.execute("UPDATE t SET a = a + 1 WHERE a = 3")
        one.execute("UPDATE t SET a = 3 WHERE a = 4")
    assert data_version(one) == before
    seen = data_version(two)
    two.execute("SELECT * FROM t")
    assert data_version(two) == seen
    two.execute("INSERT INTO t VALUES (1)")
    assert data_version(two) == seen
    assert data_version(one) != before
    assert one.execute("PRAGMA data_version = 1").description is None
    for db in (one, two):
        db.close()


def test_sizes(tmp_path: Path) -> None:
    db = discosql.connect(tmp_path / "a.disco", isolation_level=None, cache_size=2**22)
    db.execute("CREATE TABLE t (a)")
    assert db.execute("PRAGMA cache_size").fetchall() == [(-4096,)]
    small = db.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchall()[0][0]
    db.execute("INSERT INTO t VALUES (randomblob(100000))")
    assert db.execute("PRAGMA page_count").fetchall()[0][0] * 4096 - small > 90_000
    cursor = db.execute("PRAGMA main.wal_checkpoint(TRUNCATE)")
    assert [column[0] for column in cursor.description] == ["busy", "log", "checkpointed"]
    assert cursor.fetchall() == [(0, 2, 0)]
    assert db.execute("PRAGMA busy_timeout = 5000").fetchall() == [(0,)]
    assert db.execute("PRAGMA optimize").description is None
    db.close()


def test_lists_of_what_there_is() -> None:
    db = discosql.connect(":memory:")
    assert ("json_each",) in db.execute("PRAGMA module_list").fetchall()
    assert ("DEFAULT_FOREIGN_KEYS",) in db.execute("PRAGMA compile_options").fetchall()
    for (name,) in db.execute("PRAGMA pragma_list").fetchall():
        db.execute(f"PRAGMA {name}")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT d FROM t",
        "SELECT d FROM t GROUP BY d",
        "SELECT d, count(*) FROM t GROUP BY n",
        "SELECT max(n), d FROM t",
        "SELECT max(d) FROM t",
        "SELECT d || '' FROM t GROUP BY 1",
        "SELECT DISTINCT d FROM t",
        "SELECT d FROM t UNION SELECT n FROM t UNION SELECT d FROM t",
        "SELECT n FROM t UNION ALL SELECT d FROM t",
        "SELECT d FROM (SELECT d FROM t ORDER BY d LIMIT 1)",
        "WITH c AS MATERIALIZED (SELECT d FROM t) SELECT a.d, b.d FROM c a, c b",
        "WITH RECURSIVE c (e) AS (SELECT d FROM t UNION ALL SELECT e FROM c LIMIT 1) SELECT e FROM c",
        "SELECT (SELECT d FROM t)",
        "SELECT (SELECT count(d) FROM t)",
        "SELECT e FROM t LEFT JOIN (SELECT d AS e FROM t) ON d = e",
        "SELECT row_number() OVER (), d FROM t",
    ],
)
def test_declared_types_reach_converters(sql: str) -> None:
    rows = []
    modules: tuple[Any, ...] = (discosql, sqlite)
    for module in modules:
        module.register_converter("weird", lambda data: ("read", data))
        db = module.connect(":memory:", detect_types=module.PARSE_DECLTYPES)
        db.execute("CREATE TABLE t (d weird, n)")
        db.execute("INSERT INTO t VALUES ('x', 1)")
        rows.append(db.execute(sql).fetchall())
        db.close()
        module.converters.pop("WEIRD")
    assert rows[0] == rows[1]
