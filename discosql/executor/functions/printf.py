"""``printf()`` and ``format()``: SQLite's own conversions (https://www.sqlite.org/printf.html).

Widths and precisions of text count bytes unless the ``!`` flag is given, so the work is done on UTF-8.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from discosql.errors import DataError
from discosql.executor.functions.values import c_text, check_length, integer_of, real_of, text_from_bytes
from discosql.reals import decode_real, round_digits
from discosql.types import Value

_CONVERSION = re.compile(
    rb"%(?P<flags>[-+ #!0,]*)(?P<width>\*|[1-9][0-9]*)?(?:\.(?P<precision>\*|[0-9]*))?(?:ll?)?(?P<kind>.)?", re.DOTALL
)
_MAX_PRECISION = 100_000_000
_ORDINALS = {1: b"st", 2: b"nd", 3: b"rd"}
_RADIXES = {"x": ("x", b"0x"), "X": ("X", b"0X"), "p": ("X", b"0x"), "o": ("o", b"0")}


@dataclass(slots=True)
class _Conversion:
    """One conversion of a format. A precision of -1 was not given."""

    flags: bytes
    width: int
    precision: int
    kind: str
    left: bool

    @property
    def sign(self) -> bytes:
        """What stands before a number that is not negative; the later of ``+`` and space counts."""
        signs = [flag for flag in self.flags if flag in b"+ "]
        return bytes(signs[-1:])

    def pad(self, text: bytes, extra: int = 0) -> bytes:
        """Return the text brought to the width, which `extra` enlarges."""
        width = check_length(self.width + extra)
        return text.ljust(width) if self.left else text.rjust(width)


class _Arguments:
    """The arguments after the format, NULL without end."""

    def __init__(self, arguments: tuple[Value, ...]) -> None:
        self._rest: Iterator[Value] = iter(arguments)

    def next(self) -> Value:
        return next(self._rest, None)

    def next_integer(self) -> int:
        return integer_of(self.next())

    def next_text(self) -> bytes | None:
        value = self.next()
        return None if value is None else c_text(value).encode("utf-8", "replace")


def printf(template: Value = None, *arguments: Value) -> Value:
    """Return the arguments written as the template says; NULL where that is nothing at all, or too long for a value."""
    if template is None:
        return None
    try:
        parts = _parts(c_text(template).encode("utf-8", "replace"), _Arguments(arguments))
        check_length(sum(map(len, parts)))
    except DataError:
        return None
    return text_from_bytes(b"".join(parts)) if parts else None


def _parts(source: bytes, given: _Arguments) -> list[bytes]:
    parts: list[bytes] = []
    position = 0
    while (start := source.find(b"%", position)) >= 0:
        if start > position:
            parts.append(source[position:start])
        position = len(source)
        match = _CONVERSION.match(source, start)
        assert match is not None  # every part of the pattern but the % is optional
        if match.end() == start + 1:
            parts.append(b"%")
            break
        text = _converted(_read_conversion(match, given), given)
        if text is None:
            break
        parts.append(text)
        position = match.end()
    if position < len(source):
        parts.append(source[position:])
    return parts


def _read_conversion(match: re.Match[bytes], given: _Arguments) -> _Conversion:
    flags, width_text, precision_text = match["flags"], match["width"], match["precision"]
    left = b"-" in flags
    width = 0
    if width_text == b"*":
        width = _low_32_bits(given.next_integer())
        left = left or width < 0
        width = abs(width) if width > -(2**31) else 0
    elif width_text is not None:
        width = int(width_text) & 0x7FFFFFFF
    precision = -1
    if precision_text == b"*":
        precision = _low_32_bits(given.next_integer())
        if precision < 0:
            precision = -precision if precision > -(2**31) else -1
    elif precision_text is not None:
        precision = int(precision_text or b"0") & 0x7FFFFFFF
    return _Conversion(flags, width, precision, (match["kind"] or b"").decode("latin-1"), left)


def _low_32_bits(number: int) -> int:
    return (number + 2**31) % 2**32 - 2**31


def _converted(conversion: _Conversion, given: _Arguments) -> bytes | None:
    """Return the text of one conversion; None for an unknown one, which ends the output."""
    match conversion.kind:
        case "d" | "i" | "u":
            return conversion.pad(_decimal(conversion, given.next_integer()))
        case "x" | "X" | "o" | "p":
            return conversion.pad(_radix(conversion, given.next_integer()))
        case "r":
            return conversion.pad(_ordinal(conversion, given.next_integer()))
        case "f" | "e" | "E" | "g" | "G":
            return conversion.pad(_real(conversion, real_of(given.next())))
        case "s" | "z":
            return _padded(conversion, _cut(conversion, given.next_text() or b""))
        case "q" | "Q" | "w":
            return _padded(conversion, _escaped(conversion, given.next_text()))
        case "c":
            return _characters(conversion, given.next_text() or b"\0")
        case "%":
            return conversion.pad(b"%")
        case "n":
            return b""
        case _:
            return None


def _digits(conversion: _Conversion, digits: bytes, prefix: bytes) -> bytes:
    """Return digits with zeros in front, up to the precision or, with the 0 flag, the width."""
    precision = conversion.precision
    if b"0" in conversion.flags:
        precision = max(precision, conversion.width - len(prefix))
    return digits.rjust(check_length(precision) if precision > 0 else 0, b"0")


def _decimal(conversion: _Conversion, number: int) -> bytes:
    prefix = b""
    if conversion.kind == "u":
        number %= 2**64
    else:
        prefix = b"-" if number < 0 else conversion.sign
    digits = _digits(conversion, b"%d" % abs(number), prefix)
    if b"," in conversion.flags:
        digits = _grouped(digits)
    return prefix + digits


def _grouped(digits: bytes) -> bytes:
    head = len(digits) % 3 or 3
    return b",".join([digits[:head], *(digits[start : start + 3] for start in range(head, len(digits), 3))])


def _radix(conversion: _Conversion, number: int) -> bytes:
    number %= 2**64
    letter, prefix = _RADIXES[conversion.kind]
    digits = _digits(conversion, format(number, letter).encode(), b"")
    return prefix + digits if b"#" in conversion.flags and number else digits


def _ordinal(conversion: _Conversion, number: int) -> bytes:
    prefix = b"-" if number < 0 else conversion.sign
    number = abs(number)
    suffix = b"th" if number // 10 % 10 == 1 else _ORDINALS.get(number % 10, b"th")
    return prefix + _digits(conversion, b"%d" % number + suffix, prefix)


def _real(conversion: _Conversion, number: float) -> bytes:
    zeros = b"0" in conversion.flags
    sign = b"-" if number < 0 else conversion.sign
    if math.isinf(number) and not zeros:
        return sign + b"Inf"
    if math.isnan(number):
        return b"null" if zeros else b"NaN"
    text = _magnitude(conversion, abs(number))
    if conversion.kind == "f" and b"#" in conversion.flags and not conversion.sign and not text.strip(b"0."):
        sign = b""  # the alternate form has no negative zero
    if zeros and not conversion.left:
        text = text.rjust(check_length(conversion.width) - len(sign), b"0")
    return sign + text


def _magnitude(conversion: _Conversion, number: float) -> bytes:
    precision = 6 if conversion.precision < 0 else min(conversion.precision, _MAX_PRECISION)
    longer = b"!" in conversion.flags
    kind = conversion.kind
    keep = {"f": -precision, "g": max(precision, 1), "G": max(precision, 1)}.get(kind, precision + 1)
    digits, point = _decoded(number, keep, 26 if longer else 16)
    exponent = point - 1
    scientific = kind in "eE"
    if kind in "gG":
        precision = max(precision - 1, 0)
        scientific = exponent < -4 or exponent > precision
        precision -= 0 if scientific else exponent
    show_point = precision > 0 or longer or b"#" in conversion.flags
    text = _positional(digits, 1 if scientific else point, precision, show_point)
    if b"," in conversion.flags and not scientific:
        whole, mark, rest = text.partition(b".")
        text = _grouped(whole) + mark + rest
    if show_point and (b"#" not in conversion.flags if kind in "gG" else longer):
        text = _trimmed(text, longer)
    if scientific:
        text += b"%s%s%02d" % (b"E" if kind in "EG" else b"e", b"-" if exponent < 0 else b"+", abs(exponent))
    return text


def _trimmed(text: bytes, keep_point: bool) -> bytes:
    text = text.rstrip(b"0")
    if text.endswith(b"."):
        text = text + b"0" if keep_point else text[:-1]
    return text


def _decoded(number: float, keep: int, most: int) -> tuple[str, int]:
    if number == 0:
        return "0", 1
    if math.isinf(number):
        return "9", 1000  # what the 0 flag makes of infinity
    return round_digits(*decode_real(number), keep, most)


def _positional(digits: str, point: int, precision: int, show_point: bool) -> bytes:
    whole = digits[:point].ljust(point, "0") if point > 0 else "0"
    behind = ""
    if precision > 0:
        zeros = min(precision, max(-point, 0))
        behind = ("0" * zeros + digits[max(point, 0) :][: precision - zeros]).ljust(check_length(precision), "0")
    return f"{whole}{'.' if show_point else ''}{behind}".encode()


def _cut(conversion: _Conversion, text: bytes) -> bytes:
    if conversion.precision < 0:
        return text
    if b"!" in conversion.flags:
        return text.decode()[: conversion.precision].encode()
    return text[: conversion.precision]


def _padded(conversion: _Conversion, text: bytes) -> bytes:
    # With the ! flag the width counts characters.
    return conversion.pad(text, _continuation_bytes(text) if b"!" in conversion.flags else 0)


def _continuation_bytes(text: bytes) -> int:
    return 0 if text.isascii() else sum(byte & 0xC0 == 0x80 for byte in text)


def _escaped(conversion: _Conversion, text: bytes | None) -> bytes:
    if text is None:
        return _cut(conversion, b"NULL" if conversion.kind == "Q" else b"(NULL)")
    quote = b'"' if conversion.kind == "w" else b"'"
    text = _cut(conversion, text).replace(quote, quote + quote)
    return quote + text + quote if conversion.kind == "Q" else text


def _characters(conversion: _Conversion, text: bytes) -> bytes:
    first = text.decode()[0].encode()
    repeated = first * max(conversion.precision, 1)
    return conversion.pad(repeated, len(repeated) - max(conversion.precision, 1))
