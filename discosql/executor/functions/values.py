"""What functions see of their arguments: SQLite's conversions of any value to an integer, a number or text.

C strings end at their first NUL character, and most functions of SQLite take text as C strings; `c_text` does that cut.
"""

import re
from decimal import Decimal

from discosql.types import MAX_INTEGER, MIN_INTEGER, Value, integer_prefix, number_prefix, text_of

_WHOLE_NUMBER = re.compile(
    r"[ \t\n\v\f\r]*([+-]?(?:(\d+)|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?))[ \t\n\v\f\r]*", re.ASCII
)


def clamp(number: float | Decimal) -> int:
    """Return a number cut to an integer of 64 bits."""
    if number >= MAX_INTEGER:
        return MAX_INTEGER
    return MIN_INTEGER if number <= MIN_INTEGER else int(number)


def integer_of(value: Value) -> int:
    """Return any value as an integer: 0 for NULL, text by its leading digits, reals cut to 64 bits."""
    if isinstance(value, int):
        return value
    if value is None:
        return 0
    if isinstance(value, float | Decimal):
        return clamp(value)
    return integer_prefix(text_of(value))


def real_of(value: Value) -> float:
    """Return any value as a REAL: 0.0 for NULL, text by the number it starts with."""
    if isinstance(value, float):
        return value
    if value is None:
        return 0.0
    if isinstance(value, int | Decimal):
        return float(value)
    return float(number_prefix(text_of(value)))


def numeric_of(value: Value) -> int | float | Decimal | None:
    """Return a number, or text that is wholly a number; None for everything else."""
    if isinstance(value, int | float | Decimal):
        return value
    if not isinstance(value, str):
        return None
    match = _WHOLE_NUMBER.fullmatch(value)
    if match is None:
        return None
    if match[2] is not None and len(match[2]) < 20:
        number = int(match[1])
        if MIN_INTEGER <= number <= MAX_INTEGER:
            return number
    return float(match[1])


def c_text(value: Value) -> str:
    """Return a non-NULL value as text up to its first NUL character."""
    text = text_of(value)
    return text if "\0" not in text else text[: text.index("\0")]


def truth_of(value: Value) -> bool:
    """Return whether a value counts as true in a condition; NULL does not."""
    if isinstance(value, int | float | Decimal):
        return value != 0
    return value is not None and number_prefix(text_of(value)) != 0


def text_from_bytes(data: bytes) -> str:
    """Return bytes as text; what is not UTF-8 becomes U+FFFD."""
    return data.decode("utf-8", "replace")


def character(code: int) -> str:
    """Return the character with a code point; U+FFFD for surrogates and what is beyond Unicode."""
    if 0 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF:
        return chr(code)
    return "\ufffd"
