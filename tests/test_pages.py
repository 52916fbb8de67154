"""Pages by themselves: rows, single rows, zones, hashes and buckets survive being stored."""

import random
from array import array
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import USERS
from test_codec import assert_same_rows, values

from discosql.errors import DatabaseCorruptionError
from discosql.storage.batches import sorted_in_steps
from discosql.storage.hash_index import Bucket, IndexPage, decode_bucket, encode_bucket, hasher, packed
from discosql.storage.page_text import PageText
from discosql.storage.pages import Place, RowPage, decode_page, digest_of, encode_page, unpack_page
from discosql.storage.views import Range
from discosql.types import MAX_INTEGER, MIN_INTEGER, Row, collate, sort_key

PLACE = Place(1, 2, 3)
COLUMNS = (1, 2, 3)

rowids = st.one_of(st.integers(MIN_INTEGER, MAX_INTEGER), st.integers(-20, 20))
tables = st.dictionaries(rowids, st.tuples(values, values), min_size=1, max_size=40).map(
    lambda rows: [(rowid, rowid, *rows[rowid]) for rowid in sorted(rows)]
)


def page_of(rows: list[Row]) -> tuple[RowPage, bytes]:
    encoded = encode_page(rows, COLUMNS)
    return encoded.placed(PLACE), encoded.data


@given(tables)
def test_rows_survive_a_page(rows: list[Row]) -> None:
    page, data = page_of(rows)
    text = unpack_page(page, data)
    assert_same_rows(rows, decode_page(page, text, USERS).rows)
    whole, single = decode_page(page, text, USERS), PageText(page, text, USERS)
    for row in rows:
        for found in (whole.get(row[0]), single.get(row[0]), single.get(row[0])):
            assert found is not None
            assert_same_rows([row], [found])
        for missing in {row[0] - 1, row[0] + 1} - {each[0] for each in rows}:
            assert whole.get(missing) is None and single.get(missing) is None


def test_single_rows_of_a_large_page_are_found() -> None:
    chance = random.Random(1)
    sparse = sorted(chance.sample(range(10**9), 5_000))
    for numbers in (list(range(1, 5_001)), sparse, [*range(100), *sparse[4_000:]]):
        rows = [(number, number, "x" * chance.randrange(200), number % 7) for number in numbers]
        page, data = page_of(rows)
        assert page.packed
        text = PageText(page, unpack_page(page, data), USERS)
        for row in chance.sample(rows, 300):
            assert text.get(row[0]) == row
            assert (text.get(row[0] + 1) is None) is (row[0] + 1 not in set(numbers))


def test_a_page_is_read_under_a_newer_schema() -> None:
    rows: list[Row] = [(1, 1, "Ada", 36), (2, 2, "Grace", 85)]
    page, data = page_of(rows)
    newer = USERS.replace(columns=(USERS.columns[2], *USERS.columns[:1]), indexes=())
    text = PageText(page, data, USERS)
    assert text.get(1) == (1, 1, "Ada", 36)
    assert text.under(newer).get(1) == (1, 36, 1)
    assert text.under(USERS).get(2) == (2, 2, "Grace", 85)
    assert decode_page(page, data, newer).rows == [(1, 36, 1), (2, 85, 2)]


def test_a_changed_page_is_refused() -> None:
    page, data = page_of([(1, 1, "Ada", 36)])
    with pytest.raises(DatabaseCorruptionError, match="file 4 of message 2 of channel 1 is damaged"):
        unpack_page(page, data.replace(b"Ada", b"Bob"))


@given(tables, values, values)
def test_a_page_is_passed_by_only_if_nothing_matches(rows: list[Row], low: Any, high: Any) -> None:
    page, _ = page_of(rows)
    for position in range(4):
        bounds = Range(position, low, high)
        matches = [
            row
            for row in rows
            if row[position] is not None
            and (low is None or sort_key(low) <= sort_key(row[position]))
            and (high is None or sort_key(row[position]) <= sort_key(high))
        ]
        assert page.may_match([bounds], USERS) or not matches


