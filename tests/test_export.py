"""Exporting to files of rows: what is written, that it comes back as it was, and that nothing half done is left."""

import asyncio
import csv
import datetime
import io
import json
import math
import os
import random
import threading
import tracemalloc
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import discosql
from discosql.cli.main import main
from discosql.types import MAX_INTEGER, MIN_INTEGER

TYPED = (
    "CREATE TABLE thing (n INTEGER, share REAL, name TEXT, data BLOB, flag BOOLEAN, day DATE, at TIMESTAMP, "
    "price DECIMAL, facts JSON, key UUID)"
)
ROW = (
    MAX_INTEGER,
    0.1 + 0.2,
    'é, "x"\r\n=1+1\t\\',
    b"\x00\xff",
    True,
    datetime.date(2024, 2, 29),
    datetime.datetime(2024, 1, 1, 10, 0, 0, 5, tzinfo=datetime.UTC),
    Decimal("1.10"),
    {"a": [1, None, "\n"]},
    uuid.UUID("c4644cbe-5b69-4f1b-b484-b80b081e2cc1"),
)


@pytest.fixture
def db() -> Iterator[discosql.Connection]:
    connection = discosql.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def fill(db: discosql.Connection, rows: list[tuple[Any, ...]]) -> None:
    db.execute(TYPED)
    db.executemany("INSERT INTO thing VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def test_values_are_written_without_loss(db: discosql.Connection, tmp_path: Path) -> None:
    fill(db, [ROW, (None,) * 10, (MIN_INTEGER, -math.inf, "", b"", False, None, None, Decimal("1E+3"), [], None)])
    texts = {}
    for ending in ("csv", "tsv", "jsonl", "json"):
        done = db.export(tmp_path / f"t.{ending}", "thing")
        assert (done.rows, done.warnings) == ({"thing": 3}, [])
        texts[ending] = (tmp_path / f"t.{ending}").read_bytes().decode()
    assert texts["csv"] == (
        "n,share,name,data,flag,day,at,price,facts,key\n"
        '9223372036854775807,0.30000000000000004,"é, ""x""\r\n=1+1\t\\",'
        "x'00ff',true,2024-02-29,2024-01-01 10:00:00.000005+00:00,1.10,"
        '"{""a"":[1,null,""\\n""]}",c4644cbe-5b69-4f1b-b484-b80b081e2cc1\n'
        ",,,,,,,,,\n"
        "-9223372036854775808,-9e999,\"\",x'',false,,,1E+3,[],\n"
    )
    assert texts["tsv"].splitlines()[1].split("\t")[2:4] == ['é, "x"\\r\\n=1+1\\t\\\\', "x'00ff'"]
    first, second, third = map(json.loads, texts["jsonl"].splitlines())
    assert (first["n"], first["facts"], first["price"], first["data"]) == (MAX_INTEGER, ROW[8], "1.10", "00ff")
    assert set(second.values()) == {None}
    assert (third["share"], third["flag"], third["name"], third["facts"]) == (-math.inf, False, "", [])
    assert json.loads(texts["json"]) == [first, second, third]


VALUES = st.tuples(
    st.none() | st.integers(MIN_INTEGER, MAX_INTEGER),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.text(st.characters(codec="utf-8")),
    st.none() | st.binary(),
    st.none() | st.booleans(),
    st.none() | st.dates(),
    st.none() | st.datetimes(timezones=st.none() | st.just(datetime.UTC)),
    st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    st.none() | st.lists(st.integers() | st.text() | st.booleans() | st.none()) | st.dictionaries(st.text(), st.text()),
    st.none() | st.uuids(),
)


@settings(max_examples=40)
@given(rows=st.lists(VALUES, min_size=1, max_size=8), ending=st.sampled_from(["csv", "tsv", "json", "jsonl"]))
def test_files_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]], ending: str
) -> None:
    path = tmp_path_factory.mktemp("round") / f"thing.{ending}"
    with discosql.connect(":memory:", isolation_level=None) as db, discosql.connect(":memory:") as other:
        fill(db, rows)
        db.export(path)
        other.execute(TYPED)
        other.import_file(path)
        query = "SELECT *, CAST(price AS TEXT), CAST(at AS TEXT), typeof(share) FROM thing ORDER BY rowid"
        assert other.execute(query).fetchall() == db.execute(query).fetchall()
    db.close()
    other.close()


