"""Checking rows against the schema, dumps that SQLite reads, archives, copies, and the commands for all of it."""

import contextlib
import json
import sqlite3
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as oracle

import discosql
from discosql.cli.main import main
from discosql.dbapi import Connection
from discosql.drive import LOOP_THREAD
from discosql.errors import DatabaseCorruptionError, OperationalError, ProgrammingError
from discosql.storage.engine import Engine
from discosql.types import Row

SCHEMA = """
    CREATE TABLE person (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE COLLATE NOCASE, born DATE, pay DECIMAL,
        photo BLOB, height REAL CHECK (height > 0), twice INTEGER GENERATED ALWAYS AS (id * 2) STORED
    );
    CREATE TABLE "odd ""name" (a INTEGER REFERENCES person, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE INDEX person_born ON person (born, height);
    CREATE VIEW grown AS SELECT name FROM person WHERE height > 1.5;
"""


def filled(rows: int = 250) -> Connection:
    db = discosql.connect(":memory:")
    db.executescript(SCHEMA)
    people = [
        (
            f"it's {number}\0" if number % 50 == 7 else f"Zoë {number}",
            "2001-02-03",
            f"{number}.50",
            b"\0\xff",
            number + 0.1,
        )
        for number in range(rows)
    ]
    db.executemany("INSERT INTO person (name, born, pay, photo, height) VALUES (?, ?, ?, ?, ?)", people)
    db.executemany('INSERT INTO "odd ""name" VALUES (?, ?)', [(number, -number) for number in range(1, rows, 3)])
    db.execute("INSERT INTO person (id, name, height) VALUES (?, 'nobody', ?)", (-7, float("inf")))
    db.commit()
    db.execute("DELETE FROM person WHERE id = (SELECT max(id) FROM person)")
    db.commit()
    return db


def contents(db: Connection) -> list[str]:
    return list(db.iterdump())


# Checks ------------------------------------------------------------------------------------------------------------


def put_row(db: Connection, table: str, row: Row, *, instead_of: Row | None = None) -> None:
    """Store a row behind the back of everything that looks at rows."""
    engine: Engine = db._session.engine
    transaction = engine.begin()
    identity = transaction.catalog.table(table).id
    if instead_of is None:
        transaction.insert(identity, row)
    else:
        transaction.update(identity, instead_of, row)
    LOOP_THREAD.run(engine.commit(transaction))


GOOD = (900, 900, "ok", None, None, None, 1.0, 1800)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ((900, 900, None, None, None, None, 1.0, 1800), "NOT NULL constraint failed: person.name"),
        ((900, 900, "x", None, None, None, -1.0, 1800), "CHECK constraint failed: height > 0"),
        ((900, 900, "x", "yesterday", None, None, 1.0, 1800), "cannot store TEXT value in DATE column person.born"),
        ((900, 900, "x", None, 2.5, None, 1.0, 1800), "float value in DECIMAL column person.pay"),
        ((900, 900, "x", None, None, None, 1.0, 3), "int value in generated column person.twice"),
        ((900, 901, "x", None, None, None, 1.0, 1802), "rowid out of order"),
        ((900, 900, "ZOË 3".replace("Ë", "ë"), None, None, None, 1.0, 1800), "non-unique entry in index"),
    ],
)
def test_rows_that_do_not_fit_their_schema(row: Row, text: str) -> None:
    db = filled(10)
    put_row(db, "person", row)
    report = db.check()
    assert [problem.text for problem in report.problems if text in problem.text], report.problems
    assert all(problem.table == "person" and problem.rowid == 900 for problem in report.problems)
    assert not report.ok and report.opens
    shown = db.execute("PRAGMA integrity_check").fetchall()
    assert shown == [(problem.text,) for problem in report.problems]
    assert db.execute('PRAGMA integrity_check("odd ""name")').fetchall() == [("ok",)]


