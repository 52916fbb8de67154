"""How a REAL is written in decimal, digit for digit as SQLite does it.

SQLite does not write the exact value of a double correctly rounded: it scales the number with 106-bit arithmetic to an
integer of 18 or 19 digits and rounds those half up. At a tie (``0.5`` to no decimals, ``1e15 + 0.5`` to 15 digits)
the result differs from C and from Python, so the same arithmetic is done here. `real_text` avoids it where it can
prove that the answer is the same.
"""

import math
import struct

_SPLIT_MASK = 0xFFFF_FFFF_FC00_0000
_LIMIT = 9.223372036854774784


def _high_half(number: float) -> float:
    (bits,) = struct.unpack("<Q", struct.pack("<d", number))
    (high,) = struct.unpack("<d", struct.pack("<Q", bits & _SPLIT_MASK))
    return float(high)


def _multiply(value: float, error: float, factor: float, factor_error: float) -> tuple[float, float]:
    """Return ``(value + error) * (factor + factor_error)`` as a double and its error (Dekker's product)."""
    value_high, factor_high = _high_half(value), _high_half(factor)
    value_low, factor_low = value - value_high, factor - factor_high
    product = value_high * factor_high
    cross = value_high * factor_low + value_low * factor_high
    total = product + cross
    rest = product - total + cross + value_low * factor_low
    rest += value * factor_error + error * factor
    result = total + rest
    return result, (total - result) + rest


# Powers of ten: (compare with, multiply by, error of that factor, change of the exponent).
_DOWN = (
    (_LIMIT * 1e118, 1.0e-100, -1.99918998026028836196e-117, 100),
    (_LIMIT * 1e28, 1.0e-10, -3.6432197315497741579e-27, 10),
    (_LIMIT * 1e18, 1.0e-01, -5.5511151231257827021e-18, 1),
)
_UP = (
    (_LIMIT * 1e-83, 1.0e100, -1.5902891109759918046e83, -100),
    (_LIMIT * 1e07, 1.0e10, 0.0, -10),
    (_LIMIT * 1e17, 1.0e01, 0.0, -1),
)


def decode_real(number: float) -> tuple[str, int]:
    """Return the 18 or 19 leading digits of a positive finite number, and where its decimal point is.

    The number is about ``0.DIGITS * 10 ** point``.
    """
    value, error, exponent = number, 0.0, 0
    if value > _DOWN[-1][0]:
        for limit, factor, factor_error, step in _DOWN:
            while value > limit:
                value, error = _multiply(value, error, factor, factor_error)
                exponent += step
    else:
        for limit, factor, factor_error, step in _UP:
            while value < limit:
                value, error = _multiply(value, error, factor, factor_error)
                exponent += step
    digits = str(int(value) - int(-error) if error < 0.0 else int(value) + int(error))
    return digits, len(digits) + exponent


def round_digits(digits: str, point: int, keep: int, most: int) -> tuple[str, int]:
    """Round what `decode_real` returned half up to `keep` digits, and cut zeros off the end.

    A `keep` of zero or less counts digits behind the decimal point instead. Never more than `most` digits are kept.
    """
    if keep <= 0:
        keep = point - keep
        if keep == 0 and digits[0] >= "5":
            digits, point, keep = "0" + digits, point + 1, 1
    if keep > 0 and (keep < len(digits) or len(digits) > most):
        keep = min(keep, most)
        rounds_up = digits[keep] >= "5"
        digits = digits[:keep]
        if rounds_up:
            digits = str(int(digits) + 1).rjust(keep, "0")
            point += len(digits) - keep
    return digits.rstrip("0"), point


def real_text(number: float) -> str:
    """Return a REAL as SQLite writes it: 15 significant digits, always with a decimal point."""
    text = f"{number:.15g}"
    # Where a decimal of 15 digits is read as the number, it is so near that every way of rounding finds it; but not
    # among the smallest numbers, which lie far apart.
    if float(text) != number or 0.0 < abs(number) < 2.3e-308:
        text = _rounded_text(number, text)
    if "." in text:
        return text
    if not math.isfinite(number):
        return "Inf" if number > 0 else "-Inf"
    if number == 0:
        return "0.0"
    mantissa, mark, exponent = text.partition("e")
    return f"{mantissa}.0{mark}{exponent}"


def _rounded_text(number: float, correctly_rounded: str) -> str:
    if not math.isfinite(number):
        return correctly_rounded
    if _LIMIT * 1e-82 < abs(number) < _LIMIT * 1e17:  # scaled by powers of ten that are exact
        behind = f"{number:.18e}".partition("e")[0][-4:]
        if not "4900" < behind < "5100":  # far from a tie
            return correctly_rounded
    digits, point = round_digits(*decode_real(abs(number)), 15, 16)
    sign = "-" if number < 0 else ""
    if -4 < point < 16:  # a decimal of 15 digits is read exactly enough for Python to write it as it stands
        return sign + f"{float(f'0.{digits}e{point}'):.15g}"
    return f"{sign}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{point - 1:+03d}"
