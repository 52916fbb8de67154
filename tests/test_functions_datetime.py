"""Date and time functions against SQLite, and against fixed tables."""

import datetime
import itertools
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from function_oracle import CONTEXT, NOW, FunctionContext, call, own_outcome, sqlite_call
from hypothesis import given, settings
from hypothesis import strategies as st

from discosql.errors import OperationalError
from discosql.executor.functions import DEFAULT

years = st.one_of(st.integers(0, 9999), st.integers(1950, 2050), st.sampled_from([1900, 2000, 2023, 2024]))
days = st.one_of(st.sampled_from([1, 28, 29, 30, 31]), st.integers(1, 31))
dates = st.tuples(st.sampled_from(["", "", "", "-"]), years, st.integers(1, 12), days).map(
    lambda parts: "{}{:04d}-{:02d}-{:02d}".format(*parts)
)
seconds = st.one_of(
    st.just(""),
    st.integers(0, 59).map(":{:02d}".format),
    st.tuples(st.integers(0, 59), st.text("0123456789", min_size=1, max_size=12)).map(
        lambda parts: ":{:02d}.{}".format(*parts)
    ),
)
zones = st.sampled_from(["", "", "", "Z", "z", " Z", "+01:00", "-05:30", "+00:00", "+14:00", " +02:00 "])
clocks = st.tuples(st.integers(0, 24), st.integers(0, 59), seconds, zones).map(
    lambda parts: "{:02d}:{:02d}{}{}".format(*parts)
)
moments = st.tuples(dates, st.sampled_from([" ", "T", "  "]), clocks).map("".join)
odd_moments = st.sampled_from(
    [
        *(None, "", "now x", "2024", "abc", "12", "2024-02-30", "2023-02-29", "0000-01-01", "9999-12-31", "24:00"),
        *("-4713-11-24 12:00:00", "-4714-01-01", "10000-01-01", "24:00:01", "23:59:60", "2024-13-01", "2024-00-10"),
        *("2024-01-32", "2024-01-01T", "2024-01-01T10:00Z", "2024-1-1", "20240101", b"2024-01-01", "2451545x", "1e6"),
        *("2024-01-01 10:00:00.", "2024-01-01 10:00:00.5+14:59", "2024-01-01 10:00 -15:00", "2024-01-01\0x", "2451545"),
        *("9999-12-31 23:59:59.999", "10:20", "10:20:30.123", "10:20+01:00", "-1", ".5", " 2451545 ", "5373484.49999"),
        *(float("inf"), 1e20, -1e20, 2**63 - 1, 5373484.5, 5373484.4999999, -0.5),
    ]
)
raw_numbers = st.one_of(
    st.floats(0, 5373485), st.integers(0, 5373484), st.integers(-(10**10), 10**11), st.floats(-1e9, 2e9)
)
time_values = st.one_of(dates, clocks, moments, raw_numbers, odd_moments)

amounts = st.one_of(
    st.integers(-50, 50).map(str),
    st.integers(0, 400).map("+{}".format),
    st.floats(-100, 100).map("{:.3f}".format),
    st.integers(-(10**6), 10**6).map(str),
    st.sampled_from(["+1.5", "-0.5", "1e2"]),
)
units = st.sampled_from(
    [
        *("day", "days", "hour", "hours", "minute", "minutes", "second", "seconds", "month", "months", "year", "years"),
        *("Day", "YEARS", "week", "daysx"),
    ]
)
shifts = st.tuples(
    st.sampled_from("+-"),
    st.integers(0, 100),
    st.integers(0, 12),
    st.integers(0, 31),
    st.sampled_from(["", " 10:20", " 10:20:30.5", " 24:00", "x", " "]),
).map(lambda parts: "{}{:04d}-{:02d}-{:02d}{}".format(*parts))
modifiers = st.one_of(
    st.tuples(amounts, st.sampled_from([" ", "  ", ""]), units).map("".join),
    st.sampled_from(["start of day", "start of month", "start of year", "start of week", "Start Of Year", "start of "]),
    st.sampled_from(["0", "1", "3", "6", "7", "1.0", "2.5", "-1", "x"]).map("weekday {}".format),
    shifts,
    st.sampled_from(["+10:30", "-10:30:15", "10:30:15.25", "+1:2", "-00:00:00.5", "+24:00", "+12345-02-03"]),
    st.sampled_from(["unixepoch", "auto", "julianday", "UNIXEPOCH"]),
    st.sampled_from(
        ["floor", "ceiling", "subsec", "subsecond", "", " ", "foo", None, 5, 1.5, "+1", "1 day x", "floor "]
    ),
)
first_modifiers = st.one_of(modifiers, st.sampled_from(["unixepoch", "auto", "julianday"]))
arguments = st.one_of(
    st.tuples(time_values),
    st.tuples(time_values, first_modifiers),
    st.tuples(time_values, first_modifiers, modifiers),
    st.tuples(time_values, first_modifiers, modifiers, modifiers),
)
templates = st.sampled_from(
    [
        *("%d %e %f %F", "%G %g %V %U %W %u %w", "%H %k %I %l %M %p %P %R %S %T", "%j %J %s %m %Y %%", "%f|%s"),
        *("%Y-%m-%dT%H:%M:%fZ", "%x", "%", None, "", "abc%%", "%%%", "é%Y"),
    ]
)
CASES: dict[str, Any] = {
    **dict.fromkeys(("date", "time", "datetime", "julianday", "unixepoch"), arguments),
    "strftime": st.tuples(templates, arguments).map(lambda pair: (pair[0], *pair[1])),
    "timediff": st.tuples(time_values, time_values),
}


