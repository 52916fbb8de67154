"""printf() and the decimal text of REALs against SQLite."""

import struct
from typing import Any

import pytest
from function_oracle import is_moderate, own_outcome, sqlite_call, sqlite_outcome, values
from hypothesis import given, settings
from hypothesis import strategies as st

from discosql.reals import real_text

conversions = st.tuples(
    st.sampled_from(["", "x", "é", " "]),
    st.text("-+ #!0,", max_size=3),
    st.sampled_from(["", "", "5", "12", "40", "3"]),
    st.sampled_from(["", "", ".", ".0", ".1", ".3", ".10", ".20"]),
    st.sampled_from(["", "", "l", "ll", "h"]),
    st.sampled_from("ddiuxXopfffeEgGgsszqQwc%nrjT"),
).map(lambda parts: "{}%{}{}{}{}{}".format(*parts))
templates = st.lists(conversions, min_size=1, max_size=3).map("".join)
plain_values = values.filter(lambda value: not isinstance(value, bytes) or value.isascii())


def _agrees(template: str, arguments: list[Any]) -> None:
    own, oracle = own_outcome("printf", template, *arguments), sqlite_call("printf", template, *arguments)
    assert own == oracle, (template, arguments)


@settings(max_examples=500)
@given(templates, st.lists(plain_values, max_size=4))
def test_templates_agree_with_sqlite(template: str, arguments: list[Any]) -> None:
    _agrees(template, arguments)


@pytest.mark.campaign
@settings(max_examples=100_000, derandomize=False)
@given(templates, st.lists(plain_values, max_size=4))
def test_templates_agree_with_sqlite_for_long(template: str, arguments: list[Any]) -> None:
    _agrees(template, arguments)


@pytest.mark.parametrize(
    ("template", "arguments"),
    [
        ("%*d|%-*d|%.*f|%*.*s", [5, 1, 5, 2, 3, 3.14159, -6, 2, "abc"]),
        ("%d %s", [1]),
        ("100%", []),
        ("%5%|%c|%c", ["é", ""]),
        ("%.3c|%5.2c|%-5.2c|", ["ab", "é", "é"]),
        ("%,d %,.2f %,u %,x", [1234567, 1234567.891, 1234567, 1234567]),
        ("%r %r %r %r %r", [1, 2, 3, 11, 102]),
        ("%q|%Q|%w|%Q", ["it's", "it's", 'a"b', None]),
        ("%!.3q|%.3q", ["é'éé", "abc'd"]),
        ("%!5s|%5s|%!.2s|%.2s", ["é", "é", "éab", "éab"]),
        ("%s", ["a\0b"]),
        ("%020.3f|%+.2e|% g|%#g|%#.0f", [-3.5, 12345.678, 0.0001, 1.0, 3.0]),
        ("%d %d %d", [2**63 - 1, -(2**63), "12abc"]),
        ("%x %X %o %#x %#o", [-1, 255, 8, 255, 8]),
        ("%f %g %010f", [float("inf"), float("-inf"), 1e300]),
        ("%2000000000d", [1]),
    ],
)
def test_examples_agree_with_sqlite(template: str, arguments: list[Any]) -> None:
    _agrees(template, arguments)


doubles = st.one_of(
    st.floats(allow_nan=False),
    st.integers(0, 2**64 - 1)
    .map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
    .filter(lambda number: number == number),
    st.tuples(st.integers(0, 10**17), st.integers(0, 10)).map(lambda pair: pair[0] / 2 ** pair[1]),
    st.tuples(st.integers(10**14, 10**16), st.integers(0, 5)).map(lambda pair: pair[0] / 10 ** pair[1]),
)


@settings(max_examples=500)
@given(doubles)
def test_reals_are_written_as_sqlite_writes_them(number: float) -> None:
    assert sqlite_outcome("SELECT CAST(? AS TEXT)", number) == ("value", ("str", real_text(number)))


@pytest.mark.campaign
@settings(max_examples=200_000, derandomize=False)
@given(doubles)
def test_reals_are_written_as_sqlite_writes_them_for_long(number: float) -> None:
    assert sqlite_outcome("SELECT CAST(? AS TEXT)", number) == ("value", ("str", real_text(number)))
    if is_moderate(number):
        assert own_outcome("quote", number) == sqlite_call("quote", number)
