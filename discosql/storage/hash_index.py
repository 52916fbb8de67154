"""Hash-index pages: which rows have a key, without reading the rows.

A key is hashed to 64 bits, equal wherever SQL's ``=`` holds, and the hash's high bits name one of 2^k *buckets*, each a
page of its own: a run of (hash, rowid) sorted by hash. In the file all hashes come first, then all rowids, as
little-endian integers, so that reading a page is copying it. A lookup reads one page whether the key exists or not; the
row it finds is compared again, for hashes can be equal by chance.
"""

import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import Any, Final, TypeAlias

from discosql.errors import DatabaseCorruptionError
from discosql.storage.pages import Place, check_digest, describe, unsealed
from discosql.storage.sealing import Keyring, place_of
from discosql.types import Value

_MAGIC: Final = b"dsqi"
_VERSION: Final = 1
_HEADER: Final = struct.Struct("<4sBBH")
ENTRY_SIZE: Final = 12
"""Bytes of an entry with a rowid of 32 bits."""

_LOW: Final = 2**64 - 1

Hasher: TypeAlias = Callable[[Any], int]


@lru_cache(maxsize=64)
def hasher(seed: bytes) -> Hasher:
    """Return the function that hashes comparable keys, as `keys` makes them; different seeds give different hashes."""

    def hash_key(key: Any) -> int:
        if type(key) is tuple:
            parts = [_canonical(value) for value in key]
            data = b"".join([len(part).to_bytes(4, "little") + part for part in parts])
        else:
            data = _canonical(key)
        return int.from_bytes(blake2b(data, digest_size=8, key=seed).digest(), "little")

    return hash_key


def _canonical(value: Value) -> bytes:
    """Return bytes that are equal for values that are equal in SQL, and only for those."""
    if isinstance(value, str):
        return b"t" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, int):
        return b"i%d" % value
    if isinstance(value, float):
        return b"i%d" % int(value) if value.is_integer() else b"f" + repr(value).encode()
    if isinstance(value, Decimal):
        return _canonical_decimal(value)
    assert isinstance(value, bytes)
    return b"b" + value


def _canonical_decimal(value: Decimal) -> bytes:
    if value == 0:
        return b"i0"
    # An integer of more digits than this equals no value of another type.
    if value.adjusted() < 400:
        if value == value.to_integral_value():
            return b"i%d" % int(value)
        number = float(value)
        if Decimal(number) == value:
            return _canonical(number)
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits))
    stripped = text.rstrip("0")
    return f"d{sign}{stripped}e{int(exponent) + len(text) - len(stripped)}".encode()


@dataclass(frozen=True, slots=True)
class IndexPage:
    """A bucket's page as the manifest knows it."""

    place: Place
    entries: int
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class PagedIndex:
    """The pages of an index: page i holds the hashes whose high `bits` bits are i; None where there are none.

    `distinct` is the number of different hashes, `channel` where new pages go, `seed` the key of the hashes.
    """

    channel: int
    bits: int
    pages: tuple[IndexPage | None, ...]
    distinct: int
    seed: bytes = field(default=b"", repr=False)

    @property
    def hash_key(self) -> Hasher:
        """What hashes keys for this index."""
        return hasher(self.seed)

    def page_of(self, key_hash: int) -> IndexPage | None:
        """Return the page in which a hash is, if it is anywhere."""
        return self.pages[bucket_of(key_hash, self.bits)]

    @property
    def size(self) -> int:
        """The bytes of all pages."""
        return sum(page.size for page in self.pages if page is not None)


def bucket_of(key_hash: int, bits: int) -> int:
    """Return the number of the bucket that a hash belongs to."""
    return key_hash >> (64 - bits)


def packed(hashes: Iterable[int], rowids: Iterable[int]) -> list[int]:
    """Return entries as integers that sort by hash first: one object each, and quicker to sort than pairs."""
    return [key_hash << 64 | rowid & _LOW for key_hash, rowid in zip(hashes, rowids, strict=True)]


class Bucket:
    """The entries of a bucket in memory, sorted by hash, then rowid."""

    __slots__ = ("hashes", "rowids")

    def __init__(self, hashes: "array[int]", rowids: "array[int]") -> None:
        self.hashes = hashes
        self.rowids = rowids

    @classmethod
    def of(cls, entries: Iterable[int]) -> "Bucket":
        """Return the bucket with these entries, each packed into one integer by `packed`, in any order."""
        ordered = sorted(entries)
        rowids = array("q")
        rowids.frombytes(array("Q", [entry & _LOW for entry in ordered]).tobytes())
        return cls(array("Q", [entry >> 64 for entry in ordered]), rowids)

    @property
    def cost(self) -> int:
        """The bytes it takes in memory."""
        return 16 * len(self.hashes) + 256

    def get(self, key_hash: int) -> Sequence[int]:
        """Return the rowids with a hash."""
        hashes = self.hashes
        start = end = bisect_left(hashes, key_hash)
        while end < len(hashes) and hashes[end] == key_hash:
            end += 1
        return self.rowids[start:end]

    def entries(self) -> list[int]:
        """Return the entries, packed."""
        return packed(self.hashes, self.rowids)

    def distinct(self) -> int:
        """Return the number of different hashes."""
        return min(1, len(self.hashes)) + sum(one != other for one, other in pairwise(self.hashes))


def encode_bucket(bucket: Bucket) -> bytes:
    """Return the file of a bucket's page."""
    narrow = all(0 <= rowid < 2**32 for rowid in bucket.rowids)
    hashes, rowids = array("Q", bucket.hashes), array("I" if narrow else "q", bucket.rowids)
    if sys.byteorder == "big":
        hashes.byteswap()
        rowids.byteswap()
    return _HEADER.pack(_MAGIC, _VERSION, rowids.itemsize, 0) + hashes.tobytes() + rowids.tobytes()


def bucket_place(channel: int, entries: int) -> bytes:
    """Return what binds a sealed page to its channel and size."""
    return place_of("index", channel, entries)


def decode_bucket(page: IndexPage, data: bytes, keyring: Keyring | None = None) -> Bucket:
    """Return the bucket of a page's file. Raises DatabaseCorruptionError if it is damaged."""
    check_digest(page.place, page.digest, data)
    if keyring is not None:
        data = unsealed(keyring, page.place, data, bucket_place(page.place.channel, page.entries))
    magic, version, width, _ = _HEADER.unpack_from(data)
    if magic != _MAGIC or version != _VERSION or len(data) != _HEADER.size + page.entries * (8 + width):
        raise DatabaseCorruptionError(f"{describe(page.place)} cannot be read")
    hashes, rowids = array("Q"), array("I" if width == 4 else "q")
    hashes.frombytes(data[_HEADER.size : _HEADER.size + 8 * page.entries])
    rowids.frombytes(data[_HEADER.size + 8 * page.entries :])
    if sys.byteorder == "big":
        hashes.byteswap()
        rowids.byteswap()
    return Bucket(hashes, rowids)
