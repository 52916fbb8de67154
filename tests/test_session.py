"""Transactions, cursors and connections as a user of sqlite3 expects them, through SQL on a local guild."""

import asyncio
import datetime
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

import discosql
from discosql import aio


@pytest.fixture
def db() -> Iterator[discosql.Connection]:
    connection = discosql.connect(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    yield connection
    if not connection.closed:
        connection.close()


def names(connection: discosql.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM t ORDER BY id")]


class TestTransactions:
    def test_a_change_opens_a_transaction_and_rollback_undoes_it(self, db: discosql.Connection) -> None:
        assert not db.in_transaction
        db.execute("INSERT INTO t (name) VALUES ('a')")
        assert db.in_transaction
        assert names(db) == ["a"]
        db.rollback()
        assert names(db) == []
        assert not db.in_transaction

    def test_context_manager_commits_or_rolls_back(self, db: discosql.Connection) -> None:
        with db:
            db.execute("INSERT INTO t (name) VALUES ('a')")
        with pytest.raises(ZeroDivisionError), db:
            db.execute("INSERT INTO t (name) VALUES ('b')")
            raise ZeroDivisionError
        db.rollback()
        assert names(db) == ["a"]

    def test_explicit_transaction(self, db: discosql.Connection) -> None:
        db.isolation_level = None
        db.execute("BEGIN")
        db.execute("INSERT INTO t (name) VALUES ('a')")
        db.execute("ROLLBACK")
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO t (name) VALUES ('b')")
        db.execute("COMMIT")
        assert names(db) == ["b"]
        with pytest.raises(discosql.OperationalError, match="no transaction is active"):
            db.execute("COMMIT")
        db.execute("BEGIN")
        with pytest.raises(discosql.OperationalError, match="within a transaction"):
            db.execute("BEGIN")

    def test_a_failed_statement_leaves_the_transaction_open_and_changes_nothing(self, db: discosql.Connection) -> None:
        db.execute("INSERT INTO t (name) VALUES ('a')")
        with pytest.raises(discosql.IntegrityError, match=r"UNIQUE constraint failed: t\.name"):
            db.execute("INSERT INTO t (name) VALUES ('b'), ('a')")
        assert names(db) == ["a"]
        assert db.in_transaction
        db.commit()
        assert names(db) == ["a"]

    def test_savepoints(self, db: discosql.Connection) -> None:
        db.isolation_level = None
        db.execute("SAVEPOINT one")
        db.execute("INSERT INTO t (name) VALUES ('a')")
        db.execute("SAVEPOINT two")
        db.execute("INSERT INTO t (name) VALUES ('b')")
        db.execute("ROLLBACK TO two")
        db.execute("INSERT INTO t (name) VALUES ('c')")
        db.execute("RELEASE two")
        db.execute("RELEASE one")
        assert not db.in_transaction
        assert names(db) == ["a", "c"]
        with pytest.raises(discosql.OperationalError, match="no such savepoint: one"):
            db.execute("ROLLBACK TO one")

    def test_schema_changes_roll_back(self, db: discosql.Connection) -> None:
        db.isolation_level = None
        db.execute("BEGIN")
        db.execute("CREATE TABLE u (x)")
        db.execute("INSERT INTO u VALUES (1)")
        db.execute("DROP TABLE t")
        db.execute("ROLLBACK")
        assert names(db) == []
        with pytest.raises(discosql.ProgrammingError, match="no such table: u"):
            db.execute("SELECT * FROM u")

    def test_autocommit_modes(self, tmp_path: Path) -> None:
        path = tmp_path / "a.disco"
        with closing(discosql.connect(path, autocommit=True)) as db:
            db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
            db.execute("INSERT INTO t (name) VALUES ('a')")
            assert not db.in_transaction
            db.autocommit = False
            db.execute("SELECT 1")
            assert db.in_transaction
            db.execute("INSERT INTO t (name) VALUES ('b')")
            db.rollback()
        with closing(discosql.connect(path)) as db:
            assert names(db) == ["a"]

    def test_two_connections_to_a_file_see_each_others_commits(self, tmp_path: Path) -> None:
        one, two = (discosql.connect(tmp_path / "a.disco") for _ in range(2))
        one.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
        one.execute("INSERT INTO t (name) VALUES ('a')")
        assert names(two) == []
        one.commit()
        assert names(two) == ["a"]
        two.execute("UPDATE t SET name = 'b'")
        two.commit()
        assert names(one) == ["b"]
        one.close()
        two.close()

    def test_a_conflict_is_an_error_for_a_transaction_and_a_retry_for_a_statement(self, tmp_path: Path) -> None:
        one, two = (discosql.connect(tmp_path / "a.disco", isolation_level=None) for _ in range(2))
        one.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)")
        one.execute("INSERT INTO t VALUES (1, 0)")
        one.execute("BEGIN")
        (number,) = one.execute("SELECT n FROM t WHERE id = 1").fetchone()
        two.execute("UPDATE t SET n = n + 10")
        one.execute("UPDATE t SET n = ? WHERE id = 1", (number + 1,))
        with pytest.raises(discosql.SerializationError):
            one.execute("COMMIT")
        assert not one.in_transaction
        one.execute("UPDATE t SET n = n + 1")
        assert two.execute("SELECT n FROM t").fetchall() == [(11,)]
        one.close()
        two.close()


class TestCursors:
    def test_fetching(self, db: discosql.Connection) -> None:
        db.executemany("INSERT INTO t (name) VALUES (?)", [(letter,) for letter in "abcde"])
        cursor = db.execute("SELECT name FROM t ORDER BY name")
        assert cursor.fetchone() == ("a",)
        assert cursor.fetchmany(2) == [("b",), ("c",)]
        assert cursor.fetchmany() == [("d",)]
        assert list(cursor) == [("e",)]
        assert cursor.fetchone() is None
        assert cursor.fetchall() == []

    def test_counts(self, db: discosql.Connection) -> None:
        cursor = db.cursor()
        assert cursor.execute("INSERT INTO t (name) VALUES ('a'), ('b')").rowcount == 2
        assert cursor.lastrowid == 2
        assert cursor.execute("UPDATE t SET name = name || '!'").rowcount == 2
        assert cursor.execute("SELECT * FROM t").rowcount == -1
        assert cursor.execute("DELETE FROM t WHERE id = 1").rowcount == 1
        assert db.total_changes == 5
        assert db.execute("SELECT changes(), last_insert_rowid()").fetchone() == (1, 2)

    def test_description_and_row(self, db: discosql.Connection) -> None:
        db.row_factory = discosql.Row
        row = db.execute("SELECT 1 AS one, 'x' AS Two").fetchone()
        assert (row["ONE"], row["two"], row[1], len(row), row.keys()) == (1, "x", "x", 2, ["one", "Two"])
        assert dict(row) == {"one": 1, "Two": "x"}
        with pytest.raises(IndexError):
            row["three"]
        cursor = db.execute("SELECT id, name FROM t")
        assert [column[:2] for column in cursor.description] == [("id", "INTEGER"), ("name", "TEXT")]
        assert cursor.description[0][1] == discosql.NUMBER

    def test_closed(self, db: discosql.Connection) -> None:
        cursor = db.cursor()
        with pytest.raises(discosql.ProgrammingError):
            cursor.fetchall()
        cursor.close()
        with pytest.raises(discosql.ProgrammingError, match="closed"):
            cursor.execute("SELECT 1")
        db.close()
        for use in (db.cursor, db.commit, db.rollback, db.close, lambda: db.execute("SELECT 1")):
            with pytest.raises(discosql.ProgrammingError, match="closed"):
                use()

    def test_parameters(self, db: discosql.Connection) -> None:
        assert db.execute("SELECT ?, ?2, ?1", (1, 2)).fetchone() == (1, 2, 1)
        assert db.execute("SELECT :a, @b, $c, :a", {"a": 1, "b": 2, "c": 3}).fetchone() == (1, 2, 3, 1)
        assert db.execute("SELECT id FROM t WHERE name = ? LIMIT ?", ("a", 1)).fetchall() == []
        for sql, parameters in (
            ("SELECT ?", ()),
            ("SELECT ?", (1, 2)),
            ("SELECT :a", {"b": 1}),
            ("SELECT ?", (object(),)),
            ("SELECT ?", 5),
        ):
            with pytest.raises(discosql.ProgrammingError):
                db.execute(sql, parameters)  # type: ignore[arg-type]
        with pytest.raises(discosql.DataError):
            db.execute("SELECT ?", (2**63,))
        with pytest.raises(discosql.DataError):
            db.execute("SELECT ?", ("\ud800",))

    def test_executemany_is_all_or_nothing(self, db: discosql.Connection) -> None:
        db.isolation_level = None
        with pytest.raises(discosql.IntegrityError):
            db.executemany("INSERT INTO t (name) VALUES (?)", [("a",), ("b",), ("a",)])
        assert names(db) == []
        with pytest.raises(discosql.ProgrammingError):
            db.executemany("SELECT ?", [(1,)])
        with pytest.raises(ZeroDivisionError):
            db.executemany("INSERT INTO t (name) VALUES (?)", ((1 / 0,) for _ in range(2)))
        assert db.executemany("INSERT INTO t (name) VALUES (?)", []).rowcount == 0
        assert names(db) == []

    def test_executescript(self, db: discosql.Connection) -> None:
        db.execute("INSERT INTO t (name) VALUES ('kept')")
        db.executescript("""
            INSERT INTO t (name) VALUES ('a;b'); -- a comment; with a semicolon
            CREATE TABLE u (x);
            /* ; */ INSERT INTO u SELECT id FROM t
        """)
        assert names(db) == ["kept", "a;b"]
        assert db.execute("SELECT count(*) FROM u").fetchone() == (2,)


class TestValues:
    VALUES = (
        ("INTEGER", (0, -(2**63), 2**63 - 1, None)),
        ("REAL", (0.0, -0.0, 1e308, 5e-324, float("inf"), float("-inf"), 0.1)),
        ("TEXT", ("", "a\0b", "é\u0301 \U0001f600 \u202e\ufeff\u200b", "x" * 100_000, " trimmed? ", "\r\n", "```")),
        ("BLOB", (b"", bytes(range(256)), b"\0" * 100_000)),
        ("BOOLEAN", (True, False)),
        ("DATE", (datetime.date(1, 1, 1), datetime.date(9999, 12, 31))),
        (
            "TIMESTAMP",
            (
                datetime.datetime(2024, 2, 29, 12, 30, 15, 123456),
                datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30))),
            ),
        ),
        ("DECIMAL(10, 2)", (Decimal("1.10"), Decimal("-1E+30"), Decimal("0.000000000000000000001"))),
        ("JSON", ({"a": [1, 2.5, None, "é"]}, [], {})),
        ("UUID", (uuid.UUID(int=0), uuid.UUID("12345678-1234-5678-1234-567812345678"))),
        ("ANY", (1, 1.0, "1", b"1")),
    )

    @pytest.mark.parametrize(("declared", "values"), VALUES)
    def test_round_trip_through_a_file(self, declared: str, values: tuple[object, ...], tmp_path: Path) -> None:
        db = discosql.connect(tmp_path / "v.disco")
        db.execute(f"CREATE TABLE v (id INTEGER PRIMARY KEY, value {declared})")
        db.executemany("INSERT INTO v (value) VALUES (?)", [(value,) for value in values])
        db.commit()
        here = db.execute("SELECT value FROM v ORDER BY id").fetchall()
        found = [db.execute("SELECT id FROM v WHERE value = ?", (value,)).fetchone() for value in values]
        db.close()
        db = discosql.connect(tmp_path / "v.disco")
        reopened = db.execute("SELECT value FROM v ORDER BY id").fetchall()
        db.close()
        expected = [(value,) for value in values]
        assert here == reopened == expected
        assert [type(value) for (value,) in reopened] == [type(value) for value in values]
        assert [str(value) for (value,) in reopened if isinstance(value, float | Decimal)] == [
            str(value) for value in values if isinstance(value, float | Decimal)
        ]
        assert all(row is not None for row, value in zip(found, values, strict=True) if value is not None)

    def test_nan_is_null_as_in_sqlite(self, db: discosql.Connection) -> None:
        assert sqlite3.connect(":memory:").execute("SELECT ?", (float("nan"),)).fetchone() == (None,)
        assert db.execute("SELECT ?", (float("nan"),)).fetchone() == (None,)

    @pytest.mark.parametrize(
        ("declared", "value"),
        [
            ("INTEGER", "x"),
            ("INTEGER", 1.5),
            ("REAL", "x"),
            ("TEXT", b"x"),
            ("BLOB", "x"),
            ("BOOLEAN", 2),
            ("DATE", "2024-13-01"),
            ("TIMESTAMP", "yesterday"),
            ("DECIMAL", "x"),
            ("JSON", "{"),
            ("UUID", "x"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, declared: str, value: object, db: discosql.Connection) -> None:
        db.execute(f"CREATE TABLE v (value {declared})")
        with pytest.raises(discosql.DataError, match=r"column v\.value"):
            db.execute("INSERT INTO v VALUES (?)", (value,))
        assert db.execute("SELECT count(*) FROM v").fetchone() == (0,)


class TestStopping:
    # Far more rows than could be counted in the time a test has.
    ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"

    def test_interrupt(self, db: discosql.Connection) -> None:
        timer = threading.Timer(0.05, db.interrupt)
        timer.start()
        with pytest.raises(discosql.QueryInterruptedError):
            db.execute(self.ENDLESS)
        timer.join()
        assert db.execute("SELECT 1").fetchone() == (1,)

    def test_timeout(self, db: discosql.Connection) -> None:
        db.timeout = 0.05
        with pytest.raises(discosql.QueryTimeoutError):
            db.execute(self.ENDLESS)
        db.timeout = None
        assert db.execute("SELECT 1").fetchone() == (1,)

    def test_progress_handler(self, db: discosql.Connection) -> None:
        calls: list[int] = []
        db.set_progress_handler(lambda: calls.append(1) or len(calls) > 5, 1)  # type: ignore[func-returns-value]
        with pytest.raises(discosql.QueryInterruptedError):
            db.execute(self.ENDLESS)
        assert len(calls) == 6

    async def test_a_long_statement_leaves_the_event_loop_running(self) -> None:
        async with aio.connect(":memory:", timeout=0.2) as db:
            turns = 0

            async def others() -> None:
                nonlocal turns
                while True:
                    await asyncio.sleep(0)
                    turns += 1

            task = asyncio.create_task(others())
            with pytest.raises(discosql.QueryTimeoutError):
                await db.execute(self.ENDLESS)
            task.cancel()
            assert turns >= 2  # more on a machine with nothing else to do


class TestAsync:
    async def test_the_whole_face(self, tmp_path: Path) -> None:
        async with aio.connect(tmp_path / "a.disco") as db:
            await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
            cursor = await db.executemany("INSERT INTO t (name) VALUES (?)", [("a",), ("b",)])
            assert cursor.rowcount == 2
            await db.commit()
            await db.execute("DELETE FROM t")
            await db.rollback()
            assert [row async for row in await db.execute("SELECT name FROM t")] == [("a",), ("b",)]
            async with db.cursor() as cursor:
                await cursor.execute("SELECT name FROM t")
                assert await cursor.fetchone() == ("a",)
                assert await cursor.fetchmany(5) == [("b",)]
                assert await cursor.fetchall() == []
            await db.executescript("CREATE TABLE u (x); INSERT INTO u VALUES (1)")
        connection = await aio.connect(tmp_path / "a.disco")
        assert await (await connection.execute("SELECT * FROM u")).fetchall() == [(1,)]
        await connection.close()
        with pytest.raises(discosql.ProgrammingError):
            await connection.execute("SELECT 1")

    async def test_leaving_with_an_exception_rolls_back(self, tmp_path: Path) -> None:
        async with aio.connect(tmp_path / "a.disco") as db:
            await db.execute("CREATE TABLE t (x)")
        with pytest.raises(ZeroDivisionError):
            async with aio.connect(tmp_path / "a.disco") as db:
                await db.execute("INSERT INTO t VALUES (1)")
                raise ZeroDivisionError
        async with aio.connect(tmp_path / "a.disco") as db:
            assert await (await db.execute("SELECT * FROM t")).fetchall() == []

    async def test_tasks_share_a_connection(self) -> None:
        async with aio.connect(":memory:", isolation_level=None) as db:
            await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)")
            await asyncio.gather(*(db.execute("INSERT INTO t (n) VALUES (?)", (n,)) for n in range(50)))
            assert await (await db.execute("SELECT count(*), sum(n) FROM t")).fetchone() == (50, 1225)

    def test_threads_share_a_connection(self, db: discosql.Connection) -> None:
        def insert(start: int) -> None:
            for number in range(start, start + 25):
                db.execute("INSERT INTO t (name) VALUES (?)", (str(number),))

        threads = [threading.Thread(target=insert, args=(start,)) for start in range(0, 100, 25)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        db.commit()
        assert db.execute("SELECT count(*), count(DISTINCT name) FROM t").fetchone() == (100, 100)


def test_channels(tmp_path: Path) -> None:
    db = discosql.connect(tmp_path / "c.disco")
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
    db.executemany("INSERT INTO t (name) VALUES (?)", [(f"name {number}",) for number in range(2000)])
    db.commit()
    log, *rest = db.channels()
    assert (log.name, log.messages, rest) == ("_dbmetadata", 2, [])
    db.close()
    db = discosql.connect(tmp_path / "c.disco")
    assert [channel.name for channel in db.channels()] == ["_dbmetadata", "t"]
    assert all(channel.files >= 1 and channel.bytes > 5_000 for channel in db.channels())
    db.close()


class TestFunctions:
    def test_user_functions(self, db: discosql.Connection) -> None:
        db.create_function("twice", 1, lambda value: None if value is None else value * 2, deterministic=True)
        assert db.execute("SELECT twice(21), twice('ab'), twice(NULL)").fetchone() == (42, "abab", None)

        class Product:
            def __init__(self) -> None:
                self.result = 1

            def step(self, value: int) -> None:
                self.result *= value

            def finalize(self) -> int:
                return self.result

        db.create_aggregate("product", 1, Product)
        assert db.execute("SELECT product(column1) FROM (VALUES (2), (3), (7))").fetchone() == (42,)
        db.create_collation("backwards", lambda a, b: (a < b) - (a > b))
        rows = db.execute(
            "SELECT column1 FROM (VALUES ('a'), ('c'), ('b')) ORDER BY column1 COLLATE backwards"
        ).fetchall()
        assert rows == [("c",), ("b",), ("a",)]
        db.create_function("twice", 1, None)
        with pytest.raises(discosql.ProgrammingError, match="no such function: twice"):
            db.execute("SELECT twice(1)")

    def test_an_exception_in_a_user_function_is_an_operational_error(self, db: discosql.Connection) -> None:
        db.create_function("fails", 0, lambda: 1 / 0)
        with pytest.raises(discosql.OperationalError, match="user-defined function raised exception") as caught:
            db.execute("SELECT fails()")
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
