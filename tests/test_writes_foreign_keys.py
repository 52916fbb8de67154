"""Foreign keys against SQLite: checks at once and deferred, all actions, self-references, mismatches, DROP TABLE."""

import itertools
from collections.abc import Iterator

import pytest
from twins import Twins

ACTIONS = ["NO ACTION", "RESTRICT", "SET NULL", "SET DEFAULT", "CASCADE"]


@pytest.fixture
def twins() -> Iterator[Twins]:
    pair = Twins()
    yield pair
    pair.close()


def _family(twins: Twins, clause: str, *, index: bool = False) -> None:
    twins.run(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, k TEXT UNIQUE, v INTEGER) STRICT",
        f"CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER DEFAULT 3 REFERENCES p {clause}) STRICT",
        f"CREATE TABLE d (id INTEGER PRIMARY KEY, k TEXT DEFAULT 'c' REFERENCES p (k) {clause}) STRICT",
        "INSERT INTO p VALUES (1, 'a', 10), (2, 'b', 20), (3, 'c', 30), (4, 'd', 40), (5, NULL, 50)",
        "INSERT INTO c VALUES (1, 1), (2, 1), (3, 2), (4, NULL), (5, 3)",
        "INSERT INTO d VALUES (1, 'a'), (2, 'b'), (3, 'b'), (4, NULL), (5, 'c')",
    )
    if index:
        twins.run("CREATE INDEX ci ON c (p)", "CREATE INDEX di ON d (k, id)", "CREATE INDEX dj ON d (k)")


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("action", ACTIONS)
def test_actions_on_delete(twins: Twins, action: str, index: bool) -> None:
    _family(twins, f"ON DELETE {action}", index=index)
    for sql in (
        "DELETE FROM p WHERE id = 4",
        "DELETE FROM p WHERE id = 1",
        "DELETE FROM p WHERE id IN (2, 5)",
        "DELETE FROM p WHERE k = 'c'",
        "REPLACE INTO p VALUES (3, 'c', 31)",
        "REPLACE INTO p VALUES (9, 'c', 32)",
        "DELETE FROM c",
        "DELETE FROM p",
        "DELETE FROM d",
        "DELETE FROM p",
    ):
        twins.both(sql)


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("action", ACTIONS)
def test_actions_on_update(twins: Twins, action: str, index: bool) -> None:
    _family(twins, f"ON UPDATE {action}", index=index)
    for sql in (
        "UPDATE p SET v = v + 1",
        "UPDATE p SET id = id, k = k",
        "UPDATE p SET id = 14 WHERE id = 4",
        "UPDATE p SET id = 11, k = 'x' WHERE id = 1",
        "UPDATE p SET k = upper(k)",
        "UPDATE p SET k = NULL WHERE k = 'B'",
        "UPDATE p SET id = -id",
        "UPDATE OR REPLACE p SET id = 3",
    ):
        twins.both(sql)


def test_children_need_parents(twins: Twins) -> None:
    _family(twins, "")
    assert twins.error("INSERT INTO c VALUES (9, 9)") == "FOREIGN KEY constraint failed"
    assert twins.error("INSERT OR IGNORE INTO c VALUES (9, 9)") == "FOREIGN KEY constraint failed"
    assert twins.error("INSERT INTO c VALUES (8, 1), (9, 9)") == "FOREIGN KEY constraint failed"
    assert twins.error("UPDATE c SET p = 9 WHERE id = 4") == "FOREIGN KEY constraint failed"
    assert twins.error("UPDATE d SET k = 'A' WHERE id = 4") == "FOREIGN KEY constraint failed"
    twins.run("UPDATE c SET p = 2", "INSERT INTO c VALUES (10, NULL), (11, 2)", "UPDATE c SET p = NULL")