def test_a_child_without_parent() -> None:
    db = filled(10)
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute('INSERT INTO "odd ""name" VALUES (777, 1)')
    db.commit()
    (problem,) = db.check().problems
    assert "FOREIGN KEY constraint failed" in problem.text and problem.table == 'odd "name'
    # As in SQLite, foreign keys have a PRAGMA of their own.
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(db.execute("PRAGMA foreign_key_check").fetchall()) == 1


def test_integrity_check_takes_what_sqlite_takes() -> None:
    db = filled(10)
    for number in (900, 901, 902):
        put_row(db, "person", (number, number, None, None, None, None, 1.0, 2 * number))
    assert len(db.execute("PRAGMA integrity_check(2)").fetchall()) == 2
    assert len(db.execute("PRAGMA quick_check").fetchall()) == 3
    cursor = db.execute("PRAGMA quick_check(person)")
    assert cursor.description[0][0] == "quick_check"
    with pytest.raises(ProgrammingError, match="no such table: nowhere"):
        db.execute("PRAGMA integrity_check(nowhere)")


async def test_checks_of_asynchronous_connections_tell_how_far_they_are() -> None:
    told: list[tuple[str, int, int]] = []
    async with discosql.aio.connect(":memory:") as db:
        await db.execute("CREATE TABLE t (a REFERENCES t (b), b UNIQUE)")
        await db.execute("INSERT INTO t VALUES (NULL, 1)")
        await db.commit()
        report = await db.check(progress=lambda *step: told.append(step))
    assert report.ok and report.rows == 1
    assert {stage for stage, _, _ in told} == {"entries of the log", "foreign keys"}


# Dumps -------------------------------------------------------------------------------------------------------------


def test_sqlite_reads_a_dump() -> None:
    db = filled()
    lite = oracle.connect(":memory:")
    lite.executescript("\n".join(contents(db)))
    queries = (
        "SELECT id, name, hex(photo), height, twice FROM person ORDER BY id",
        'SELECT * FROM "odd ""name"',
        "SELECT count(*) FROM grown",
        "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name",
    )
    for query in queries:
        assert lite.execute(query).fetchall() == db.execute(query).fetchall(), query
    assert lite.execute("PRAGMA foreign_key_check").fetchall() == []


def test_what_sqlite_dumps_is_read() -> None:
    lite = sqlite3.connect(":memory:")
    lite.executescript("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB, d REAL); CREATE INDEX i ON t (b);")
    lite.executemany("INSERT INTO t (b, c, d) VALUES (?, ?, ?)", [(f"it's {n}", bytes([n]), n / 7) for n in range(20)])
    lite.commit()
    db = discosql.connect(":memory:")
    db.executescript("\n".join(lite.iterdump()))
    assert db.execute("SELECT * FROM t").fetchall() == lite.execute("SELECT * FROM t").fetchall()


def test_a_dump_makes_the_same_database_again() -> None:
    db, again = filled(), discosql.connect(":memory:")
    again.executescript("\n".join(contents(db)))
    assert contents(again) == contents(db)
    assert again.check().ok


def test_a_dump_shows_the_open_transaction() -> None:
    db = filled(3)
    db.execute("DELETE FROM person WHERE id = 3")
    assert "Zoë 1" in "".join(db.iterdump()) and "Zoë 2" not in "".join(db.iterdump())


class Interruption(Exception):
    """Whatever ends a process, where it can be caught."""


def test_a_dump_of_the_past(tmp_path: Path) -> None:
    with discosql.connect(tmp_path / "a.disco", isolation_level=None) as db:
        db.execute("CREATE TABLE t (a)")
        db.execute("INSERT INTO t VALUES (1)")
        db.execute("INSERT INTO t VALUES (2)")
        db.execute("CREATE TEMP TABLE fleeting (x)")
        assert "fleeting" not in "".join(db.iterdump())
    db.close()
    with discosql.connect(tmp_path / "a.disco", as_of=2) as past:
        assert [line for line in past.iterdump() if "INSERT" in line] == ['INSERT INTO "t" VALUES(1);']
    past.close()


# Copies ------------------------------------------------------------------------------------------------------------


