"""What programs written for the standard library's sqlite3 expect beyond PEP 249."""

import datetime
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import discosql


def test_converters_and_adapters() -> None:
    class Point:
        def __init__(self, x: float, y: float) -> None:
            self.x, self.y = x, y

    def pair_of(data: bytes) -> tuple[float, ...]:
        return tuple(map(float, data.split(b";")))

    discosql.register_adapter(Point, lambda point: f"{point.x};{point.y}")
    discosql.register_converter("pairtext", pair_of)
    try:
        types = discosql.PARSE_DECLTYPES | discosql.PARSE_COLNAMES
        with discosql.connect(":memory:", detect_types=types) as db:
            db.execute("CREATE TABLE place (at PAIRTEXT(2) , day DATE)")
            db.execute("INSERT INTO place VALUES (?, '2024-02-29'), (NULL, NULL)", (Point(1, 2.5),))
            cursor = db.execute(
                'SELECT at, at AS "it [x]", at || \'\' AS "it [pairtext]", day FROM (SELECT * FROM place)'
            )
            assert [column[0] for column in cursor.description or ()] == ["at", "it", "it", "day"]
            day = datetime.date(2024, 2, 29)
            assert cursor.fetchall() == [((1.0, 2.5), (1.0, 2.5), (1.0, 2.5), day), (None,) * 4]
        plain = discosql.connect(":memory:").execute("SELECT ? AS 'a [pairtext]'", (Point(3, 4),))
        assert (plain.fetchone(), plain.description[0][0]) == (("3;4",), "a [pairtext]")
    finally:
        discosql.adapters.clear()
        discosql.converters.clear()


def test_text_factory() -> None:
    db = discosql.connect(":memory:")
    db.text_factory = bytes
    assert db.execute("SELECT 'é', 1, x'00'").fetchone() == ("é".encode(), 1, b"\0")


def test_a_connection_of_one_thread() -> None:
    db = discosql.connect(":memory:", check_same_thread=True)
    shared = discosql.connect(":memory:")
    with ThreadPoolExecutor(1) as other:
        with pytest.raises(discosql.ProgrammingError, match="another thread"):
            other.submit(db.execute, "SELECT 1").result()
        assert other.submit(shared.execute, "SELECT 1").result().fetchone() == (1,)
    assert db.execute("SELECT 1").fetchone() == (1,)


def test_a_class_of_connections() -> None:
    class Mine(discosql.Connection):
        def first(self, sql: str) -> Any:
            return self.execute(sql).fetchone()[0]

    with discosql.connect(":memory:", factory=Mine) as db:
        assert db.first("SELECT 7") == 7


def test_uris(tmp_path: Path) -> None:
    path = tmp_path / "a b.disco"
    discosql.connect(f"file:{tmp_path}/a%20b.disco", uri=True).close()
    assert path.exists()
    discosql.connect(f"file:{path}?mode=rw", uri=True).close()
    with pytest.raises(discosql.OperationalError):
        discosql.connect(f"file:{tmp_path}/other.disco?mode=rw", uri=True)
    with discosql.connect(f"file:{path}?mode=ro", uri=True) as reading:
        assert reading.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        for sql in ("CREATE TABLE t (a)", "PRAGMA user_version = 3", "VACUUM"):
            with pytest.raises(discosql.OperationalError, match="readonly") as raised:
                reading.execute(sql)
            assert raised.value.sqlite_errorname == "SQLITE_READONLY"
    with pytest.raises(discosql.OperationalError, match="no such access mode: rx"):
        discosql.connect(f"file:{path}?mode=rx", uri=True)
    assert discosql.connect("file:x?mode=memory", uri=True).execute("SELECT 1").fetchone() == (1,)


def test_transactions_are_traced() -> None:
    db = discosql.connect(":memory:", isolation_level="IMMEDIATE")
    db.execute("CREATE TABLE t (a)")
    told: list[str] = []
    db.set_trace_callback(told.append)
    db.execute("INSERT INTO t VALUES (1)")
    db.commit()
    db.execute("DELETE FROM t")
    db.rollback()
    assert told == [
        "BEGIN IMMEDIATE",
        "INSERT INTO t VALUES (1)",
        "COMMIT",
        "BEGIN IMMEDIATE",
        "DELETE FROM t",
        "ROLLBACK",
    ]


@pytest.mark.parametrize("sql", ["SELECT a", "SELECT * FROM t", "SELECT f()", "SELEC 1", "SELECT 1 COLLATE c"])
def test_wrong_sql_is_what_either_expects(sql: str) -> None:
    """PEP 249 wants ProgrammingError, sqlite3 raises OperationalError."""
    db = discosql.connect(":memory:")
    for kind in (discosql.ProgrammingError, discosql.OperationalError):
        with pytest.raises(kind):
            db.execute(sql)


def test_a_callback_that_uses_a_connection_is_an_error() -> None:
    source, other = discosql.connect(":memory:"), discosql.connect(":memory:")
    source.execute("CREATE TABLE t AS SELECT 1 AS a")
    other.execute("CREATE TABLE t (a)")

    def write(*_: object) -> None:
        other.execute("INSERT INTO t VALUES (1)")
        other.commit()

    with pytest.raises(discosql.ProgrammingError, match="a callback cannot use connections"):
        source.backup(discosql.connect(":memory:"), progress=write)
    for target in (None, "file", source):
        with pytest.raises(discosql.ProgrammingError):
            source.backup(target)
