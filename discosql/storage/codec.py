"""Rows to JSON and back: exact, compact, and ASCII only, so that nothing on the way changes a character.

A row is an array. None, int, float and str are JSON's own; what JSON lacks is an object with one member: ``{"b": …}``
a BLOB in base64, ``{"d": …}`` a DECIMAL with its trailing zeros, ``{"f": …}`` an infinity. The encoder tells whether
it wrote such objects, so that decoding rows without them is left to the C scanner alone.
"""

import base64
import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

from discosql.types import Row, Value

_Encoder: TypeAlias = Callable[[Any, Callable[[Any], Any]], bytes]

_quick_json: _Encoder | None
try:
    from orjson import dumps as _quick_json
except ImportError:  # without the extra `speed`
    _quick_json = None


_SEPARATORS: Final = (",", ":")
_ROWS_AT_ONCE: Final = 4_096
"""Rows that one call encodes: a millisecond, in which no other thread can run."""

_BETWEEN: Final = b"],["
_NOT_ASCII: Final = re.compile("[^\x00-\x7f]+")

_INFINITIES: Final = {"inf": math.inf, "-inf": -math.inf}


def to_json_value(value: Value) -> Any:
    """Return a value as JSON data."""
    if isinstance(value, float):
        return {"f": repr(value)} if math.isinf(value) else value
    return _object_of(value) if isinstance(value, bytes | Decimal) else value


def from_json_value(data: Any) -> Value:
    """Return the value that `to_json_value` wrote. Raises ValueError for anything else."""
    if not isinstance(data, dict):
        if data is None or (isinstance(data, int | float | str) and not isinstance(data, bool)):
            return data
        raise ValueError("not a value")
    try:
        ((kind, text),) = data.items()
        if kind == "b":
            return base64.b64decode(text, validate=True)
        return Decimal(text) if kind == "d" else _INFINITIES[text]
    except (KeyError, TypeError, ValueError, InvalidOperation) as exc:
        raise ValueError("not a value") from exc


def _object_of(value: Any) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"b": base64.b64encode(value).decode("ascii")}
    if isinstance(value, Decimal):
        return {"d": str(value)}
    raise TypeError(f"a row cannot hold {type(value).__name__}")


class _Objects:
    """The encoder's hook for values that JSON lacks; notes that there were any."""

    def __init__(self) -> None:
        self.met = False

    def default(self, value: Any) -> dict[str, str]:
        self.met = True
        return _object_of(value)


def dump(data: Any) -> tuple[str, bool]:
    """Return JSON data with rows in it as compact ASCII text fit for a code block, and whether it has objects."""
    hook = _Objects()
    try:
        text = json.dumps(data, separators=_SEPARATORS, allow_nan=False, default=hook.default)
    except ValueError:
        hook.met = True
        text = json.dumps(_without_infinities(data), separators=_SEPARATORS, allow_nan=False, default=hook.default)
    # Both occur only inside strings. A back tick could end the block; DEL is a control character that json leaves as
    # it is and Discord may drop.
    return text.replace("`", "\\u0060").replace("\x7f", "\\u007f"), hook.met


def _without_infinities(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_infinities(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [_without_infinities(item) for item in data]
    return to_json_value(data)


def rows_from(data: Iterable[Sequence[Any]], *, objects: bool) -> list[Row]:
    """Return rows from parsed JSON; `objects` as the encoder told."""
    if not objects:
        return list(map(tuple, data))
    return [tuple([from_json_value(item) if type(item) is dict else item for item in row]) for row in data]


def dump_rows(rows: Sequence[Row]) -> tuple[str, bool]:
    """Return rows as `dump` does, many times as fast where orjson is there."""
    data, objects = _dump_quickly(rows)
    return _as_ascii(data).decode("ascii"), objects


def encode_lines(rows: Sequence[Row]) -> tuple[bytes, bool]:
    """Return rows as JSON Lines, a row a line, and whether any value had to become an object."""
    encoded = [_encode_some(rows[start : start + _ROWS_AT_ONCE]) for start in range(0, len(rows), _ROWS_AT_ONCE)]
    return b"\n".join([text for text, _ in encoded]), any(objects for _, objects in encoded)


def _encode_some(rows: Sequence[Row]) -> tuple[bytes, bool]:
    data, objects = _dump_quickly(rows)
    if data.count(_BETWEEN) == len(rows) - 1:
        return _as_ascii(data[1:-1].replace(_BETWEEN, b"]\n[")), objects
    # What stands between two rows stands in a text, too.
    lines = [_dump_quickly((row,))[0][1:-1] for row in rows]
    return _as_ascii(b"\n".join(lines)), objects


def _dump_quickly(rows: Sequence[Row]) -> tuple[bytes, bool]:
    hook = _Objects()
    try:
        data = _dumps(rows, hook.default)
    except (TypeError, ValueError):
        # An infinity, or a text that is no Unicode, which json can write.
        data = b""
    # orjson writes infinities as null.
    nulls = data.count(b"null")
    if data and (not nulls or nulls == sum([row.count(None) for row in rows])):
        return data, hook.met
    text, objects = dump(rows)
    return text.encode("ascii"), objects


def _json(data: Any, default: Callable[[Any], Any]) -> bytes:
    return json.dumps(data, separators=_SEPARATORS, allow_nan=False, default=default).encode("ascii")


_dumps: Final[_Encoder] = _quick_json or _json


def _as_ascii(data: bytes) -> bytes:
    """Return JSON text with all escaped that `dump` escapes."""
    if not data.isascii():
        data = _NOT_ASCII.sub(_escaped, data.decode("utf-8")).encode("ascii")
    return data.replace(b"`", b"\\u0060").replace(b"\x7f", b"\\u007f")


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def decode_lines(data: bytes, *, objects: bool) -> list[Row]:
    """Return the rows of JSON Lines. Raises ValueError if they are not."""
    parsed = json.loads(b"[" + data.replace(b"\n", b",") + b"]")
    return rows_from(parsed, objects=objects)
