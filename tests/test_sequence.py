"""Writing sqlite_sequence: as in SQLite, kept by dumps, and safe over pages, checkpoints and beside other writers."""

import asyncio
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from guilds import Server
from pysqlite3 import dbapi2
from twins import Twins

import discosql
from discosql.aio import Connection
from discosql.cli.main import main
from discosql.errors import DataError, NotSupportedError, ProgrammingError, SerializationError
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.engine import Engine, EngineOptions, open_engine
from discosql.storage.local import LocalGuild

TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a INTEGER)"
NEXT = "INSERT INTO t (a) VALUES (1) RETURNING id"
ADDED = "INSERT INTO n (a) VALUES (2)"
SHOWN = "SELECT * FROM sqlite_sequence"
TINY = EngineOptions(page_size=300, cache_size=1_000, checkpoint_entries=10**9, checkpoint_bytes=10**12)


@pytest.mark.parametrize(
    "script",
    [
        ("INSERT INTO sqlite_sequence VALUES ('t', 55)", NEXT),
        ("INSERT INTO sqlite_sequence (seq, name) VALUES (55, 't')", NEXT, "INSERT INTO t VALUES (9, 9)", NEXT),
        ("INSERT INTO main.sqlite_sequence SELECT 't', 7", NEXT),
        (NEXT, "UPDATE sqlite_sequence SET seq = 9 WHERE name = 't' RETURNING name, seq", NEXT),
        (NEXT, "UPDATE sqlite_sequence SET seq = seq + 9", NEXT),
        (NEXT, "UPDATE sqlite_sequence SET seq = '12', name = 't'", NEXT),
        (NEXT, "UPDATE sqlite_sequence SET seq = 9 WHERE name = 'other'", NEXT),
        (NEXT, "DELETE FROM t", "DELETE FROM sqlite_sequence WHERE name = 't'", SHOWN, NEXT),
        (NEXT, NEXT, "DELETE FROM t", "UPDATE sqlite_sequence SET seq = 1", SHOWN, NEXT),
        (NEXT, NEXT, "DELETE FROM t WHERE id = 2", "UPDATE sqlite_sequence SET seq = NULL", NEXT),
        (NEXT, NEXT, "DELETE FROM sqlite_sequence", NEXT),
        ("BEGIN", NEXT, "UPDATE sqlite_sequence SET seq = 30", NEXT, SHOWN, "ROLLBACK", SHOWN, NEXT),
        ("BEGIN", NEXT, "SAVEPOINT s", "UPDATE sqlite_sequence SET seq = 30", "ROLLBACK TO s", NEXT, "COMMIT", SHOWN),
        ("BEGIN", NEXT, "DELETE FROM t", "DELETE FROM sqlite_sequence", NEXT, "COMMIT", SHOWN, NEXT),
        ("BEGIN", "INSERT INTO t VALUES (70, 1)", "DELETE FROM t", "COMMIT", SHOWN, NEXT),
        ("CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE sqlite_sequence SET seq = seq + 5; END", NEXT),
        (
            "CREATE TEMP TABLE o (id INTEGER PRIMARY KEY AUTOINCREMENT)",
            "INSERT INTO temp.sqlite_sequence VALUES ('o', 4)",
            "INSERT INTO o DEFAULT VALUES RETURNING id",
            SHOWN,
            "INSERT INTO main.sqlite_sequence VALUES ('t', 3)",
            NEXT,
            "SELECT * FROM main.sqlite_sequence",
        ),
    ],
)
def test_as_in_sqlite(script: tuple[str, ...]) -> None:
    with closing(Twins(TABLE)) as twins:
        twins.compares_rowids = False  # rows of sqlite_sequence have rowids in SQLite, which last_insert_rowid() tells
        for sql in script:
            twins.rows(sql)


