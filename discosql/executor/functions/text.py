"""Functions on text and blobs."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from discosql.errors import OperationalError
from discosql.executor.functions.printf import printf
from discosql.executor.functions.registry import scalar
from discosql.executor.functions.values import c_text, character, integer_of
from discosql.executor.sizes import MAX_LENGTH, check_length, sized
from discosql.reals import real_text
from discosql.types import SqlType, Value, fold_case, text_of

_HEX_PAIR = re.compile("[0-9a-fA-F]{2}")
_ESCAPE = re.compile(r"\\(?:(\\)|\+([0-9a-fA-F]{6})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-9a-fA-F]{4})|)")
_CONTROL = re.compile(r"[\x01-\x1f\\]")
_WORD = re.compile(rb"[A-Za-z].*", re.DOTALL)
_SOUNDEX_GROUPS = {"BFPV": "1", "CGJKQSXZ": "2", "DT": "3", "L": "4", "MN": "5", "R": "6"}
_SOUNDEX = {letter: digit for letters, digit in _SOUNDEX_GROUPS.items() for letter in letters}


def length(value: Value) -> Value:
    """Return the number of characters before the first NUL, of bytes in a blob, NULL for NULL."""
    if isinstance(value, str):
        return len(value) if "\0" not in value else value.index("\0")
    if value is None:
        return None
    return len(value) if isinstance(value, bytes) else len(text_of(value))


def octet_length(value: Value) -> Value:
    """Return the number of bytes of a value as text in UTF-8."""
    if value is None:
        return None
    return len(_bytes_of(value))


def _bytes_of(value: Value) -> bytes:
    return value if isinstance(value, bytes) else text_of(value).encode("utf-8", "replace")


def lower(value: Value) -> Value:
    """Return text with A to Z in lower case."""
    return None if value is None else fold_case(text_of(value))


def upper(value: Value) -> Value:
    """Return text with a to z in upper case."""
    if value is None:
        return None
    text = text_of(value)
    if text.isascii():
        return text.upper()
    return text.encode("utf-8", "surrogatepass").upper().decode("utf-8", "surrogatepass")


def substr(value: Value, start: Value, count: Value = MAX_LENGTH) -> Value:
    """Return part of a text or blob: `count` characters or bytes from the 1-based `start`.

    A negative `start` counts from the end; a negative `count` takes what is before `start`.
    """
    if type(value) is str and type(start) is int and start > 0 and type(count) is int and count >= 0:
        if "\0" in value:
            value = c_text(value)
        return value[start - 1 : start - 1 + count]
    if value is None or start is None or count is None:
        return None
    if isinstance(value, bytes):
        if not value:
            return None
    else:
        value = c_text(value)
    return _substr(value, integer_of(start), integer_of(count))


def _substr(value: str | bytes, first: int, wanted: int) -> str | bytes:
    backwards = wanted < 0
    wanted = abs(wanted)
    if first < 0:
        first += len(value)
        if first < 0:
            wanted = max(wanted + first, 0)
            first = 0
    elif first > 0:
        first -= 1
    elif wanted > 0:
        wanted -= 1
    if backwards:
        first -= wanted
        if first < 0:
            wanted += first
            first = 0
    return value[first : first + max(wanted, 0)]


def instr(haystack: Value, needle: Value) -> Value:
    """Return where a text or blob first occurs in another, counted from 1; 0 if it does not."""
    if haystack is None or needle is None:
        return None
    if isinstance(haystack, bytes) and isinstance(needle, bytes):
        return haystack.find(needle) + 1
    return text_of(haystack).find(text_of(needle)) + 1


def replace(value: Value, old: Value, new: Value) -> Value:
    """Return text with every occurrence of one text replaced by another."""
    if value is None or old is None:
        return None
    text, found = text_of(value), text_of(old)
    if found == "" or found[0] == "\0":
        return text
    if new is None:
        return None
    with_text = text_of(new)
    check_length(len(text) + text.count(found) * (len(with_text) - len(found)))
    return text.replace(found, with_text)


def _trimmer(strip: Callable[[str, str], str]) -> Callable[..., Value]:
    def trim(value: Value, characters: Value = " ") -> Value:
        if value is None or characters is None:
            return None
        cut = c_text(characters)
        return strip(text_of(value), cut) if cut else text_of(value)

    return trim


def concat(*arguments: Value) -> str:
    """Return all arguments as one text, NULL as nothing."""
    return sized("".join([text_of(value) for value in arguments if value is not None]))


def concat_ws(separator: Value, *arguments: Value) -> Value:
    """Return the arguments that are not NULL, joined by a separator."""
    if separator is None:
        return None
    return sized(text_of(separator).join([text_of(value) for value in arguments if value is not None]))


def hexadecimal(value: Value) -> str:
    """Return the bytes of a value in upper-case hexadecimal. Raises DataError if that would be too long."""
    if value is None:
        return ""
    data = _bytes_of(value)
    check_length(2 * len(data))
    return data.hex().upper()


def unhex(value: Value, ignored: Value = "") -> Value:
    """Return the blob that hexadecimal digits stand for; `ignored` characters may stand between pairs.

    NULL for anything else.
    """
    if value is None or ignored is None:
        return None
    text, allowed = c_text(value), text_of(ignored)
    if allowed:
        position = 0
        pairs = []
        while position < len(text):
            if match := _HEX_PAIR.match(text, position):
                pairs.append(match[0])
                position = match.end()
            elif text[position] in allowed and text[position] not in "0123456789abcdefABCDEF":
                position += 1
            else:
                return None
        text = "".join(pairs)
    if len(text) % 2 or not _is_hexadecimal(text):
        return None
    return bytes.fromhex(text)


def _is_hexadecimal(text: str) -> bool:
    return not text.strip("0123456789abcdefABCDEF")


def characters(*codes: Value) -> str:
    """Return the characters with the given code points."""
    return "".join([character(integer_of(code)) for code in codes])


def unicode(value: Value) -> Value:
    """Return the code point of the first character, NULL for no text."""
    if value is None:
        return None
    text = c_text(value)
    return ord(text[0]) if text else None


def quote(value: Value) -> str:
    """Return a value as a SQL literal; text only up to its first NUL."""
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return _quoted_real(value)
    if isinstance(value, bytes):
        return f"X'{value.hex().upper()}'"
    if isinstance(value, int | Decimal):
        return text_of(value)
    return "'" + c_text(value).replace("'", "''") + "'"


def _quoted_real(number: float) -> str:
    if math.isinf(number):
        return "9.0e+999" if number > 0 else "-9.0e+999"
    text = real_text(number)
    return text if float(text) == number else str(printf("%!.20e", number))


def unistr(value: Value) -> Value:
    r"""Return text with its escapes (``\XXXX``, ``\uXXXX``, ``\+XXXXXX``, ``\UXXXXXXXX``, ``\\``) replaced."""
    return None if value is None else _ESCAPE.sub(_unescaped, text_of(value))


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return "\\"
    digits = next((digits for digits in match.groups() if digits), None)
    if digits is None:
        raise OperationalError("invalid Unicode escape")
    return character(int(digits, 16))


def unistr_quote(value: Value) -> str:
    """Return a value as a SQL literal in which control characters are written as escapes of `unistr`."""
    if not isinstance(value, str):
        return quote(value)
    literal = quote(value)
    if not any(mark < " " for mark in literal):
        return literal
    return f"unistr({_CONTROL.sub(_escaped, literal)})"


def _escaped(match: re.Match[str]) -> str:
    return "\\\\" if match[0] == "\\" else f"\\u{ord(match[0]):04x}"


def soundex(value: Value) -> str:
    """Return the Soundex code of a word, ``?000`` where there is none."""
    data = b"" if value is None else c_text(value).encode("utf-8", "replace")
    match = _WORD.search(data)
    if match is None:
        return "?000"
    # SQLite takes bytes beyond ASCII for the characters that their low seven bits are.
    word = bytes(byte & 0x7F for byte in match[0]).decode().upper()
    code = word[0]
    before = _SOUNDEX.get(code, "")
    for letter in word:
        digit = _SOUNDEX.get(letter, "")
        if digit and digit != before:
            code += digit
        before = digit
    return code[:4].ljust(4, "0")


FUNCTIONS: Final = (
    scalar("length", length, 1, SqlType.INTEGER, null_safe=True),
    scalar("octet_length", octet_length, 1, SqlType.INTEGER, null_safe=True),
    scalar("lower", lower, 1, SqlType.TEXT, null_safe=True),
    scalar("upper", upper, 1, SqlType.TEXT, null_safe=True),
    scalar("substr", substr, (2, 3)),
    scalar("substring", substr, (2, 3)),
    scalar("instr", instr, 2, SqlType.INTEGER, null_safe=True),
    scalar("replace", replace, 3, SqlType.TEXT, null_safe=True),
    scalar("trim", _trimmer(str.strip), (1, 2), SqlType.TEXT, null_safe=True),
    scalar("ltrim", _trimmer(str.lstrip), (1, 2), SqlType.TEXT, null_safe=True),
    scalar("rtrim", _trimmer(str.rstrip), (1, 2), SqlType.TEXT, null_safe=True),
    scalar("concat", concat, (1, None), SqlType.TEXT, null_safe=True),
    scalar("concat_ws", concat_ws, (2, None), SqlType.TEXT, null_safe=True),
    scalar("hex", hexadecimal, 1, SqlType.TEXT, null_safe=True),
    scalar("unhex", unhex, (1, 2), SqlType.BLOB),
    scalar("char", characters, (0, None), SqlType.TEXT, null_safe=True),
    scalar("unicode", unicode, 1, SqlType.INTEGER),
    scalar("quote", quote, 1, SqlType.TEXT, null_safe=True),
    scalar("unistr", unistr, 1, SqlType.TEXT, null_safe=True),
    scalar("unistr_quote", unistr_quote, 1, SqlType.TEXT, null_safe=True),
    scalar("soundex", soundex, 1, SqlType.TEXT, null_safe=True),
    scalar("printf", printf, (0, None), SqlType.TEXT),
    scalar("format", printf, (0, None), SqlType.TEXT),
)
"""The scalar functions of this module."""