def test_foreign_keys_can_be_switched_off(twins: Twins) -> None:
    _family(twins, "ON DELETE CASCADE")
    twins.run("PRAGMA foreign_keys = OFF", "DELETE FROM p", "INSERT INTO c VALUES (9, 9)", "PRAGMA foreign_keys = ON")
    assert twins.error("INSERT INTO c VALUES (10, 10)") == "FOREIGN KEY constraint failed"
    twins.run("DELETE FROM c")


def test_an_action_meets_the_childs_own_constraints(twins: Twins) -> None:
    twins.run(
        "CREATE TABLE p (id INTEGER PRIMARY KEY) STRICT",
        """CREATE TABLE c (
            p INTEGER NOT NULL UNIQUE CHECK (p < 50) REFERENCES p ON DELETE SET NULL ON UPDATE CASCADE,
            twice INTEGER AS (p * 2) STORED
        ) STRICT""",
        "INSERT INTO p VALUES (1), (2)",
        "INSERT INTO c (p) VALUES (1), (2)",
        "UPDATE p SET id = 10 WHERE id = 1",
    )
    assert twins.error("DELETE FROM p WHERE id = 2") == "NOT NULL constraint failed: c.p"
    assert twins.error("UPDATE p SET id = 60 WHERE id = 2") == "CHECK constraint failed: p < 50"
    assert twins.rows("SELECT * FROM c ORDER BY 1") == [(2, 4), (10, 20)]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_table_that_refers_to_itself(twins: Twins, action: str) -> None:
    twins.run(
        f"""CREATE TABLE t (
            id INTEGER PRIMARY KEY, k INTEGER UNIQUE,
            up INTEGER REFERENCES t (k) ON DELETE {action} ON UPDATE {action}
        ) STRICT"""
    )
    for sql in (
        "INSERT INTO t VALUES (1, 1, 2), (2, 2, 1), (3, 3, 3), (4, 4, NULL), (5, 5, 4), (6, 6, 5), (7, 7, 5)",
        "INSERT INTO t VALUES (8, 8, 9)",
        "UPDATE t SET k = k + 10 WHERE id = 3",
        "UPDATE t SET k = k + 100 WHERE id > 3",
        "DELETE FROM t WHERE id = 7",
        "DELETE FROM t WHERE id = 4",
        "REPLACE INTO t VALUES (1, 1, 1)",
        "REPLACE INTO t VALUES (20, 2, 1), (21, 2, 2)",
        "DELETE FROM t",
    ):
        twins.both(sql)


def test_actions_between_rows_of_one_statement(twins: Twins) -> None:
    twins.run(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, k INTEGER UNIQUE) STRICT",
        "CREATE TABLE c (k INTEGER REFERENCES p (k) ON UPDATE CASCADE) STRICT",
        "INSERT INTO p VALUES (1, 1), (2, 5)",
        "INSERT INTO c VALUES (1), (5)",
        "INSERT INTO p VALUES (1, NULL), (1, NULL) ON CONFLICT (id) DO UPDATE SET k = k + 1",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER REFERENCES t ON UPDATE CASCADE, v INTEGER) STRICT",
        "INSERT INTO t VALUES (1, 1, 0), (2, 1, 0), (3, 2, 0)",
        "CREATE TABLE s (x INTEGER, y INTEGER) STRICT",
        "INSERT INTO s VALUES (2, 20), (2, 20), (3, 30), (1, 10), (1, 10)",
        "UPDATE t SET v = v + y FROM s WHERE x = id",
        "UPDATE t SET id = y FROM s WHERE x = id",
    )
    assert twins.rows("SELECT * FROM c ORDER BY k") == [(3,), (5,)]
    assert twins.rows("SELECT * FROM t ORDER BY id") == [(10, 10, 10), (20, 10, 20), (30, 20, 30)]


def test_long_chains_of_cascades(twins: Twins) -> None:
    twins.run("CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER REFERENCES t ON DELETE CASCADE) STRICT")
    twins.run(
        "INSERT INTO t SELECT value, nullif(value - 1, 0) FROM json_each('[" + ",".join(map(str, range(1, 900))) + "]')"
    )
    twins.run("DELETE FROM t WHERE id = 1")
    assert twins.rows("SELECT count(*) FROM t") == [(0,)]