def test_what_a_row_says_last_counts_in_sqlite_first() -> None:
    """Where SQLite adds a second row, an INSERT only raises what there is, and REPLACE sets it."""
    db = discosql.connect(":memory:", isolation_level=None)
    db.execute(TABLE)
    db.execute("INSERT INTO sqlite_sequence VALUES ('t', 20)")
    db.execute("INSERT INTO sqlite_sequence VALUES ('t', 10)")
    assert db.execute(SHOWN).fetchall() == [("t", 20)]
    db.execute("REPLACE INTO sqlite_sequence VALUES ('t', 10)")
    assert db.execute(NEXT).fetchall() == [(11,)]
    db.executemany("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", [(40, "t"), (50, "T"), (45, "t")])
    assert db.execute(SHOWN).fetchall() == [("t", 45)]
    assert "sqlite_sequence" in "".join(map(str, db.execute(f"EXPLAIN {SHOWN}").fetchall()))


@pytest.mark.parametrize(
    ("sql", "error", "text"),
    [
        ("INSERT INTO sqlite_sequence VALUES ('u', 1)", NotSupportedError, "only: u is none"),
        ("INSERT INTO sqlite_sequence VALUES ('plain', 1)", NotSupportedError, "only: plain is none"),
        ("INSERT INTO sqlite_sequence (seq) VALUES (1)", NotSupportedError, "only: NULL is none"),
        ("UPDATE sqlite_sequence SET name = 'u'", NotSupportedError, "cannot be changed"),
        ("UPDATE sqlite_sequence SET seq = 'x'", DataError, "sqlite_sequence.seq"),
        ("UPDATE sqlite_sequence SET seq = 1.5", DataError, "sqlite_sequence.seq"),
        ("INSERT INTO sqlite_sequence VALUES ('t', 1) ON CONFLICT DO NOTHING", ProgrammingError, "cannot UPSERT"),
        ("INSERT INTO other.sqlite_sequence VALUES ('t', 1)", ProgrammingError, "no such table: other.sqlite_sequence"),
        ("INSERT INTO sqlite_sequence VALUES ('t')", ProgrammingError, "2 columns but 1"),
    ],
)
def test_what_is_refused(sql: str, error: type[Exception], text: str) -> None:
    db = discosql.connect(":memory:", isolation_level=None)
    db.executescript(f"{TABLE}; CREATE TABLE plain (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (3, 3)")
    with pytest.raises(error, match=text):
        db.execute(sql)
    assert db.execute(SHOWN).fetchall() == [("t", 3)]


def test_the_authorizer_is_asked() -> None:
    asked: list[Any] = []
    for module in (discosql, dbapi2):
        db: Any = module.connect(":memory:", isolation_level=None)
        db.execute(TABLE)
        told: list[Any] = []
        db.set_authorizer(lambda *action, told=told: told.append(action[:4]) or 0)
        db.execute("INSERT INTO sqlite_sequence VALUES ('t', 5)")
        asked.append(told)
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    "script",
    [
        ("INSERT INTO n VALUES (-5, 1)", "INSERT INTO n (a) VALUES (2), (3)", ADDED),
        ("INSERT INTO n VALUES (-2, 1)", ADDED, ADDED, ADDED, ADDED),
        ("INSERT INTO n VALUES (-7, 1), (NULL, 2), (3, 3), (NULL, 4)", "DELETE FROM n WHERE id > 0", ADDED),
        ("BEGIN", "INSERT INTO n VALUES (-9, 1)", ADDED, "DELETE FROM n", ADDED, "ROLLBACK", ADDED),
        ("INSERT INTO n VALUES (0, 1)", ADDED, "DELETE FROM n", ADDED),
        ("INSERT INTO n VALUES (-4, 1)", "UPDATE n SET id = -40", ADDED, "REPLACE INTO n VALUES (-39, 2), (NULL, 3)"),
    ],
)
def test_a_rowid_follows_negative_ones(script: tuple[str, ...]) -> None:
    with closing(Twins("CREATE TABLE n (id INTEGER PRIMARY KEY, a INTEGER)")) as twins:
        for sql in script:
            twins.rows(sql)
            twins.rows("SELECT * FROM n ORDER BY id")