@settings(max_examples=40)
@given(rows=st.lists(VALUES, max_size=8), ending=st.sampled_from(["parquet", "arrow"]), zone=st.booleans())
def test_parquet_and_arrow_have_the_types(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]], ending: str, zone: bool
) -> None:
    """The table is made anew from the file; DECIMALs come with the scale of their column, and beyond it as text."""
    path = tmp_path_factory.mktemp("round") / f"thing.{ending}"
    moments = [row[6] and row[6].replace(tzinfo=datetime.UTC if zone else None) for row in rows]
    with discosql.connect(":memory:", isolation_level=None) as db:
        fill(db, [(*row[:6], moment, *row[7:]) for row, moment in zip(rows, moments, strict=True)])
        done = db.export(path, batch=3)
        db.import_file(path, "back")
        kinds = dict(db.execute("SELECT name, type FROM pragma_table_info('back')").fetchall())
        expected = ["INTEGER", "REAL", "TEXT", "BLOB", "BOOLEAN", "DATE", "TIMESTAMP", "DECIMAL", "JSON", "UUID"]
        if done.warnings:
            assert "column thing.price is written as text: its numbers take" in done.warnings[0]
            expected[7] = "TEXT"
        assert list(kinds.values()) == expected
        query = "SELECT *, typeof(share) FROM {}, (SELECT 1) ORDER BY {}.rowid"
        back = db.execute(query.format("back", "back")).fetchall()
        original = db.execute(query.format("thing", "thing")).fetchall()
        assert [(*row[:7], row[7] and Decimal(row[7]), *row[8:]) for row in back] == original
    db.close()


def test_types_are_found_again(db: discosql.Connection, tmp_path: Path) -> None:
    """Without a table to import into, each format brings back the types that it can tell."""
    fill(db, [ROW, (1, 2.0, "x", b"a", False, *ROW[5:])])
    expected = {
        "csv": ["TEXT", "REAL", "TEXT", "TEXT", "BOOLEAN", "DATE", "TIMESTAMP", "REAL", "TEXT", "TEXT"],
        "jsonl": ["INTEGER", "REAL", "TEXT", "TEXT", "BOOLEAN", "TEXT", "TEXT", "TEXT", "JSON", "TEXT"],
    }
    for ending, kinds in expected.items():
        db.export(tmp_path / f"thing.{ending}", "thing")
        db.import_file(tmp_path / f"thing.{ending}", ending)
        found = [kind for (kind,) in db.execute("SELECT type FROM pragma_table_info(?)", (ending,))]
        assert found == kinds, ending


def test_csv_tells_null_from_empty_text(db: discosql.Connection, tmp_path: Path) -> None:
    db.executescript("CREATE TABLE t (a TEXT, b TEXT); INSERT INTO t VALUES ('', NULL), (NULL, '')")
    db.export(tmp_path / "t.csv", "t")
    assert (tmp_path / "t.csv").read_text() == 'a,b\n"",\n,""\n'
    db.export(tmp_path / "one.csv", query="SELECT a FROM t")
    assert (tmp_path / "one.csv").read_text() == 'a\n""\n\n'
    db.export(tmp_path / "t.tsv", "t")
    assert (tmp_path / "t.tsv").read_text() == "a\tb\n\t\\N\n\\N\t\n"


def test_long_values_come_back(db: discosql.Connection, tmp_path: Path) -> None:
    db.execute("CREATE TABLE t (a TEXT, b TEXT)")
    db.execute("INSERT INTO t VALUES (?, 'x,y')", ("z" * 200_000 + "\n",))
    for ending in ("csv", "tsv"):
        db.export(tmp_path / f"t.{ending}", "t")
        db.import_file(tmp_path / f"t.{ending}", ending)
        assert db.execute(f"SELECT * FROM {ending}").fetchall() == db.execute("SELECT * FROM t").fetchall()
    assert csv.field_size_limit() == 131_072, "other parts of the process have what they had"


