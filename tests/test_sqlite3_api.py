"""The parts of sqlite3's API beyond PEP 249, each compared with what sqlite3 itself does."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pysqlite3 import dbapi2 as pysqlite3

import discosql


def both(work: Callable[[Any, Any], Any], schema: str = "", other: Any = pysqlite3) -> tuple[Any, Any]:
    """Return what some work with a connection gives here and in sqlite3."""
    answers = []
    modules: tuple[Any, ...] = (discosql, other)
    for module in modules:
        connection = module.connect(":memory:", isolation_level=None)
        connection.executescript(schema)
        answers.append(work(module, connection))
        connection.close()
    return answers[0], answers[1]


# Blobs ------------------------------------------------------------------------------------------------------------

FILE = "CREATE TABLE file (id INTEGER PRIMARY KEY, name TEXT, data BLOB); INSERT INTO file VALUES (7, 'a', X'00010203')"


def test_a_blob_is_read_and_written_in_pieces() -> None:
    db = discosql.connect(":memory:")
    db.executescript(FILE)
    with db.blobopen("file", "data", 7) as blob:
        assert (len(blob), blob.read(2), blob.tell(), blob.read(), blob.read()) == (4, b"\0\1", 2, b"\2\3", b"")
        blob.seek(-1, os.SEEK_END)
        blob.write(b"\xff")
        blob[0] = 9
        blob[1:3] = b"ab"
        assert (blob[0], blob[-1], blob[::2]) == (9, 255, b"\tb")
        assert db.in_transaction
    assert db.execute("SELECT data FROM file").fetchone() == (b"\tab\xff",)
    db.rollback()
    assert db.execute("SELECT data FROM file").fetchone() == (b"\0\1\2\3",)


def test_a_blob_of_text_stays_text() -> None:
    def work(module: Any, db: Any) -> Any:
        with db.blobopen("file", "name", 7) as blob:
            blob.write(b"z")
        return db.execute("SELECT name, typeof(name) FROM file").fetchall()

    ours, theirs = both(work, FILE, sqlite3)
    assert ours == theirs == [("z", "text")]


@pytest.mark.parametrize(
    ("table", "column", "row"),
    [("file", "data", 8), ("file", "size", 7), ("files", "data", 7), ("v", "data", 7)],
)
def test_blobs_that_cannot_be_opened(table: str, column: str, row: int) -> None:
    def work(module: Any, db: Any) -> str:
        with pytest.raises(module.OperationalError) as raised:
            db.blobopen(table, column, row)
        return str(raised.value)

    ours, theirs = both(work, f"{FILE}; CREATE VIEW v AS SELECT * FROM file", sqlite3)
    assert ours == theirs


def test_a_blob_of_a_table_without_rowids_or_with_columns_of_their_names() -> None:
    db = discosql.connect(":memory:")
    db.executescript("CREATE TABLE w (a PRIMARY KEY, b) WITHOUT ROWID; INSERT INTO w VALUES (1, X'00')")
    with pytest.raises(discosql.OperationalError, match="cannot open table without rowid: w"):
        db.blobopen("w", "b", 1)
    db.executescript("CREATE TABLE t (rowid, oid, _rowid_, b); INSERT INTO t VALUES (1, 2, 3, X'00')")
    with pytest.raises(discosql.OperationalError, match="without rowid"):
        db.blobopen("t", "b", 1)
    db.executescript("CREATE TEMP TABLE h (oid, b); INSERT INTO h VALUES (5, X'aa')")
    with db.blobopen("h", "b", 1, name="temp") as blob:
        assert blob.read() == b"\xaa"


def test_a_blob_that_others_changed_has_expired() -> None:
    db = discosql.connect(":memory:")
    db.executescript(FILE)
    blob = db.blobopen("file", "data", 7)
    db.execute("UPDATE file SET data = X'ff'")
    for use in (blob.read, lambda: blob.write(b"z"), lambda: blob[0]):
        with pytest.raises(discosql.OperationalError, match="expired"):
            use()
    blob.reopen(7)
    assert blob.read() == b"\xff"


# Authorizers ------------------------------------------------------------------------------------------------------

SCHEMA = """
    CREATE TABLE a (id INTEGER PRIMARY KEY, x, y);
    CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER, z);
    CREATE INDEX bz ON b (z);
    CREATE VIEW v AS SELECT id, x FROM a WHERE y > 0;
    CREATE TABLE log (what);
    CREATE TRIGGER told AFTER INSERT ON b BEGIN INSERT INTO log VALUES (new.z); END;
    INSERT INTO a VALUES (1, 2, 3), (4, 5, 6);
    INSERT INTO b VALUES (1, 1, 'one');
