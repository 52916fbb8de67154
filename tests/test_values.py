"""Any value survives the way to every guild and back, and is found by its key."""

import asyncio
import datetime
import json
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from guilds import open_server
from hypothesis import given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2 as sqlite3

import discosql
from discosql.aio import Connection
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.engine import open_engine

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
TYPES: dict[str, st.SearchStrategy[Any]] = {
    "INTEGER": st.integers(-(2**63), 2**63 - 1),
    "REAL": st.floats(allow_nan=False),
    "TEXT": st.text(),
    "BLOB": st.binary(),
    "BOOLEAN": st.booleans(),
    "DATE": st.dates(),
    "TIMESTAMP": st.datetimes(timezones=st.none() | st.just(datetime.UTC)),
    "DECIMAL": st.decimals(allow_nan=False, allow_infinity=False),
    "JSON": JSON.filter(lambda data: data is not None).map(
        lambda data: data if isinstance(data, dict | list) else [data]
    ),
    "UUID": st.uuids(),
    "ANY": st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(), st.binary()),
}
ROW = st.tuples(*(st.none() | strategy for strategy in TYPES.values()))
COLUMNS = ", ".join(f"c_{name} {name}" for name in TYPES)
MARKS = ", ".join("?" * len(TYPES))


def exact(value: Any) -> Any:
    """Return what must be the same of two values: their text, which tells 1 from 1.0 and 0.0 from -0.0."""
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return (type(value), value.as_tuple() if isinstance(value, Decimal) else str(value))


async def round_trip(kind: str, rows: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_server(kind, Path(folder)) as server:
            db = Connection(Session(await open_engine(await server.open()), DEFAULT), isolation_level=None)
            await db.execute(f"CREATE TABLE v (id INTEGER PRIMARY KEY, {COLUMNS})")
            await db.executemany(f"INSERT INTO v VALUES (NULL, {MARKS})", rows)
            await db.close()
            db = Connection(Session(await open_engine(await server.open()), DEFAULT), isolation_level=None)
            stored = await (await db.execute("SELECT * FROM v ORDER BY id")).fetchall()
            assert [tuple(map(exact, row[1:])) for row in stored] == [tuple(map(exact, row)) for row in rows]
            for number, row in enumerate(rows, 1):
                for name, value in zip(TYPES, row, strict=True):
                    if value is not None and not (isinstance(value, float) and value != value):
                        found = await db.execute(f"SELECT id FROM v WHERE c_{name} = ?", (value,))
                        assert (number,) in await found.fetchall(), (name, value)
            await db.close()


@pytest.mark.parametrize(("kind", "examples"), [("memory", 60), ("file", 25), ("simcord", 15)])
def test_values_survive(kind: str, examples: int) -> None:
    @settings(max_examples=examples)
    @given(st.lists(ROW, min_size=1, max_size=4))
    def survive(rows: list[tuple[Any, ...]]) -> None:
        asyncio.run(round_trip(kind, rows))

    survive()


def test_json_columns_take_what_json_valid_takes() -> None:
    db = discosql.connect(":memory:", isolation_level=None)
    oracle = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (j JSON)")
    texts = [
        "NaN",
        "[NaN]",
        "Infinity",
        "[-Infinity]",
        "9e999",
        "[1e-999]",
        "1" * 5_000,
        '"\\ud800"',
        "{a: 1}",
        "[1,]",
        "01",
    ]
    for text in [
        *texts,
        "[1,]",
        "01",
        "+1",
        ".5",
        "'x'",
        '"\t"',
        " [1] ",
        "",
        "nul",
        "null",
        "0x1",
        '{"a": 1, "a": 2}',
        "\ufeff1",
    ]:
        (valid,) = oracle.execute("SELECT json_valid(?)", (text,)).fetchone()
        if valid:
            db.execute("INSERT INTO t VALUES (?)", (text,))
        else:
            with pytest.raises(discosql.DataError, match="cannot store TEXT value in JSON column"):
                db.execute("INSERT INTO t VALUES (?)", (text,))
    oracle.close()
    db.close()