def test_markdown_html_and_tables(db: discosql.Connection, tmp_path: Path) -> None:
    query = "SELECT 'a|b\nc' AS \"x|y\", NULL AS n, '<b>' AS html"
    for ending in ("md", "html", "txt"):
        db.export(tmp_path / f"q.{ending}", query=query)
    assert (tmp_path / "q.md").read_text() == "| x\\|y | n | html |\n| --- | --- | --- |\n| a\\|b\\nc | NULL | <b> |\n"
    assert "<td>a|b\nc</td><td>NULL</td><td>&lt;b&gt;</td>" in (tmp_path / "q.html").read_text()
    assert (tmp_path / "q.txt").read_text().splitlines()[2].split() == ["a|b\\nc", "NULL", "<b>"]


def test_json_of_any_kind_stays_json(db: discosql.Connection, tmp_path: Path) -> None:
    db.execute("CREATE TABLE t (j JSON)")
    for text in ('{"a":\n1, "a": 1.10}', "123456789012345678901234567890", "null", '"x"', "[9e999]"):
        db.execute("INSERT INTO t VALUES (?)", (text,))
    db.export(tmp_path / "t.jsonl", "t")
    lines = (tmp_path / "t.jsonl").read_text().splitlines()
    assert lines == [
        '{"j": {"a": 1, "a": 1.10}}',
        '{"j": 123456789012345678901234567890}',
        '{"j": null}',
        '{"j": "x"}',
        '{"j": [9e999]}',
    ]
    db.execute("DELETE FROM t WHERE j LIKE '%999%'")
    db.execute("INSERT INTO t VALUES ('[9e999, -9e999, \"Infinity\"]')")
    db.execute("DELETE FROM t WHERE j NOT LIKE '%999%'")
    for ending in ("jsonl", "csv"):
        db.export(tmp_path / f"u.{ending}", "t", if_exists="replace")
        db.execute("CREATE TABLE IF NOT EXISTS u (j JSON)")
        db.import_file(tmp_path / f"u.{ending}")
    assert db.execute("SELECT j FROM u").fetchall() == [([math.inf, -math.inf, "Infinity"],)] * 2


