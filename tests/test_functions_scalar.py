"""Scalar functions against SQLite, function by function."""

from decimal import Decimal
from typing import Any

import pytest
from function_oracle import CONTEXT, call, is_moderate, own_outcome, patterns, same_or_near, small, sqlite_call, values
from hypothesis import given, settings
from hypothesis import strategies as st

import discosql
from discosql.errors import DataError, OperationalError
from discosql.executor import sizes
from discosql.executor.functions import DEFAULT

ANY = values
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    **{
        name: (st.tuples(ANY),)
        for name in (
            *("abs", "ceil", "ceiling", "floor", "trunc", "sign", "round", "length", "octet_length", "lower", "upper"),
            *(
                "trim",
                "ltrim",
                "rtrim",
                "hex",
                "unhex",
                "unicode",
                "unistr",
                "soundex",
                "typeof",
            ),
            *("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "degrees", "exp", "ln", "log", "log10"),
            *("log2", "radians", "sin", "sinh", "sqrt", "tan", "tanh", "likely", "unlikely"),
        )
    },
    **{
        name: (st.tuples(ANY, ANY),)
        for name in (
            *("atan2", "mod", "pow", "power", "log", "instr", "trim", "ltrim", "rtrim", "unhex", "ifnull", "nullif"),
            *("max", "min", "iif", "concat", "sqlite_log"),
        )
    },
}
VARYING = {
    "quote": ("quote", st.tuples(ANY.filter(is_moderate))),
    "unistr_quote": ("unistr_quote", st.tuples(ANY.filter(is_moderate))),
    "round to digits": ("round", st.tuples(ANY, small)),
    "substr from": ("substr", st.tuples(ANY, small)),
    "substr": ("substr", st.tuples(ANY, small, small)),
    "substring": ("substring", st.tuples(ANY, small, small)),
    "replace": ("replace", st.tuples(ANY, ANY, ANY)),
    "char": ("char", st.lists(st.one_of(st.integers(0, 0x2FF), values), max_size=3).map(tuple)),
    "coalesce": ("coalesce", st.lists(ANY, min_size=2, max_size=4).map(tuple)),
    "concat": ("concat", st.lists(ANY, min_size=1, max_size=4).map(tuple)),
    "concat_ws": ("concat_ws", st.lists(ANY, min_size=2, max_size=4).map(tuple)),
    "max of several": ("max", st.lists(ANY, min_size=2, max_size=4).map(tuple)),
    "min of several": ("min", st.lists(ANY, min_size=2, max_size=4).map(tuple)),
    "iif of several": ("iif", st.lists(ANY, min_size=2, max_size=6).map(tuple)),
    "like": ("like", st.tuples(patterns, patterns)),
    "like with escape": ("like", st.tuples(patterns, patterns, st.one_of(st.sampled_from("\\%_éa"), values))),
    "glob": ("glob", st.tuples(patterns, patterns)),
    "power of small numbers": ("pow", st.tuples(st.integers(-4, 4), st.integers(-4, 4))),
    "round decimals": ("round", st.tuples(st.decimals(-9999, 9999, places=4).map(float), st.integers(0, 5))),
}
CASES = {**{name: (name, cases[0]) for name, cases in ARGUMENTS.items()}, **VARYING}


def _agrees(name: str, arguments: tuple[Any, ...]) -> None:
    own, oracle = own_outcome(name, *arguments), sqlite_call(name, *arguments)
    assert same_or_near(own, oracle), f"{name}{arguments}: {own} here, {oracle} in SQLite"


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_function_agrees_with_sqlite(case: str) -> None:
    name, arguments = CASES[case]

    @settings(max_examples=40)
    @given(arguments)
    def check(given_arguments: tuple[Any, ...]) -> None:
        _agrees(name, given_arguments)

    check()