def test_backup_replaces_all_that_was_there() -> None:
    db, target = filled(), discosql.connect(":memory:")
    target.executescript("CREATE TABLE person (x); CREATE TABLE old (y UNIQUE); INSERT INTO old VALUES (1)")
    told: list[tuple[int, int, int]] = []
    db.backup(target, progress=lambda *step: told.append(step))
    assert contents(target) == contents(db)
    assert target.check().ok
    assert told[-1][1] == 0
    # AUTOINCREMENT goes on where it was, above the row that was deleted.
    target.execute("INSERT INTO person (name) VALUES ('new')")
    assert target.execute("SELECT max(id) FROM person").fetchone() == (251,)
    with pytest.raises(ProgrammingError, match="same connection"):
        db.backup(db)


def test_backup_into_sqlite() -> None:
    db, lite = filled(), sqlite3.connect(":memory:")
    db.backup(lite)
    assert lite.execute("SELECT count(*) FROM person").fetchone() == (250,)


# Archives ----------------------------------------------------------------------------------------------------------


def test_an_archive_lacks_nothing(tmp_path: Path) -> None:
    db = filled()
    assert db.write_archive(tmp_path / "a.zip") == 333
    with discosql.connect(tmp_path / "new.disco") as again:
        assert again.restore_archive(tmp_path / "a.zip") == 333
        assert contents(again) == contents(db)
        assert again.check().ok
        again.execute("INSERT INTO person (name) VALUES ('new')")
        assert again.execute("SELECT max(id) FROM person").fetchone() == (251,)
        again.commit()
        with pytest.raises(OperationalError, match="holds other rows"):
            again.restore_archive(tmp_path / "a.zip")
    again.close()
    other = discosql.connect(":memory:")
    other.execute("CREATE TABLE t (a)")
    with pytest.raises(OperationalError, match="not empty"):
        other.restore_archive(tmp_path / "a.zip")


