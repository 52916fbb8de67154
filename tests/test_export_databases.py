"""Exporting to SQLite, DuckDB and database servers: what they then hold, compared by their own programs."""

import asyncio
import datetime
import json
import math
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import TOKEN, LoopbackDiscord
from postgres_server import PASSWORD, postgres_server
from stepped_clock import SteppedClock

import discosql
from discosql.cli.main import main
from discosql.types import MAX_INTEGER, MIN_INTEGER

SCHEMA = """
CREATE TABLE Team (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE DEFAULT 'it''s', x ANY) -- )
;
CREATE TABLE player (
    nick TEXT PRIMARY KEY, team INTEGER REFERENCES team ON DELETE CASCADE, boss TEXT REFERENCES player,
    price DECIMAL(10, 2) DEFAULT 1.5 CHECK (price > 0), flag BOOLEAN DEFAULT TRUE, day DATE, at TIMESTAMP, facts JSON,
    key UUID, share REAL, data BLOB
);
CREATE TABLE goal (player TEXT, minute INT, twice INT AS (minute * 2), PRIMARY KEY (player, minute)) WITHOUT ROWID;
CREATE TABLE loose (a, b ANY, c VARCHAR(20), rowid TEXT);
CREATE INDEX by_day ON player (day, nick DESC);
CREATE UNIQUE INDEX by_key ON player (key);
CREATE INDEX by_length ON player (length(nick));
CREATE VIEW strong AS SELECT nick, price FROM player WHERE price >= 2;
CREATE TRIGGER scored AFTER INSERT ON goal BEGIN UPDATE player SET price = price + 1 WHERE nick = NEW.player; END;
PRAGMA user_version = 7;
"""
KEYS = [uuid.UUID(int=number) for number in range(1, 4)]
MOMENT = datetime.datetime(2024, 1, 1, 10, 0, 0, 5, tzinfo=datetime.UTC)
DAY = datetime.date(2024, 2, 29)
PLAYERS: list[tuple[Any, ...]] = [
    ("Bob", 1, "Ada", Decimal("1.10"), False, None, None, [1, "é"], KEYS[0], math.inf, b"\x00\xff"),
    ("Ada", 1, None, Decimal("12345678.25"), True, DAY, MOMENT, {"a": None}, KEYS[1], 0.1 + 0.2, None),
    ("Cy", None, None, None, None, None, None, None, None, None, None),
]


@pytest.fixture
def db() -> Iterator[discosql.Connection]:
    connection = discosql.connect(":memory:", isolation_level=None)
    connection.executescript(SCHEMA)
    connection.executemany("INSERT INTO team (name, x) VALUES (?, ?)", [("red", "1"), ("blue", 1), ("gone", b"\x01")])
    connection.execute("DELETE FROM team WHERE name = 'gone'")
    connection.executemany("INSERT INTO goal VALUES (?, ?)", [("Ada", 90), ("Ada", 3)])
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.executemany(f"INSERT INTO player VALUES ({', '.join('?' * 11)})", PLAYERS)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.executescript(
        "INSERT INTO loose VALUES ('12', '12', 'x', 'r'), (12, 1.5, '', NULL), (x'00', NULL, NULL, NULL);"
        "DELETE FROM loose WHERE a = '12'"
    )
    yield connection
    connection.close()


# SQLite -----------------------------------------------------------------------------------------------------------

QUERIES = (
    "SELECT * FROM team ORDER BY id",
    "SELECT nick, team, boss, flag, CAST(day AS TEXT), CAST(at AS TEXT), CAST(facts AS TEXT), CAST(key AS TEXT), "
    "share, data FROM player ORDER BY nick",
    "SELECT nick, CAST(price AS REAL) FROM strong ORDER BY nick",
    "SELECT *, typeof(a), typeof(b) FROM loose ORDER BY _rowid_",
    "SELECT _rowid_ FROM loose",
    "SELECT player, minute, twice FROM goal ORDER BY 1, 2",
    "SELECT name, seq FROM sqlite_sequence",
    "SELECT count(*), sum(flag), max(share), min(length(nick)) FROM player WHERE price > 1 AND flag IS NOT NULL",
    "SELECT nick, facts ->> '$.a' FROM player WHERE json_valid(facts) ORDER BY 1",
    "PRAGMA user_version",
)


