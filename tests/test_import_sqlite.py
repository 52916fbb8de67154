"""Importing SQLite files: whatever they hold comes over as it is, or it is told that it does not."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from killing import kill_when
from loopback import TOKEN, LoopbackDiscord
from pysqlite3 import dbapi2 as new_sqlite
from stepped_clock import SteppedClock
from test_import import types

import discosql
from discosql.transfer import sqlite_file


@pytest.fixture
def db() -> Iterator[discosql.Connection]:
    connection = discosql.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)"


def made(path: Path, script: str) -> Path:
    """Make a SQLite file by a script."""
    connection = new_sqlite.connect(path)
    connection.create_function("twice", 1, lambda value: value, deterministic=True)
    connection.create_collation("ODD", lambda a, b: (a > b) - (a < b))
    connection.executescript(script)
    connection.close()
    return path


def load(db: discosql.Connection, path: Path, **options: Any) -> tuple[dict[str, int], list[str]]:
    """Import a file; return the rows of each table and the warnings."""
    report = db.import_file(path, **options)
    return {imported.table: imported.rows for imported in report.tables}, list(report.warnings)


def names(db: discosql.Connection, kind: str) -> list[str]:
    sql = "SELECT name FROM sqlite_master WHERE type = ? AND sql IS NOT NULL AND name <> 'discosql_imports' ORDER BY 1"
    return [name for (name,) in db.execute(sql, (kind,)).fetchall() if name != "sqlite_sequence"]


SHOP = """
    CREATE TABLE purchase (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        customer TEXT NOT NULL REFERENCES customer (code) ON DELETE CASCADE, -- comes before its parent
        price DECIMAL(10, 2) DEFAULT 1.5 CHECK (price > 0),
        at DATETIME DEFAULT CURRENT_TIMESTAMP,
        paid BOOLEAN,
        double AS (price * 2),
        label TEXT AS (upper(customer)) STORED
    );
    CREATE TABLE customer (code TEXT COLLATE NOCASE PRIMARY KEY, born DATE, UNIQUE (born)) WITHOUT ROWID;
    CREATE TABLE "a ""b"" c, é" ("x y" VARCHAR(20), 'z''' INT, [w] BLOB);
    CREATE INDEX by_price ON purchase (price DESC, lower(customer)) WHERE paid;
    CREATE UNIQUE INDEX by_customer ON purchase (customer, price);
    CREATE VIEW total AS SELECT customer, sum(price) AS price FROM purchase GROUP BY customer;
    INSERT INTO customer VALUES ('ann', '2000-02-29'), ('Bob', '1999-12-31');
    INSERT INTO purchase (id, customer, price, at, paid) VALUES
        (5, 'ann', 2.5, '2024-01-01 10:00:00', 1), (7, 'BOB', 3, '2024-01-01T10:00:00.5', NULL), (9, 'ann', 1, NULL, 0);
    DELETE FROM purchase WHERE id = 9;
    INSERT INTO "a ""b"" c, é" (rowid, "x y", "z'", w) VALUES (10, 'ü', 1, x'00'), (20, NULL, NULL, NULL);
    CREATE TRIGGER paid AFTER INSERT ON purchase BEGIN UPDATE customer SET born = NULL WHERE code = new.customer; END;
    CREATE TRIGGER total_new INSTEAD OF INSERT ON total
    BEGIN INSERT INTO purchase (customer) VALUES (new.customer); END;
    PRAGMA user_version = 7;