# Dumps -------------------------------------------------------------------------------------------------------------


def spent(db: Any) -> None:
    db.executescript(f"{TABLE}; CREATE TABLE o (i INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE z (a)")
    db.executescript("INSERT INTO t VALUES (50, 1), (60, 2); DELETE FROM t WHERE id = 60; INSERT INTO o VALUES (7)")


@pytest.mark.parametrize("source", [discosql, sqlite3])
@pytest.mark.parametrize("target", [discosql, sqlite3])
def test_a_dump_keeps_what_was_given_out(source: Any, target: Any) -> None:
    db, again = source.connect(":memory:"), target.connect(":memory:")
    spent(db)
    again.executescript("\n".join(db.iterdump()))
    assert sorted(again.execute(SHOWN)) == [("o", 7), ("t", 60)]
    assert again.execute(NEXT).fetchall() == [(61,)]


def test_a_dump_of_tables_without_autoincrement_has_nothing_of_it() -> None:
    db = discosql.connect(":memory:")
    spent(db)
    db.execute('ALTER TABLE o RENAME TO "it\'s"')
    assert "sqlite_sequence" not in "".join(db.iterdump(filter="t"))
    assert list(db.iterdump())[-4:-1] == [
        'DELETE FROM "sqlite_sequence";',
        "INSERT INTO \"sqlite_sequence\" VALUES('t',60);",
        "INSERT INTO \"sqlite_sequence\" VALUES('it''s',7);",
    ]


SHELL = """\
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a);
INSERT INTO t VALUES(1,NULL);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('t',5);
COMMIT;
"""


def test_the_shell_reads_what_sqlite3_dumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.disco"
    monkeypatch.setattr("sys.stdin", io.StringIO(SHELL))
    assert main([str(path)]) == 0
    with discosql.connect(path) as db:
        assert db.execute(NEXT).fetchall() == [(6,)]
    db.close()
    out = tmp_path / "a.sql"
    assert main(["dump", str(path), str(out)]) == 0
    lite = sqlite3.connect(":memory:")
    lite.executescript(out.read_text())
    assert lite.execute(SHOWN).fetchall() == [("t", 6)]


# Storage -----------------------------------------------------------------------------------------------------------


async def connected(engine: Engine) -> Connection:
    return Connection(Session(engine, DEFAULT), isolation_level=None)


async def rows(db: Connection, sql: str, *parameters: Any) -> list[Any]:
    cursor = await db.execute(sql, parameters)
    return [] if cursor.description is None else await cursor.fetchall()


