"""Importing Parquet and Arrow files: every type, record batches, what cannot be stored, and files that are broken."""

import datetime
import hashlib
import sys
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_import import load, types

import discosql
from discosql.transfer.importing import Imported

UTC = datetime.UTC
MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 15, 250)


@pytest.fixture
def db() -> Iterator[discosql.Connection]:
    connection = discosql.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def written(path: Path, table: pa.Table, batch: int = 1000) -> Path:
    """Write a table in the format that the path's name says."""
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=batch)
        return path
    new = pa.ipc.new_stream if path.stem.endswith("stream") else pa.ipc.new_file
    with new(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=batch)
    return path


NAMES = ["t.parquet", "t.arrow", "t.feather", "t_stream.arrow"]


@pytest.mark.parametrize("name", NAMES)
def test_each_type_becomes_that_of_sql(db: discosql.Connection, tmp_path: Path, name: str) -> None:
    moments = [MOMENT, None]
    summer = datetime.timezone(datetime.timedelta(hours=2))
    columns: dict[str, tuple[pa.Array, str, list[Any]]] = {
        "nothing": (pa.nulls(2), "TEXT", [None, None]),
        "flag": (pa.array([True, None]), "BOOLEAN", [True, None]),
        "tiny": (pa.array([-128, None], pa.int8()), "INTEGER", [-128, None]),
        "huge": (pa.array([2**63 - 1, None], pa.uint64()), "INTEGER", [2**63 - 1, None]),
        "half": (pa.array([0.5, None], pa.float32()), "REAL", [0.5, None]),
        "real": (pa.array([0.1, float("nan")]), "REAL", [0.1, None]),
        "money": (pa.array([Decimal("2.50"), None], pa.decimal128(9, 2)), "DECIMAL", [Decimal("2.50"), None]),
        "wide": (pa.array([Decimal("-1e45"), None], pa.decimal256(60, 2)), "DECIMAL", [Decimal("-1e45"), None]),
        "day": (pa.array([MOMENT.date(), None]), "DATE", [MOMENT.date(), None]),
        "seconds": (pa.array(moments, pa.timestamp("s")), "TIMESTAMP", [MOMENT.replace(microsecond=0), None]),
        "nanos": (pa.array(moments, pa.timestamp("ns")), "TIMESTAMP", moments),
        "zoned": (
            pa.array([MOMENT.replace(tzinfo=summer), None], pa.timestamp("us", "No/Where")),
            "TIMESTAMP",
            [MOMENT.replace(hour=10, tzinfo=UTC), None],
        ),
        "clock": (pa.array([MOMENT.time(), None], pa.time64("us")), "TEXT", ["12:30:15.000250", None]),
        "lasting": (pa.array([5, None], pa.duration("ms")), "INTEGER", [5, None]),
        "text": (pa.array(["ü", ""]), "TEXT", ["ü", ""]),
        "long": (pa.array(["ü", None], pa.large_string()), "TEXT", ["ü", None]),
        "label": (pa.array(["x", "x"]).dictionary_encode(), "TEXT", ["x", "x"]),
        "bytes": (pa.array([b"\xff", None]), "BLOB", [b"\xff", None]),
        "fixed": (pa.array([b"ab", None], pa.binary(2)), "BLOB", [b"ab", None]),
        "list": (pa.array([[1, None], None]), "JSON", [[1, None], None]),
        "both": (pa.array([{"a": MOMENT.date(), "b": [b"x"]}]*2), "JSON", [{"a": "2024-02-29", "b": ["eA=="]}] * 2),
        "map": (pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())), "JSON", [{"k": 1}, None]),
        "pairs": (pa.array([[(1, 2.5)], []], pa.map_(pa.int64(), pa.float64())), "JSON", [[[1, 2.5]], []]),
        "id": (pa.array([b"0123456789abcdef", None], pa.uuid()), "UUID", [uuid.UUID(bytes=b"0123456789abcdef"), None]),
        "json": (pa.array(['{"a": 1}', None], pa.json_()), "JSON", [{"a": 1}, None]),
    }  # fmt: skip
    if not name.endswith(".parquet"):
        columns["runs"] = (pc.run_end_encode(pa.array([7, 7])), "INTEGER", [7, 7])
        columns["bit"] = (
            pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0], pa.int8())),
            "BOOLEAN",
            [True, False],
        )
        columns["tongue"] = (pa.array(["a", None], pa.string_view()), "TEXT", ["a", None])
    path = written(tmp_path / name, pa.table({key: array for key, (array, _, _) in columns.items()}))
    assert load(db, path, table="t").rows == 2
    assert types(db, "t") == {key: kind for key, (_, kind, _) in columns.items()}
    rows = db.execute("SELECT * FROM t").fetchall()
    for place, (key, (_, _, expected)) in enumerate(columns.items()):
        assert [row[place] for row in rows] == expected, key


TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(allow_nan=False),
    pa.string(): TEXTS,
    pa.binary(): st.binary(),
    pa.bool_(): st.booleans(),
    pa.date32(): st.dates(),
    pa.timestamp("us"): st.datetimes(),
    pa.timestamp("us", "UTC"): st.datetimes(timezones=st.just(UTC)),
    pa.decimal128(38, 10): st.decimals(-(10**27), 10**27, places=10),
    pa.list_(pa.struct([("a", pa.int64()), ("b", pa.string())])): st.lists(
        st.fixed_dictionaries({"a": st.none() | st.integers(-(2**63), 2**63 - 1), "b": TEXTS})
    ),
}


