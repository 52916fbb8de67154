"""SQL types and values: what each type holds, and how values compare.

A *value* is what plans compute with and pages store: ``None``, ``int`` (64 bits), ``float``, ``str``, ``bytes`` or
``Decimal``. The other types of a column are kept as one of these in a canonical form, so that SQL sees what SQLite
would see: BOOLEAN as 0 and 1, DATE and TIMESTAMP as ISO 8601 text, UUID as lower-case text, JSON as JSON text.
`adapting` converts at the border to Python, `conversion` at the border to a column.

Rules follow https://www.sqlite.org/datatype3.html and https://www.sqlite.org/stricttables.html; DECIMAL, which
SQLite lacks, is an exact number that compares with the other numbers.
"""

import enum
import re
from decimal import Decimal
from typing import Any, Final, TypeAlias

from discosql.reals import real_text as real_text

Value: TypeAlias = int | float | str | bytes | Decimal | None
"""A SQL value as plans, rows and pages hold it."""

Row: TypeAlias = tuple[Any, ...]
"""A stored row: its rowid, then the values of the table's columns in order."""

SQLITE_VERSION: Final = "3.51.0"
"""The version of SQLite that discosql follows."""

MIN_INTEGER: Final = -(2**63)
MAX_INTEGER: Final = 2**63 - 1


class SqlType(enum.Enum):
    """The type of a column or of an expression's result."""

    INTEGER = "INTEGER"
    REAL = "REAL"
    TEXT = "TEXT"
    BLOB = "BLOB"
    NUMERIC = "NUMERIC"  # any value; text that looks like a number is stored as one
    ANY = "ANY"  # any value, stored as given
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    TIMESTAMP = "TIMESTAMP"
    DECIMAL = "DECIMAL"
    JSON = "JSON"
    UUID = "UUID"

    @property
    def affinity(self) -> "Affinity":
        """The affinity that SQLite's comparison rules see."""
        return _AFFINITIES[self]


class Affinity(enum.Enum):
    """SQLite's type affinities (datatype3.html section 3)."""

    INTEGER = "INTEGER"
    REAL = "REAL"
    NUMERIC = "NUMERIC"
    TEXT = "TEXT"
    BLOB = "BLOB"  # no preference

    @property
    def is_numeric(self) -> bool:
        """Whether a comparison with this affinity turns the other side's text into numbers."""
        return self in (Affinity.INTEGER, Affinity.REAL, Affinity.NUMERIC)


_AFFINITIES: Final = {
    SqlType.INTEGER: Affinity.INTEGER,
    SqlType.BOOLEAN: Affinity.INTEGER,
    SqlType.REAL: Affinity.REAL,
    SqlType.NUMERIC: Affinity.NUMERIC,
    SqlType.DECIMAL: Affinity.NUMERIC,
    SqlType.TEXT: Affinity.TEXT,
    SqlType.DATE: Affinity.TEXT,
    SqlType.TIMESTAMP: Affinity.TEXT,
    SqlType.JSON: Affinity.TEXT,
    SqlType.UUID: Affinity.TEXT,
    SqlType.BLOB: Affinity.BLOB,
    SqlType.ANY: Affinity.BLOB,
}

_NAMED_TYPES: Final = {
    "BOOL": SqlType.BOOLEAN,
    "BOOLEAN": SqlType.BOOLEAN,
    "DATE": SqlType.DATE,
    "TIMESTAMP": SqlType.TIMESTAMP,
    "TIMESTAMPTZ": SqlType.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": SqlType.TIMESTAMP,
    "TIMESTAMP WITHOUT TIME ZONE": SqlType.TIMESTAMP,
    "DATETIME": SqlType.TIMESTAMP,
    "DECIMAL": SqlType.DECIMAL,
    "DEC": SqlType.DECIMAL,
    "JSON": SqlType.JSON,
    "JSONB": SqlType.JSON,
    "UUID": SqlType.UUID,
    "ANY": SqlType.ANY,
    "": SqlType.ANY,
    "NUMERIC": SqlType.NUMERIC,
}