@pytest.mark.campaign
@pytest.mark.parametrize("case", sorted(CASES))
def test_a_function_agrees_with_sqlite_for_long(case: str) -> None:
    name, arguments = CASES[case]

    @settings(max_examples=10_000, derandomize=False)
    @given(arguments)
    def check(given_arguments: tuple[Any, ...]) -> None:
        _agrees(name, given_arguments)

    check()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("abs", (-(2**63),)),
        ("like", ("a", "a", "xy")),
        ("like", ("a", "a", "")),
        ("like", ("%" * 50_001, "a")),
        ("glob", ("*" * 50_001, "a")),
        ("zeroblob", (-1,)),
        ("zeroblob", (3,)),
        ("zeroblob", (2_000_000_000,)),
        ("unistr", ("\\u00",)),
        ("load_extension", ("x",)),
        ("printf", ()),
        ("printf", ("",)),
    ],
)
def test_edges_agree_with_sqlite(name: str, arguments: tuple[Any, ...]) -> None:
    _agrees(name, arguments)


def test_like_of_the_longest_pattern_is_quick() -> None:
    assert call("like", "%a" * 25_000, "a" * 30_000) == 1
    assert call("like", "%a" * 25_000, "a" * 24_999) == 0
    assert call("glob", "*[ab]?" * 5_000, "ab" * 5_000) == 1
    assert call("glob", "*[ab]?" * 5_000 + "c", "ab" * 6_000) == 0
    assert call("like", "%_" * 24_999 + "b", "a" * 30_000) == 0


def test_like_follows_the_setting_of_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (call("like", "A%", "abc"), call("like", "É", "é")) == (1, 0)
    monkeypatch.setattr(CONTEXT.state, "case_sensitive_like", True)
    assert (call("like", "A%", "abc"), call("like", "a%", "abc")) == (0, 1)


def test_regexp_searches_with_regular_expressions_of_python() -> None:
    assert call("regexp", "b+$", "abb") == 1
    assert call("regexp", "^b", "abb") == 0
    assert call("regexp", None, "x") is None
    with pytest.raises(OperationalError, match="invalid regular expression"):
        call("regexp", "(", "x")


def test_match_is_refused() -> None:
    with pytest.raises(OperationalError, match="unable to use function MATCH in the requested context"):
        call("match", "a", "b")


def test_surrogates_never_come_out() -> None:
    assert call("char", 0xD800, 65) == "\ufffdA"
    assert call("unistr", "\\ud800") == "\ufffd"


def test_random_numbers_come_from_the_context() -> None:
    numbers = {call("random") for _ in range(50)}
    assert len(numbers) == 50
    assert all(-(2**63) < number < 2**63 for number in numbers)
    assert [len(call("randomblob", count)) for count in (5, 0, -3, "4", None)] == [5, 1, 1, 4, 1]
    with pytest.raises(DataError, match="too big"):
        call("randomblob", 2**40)


def test_the_connection_is_seen() -> None:
    CONTEXT.state.changes, CONTEXT.state.total_changes, CONTEXT.state.last_insert_rowid = 3, 9, 42
    assert (call("changes"), call("total_changes"), call("last_insert_rowid")) == (3, 9, 42)


def test_the_library_is_named() -> None:
    assert call("sqlite_version").startswith("3.51.")
    assert "discosql" in call("sqlite_source_id")
    assert call("sqlite_compileoption_used", "SQLITE_THREADSAFE") == 1
    assert call("sqlite_compileoption_used", "ENABLE_FTS5") == 0
    assert call("sqlite_compileoption_get", 0) == "ENABLE_MATH_FUNCTIONS"
    assert call("sqlite_compileoption_get", 99) is None


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("abs", (Decimal("-1.50"),), Decimal("1.50")),
        ("round", (Decimal("2.345"), 2), Decimal("2.35")),
        ("round", (Decimal("-2.5"),), Decimal("-3")),
        ("round", (Decimal("12345678901234567890.555"), 2), Decimal("12345678901234567890.56")),
        ("ceil", (Decimal("1.2"),), Decimal(2)),
        ("sign", (Decimal("-0.01"),), -1),
        ("max", (Decimal("1.5"), 1, 1.25), Decimal("1.5")),
        ("min", (Decimal("0.1"), 0.1), 0.1 if Decimal("0.1") > 0.1 else Decimal("0.1")),
        ("typeof", (Decimal(1),), "decimal"),
        ("concat", (Decimal("1.10"), "x"), "1.10x"),
        ("length", (Decimal("1.10"),), 4),
        ("quote", (Decimal("1.10"),), "1.10"),
        ("sqrt", (Decimal(4),), 2.0),
        ("coalesce", (None, Decimal("2.0")), Decimal("2.0")),
        ("iif", (Decimal("0.0"), 1, 2), 2),
        ("substr", ("hello", Decimal(2)), "ello"),
        ("char", (Decimal("65.9"),), "A"),
    ],
)
def test_decimals_are_exact_where_they_can_be(name: str, arguments: tuple[Any, ...], expected: Any) -> None:
    result = call(name, *arguments)
    assert (type(result), str(result)) == (type(expected), str(expected))


