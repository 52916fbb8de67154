"""``printf()`` and ``format()``: SQLite's own conversions (https://www.sqlite.org/printf.html).

Widths and precisions of text count bytes unless the ``!`` flag is given, so the work is done on UTF-8.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from discosql.errors import DataError
from discosql.executor.functions.values import c_text, integer_of, real_of, text_from_bytes
from discosql.executor.sizes import check_length
from discosql.reals import decode_real, round_digits
from discosql.types import Value

_CONVERSION = re.compile(
    rb"%(?P<flags>[-+ #!0,]*)(?P<width>\*|[1-9][0-9]*)?(?:\.(?P<precision>\*|[0-9]*))?(?:ll?)?(?P<kind>.)?", re.DOTALL
)
_UNCOMMON = frozenset(b"#!,")
_MAX_PRECISION = 100_000_000
_ORDINALS = {1: b"st", 2: b"nd", 3: b"rd"}
_RADIXES = {"x": ("x", b"0x"), "X": ("X", b"0X"), "p": ("X", b"0x"), "o": ("o", b"0")}


@dataclass(frozen=True, slots=True)
class _Conversion:
    """One conversion of a template. A precision of -1 was not given; None for either number: an argument gives it."""

    flags: bytes
    width: int | None
    precision: int | None
    kind: str


@dataclass(slots=True)
class _Field:
    """A conversion whose width and precision are known. `sign` stands before numbers that are not negative."""

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
        if self.width <= 0:
            return text
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
    given = _Arguments(arguments)
    written: list[bytes] = []
    try:
        for part in _read_template(c_text(template)):
            text = part if isinstance(part, bytes) else _converted(_field(part, given), given)
            if text is None:
                break
            written.append(text)
        check_length(sum(map(len, written)))
    except DataError:
        return None
    return text_from_bytes(b"".join(written)) if written else None


@lru_cache(maxsize=256)
def _read_template(template: str) -> tuple[bytes | _Conversion, ...]:
    source = template.encode("utf-8", "replace")
    parts: list[bytes | _Conversion] = []
    position = 0
    while (start := source.find(b"%", position)) >= 0:
        if start > position:
            parts.append(source[position:start])
        match = _CONVERSION.match(source, start)
        assert match is not None  # every part of the pattern but the % is optional
        position = match.end()
        parts.append(_read_conversion(match) if position > start + 1 else b"%")
    if position < len(source):
        parts.append(source[position:])
    return tuple(parts)


def _read_conversion(match: re.Match[bytes]) -> _Conversion:
    width, precision = match["width"], match["precision"]
    return _Conversion(
        match["flags"],
        None if width == b"*" else int(width or b"0") & 0x7FFFFFFF,
        None if precision == b"*" else -1 if precision is None else int(precision or b"0") & 0x7FFFFFFF,
        (match["kind"] or b"").decode("latin-1"),
    )


def _field(conversion: _Conversion, given: _Arguments) -> _Field:
    width, precision = conversion.width, conversion.precision
    left = b"-" in conversion.flags
    if width is None:
        width = _low_32_bits(given.next_integer())
        left = left or width < 0
        width = abs(width) if width > -(2**31) else 0
    if precision is None:
        precision = _low_32_bits(given.next_integer())
        if precision < 0:
            precision = -precision if precision > -(2**31) else -1
    return _Field(conversion.flags, width, precision, conversion.kind, left)


def _low_32_bits(number: int) -> int:
    return (number + 2**31) % 2**32 - 2**31


def _converted(field: _Field, given: _Arguments) -> bytes | None:
    """Return the text of one field; None for an unknown one, which ends the output."""
    match field.kind:
        case "d" | "i" | "u":
            return field.pad(_decimal(field, given.next_integer()))
        case "x" | "X" | "o" | "p":
            return field.pad(_radix(field, given.next_integer()))
        case "r":
            return field.pad(_ordinal(field, given.next_integer()))
        case "f" | "e" | "E" | "g" | "G":
            return field.pad(_real(field, real_of(given.next())))
        case "s" | "z":
            return _padded(field, _cut(field, given.next_text() or b""))
        case "q" | "Q" | "w":
            return _padded(field, _escaped(field, given.next_text()))
        case "c":
            return _characters(field, given.next_text() or b"\0")
        case "%":
            return field.pad(b"%")
        case "n":
            return b""
        case _:
            return None


def _digits(field: _Field, digits: bytes, prefix: bytes) -> bytes:
    """Return digits with zeros in front, up to the precision or, with the 0 flag, the width."""
    precision = field.precision
    if b"0" in field.flags:
        precision = max(precision, field.width - len(prefix))
    return digits.rjust(check_length(precision) if precision > 0 else 0, b"0")


def _decimal(field: _Field, number: int) -> bytes:
    prefix = b""
    if field.kind == "u":
        number %= 2**64
    else:
        prefix = b"-" if number < 0 else field.sign
    digits = _digits(field, b"%d" % abs(number), prefix)
    if b"," in field.flags:
        digits = _grouped(digits)
    return prefix + digits


def _grouped(digits: bytes) -> bytes:
    head = len(digits) % 3 or 3
    return b",".join([digits[:head], *(digits[start : start + 3] for start in range(head, len(digits), 3))])


def _radix(field: _Field, number: int) -> bytes:
    number %= 2**64
    letter, prefix = _RADIXES[field.kind]
    digits = _digits(field, format(number, letter).encode(), b"")
    return prefix + digits if b"#" in field.flags and number else digits


def _ordinal(field: _Field, number: int) -> bytes:
    prefix = b"-" if number < 0 else field.sign
    number = abs(number)
    suffix = b"th" if number // 10 % 10 == 1 else _ORDINALS.get(number % 10, b"th")
    return prefix + _digits(field, b"%d" % number + suffix, prefix)


def _real(field: _Field, number: float) -> bytes:
    zeros = b"0" in field.flags
    sign = b"-" if number < 0 else field.sign
    if math.isinf(number) and not zeros:
        return sign + b"Inf"
    if math.isnan(number):
        return b"null" if zeros else b"NaN"
    text = _magnitude(field, abs(number))
    if field.kind == "f" and b"#" in field.flags and not field.sign and not text.strip(b"0."):
        sign = b""  # the alternate form has no negative zero
    if zeros and not field.left:
        text = text.rjust(check_length(field.width) - len(sign), b"0")
    return sign + text


def _magnitude(field: _Field, number: float) -> bytes:
    precision = 6 if field.precision < 0 else min(field.precision, _MAX_PRECISION)
    longer = b"!" in field.flags
    kind = field.kind
    if kind == "f" and precision < 8 and number < 1e7 and not set(field.flags) & _UNCOMMON:
        # Python rounds the exact number, SQLite a decimal near it: they can only differ next to a tie.
        usual = f"{number:.{precision}f}"
        if abs(number - float(usual)) * 10.0**precision < 0.4999:
            return usual.encode()
    keep = {"f": -precision, "g": max(precision, 1), "G": max(precision, 1)}.get(kind, precision + 1)
    digits, point = _decoded(number, keep, 26 if longer else 16)
    exponent = point - 1
    scientific = kind in "eE"
    if kind in "gG":
        precision = max(precision - 1, 0)
        scientific = exponent < -4 or exponent > precision
        precision -= 0 if scientific else exponent
    show_point = precision > 0 or longer or b"#" in field.flags
    text = _positional(digits, 1 if scientific else point, precision, show_point)
    if b"," in field.flags and not scientific:
        whole, mark, rest = text.partition(b".")
        text = _grouped(whole) + mark + rest
    if show_point and (b"#" not in field.flags if kind in "gG" else longer):
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


def _cut(field: _Field, text: bytes) -> bytes:
    if field.precision < 0:
        return text
    if b"!" in field.flags:
        return text.decode()[: field.precision].encode()
    return text[: field.precision]


def _padded(field: _Field, text: bytes) -> bytes:
    # With the ! flag the width counts characters.
    return field.pad(text, _continuation_bytes(text) if b"!" in field.flags else 0)


def _continuation_bytes(text: bytes) -> int:
    return 0 if text.isascii() else sum(byte & 0xC0 == 0x80 for byte in text)


def _escaped(field: _Field, text: bytes | None) -> bytes:
    if text is None:
        return _cut(field, b"NULL" if field.kind == "Q" else b"(NULL)")
    quote = b'"' if field.kind == "w" else b"'"
    text = _cut(field, text).replace(quote, quote + quote)
    return quote + text + quote if field.kind == "Q" else text


def _characters(field: _Field, text: bytes) -> bytes:
    first = text.decode()[0].encode()
    repeated = first * max(field.precision, 1)
    return field.pad(repeated, len(repeated) - max(field.precision, 1))
