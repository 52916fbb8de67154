"""Triggers against SQLite where random ones do not come, and what storage keeps of them."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from twins import Twins

import discosql
from discosql.schema import Catalog, Trigger
from discosql.storage.state import catalog_changes_from_json, catalog_changes_to_json


@pytest.fixture
def twins() -> Iterator[Twins]:
    pair = Twins(
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER, c TEXT COLLATE NOCASE) STRICT",
        "CREATE TABLE l (x TEXT) STRICT",
    )
    yield pair
    pair.close()


def test_new_and_old_have_no_affinity_but_a_collation(twins: Twins) -> None:
    twins.run(
        "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO l VALUES (typeof(NEW.b) || (NEW.b = '1')"
        " || (NEW.c = 'X') || (NEW.a = '7') || (NEW.rowid IN (7)) || (NEW.b IN ('1')) || (NEW.c IN ('X'))); END",
        "INSERT INTO t VALUES (7, '1', 'x'), (8, 1, 'y')",
    )
    assert twins.rows("SELECT x FROM l")[0] == ("integer011101",)


def test_before_triggers_see_a_row_that_is_not_checked_yet(twins: Twins) -> None:
    twins.run(
        "CREATE TABLE g (a INTEGER PRIMARY KEY, b INTEGER NOT NULL, c INTEGER AS (b + 1), d INTEGER DEFAULT 2) STRICT",
        "CREATE TRIGGER tr BEFORE INSERT ON g BEGIN INSERT INTO l VALUES (NEW.a || ' ' || ifnull(NEW.b, 'none') || ' '"
        " || ifnull(NEW.c, 'none') || ' ' || NEW.d || ' ' || typeof(NEW.b)); END",
        "INSERT INTO g (b) VALUES ('3')",
        "INSERT OR IGNORE INTO g (b) VALUES (NULL)",
    )
    assert twins.error("INSERT INTO g (b) VALUES (NULL)") == "NOT NULL constraint failed: g.b"
    assert len(twins.rows("SELECT x FROM l")) == 2


def test_a_before_trigger_may_change_or_remove_the_row_itself(twins: Twins) -> None:
    twins.run(
        "INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c'), (4, 4, 'd')",
        "CREATE TRIGGER u BEFORE UPDATE ON t WHEN OLD.a < 9 BEGIN UPDATE t SET c = c || '!' WHERE a = OLD.a;"
        " DELETE FROM t WHERE a = 2; END",
        "CREATE TRIGGER d BEFORE DELETE ON t WHEN OLD.a > 2 BEGIN UPDATE t SET b = 100 WHERE a = OLD.a;"
        " DELETE FROM t WHERE a = OLD.a + 1; END",
        "CREATE TRIGGER e AFTER DELETE ON t BEGIN INSERT INTO l VALUES (OLD.a || ' ' || OLD.b); END",
    )
    twins.both("UPDATE t SET b = b + 10")
    twins.both("UPDATE t SET a = a + 10 WHERE a = 4 RETURNING *")
    twins.both("DELETE FROM t")


def test_new_values_are_computed_when_their_row_has_its_turn(twins: Twins) -> None:
    twins.run(
        "INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')",
        "CREATE TRIGGER u AFTER UPDATE ON t BEGIN UPDATE t SET b = b * 10 WHERE a = OLD.a + 1;"
        " INSERT INTO l VALUES (NEW.b); END",
    )
    twins.both("UPDATE t SET b = b + 1")
    twins.both("UPDATE t SET b = b + (SELECT count(*) FROM l WHERE x > t.c)")
    twins.both("UPDATE t SET b = (SELECT count(*) FROM l)")
    twins.both("WITH w(n) AS (SELECT max(b) FROM t) UPDATE t AS q SET b = q.b + (SELECT n FROM w)")
    twins.both("UPDATE t SET b = t.b + l.rowid FROM l WHERE l.rowid = t.a")


@pytest.mark.parametrize("outer", ["", "OR IGNORE", "OR REPLACE", "OR FAIL", "OR ABORT", "OR ROLLBACK"])
@pytest.mark.parametrize("inner", ["", "OR IGNORE", "OR REPLACE", "OR FAIL", "OR ROLLBACK"])
@pytest.mark.parametrize("begin", [False, True])
def test_the_outer_conflict_resolution_overrides_the_inner(twins: Twins, outer: str, inner: str, begin: bool) -> None:
    twins.run(
        "CREATE TABLE k (n INTEGER UNIQUE) STRICT",
        "INSERT INTO k VALUES (2)",
        f"CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT {inner} INTO k VALUES (NEW.a), (NEW.a + 10); END",
        *(["BEGIN", "INSERT INTO l VALUES ('before')"] if begin else []),
    )
    twins.both(f"INSERT {outer} INTO t (a) VALUES (1), (2), (3)")


def test_triggers_of_an_upsert(twins: Twins) -> None:
    twins.run(
        "CREATE TRIGGER bi BEFORE INSERT ON t BEGIN INSERT INTO l VALUES ('bi ' || NEW.a); END",
        "CREATE TRIGGER ai AFTER INSERT ON t BEGIN INSERT INTO l VALUES ('ai ' || NEW.a); END",
        "CREATE TRIGGER bu BEFORE UPDATE OF b ON t BEGIN INSERT INTO l VALUES ('bu ' || OLD.b || NEW.b); END",
        "CREATE TRIGGER au AFTER UPDATE OF c ON t BEGIN INSERT INTO l VALUES ('au ' || OLD.c || NEW.c); END",
        "INSERT INTO t VALUES (1, 1, 'a')",
    )
    twins.both("INSERT INTO t VALUES (1, 2, 'b'), (2, 2, 'c') ON CONFLICT (a) DO UPDATE SET b = excluded.b")
    twins.both("INSERT INTO t VALUES (1, 3, 'd') ON CONFLICT (a) DO UPDATE SET c = excluded.c || c RETURNING *")
    twins.both("INSERT INTO t VALUES (1, 4, 'e') ON CONFLICT (a) DO UPDATE SET b = 9 WHERE excluded.b > 5")
    twins.both("INSERT INTO t VALUES (1, 4, 'e') ON CONFLICT DO NOTHING")
    twins.both("SELECT * FROM l")


def test_counters_inside_and_after_triggers(twins: Twins) -> None:
    twins.run(
        "CREATE TRIGGER tr AFTER INSERT ON t BEGIN"
        " INSERT INTO l VALUES (last_insert_rowid() || ' ' || (total_changes() > 2));"
        " INSERT INTO l SELECT 'more' FROM t; INSERT INTO l VALUES (changes() || ' ' || last_insert_rowid()); END",
        "INSERT INTO t (b) VALUES (1), (2)",
    )
    twins.rows("SELECT changes(), last_insert_rowid(), total_changes()")
    twins.run("DELETE FROM l")
    for side in (twins.ours, twins.theirs):
        side.executemany("INSERT INTO t (b) VALUES (?)", [(3,), (4,)])
    twins.both("SELECT last_insert_rowid(), (SELECT count(*) FROM l)")


def test_a_trigger_that_replaces_what_another_puts_back(twins: Twins) -> None:
    twins.run(
        "CREATE TABLE k (n INTEGER UNIQUE, m INTEGER UNIQUE) STRICT",
        "INSERT INTO k VALUES (1, 1)",
        "CREATE TRIGGER back AFTER DELETE ON k BEGIN INSERT INTO k VALUES (OLD.n, OLD.m + 10); END",
        "PRAGMA recursive_triggers = 1",
    )
    assert twins.error("REPLACE INTO k VALUES (1, 2)") == "UNIQUE constraint failed: k.n"
    twins.both("UPDATE OR REPLACE k SET m = 5")


@pytest.mark.parametrize("raised", ["IGNORE", "FAIL, 'no'", "ABORT, 'no'"])
@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_a_trigger_that_keeps_a_foreign_key_action_from_a_child(twins: Twins, raised: str, action: str) -> None:
    twins.run(
        f"CREATE TABLE p (id INTEGER PRIMARY KEY REFERENCES t ON DELETE {action} ON UPDATE {action}) STRICT",
        "INSERT INTO t (a) VALUES (1), (2), (3)",
        "INSERT INTO p VALUES (1), (2)",
        f"CREATE TRIGGER d BEFORE DELETE ON p WHEN OLD.id = 2 BEGIN SELECT RAISE({raised}); END",
        f"CREATE TRIGGER u BEFORE UPDATE ON p WHEN OLD.id = 2 BEGIN SELECT RAISE({raised}); END",
    )
    for sql in ("UPDATE t SET a = a + 10", "DELETE FROM t WHERE a = 3", "DELETE FROM t"):
        twins.both(sql)


def test_a_thousand_levels_and_no_more() -> None:
    with discosql.connect(":memory:", isolation_level=None) as db:
        db.execute("PRAGMA recursive_triggers = ON")
        db.execute("CREATE TABLE t (a INTEGER)")
        db.execute("CREATE TRIGGER tr AFTER INSERT ON t WHEN NEW.a < 1000 BEGIN INSERT INTO t VALUES (NEW.a + 1); END")
        db.execute("INSERT INTO t VALUES (1)")
        assert db.execute("SELECT count(*) FROM t").fetchone() == (1000,)
        with pytest.raises(discosql.OperationalError, match="too many levels of trigger recursion"):
            db.execute("INSERT INTO t VALUES (-1)")
        assert db.execute("SELECT count(*) FROM t").fetchone() == (1000,)


def test_a_statement_can_be_interrupted_within_a_trigger() -> None:
    with discosql.connect(":memory:", isolation_level=None) as db:
        db.executescript(
            "CREATE TABLE t (a INTEGER); CREATE TABLE l (x);"
            "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO l VALUES (halt(NEW.a)); END;"
        )

        def halt(value: int) -> int:
            if value == 3:
                db.interrupt()
            return value

        db.create_function("halt", 1, halt)
        with pytest.raises(discosql.QueryInterruptedError):
            db.execute("INSERT INTO t VALUES (1), (2), (3), (4)")
        assert db.execute("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM l)").fetchone() == (0, 0)


def test_alter_table_rewrites_triggers(twins: Twins) -> None:
    twins.run(
        "CREATE TRIGGER one AFTER UPDATE OF b, c ON t WHEN NEW.b > OLD.b BEGIN"
        " INSERT INTO l SELECT t.b || NEW.c FROM t WHERE t.b = OLD.b AND c = 'b';"
        " UPDATE t SET b = NEW.b + 1 WHERE b = OLD.b AND a > 9;"
        " DELETE FROM l WHERE x IN (SELECT b FROM t);"
        " INSERT INTO t (a, b) VALUES (NEW.a + 100, 2) ON CONFLICT (a) DO UPDATE SET b = t.b + 1, c = b;"
        " SELECT b, t.c, (SELECT max(b) FROM t) FROM t; END",
        "CREATE TRIGGER two BEFORE INSERT ON l BEGIN WITH w(b) AS (SELECT b FROM t) SELECT b FROM w"
        " WHERE b = NEW.x; END",
    )
    for sql in (
        "ALTER TABLE t RENAME COLUMN b TO bb",
        'ALTER TABLE l RENAME x TO "x y"',
        "ALTER TABLE t RENAME TO tt",
        "ALTER TABLE tt DROP COLUMN c",
        "INSERT INTO tt VALUES (1, 1, 'b')",
        "UPDATE tt SET bb = 5",
    ):
        twins.both(sql)
        twins.rows("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
    twins.run("DROP TRIGGER two", "DROP TRIGGER one", "ALTER TABLE tt DROP COLUMN c")


def test_a_broken_trigger_stands_in_the_way_of_renaming(twins: Twins) -> None:
    twins.run("CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT NEW.missing; END")
    assert twins.error("ALTER TABLE t RENAME b TO bb") == "error in trigger tr: no such column: NEW.missing"
    twins.run("ALTER TABLE t ADD COLUMN d TEXT")


# Storage ------------------------------------------------------------------------------------------------------------


def test_triggers_last_and_other_processes_have_them(tmp_path: Path) -> None:
    path = tmp_path / "a.disco"
    with discosql.connect(path, isolation_level=None) as db:
        db.executescript(
            "CREATE TABLE t (a INTEGER); CREATE TABLE l (x);"
            "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO l VALUES (NEW.a * 2); END;"
            "CREATE TRIGGER gone AFTER INSERT ON t BEGIN SELECT RAISE(ABORT, 'gone'); END; DROP TRIGGER gone"
        )
    code = (
        "import sys, discosql; discosql.connect(sys.argv[1], isolation_level=None).execute('INSERT INTO t VALUES (4)')"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)
    with discosql.connect(path, isolation_level=None) as db:
        assert db.execute("SELECT x FROM l").fetchall() == [(8,)]
        assert db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall() == [("tr",)]


def test_a_checkpoint_holds_the_triggers(tmp_path: Path) -> None:
    path = tmp_path / "a.disco"
    with discosql.connect(path, isolation_level=None) as db:
        db.execute("CREATE TABLE t (a INTEGER)")
        db.execute("CREATE TRIGGER tr BEFORE INSERT ON t WHEN NEW.a = 0 BEGIN SELECT RAISE(IGNORE); END")
        for number in range(70):
            db.execute("INSERT INTO t VALUES (?)", (number,))
        db.execute("VACUUM")
    with discosql.connect(path, isolation_level=None) as db:
        db.execute("INSERT INTO t VALUES (0)")
        assert db.execute("SELECT count(*) FROM t").fetchone() == (69,)


def test_changes_of_the_schema_name_triggers() -> None:
    one, two = Trigger("one", "t", "after", "insert", sql="x"), Trigger("Two", "t", "before", "update", ("a",), "y")
    old = Catalog().with_trigger(one).with_trigger(two)
    new = old.without_trigger("one").with_trigger(Trigger("three", "u", "instead of", "delete", sql="z"))
    data = catalog_changes_to_json(old, new)
    assert data["no_triggers"] == ["one"] and [trigger["name"] for trigger in data["triggers"]] == ["three"]
    assert catalog_changes_from_json(old, data) == new


def test_a_programs_number_of_its_schema_lasts(tmp_path: Path) -> None:
    path = tmp_path / "a.disco"
    with discosql.connect(path, isolation_level=None) as db:
        db.execute("PRAGMA user_version = 5")
        db.execute("BEGIN")
        db.execute("PRAGMA user_version = 6")
        db.execute("ROLLBACK")
    with discosql.connect(path, isolation_level=None) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (5,)
        for number in range(70):
            db.execute(f"PRAGMA application_id = {number}")
    with discosql.connect(path) as db:
        found = db.execute("SELECT user_version, application_id FROM pragma_user_version, pragma_application_id")
        assert found.fetchone() == (5, 69)