async def test_begin_again_at_one_on_every_guild(server: Server) -> None:
    """Emptied and reset, over pages, a table begins at 1: in this process, after a checkpoint, and opened anew."""
    engine = await open_engine(await server.open(), options=TINY)
    db = await connected(engine)
    await db.execute(TABLE)
    await db.executemany("INSERT INTO t (a) VALUES (?)", [(n,) for n in range(200)])
    assert await engine.checkpoint(everything=True)
    await db.execute("DELETE FROM t")
    await db.execute("DELETE FROM sqlite_sequence")
    other = await connected(await open_engine(await server.open(), options=TINY))
    assert await rows(other, SHOWN) == []
    assert await rows(other, NEXT) == [(1,)]
    assert await rows(other, NEXT) == [(2,)]
    assert await engine.checkpoint(everything=True)
    again = await connected(await open_engine(await server.open(), options=TINY))
    assert await rows(again, NEXT) == [(3,)]
    assert await rows(again, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("seed", range(6))
async def test_next_ids_are_those_of_sqlite(seed: int) -> None:
    """Whatever was deleted and set, with checkpoints and reopening in between. Nothing is set below a rowid in use."""
    random = Random(seed)
    guild = LocalGuild.memory()
    engine = await open_engine(guild.peer(), options=TINY)
    lite = dbapi2.connect(":memory:", isolation_level=None)
    lite.execute(TABLE)
    await (await connected(engine)).execute(TABLE)
    statements = (
        "INSERT INTO t (a) VALUES (?) RETURNING id",
        "INSERT INTO t (a) VALUES (?1), (?1), (?1), (?1), (?1) RETURNING id",
        "INSERT OR REPLACE INTO t VALUES (?, 1) RETURNING id",
        "DELETE FROM t WHERE id > ?",
        "DELETE FROM t WHERE id % 3 = ? % 3",
        "UPDATE sqlite_sequence SET seq = max(?, (SELECT coalesce(max(id), 0) FROM t))",
    )
    for _ in range(120):
        db = await connected(engine)
        sql, number = random.choice(statements), random.randrange(1, 60)
        assert await rows(db, sql, number) == lite.execute(sql, (number,)).fetchall(), (sql, number)
        assert await rows(db, SHOWN) == lite.execute(SHOWN).fetchall(), (sql, number)
        what = random.random()
        if what < 0.15:
            await engine.checkpoint(everything=what < 0.08)
        elif what < 0.25:
            engine = await open_engine(guild.peer(), options=TINY)
    assert await rows(await connected(engine), "PRAGMA integrity_check") == [("ok",)]


async def test_a_reset_meets_a_row_of_another_process() -> None:
    guild = LocalGuild.memory()
    one, two = [await connected(await open_engine(guild.peer())) for _ in range(2)]
    await one.execute(TABLE)
    for _ in range(3):
        await one.execute(NEXT)
    await one.execute("DELETE FROM t")
    await one.execute("BEGIN")
    await one.execute("DELETE FROM sqlite_sequence")
    assert await rows(two, NEXT) == [(4,)]
    with pytest.raises(SerializationError):
        await one.execute("COMMIT")
    # By itself, the statement is run again on what is there by now.
    await one.execute("DELETE FROM sqlite_sequence")
    assert await rows(one, SHOWN) == [("t", 4)]


async def test_two_that_set_it_do_not_overwrite_each_other() -> None:
    guild = LocalGuild.memory()
    one, two = [await connected(await open_engine(guild.peer())) for _ in range(2)]
    await one.execute(TABLE)
    await one.execute(NEXT)
    await asyncio.gather(*(db.execute("UPDATE sqlite_sequence SET seq = seq + 10") for db in (one, two)))
    await one.execute("BEGIN")
    assert await rows(one, "UPDATE sqlite_sequence SET seq = seq + 1 RETURNING seq") == [(22,)]
    await two.execute("UPDATE sqlite_sequence SET seq = 90")
    with pytest.raises(SerializationError):
        await one.execute("COMMIT")
    assert await rows(one, SHOWN) == [("t", 90)]


async def test_negative_rowids_over_pages() -> None:
    """A new rowid is free, be it the next one or 1, also beside another transaction of the process."""
    engine = await open_engine(LocalGuild.memory(), options=TINY)
    one, two = await connected(engine), await connected(engine)
    await one.execute("CREATE TABLE n (id INTEGER PRIMARY KEY, a INTEGER)")
    await one.executemany("INSERT INTO n VALUES (?, 1)", [(-number,) for number in range(3, 90)])
    assert await engine.checkpoint(everything=True)
    await one.execute("BEGIN")
    ids = [(await rows(db, "INSERT INTO n (a) VALUES (2) RETURNING id"))[0][0] for db in (one, two, one, two)]
    await one.execute("DELETE FROM n WHERE id = -3")
    await one.execute("COMMIT")
    ids.append((await rows(two, "INSERT INTO n (a) VALUES (2) RETURNING id"))[0][0])
    assert len(set(ids)) == 5 and min(ids) > -3
    assert await rows(one, "SELECT count(*), count(DISTINCT id) FROM n") == [(91, 91)]