def test_long_texts_have_short_zones() -> None:
    page, _ = page_of([(1, 1, "a" * 100, b"\xff" * 100), (2, 2, "b\U0010ffff" * 100, b"\x01" * 100)])
    low, high = page.zones[1] or (None, None)
    assert low == "a" * 24 and isinstance(high, str) and len(high) <= 24 and high > "b\U0010ffff" * 100
    assert page.zones[2] == (b"\x01" * 24, b"\xff" * 100)


# Indexes ------------------------------------------------------------------------------------------------------------


@given(values, values)
def test_equal_keys_have_equal_hashes(one: Any, other: Any) -> None:
    hash_key = hasher(b"seed")
    if one is not None and other is not None:
        assert (one == other) == (hash_key(one) == hash_key(other))


@pytest.mark.parametrize(
    "equal",
    [
        (1, 1.0, Decimal(1), Decimal("1.00"), Decimal("0.1e1")),
        (0, 0.0, -0.0, Decimal("-0.000"), Decimal("0E+5")),
        (0.5, Decimal("0.5"), Decimal("5E-1")),
        (2**53, float(2**53), Decimal(2**53)),
        (1e300, Decimal(int(1e300))),
        (Decimal("1E+5000"), Decimal("10E+4999")),
        (Decimal("0.1"), Decimal("0.10")),
    ],
)
def test_numbers_are_hashed_by_value(equal: tuple[Any, ...]) -> None:
    hash_key = hasher(b"seed")
    assert len({hash_key(number) for number in equal}) == 1
    assert len({hash_key((number, "x")) for number in equal}) == 1


def test_different_keys_have_different_hashes() -> None:
    hash_key = hasher(b"seed")
    different = [
        "1",
        1,
        b"1",
        1.5,
        "a",
        "A",
        "",
        b"",
        Decimal("0.1"),
        0.1,
        2**53 + 1,
        float(2**53),
        ("a", "b"),
        ("ab", ""),
    ]
    assert len({hash_key(key) for key in different}) == len(different)
    assert hash_key(collate("ABC", "NOCASE")) == hash_key("abc")
    assert hasher(b"another")("a") != hash_key("a")


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1) | st.integers(0, 3), rowids)))
def test_buckets_survive_being_stored(entries: list[tuple[int, int]]) -> None:
    bucket = Bucket.of(packed([entry[0] for entry in entries], [entry[1] for entry in entries]))
    assert list(bucket.hashes) == sorted(entry[0] for entry in entries)
    data = encode_bucket(bucket)
    page = IndexPage(PLACE, len(entries), len(data), digest_of(data))
    again = decode_bucket(page, data)
    for key_hash in {0, 3, *[entry[0] for entry in entries]}:
        assert sorted(again.get(key_hash)) == sorted(rowid for known, rowid in entries if known == key_hash)
    assert again.distinct() == len({entry[0] for entry in entries})
    assert again.entries() == bucket.entries()


def test_narrow_rowids_take_twelve_bytes_an_entry() -> None:
    narrow = Bucket(array("Q", range(1_000)), array("q", range(1_000)))
    wide = Bucket(array("Q", range(1_000)), array("q", range(-1, 999)))
    assert len(encode_bucket(narrow)) == 8 + 12_000
    assert len(encode_bucket(wide)) == 8 + 16_000


@pytest.mark.parametrize("count", [0, 1, 1_000, 2**15, 2**15 + 1, 200_000])
def test_sorting_in_steps_is_sorting(count: int) -> None:
    source = random.Random(count)
    for rowids in (range(count), range(count, 0, -1), [source.randrange(-(2**63), 2**63) for _ in range(count)]):
        assert sorted_in_steps(rowids) == sorted(rowids)