@given(data=st.data(), name=st.sampled_from(NAMES), batch=st.integers(1, 5), size=st.integers(1, 7))
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_values_come_back(tmp_path: Path, data: st.DataObject, name: str, batch: int, size: int) -> None:
    kinds = data.draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4))
    count = data.draw(st.integers(0, 12))
    columns = [data.draw(st.lists(st.none() | VALUES[kind], min_size=count, max_size=count)) for kind in kinds]
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
    path = written(tmp_path / name, pa.Table.from_arrays(arrays, names=[f"c{i}" for i in range(len(kinds))]), batch)
    db = discosql.connect(":memory:", isolation_level=None)
    assert load(db, path, table="t", batch=size).rows == count
    assert db.execute("SELECT * FROM t ORDER BY rowid").fetchall() == list(zip(*columns, strict=True))
    db.close()


def test_what_a_database_gives_as_arrow_comes_back(db: discosql.Connection, tmp_path: Path) -> None:
    db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b DECIMAL, c JSON, d UUID, e TIMESTAMP, f BLOB, g BOOLEAN)")
    row = (1, Decimal("0.10"), {"x": ["y"]}, uuid.UUID(int=7), MOMENT, b"\x00", False)
    db.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", [row, (2, *[None] * 6)])
    path = written(tmp_path / "t.parquet", db.execute("SELECT * FROM t").fetch_arrow_table())
    db.execute("CREATE TABLE again (a INTEGER PRIMARY KEY, b DECIMAL, c JSON, d UUID, e TIMESTAMP, f BLOB, g BOOLEAN)")
    load(db, path, table="again")
    assert db.execute("SELECT * FROM again").fetchall() == [row, (2, *[None] * 6)]


def test_keys_upserts_and_rows_in_errors(db: discosql.Connection, tmp_path: Path) -> None:
    path = written(tmp_path / "t.parquet", pa.table({"id": [1, 2], "name": ["one", "two"]}))
    load(db, path, primary_key=["id"])
    more = written(tmp_path / "more.arrow", pa.table({"id": [3, 2], "name": ["three", "TWO"]}))
    with pytest.raises(discosql.IntegrityError, match=r"more\.arrow, row 2: UNIQUE constraint failed: t\.id"):
        load(db, more, table="t")
    load(db, more, table="t", upsert=True)
    assert db.execute("SELECT name FROM t ORDER BY id").fetchall() == [("one",), ("TWO",), ("three",)]
    with pytest.raises(discosql.ProgrammingError, match=r"more\.arrow was imported into t before"):
        load(db, more, table="t")


def test_rows_of_large_batches_are_numbered_and_go_on(db: discosql.Connection, tmp_path: Path) -> None:
    numbers = list(range(25_000))
    numbers[21_000] = 2**63
    path = written(tmp_path / "t.parquet", pa.table({"n": pa.array(numbers, pa.uint64())}), 25_000)
    with pytest.raises(discosql.DataError, match=r"t\.parquet, row 21001: .*int too large"):
        load(db, path, batch=7_000)
    assert db.execute("SELECT count(*), max(n) FROM t").fetchone() == (21_000, 20_999)
    numbers[21_000] = 21_000
    other = written(tmp_path / "good.parquet", pa.table({"n": pa.array(numbers, pa.uint64())}), 25_000)
    db.execute("UPDATE discosql_imports SET file = ?", (_digest(other),))
    assert load(db, other, table="t") == Imported("t", 4_000, 21_000, pytest.approx(0, abs=60))
    assert db.execute("SELECT count(*), count(DISTINCT n) FROM t").fetchone() == (25_000, 25_000)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pa.table({"a": pa.array([1], pa.timestamp("ns"))}), r"rows 1 to 1, column a: .*would lose data"),
        (pa.table({"a": pa.array([1], pa.time64("ns"))}), r"rows 1 to 1, column a: .*would lose data"),
        (pa.table({"a": pa.array([10**15], pa.timestamp("ms"))}), r"rows 1 to 1, column a: "),
        (pa.table({"a": pa.array([(1, 2, 3)], pa.month_day_nano_interval())}), "column a has the type month_day_nano"),
        (pa.table({"a": [1], "A": [2]}), r"t\.arrow: column A is there twice"),
        (pa.table({"a": [1], "": [2]}), r"t\.arrow: a column has no name"),
        (pa.table({}), r"t\.arrow: there are no columns"),
    ],
)
def test_what_cannot_be_stored(db: discosql.Connection, tmp_path: Path, table: pa.Table, said: str) -> None:
    with pytest.raises(discosql.DataError, match=said):
        load(db, written(tmp_path / "t.arrow", table))
    assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t_stream.arrow"])
@pytest.mark.parametrize("left", [0, 5, 0.5])
def test_broken_files(db: discosql.Connection, tmp_path: Path, name: str, left: float) -> None:
    path = written(tmp_path / name, pa.table({"a": list(range(1000))}), 100)
    data = path.read_bytes()
    path.write_bytes(data[: int(left if left >= 1 else left * len(data))])
    with pytest.raises(discosql.OperationalError, match=f"cannot read .*{name}: "):
        load(db, path)


def test_what_is_no_file_of_the_format(db: discosql.Connection, tmp_path: Path) -> None:
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "old.feather").write_bytes(b"FEA1" + bytes(100))
    (tmp_path / "text.arrow").write_text("a,b\n1,2\n")
    for name, said in (
        ("folder.parquet", "it is a directory"),
        ("old.feather", "Feather version 1"),
        ("text.arrow", ""),
        ("none.parquet", "No such file"),
    ):
        with pytest.raises(discosql.OperationalError, match=f"cannot read .*{name}: .*{said}"):
            load(db, tmp_path / name)


def test_without_the_extra(db: discosql.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "t.parquet", pa.table({"a": [1]}))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(discosql.NotSupportedError, match=r"pip install 'discosql\[arrow\]'"):
        load(db, path)
