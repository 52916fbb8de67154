"""Aggregate functions against SQLite, over whole groups and over moving windows."""

from decimal import Decimal
from typing import Any

import pytest
from function_oracle import normal, numbers, sqlite_outcome, texts, values
from hypothesis import given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2

from discosql.errors import Error, OperationalError
from discosql.executor.functions import DEFAULT

ONE = ("count", "sum", "total", "avg", "min", "max", "group_concat")
TWO = ("group_concat", "string_agg")


def _state(name: str, arguments: int) -> Any:
    function = DEFAULT.aggregate(name, arguments)
    assert function is not None
    return function.factory()


def _own(name: str, rows: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    try:
        state = _state(name, len(rows[0]))
        for row in rows:
            state.step(*row)
        return "value", normal(state.final())
    except Error as exc:
        return "error", type(exc).__name__, str(exc)


def _sqlite(name: str, rows: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    columns = [f"column{number}" for number in range(1, len(rows[0]) + 1)]
    places = ", ".join(f"({', '.join('?' * len(columns))})" for _ in rows)
    flat = [value for row in rows for value in row]
    return sqlite_outcome(f"SELECT {name}({', '.join(columns)}) FROM (VALUES {places})", *flat)


@pytest.mark.parametrize("name", ONE)
def test_a_group_agrees_with_sqlite(name: str) -> None:
    @settings(max_examples=150)
    @given(st.lists(st.tuples(values), min_size=1, max_size=6))
    def check(rows: list[tuple[Any, ...]]) -> None:
        assert _own(name, rows) == _sqlite(name, rows)

    check()


@pytest.mark.parametrize("name", ("sum", "avg", "total"))
def test_sums_of_numbers_agree_to_the_last_digit(name: str) -> None:
    @settings(max_examples=200)
    @given(st.lists(st.tuples(numbers), min_size=1, max_size=12))
    def check(rows: list[tuple[Any, ...]]) -> None:
        assert _own(name, rows) == _sqlite(name, rows)

    check()


@pytest.mark.parametrize("name", TWO)
def test_separators_agree_with_sqlite(name: str) -> None:
    @settings(max_examples=100)
    @given(st.lists(st.tuples(values, st.one_of(st.none(), texts)), min_size=1, max_size=5))
    def check(rows: list[tuple[Any, ...]]) -> None:
        assert _own(name, rows) == _sqlite(name, rows)

    check()


exact = st.one_of(st.none(), st.integers(-100, 100), st.integers(-100, 100).map(lambda number: number / 4))


@pytest.mark.parametrize("name", ONE)
def test_moving_windows_agree_with_sqlite(name: str) -> None:
    @settings(max_examples=60)
    @given(st.lists(exact, min_size=1, max_size=9), st.integers(0, 3))
    def check(column: list[Any], before: int) -> None:
        connection = dbapi2.connect(":memory:")
        connection.execute("CREATE TABLE t(x)")
        connection.executemany("INSERT INTO t VALUES (?)", [(value,) for value in column])
        oracle = connection.execute(
            f"SELECT {name}(x) OVER (ORDER BY rowid ROWS BETWEEN {before} PRECEDING AND CURRENT ROW) FROM t"
        ).fetchall()
        connection.close()
        state = _state(name, 1)
        results = []
        for place, value in enumerate(column):
            if place > before:
                state.inverse(column[place - before - 1])
            state.step(value)
            results.append(state.value())
        if name in (
            "sum",
            "avg",
            "total",
        ):  # SQLite stays with REAL once it saw one; so do we, but it sees rows earlier
            assert results == [row[0] for row in oracle]
        else:
            assert list(map(normal, results)) == [normal(row[0]) for row in oracle]

    check()


def test_empty_groups() -> None:
    results = {name: _state(name, 1).final() for name in (*ONE, "median")}
    assert results == {
        **dict.fromkeys(("sum", "avg", "min", "max", "group_concat", "median")),
        "count": 0,
        "total": 0.0,
    }


def test_integers_overflow_as_in_sqlite() -> None:
    assert _own("sum", [(2**63 - 1,), (1,), (-5,)]) == ("error", "OperationalError", "integer overflow")
    assert _own("sum", [(2**63 - 1,), (1,), (0.5,)])[0] == "value"


def test_decimals_add_up_exactly() -> None:
    rows = [(Decimal("0.10"),), (Decimal("0.20"),), (None,), (1,)]
    assert _own("sum", rows) == ("value", ("Decimal", Decimal("1.30")))
    assert _own("avg", rows[:2]) == ("value", ("Decimal", Decimal("0.15")))
    assert _own("total", rows) == ("value", ("float", 1.3))
    assert _own("sum", [*rows, (0.5,)]) == ("value", ("float", 1.8))
    assert _own("max", [(Decimal("0.3"),), (0.1,), (Decimal("0.2"),)]) == ("value", ("Decimal", Decimal("0.3")))


def test_percentiles_lie_between_the_values() -> None:
    assert _own("median", [(4,), (1,), (None,), (3,), (2,)]) == ("value", ("float", 2.5))
    assert _own("percentile", [(number, 25) for number in (1, 2, 3, 4, 5)]) == ("value", ("float", 2.0))
    assert _own("percentile_cont", [(number, 0.1) for number in (1, 2)]) == ("value", ("float", 1.1))
    assert _own("percentile_disc", [(number, 0.9) for number in (1, 2)]) == ("value", ("float", 1.0))
    state = _state("percentile", 2)
    state.step(1, 50)
    with pytest.raises(OperationalError, match="not the same for all input rows"):
        state.step(2, 60)
    with pytest.raises(OperationalError, match=r"not between 0.0 and 100.0"):
        state.step(2, 101)
    with pytest.raises(OperationalError, match=r"input to median\(\) is not numeric"):
        _state("median", 1).step("x")


def test_extremes_follow_a_collation() -> None:
    function = DEFAULT.aggregate("max", 1)
    assert function is not None
    assert function.collated is not None
    state = function.collated(lambda value: str(value).lower())()
    for value in ("a", "B", "b"):
        state.step(value)
    assert state.final() == "B"