"""
STATEMENTS = [
    "SELECT x FROM a",
    "SELECT * FROM a",
    "SELECT count(*) FROM a",
    "SELECT a.x, b.z FROM a JOIN b ON b.a = a.id",
    "SELECT x FROM a WHERE y = (SELECT max(z) FROM b)",
    "SELECT upper(z) || length(z) FROM b ORDER BY z",
    "SELECT x FROM v",
    "WITH c AS (SELECT y FROM a) SELECT y FROM c",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
    "SELECT x FROM a UNION SELECT z FROM b",
    "SELECT sum(x) OVER (ORDER BY y) FROM a",
    "INSERT INTO a (x) VALUES (1)",
    "INSERT INTO b (z) VALUES ('two')",
    "INSERT INTO a (x) SELECT z FROM b",
    "UPDATE a SET x = y + 1 WHERE id = 1",
    "UPDATE a SET x = 1, y = 2",
    "DELETE FROM a WHERE x = 1",
    "CREATE TABLE t (i)",
    "CREATE TEMP TABLE t (i)",
    "CREATE INDEX i ON a (x)",
    "CREATE VIEW w AS SELECT 1",
    "CREATE TRIGGER g AFTER DELETE ON a BEGIN SELECT 1; END",
    "DROP TABLE log",
    "DROP INDEX bz",
    "DROP VIEW v",
    "DROP TRIGGER told",
    "ALTER TABLE a RENAME TO aa",
    "PRAGMA user_version",
    "PRAGMA user_version = 3",
    "BEGIN",
    "SAVEPOINT s",
    "ANALYZE",
]
INTERNAL = ("sqlite_", "substr", "printf", "like")


def asked(sql: str, **answers: int) -> Callable[[Any, Any], Any]:
    """Return the work of running a statement: what the authorizer was asked, and what came of it."""

    def work(module: Any, db: Any) -> Any:
        questions = set()

        def decide(action: int, first: str | None, second: str | None, database: str | None, inside: str | None) -> int:
            names = [name for name in (first, second) if name is not None]
            if not any(name.startswith(INTERNAL) for name in names):
                questions.add((action, first, second, database, inside))
            return next((answers[name] for name in names if name in answers), 0)

        db.set_authorizer(decide)
        try:
            rows: Any = db.execute(sql).fetchall() if sql.startswith(("SELECT", "WITH")) else db.execute(sql) and None
        except (module.DatabaseError, module.NotSupportedError) as error:
            rows = str(error)
        db.set_authorizer(None)
        return questions, rows

    return work


@pytest.mark.parametrize("sql", STATEMENTS)
def test_the_authorizer_is_asked_what_sqlite_asks(sql: str) -> None:
    (ours, rows), (theirs, expected) = both(asked(sql), SCHEMA)
    assert rows == expected
    main = min(theirs) if sql.startswith(("CREATE", "DROP", "ALTER")) else None
    if main is not None:  # SQLite tells how it goes about it, too: what it deletes from its own tables, say
        assert ours <= theirs
        assert ours
    elif sql == "ANALYZE":
        assert {question[0] for question in ours} == {sqlite3.SQLITE_ANALYZE}
    else:
        assert ours == theirs


@pytest.mark.parametrize(
    ("sql", "answers"),
    [
        ("SELECT x, y FROM a", {"x": 1}),
        ("SELECT * FROM a", {"y": 1}),
        ("SELECT x, y FROM a ORDER BY y", {"x": 2}),
        ("SELECT * FROM a", {"x": 2}),
        ("SELECT x FROM v", {"y": 1}),
        ("SELECT id FROM v", {"v": 1}),
        ("SELECT count(*) FROM a", {"a": 1}),
        ("SELECT upper(z) FROM b", {"upper": 1}),
        ("SELECT upper(z) FROM b", {"upper": 2}),
        ("SELECT max(x) FROM a", {"max": 1}),
        ("SELECT max(x) FROM a", {"x": 2}),
        ("INSERT INTO a (x) VALUES (1)", {"a": 1}),
        ("INSERT INTO a (x) VALUES (1)", {"a": 2}),
        ("UPDATE a SET x = 1, y = 2", {"y": 2}),
        ("UPDATE a SET x = 1, y = 2", {"y": 1}),
        ("DELETE FROM a", {"a": 1}),
        ("INSERT INTO b (z) VALUES ('x')", {"log": 1}),
        ("DROP TABLE log", {"log": 1}),
        ("CREATE TABLE t (i)", {"t": 1}),
        ("PRAGMA user_version = 5", {"user_version": 1}),
    ],
)
def test_what_is_denied_or_ignored(sql: str, answers: dict[str, int]) -> None:
    def work(module: Any, db: Any) -> Any:
        _, rows = asked(sql, **answers)(module, db)
        left = [db.execute(f"SELECT * FROM {name} -- now").fetchall() for name in ("a", "b")]
        return rows, left, db.execute("PRAGMA user_version").fetchall()

    ours, theirs = both(work, SCHEMA)
    assert ours == theirs


def test_no_way_round_a_denied_column() -> None:
    """Whatever reads the column of the table asks."""
    db = discosql.connect(":memory:")
    db.executescript(SCHEMA)
    db.set_authorizer(lambda action, first, second, *_: int((first, second) == ("a", "x")))
    for sql in (
        "SELECT id FROM a WHERE x > 1",
        "SELECT id FROM a ORDER BY x",
        "SELECT count(*) FROM a GROUP BY x",
        "SELECT 1 FROM b LEFT JOIN a ON a.x = b.z",
        "SELECT 1 FROM a FULL JOIN (SELECT 1 AS x) USING (x)",
        "SELECT 1 FROM a JOIN (SELECT 1 AS x) USING (x)",
        "SELECT (SELECT x FROM a)",
        "SELECT 1 WHERE 2 IN (SELECT x FROM a)",
        "SELECT * FROM (SELECT * FROM a)",
        "WITH c AS MATERIALIZED (SELECT * FROM a) SELECT id FROM c",
        "SELECT sum(y) FILTER (WHERE x > 1) FROM a",
        "SELECT lag(x) OVER (ORDER BY y) FROM a",
        "UPDATE a SET y = x",
        "DELETE FROM a WHERE x = 1",
        "DELETE FROM a RETURNING x",
        "INSERT INTO a VALUES (1, 1, 1) ON CONFLICT (id) DO UPDATE SET y = a.x",
        "CREATE TABLE t AS SELECT * FROM a",
        "EXPLAIN SELECT x FROM a",
    ):
        with pytest.raises(discosql.DatabaseError, match=r"a\.x is prohibited") as raised:
            db.execute(sql)
        assert raised.value.sqlite_errorname == "SQLITE_AUTH"


# Limits, switches, codes --------------------------------------------------------------------------------------------


def test_limits() -> None:
    db = discosql.connect(":memory:")
    assert db.getlimit(discosql.SQLITE_LIMIT_VARIABLE_NUMBER) == 32766
    assert db.setlimit(discosql.SQLITE_LIMIT_SQL_LENGTH, 10**12) == 10**9
    assert db.getlimit(discosql.SQLITE_LIMIT_SQL_LENGTH) == 10**9
    db.execute("CREATE TABLE t (a)")
    for category, value, sql, parameters, error in (
        (discosql.SQLITE_LIMIT_SQL_LENGTH, 12, "SELECT 'längst'", (), discosql.DataError),
        (discosql.SQLITE_LIMIT_LENGTH, 3, "INSERT INTO t VALUES (?)", ("long",), discosql.DataError),
        (discosql.SQLITE_LIMIT_VARIABLE_NUMBER, 1, "SELECT ?, ?", (1, 2), discosql.SqlLimitError),
        (discosql.SQLITE_LIMIT_FUNCTION_ARG, 2, "SELECT max(1, 2, 3)", (), discosql.SqlLimitError),
    ):
        before = db.setlimit(category, value)
        with pytest.raises(error):
            db.execute(sql, parameters)
        assert db.setlimit(category, before) == value
        db.execute(sql, parameters)
    with pytest.raises(discosql.NotSupportedError, match="cannot be changed; it is 1000"):
        db.setlimit(discosql.SQLITE_LIMIT_TRIGGER_DEPTH, 3)


def test_switches() -> None:
    db = discosql.connect(":memory:")
    assert db.getconfig(discosql.SQLITE_DBCONFIG_ENABLE_FKEY)
    db.setconfig(discosql.SQLITE_DBCONFIG_ENABLE_FKEY, False)
    assert db.execute("PRAGMA foreign_keys").fetchone() == (0,)
    db.setconfig(discosql.SQLITE_DBCONFIG_ENABLE_TRIGGER)
    with pytest.raises(discosql.NotSupportedError):
        db.setconfig(discosql.SQLITE_DBCONFIG_ENABLE_TRIGGER, False)
    with pytest.raises(ValueError, match="unknown config 'op': 5"):
        db.getconfig(5)


BROKEN = [
    "INSERT INTO t VALUES (1, 1, 1, 1)",
    "INSERT INTO t (n) VALUES (1)",
    "INSERT INTO t VALUES (2, 1, 2, 1)",
    "INSERT INTO t VALUES (2, NULL, 2, 1)",
    "INSERT INTO t VALUES (2, 2, -2, 1)",
    "INSERT INTO t VALUES (2, 2, 2, 3)",
    "DELETE FROM t WHERE id = 9",
    "INSERT OR FAIL INTO t VALUES (2, 1, 2, 1)",
    "SELECT nothing",
    "SELEC 1",
]


@pytest.mark.parametrize("sql", BROKEN)
def test_errors_have_the_numbers_of_sqlite(sql: str) -> None:
    schema = """
        PRAGMA foreign_keys = ON;
        CREATE TABLE t (id INTEGER PRIMARY KEY, u INTEGER NOT NULL UNIQUE, n INTEGER CHECK (n > 0), p REFERENCES t);
        CREATE TRIGGER g BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'no'); END;
        INSERT INTO t VALUES (1, 1, 1, 1), (9, 9, 9, 9);
    """

    def work(module: Any, db: Any) -> Any:
        with pytest.raises(module.Error) as raised:
            db.execute(sql)
        return raised.value.sqlite_errorcode, raised.value.sqlite_errorname

    ours, theirs = both(work, schema, sqlite3)
    assert ours == theirs


def test_the_wrong_kind_of_argument_is_an_error_of_both_kinds() -> None:
    db = discosql.connect(":memory:")
    for kind, own, call in (
        (TypeError, discosql.ProgrammingError, lambda: db.execute(1)),
        (TypeError, discosql.ProgrammingError, lambda: db.execute("SELECT ?", 1)),
        (ValueError, discosql.ProgrammingError, lambda: db.executescript("SELECT 1;\0")),
        (OverflowError, discosql.DataError, lambda: db.execute("SELECT ?", (2**63,))),
        (UnicodeEncodeError, discosql.DataError, lambda: db.execute("SELECT ?", ("\udc80",))),
        (UnicodeEncodeError, discosql.DataError, lambda: db.execute("SELECT '\udc80'")),
        (TypeError, discosql.ProgrammingError, lambda: db.backup(None)),
    ):
        with pytest.raises(kind) as raised:
            call()
        assert isinstance(raised.value, own)


# Window functions, traces, transactions -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "over",
    [
        "(ORDER BY b ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)",
        "(PARTITION BY a ORDER BY b)",
        "()",
        "(ORDER BY b ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING)",
        "(ORDER BY b ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING)",
        "(ORDER BY a RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
        "(ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW)",
    ],
)
@pytest.mark.parametrize("filtered", ["", "FILTER (WHERE b <> 3)"])
def test_window_functions_in_python(over: str, filtered: str) -> None:
    def work(module: Any, db: Any) -> Any:
        calls: list[Any] = []

        class Sum:
            def __init__(self) -> None:
                self.total = 0

            def step(self, value: int) -> None:
                self.total += value
                calls.append(value)

            def inverse(self, value: int) -> None:
                self.total -= value
                calls.append(-value)

            def value(self) -> int:
                return self.total

            def finalize(self) -> int:
                return self.total

        db.create_window_function("total_of", 1, Sum)
        return db.execute(f"SELECT b, total_of(b) {filtered} OVER {over} FROM t").fetchall(), sorted(calls)

    ours, theirs = both(work, "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 1), (1, 2), (2, 3), (2, 4), (3, 5)")
    assert ours == theirs


def test_traces_have_the_values_of_parameters() -> None:
    db = discosql.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE t (a, b)")
    told: list[str] = []
    db.set_trace_callback(told.append)
    db.execute("INSERT INTO t VALUES (?2, ?1) /* ? */", ("it's", None))
    db.execute("SELECT :x, ':x', :x, :y", {"x": b"\1", "y": 1.5})
    db.executemany("INSERT INTO t VALUES (?, 0)", [(1,), (2,)])
    assert told == [
        "INSERT INTO t VALUES (NULL, 'it''s') /* ? */",
        "SELECT X'01', ':x', X'01', 1.5",
        "INSERT INTO t VALUES (1, 0)",
        "INSERT INTO t VALUES (2, 0)",
    ]


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    seen: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", seen.append)
    discosql.enable_callback_tracebacks(True)
    yield seen
    discosql.enable_callback_tracebacks(False)


def test_errors_in_handlers(unraisable: list[Any]) -> None:
    db = discosql.connect(":memory:")

    def broken(*_: Any) -> int:
        return 1 // 0

    db.set_trace_callback(broken)
    assert db.execute("SELECT 1").fetchone() == (1,)
    db.set_trace_callback(None)
    db.set_authorizer(broken)
    with pytest.raises(discosql.DatabaseError, match="not authorized"):
        db.execute("SELECT 1")
    db.set_authorizer(None)
    db.set_progress_handler(broken)
    with pytest.raises(discosql.OperationalError, match="interrupted"):
        db.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) SELECT sum(i) FROM n"
        )
    assert [(about.exc_type, about.object) for about in unraisable] == [(ZeroDivisionError, broken)] * 3


def test_modes_of_transactions_change_as_in_sqlite3() -> None:
    db = discosql.connect(":memory:", autocommit=False)
    assert db.in_transaction
    told: list[str] = []
    db.set_trace_callback(told.append)
    db.execute("CREATE TABLE t (a)")
    db.autocommit = True
    assert not db.in_transaction
    db.execute("BEGIN")
    db.commit()
    db.rollback()
    with db:
        db.execute("INSERT INTO t VALUES (1)")
    assert db.in_transaction
    db.executescript("SELECT 2")
    assert db.in_transaction
    db.autocommit = discosql.LEGACY_TRANSACTION_CONTROL
    db.executescript("SELECT 3")
    db.execute("INSERT INTO t VALUES (2)")
    db.isolation_level = None
    assert not db.in_transaction
    assert told == [
        "BEGIN",
        "CREATE TABLE t (a)",
        "COMMIT",
        "BEGIN",
        "INSERT INTO t VALUES (1)",
        "SELECT 2",
        "COMMIT",
        "SELECT 3",
        "BEGIN ",
        "INSERT INTO t VALUES (2)",
        "COMMIT",
    ]


def test_a_serialized_database() -> None:
    db = discosql.connect(":memory:")
    db.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE); INSERT INTO t (a) VALUES ('x'), (X'00')")
    data = db.serialize()
    db.execute("DROP TABLE t")
    db.execute("CREATE TEMP TABLE gone (a)")
    db.deserialize(data)
    assert db.execute("SELECT * FROM t").fetchall() == [(1, "x"), (2, b"\0")]
    db.execute("INSERT INTO t (a) VALUES ('y')")
    with pytest.raises(discosql.OperationalError, match="transaction"):
        db.deserialize(data)
    db.rollback()
    with pytest.raises(discosql.DatabaseError):
        db.execute("SELECT * FROM gone")
    with pytest.raises(discosql.DatabaseCorruptionError):
        db.deserialize(data[:-30])
    assert db.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_what_was_not_initialised_says_so() -> None:
    class Careless(discosql.Connection):
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

    db = discosql.connect(":memory:", factory=Careless)
    for use in (db.cursor, db.close, db.commit, db.iterdump, lambda: db.in_transaction, lambda: db.isolation_level):
        with pytest.raises(discosql.ProgrammingError, match="__init__ not called"):
            use()


def test_a_dump_of_some_names() -> None:
    db = discosql.connect(":memory:")
    db.executescript("""
        CREATE TABLE shop_item (id INTEGER PRIMARY KEY);
        CREATE TABLE shop_sale (item REFERENCES shop_item);
        CREATE TABLE other (a);
        CREATE VIEW sold AS SELECT * FROM shop_sale;
        INSERT INTO other VALUES (1);
    """)
    assert list(db.iterdump(filter="o%")) == [
        "BEGIN TRANSACTION;",
        "CREATE TABLE other (a);",
        'INSERT INTO "other" VALUES(1);',
        "COMMIT;",
    ]
    names = [line.split()[2] for line in db.iterdump(filter="SHOP_%") if line.startswith("CREATE")]
    assert names == ["shop_item", "shop_sale"]
    assert len(list(db.iterdump(filter="sold"))) == 3
    assert [line for line in db.iterdump() if "sold" in line] == ["CREATE VIEW sold AS SELECT * FROM shop_sale;"]
