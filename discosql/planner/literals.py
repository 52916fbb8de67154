"""Literals of an INSERT as parameters: statements that differ in their values only are parsed and planned once.

What programs write that put values into their SQL, and what dumps are made of: one long text for each row.
"""

import re
from typing import Final, NamedTuple

from discosql.types import Value

MAX_LITERALS: Final = 256
"""With more literals than this a statement stays as it is."""

_NAME: Final = r'(?:[^\W\d]\w*+|"(?:[^"\0]|"")*+"|`[^`\0]*+`|\[[^\]\0]*+\])'
_HEAD: Final = re.compile(
    rf"""\s*+ (?:INSERT (?:\s++ OR \s++ \w++)? | REPLACE) \s++ INTO \s++ {_NAME} (?:\s*+ \. \s*+ {_NAME})?
    (?:\s*+ \( \s*+ {_NAME} (?:\s*+ , \s*+ {_NAME})*+ \s*+ \))? \s*+ VALUES \s*+ """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
# Integers of 19 digits may be too large for one; what has another form than these stays where it is.
_LITERAL: Final = (
    r"""(?: '(?:[^'\0]|'')*+' | -?+ \d{1,18}+ (?![\w.]) | -?+ \d++ \. \d++ (?:[eE][+-]?+\d++)?+ (?![\w.])"""
    r""" | [nN][uU][lL][lL]\b | [xX]'(?:[0-9a-fA-F]{2})*+' )"""
)
_ROW: Final = rf"\( \s*+ {_LITERAL} (?:\s*+ , \s*+ {_LITERAL})*+ \s*+ \)"
_ROWS: Final = re.compile(rf"{_ROW} (?:\s*+ , \s*+ {_ROW})*+ \s*+ ;?+ \s*+", re.VERBOSE | re.ASCII)
_EACH: Final = re.compile(_LITERAL, re.VERBOSE | re.ASCII)


class Lifted(NamedTuple):
    """A statement with a parameter for each literal that it had, and their values."""

    sql: str
    values: tuple[Value, ...]


def lift_literals(sql: str) -> Lifted | None:
    """Return an INSERT … VALUES of nothing but literals with parameters in their places; None for any other text."""
    head = _HEAD.match(sql)
    if head is None:
        return None
    rows = _ROWS.fullmatch(sql, head.end())
    if rows is None:
        return None
    literals = _EACH.findall(sql, head.end())
    if len(literals) > MAX_LITERALS:
        return None
    return Lifted(sql[: head.end()] + _EACH.sub("?", sql[head.end() :]), tuple(map(_value, literals)))


def _value(literal: str) -> Value:
    first = literal[0]
    if first == "'":
        return literal[1:-1].replace("''", "'")
    if first in "nN":
        return None
    if first in "xX":
        return bytes.fromhex(literal[2:-1])
    return float(literal) if "." in literal else int(literal)
