"""Random sequences of INSERT, UPDATE and DELETE on tables with constraints: every statement as in SQLite."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import Twins

SCHEMAS = {
    "keys": (
        """CREATE TABLE t (
            id INTEGER PRIMARY KEY, a INTEGER UNIQUE, b INTEGER NOT NULL DEFAULT 1, c INTEGER CHECK (c <> 3),
            UNIQUE (b, c)
        ) STRICT""",
    ),
    "no primary key": (
        "CREATE TABLE t (a INTEGER, b INTEGER UNIQUE, c INTEGER AS (a + b), CHECK (a < 6)) STRICT",
        "CREATE UNIQUE INDEX i ON t (c, a)",
    ),
    "collated": (
        "CREATE TABLE t (a TEXT COLLATE NOCASE PRIMARY KEY, b TEXT COLLATE RTRIM UNIQUE, c TEXT NOT NULL) STRICT",
    ),
    "without rowid": (
        "CREATE TABLE t (a INTEGER, b INTEGER UNIQUE, c INTEGER, PRIMARY KEY (c, a)) STRICT, WITHOUT ROWID",
    ),
    "parents": (
        "CREATE TABLE p (a INTEGER PRIMARY KEY, b INTEGER UNIQUE, c INTEGER) STRICT",
        """CREATE TABLE t (
            a INTEGER REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE,
            b INTEGER DEFAULT 2 REFERENCES p (b) ON DELETE SET DEFAULT ON UPDATE SET NULL,
            c INTEGER UNIQUE REFERENCES p
        ) STRICT""",
    ),
    "itself": (
        """CREATE TABLE t (
            a INTEGER PRIMARY KEY, b INTEGER UNIQUE,
            c INTEGER REFERENCES t (b) ON DELETE CASCADE ON UPDATE CASCADE
        ) STRICT""",
        "CREATE INDEX tc ON t (c)",
    ),
    "restricted": (
        "CREATE TABLE p (a INTEGER PRIMARY KEY, b INTEGER UNIQUE, c INTEGER) STRICT",
        """CREATE TABLE t (
            a INTEGER REFERENCES p (b) ON DELETE RESTRICT ON UPDATE RESTRICT,
            b INTEGER REFERENCES p ON UPDATE CASCADE ON DELETE SET NULL,
            c INTEGER NOT NULL DEFAULT 0
        ) STRICT""",
        "CREATE INDEX tb ON t (b)",
    ),
}

# A transaction does not give a rowid twice, even if its first row is gone by then; SQLite does.
UNNUMBERED = ("no primary key", "collated", "without rowid", "itself")

COLUMNS = ("a", "b", "c")
NUMBERS = ("0", "1", "2", "3", "4", "5", "NULL")
TEXTS = ("'a'", "'A'", "'a '", "'b'", "'B '", "''", "NULL")


@st.composite
def statements(draw: st.DrawFn, schema: str) -> str:
    """Return a statement that changes rows."""
    values = TEXTS if schema == "collated" else NUMBERS
    value = st.sampled_from(values)
    table = draw(st.sampled_from(["t", "t", "p"] if schema in ("parents", "restricted") else ["t"]))
    columns = COLUMNS if schema != "no primary key" else ("a", "b")
    verb = draw(st.sampled_from(["insert", "insert", "insert", "update", "update", "delete"]))
    where = draw(st.sampled_from(["", "", f" WHERE +{draw(st.sampled_from(columns))} = {draw(value)}"]))
    if verb == "delete":
        return f"DELETE FROM {table}{where}" if where else f"DELETE FROM {table} WHERE a IS NOT {draw(value)}"
    if verb == "update":
        how = draw(
            st.sampled_from(["", "", " OR IGNORE"] + ([" OR REPLACE"] if schema in ("keys", "collated") else []))
        )
        column = draw(st.sampled_from(columns))
        kinds = (
            [draw(value)] if schema == "collated" else [draw(value), f"{column} + 1", f"{column} - 1", f"5 - {column}"]
        )
        return f"UPDATE{how} {table} SET {column} = {draw(st.sampled_from(kinds))}{where}"
    rows = ", ".join(f"({', '.join(draw(value) for _ in columns)})" for _ in range(draw(st.integers(1, 3))))
    how = draw(st.sampled_from(["INSERT", "INSERT OR IGNORE", "REPLACE", "INSERT", "INSERT"]))
    upsert = ""
    if how == "INSERT" and draw(st.booleans()):
        target, column = draw(st.sampled_from(["", "(b) "])), draw(st.sampled_from(columns))
        target = target if schema not in ("keys", "parents", "restricted") or table == "p" else ""
        action = draw(st.sampled_from(["NOTHING", f"UPDATE SET {column} = {draw(value)}"]))
        if schema == "restricted" and not target:
            action = "NOTHING"
        upsert = f" ON CONFLICT {target}DO {action}"
    return f"{how} INTO {table} ({', '.join(columns)}) VALUES {rows}{upsert}"


def _run_sequence(schema: str, data: Any) -> None:
    twins = Twins(*SCHEMAS[schema])
    if schema in UNNUMBERED and data.draw(st.booleans(), label="in a transaction"):
        twins.run("BEGIN")
        twins.compares_rowids = False
    for sql in data.draw(st.lists(statements(schema), min_size=3, max_size=12), label="statements"):
        twins.both(sql)
    twins.close()


@pytest.mark.parametrize("schema", SCHEMAS)
@settings(max_examples=25)
@given(data=st.data())
def test_sequences(schema: str, data: Any) -> None:
    _run_sequence(schema, data)


@pytest.mark.campaign
@pytest.mark.parametrize("schema", SCHEMAS)
@settings(max_examples=3_000, derandomize=False)
@given(data=st.data())
def test_many_sequences(schema: str, data: Any) -> None:
    _run_sequence(schema, data)