def test_tables_views_and_what_is_not_there(db: discosql.Connection, tmp_path: Path) -> None:
    db.executescript(
        "CREATE TABLE t (a INTEGER PRIMARY KEY, twice INT AS (a * 2)); INSERT INTO t VALUES (2), (1);"
        "CREATE VIEW v AS SELECT a + 1 AS b FROM t; CREATE TEMP TABLE x AS SELECT 7 AS seven"
    )
    for name, text in (("T", "a,twice\n1,2\n2,4\n"), ("v", "b\n2\n3\n"), ("x", "seven\n7\n")):
        db.export(tmp_path / f"{name}.csv", name)
        assert (tmp_path / f"{name}.csv").read_text() == text
    with pytest.raises(discosql.UnknownNameError, match="no such table: none"):
        db.export(tmp_path / "none.csv", "none")
    with pytest.raises(discosql.ProgrammingError, match="only a table or a query"):
        db.export(tmp_path / "none.csv", query="DELETE FROM t")
    with pytest.raises(discosql.ProgrammingError, match="column A is there twice"):
        db.export(tmp_path / "none.json", query="SELECT a, a AS A FROM t")
    assert not (tmp_path / "none.csv").exists() and not (tmp_path / "none.json").exists()
    assert db.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_folders(db: discosql.Connection, tmp_path: Path) -> None:
    db.executescript('CREATE TABLE t (a); CREATE TABLE "../u" (b); INSERT INTO t VALUES (1)')
    done = db.export(tmp_path / "out", format="jsonl")
    assert done.rows == {"t": 1, "../u": 0}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["_.._u.jsonl", "t.jsonl"]
    with pytest.raises(discosql.OperationalError, match=r"t\.jsonl exists already"):
        db.export(tmp_path / "out", "t", format="jsonl")
    (tmp_path / "out" / "other").touch()
    db.execute("INSERT INTO t VALUES (2)")
    db.export(tmp_path / "out", format="jsonl", if_exists="replace")
    assert (tmp_path / "out" / "t.jsonl").read_text() == '{"a": 1}\n{"a": 2}\n'
    assert (tmp_path / "out" / "other").exists()
    with pytest.raises(discosql.ProgrammingError, match="is a folder: name a format"):
        db.export(f"{tmp_path}/more/")
    with pytest.raises(discosql.ProgrammingError, match="rows of a query go to a file"):
        db.export(f"{tmp_path}/more/", query="SELECT 1", format="csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("t.xls", {}, r"cannot tell a format from t\.xls; the endings known are \.csv \.tsv"),
        ("t.csv", {"format": "xls"}, "unknown format xls; there are csv, tsv"),
        ("t.csv", {}, "one file holds one table, not 2"),
        ("t.csv", {"table": "t", "query": "SELECT 1"}, "either tables or a query"),
        ("t.csv", {"table": "t", "if_exists": "append"}, "cannot append to files of rows"),
        ("t.csv", {"table": "t", "if_exists": "merge"}, "if_exists is one of fail, append, replace"),
        ("t.csv", {"table": "t", "batch": 0}, "at least one row"),
        ("none/t.csv", {"table": "t"}, r"cannot write .*t\.csv: No such file or directory"),
        ("-", {"table": "t"}, "standard output takes --format csv|tsv"),
    ],
)
def test_what_cannot_be(
    db: discosql.Connection, tmp_path: Path, target: str, options: dict[str, Any], said: str
) -> None:
    db.executescript("CREATE TABLE t (a); CREATE TABLE u (a)")
    with pytest.raises((discosql.ProgrammingError, discosql.OperationalError), match=said):
        db.export(target if target == "-" else tmp_path / target, **options)
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_there_are_kept_unless_asked(db: discosql.Connection, tmp_path: Path) -> None:
    db.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    path = tmp_path / "t.csv"
    path.write_text("mine")
    with pytest.raises(discosql.OperationalError, match=r"t\.csv exists already; --if-exists replace"):
        db.export(path, "t")
    assert path.read_text() == "mine"
    db.export(path, "t", if_exists="replace")
    assert path.read_text() == "a\n1\n"


