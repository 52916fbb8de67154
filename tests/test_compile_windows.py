"""Window functions against SQLite: every function over every kind of window and frame."""

import random
from itertools import product
from typing import Any, Final

import pytest
from compiling import Pair

from discosql.errors import OperationalError


def _rows() -> list[tuple[Any, ...]]:
    rng = random.Random(2)
    return [
        (
            rng.choice([None, 1, 2, 3]),
            rng.randrange(10),
            rng.choice([None, "x", "y", "Z"]),
            rng.choice([None, 1.5, 2.5, 7.0]),
        )
        for _ in range(25)
    ]


PAIR: Final = Pair(
    "CREATE TABLE t (a INTEGER, b INTEGER NOT NULL, c TEXT, d REAL); CREATE TABLE e (x INTEGER)",
    {"t": _rows(), "e": []},
    batch=8,
)
WINDOWS: Final = (
    "",
    "PARTITION BY a",
    "ORDER BY b",
    "PARTITION BY a ORDER BY b",
    "PARTITION BY a, c ORDER BY d DESC, b",
    "ORDER BY d DESC",
    "ORDER BY c COLLATE NOCASE, b",
)
FUNCTIONS: Final = (
    "row_number()",
    "rank()",
    "dense_rank()",
    "percent_rank()",
    "cume_dist()",
    "ntile(3)",
    "ntile(100)",
    "lag(b)",
    "lead(c, 2, 'none')",
    "lag(b, a, b)",
    "first_value(b)",
    "last_value(c)",
    "nth_value(b, 2)",
    "sum(b)",
    "sum(a)",
    "sum(d)",
    "count(*)",
    "count(a)",
    "avg(b)",
    "min(c)",
    "max(d)",
    "total(a)",
    "sum(b) FILTER (WHERE a > 1)",
    "count(*) FILTER (WHERE b > 3)",
    "group_concat(b)",
)
SORTS: Final = ("ORDER BY b", "ORDER BY d", "PARTITION BY a ORDER BY d DESC")
FRAMES: Final = (
    "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "ROWS 2 PRECEDING",
    "ROWS UNBOUNDED PRECEDING",
    "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    "ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING",
    "ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING",
    "RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "RANGE BETWEEN 2.5 PRECEDING AND CURRENT ROW",
    "RANGE BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING",
    "RANGE BETWEEN 1 FOLLOWING AND 3 FOLLOWING",
    "RANGE UNBOUNDED PRECEDING",
    "GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING",
)
EXCLUSIONS: Final = ("", "EXCLUDE CURRENT ROW", "EXCLUDE GROUP", "EXCLUDE TIES")


@pytest.mark.parametrize("window", WINDOWS)
def test_functions(window: str) -> None:
    for function in FUNCTIONS:
        PAIR.check(f"SELECT a, b, c, d, {function} OVER ({window}) FROM t", plain=False)


@pytest.mark.parametrize(("sort", "frame"), list(product(SORTS, FRAMES)))
def test_frames(sort: str, frame: str) -> None:
    for exclusion in EXCLUSIONS:
        window = f"OVER ({sort} {frame} {exclusion})"
        functions = ("sum(b)", "sum(d)", "count(*)", "min(c)", "first_value(b)", "nth_value(b, 2)", "last_value(b)")
        results = ", ".join(f"{function} {window}" for function in (*functions, "group_concat(b)"))
        PAIR.check(f"SELECT a, b, c, d, {results} FROM t", plain=False)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a, row_number() OVER (ORDER BY b DESC), rank() OVER (ORDER BY a), sum(b) OVER (ORDER BY c, b) FROM t",
        "SELECT * FROM (SELECT a, b, row_number() OVER (PARTITION BY a ORDER BY b, c, d) AS n FROM t) WHERE n = 1",
        "SELECT a, sum(count(*)) OVER (ORDER BY a), rank() OVER (ORDER BY count(*)) FROM t GROUP BY a",
        "SELECT sum(b) OVER w, avg(b) OVER w FROM t WINDOW w AS (PARTITION BY a ORDER BY b)",
        "SELECT a, b FROM t ORDER BY row_number() OVER (ORDER BY b DESC, a, c, d)",
        "SELECT b, sum(b) OVER (PARTITION BY a % 2 ORDER BY b) * 2 FROM t LIMIT 4",
        "SELECT DISTINCT max(b) OVER (PARTITION BY a) FROM t",
        "SELECT x, sum(x) OVER (ORDER BY x), ntile(0) OVER (), nth_value(x, 0) OVER () FROM e",
        "SELECT b, (SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY v.b) AS n FROM t AS v WHERE v.a = t.a)) "
        "FROM t",
        # Results that are appended for a second sort make rows longer, that of NULLs beside a row without partner too.
        "SELECT x.m FROM t LEFT JOIN (SELECT dense_rank() OVER (ORDER BY b), b AS s, max(a) OVER (ORDER BY a) AS m "
        "FROM t WHERE b > 99) AS x ON x.s = t.a WHERE x.m BETWEEN 1 AND 2 OR t.a = 1",
    ],
)
def test_windows_in_queries(sql: str) -> None:
    PAIR.check(sql)


def test_offset_from_a_parameter() -> None:
    PAIR.check("SELECT b, sum(b) OVER (ORDER BY b ROWS BETWEEN ? PRECEDING AND CURRENT ROW) FROM t", (2,))


@pytest.mark.parametrize(
    ("call", "offset", "message"),
    [
        ("ntile(?) OVER ()", 0, "argument of ntile must be a positive integer"),
        ("nth_value(b, ?) OVER ()", 0, "second argument to nth_value must be a positive integer"),
        ("nth_value(b, a + ?) OVER ()", 1, "second argument to nth_value must be a positive integer"),
        ("sum(b) OVER (ORDER BY b ROWS ? PRECEDING)", -1, "frame starting offset must be a non-negative integer"),
        ("sum(b) OVER (ORDER BY b ROWS ? PRECEDING)", 1.5, "frame starting offset must be a non-negative integer"),
        (
            "sum(b) OVER (ORDER BY b GROUPS BETWEEN CURRENT ROW AND ? FOLLOWING)",
            "x",
            "frame ending offset must be a non-negative integer",
        ),
        ("sum(b) OVER (ORDER BY b RANGE ? PRECEDING)", -1.5, "frame starting offset must be a non-negative number"),
        ("sum(b + ?) OVER (ORDER BY b)", 2**63 - 50, "integer overflow"),
    ],
)
def test_errors(call: str, offset: Any, message: str) -> None:
    sql = f"SELECT {call} FROM t"
    with pytest.raises(Exception, match=message):
        PAIR.sqlite.execute(sql, (offset,)).fetchall()
    with pytest.raises(OperationalError, match=message):
        PAIR.rows(sql, (offset,))
