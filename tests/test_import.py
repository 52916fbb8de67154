"""Importing files: types, keys, errors with their line, and going on after an interruption."""

import asyncio
import csv
import gzip
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from killing import kill_when

import discosql
from discosql.transfer import formats, inference, objects, sources
from discosql.transfer.importing import Imported


@pytest.fixture
def db() -> Iterator[discosql.Connection]:
    connection = discosql.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def load(db: discosql.Connection, path: Path, **options: object) -> Imported:
    """Import a file of rows; return what came of it."""
    report = db.import_file(path, **options)  # type: ignore[arg-type]
    assert not report.warnings
    (done,) = report.tables
    return done


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def types(db: discosql.Connection, table: str) -> dict[str, str]:
    return dict(db.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall())


def test_types_are_those_that_every_value_fits(db: discosql.Connection, tmp_path: Path) -> None:
    columns: dict[str, tuple[list[str], str]] = {
        "whole": (["1", "-2", ""], "INTEGER"),
        "zeros": (["007", "1", "2"], "TEXT"),
        "long": (["12345678901234567890", "1", ""], "TEXT"),
        "real": (["1.5", "2", "-3e4"], "REAL"),
        "hash": (["12e456", "1", "2"], "TEXT"),
        "flag": (["true", "FALSE", ""], "BOOLEAN"),
        "day": (["2024-02-29", "", "2023-01-01"], "DATE"),
        "no_day": (["2023-02-29", "", "2023-01-01"], "TEXT"),
        "moment": (["2024-02-29 10:00:00", "2024-02-29T10:00:01.5Z", ""], "TIMESTAMP"),
        "mixed": (["1", "x", "2.5"], "TEXT"),
        "lines": (["1\n2", "3", ""], "TEXT"),
        "blank": (["", "", ""], "TEXT"),
    }
    path = tmp_path / "t.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(columns)
        out.writerows(zip(*[values for values, _ in columns.values()], strict=True))
    assert load(db, path).rows == 3
    assert types(db, "t") == {name: kind for name, (_, kind) in columns.items()}
    got = db.execute('SELECT whole, zeros, "real", flag, CAST("day" AS TEXT), "lines", blank FROM t').fetchall()
    assert got == [
        (1, "007", 1.5, True, "2024-02-29", "1\n2", None),
        (-2, "1", 2.0, False, None, "3", None),
        (None, "2", -30000.0, None, "2023-01-01", None, None),
    ]


def test_types_are_found_in_all_of_the_file(db: discosql.Connection, tmp_path: Path) -> None:
    lines = [f"{number},{number}" for number in range(25_000)]
    path = written(tmp_path / "t.csv", "a,b\n" + "\n".join([*lines, "1,late", "2.5,3"]) + "\n")
    assert load(db, path).rows == 25_002
    assert types(db, "t") == {"a": "REAL", "b": "TEXT"}


POOLS = (
    ["0", "1", "-5", "123456789012345678"],
    ["1", "2.5", "-0", "1e3", "-0.50"],
    ["1", "007", "x"],
    ["true", "FALSE"],
    ["2024-02-29", "2023-01-01"],
    ["2024-02-29 10:00:00", "2024-02-29T10:00:01.5Z"],
    ["1234567890123456789", "1"],
)


