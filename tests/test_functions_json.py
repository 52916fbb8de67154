"""JSON functions against SQLite: their results, their errors, and what they take for JSON."""

import itertools
import json
from decimal import Decimal
from typing import Any

import pytest
from function_oracle import INTEGERS, REALS, TEXTS, call, normal, sqlite_call
from hypothesis import given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2 as sqlite

from discosql.errors import Error, OperationalError
from discosql.executor.functions import DEFAULT
from discosql.executor.functions.json_nodes import JsonText
from discosql.executor.functions.json_rows import json_rows
from discosql.executor.operators import plain_text

# What functions are given ------------------------------------------------------------------------------------------

PIECES = (
    *("{", "}", "[", "]", ",", ":", '"', "'", "\\", "+", "-", ".", " ", "\t", "\n", "\v", "\u00a0", "\u2028", "\ufeff"),
    *('"a"', "'b'", "a", "$", "_", "é", "1", "0", "5", "e", "E", "0x1F", "1.5e-3", "true", "false", "null", "NaN"),
    *("nullx", "Infinity", "-inf", "QNaN", "/*", "*/", "//", "\\u0041", "\\n", "\\x41", "\\0", "\\'", "\\\n", "\x01"),
    *('"\\u00e9"', '"\'"', "'\"'", '"a":', "b:", "[1,2]", '{"a":1}', "\0", '"\\ud83d\\ude00"', "😀"),
)
LABELS = ("a", "b", "c d", "\\u0061", '\\"', "é", "x1", "1x", "_", "", "aa", "long" * 4, "\\n", "\\\\")
SCALARS = (
    *("1", "-2.5", '"x"', "null", "true", "false", '"\\u00e9\\n"', "'q\"'", "0x1f", ".5", "5.", "-0", "1e5", '"a/b"'),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e999", "0xFFFFFFFFFFFFFFFF", "NaN"),
    *(f'"{"y" * length}"' for length in (11, 12, 255, 256)),
)
STEPS = (
    *(".a", ".b", "[0]", "[1]", "[2]", "[#-1]", '."c d"', ".x1", '."a"', '."\\u0061"', ".é", "[#]", '."\\""', '."\\q"'),
    *(".", "[", "]", "[#", "[#-1", "[#-9]", "[#-0]", ".a b", '."', "x", "[4294967296]", '.""', "[00]", "[-1]"),
)

soup = st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("".join)
texts = st.one_of(soup, soup.map("[{}]".format), soup.map(lambda text: f'{{"a":{text}}}'), soup.map('"{}"'.format))