def test_collations_reach_the_functions_that_compare() -> None:
    def folded(value: Any) -> Any:
        return (value is not None, value.lower() if isinstance(value, str) else value)

    made = {}
    for name in ("max", "min", "nullif"):
        function = DEFAULT.scalar(name, 2)
        assert function is not None
        assert function.collated is not None
        made[name] = function.collated(folded)
    assert made["max"]("a", "B") == "B"
    assert made["max"]("a", "A") == "a"
    assert made["min"]("b", "A", None) is None
    assert made["nullif"]("a", "A") is None


EXCLUDED = {
    *("bm25", "highlight", "snippet", "matchinfo", "offsets", "optimize"),  # full-text tables
    *("fts3_tokenizer", "fts5", "fts5_get_locale", "fts5_insttoken", "fts5_locale", "fts5_source_id"),
    *("rtreecheck", "rtreedepth", "rtreenode"),
}


def test_every_function_of_sqlite_is_there() -> None:
    from pysqlite3 import dbapi2

    rows = dbapi2.connect(":memory:").execute("SELECT name, type, narg FROM pragma_function_list").fetchall()
    missing = []
    for name, kind, count in rows:
        if name in EXCLUDED:
            continue
        counts = [count] if count >= 0 else [1 if count == -1 else -count - 1, 5]
        signatures = [
            DEFAULT.signatures().get((name, found))
            for found in (("scalar",) if kind == "s" else ("aggregate", "window"))
        ]
        for arguments in counts:
            if not any(
                signature is not None
                and signature.minimum <= arguments
                and (signature.maximum is None or arguments <= signature.maximum)
                for signature in signatures
            ):
                missing.append((name, arguments))
    assert missing == []


def test_hexadecimal_of_what_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MAX_LENGTH", 1_000)
    assert call("hex", bytes(500)) == "00" * 500
    with pytest.raises(DataError, match="string or blob too big"):
        call("hex", bytes(501))


DOUBLED = "(WITH RECURSIVE t (x) AS (SELECT 'aaaaaaaa' UNION ALL SELECT {} FROM t) SELECT x FROM t LIMIT 1 OFFSET 40)"
TWICE = ("x || x", "concat(x, x)", "concat_ws('', x, x)", "json_array(x, x)", "x || CAST(x AS BLOB)")


@pytest.mark.parametrize("twice", TWICE)
def test_no_text_grows_without_bound(twice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MAX_LENGTH", 100_000)
    with discosql.connect(":memory:") as db, pytest.raises(discosql.DataError, match="string or blob too big"):
        db.execute(f"SELECT length({DOUBLED.format(twice)})")


def test_casts_to_decimal_keep_every_digit() -> None:
    numbers = "'12abc'", "'abc'", "''", "NULL", "'1.'", "'.'"
    texts = *numbers, "' -1.50e3x'", "x'3132'", "'12345678901234567890.123456789'"
    with discosql.connect(":memory:") as db:
        (row,) = db.execute(f"SELECT {', '.join(f'CAST({text} AS DECIMAL)' for text in texts)}")
    expected = ("12", "0", "0", None, "1", "0", "-1500", "12", "12345678901234567890.123456789")
    assert row == tuple(None if value is None else Decimal(value) for value in expected)