def test_rows_that_are_kept_are_those_that_are_read_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also where a column turns out to be something else late, and where what is known is forgotten in between."""
    monkeypatch.setattr(sources, "CHUNK", 3)
    random_ = random.Random(2)
    for number in range(60):
        monkeypatch.setattr(inference, "_REMEMBERED", random_.choice([2, 1_000]))
        width = random_.randrange(1, 5)
        pools = [random_.sample(POOLS, 2) for _ in range(width)]
        turns = [random_.randrange(25) for _ in range(width)]
        rows = [
            [random_.choice([*pool[place >= turn], ""]) for pool, turn in zip(pools, turns, strict=True)]
            for place in range(random_.randrange(1, 20))
        ]
        path = tmp_path / f"t{number}.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([[f"c{place}" for place in range(width)], *rows])
        results = []
        for kept in (2**28, 0):
            monkeypatch.setattr(inference, "_KEPT", kept)
            db = discosql.connect(":memory:", isolation_level=None)
            load(db, path, table="t", batch=5)
            results.append((types(db, "t"), list(map(repr, db.execute("SELECT * FROM t ORDER BY rowid")))))
            texts = [column for column, kind in types(db, "t").items() if kind == "TEXT"]
            for column in texts:
                stored = [row[0] for row in db.execute(f"SELECT {column} FROM t ORDER BY rowid")]
                # Python writes an empty field that is alone in its row in quotes.
                assert stored == [row[int(column[1:])] or ("" if width == 1 else None) for row in rows]
            db.close()
        assert results[0] == results[1], rows


def test_json_keeps_its_types(db: discosql.Connection, tmp_path: Path) -> None:
    items = [
        {"a": 1, "b": 1, "c": "1", "d": True, "e": [1, {"x": None}], "f": 1},
        {"a": None, "b": 2.5, "c": "", "e": "text", "f": "text", "g": "late"},
    ]
    expected = [(1, 1.0, "1", True, [1, {"x": None}], 1, None), (None, 2.5, "", None, "text", "text", "late")]
    lines = "".join(json.dumps(item) + "\n\n" for item in items)
    for path in (
        written(tmp_path / "one.json", json.dumps(items)),
        written(tmp_path / "two.jsonl", lines),
        written(tmp_path / "three.ndjson", lines),
    ):
        assert load(db, path).rows == 2
        assert list(types(db, path.stem).values()) == ["INTEGER", "REAL", "TEXT", "BOOLEAN", "JSON", "ANY", "TEXT"]
        assert db.execute(f"SELECT * FROM {path.stem}").fetchall() == expected


@pytest.mark.parametrize("name", ["t.jsonl", "t.json"])
def test_json_is_read_the_same_with_and_without_orjson(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """Numbers that orjson rounds or refuses, in columns and within lists, surrogates, keys that come late."""
    texts = ["1", "-0", "1.5", "9e999", "NaN", "-Infinity", "18446744073709551616", "-9223372036854775809", '"\\ud800"']
    texts += ["[18446744073709551616]", "0.30000000000000004", '{"a": [9e999, 123456789012345678901]}', "true", "null"]
    for text in texts:
        lines = ['{"a": 1, "b": "x"}', f'{{"b": 2, "a": {text}, "c": 1}}', '{"a": 3, "a": 4}']
        path = written(tmp_path / name, "\n".join(lines) if name == "t.jsonl" else f"[{','.join(lines)}]")
        found = []
        for loads in (objects._loads, json.loads):
            with monkeypatch.context() as patched:
                patched.setattr(objects, "_loads", loads)
                found.append([repr(list(chunk.columns)) for chunk in formats.open_source(path).chunks()])
        assert found[0] == found[1], text


def test_tsv_is_read_as_it_is_exported(db: discosql.Connection, tmp_path: Path) -> None:
    path = written(tmp_path / "t.tsv", 'a\tb\nx\\ty\\n\\\\t\t"\n\tü\n')
    assert load(db, path, table="u").table == "u"
    assert db.execute("SELECT * FROM u").fetchall() == [("x\ty\n\\t", '"'), ("", "ü")]
    path = written(tmp_path / "v.tsv", "a\\tb\tc\n\\N\t\n\\\\N\t7\n\tx\\Ny\n")
    load(db, path)
    assert db.execute('SELECT "a\tb", c FROM v').fetchall() == [(None, ""), ("\\N", "7"), ("", "x\\Ny")]
    path = written(tmp_path / "w.tsv", "n\n1\n\n\\N\n")
    assert (load(db, path).rows, types(db, "w")) == (3, {"n": "INTEGER"})


def test_nothing_in_quotes_is_empty_text(db: discosql.Connection, tmp_path: Path) -> None:
    """In columns of text; in others it is NULL and no reason to be text, as in files that quote every field."""
    text = 'n,s,"r",t\n"1","",1.5,a\n"","x""",,""\n,,"",\n"2","""","2,5"\r\n,"a\n,"",\nb",""\n,"",,""\n'
    rows = [(1, "", "1.5", "a"), (None, 'x"', None, ""), (None, None, "", None), (2, '"', "2,5", None)]
    rows[3:] = [(2, '"', "2,5", "z"), (None, 'a\n,",\nb', "", None), (None, "", None, "")]
    path = written(tmp_path / "t.csv", text.replace('"2,5"\r\n', '"2,5",z\r\n').replace('b",""\n', 'b","",\n'))
    load(db, path)
    assert types(db, "t") == {"n": "INTEGER", "s": "TEXT", "r": "TEXT", "t": "TEXT"}
    assert db.execute("SELECT * FROM t").fetchall() == rows
    db.execute("CREATE TABLE u (n ANY, s VARCHAR(9), r, t NUMERIC)")
    load(db, path, table="u")
    numbers = ["1", "", None, "2", None, None]
    expected = [(number, *row[1:3]) for number, row in zip(numbers, rows, strict=True)]
    assert db.execute("SELECT n, s, r FROM u").fetchall() == expected
    assert db.execute("SELECT t FROM u").fetchall() == [("a",), (None,), (None,), ("z",), (None,), (None,)]
    quoted = written(tmp_path / "q.csv", 'i,r,b,d\n"1","1.5","true","2024-02-29"\n"","","",""\n')
    load(db, quoted)
    assert types(db, "q") == {"i": "INTEGER", "r": "REAL", "b": "BOOLEAN", "d": "DATE"}
    db.execute("CREATE TABLE v (i INTEGER, r DECIMAL, b BOOLEAN, d BLOB)")
    load(db, written(tmp_path / "v.csv", 'i,r,b,d\n"1","1.5","true","00"\n"","","",""\n'))
    for table in ("q", "v"):
        assert db.execute(f"SELECT * FROM {table} WHERE i IS NULL").fetchall() == [(None,) * 4]


def test_a_blank_line_is_a_row_of_one_column_only(db: discosql.Connection, tmp_path: Path) -> None:
    load(db, written(tmp_path / "one.csv", 'a\nx\n\n""\n\n'))
    assert db.execute("SELECT a FROM one").fetchall() == [("x",), (None,), ("",), (None,)]
    load(db, written(tmp_path / "two.csv", "a,b\nx,\n\n,y\n\n"))
    assert db.execute("SELECT * FROM two").fetchall() == [("x", None), (None, "y")]


def as_csv_reads_it(path: Path, width: int) -> list[tuple[int, list[str]]]:
    """Return the rows of a file with the line each begins at, as the csv module alone reads them.

    It does not tell what is empty in quotes.
    """
    tabs = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if path.suffix == ".tsv" else {"strict": True}
    found, line = [], 1
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, **tabs)  # type: ignore[call-overload]
        for fields in reader:
            if fields or width == 1:
                found.append((line, fields or [""]))
            line = reader.line_num + 1
    return found[1:]


@pytest.mark.parametrize("ending", ["csv", "tsv"])
@pytest.mark.parametrize("width", [1, 3])
def test_lines_that_are_split_are_the_rows_that_csv_reads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, width: int, ending: str
) -> None:
    """Rows within quotes that go on in the next lines, blank lines, line breaks of all kinds, wherever they fall."""
    monkeypatch.setattr(sources, "CHUNK", 4)
    random_ = random.Random(7)
    odd = ["", "x y", " 1", "ü\u2028"] + (['"a,b"', '"c\nd"', '"e""f\r\n\n"', '""'] if ending == "csv" else ['"', "'"])
    path = tmp_path / f"t.{ending}"
    mark = "," if ending == "csv" else "\t"
    for number in range(150):
        plain = random_.random()
        rows = [
            mark.join(
                str(random_.randrange(9)) if random_.random() < plain else random_.choice(odd) for _ in range(width)
            )
            for _ in range(random_.randrange(30))
        ]
        breaks = random_.choice(["\n", "\r\n", "\r"])
        body = "".join(row + (breaks * 2 if random_.random() < 0.03 else breaks) for row in rows)
        if number % 2:
            body = body.removesuffix(breaks)
        written(path, mark.join(f"c{place}" for place in range(width)) + breaks + body)
        found = [
            (line, [field.replace(sources.EMPTY, "") for field in row])
            for chunk in formats.open_source(path).chunks()
            for line, row in zip(chunk.lines, zip(*chunk.columns, strict=True), strict=True)
        ]
        assert found == as_csv_reads_it(path, width), path.read_bytes()


def test_compressed_text(db: discosql.Connection, tmp_path: Path) -> None:
    texts = {
        "a.csv": "n,s\n1,ü\n",
        "b.tsv": "n\ts\n1\tü\n",
        "c.jsonl": '{"n": 1, "s": "ü"}',
        "d.json": '[{"n": 1, "s": "ü"}]',
    }
    for name, text in texts.items():
        path = tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress(text.encode()))
        assert load(db, path).table == name[0]
        assert db.execute(f"SELECT * FROM {name[0]}").fetchall() == [(1, "ü")]
    whole = gzip.compress(b"".join(b"%d\n" % number for number in range(10_000)))
    for broken, said in (
        (whole[:-9], "ended before"),
        (b"n\n1\n", "Not a gzipped file"),
        (whole[:99] + whole[200:], ""),
    ):
        (tmp_path / "e.csv.gz").write_bytes(broken)
        with pytest.raises(discosql.OperationalError, match=f"cannot read .*e.csv.gz: .*{said}"):
            load(db, tmp_path / "e.csv.gz")
    with pytest.raises(discosql.ProgrammingError, match="the endings known"):
        load(db, written(tmp_path / "f.parquet.gz", ""))


def test_keys_and_upserts(db: discosql.Connection, tmp_path: Path) -> None:
    first = written(tmp_path / "t.csv", "id,name\n1,one\n2,two\n")
    load(db, first, primary_key=["id"])
    more = written(tmp_path / "more.csv", "name,id\nTWO,2\nthree,3\n")
    with pytest.raises(discosql.IntegrityError, match=r"more\.csv, line 2: UNIQUE constraint failed: t\.id"):
        load(db, more, table="t")
    assert load(db, more, table="t", upsert=True).rows == 2
    assert db.execute("SELECT * FROM t ORDER BY id").fetchall() == [(1, "one"), (2, "TWO"), (3, "three")]
    db.execute("CREATE TABLE bare (id, name)")
    with pytest.raises(discosql.ProgrammingError, match="bare has no primary key"):
        load(db, more, table="bare", upsert=True)
    with pytest.raises(discosql.ProgrammingError, match="no column named nope"):
        load(db, more, table="fresh", primary_key=["nope"])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("t.csv", "a,b\n1,2\n3\n", r"t\.csv, line 3: 1 fields instead of 2"),
        ("t.csv", 'a,b\n"x\ny",2\n1,2,3\n', r"line 4: 3 fields instead of 2"),
        ("t.csv", 'a,b\n1,"2\n', r"line 2: unexpected end of data"),
        ("t.csv", "a,a\n1,2\n", r"line 1: column a is there twice"),
        ("t.csv", "a,\n1,2\n", r"line 1: a column has no name"),
        ("t.csv", "", r"line 1: there are no columns"),
        ("t.jsonl", '{"a": 1}\n{"a": \n', r"t\.jsonl, line 2: Expecting value"),
        ("t.jsonl", '{"a": 1}\n[1]\n', r"line 2: not an object"),
        ("t.json", '{"a": 1}', r"line 1: not an array of objects"),
        ("t.json", '[{"a": 1}, 2]', r"row 2: not an object"),
        ("t.json", "[\n{,\n]", r"t\.json, line 2: "),
        ("t.xls", "", r"the endings known are \.csv \.tsv"),
    ],
)
def test_what_is_wrong_with_a_file(db: discosql.Connection, tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises((discosql.DataError, discosql.ProgrammingError), match=said):
        load(db, written(tmp_path / name, text))
    assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_files_that_are_no_text_or_not_there(db: discosql.Connection, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a\n\xff\n")
    for name, said in (("t.csv", "utf-8"), ("none.csv", "No such file")):
        with pytest.raises(discosql.OperationalError, match=f"cannot read .*{name}: .*{said}"):
            load(db, tmp_path / name)


def test_of_the_batch_that_fails_nothing_is_stored(db: discosql.Connection, tmp_path: Path) -> None:
    db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER CHECK (b < 100))")
    rows = [[number, number % 50] for number in range(1, 101)]
    rows[67][1] = 200
    path = written(tmp_path / "t.csv", "a,b\n" + "".join(f"{a},{b}\n" for a, b in rows))
    with pytest.raises(discosql.IntegrityError, match=r"t\.csv, line 69: CHECK constraint failed"):
        load(db, path, batch=30)
    assert db.execute("SELECT count(*), max(a) FROM t").fetchone() == (60, 60)
    db.execute("DROP TABLE t")
    db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER)")
    db.executemany("INSERT INTO t VALUES (?, ?)", rows[:60])
    assert load(db, path, batch=30) == Imported("t", 40, 60, pytest.approx(0, abs=60))
    assert db.execute("SELECT count(*), max(a), max(b) FROM t").fetchone() == (100, 100, 200)


def test_what_was_imported_is_imported_again_only_if_asked(db: discosql.Connection, tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "a\n1\n2\n")
    load(db, path)
    same = written(tmp_path / "same.csv", "a\n1\n2\n")
    with pytest.raises(discosql.ProgrammingError, match=r"same\.csv was imported into t before"):
        load(db, same, table="t")
    assert load(db, same, table="t", again=True).rows == 2
    assert load(db, same).rows == 2  # into a table of its own
    assert db.execute("SELECT count(*) FROM t").fetchone() == (4,)


def test_within_a_transaction_an_import_is_a_part_of_it(db: discosql.Connection, tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "a\n1\n2\n")
    bad = written(tmp_path / "bad.csv", "a\n3\n4\nx\n")
    db.row_factory = discosql.Row
    db.execute("BEGIN")
    assert load(db, path) == Imported("t", 2, 0, pytest.approx(0, abs=60))
    with pytest.raises(discosql.DataError, match=r"bad\.csv, line 4: cannot store TEXT value in INTEGER column t\.a"):
        load(db, bad, table="t", batch=1)
    load(db, path)
    assert [row["a"] for row in db.execute("SELECT a FROM t")] == [1, 2, 1, 2]
    db.execute("ROLLBACK")
    assert db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0


def test_constraints_that_say_what_becomes_of_rows(db: discosql.Connection, tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "a,b\n1,x\n2,y\n3,z\n4,w\n")
    expected = {
        "IGNORE": [(1, "x"), (2, "y"), (3, "old"), (4, "w")],
        "REPLACE": [(1, "x"), (2, "y"), (3, "z"), (4, "w")],
        "FAIL": r"t\.csv, line 4: UNIQUE",
        "ROLLBACK": r"t\.csv, lines 4 to 5: UNIQUE",
    }
    for resolution, result in expected.items():
        db.execute("DROP TABLE IF EXISTS t")
        db.execute(f"CREATE TABLE t (a INTEGER UNIQUE ON CONFLICT {resolution}, b)")
        db.execute("INSERT INTO t VALUES (3, 'old')")
        if isinstance(result, str):
            with pytest.raises(discosql.IntegrityError, match=result):
                load(db, path, batch=2)
            assert not db.in_transaction
            result = [(1, "x"), (2, "y"), (3, "old")]
        else:
            load(db, path, batch=2, again=True)
        assert db.execute("SELECT * FROM t ORDER BY a").fetchall() == result
        db.execute("DROP TABLE discosql_imports")


def test_settings_of_a_connection_are_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "a\n1\n2\n")
    for options in ({}, {"autocommit": False}, {"autocommit": True}, {"isolation_level": "IMMEDIATE"}):
        db = discosql.connect(":memory:", **options)
        db.row_factory = discosql.Row
        before = (db.isolation_level, db.autocommit, db.row_factory)
        load(db, path)
        assert (db.isolation_level, db.autocommit, db.row_factory) == before
        assert db.in_transaction is (options == {"autocommit": False})  # there it is a part of the one always open
        assert [row["a"] for row in db.execute("SELECT a FROM t")] == [1, 2]
        db.close()


def test_an_import_that_was_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """A process is killed in the middle, more than once; at last every row is there, and no row twice."""
    random_ = random.Random(4)
    rows = [(number, random_.random(), f"row {number}") for number in range(30_000)]
    path = tmp_path / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("n", "x", "name"), *rows])
    command = [sys.executable, "-m", "discosql", "import", "t.disco", "t.csv", "--batch", "200"]
    for goal in (2_000, 4_000):
        kill_when(command, tmp_path, goal)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with discosql.connect(tmp_path / "t.disco", create=False) as db:
        assert db.execute("SELECT n, x, name FROM t ORDER BY rowid").fetchall() == rows
    db.close()
    stored = int(done.stderr.split()[0])
    assert 0 < stored < 30_000, done.stderr
    assert f"{30_000 - stored} were there" in done.stderr
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "t.csv was imported into t before" in again.stderr


# Of the asynchronous connection -------------------------------------------------------------------------------------


async def test_asynchronous_imports(tmp_path: Path) -> None:
    rows = [f"{number},{number % 7}" for number in range(30_000)]
    path = written(tmp_path / "t.csv", "\n".join(["a,b", *rows, ""]))
    async with discosql.aio.connect(tmp_path / "t.disco") as db:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        ticking = asyncio.create_task(tick())
        report = await db.import_file(path, primary_key=["a"], batch=5_000)
        ticking.cancel()
        assert (report.rows, report.warnings, ticks > 10) == (30_000, [], True)
        assert await (await db.execute("SELECT count(*), sum(b) FROM t")).fetchone() == (30_000, 89_995)
        with pytest.raises(discosql.ProgrammingError, match="was imported into t before"):
            await db.import_file(path)
        await db.execute("DELETE FROM t")
        await db.import_file(path, batch=70_000, again=True)
        await db.rollback()
        assert await (await db.execute("SELECT count(*) FROM t")).fetchone() == (30_000,)


async def test_an_asynchronous_import_that_is_cancelled_goes_on_later(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "\n".join(["a", *map(str, range(40_000)), ""]))
    async with discosql.aio.connect(":memory:") as db:
        loop = asyncio.get_running_loop()

        def cancel(stage: str, _done: int, _total: int) -> None:
            if stage.startswith("9,000 rows"):
                loop.call_soon_threadsafe(importing.cancel)

        importing = asyncio.create_task(db.import_file(path, batch=1_000, progress=cancel))
        with pytest.raises(asyncio.CancelledError):
            await importing
        assert not db.in_transaction
        (report,) = (await db.import_file(path)).tables
        assert report.before >= 9_000 and report.rows + report.before == 40_000
        assert await (await db.execute("SELECT count(*), count(DISTINCT a) FROM t")).fetchone() == (40_000, 40_000)