def test_an_export_that_is_interrupted_leaves_no_file(db: discosql.Connection, tmp_path: Path) -> None:
    db.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    path = tmp_path / "t.csv"
    path.write_text("mine")

    def interrupt(_stage: str, _done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        db.export(path, "t", if_exists="replace", progress=interrupt)
    with pytest.raises(KeyboardInterrupt):
        db.export(tmp_path / "out", format="csv", progress=interrupt)
    assert path.read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["t.csv"]


def test_all_rows_are_of_one_moment(tmp_path: Path) -> None:
    """What others commit meanwhile is not there, in no table and no view."""
    with discosql.connect(tmp_path / "a.disco", isolation_level=None) as db:
        db.executescript(
            "CREATE TABLE a (x); CREATE TABLE b (x); CREATE VIEW v AS SELECT count(*) AS n FROM b;"
            "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)"
        )
        other = discosql.connect(tmp_path / "a.disco", isolation_level=None)

        def meanwhile(_stage: str, _done: int, _total: int) -> None:
            other.execute("INSERT INTO b VALUES (2)")

        done = db.export(tmp_path / "out", ["a", "b", "v"], format="csv", progress=meanwhile)
        other.close()
        assert done.rows == {"a": 1, "b": 1, "v": 1}
        assert (tmp_path / "out" / "v.csv").read_text() == "n\n1\n"
        assert db.execute("SELECT count(*) FROM b").fetchone() == (4,)
    db.close()


def test_an_open_transaction_is_seen(db: discosql.Connection, tmp_path: Path) -> None:
    db.execute("CREATE TABLE t (a)")
    db.execute("BEGIN")
    db.execute("INSERT INTO t VALUES (1)")
    for number, what in enumerate(({"table": "t"}, {"query": "SELECT a FROM t"})):
        assert db.export(tmp_path / f"{number}.csv", **what).rows in ({"t": 1}, {"query": 1})
    db.execute("ROLLBACK")
    assert db.export(tmp_path / "after.csv", "t").rows == {"t": 0}


def test_tables_are_not_held_in_memory(tmp_path: Path) -> None:
    """Pages are read some at a time: ten at most, and about eight megabytes of text."""
    with discosql.connect(tmp_path / "a.disco", isolation_level=None, cache_size=2**20) as db:
        db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
        for start in range(0, 400, 100):
            rows = [(n, random.Random(n).randbytes(40_000).hex()) for n in range(start, start + 100)]
            db.executemany("INSERT INTO t VALUES (?, ?)", rows)
    db.close()
    with discosql.connect(tmp_path / "a.disco", cache_size=2**20) as db:
        db.export(tmp_path / "warm.csv", query="SELECT 1")
        tracemalloc.start()
        try:
            db.export(tmp_path / "t.csv", "t")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    db.close()
    assert peak < os.path.getsize(tmp_path / "t.csv") > 32_000_000, peak


async def test_an_asynchronous_export_that_is_cancelled_leaves_no_file(tmp_path: Path) -> None:
    reached = threading.Event()
    others = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait(_stage: str, _done: int, _total: int) -> None:
        loop.call_soon_threadsafe(others.set)
        reached.wait(10)

    async with discosql.aio.connect(":memory:") as db:
        await db.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1); CREATE TABLE t2 AS SELECT * FROM t")
        task = asyncio.create_task(db.export(tmp_path / "out", ["t", "t2"], format="csv", progress=wait))
        await others.wait()
        assert [path.name.split(".")[-1] for path in tmp_path.iterdir()] == ["part"]
        task.cancel()
        await asyncio.sleep(0)
        reached.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert list(tmp_path.iterdir()) == []
        assert (await db.export(tmp_path / "t.csv", "t")).rows == {"t": 1}


async def test_asynchronous_connections(tmp_path: Path) -> None:
    async with discosql.aio.connect(":memory:") as db:
        await db.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)")
        assert (await db.export(tmp_path / "t.csv", "t")).rows == {"t": 2}
        await db.export(tmp_path / "q.jsonl", query="SELECT max(a) AS a FROM t")
        await db.execute("INSERT INTO t VALUES (3)")
        assert (await db.export(tmp_path / "u.csv", "t")).rows == {"t": 3}
    assert (tmp_path / "q.jsonl").read_text() == '{"a": 2}\n'


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["a.disco", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (2)"]) == 0
    capsys.readouterr()
    assert main(["export", "a.disco", "-", "--format", "csv", "--query", "SELECT a, a * 2 AS b FROM t"]) == 0
    assert capsys.readouterr() == ("a,b\n1,2\n2,4\n", "2 rows written\n")
    assert main(["export", "a.disco", "t.csv", "--table", "t"]) == 0
    assert capsys.readouterr().err == "2 rows written to t.csv\n"
    assert main(["export", "a.disco", "t.csv", "--table", "t"]) == 1
    assert "t.csv exists already" in capsys.readouterr().err
    assert main(["export", "a.disco", "t.csv", "--table", "t", "--force", "--as-of", "1"]) == 0
    assert (tmp_path / "t.csv").read_text() == "a\n"
    assert main(["export", "none.disco", "t.csv", "--table", "t", "--force"]) == 1
    assert not (tmp_path / "none.disco").exists()
    assert main(["export", "a.disco", "out/", "--format", "tsv"]) == 0
    assert list(csv.reader(io.StringIO((tmp_path / "out" / "t.tsv").read_text()))) == [["a"], ["1"], ["2"]]
