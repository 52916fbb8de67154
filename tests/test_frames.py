"""Results as Arrow tables, pandas and polars data frames, and what a missing library says."""

import datetime
import sys
from decimal import Decimal
from typing import Any

import polars
import pyarrow
import pytest

import discosql

MOMENT = datetime.datetime(2024, 1, 1, 10, tzinfo=datetime.UTC)


@pytest.fixture
def db() -> discosql.Connection:
    connection = discosql.connect(":memory:")
    connection.execute(
        "CREATE TABLE thing (n INTEGER, share REAL, name TEXT, data BLOB, flag BOOLEAN, day DATE, at TIMESTAMP, "
        "price DECIMAL, facts JSON, key UUID, any ANY) STRICT"
    )
    key = "c4644cbe-5b69-4f1b-b484-b80b081e2cc1"
    connection.execute(
        "INSERT INTO thing VALUES (?, 0.5, 'é', x'00ff', 1, '2024-02-29', ?, '1.10', '{\"a\":[1]}', ?, 7)",
        (2**62 + 1, MOMENT, key),
    )
    connection.execute("INSERT INTO thing DEFAULT VALUES")
    return connection


def test_arrow_tables_keep_types(db: discosql.Connection) -> None:
    table = db.execute("SELECT *, n - 1 AS before FROM thing").fetch_arrow_table()
    assert {field.name: str(field.type) for field in table.schema} == {
        "n": "int64",
        "share": "double",
        "name": "string",
        "data": "binary",
        "flag": "bool",
        "day": "date32[day]",
        "at": "timestamp[us, tz=UTC]",
        "price": "decimal128(3, 2)",
        "facts": "string",
        "key": "string",
        "any": "int64",
        "before": "int64",
    }
    first, second = table.to_pylist()
    assert (first["n"], first["price"], first["at"], first["facts"]) == (
        2**62 + 1,
        Decimal("1.10"),
        MOMENT,
        '{"a": [1]}',
    )
    assert set(second.values()) == {None}


def test_rows_taken_before_are_not_in_the_table(db: discosql.Connection) -> None:
    cursor = db.execute("SELECT n FROM thing")
    cursor.fetchone()
    assert cursor.fetch_arrow_table().to_pylist() == [{"n": None}]
    assert cursor.fetchall() == []
    assert db.execute("SELECT n FROM thing WHERE 0").fetch_arrow_table().schema.types == [pyarrow.int64()]


def test_data_frames_know_null(db: discosql.Connection) -> None:
    frame = db.execute("SELECT n, flag, name, at FROM thing").fetch_df()
    assert frame["n"].tolist()[0] == 2**62 + 1, "an integer beside NULL stays an integer"
    assert frame["n"].isna().tolist() == frame["flag"].isna().tolist() == [False, True]
    assert str(frame["n"].dtype) == "Int64"
    assert frame["at"].iloc[0] == MOMENT


def test_polars(db: discosql.Connection) -> None:
    frame: Any = polars.from_arrow(db.execute("SELECT n, name, day FROM thing").fetch_arrow_table())
    assert frame.schema == {"n": polars.Int64, "name": polars.String, "day": polars.Date}
    assert frame["day"].to_list() == [datetime.date(2024, 2, 29), None]


async def test_asynchronous_cursors() -> None:
    async with discosql.aio.connect(":memory:") as db:
        cursor = await db.execute("SELECT 1 AS one")
        assert (await cursor.fetch_arrow_table()).to_pylist() == [{"one": 1}]
        assert (await (await db.execute("SELECT 1 AS one")).fetch_df())["one"].tolist() == [1]


def test_values_of_several_types_are_told(db: discosql.Connection) -> None:
    mixed = "SELECT 1 AS x UNION ALL SELECT 'a'"
    with pytest.raises(discosql.DataError, match="column x has values of several types"):
        db.execute(mixed).fetch_arrow_table()
    assert db.execute(f"SELECT CAST(x AS TEXT) AS x FROM ({mixed})").fetch_df()["x"].tolist() == ["1", "a"]
    with pytest.raises(discosql.ProgrammingError):
        db.execute("CREATE TABLE x (a)").fetch_df()


@pytest.mark.parametrize(
    ("library", "method", "extra"), [("pyarrow", "fetch_arrow_table", "arrow"), ("pandas", "fetch_df", "pandas")]
)
def test_a_missing_library_names_the_extra(
    db: discosql.Connection, monkeypatch: pytest.MonkeyPatch, library: str, method: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(discosql.NotSupportedError, match=rf"pip install 'discosql\[{extra}\]'"):
        getattr(db.execute("SELECT 1"), method)()