def declared_type(declared: str) -> SqlType:
    """Return the type of a column declared with the given words, such as ``VARCHAR(20)`` or ``""``.

    Names that discosql gives a type of its own come first, then SQLite's rules of affinity (datatype3.html 3.1).
    """
    words = " ".join(re.sub(r"\([^)]*\)", " ", declared).upper().split())
    if words in _NAMED_TYPES:
        return _NAMED_TYPES[words]
    if "INT" in words:
        return SqlType.INTEGER
    if any(part in words for part in ("CHAR", "CLOB", "TEXT")):
        return SqlType.TEXT
    if "BLOB" in words:
        return SqlType.BLOB
    if any(part in words for part in ("REAL", "FLOA", "DOUB")):
        return SqlType.REAL
    return SqlType.NUMERIC


def type_name(value: Value) -> str:
    """Return the storage class of a value in upper case, as SQLite's messages name it."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return "INTEGER"
    if isinstance(value, float):
        return "REAL"
    if isinstance(value, str):
        return "TEXT"
    return "DECIMAL" if isinstance(value, Decimal) else "BLOB"


# Text and numbers ------------------------------------------------------------------------------------------------

_SPACE = " \t\n\v\f\r"
_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?(?:\d+(\.\d*)?|(\.\d+))([eE][+-]?\d+)?)", re.ASCII)
_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?\d+)", re.ASCII)


def text_of(value: Value) -> str:
    """Return a non-NULL value as TEXT (CAST AS TEXT, ``||``); a BLOB is read as UTF-8."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return real_text(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(int(value))  # type: ignore[arg-type]


def number_prefix(text: str) -> int | float:
    """Return the number that text starts with, 0 if none, as arithmetic on text and CAST AS NUMERIC see it."""
    match = _NUMBER.match(text)
    if match is None:
        return 0
    return _number(match)


def _number(match: re.Match[str]) -> int | float:
    if match[2] is None and match[3] is None and match[4] is None:
        digits = match[1]
        if len(digits) < 19 or (len(digits) < 22 and MIN_INTEGER <= int(digits) <= MAX_INTEGER):
            return int(digits)
    return float(match[1])


def integer_prefix(text: str) -> int:
    """Return the integer that text starts with, 0 if none, clamped to 64 bits (CAST AS INTEGER)."""
    match = _INTEGER.match(text)
    if match is None:
        return 0
    digits = match[1]
    if len(digits) > 4000:  # beyond what int() converts, and far beyond 64 bits
        digits = digits.lstrip("+-0")[:30].rjust(30, "9") if digits.lstrip("+-0") else "0"
        digits = ("-" if match[1].startswith("-") else "") + digits
    return max(MIN_INTEGER, min(MAX_INTEGER, int(digits)))


def number_of(value: Value) -> int | float | Decimal:
    """Return a non-NULL value as the number that arithmetic uses."""
    if isinstance(value, int | float | Decimal):
        return value
    return number_prefix(text_of(value))


def to_numeric(value: Value) -> Value:
    """Apply NUMERIC affinity: text that is wholly a number becomes one, whole reals in text become integers."""
    if not isinstance(value, str):
        return value
    match = _NUMBER.match(value)
    if match is None or value[match.end() :].strip(_SPACE):
        return value
    number = _number(match)
    if isinstance(number, float) and number.is_integer() and abs(number) < 2**53:
        return int(number)
    return number


def to_text(value: Value) -> Value:
    """Apply TEXT affinity: numbers become text; NULL and BLOB stay."""
    return text_of(value) if isinstance(value, int | float | Decimal) else value


# Order and equality ----------------------------------------------------------------------------------------------


def fold_case(text: str) -> str:
    """Lower A to Z and nothing else: the NOCASE collation and LIKE."""
    if text.isascii():
        return text.lower()
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def collate(value: Value, collation: str) -> Value:
    """Return the value whose plain order and equality are those of `value` under a built-in collation."""
    if isinstance(value, str):
        if collation == "NOCASE":
            return fold_case(value)
        if collation == "RTRIM":
            return value.rstrip(" ")
    return value


def sort_key(value: Value) -> tuple[int, Any]:
    """Return a key that orders values of all classes as SQLite does: NULL, numbers, text by code point, blobs."""
    if value is None:
        return (0, 0)
    if isinstance(value, str):
        return (2, value)
    return (3, value) if isinstance(value, bytes) else (1, value)


def compare(left: Value, right: Value) -> int:
    """Return -1, 0 or 1 for two non-NULL values of any classes."""
    a, b = sort_key(left), sort_key(right)
    return 1 if a > b else -1 if a < b else 0