def test_cascades_over_several_tables(twins: Twins) -> None:
    twins.run(
        "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT",
        "CREATE TABLE b (a INTEGER UNIQUE REFERENCES a ON UPDATE CASCADE ON DELETE CASCADE) STRICT",
        "CREATE TABLE c (id INTEGER, b INTEGER REFERENCES b (a) ON UPDATE CASCADE ON DELETE SET NULL) STRICT",
        "INSERT INTO a VALUES (1), (2), (3)",
        "INSERT INTO b VALUES (1), (2)",
        "INSERT INTO c VALUES (100, 1), (200, 2), (201, 2)",
        "UPDATE a SET id = 5 WHERE id = 2",
        "DELETE FROM a WHERE id = 5",
        "DELETE FROM a",
    )


def test_keys_of_several_columns(twins: Twins) -> None:
    twins.run(
        "CREATE TABLE p (a INTEGER, b TEXT, PRIMARY KEY (b, a)) STRICT",
        "CREATE TABLE c (x INTEGER, y TEXT, FOREIGN KEY (x, y) REFERENCES p (a, b) ON UPDATE CASCADE) STRICT",
        "CREATE TABLE d (y TEXT, x INTEGER, FOREIGN KEY (y, x) REFERENCES p ON DELETE CASCADE) STRICT",
        "CREATE INDEX cx ON c (x)",
        "INSERT INTO p VALUES (1, 'q'), (2, 'q'), (1, 'r')",
        "INSERT INTO c VALUES (1, 'q'), (NULL, 'z'), (9, NULL)",
        "INSERT INTO d VALUES ('q', 2)",
    )
    assert twins.error("INSERT INTO c VALUES (2, 'r')") == "FOREIGN KEY constraint failed"
    twins.run("UPDATE p SET a = 5 WHERE a = 1 AND b = 'q'", "DELETE FROM p WHERE a = 2")
    assert twins.rows("SELECT count(*) FROM d") == [(0,)]


def test_the_parents_collation_and_type_decide(twins: Twins) -> None:
    twins.run(
        "CREATE TABLE p (k TEXT COLLATE NOCASE UNIQUE, n INTEGER UNIQUE) STRICT",
        "CREATE TABLE c (k TEXT REFERENCES p (k) ON DELETE CASCADE ON UPDATE CASCADE, r REAL REFERENCES p (n)) STRICT",
        "CREATE INDEX ck ON c (k)",
        "INSERT INTO p VALUES ('Ada', 1), ('Bob', 2)",
        "INSERT INTO c VALUES ('ADA', 1.0), ('bob', NULL)",
        "UPDATE p SET k = 'ada' WHERE n = 1",
        "UPDATE p SET k = 'Eve' WHERE n = 2",
    )
    assert twins.error("INSERT INTO c VALUES ('Ada ', NULL)") == "FOREIGN KEY constraint failed"
    assert twins.error("INSERT INTO c VALUES (NULL, 1.5)") == "FOREIGN KEY constraint failed"
    twins.run("INSERT INTO c VALUES (NULL, 2.0)")
    assert twins.error("DELETE FROM p WHERE k = 'eve'") == "FOREIGN KEY constraint failed"
    twins.run("DELETE FROM p WHERE k = 'ADA'")


def test_deferred_keys_are_checked_by_commit(twins: Twins) -> None:
    _family(twins, "DEFERRABLE INITIALLY DEFERRED")
    assert twins.error("DELETE FROM p WHERE id = 1") == "FOREIGN KEY constraint failed"
    twins.run("BEGIN", "DELETE FROM p WHERE id = 1", "INSERT INTO c VALUES (9, 9)")
    assert twins.error("COMMIT") == "FOREIGN KEY constraint failed"
    twins.run("INSERT INTO p VALUES (1, 'a', 1)")
    assert twins.error("COMMIT") == "FOREIGN KEY constraint failed"
    twins.run(
        "DELETE FROM c WHERE id = 9", "COMMIT", "BEGIN", "DELETE FROM p", "ROLLBACK", "INSERT INTO c VALUES (9, 1)"
    )