def test_a_sqlite_file_is_the_same_database(db: discosql.Connection, tmp_path: Path) -> None:
    done = db.export(tmp_path / "all.sqlite")
    assert (done.rows, done.warnings) == ({"Team": 2, "player": 3, "goal": 2, "loose": 2}, [])
    assert [path.name for path in tmp_path.iterdir()] == ["all.sqlite"]
    with closing(sqlite3.connect(tmp_path / "all.sqlite", isolation_level=None)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert copy.execute("PRAGMA foreign_key_check").fetchall() == []
        for query in QUERIES:
            assert copy.execute(query).fetchall() == db.execute(query).fetchall(), query
        strict = copy.execute("SELECT name FROM pragma_table_list WHERE strict").fetchall()
        assert sorted(strict) == [("Team",), ("goal",)]
        with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT value in INT column"):
            copy.execute("INSERT INTO goal VALUES ('Ada', 'late')")
        for each in (copy, db):
            each.execute("PRAGMA foreign_keys = ON")
            each.execute("INSERT INTO team (name) VALUES ('new')")
            each.execute("INSERT INTO goal VALUES ('Bob', 1)")
            with pytest.raises(Exception, match="CHECK constraint failed"):
                each.execute("UPDATE player SET price = -1")
            each.execute("DELETE FROM team WHERE id = 1")
        for query in QUERIES:
            assert copy.execute(query).fetchall() == db.execute(query).fetchall(), query
        types = dict(copy.execute("SELECT name, type FROM pragma_table_info('player')"))
        assert (types["price"], types["at"], types["facts"]) == ("DECIMAL(10, 2)", "TIMESTAMP", "JSON")


def test_a_sqlite_file_comes_back(db: discosql.Connection, tmp_path: Path) -> None:
    db.export(tmp_path / "all.sqlite")
    with discosql.connect(":memory:", isolation_level=None) as back:
        assert back.import_file(tmp_path / "all.sqlite").warnings == []
        for query in (*QUERIES, "SELECT * FROM player ORDER BY nick", "SELECT *, rowid FROM loose ORDER BY _rowid_"):
            assert back.execute(query).fetchall() == db.execute(query).fetchall(), query
        schema = "SELECT name, type, \"notnull\", pk FROM pragma_table_info('player')"
        assert back.execute(schema).fetchall() == db.execute(schema).fetchall()
    back.close()


def test_what_sqlite_cannot_hold_is_told(db: discosql.Connection, tmp_path: Path) -> None:
    db.executescript(
        "CREATE VIEW past AS SELECT * FROM team FOR SYSTEM_TIME AS OF 1; CREATE VIEW on_past AS SELECT * FROM past;"
        "CREATE TABLE exact (d DECIMAL); INSERT INTO exact VALUES ('1.123456789012345678'), ('0.1'), ('1e30');"
        "PRAGMA foreign_keys = OFF; INSERT INTO player (nick, team) VALUES ('Di', 99);"
    )
    warnings = list(db.export(tmp_path / "all.db").warnings)
    assert warnings[0] == "table exact: 1 DECIMAL values have more digits than a number of SQLite holds"
    assert warnings[1].startswith("view past is left out: ")
    assert warnings[2].startswith("view on_past is left out: ")
    assert warnings[3:] == ["table player: 1 rows have no parent in table team"]
    with closing(sqlite3.connect(tmp_path / "all.db")) as copy:
        assert copy.execute("SELECT d FROM exact").fetchall() == [(1.1234567890123457,), (0.1,), (1e30,)]
        assert copy.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall() == [("strong",)]


def test_some_tables_a_query_and_more_of_them(db: discosql.Connection, tmp_path: Path) -> None:
    path = tmp_path / "some.sqlite3"
    assert db.export(path, "team").rows == {"Team": 2}
    with pytest.raises(discosql.OperationalError, match="exists already"):
        db.export(path, "goal")
    db.export(path, "goal", if_exists="append")
    db.export(path, query="SELECT nick, price, price * 2 AS twice FROM player", name="prices", if_exists="append")
    with pytest.raises(discosql.IntegrityError, match=r"UNIQUE constraint failed: Team\.id"):
        db.export(path, ["loose", "team"], if_exists="append")
    db.execute("UPDATE goal SET minute = minute + 100")
    db.export(path, ["loose", "goal"], if_exists="append")
    with closing(sqlite3.connect(path)) as copy:
        names = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid").fetchall()
        assert [name for (name,) in names] == ["Team", "sqlite_sequence", "goal", "prices", "loose"]
        assert copy.execute("SELECT minute FROM goal ORDER BY 1").fetchall() == [(3,), (90,), (103,), (190,)]
        assert copy.execute("SELECT * FROM prices WHERE nick = 'Bob'").fetchall() == [("Bob", 1.1, 2.2)]
    db.export(path, "team", if_exists="replace")
    with closing(sqlite3.connect(path)) as copy:
        assert copy.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone() == (2,)
    with pytest.raises(discosql.ProgrammingError, match="column nick is there twice"):
        db.export(path, query="SELECT nick, nick FROM player", if_exists="replace")


def test_an_interrupted_export_leaves_the_old_file(db: discosql.Connection, tmp_path: Path) -> None:
    def interrupt(_stage: str, _done: int, _total: int) -> None:
        raise KeyboardInterrupt

    for name in ("a.sqlite", "a.duckdb"):
        db.export(tmp_path / name, "goal")
        before = (tmp_path / name).read_bytes()
        for mode in ("replace", "append"):
            with pytest.raises(KeyboardInterrupt):
                db.export(tmp_path / name, "loose", if_exists=mode, progress=interrupt)
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as copy:
        assert copy.execute("SELECT name FROM sqlite_master").fetchall() == [("goal",)]
    with duckdb.connect(str(tmp_path / "a.duckdb")) as copy:
        assert copy.execute("SHOW TABLES").fetchall() == [("goal",)]
    assert before and sorted(path.name for path in tmp_path.iterdir()) == ["a.duckdb", "a.sqlite"]


@pytest.mark.parametrize("name", ["a.sqlite", "a.duckdb"])
def test_files_that_cannot_be_written(db: discosql.Connection, tmp_path: Path, name: str) -> None:
    with pytest.raises(discosql.OperationalError, match=f"cannot write .*{name}: No such file or directory"):
        db.export(tmp_path / "none" / name)
    assert db.export(tmp_path / f"twice.{name}", ["goal", "Goal"]).rows == {"goal": 2}
    (tmp_path / name).write_bytes(b"something else" * 1000)
    with pytest.raises(discosql.OperationalError, match=f"cannot write .*{name}"):
        db.export(tmp_path / name, if_exists="append")


def test_no_export_writes_over_a_database_of_discosql(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "shop.db")
    assert main([path, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)"]) == 0
    for options in (["--force"], ["--if-exists", "append"], ["--format", "csv", "--force"]):
        assert main(["export", path, path, *options]) == 1
        assert "shop.db is a database of discosql" in capsys.readouterr().err
    assert main([path, "SELECT * FROM t"]) == 0


VALUES = st.tuples(
    st.integers(MIN_INTEGER, MAX_INTEGER) | st.none(),
    st.floats(allow_nan=False) | st.none(),
    st.text(st.characters(codec="utf-8")) | st.none(),
    st.binary() | st.none(),
    st.none() | st.integers(MIN_INTEGER, MAX_INTEGER) | st.floats(allow_nan=False) | st.text("a1.e") | st.binary(),
)


@settings(max_examples=40)
@given(rows=st.lists(VALUES, max_size=6))
def test_sqlite_has_the_same_values(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]) -> None:
    path = tmp_path_factory.mktemp("values") / "a.sqlite"
    with discosql.connect(":memory:") as db:
        for name, more in (("strict", ""), ("loose", ", d DECIMAL")):
            db.execute(f"CREATE TABLE {name} (n INTEGER, r REAL, t TEXT, b BLOB, x ANY{more})")
            db.executemany(f"INSERT INTO {name} (n, r, t, b, x) VALUES (?, ?, ?, ?, ?)", rows)
        db.commit()
        db.export(path)
        with closing(sqlite3.connect(path)) as copy:
            for name in ("strict", "loose"):
                query = f"SELECT n, r, t, b, x, typeof(x) FROM {name} ORDER BY rowid"
                assert copy.execute(query).fetchall() == db.execute(query).fetchall()
    db.close()


# DuckDB -----------------------------------------------------------------------------------------------------------


def test_a_duckdb_file_has_types_and_keys(db: discosql.Connection, tmp_path: Path) -> None:
    done = db.export(tmp_path / "all.duckdb")
    assert done.rows == {"Team": 2, "player": 3, "goal": 2, "loose": 2}
    assert list(done.warnings) == [
        "column Team.x is written as text: it has values of several types",
        "table player: indexes that are not unique are left out: by_day",
        "table player: the foreign key to team has no actions there",
        "table player: the foreign key to player is left out: it refers to its own table, to one that comes later or "
        "to one that is not exported",
        "column loose.a is written as text: it has values of several types",
        "views are left out: strong",
        "triggers are left out: scored",
        "table player: 1 CHECK constraints are left out",
        "table player: indexes over expressions or of some rows are left out: by_length",
        "table goal: generated columns are columns like others there: twice",
    ]
    with duckdb.connect(str(tmp_path / "all.duckdb")) as copy:
        types = dict(copy.execute("SELECT name, type FROM pragma_table_info('player')").fetchall())
        assert types == {
            "nick": "VARCHAR",
            "team": "BIGINT",
            "boss": "VARCHAR",
            "price": "DECIMAL(10,2)",
            "flag": "BOOLEAN",
            "day": "DATE",
            "at": "TIMESTAMP WITH TIME ZONE",
            "facts": "JSON",
            "key": "UUID",
            "share": "DOUBLE",
            "data": "BLOB",
        }
        got = copy.execute('SELECT * REPLACE (CAST("at" AS VARCHAR) AS "at") FROM player ORDER BY nick').fetchall()
        read = [(*row[:6], row[6], row[7] and json.loads(row[7]), *row[8:]) for row in got]
        moment = "2024-01-01 10:00:00.000005+00"
        assert read == [(*row[:6], row[6] and moment, *row[7:]) for row in sorted(PLAYERS)]
        assert copy.execute("SELECT * FROM team ORDER BY id").fetchall() == [(1, "red", "1"), (2, "blue", "1")]
        assert copy.execute("SELECT * FROM goal ORDER BY 2").fetchall() == [("Ada", 3, 6), ("Ada", 90, 180)]
        for change, said in (
            ("INSERT INTO goal VALUES ('Ada', 3, 6)", "Duplicate key"),
            ("INSERT INTO team VALUES (3, NULL, NULL)", "NOT NULL"),
            ("INSERT INTO team VALUES (3, 'red', NULL)", "Duplicate key"),
            ("INSERT INTO player (nick, team) VALUES ('Di', 9)", "foreign key"),
        ):
            with pytest.raises(duckdb.ConstraintException, match=said):
                copy.execute(change)
        copy.execute("INSERT INTO player (nick) VALUES ('Di')")
        assert copy.execute("SELECT price, flag FROM player WHERE nick = 'Di'").fetchall() == [(Decimal("1.50"), True)]


def test_duckdb_takes_more_and_refuses_what_is_wrong(db: discosql.Connection, tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    db.export(path, query="SELECT 1 AS one, 2.5 AS r, 'x' AS t, NULL AS n", name="q")
    db.export(path, query="SELECT 2 AS one, 3.5 AS r, 'y' AS t, NULL AS n", name="q", if_exists="append")
    db.execute("CREATE TABLE n (k TEXT PRIMARY KEY, d DECIMAL)")
    db.execute("INSERT INTO n VALUES (NULL, ?), ('a', 1)", ("1" * 30 + "." + "2" * 30,))
    done = db.export(path, "n", if_exists="append")
    assert list(done.warnings) == [
        "column n.d is written as text: its numbers take 60 digits",
        "table n: the primary key holds NULL, and is only UNIQUE there",
    ]
    with pytest.raises(discosql.IntegrityError, match=r"a\.duckdb: .*Duplicate key"):
        db.export(path, "n", if_exists="append")
    with duckdb.connect(str(path)) as copy:
        assert copy.execute("SELECT * FROM q ORDER BY one").fetchall() == [(1, 2.5, "x", None), (2, 3.5, "y", None)]
        assert copy.execute("SELECT d FROM n").fetchall() == [("1" * 30 + "." + "2" * 30,), ("1",)]


async def test_from_discord(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SteppedClock()
    monkeypatch.setattr("discosql.storage.discord.Clock", lambda: clock)
    monkeypatch.setenv("DISCOSQL_TOKEN", TOKEN)
    place = "discord://My Server"
    async with LoopbackDiscord(clock).running() as running:
        running.backend.create_guild("My Server")
        for command in (
            [place, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)", "INSERT INTO t VALUES (1, 'x'), (2, NULL)"],
            ["export", place, str(tmp_path / "t.jsonl"), "--table", "t"],
            ["export", place, str(tmp_path / "all.sqlite")],
        ):
            assert await asyncio.to_thread(main, command) == 0
    assert (tmp_path / "t.jsonl").read_text() == '{"a": 1, "b": "x"}\n{"a": 2, "b": null}\n'
    with closing(sqlite3.connect(tmp_path / "all.sqlite")) as copy:
        assert copy.execute("SELECT * FROM t").fetchall() == [(1, "x"), (2, None)]


# Servers ----------------------------------------------------------------------------------------------------------


def test_sqlite_through_sqlalchemy(db: discosql.Connection, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/all.db"
    done = db.export(url)
    assert (done.target, done.rows) == (url, {"Team": 2, "player": 3, "goal": 2, "loose": 2})
    with closing(sqlite3.connect(tmp_path / "all.db")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert copy.execute("PRAGMA foreign_key_check").fetchall() == []
        query = "SELECT nick, team, boss, price, flag, day, share, data FROM player ORDER BY nick"
        expected = [
            (*row[:3], row[3] and float(row[3]), row[4], row[5] and str(row[5]), *row[9:]) for row in sorted(PLAYERS)
        ]
        assert copy.execute(query).fetchall() == expected
        keys = copy.execute(
            'SELECT "table", "from", "to", on_delete FROM pragma_foreign_key_list(\'player\')'
        ).fetchall()
        assert sorted(keys) == [("Team", "team", "id", "CASCADE"), ("player", "boss", "nick", "NO ACTION")]
        indexes = copy.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        assert sorted(indexes) == [("by_day",), ("by_key",)]
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            copy.execute("UPDATE player SET price = -1")
    with pytest.raises(discosql.OperationalError, match="has a table Team already"):
        db.export(url)
    assert db.export(url, "goal", if_exists="replace").rows == {"goal": 2}
    with pytest.raises(discosql.IntegrityError, match="table goal: UNIQUE constraint failed"):
        db.export(url, ["loose", "goal"], if_exists="append")
    with closing(sqlite3.connect(tmp_path / "all.db")) as copy:
        assert copy.execute("SELECT count(*) FROM loose").fetchone() == (2,), "nothing was added by what failed"


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture
def server(postgres: str) -> Iterator[tuple[str, sqlalchemy.Connection]]:
    """The URL of an empty schema, and a connection to it."""
    engine = sqlalchemy.create_engine(postgres, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("DROP SCHEMA public CASCADE"))
        connection.execute(sqlalchemy.text("CREATE SCHEMA public"))
        yield postgres, connection
    engine.dispose()


def test_postgresql(db: discosql.Connection, server: tuple[str, sqlalchemy.Connection]) -> None:
    url, connection = server

    def ask(sql: str) -> list[tuple[Any, ...]]:
        result = connection.execute(sqlalchemy.text(sql))
        return [tuple(row) for row in result] if result.returns_rows else []

    done = db.export(url)
    assert done.rows == {"Team": 2, "player": 3, "goal": 2, "loose": 2}
    assert PASSWORD not in done.target and "sec" not in done.target
    assert list(done.warnings) == [
        "column Team.x is written as text: it has values of several types",
        "column loose.a is written as text: it has values of several types",
        "views are left out: strong",
        "triggers are left out: scored",
        "table player: indexes over expressions or of some rows are left out: by_length",
        "table goal: generated columns are columns like others there: twice",
    ]
    assert ask("SELECT * FROM player ORDER BY nick") == sorted(PLAYERS)
    assert ask("SELECT minute FROM goal ORDER BY 1") == [(3,), (90,)]
    assert ask("INSERT INTO \"Team\" (x) VALUES ('y') RETURNING id, name") == [(4, "it's")], "3 was used"
    defined = {text for (text,) in ask("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid > 16000")}
    assert {
        "PRIMARY KEY (player, minute)",
        "UNIQUE (name)",
        'FOREIGN KEY (team) REFERENCES "Team"(id) ON DELETE CASCADE',
        "FOREIGN KEY (boss) REFERENCES player(nick)",
        "CHECK ((price > (0)::numeric))",
    } <= defined
    indexes = {name for (name,) in ask("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")}
    assert {"by_day", "by_key"} <= indexes
    assert db.export(url, if_exists="replace").rows == done.rows
    assert ask('SELECT count(*) FROM "Team"') == [(2,)]


def test_what_postgresql_refuses_leaves_nothing(
    db: discosql.Connection,
    server: tuple[str, sqlalchemy.Connection],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    url, connection = server
    tables = sqlalchemy.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    db.execute("INSERT INTO loose (c) VALUES ('a' || char(0))")
    with pytest.raises(discosql.DataError, match="table loose: PostgreSQL text fields cannot contain NUL"):
        db.export(url)
    assert connection.execute(tables).fetchall() == []
    db.execute("DELETE FROM loose")
    db.execute("CREATE TABLE checked (a INTEGER CHECK (typeof(a) = 'integer'))")
    done = db.export(url, "checked")
    assert len(done.warnings) == 1 and done.warnings[0].startswith(
        "table checked: left out: ALTER TABLE checked ADD CHECK"
    )
    assert connection.execute(tables).fetchall() == [("checked",)]
    main([str(tmp_path / "a.disco"), "CREATE TABLE t (a)"])
    for wrong in (url.replace("sec", "wrong"), f"{url}&x".replace("/postgres&x", "/none?sslpassword=sec")):
        assert main(["export", str(tmp_path / "a.disco"), wrong]) == 1
        said = capsys.readouterr().err
        assert "cannot write postgresql+psycopg://tester:***@127.0.0.1" in said and "sec" not in said, said
        assert "wrong" not in said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nothing://host/db", "SQLAlchemy knows no database nothing"),
        ("postgresql+asyncpg_://u:p@h/d", "SQLAlchemy knows no database"),
        ("://", "no URL"),
        ("mssql+pymssql://u:secret@h/d", r"mssql\+pymssql://u:\*\*\*@h/d needs pymssql: pip install pymssql"),
    ],
)
def test_urls_that_lead_nowhere(db: discosql.Connection, url: str, said: str) -> None:
    with pytest.raises((discosql.NotSupportedError, discosql.ProgrammingError), match=said):
        db.export(url)


@pytest.mark.parametrize(
    ("library", "target", "extra"),
    [
        ("pyarrow", "a.parquet", "arrow"),
        ("pyarrow", "a.duckdb", "duckdb"),
        ("duckdb", "a.duckdb", "duckdb"),
        ("sqlalchemy", "sqlite:///a.db", "sqlalchemy"),
    ],
)
def test_a_missing_library_names_the_extra(
    db: discosql.Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: str, target: str, extra: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(discosql.NotSupportedError, match=rf"needs {library}: pip install 'discosql\[{extra}\]'"):
        db.export(target, "goal")
    assert list(tmp_path.iterdir()) == []