def test_an_interrupted_restore_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db = filled()
    db.write_archive(tmp_path / "a.zip")
    monkeypatch.setattr("discosql.upkeep.archive._ROWS_AT_ONCE", 40)
    monkeypatch.setattr("discosql.upkeep.archive._CHUNK", 2_000)
    again = discosql.connect(tmp_path / "new.disco")

    def interrupt_at(limit: int) -> Callable[[str, int, int], None]:
        def interrupt(stage: str, done: int, _total: int) -> None:
            if stage == "rows" and done >= limit:
                raise Interruption

        return interrupt

    stored = 0
    for limit in (100, 200, 300):
        with pytest.raises(Interruption):
            again.restore_archive(tmp_path / "a.zip", progress=interrupt_at(limit))
        count = again.execute('SELECT (SELECT count(*) FROM person) + (SELECT count(*) FROM "odd ""name")').fetchone()
        assert count[0] > stored
        stored = count[0]
    assert again.restore_archive(tmp_path / "a.zip") == 333 - stored
    assert contents(again) == contents(db)
    assert again.restore_archive(tmp_path / "a.zip") == 0
    again.close()


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    db = filled(40)
    path = tmp_path / "a.zip"
    db.write_archive(path)
    whole = path.read_bytes()
    target = discosql.connect(":memory:")
    for place in range(0, len(whole), len(whole) // 40):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            target.restore_archive(path)
        except (DatabaseCorruptionError, OperationalError):
            assert not target._session.catalog.tables
        else:
            # The flipped bits were of no consequence, as in a time stamp.
            assert contents(target) == contents(db)
            target = discosql.connect(":memory:")
    path.write_bytes(whole[:-100])
    with pytest.raises(DatabaseCorruptionError, match=r"a\.zip"):
        target.restore_archive(path)


def test_an_archive_is_complete_or_not_there(tmp_path: Path) -> None:
    db = filled(5)
    with pytest.raises(OperationalError, match="cannot write"):
        db.write_archive(tmp_path / "nowhere" / "a.zip")

    def fail(_stage: str, _done: int, _total: int) -> None:
        raise Interruption

    with pytest.raises(Interruption):
        db.write_archive(tmp_path / "a.zip", progress=fail)
    assert list(tmp_path.iterdir()) == []
    db.write_archive(tmp_path / "a.zip")
    assert zipfile.ZipFile(tmp_path / "a.zip").testzip() is None


# Commands ----------------------------------------------------------------------------------------------------------


@dataclass
class Answer:
    """What a command wrote, and its exit status."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    def run_command(*arguments: str, cwd: Path) -> Answer:
        with contextlib.chdir(cwd):
            status = main(arguments)
        return Answer(status, *capsys.readouterr())

    return run_command


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    db = filled(30)
    with discosql.connect(tmp_path / "shop.disco") as stored:
        db.backup(stored)
    stored.close()
    return tmp_path


def test_dump_restore_and_check(shop: Path, run: Callable[..., Answer]) -> None:
    for file in ("a.zip", "a.sql"):
        answer = run("dump", "shop.disco", file, cwd=shop)
        assert answer.returncode == 0, answer.stderr
        answer = run("restore", f"{file}.disco", file, cwd=shop)
        assert answer.returncode == 0, answer.stderr
        answer = run("check", "--json", f"{file}.disco", cwd=shop)
        assert answer.returncode == 0
        assert json.loads(answer.stdout)["rows"] == 40
    assert run("dump", "shop.disco", cwd=shop).stdout == (shop / "a.sql").read_text(encoding="utf-8")
    assert "no such file" in run("restore", "x.disco", "nothing.zip", cwd=shop).stderr


def test_repair_tells_before_it_does(shop: Path, run: Callable[..., Answer]) -> None:
    with discosql.connect(shop / "shop.disco") as db:
        db.execute("UPDATE person SET height = 2 WHERE id < 4")
    db.close()
    answer = run("repair", "shop.disco", cwd=shop)
    assert (answer.returncode, answer.stdout) == (0, "There is nothing to repair.\n")
    guild = sqlite3.connect(shop / "shop.disco")
    guild.execute("DELETE FROM message WHERE id = (SELECT max(id) FROM message)")
    guild.commit()
    guild.close()
    answer = run("check", "shop.disco", cwd=shop)
    assert answer.returncode == 1 and "was deleted: it may have held slot 3" in answer.stdout
    answer = run("shop.disco", "SELECT 1", cwd=shop)
    assert answer.returncode == 1 and "DatabaseCorruptionError" in answer.stderr
    for options, last_line in (((), "--last-good would give up"), (("--last-good",), "--yes would do it")):
        answer = run("repair", "shop.disco", *options, cwd=shop)
        assert answer.returncode == 1 and last_line in answer.stderr
        assert "good up to slot 2" in answer.stdout
    answer = run("repair", "shop.disco", "--last-good", "--yes", "--json", cwd=shop)
    assert answer.returncode == 0 and json.loads(answer.stdout)["entries"][0]["slot"] == 3
    assert run("check", "shop.disco", cwd=shop).returncode == 0


def test_going_back_to_a_slot(shop: Path, run: Callable[..., Answer]) -> None:
    with discosql.connect(shop / "shop.disco", isolation_level=None) as db:
        before = contents(db)
        db.execute("UPDATE person SET height = 2 WHERE id < 4")
        db.execute("ALTER TABLE person ADD COLUMN extra TEXT")
        db.execute('DROP TABLE "odd ""name"')
        db.execute("DELETE FROM person WHERE id > 20")
    db.close()
    answer = run("repair", "shop.disco", "--to-slot", "1", cwd=shop)
    assert answer.returncode == 1
    assert "slot 3, " in answer.stdout and 'DROP TABLE odd "name' in answer.stdout
    assert "In all 5 slots, of which 0 cannot be read, and 4 transactions on 1 tables" in answer.stdout
    assert "the log has slots 1 to 6" in run("repair", "shop.disco", "--to-slot", "9", cwd=shop).stderr
    answer = run("repair", "shop.disco", "--to-slot", "1", "--yes", cwd=shop)
    assert answer.returncode == 0, answer.stderr
    with discosql.connect(shop / "shop.disco") as db:
        assert contents(db) == before
        assert db.check().ok
    db.close()
