"""Operators on all pairs of values, for every combination of column types, against SQLite."""

from typing import Any, Final

import pytest
from compiling import Pair

MINIMUM: Final = -(2**63)
INTEGERS: Final = [0, 1, -1, 2, 7, 63, 64, -70, 2**53 + 1, 2**63 - 1, MINIMUM]
REALS: Final = [0.0, -0.0, 0.5, 2.0, -2.5, 1e10, 1e300, -1e308, 9007199254740992.0, float("inf")]
TEXTS: Final = ["", "a", "A", "a ", "b", "1", " 2", "1.5", "1e2", "2x", "-3", "é", "9223372036854775808"]
BLOBS: Final = [b"", b"a", b"1", b"\x00"]

COLUMNS: Final[dict[str, tuple[str, list[Any]]]] = {
    "i": ("INTEGER NOT NULL", INTEGERS),
    "m": ("INTEGER", [None, *INTEGERS]),
    "r": ("REAL NOT NULL", REALS),
    "q": ("REAL", [None, *REALS]),
    "s": ("TEXT NOT NULL", TEXTS),
    "t": ("TEXT COLLATE NOCASE", [None, *TEXTS]),
    "b": ("BLOB", [None, *BLOBS]),
    "v": ("", [None, 1, -1, 2**63 - 1, 0.5, 2.0, "1", "a", "1.0", b"1"]),
    "n": ("NUMERIC", [None, 1, 0.5, "a", b"1"]),
}

PAIR: Final = Pair(
    ";".join(f"CREATE TABLE {name} ({name} {declared})" for name, (declared, _) in COLUMNS.items()),
    {name: [(value,) for value in values] for name, (_, values) in COLUMNS.items()},
)


def check(sql: str, *, ordered: bool = True) -> None:
    PAIR.check(sql, ordered=ordered, plain=False)


def _pair(left: str, right: str) -> tuple[str, str, str]:
    return f"{left}.{left}", f"o.{right}", f"FROM {left} CROSS JOIN {right} AS o"


@pytest.mark.parametrize("right", COLUMNS)
@pytest.mark.parametrize("left", COLUMNS)
def test_arithmetic(left: str, right: str) -> None:
    a, b, tables = _pair(left, right)
    results = ", ".join(f"{a} {operator} {b}" for operator in ("+", "-", "*", "/", "%", "&", "|", "<<", ">>"))
    check(f"SELECT {results} {tables}")
    check(f"SELECT {a} || {b} {tables} WHERE typeof({a}) <> 'blob' AND typeof({b}) <> 'blob'")


@pytest.mark.parametrize("right", COLUMNS)
@pytest.mark.parametrize("left", COLUMNS)
def test_comparisons(left: str, right: str) -> None:
    a, b, tables = _pair(left, right)
    operators = ("=", "<>", "<", "<=", ">", ">=", "IS", "IS NOT")
    check(f"SELECT {', '.join(f'{a} {operator} {b}' for operator in operators)} {tables}")
    for operator in operators:
        check(f"SELECT {a}, {b} {tables} WHERE {a} {operator} {b}")
        check(f"SELECT {a}, {b} {tables} WHERE NOT {a} {operator} {b}")


@pytest.mark.parametrize("right", COLUMNS)
@pytest.mark.parametrize("left", COLUMNS)
def test_logic(left: str, right: str) -> None:
    a, b, tables = _pair(left, right)
    conditions = (f"{a} AND {b}", f"{a} OR {b}", f"{a} > 0 AND {b}", f"{a} IS NULL OR NOT {b}")
    check(f"SELECT {', '.join(f'{text}, NOT ({text})' for text in conditions)} {tables}")
    for condition in conditions:
        check(f"SELECT {a}, {b} {tables} WHERE {condition}")
        check(f"SELECT {a}, {b} {tables} WHERE NOT ({condition})")


@pytest.mark.parametrize("right", COLUMNS)
@pytest.mark.parametrize("left", COLUMNS)
def test_choices(left: str, right: str) -> None:
    a, b, tables = _pair(left, right)
    results = (
        f"{a} BETWEEN {b} AND 2",
        f"{a} NOT BETWEEN '1' AND {b}",
        f"abs({a}) + 1 BETWEEN {b} AND '5'",
        f"{a} IN (1, {b}, 'a')",
        f"{a} NOT IN ({b}, NULL)",
        f"CASE {a} WHEN {b} THEN 'same' WHEN 1 THEN 'one' END",
        f"CASE {a} || '' WHEN {b} THEN 'same' ELSE 'other' END",
        f"CASE WHEN {a} > {b} THEN {a} WHEN {b} THEN {b} ELSE 0 END",
        f"coalesce({a}, {b}), ifnull({b}, {a}), nullif({a}, {b}), iif({a}, {b}, 1)",
        f"max({a}, {b}), min({a}, {b})",
    )
    limit = f"WHERE {a} IS NOT {MINIMUM + 1} - 1"  # its abs() is an error
    for result in results:
        check(f"SELECT {result} {tables} {limit}")


@pytest.mark.parametrize("column", COLUMNS)
def test_one_operand(column: str) -> None:
    a, _, tables = _pair(column, "i")
    check(f"SELECT -{a}, +{a}, ~{a}, NOT {a}, {a} IS NULL, {a} IS NOT NULL, -(-{a}), {a} IS TRUE {tables}")
    for target in ("INTEGER", "REAL", "TEXT", "BLOB", "NUMERIC"):
        check(f"SELECT CAST({a} AS {target}) FROM {column}")
    for members in ("(1, 2, '1', 0.5)", "(NULL, 1)", "('a', x'31')", "()"):
        check(f"SELECT {a} IN {members}, {a} NOT IN {members} FROM {column}")
        check(f"SELECT {a} FROM {column} WHERE {a} IN {members}")
        check(f"SELECT {a} FROM {column} WHERE NOT {a} IN {members}")
    check(f"SELECT {a} / 7, {a} % 7, {a} / 0, {a} % 0, {a} / -1, {a} % 2.5, {a} * 3, {a} - 1 FROM {column}")


@pytest.mark.parametrize("column", COLUMNS)
def test_grouping_and_sorting_by_any_type(column: str) -> None:
    a, b, tables = _pair(column, "v")
    check(f"SELECT DISTINCT {a} {tables}")
    check(f"SELECT {a}, count(*), min({b}), max({b}), count(DISTINCT {b}), total({b}) {tables} GROUP BY {a}")
    check(f"SELECT min({a}), max({a}), count({a}), avg({a}), total({a}) FROM {column} WHERE {a} < 1e18")
    for order in ("", " DESC", " NULLS LAST", " DESC NULLS FIRST", " COLLATE NOCASE DESC", " COLLATE RTRIM"):
        check(f"SELECT {a}, {b} {tables} ORDER BY {a}{order}, {b}")
        check(f"SELECT {a}, {b} {tables} ORDER BY {b}{order}, {a} DESC LIMIT 7 OFFSET 3")
    check(f"SELECT {a} FROM {column} UNION SELECT v FROM v")
    check(f"SELECT {a} FROM {column} INTERSECT SELECT v FROM v")
    check(f"SELECT {a}, {b} FROM {column} JOIN v AS o ON {a} = {b}", ordered=False)
    check(f"SELECT {a}, {b} FROM {column} FULL JOIN v AS o ON {a} IS {b}", ordered=False)