def test_keys_can_be_deferred_for_one_transaction(twins: Twins) -> None:
    _family(twins, "")
    twins.run("BEGIN", "PRAGMA defer_foreign_keys = ON", "DELETE FROM p WHERE id = 1")
    assert twins.error("COMMIT") == "FOREIGN KEY constraint failed"
    twins.run("ROLLBACK", "BEGIN")
    assert twins.error("DELETE FROM p WHERE id = 1") == "FOREIGN KEY constraint failed"
    twins.run("ROLLBACK")


def test_a_broken_reference_is_told(twins: Twins) -> None:
    twins.run(
        "CREATE TABLE c (a INTEGER REFERENCES nowhere, x INTEGER) STRICT",
        "CREATE TABLE p (id INTEGER, k TEXT COLLATE NOCASE, x INTEGER) STRICT",
        "CREATE UNIQUE INDEX pk ON p (k COLLATE BINARY)",
        "CREATE TABLE d (p INTEGER REFERENCES p (id), k TEXT REFERENCES p (k), x INTEGER) STRICT",
        "CREATE TABLE e (p INTEGER REFERENCES p, x INTEGER) STRICT",
    )
    for sql in (
        "INSERT INTO c VALUES (NULL, 1)",
        "DELETE FROM c",
        "UPDATE c SET a = 1",
        "UPDATE c SET x = 1",
        "INSERT INTO d (x) VALUES (1)",
        "INSERT INTO e (x) VALUES (1)",
        "INSERT INTO p VALUES (1, 'a', 1)",
        "UPDATE p SET x = 2",
        "UPDATE p SET id = 2",
        "DELETE FROM p WHERE 0",
        "DELETE FROM d",
        "DROP TABLE c",
        "DROP TABLE p",
    ):
        twins.both(sql)


@pytest.mark.parametrize("clause", [f"ON DELETE {action}" for action in ACTIONS] + ["DEFERRABLE INITIALLY DEFERRED"])
def test_dropping_a_parent_deletes_its_rows_first(twins: Twins, clause: str) -> None:
    _family(twins, clause)
    twins.both("DROP TABLE p")
    twins.run("DROP TABLE c", "DROP TABLE d")
    twins.both("DROP TABLE p")


def test_a_deferred_drop_fails_at_commit(twins: Twins) -> None:
    _family(twins, "DEFERRABLE INITIALLY DEFERRED")
    twins.run("BEGIN", "DROP TABLE p")
    assert twins.error("COMMIT") == "FOREIGN KEY constraint failed"
    twins.run("ROLLBACK")


@pytest.mark.parametrize(("first", "second"), list(itertools.product(ACTIONS, repeat=2)))
def test_two_keys_on_one_child(twins: Twins, first: str, second: str) -> None:
    twins.run(
        "CREATE TABLE p (id INTEGER PRIMARY KEY) STRICT",
        f"""CREATE TABLE c (
            a INTEGER DEFAULT 2 REFERENCES p ON DELETE {first} ON UPDATE {second},
            b INTEGER DEFAULT 2 REFERENCES p ON DELETE {second} ON UPDATE {first}
        ) STRICT""",
        "INSERT INTO p VALUES (1), (2), (3)",
        "INSERT INTO c VALUES (1, 1), (1, 3), (3, 1), (2, 3)",
    )
    twins.both("UPDATE p SET id = 10 WHERE id = 1")
    twins.both("DELETE FROM p WHERE id IN (1, 10)")
    twins.both("DELETE FROM p")
