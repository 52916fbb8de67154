"""Calls of functions, here and in SQLite, and the nasty values they are given."""

import datetime
import math
import re
import string
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st
from pysqlite3 import dbapi2 as sqlite

from discosql.errors import Error
from discosql.executor.context import SessionState
from discosql.executor.functions import DEFAULT

NOW = datetime.datetime(2024, 2, 29, 12, 34, 56, 789000, tzinfo=datetime.UTC)


@dataclass
class FunctionContext:
    """What functions see of a connection; there is no database behind it."""

    state: SessionState = field(default_factory=SessionState)
    now: datetime.datetime = NOW
    random: Random = field(default_factory=lambda: Random(1))
    timeless: str | None = None


CONTEXT = FunctionContext()

_connection = sqlite.connect(":memory:")
_connection.text_factory = lambda data: data.decode("utf-8", "replace")


def sqlite_outcome(sql: str, *arguments: Any) -> tuple[Any, ...]:
    """Return the first value of a query in SQLite, or its error."""
    try:
        return "value", normal(_connection.execute(sql, arguments).fetchone()[0])
    except sqlite.Error as exc:
        return "error", type(exc).__name__, str(exc)


def sqlite_call(name: str, *arguments: Any) -> tuple[Any, ...]:
    """Return what SQLite makes of a call."""
    return sqlite_outcome(f'SELECT "{name}"({", ".join("?" * len(arguments))})', *arguments)


def call(name: str, *arguments: Any) -> Any:
    """Return the result of a function of the registry."""
    function = DEFAULT.scalar(name, len(arguments))
    assert function is not None, name
    return function.implementation(*([CONTEXT] if function.needs_context else []), *arguments)


def own_outcome(name: str, *arguments: Any) -> tuple[Any, ...]:
    """Return the result of a function as `sqlite_call` does, having held it against the function's signature."""
    function = DEFAULT.scalar(name, len(arguments))
    assert function is not None, name
    try:
        result = call(name, *arguments)
    except Error as exc:
        return "error", type(exc).__name__, str(exc)
    signature = function.signature
    if signature.null_safe and None not in arguments:
        assert result is not None, f"{name}{arguments} is NULL"
    if signature.result not in (None, "argument") and result is not None:
        assert _TYPES[type(result)] == signature.result.value, f"{name}{arguments} is {result!r}"
    return "value", normal(result)


_TYPES = {int: "INTEGER", float: "REAL", str: "TEXT", bytes: "BLOB", Decimal: "DECIMAL"}


def normal(value: Any) -> Any:
    """Return a value with its type, so that 1 and 1.0 differ.

    What SQL cannot tell apart does not differ: 0.0 and -0.0, and how many U+FFFD stand for bytes that are no UTF-8.
    """
    if isinstance(value, float) and value == 0:
        value = 0.0
    if isinstance(value, str):
        value = re.sub("\ufffd+", "\ufffd", value)
    return type(value).__name__, value


def same_or_near(left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    """Return whether two outcomes are equal, REALs but for the last digit, which may come from the C library."""
    if left[0] == right[0] == "value" and left[1][0] == right[1][0] == "float":
        return left[1] == right[1] or math.isclose(left[1][1], right[1][1], rel_tol=4e-16)
    return left == right


INTEGERS = (0, 1, -1, 2, 3, 7, 30, 31, 100, 2**31, 2**32 + 1, -(2**31) - 1, 2**53 + 1, 2**63 - 1, -(2**63), 1 - 2**63)
REALS = (
    *(0.0, -0.0, 0.5, 1.0, -1.0, 1.5, 2.5, -2.5, 0.15, 0.25, 2.675, 0.1 + 0.2, 123456789.123, 1e15, 4503599627370497.5),
    *(1e100, -1e100, 1e-100, 1.7976931348623157e308, 5e-324, math.inf, -math.inf, 9.2233720368547758e18),
)
TEXTS = (
    *(
        "",
        "a",
        "A",
        "abc",
        "Hello World",
        "it's",
        'say "x"',
        "é",
        "É",
        "aéb",
        "日本語",
        "😀x",
        "  x  ",
        "xxaxx",
        "a\nb",
    ),
    *("12", "-12abc", "1e3", " 1.5 ", "1.5x", ".5", "5.", "0x10", "inf", "nan", "1.0", "-", "+", "9223372036854775808"),
    *("-9223372036854775808", "a\0b", "\0", "%", "a%", "_", "*", "[a-c]", "\\", "41 42", "4142", "zz", "%d"),
    *("\\0041", "\\u00e9\\+01f600\\\\", "\\U0001f600", "\\z"),
)
BLOBS = (b"", b"a", b"abc", b"\x00\x01", b"12", b"\xc3\xa9", b"-1.5e1")


def is_moderate(value: Any) -> bool:
    """Return whether SQLite reads the text of a number as the number nearest to it, which far exponents prevent."""
    return not isinstance(value, float) or value == 0 or math.isinf(value) or 1e-80 < abs(value) < 1e80


numbers = st.one_of(
    st.sampled_from(INTEGERS),
    st.sampled_from(REALS),
    st.integers(-12, 12),
    st.floats(allow_nan=False),
    st.decimals(-1000, 1000, places=3).map(float),
)
texts = st.one_of(
    st.sampled_from(TEXTS),
    st.text("abcABCé😀 %_*?[]^-\\'\"\0012.e+", max_size=8),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.floats(allow_nan=False, allow_infinity=False).filter(is_moderate).map(str),
)
values = st.one_of(st.none(), numbers, texts, st.sampled_from(BLOBS))
small = st.one_of(st.integers(-6, 40), values)
patterns = st.one_of(st.text("abAB%_*?[]^-\\éÉ", max_size=8), values)
letters = st.sampled_from(string.ascii_letters)