"""


def test_a_whole_database(db: discosql.Connection, tmp_path: Path) -> None:
    path = made(tmp_path / "shop", SHOP)
    assert load(db, path) == ({"customer": 2, "purchase": 2, 'a "b" c, é': 2}, [])
    assert list(db.execute("SELECT id, customer, price, at, paid, double, label FROM purchase ORDER BY id")) == [
        (5, "ann", Decimal("2.5"), discosql.Timestamp(2024, 1, 1, 10), True, Decimal(5), "ANN"),
        (7, "BOB", Decimal(3), discosql.Timestamp(2024, 1, 1, 10, 0, 0, 500_000), None, Decimal(6), "BOB"),
    ]
    assert list(db.execute('SELECT rowid, * FROM "a ""b"" c, é"')) == [(10, "ü", 1, b"\0"), (20, None, None, None)]
    assert db.execute("SELECT code FROM customer WHERE code = 'BOB'").fetchall() == [("Bob",)]
    assert (names(db, "index"), names(db, "view")) == (["by_customer", "by_price"], ["total"])
    assert db.execute("PRAGMA user_version").fetchone() == (7,)
    db.execute("INSERT INTO total (customer) VALUES ('ann')")  # by triggers, defaults and AUTOINCREMENT
    assert db.execute("SELECT max(id), min(price) FROM purchase").fetchone() == (10, Decimal("1.5"))
    assert db.execute("SELECT born FROM customer WHERE code = 'ann'").fetchone() == (None,)
    for sql, said in (
        ("INSERT INTO purchase (customer, price) VALUES ('ann', 0)", "CHECK"),
        ("INSERT INTO purchase (customer, price) VALUES ('ann', 2.5)", "UNIQUE"),
        ("INSERT INTO purchase (customer, price) VALUES ('nobody', 1)", "FOREIGN KEY"),
        ("INSERT INTO customer VALUES ('ANN', NULL)", "UNIQUE"),
        ("INSERT INTO customer VALUES ('new', '1999-12-31')", "UNIQUE"),
    ):
        with pytest.raises(discosql.IntegrityError, match=said):
            db.execute(sql)
    db.execute("DELETE FROM customer WHERE code = 'ann'")
    assert db.execute("SELECT id FROM purchase").fetchall() == [(7,)]


DECLARED = [
    "", "INT", "INTEGER", "BIGINT UNSIGNED", "REAL", "FLOATING POINT", "TEXT", "VARCHAR(5)", "BLOB", "NUMERIC",
    "STRING", "ANY", "BOOLEAN", "DATE", "DATETIME", "TIMESTAMP", "DECIMAL(9, 2)", "JSON", "UUID",
]  # fmt: skip
TEXTS = st.sampled_from([
    "", "7", "007", "1.50", "1e3", "x", "ü\U0001f600", "a\0b", "2024-02-29", "2024-02-30", "2024-02-29 10:00:00",
    "2024-02-29T10:00:00.500Z", "2024-02-29 10:00:00.1234567", "2024-02-29 10:00:00+02:00", "10:00", "true", "[1, 2]",
    '{"a": null}', "1_000", " 5 ", "inf", "6f1c2b1e-0d5a-4c1a-9b7e-2f3d4c5b6a70", "6F1C2B1E0D5A4C1A9B7E2F3D4C5B6A70",
    "99999999999999999999",
])  # fmt: skip
STORED = st.one_of(
    st.none(),
    st.sampled_from([0, 1]),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.floats(-5, 5).map(lambda number: round(number, 2)),
    TEXTS,
    TEXTS,
    st.binary(max_size=20),
)


@given(data=st.data())
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_values_of_any_kind_in_columns_of_any_kind(tmp_path: Path, data: st.DataObject) -> None:
    """SQLite holds what it is given, whatever was declared. That comes back as it was, or as its type means it."""
    declared = data.draw(st.lists(st.sampled_from(DECLARED), min_size=1, max_size=3))
    kinds_of_values = [data.draw(st.sampled_from([STORED, TEXTS, st.integers(0, 3)])) for _ in declared]
    columns = [data.draw(st.lists(values, min_size=4, max_size=4)) for values in kinds_of_values]
    path = tmp_path / "t.sqlite"
    path.unlink(missing_ok=True)
    source = new_sqlite.connect(path)
    source.execute(f"CREATE TABLE t ({', '.join(f'c{place} {kind}' for place, kind in enumerate(declared))})")
    source.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(declared))})", zip(*columns, strict=True))
    source.commit()
    db = discosql.connect(":memory:", isolation_level=None)
    rows, warnings = load(db, path)
    assert rows == {"t": 4}
    kinds = types(db, "t")
    for place, kind in enumerate(declared):
        name = f"c{place}"
        assert (kinds[name] == kind) != any(f"column {name}, declared" in text for text in warnings), (kinds, warnings)
        before = source.execute(f"SELECT rowid, typeof({name}), {name} FROM t ORDER BY rowid").fetchall()
        after = db.execute(f"SELECT rowid, typeof({name}), {name} || '', {name} FROM t ORDER BY rowid").fetchall()
        for (rowid, was, value), (same, became, text, shown) in zip(before, after, strict=True):
            assert rowid == same
            if value is None:
                assert shown is None
            elif kinds[name].startswith("DECIMAL"):
                assert type(value)(shown) == value and shown == Decimal(repr(value))
            elif kinds[name] in ("DATETIME", "TIMESTAMP"):
                assert shown == discosql.Timestamp.fromisoformat(value)
            elif kinds[name] == "JSON":
                assert text == str(value)
            elif kinds[name] in ("DATE", "UUID", "BOOLEAN"):
                assert (text, became) == (str(value), was)
            else:
                assert (repr(shown), became) == (repr(value), was)
    source.close()
    db.close()


def test_values_that_do_not_fit_change_the_type(db: discosql.Connection, tmp_path: Path) -> None:
    path = made(
        tmp_path / "t.db",
        """CREATE TABLE t (
            a INT, b INT, c DATE, d DATE, e VARCHAR(3), f TEXT, g BOOLEAN, h DATETIME DEFAULT 'never', i INT DEFAULT 0
        );
        INSERT INTO t VALUES (1, 1.5, '29.02.2024', 5, x'ff', 'x', 2, NULL, 1);
        INSERT INTO t VALUES (2.5, 2.5, '2024-02-29', 6, x'00', x'00', 1, NULL, 1)""",
    )
    _rows, warnings = load(db, path)
    assert types(db, "t") == {
        "a": "NUMERIC", "b": "REAL", "c": "TEXT", "d": "INTEGER", "e": "BLOB", "f": "ANY", "g": "INTEGER", "h": "TEXT",
        "i": "INT",
    }  # fmt: skip
    assert "table t: column e, declared VARCHAR(3), becomes BLOB" in warnings
    assert len(warnings) == 8
    assert db.execute("SELECT a, b, c, f FROM t").fetchall() == [
        (1, 1.5, "29.02.2024", "x"),
        (2.5, 2.5, "2024-02-29", b"\0"),
    ]


def test_what_cannot_be_carried_over_is_told(db: discosql.Connection, tmp_path: Path) -> None:
    path = made(
        tmp_path / "t.db",
        """CREATE TABLE t (
            a TEXT COLLATE odd UNIQUE, b INT DEFAULT (twice(1)), c INT NOT NULL CHECK (twice(c)), d INT AS (twice(c)),
            e INT DEFAULT 5 CHECK (e > 0), f AS (e + 1), PRIMARY KEY (c DESC),
            FOREIGN KEY (e) REFERENCES t (c) ON UPDATE CASCADE
        );
        CREATE INDEX plain ON t (e);
        CREATE INDEX strange ON t (twice(e));
        CREATE VIRTUAL TABLE note USING fts5(text);
        CREATE TABLE child (p REFERENCES t (c));
        INSERT INTO t (a, c) VALUES ('x', 5);
        INSERT INTO child VALUES (5), (6);
        INSERT INTO child VALUES (CAST(x'ff' AS TEXT));""",
    )
    rows, warnings = load(db, path)
    assert rows == {"t": 1, "child": 3}
    assert warnings == [
        "virtual table note is not carried over",
        "table child: text that is no UTF-8 is kept as BLOB",
        "table t: collation odd is not carried over",
        "table t: CHECK (twice(c)) is not carried over",
        "table t: DEFAULT of column b is not carried over",
        "table t: the expression of column d is not carried over",
        "index strange is not carried over: no such function: twice",
        "table child: 2 rows refer to rows that t does not have",
    ]
    assert db.execute("SELECT a, b, c, e, f FROM t").fetchall() == [("x", 1, 5, 5, 6)]
    assert names(db, "index") == ["plain"]
    for sql in (
        "INSERT INTO t (a, c) VALUES ('x', 6)",
        "INSERT INTO t (c, e) VALUES (7, -1)",
        "INSERT INTO t (c) VALUES (5)",
    ):
        with pytest.raises(discosql.IntegrityError):
            db.execute(sql)


def test_files_without_tables_and_batches_without_rows(db: discosql.Connection, tmp_path: Path) -> None:
    assert load(db, made(tmp_path / "t.db", "CREATE VIEW v AS SELECT 1 AS a")) == ({}, [])
    assert db.execute("SELECT * FROM v").fetchall() == [(1,)]
    assert load(db, made(tmp_path / "none.db", "PRAGMA user_version = 3")) == ({}, [])
    assert db.execute("PRAGMA user_version").fetchone() == (3,)
    with pytest.raises(discosql.ProgrammingError, match="a batch has at least one row"):
        load(db, made(tmp_path / "u.db", "CREATE TABLE t (a)"), batch=0)


def test_what_a_database_exports_comes_back(db: discosql.Connection, tmp_path: Path) -> None:
    db.executescript(
        """CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL COLLATE NOCASE UNIQUE);
        CREATE TABLE t (
            a INTEGER, b REAL, c TEXT, d BLOB, e BOOLEAN, f DATE, g TIMESTAMP, h DECIMAL(9, 2), i JSON, j UUID, k ANY,
            l NUMERIC, p REFERENCES parent, q AS (a + 1), CHECK (a < 100)
        );
        CREATE INDEX some ON t (lower(c)) WHERE b > 1;
        CREATE VIEW v AS SELECT a, name FROM t JOIN parent ON p = id;
        CREATE TRIGGER tr AFTER INSERT ON t BEGIN DELETE FROM parent; END;
        INSERT INTO parent VALUES (9, 'gone'), (3, 'here'); DELETE FROM parent WHERE id = 9;
        DROP TRIGGER tr;
        INSERT INTO t (rowid, a, b, c, d, e, f, g, h, i, j, k, l, p) VALUES
            (5, 1, 2.5, 'ü' || char(0), x'ff', TRUE, '2024-02-29', '2024-02-29 10:00:00.25+00:00', '2.50', '{"a": [1]}',
            '6f1c2b1e-0d5a-4c1a-9b7e-2f3d4c5b6a70', '7', '7', 3);
        INSERT INTO t (rowid) VALUES (8);
        CREATE TRIGGER tr AFTER INSERT ON t BEGIN DELETE FROM parent; END;"""
    )
    assert not db.export(tmp_path / "t.sqlite").warnings
    again = discosql.connect(":memory:", isolation_level=None)
    assert load(again, tmp_path / "t.sqlite") == ({"parent": 1, "t": 2}, [])
    for sql in (
        "SELECT * FROM parent",
        "SELECT rowid, * FROM t",
        "SELECT * FROM v",
        "SELECT * FROM sqlite_sequence",
        "SELECT name, pk FROM pragma_table_xinfo('t')",
        "SELECT type, name FROM sqlite_master WHERE tbl_name <> 'discosql_imports' ORDER BY name",
    ):
        assert again.execute(sql).fetchall() == db.execute(sql).fetchall(), sql
    again.close()


THERE = "table {} is there already: it keeps its own columns, keys, indexes and triggers"


def test_some_tables_only(db: discosql.Connection, tmp_path: Path) -> None:
    path = made(tmp_path / "shop.db", SHOP + 'CREATE TABLE "one,two" (a); CREATE TABLE one (a); CREATE TABLE two (a);')
    assert load(db, path, table="CUSTOMER,one") == ({"customer": 2, "one": 0}, [])
    assert load(db, path, table=["one,two"])[0] == {"one,two": 0}
    assert (names(db, "view"), names(db, "trigger")) == ([], [])
    with pytest.raises(discosql.ProgrammingError, match="no table named nope"):
        load(db, path, table=["two", "nope"])
    with pytest.raises(discosql.ProgrammingError, match=r"shop\.db was imported before"):
        load(db, path, table="customer")
    rows, warnings = load(db, path)
    assert rows == {"customer": 0, "one,two": 0, "one": 0, "two": 0, "purchase": 2, 'a "b" c, é': 2}
    assert names(db, "index") == ["by_customer", "by_price"]
    assert warnings == [
        f"table {name} is there already: it keeps its own columns, keys, indexes and triggers"
        for name in ("customer", "one,two", "one")
    ]


def test_tables_that_are_there(db: discosql.Connection, tmp_path: Path) -> None:
    path = made(
        tmp_path / "t.db",
        "CREATE TABLE t (id INT UNIQUE, x); INSERT INTO t VALUES (1, 'a'), (2, 'b'); CREATE INDEX i ON t (x)",
    )
    db.execute("CREATE TABLE t (more TEXT DEFAULT 'm', x TEXT, id INTEGER PRIMARY KEY)")
    db.execute("INSERT INTO t (id, x) VALUES (2, 'old')")
    with pytest.raises(discosql.IntegrityError, match=r"t\.db, table t, rowid 2: UNIQUE constraint failed: t\.id"):
        load(db, path)
    rows, warnings = load(db, path, upsert=True)
    assert rows == {"t": 2}
    assert warnings == [THERE.format("t")]
    assert db.execute("SELECT * FROM t ORDER BY id").fetchall() == [("m", "a", 1), ("m", "b", 2)]
    assert names(db, "index") == []
    with pytest.raises(discosql.ProgrammingError, match="was imported before"):
        load(db, path)
    db.execute("UPDATE t SET x = 'changed'")
    load(db, path, upsert=True, again=True)
    assert db.execute("SELECT x FROM t ORDER BY id").fetchall() == [("a",), ("b",)]
    db.execute("ALTER TABLE t DROP COLUMN x")
    with pytest.raises(discosql.ProgrammingError, match="table t has no column named x"):
        load(db, path, again=True)
    with pytest.raises(discosql.ProgrammingError, match="keys of their own"):
        load(db, path, primary_key=["id"])


def test_in_a_transaction_it_is_a_part_of_it(db: discosql.Connection, tmp_path: Path) -> None:
    path = made(tmp_path / "shop.db", SHOP)
    db.execute("BEGIN")
    load(db, path)
    db.execute("ROLLBACK")
    assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    db.execute("BEGIN")
    load(db, path)
    db.execute("COMMIT")
    assert db.execute("SELECT count(*) FROM purchase").fetchone() == (2,)
    assert db.execute("SELECT 1 FROM sqlite_master WHERE name = 'discosql_imports'").fetchone() is None


def test_what_was_written_to_the_log_beside_the_file(db: discosql.Connection, tmp_path: Path) -> None:
    source = new_sqlite.connect(tmp_path / "t.db")
    source.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1);")
    assert load(db, tmp_path / "t.db")[0] == {"t": 1}
    source.execute("INSERT INTO t VALUES (2)")
    source.commit()
    assert load(db, tmp_path / "t.db")[0] == {"t": 2}  # other content, so another file: its rows go into the table
    source.close()
    before = (tmp_path / "t.db").read_bytes()
    load(db, tmp_path / "t.db", again=True)
    assert (tmp_path / "t.db").read_bytes() == before
    assert db.execute("SELECT a FROM t").fetchall() == [(1,), (1,), (2,), (1,), (2,)]


def test_what_goes_from_the_log_into_the_file_is_no_change(db: discosql.Connection, tmp_path: Path) -> None:
    """Between an interruption and its continuation: there must be no row twice."""
    path = tmp_path / "t.db"
    source = new_sqlite.connect(path)
    source.executescript(f"PRAGMA journal_mode = WAL; CREATE TABLE t (a); {NUMBERS} INSERT INTO t SELECT i FROM n;")
    before = path.read_bytes()

    def interrupt(stage: str, _done: int, _total: int) -> None:
        if stage.startswith("t: 1,500 rows"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        db.import_file(path, batch=500, progress=interrupt)
    source.close()
    assert path.read_bytes() != before and not (tmp_path / "t.db-wal").exists()
    (done,) = db.import_file(path).tables
    assert done.before >= 1500 and done.rows + done.before == 5000
    assert db.execute("SELECT count(*), count(DISTINCT a), max(rowid) FROM t").fetchone() == (5000, 5000, 5000)


def test_types_of_strict_tables_and_text_in_utf_16(db: discosql.Connection, tmp_path: Path) -> None:
    script = "CREATE TABLE t (a INT, b ANY, c TEXT) STRICT; INSERT INTO t VALUES (1, '1', 'ü');"
    assert load(db, made(tmp_path / "t.db", f"PRAGMA encoding = 'UTF-16le'; {script}")) == ({"t": 1}, [])
    assert db.execute("SELECT a, typeof(b), c FROM t").fetchall() == [(1, "text", "ü")]
    with pytest.raises(discosql.DataError):
        db.execute("INSERT INTO t (a) VALUES ('x')")


@pytest.mark.parametrize(
    ("rows", "rowids"), [("rowid", "_rowid_"), ("rowid, _rowid_", "oid"), ("rowid, _rowid_, oid", None)]
)
def test_columns_that_are_called_as_the_rowid_is(
    db: discosql.Connection, tmp_path: Path, rows: str, rowids: str | None
) -> None:
    columns = rows.split(", ")
    script = f"CREATE TABLE t ({rows}, x); INSERT INTO t (x) VALUES (1), (2), (3); DELETE FROM t WHERE x = 2;"
    load(db, made(tmp_path / "t.db", script))
    assert db.execute(f"SELECT {rowids or 'x'}, x FROM t").fetchall() == [(1, 1), (3, 3)]
    assert db.execute(f"SELECT {rows} FROM t").fetchall() == [(None,) * len(columns)] * 2


def test_files_that_are_none_or_broken(db: discosql.Connection, tmp_path: Path) -> None:
    source = made(tmp_path / "whole.db", f"CREATE TABLE t (a); {NUMBERS} INSERT INTO t SELECT i FROM n;")
    data = source.read_bytes()
    (tmp_path / "empty.db").write_bytes(b"")
    (tmp_path / "encrypted.sqlite").write_bytes(bytes(range(255, -1, -1)) * 40)
    (tmp_path / "short.db").write_bytes(data[:5000])
    (tmp_path / "torn.bin").write_bytes(data[:8192] + bytes(4096) + data[12288:])
    (tmp_path / "folder.db").mkdir()
    discosql.connect(tmp_path / "ours.db").close()
    for name, said in (
        ("empty.db", "it is empty"),
        ("encrypted.sqlite", "it is no SQLite database, or an encrypted one"),
        ("short.db", "malformed"),
        ("torn.bin", "malformed"),
        ("folder.db", "directory"),
        ("none.db", "No such file"),
        ("ours.db", "a database of discosql"),
    ):
        with pytest.raises(discosql.OperationalError, match=rf"{name}: .*{said}"):
            load(db, tmp_path / name)
    assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_a_file_that_another_program_has_locked(
    db: discosql.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "t.db", "CREATE TABLE t (a)")
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **options: real(*given, **options, timeout=0.01))
    writer = real(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(discosql.OperationalError, match=r"cannot read .*t\.db: database is locked"):
        load(db, path)
    writer.close()
    load(db, path)


FAMILY = """
    CREATE TABLE child (id INTEGER PRIMARY KEY AUTOINCREMENT, parent INT REFERENCES parent, text TEXT);
    CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    CREATE TABLE bare (x);
    CREATE TABLE pairs (a INT, b TEXT, PRIMARY KEY (b, a DESC)) WITHOUT ROWID;
    CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000) SELECT i FROM n;
    INSERT INTO parent SELECT i, 'parent ' || i FROM n WHERE i % 4 = 0;
    INSERT INTO bare (rowid, x) SELECT i * 3, i FROM n;
    INSERT INTO pairs SELECT i, i % 7 FROM n;
    INSERT INTO child SELECT i, i / 4 * 4, 'child ' || i FROM n WHERE i >= 4;
    DELETE FROM child WHERE id = 3000;
    CREATE INDEX by_parent ON child (parent);
    CREATE TRIGGER never AFTER INSERT ON child BEGIN DELETE FROM parent; END;
