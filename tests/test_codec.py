"""Values survive being stored, exactly, and what is stored is plain ASCII that fits a code block."""

import json
import math
import struct
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosql.storage import codec
from discosql.storage.codec import (
    decode_lines,
    dump,
    dump_rows,
    encode_lines,
    from_json_value,
    rows_from,
    to_json_value,
)
from discosql.types import MAX_INTEGER, MIN_INTEGER, Row, Value

EDGES: list[Value] = [
    None,
    0,
    MIN_INTEGER,
    MAX_INTEGER,
    0.0,
    -0.0,
    1.0,
    5e-324,
    1.7976931348623157e308,
    math.inf,
    -math.inf,
    "",
    "\0",
    "`" * 3,
    "\x7f\x80\u202e\u200d\ufe0f\ufeff",
    "\U0010ffff",
    '],"\n",[',
    '],"\\n",[',
    "\n",
    "\\n",
    "<@123> @everyone",
    b"",
    bytes(range(256)),
    Decimal("1.50"),
    Decimal("-0"),
    Decimal("1E+30"),
    Decimal("0.000000000000000000000000000001"),
    "x" * 100_000,
]

values = st.one_of(
    st.none(),
    st.integers(MIN_INTEGER, MAX_INTEGER),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from(EDGES),
)
rows = st.lists(st.tuples(st.integers(MIN_INTEGER, MAX_INTEGER), values, values))


def same(left: Value, right: Value) -> bool:
    """Tell whether two values are the same to the last bit."""
    if isinstance(left, float) and isinstance(right, float):
        return struct.pack("d", left) == struct.pack("d", right)
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return left.as_tuple() == right.as_tuple()
    return type(left) is type(right) and left == right


def assert_same_rows(left: list[Row], right: list[Row]) -> None:
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        assert type(other) is tuple
        assert all(same(a, b) for a, b in zip(one, other, strict=True)), (one, other)


@pytest.fixture(params=[codec._quick_json, codec._json], ids=["orjson", "json"], autouse=True, scope="module")
def encoder(request: pytest.FixtureRequest) -> Iterator[None]:
    """Rows as the extra `speed` encodes them, and without it."""
    assert request.param is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "_dumps", request.param)
        yield


@given(rows)
def test_rows_survive_lines(given_rows: list[Row]) -> None:
    data, objects = encode_lines(given_rows)
    assert data.isascii()
    assert len(data.splitlines()) == len(given_rows)
    assert_same_rows(given_rows, decode_lines(data, objects=objects))


@given(rows)
def test_rows_survive_an_entry(given_rows: list[Row]) -> None:
    text, objects = dump_rows(given_rows)
    assert text.isascii() and text.isprintable() and "`" not in text
    assert_same_rows(given_rows, rows_from(json.loads(text), objects=objects))
    slow, slow_objects = dump([["i", 1, given_rows]])
    assert slow.isascii() and slow.isprintable() and "`" not in slow and slow_objects == objects
    assert json.loads(slow) == [["i", 1, json.loads(text)]]


def test_rows_are_written_as_json_writes_them() -> None:
    """Text that is no Unicode, integers beyond 64 bits and NaN are no values, but must not become others."""
    rows: list[Row] = [(1, "null", None), (2, "é`\x7f\U0001f600", -1.5), (3, "\n", 10**15), (4, b"a", Decimal("1.0"))]
    assert dump_rows(rows) == dump(rows)
    for value in ("\ud83d", 2**70):
        assert dump_rows([(1, value), (2, None)]) == dump([(1, value), (2, None)])
    with pytest.raises(ValueError, match="JSON compliant"):
        dump_rows([(1, math.nan)])
    with pytest.raises(TypeError, match="a row cannot hold set"):
        dump_rows([(1, set())])  # type: ignore[arg-type]


@pytest.mark.parametrize("value", EDGES, ids=repr)
def test_edges(value: Value) -> None:
    data, objects = encode_lines([(1, value), (2, value)])
    assert_same_rows([(1, value), (2, value)], decode_lines(data, objects=objects))
    assert same(value, from_json_value(json.loads(json.dumps(to_json_value(value), allow_nan=False))))


def test_plain_rows_need_no_objects() -> None:
    assert encode_lines([(1, "a", 1.5, None)]) == (b'[1,"a",1.5,null]', False)
    assert encode_lines([(1, b"a")]) == (b'[1,{"b":"YQ=="}]', True)
    assert encode_lines([(1, math.inf)]) == (b'[1,{"f":"inf"}]', True)
    assert encode_lines([]) == (b"", False)


@pytest.mark.parametrize(
    "data", [True, [], {}, {"b": "?"}, {"b": 1}, {"d": "x"}, {"f": "nan"}, {"z": ""}, {"b": "", "d": ""}]
)
def test_what_is_not_a_value_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="not a value"):
        from_json_value(data)