def _members(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(st.sampled_from(LABELS), children).map(lambda pair: f'"{pair[0]}":{pair[1]}')
    return st.one_of(
        st.lists(children, max_size=4).map(lambda items: f"[{','.join(items)}]"),
        st.lists(pairs, max_size=4).map(lambda items: "{" + ",".join(items) + "}"),
    )


documents = st.recursive(st.sampled_from(SCALARS), _members, max_leaves=12)
paths = st.lists(st.sampled_from(STEPS), max_size=3).map(lambda steps: "".join(("$", *steps)))
values = st.one_of(
    st.none(),
    st.sampled_from(INTEGERS),
    st.sampled_from(REALS),
    st.sampled_from(TEXTS),
    documents,
    st.sampled_from((b"", b"[1]", b"\x00", b"\x13\x31", b"\x0b", b"zz")),
)
PLACES = ("a", "c d", "[0]", 'x"y', 1.5, "", "[1", None, "_", "é")
places = st.one_of(paths, st.integers(-3, 3), st.sampled_from(PLACES))
flags = st.sampled_from((1, 2, 3, "2", 0, 16, None))
indents = st.one_of(st.none(), st.sampled_from(("", " ", "\t", "--", 3)))

CASES: dict[str, tuple[str, Any]] = {
    **{name: (name, st.tuples(texts)) for name in ("json", "json_valid", "json_error_position", "json_pretty")},
    "json_valid with flags": ("json_valid", st.tuples(st.one_of(texts, values), flags)),
    "json of anything": ("json", st.tuples(values)),
    "json_type of text": ("json_type", st.tuples(texts)),
    "json_extract of text": ("json_extract", st.tuples(texts, st.sampled_from(("$", "$.a", "$[0]")))),
    "-> into text": ("->", st.tuples(texts, st.sampled_from(("a", "$", 0)))),
    "json_extract": ("json_extract", st.tuples(documents, paths)),
    "json_extract of several": ("json_extract", st.tuples(documents, paths, paths)),
    "json_extract of anything": ("json_extract", st.lists(st.one_of(values, paths), max_size=3).map(tuple)),
    "->": ("->", st.tuples(documents, places)),
    "->>": ("->>", st.tuples(documents, places)),
    "json_type": ("json_type", st.tuples(documents, paths)),
    "json_array_length": ("json_array_length", st.tuples(documents, paths)),
    "json_pretty with indent": ("json_pretty", st.tuples(documents, indents)),
    **{
        name: (name, st.one_of(st.tuples(documents, paths, values), st.tuples(documents, paths, values, paths, values)))
        for name in ("json_insert", "json_replace", "json_set")
    },
    "json_set of anything": ("json_set", st.lists(st.one_of(values, paths), max_size=5).map(tuple)),
    "json_remove": ("json_remove", st.tuples(documents, paths)),
    "json_remove of several": ("json_remove", st.tuples(documents, paths, paths)),
    "json_patch": ("json_patch", st.tuples(documents, documents)),
    "json_patch of anything": ("json_patch", st.tuples(values, values)),
    "json_array": ("json_array", st.lists(values, max_size=4).map(tuple)),
    "json_object": ("json_object", st.lists(values, max_size=4).map(tuple)),
    "json_quote": ("json_quote", st.tuples(values)),
    **{name: (name, st.tuples(documents)) for name in ("jsonb", "jsonb_array", "jsonb_extract", "jsonb_remove")},
    "jsonb_extract at a path": ("jsonb_extract", st.tuples(documents, paths)),
    "jsonb_object": ("jsonb_object", st.tuples(st.sampled_from(TEXTS), values)),
}


def outcome(name: str, *arguments: Any) -> tuple[Any, ...]:
    """Return the result of a function, or its error."""
    try:
        return "value", normal(plain_text(call(name, *arguments)))
    except Error as exc:
        return "error", type(exc).__name__, str(exc)


@pytest.mark.parametrize("case", CASES)
def test_a_function_agrees_with_sqlite(case: str) -> None:
    _agrees(case, 80)


@pytest.mark.campaign
@pytest.mark.parametrize("case", CASES)
def test_a_function_agrees_with_sqlite_for_long(case: str) -> None:
    _agrees(case, 10_000, derandomize=False)


def _agrees(case: str, examples: int, **options: Any) -> None:
    name, strategy = CASES[case]

    @settings(max_examples=examples, **options)
    @given(strategy)
    def check(arguments: tuple[Any, ...]) -> None:
        assert outcome(name, *arguments) == sqlite_call(name, *arguments)

    check()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("json", ("",)),
        ("json", (" [ 1 , { } ] ",)),
        ("json", ('{"a":1,"a":2}',)),
        ("json", ('"\\u0041\\/\\n"',)),
        ("json", ("[1.50,-0,1E+2,100000000000000000000]",)),
        ("json_extract", ('{"a":1,"a":2}', "$.a")),
        ("json_extract", ('{"a\\u0062":1}', "$.ab")),
        ("json_extract", ('"\\u0000a"', "$")),
        ("json_extract", ("0xFFFFFFFFFFFFFFFFF", "$")),
        ("json_extract", ("[1]", "a'b")),
        ("json_set", ("{}", "$.a.b[0].c", 1)),
        ("json_set", ("{}", "$.a[1]", 1)),
        ("json_set", ("[1,2]", "$[#]", "x")),
        ("json_set", ("{}", '$."a\\"b"', 1)),
        ("json_insert", ("1", "$", 2)),
        ("json_replace", ("1", "$", 2)),
        ("json_replace", ("1",)),
        ("json_replace", ("1", "$")),
        ("json_remove", ("[1]", "$")),
        ("json_remove", ()),
        ("json_object", ("a",)),
        ("json_object", (1, 2)),
        ("json_array", (b"zz",)),
        ("json_array", (1e999, -1e999, 1e15)),
        ("json_set", ("[1]", "$[0]", 1e999)),
        ("json_array_length", (None, "x")),
        ("json_array_length", ("[1]", "x")),
        ("json_valid", (None, 99)),
        ("json_valid", (None,)),
        ("json_valid", (5,)),
        ("json_error_position", (None,)),
        ("->", ("[1,2]", "")),
        ("->>", ('{"$":1}', "$")),
        ("json_patch", ('{"a":[1],"b":2}', '{"a":{"c":null,"d":[null]},"b":null}')),
        ("json_pretty", ('{"a":[],"b":{},"c":[1,{"d":2}]}',)),
        ("json_valid", (b"\x2b\x13\x31", 4)),
        ("json_valid", (b"\x2b\x13\x78", 8)),
        ("json_valid", (b"\x2b\x13\x31", 8)),
        ("json", (b"\x2b\x13\x31",)),
    ],
)
def test_special_cases(name: str, arguments: tuple[Any, ...]) -> None:
    assert outcome(name, *arguments) == sqlite_call(name, *arguments)