"""


def assert_same_family(db: discosql.Connection, path: Path) -> None:
    source = sqlite3.connect(path)
    for sql in (
        "SELECT * FROM parent ORDER BY id",
        "SELECT * FROM child ORDER BY id",
        "SELECT rowid, x FROM bare ORDER BY rowid",
        "SELECT a, b FROM pairs ORDER BY b, a",
        "SELECT name, seq FROM sqlite_sequence WHERE name = 'child'",
    ):
        assert db.execute(sql).fetchall() == source.execute(sql).fetchall(), sql
    source.close()
    assert (names(db, "index"), names(db, "trigger")) == (["by_parent"], ["never"])
    assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_an_import_that_was_interrupted_anywhere_goes_on(db: discosql.Connection, tmp_path: Path) -> None:
    path = made(tmp_path / "old.db", FAMILY)
    tries = 0
    while True:
        left = tries  # reports of progress until it is interrupted
        tries += 1

        def interrupt(_stage: str, _done: int, _total: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt

        try:
            db.import_file(path, batch=700, progress=interrupt)
        except KeyboardInterrupt:
            continue
        break
    assert tries > 5
    assert_same_family(db, path)


def test_an_import_that_was_interrupted_before_its_last_commit_goes_on(
    db: discosql.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "old.db", FAMILY)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sqlite_file.SqliteFile, "sequences", _interrupted)
        load(db, path)
    assert names(db, "index") == []
    assert load(db, path) == ({"parent": 0, "bare": 0, "pairs": 0, "child": 0}, [])
    assert_same_family(db, path)


def _interrupted(_file: sqlite_file.SqliteFile) -> dict[str, int]:
    raise KeyboardInterrupt


def test_an_import_that_was_killed_goes_on(tmp_path: Path) -> None:
    path = made(tmp_path / "old.db", FAMILY)
    command = [sys.executable, "-m", "discosql", "import", "t.disco", "old.db", "--batch", "50"]
    kill_when(command, tmp_path, 4000)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "warning" in done.stderr) == (0, False), done.stderr
    with discosql.connect(tmp_path / "t.disco", create=False) as db:
        assert_same_family(db, path)
    db.close()


async def test_into_a_database_on_discord(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, clock = made(tmp_path / "shop.db", SHOP), SteppedClock()
    monkeypatch.setattr("discosql.storage.discord.Clock", lambda: clock)
    async with LoopbackDiscord(clock).running() as server:
        server.backend.create_guild("My Server")
        async with discosql.aio.connect("discord://My Server", token=TOKEN) as db:
            before = db.requests.copy()
            report = await db.import_file(path)
            assert (report.rows, report.warnings) == (6, [])
            assert db.requests.since(before).rest <= 12  # two for each commit: tables, rows of three, the rest
            rows = "SELECT id, customer, double FROM purchase ORDER BY id"
            assert await (await db.execute(rows)).fetchall() == [(5, "ann", Decimal(5)), (7, "BOB", Decimal(6))]
            with pytest.raises(discosql.ProgrammingError, match="was imported before"):
                await db.import_file(path)