def _agrees(name: str, given_arguments: tuple[Any, ...]) -> None:
    own, oracle = own_outcome(name, *given_arguments), sqlite_call(name, *given_arguments)
    assert own == oracle, f"{name}{given_arguments}: {own} here, {oracle} in SQLite"


@pytest.mark.parametrize("name", sorted(CASES))
def test_dates_agree_with_sqlite(name: str) -> None:
    @settings(max_examples=200)
    @given(CASES[name])
    def check(given_arguments: tuple[Any, ...]) -> None:
        _agrees(name, given_arguments)

    check()


@pytest.mark.campaign
@pytest.mark.parametrize("name", sorted(CASES))
def test_dates_agree_with_sqlite_for_long(name: str) -> None:
    @settings(max_examples=30_000, derandomize=False)
    @given(CASES[name])
    def check(given_arguments: tuple[Any, ...]) -> None:
        _agrees(name, given_arguments)

    check()


@pytest.fixture(params=["UTC", "America/New_York", "Australia/Lord_Howe"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Move the process to another time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def test_local_time_agrees_with_sqlite(zone: str) -> None:
    @settings(max_examples=150)
    @given(
        st.one_of(dates, moments).filter(lambda text: not text.startswith("-") and "0001" < text[:4] < "9998"),
        st.lists(st.sampled_from(["localtime", "utc", "+1 day", "start of month"]), min_size=1, max_size=3),
    )
    def check(moment: str, given_modifiers: list[str]) -> None:
        # Results are kept together with the present, and the zone of a process does not change otherwise.
        context = FunctionContext(now=NOW + datetime.timedelta(seconds=next(_ticks)))
        function = DEFAULT.scalar("datetime", 1)
        assert function is not None
        own = function.implementation(context, moment, *given_modifiers)
        assert sqlite_call("datetime", moment, *given_modifiers)[1][1] == own

    check()


_ticks = itertools.count(1)


def test_the_present_is_that_of_the_statement() -> None:
    assert call("date") == call("date", "now") == call("current_date") == "2024-02-29"
    assert call("time", "NOW") == call("current_time") == "12:34:56"
    assert call("datetime", "now", "+1 day") == "2024-03-01 12:34:56"
    assert call("current_timestamp") == "2024-02-29 12:34:56"
    assert call("strftime", "%f", "now") == "56.789"
    assert call("unixepoch", "subsec") == 1709210096.789
    assert call("timediff", "now", "2024-02-28") == "+0000-00-01 12:34:56.789"


def test_the_present_can_be_forbidden() -> None:
    timeless = FunctionContext(timeless="a CHECK constraint")
    for name, given_arguments in (
        ("date", ()),
        ("datetime", ("now",)),
        ("time", ("2024-01-01", "localtime")),
        ("strftime", ("%Y", "now")),
        ("current_date", ()),
    ):
        function = DEFAULT.scalar(name, len(given_arguments))
        assert function is not None
        with pytest.raises(OperationalError, match=rf"non-deterministic use of {name}\(\) in a CHECK constraint"):
            function.implementation(timeless, *given_arguments)
        assert function.implementation(CONTEXT, *given_arguments) is not None
    function = DEFAULT.scalar("date", 1)
    assert function is not None
    assert function.implementation(timeless, "2024-01-01") == "2024-01-01"


@pytest.mark.parametrize(
    ("name", "given_arguments", "expected"),
    [
        ("date", ("2023-02-31",), "2023-03-03"),
        ("date", ("2024-01-31", "+1 month"), "2024-03-02"),
        ("date", ("2024-01-31", "+1 month", "floor"), "2024-02-29"),
        ("date", ("2024-01-31", "+1 month", "ceiling"), "2024-03-02"),
        ("date", ("2024-02-29", "-1 year", "floor"), "2023-02-28"),
        ("date", ("2024-05-15", "start of month", "+1 month", "-1 day"), "2024-05-31"),
        ("date", ("2024-05-15", "weekday 0"), "2024-05-19"),
        ("date", ("2024-05-19", "weekday 0"), "2024-05-19"),
        ("datetime", (0, "unixepoch"), "1970-01-01 00:00:00"),
        ("datetime", (1092941466, "auto"), "2004-08-19 18:51:06"),
        ("datetime", (2453237.5, "auto"), "2004-08-20 00:00:00"),
        ("datetime", ("2024-05-15 10:00+02:00",), "2024-05-15 08:00:00"),
        ("datetime", ("2024-05-15 10:00:00.999", "subsec"), "2024-05-15 10:00:00.999"),
        ("datetime", ("2024-05-15", "+0001-02-03 04:05"), "2025-07-18 04:05:00"),
        ("julianday", ("2000-01-01 12:00",), 2451545.0),
        ("unixepoch", ("1970-01-01 00:00:01",), 1),
        ("unixepoch", ("1969-12-31 23:59:59",), -1),
        ("strftime", ("%G-W%V-%u", "2021-01-03"), "2020-W53-7"),
        ("strftime", ("%j %U %W", "2024-12-31"), "366 52 53"),
        ("timediff", ("2024-03-02", "2024-01-31"), "+0000-01-00 00:00:00.000"),
        ("timediff", ("2023-02-15", "2023-03-15 12:00"), "-0000-01-00 12:00:00.000"),
        ("date", ("9999-12-31", "+1 day"), None),
        ("date", ("-4713-11-24 12:00:00",), "-4713-11-24"),
        ("date", ("-4713-11-24 11:59:59",), None),
        ("date", ("2024-01-01", "no such modifier"), None),
        ("date", (None,), None),
    ],
)
def test_examples(name: str, given_arguments: tuple[Any, ...], expected: Any) -> None:
    assert call(name, *given_arguments) == expected
    assert sqlite_call(name, *given_arguments)[1][1] == expected