# Depth, size, sharing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [999, 1_000, 1_001, 3_000])
@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"\\n":'])
def test_json_may_nest_a_thousand_levels(depth: int, opening: str) -> None:
    count = depth // (opening.count("[") + opening.count("{"))
    closing = "".join({"[": "]", "{": "}"}.get(letter, "") for letter in reversed(opening))
    text = opening * count + "1" + closing * count
    path = "$" + "".join({"[": "[0]", "{": ".a"}.get(letter, "") for letter in opening) * (count - 1)
    calls = [
        *(("json", text), ("json_valid", text), ("json_error_position", text), ("json_extract", text, path)),
        *(("json_set", text, path, 2), ("json_remove", text, path), ("json_patch", text, text)),
        ("json_pretty", text, ""),
    ]
    for arguments in calls:
        assert outcome(*arguments) == sqlite_call(*arguments), arguments[0]


def test_paths_may_be_long() -> None:
    path = "$" + ".a" * 5_000
    made = call("json_set", "{}", path, 1)
    assert made.count("{") == 5_000
    assert call("json_extract", "{}", path) is None


def test_a_large_document_is_not_deep() -> None:
    data = [{"id": number, "name": f"n{number}\n", "tags": [number, None, 1.5]} for number in range(2_000)]
    text = json.dumps(data)
    assert json.loads(call("json", text)) == data
    assert call("json_array_length", text) == 2_000
    assert json.loads(call("json_remove", text, "$[0]")) == data[1:]


def test_long_text_that_is_no_json_is_refused_quickly() -> None:
    unclosed = ("[" * 100_000, '{"a":' * 50_000, "/*" * 50_000, "//" * 50_000, "'" + "\\\n" * 50_000)
    for text in (*unclosed, "1" * 100_000 + "x"):
        assert call("json_valid", text) == 0
        assert call("json_error_position", text) > 0


def test_documents_are_not_changed_by_what_is_made_of_them() -> None:
    text = '{"a":[1,{"b":2}]}'
    for _ in range(2):
        assert call("json_set", text, "$.a[1].b", 3) == '{"a":[1,{"b":3}]}'
        assert call("json_remove", text, "$.a[0]") == '{"a":[{"b":2}]}'
        assert call("json_patch", text, '{"a":{"c":{"d":1}}}') == '{"a":{"c":{"d":1}}}'
        assert call("json_patch", '{"x":{"y":1}}', '{"x":{"z":2}}') == '{"x":{"y":1,"z":2}}'
        assert call("json", text) == text


@pytest.mark.parametrize(
    "data", [b"\x2b\x13\x78", b"\x23\x78\x31", b"\x4b\x13\x31\x13\x78", b"\x27\x22\x61", b"\x1b\x13"]
)
def test_what_only_looks_like_jsonb_is_found_wrong(data: bytes) -> None:
    assert outcome("json_valid", data, 8) == sqlite_call("json_valid", data, 8) == ("value", ("int", 0))
    assert call("json_error_position", data) > 0


