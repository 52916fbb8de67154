"""CREATE, DROP and ALTER where there are rows already: what they check and what becomes of the rows."""

from collections.abc import Iterator

import pytest
from twins import Twins


@pytest.fixture
def twins() -> Iterator[Twins]:
    pair = Twins(
        "CREATE TABLE t (a INTEGER, b TEXT COLLATE NOCASE) STRICT", "INSERT INTO t VALUES (1, 'x'), (2, 'X'), (3, NULL)"
    )
    yield pair
    pair.close()


def test_a_unique_index_needs_unique_rows(twins: Twins) -> None:
    assert twins.error("CREATE UNIQUE INDEX i ON t (b)") == "UNIQUE constraint failed: t.b"
    twins.run("CREATE UNIQUE INDEX i ON t (b COLLATE BINARY)", "CREATE UNIQUE INDEX j ON t (b, a)")
    assert twins.error("INSERT INTO t VALUES (4, 'x')") == "UNIQUE constraint failed: t.b"
    twins.run("DROP INDEX i", "INSERT INTO t VALUES (4, 'x')")


def test_a_new_column_has_its_default(twins: Twins) -> None:
    twins.run(
        "ALTER TABLE t ADD COLUMN c INTEGER NOT NULL DEFAULT 5 CHECK (c > 2)",
        "ALTER TABLE t ADD COLUMN d TEXT AS (c || b)",
        "INSERT INTO t (a, b) VALUES (7, 'y')",
        "UPDATE t SET c = c + 1 WHERE a < 3",
    )
    assert twins.error("UPDATE t SET c = 1") == "CHECK constraint failed: c > 2"
    assert twins.rows("SELECT d FROM t WHERE a = 1") == [("6x",)]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("c INTEGER DEFAULT 1 CHECK (c > 2)", "CHECK constraint failed"),
        ("c INTEGER CHECK (a < 3)", "CHECK constraint failed"),
        ("c TEXT NOT NULL AS (b)", "NOT NULL constraint failed"),
    ],
)
def test_stored_rows_must_fit_a_new_column(twins: Twins, column: str, message: str) -> None:
    for side in (twins.ours, twins.theirs):
        with pytest.raises(Exception, match=message):
            side.execute(f"ALTER TABLE t ADD COLUMN {column}")
    assert twins.rows("SELECT * FROM t ORDER BY a") == [(1, "x"), (2, "X"), (3, None)]


def test_create_table_as(twins: Twins) -> None:
    for side in (twins.ours, twins.theirs):
        side.execute("CREATE TABLE u AS SELECT a * 2 AS double, b FROM t WHERE a > 1")
    assert twins.rows("SELECT * FROM u ORDER BY 1") == [(4, "X"), (6, None)]


def test_nothing_is_left_of_a_failed_change(twins: Twins) -> None:
    twins.run("BEGIN", "INSERT INTO t VALUES (9, 'q')")
    twins.error("CREATE UNIQUE INDEX i ON t (b)")
    assert twins.rows("SELECT count(*) FROM sqlite_master") == [(1,)]
    twins.run("COMMIT")
    assert twins.rows("SELECT count(*) FROM t") == [(4,)]


def test_schema_changes_are_transactional(twins: Twins) -> None:
    twins.run("BEGIN", "CREATE TABLE u (x INTEGER) STRICT", "INSERT INTO u VALUES (1)", "DROP TABLE t", "ROLLBACK")
    assert twins.rows("SELECT count(*) FROM t") == [(3,)]
    assert twins.error("SELECT * FROM u") == "no such table: u"
