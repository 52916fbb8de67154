"""Literals of an INSERT taken out of it: the same rows and errors as with the text as it stands."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import discosql
from discosql import session
from discosql.planner.context import PlanContext
from discosql.planner.literals import MAX_LITERALS, lift_literals
from discosql.planner.plan import Prepared
from discosql.planner.prepare import prepare

TYPES = ["INTEGER", "REAL", "TEXT", "BLOB", "ANY", "BOOLEAN", "DATE", "TIMESTAMP", "DECIMAL", "JSON", "UUID"]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).map(lambda text: text.replace("'", "''"))
numbers = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-1000, 1000, places=3).map(str),
    st.sampled_from(["-0", "00", "-0.0", "1.", ".5", "1e3", "0x10", "1_000", "9223372036854775808", "1.5e400", "- 1"]),
)
dates = st.sampled_from(["'2024-02-29'", "'2024-02-29 10:00:00'", "'true'", "'1.10'", "'[1]'", "'a''b'", "''", "' 7 '"])
others = st.sampled_from(
    ["NULL", "null", "x''", "X'00ff'", "x'0'", "TRUE", "1 + 1", "'a' || 'b'", "?", "DEFAULT", "(1)"]
)
literals = st.one_of(numbers, texts.map(lambda text: f"'{text}'"), dates, others)
spaces = st.sampled_from(["", " ", "\n", "\t ", " /* , */ ", "-- )\n"])


def outcome(db: discosql.Connection, sql: str) -> Any:
    try:
        count = db.execute(sql).rowcount
    except discosql.Error as exc:
        return type(exc), str(exc)
    rows = db.execute("SELECT * FROM t").fetchall()
    db.execute("DELETE FROM t")
    return count, [[(type(value), repr(value)) for value in row] for row in rows]


@settings(max_examples=400)
@given(st.lists(st.lists(literals, min_size=2, max_size=2), min_size=1, max_size=3), st.sampled_from(TYPES), spaces)
@example([["9223372036854775807", "-9223372036854775808"]], "ANY", "")
@example([["1.10", "0.1"]], "DECIMAL", "")
def test_lifted_statements_do_the_same(rows: list[list[str]], kind: str, space: str) -> None:
    with discosql.connect(":memory:", isolation_level=None) as db:
        db.execute(f"CREATE TABLE t (a {kind}, b ANY)")
        values = f"{space},{space}".join(f"({space}{f'{space},{space}'.join(row)}{space})" for row in rows)
        sql = f"INSERT INTO t (a, b){space}VALUES{space}{values}{space};"
        # A comment in front is more than a lifted statement may have.
        assert outcome(db, sql) == outcome(db, f"/**/ {sql}")


@pytest.mark.parametrize(
    ("sql", "lifted", "values"),
    [
        ("INSERT INTO t VALUES(1)", "INSERT INTO t VALUES(?)", (1,)),
        (
            " insert or ignore into main.\"a'(\"(b, [c d]) values (-1.5e-3, 'it''s', x'ff', Null) , (0,'','''',1.0) ; ",
            ' insert or ignore into main."a\'("(b, [c d]) values (?, ?, ?, ?) , (?,?,?,?) ; ',
            (-0.0015, "it's", b"\xff", None, 0, "", "'", 1.0),
        ),
        ("REPLACE INTO t VALUES ('),(1')", "REPLACE INTO t VALUES (?)", ("),(1",)),
    ],
)
def test_what_is_lifted(sql: str, lifted: str, values: tuple[Any, ...]) -> None:
    assert lift_literals(sql) == (lifted, values)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "INSERT INTO t VALUES (?)",
        "INSERT INTO t VALUES (1) RETURNING *",
        "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT INTO t VALUES (1); DELETE FROM t",
        "INSERT INTO t SELECT 1",
        "INSERT INTO t VALUES (1, random())",
        "INSERT INTO t VALUES (1a)",
        "INSERT INTO t VALUES (1.5.6)",
        "INSERT INTO t VALUES (nullif)",
        "INSERT INTO t VALUES ('a' 'b')",
        "INSERT INTO t VALUES ('a\0b')",
        "INSERT INTO t VALUES (1000000000000000000)",
        "WITH x AS (SELECT 1) INSERT INTO t VALUES (1)",
        f"INSERT INTO t VALUES ({', '.join('1' * (MAX_LITERALS + 1))})",
    ],
)
def test_what_stays_as_it_is(sql: str) -> None:
    assert lift_literals(sql) is None


def test_one_plan_for_statements_that_differ_in_values(monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[str] = []

    def noted(sql: str, context: PlanContext) -> Prepared:
        planned.append(sql)
        return prepare(sql, context)

    monkeypatch.setattr(session, "prepare", noted)
    with discosql.connect(":memory:", isolation_level=None) as db:
        db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
        db.executescript("".join(f"INSERT INTO t VALUES ({i}, 'x{i}');\n" for i in range(1_000)))
        assert db.execute("SELECT count(*), count(DISTINCT b), max(a) FROM t").fetchone() == (1_000, 1_000, 999)
    assert len([sql for sql in planned if sql.startswith("INSERT")]) == 1


def test_errors_tell_of_the_text_as_it_was_given() -> None:
    with discosql.connect(":memory:") as db:
        db.execute("CREATE TABLE t (a INTEGER)")
        with pytest.raises(discosql.ProgrammingError, match="table t has 1 columns but 2 values were supplied"):
            db.execute("INSERT INTO t VALUES (1, 'x')")
        with pytest.raises(discosql.ProgrammingError, match="no such table: u"):
            db.execute("INSERT INTO u VALUES (1, 'x')")
        with pytest.raises(discosql.ProgrammingError, match="uses 0, and there are 1"):
            db.execute("INSERT INTO t VALUES (1)", (1,))


def test_a_trace_is_told_of_the_text_as_it_was_given() -> None:
    with discosql.connect(":memory:", isolation_level=None) as db:
        db.execute("CREATE TABLE t (a REAL)")
        seen: list[str] = []
        db.set_trace_callback(seen.append)
        db.execute("INSERT INTO t VALUES (1.50)")
        assert seen == ["INSERT INTO t VALUES (1.50)"]
