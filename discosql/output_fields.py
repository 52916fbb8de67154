r"""Values as text for other programs: fields of CSV and TSV, values of JSON. Exports and output modes share them.

They are written so that they can be read back as they were: REALs with the fewest digits that give the same number
(infinities as 9e999, which SQL and JSON read as such), DECIMALs with all of theirs, BLOBs in hexadecimal digits.
Values are those of SQL, or the Python objects that cursors give for them.
"""

import json
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from json.encoder import encode_basestring as json_string
from typing import Any, Final
from uuid import UUID

from discosql.adapting import timestamp_text

TSV_NULL: Final = r"\N"
"""NULL in TSV, as in the text format of PostgreSQL's COPY; no text is written so."""

_TO_QUOTE: Final = re.compile('[",\r\n\ufeff]')
_MARK: Final = '"'
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_INFINITE: Final = re.compile(r'("(?:[^"\\]|\\.)*")|Infinity')


def exact_real(value: float) -> str:
    """Return the shortest text that reads as the same REAL."""
    if value in (float("inf"), float("-inf")):
        return "9e999" if value > 0 else "-9e999"
    return repr(value)


def nested_json(value: Any) -> str:
    """Return a value as JSON, infinities as numbers too large to be any other. NaN, which JSON lacks, stays ``NaN``."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _INFINITE.sub(lambda found: found[1] or "9e999", text) if "Infinity" in text else text


def field(value: Any) -> str:
    """Return a value that is not NULL as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return exact_real(value)
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, datetime):
        return timestamp_text(value)
    if isinstance(value, dict | list):
        return nested_json(value)
    return str(value)


def csv_field(value: Any, null: str = "") -> str:
    """Return a field of CSV: NULL is nothing, empty text is ``""``, as PostgreSQL's COPY has them."""
    if value is None:
        return null
    if isinstance(value, int | float | bytes):
        return field(value)
    text = field(value)
    return f'"{text.replace(_MARK, _MARK * 2)}"' if not text or _TO_QUOTE.search(text) else text


def csv_line(fields: Sequence[str]) -> str:
    """Return a line of CSV; its fields are ready."""
    return ",".join(fields) + "\n"


def tsv_field(value: Any, null: str = TSV_NULL) -> str:
    r"""Return a field of TSV, with tabs, line breaks and backslashes as ``\t``, ``\n``, ``\r``, ``\\``."""
    return null if value is None else field(value).translate(_ESCAPES)


def tsv_line(fields: Sequence[str]) -> str:
    """Return a line of TSV; its fields are ready."""
    return "\t".join(fields) + "\n"


def json_field(value: Any) -> str:
    """Return a value as JSON: DECIMALs as text, which loses no digit, BLOBs as hexadecimal digits."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return json_string(value)
    if isinstance(value, bytes):
        return f'"{value.hex()}"'
    return f'"{field(value)}"' if isinstance(value, Decimal | UUID | date) else field(value)


def json_template(names: Sequence[str]) -> str:
    """Return the text of an object with these names; ``%`` puts values in that are JSON."""
    keys = [json_string(name).replace("%", "%%") for name in names]
    return "{" + ", ".join([f"{key}: %s" for key in keys]) + "}"


JSON_BETWEEN: Final = ",\n "
"""What is between the objects of an array."""