# What SQLite cannot say ----------------------------------------------------------------------------------------------


def test_decimals_are_numbers() -> None:
    assert call("json_array", Decimal("1.50"), Decimal("3")) == "[1.50,3]"
    assert call("json_set", "{}", "$.a", Decimal("0.10")) == '{"a":0.10}'


def test_text_has_no_lone_surrogates() -> None:
    assert call("json_extract", '["\\ud800x\\udc00"]', "$[0]") == "\ufffdx\ufffd"
    assert call("json", '["\\ud800x"]') == '["\\ud800x"]'


def test_json_text_goes_as_json_into_another_function() -> None:
    made = call("json_array", 1)
    assert isinstance(made, JsonText)
    assert call("json_object", "a", made) == '{"a":[1]}'
    assert call("json_object", "a", str(made)) == '{"a":"[1]"}'


# json_each and json_tree ---------------------------------------------------------------------------------------------

_oracle = sqlite.connect(":memory:")


def _sqlite_rows(name: str, *arguments: Any) -> Any:
    try:
        sql = f"SELECT *, json, root FROM {name}({', '.join('?' * len(arguments))})"
        return _oracle.execute(sql, arguments).fetchall()
    except sqlite.Error as exc:
        return str(exc)


def _own_rows(name: str, *arguments: Any) -> Any:
    try:
        return json_rows(name, arguments)
    except Error as exc:
        return str(exc)


@pytest.mark.parametrize("name", ["json_each", "json_tree", "jsonb_each", "jsonb_tree"])
def test_rows_agree_with_sqlite(name: str) -> None:
    @settings(max_examples=100)
    @given(documents, st.one_of(st.just(()), paths.map(lambda path: (path,))))
    def check(document: str, path: tuple[str, ...]) -> None:
        assert _own_rows(name, document, *path) == _sqlite_rows(name, document, *path)

    check()


@pytest.mark.parametrize("arguments", [(), (None,), ("[1]", None), ("[1",), ("[1]", "x"), (5,), (b"\x2b\x13\x31",)])
@pytest.mark.parametrize("name", ["json_each", "json_tree"])
def test_rows_of_odd_arguments(name: str, arguments: tuple[Any, ...]) -> None:
    assert _own_rows(name, *arguments) == _sqlite_rows(name, *arguments)


def test_only_wanted_columns_are_made() -> None:
    text = '{"a":[1,{"b":null}],"c":"x"}'
    whole = json_rows("json_tree", (text,))
    for wanted in itertools.combinations(range(10), 2):
        some = json_rows("json_tree", (text,), frozenset(wanted))
        assert [[row[place] for place in wanted] for row in some] == [[row[place] for place in wanted] for row in whole]


# Groups and windows --------------------------------------------------------------------------------------------------

VALUES = (1, None, "x", 2.5, JsonText("[1]"), JsonText('{"a":"],["}'), '"', 1e999)


@pytest.mark.parametrize("name", ["json_group_array", "json_group_object"])
def test_rows_leave_a_window_as_they_came(name: str) -> None:
    count = 1 if name == "json_group_array" else 2
    function = DEFAULT.aggregate(name, count)
    assert function is not None
    labels = [None if place == 2 else f"k{place}" for place in range(len(VALUES))]
    rows = [(value,) if count == 1 else (label, value) for label, value in zip(labels, VALUES, strict=True)]
    for start in range(len(rows)):
        moving, fresh = function.factory(), function.factory()
        for row in rows:
            moving.step(*row)
        for row in rows[:start]:
            moving.inverse(*row)  # type: ignore[attr-defined]
        for row in rows[start:]:
            fresh.step(*row)
        assert moving.value() == fresh.final()  # type: ignore[attr-defined]


def test_groups_take_no_blobs() -> None:
    function = DEFAULT.aggregate("json_group_array", 1)
    assert function is not None
    with pytest.raises(OperationalError, match="JSON cannot hold BLOB values"):
        function.factory().step(b"zz")
