"""Fragments of generated code: Python expressions, each with the kinds of value that it can have.

A *kind* is a set of bits, one a storage class. Two bits are no storage classes but forms that arithmetic and
comparisons leave as they are until somebody needs the real value: `NAN` says that a NaN stands for NULL, `BOOL` that
True and False stand for 1 and 0. `normal` brings such a fragment to its real value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, TypeAlias

from discosql.types import SqlType, Value

Kind: TypeAlias = int

NULL: Final = 1
INTEGER: Final = 2
REAL: Final = 4
TEXT: Final = 8
BLOB: Final = 16
DECIMAL: Final = 32
NAN: Final = 64
BOOL: Final = 128
JSON: Final = 256  # text that a JSON function made and another one takes as JSON
PLAIN: Final = INTEGER | REAL
NUMBER: Final = PLAIN | DECIMAL
ANYTHING: Final = NULL | NUMBER | TEXT | BLOB
RAW: Final = NAN | BOOL | JSON

NO_NAMES: Final[frozenset[str]] = frozenset()
MAX_DEPTH: Final = 40
"""Fragments nested deeper than this become functions: Python's parser and compiler have their limits."""

_TYPE_KINDS: Final = {
    SqlType.INTEGER: INTEGER,
    SqlType.BOOLEAN: INTEGER,
    SqlType.REAL: REAL,
    SqlType.TEXT: TEXT,
    SqlType.DATE: TEXT,
    SqlType.TIMESTAMP: TEXT,
    SqlType.JSON: TEXT,
    SqlType.UUID: TEXT,
    SqlType.BLOB: BLOB,
    SqlType.DECIMAL: DECIMAL,
}
_CLASS_KINDS: Final[dict[type, Kind]] = {
    type(None): NULL,
    int: INTEGER,
    float: REAL,
    str: TEXT,
    bytes: BLOB,
    Decimal: DECIMAL,
}


def kind_of_type(sql_type: SqlType | None, nullable: bool) -> Kind:
    """Return the kind of a column of a type that is certain."""
    if sql_type is None or sql_type not in _TYPE_KINDS:
        return ANYTHING if nullable else ANYTHING & ~NULL
    return _TYPE_KINDS[sql_type] | (NULL if nullable else 0)


def kind_of_value(value: Value) -> Kind:
    """Return the kind of one value."""
    return _CLASS_KINDS[type(value)]


def kind_of_parameter(parameter: SqlType | type | None) -> Kind:
    """Return the kind that a bound value has: its Python class or SQL type as given, anything for None."""
    if parameter is None:
        return ANYTHING
    if isinstance(parameter, SqlType):
        return kind_of_type(parameter, False)
    return _CLASS_KINDS.get(parameter, ANYTHING)


@dataclass(frozen=True, slots=True)
class Code:
    """A Python expression in parentheses where it needs them.

    `simple` ones may be repeated at no cost. `names` are the local variables it reads, `bound` those it binds itself
    (``:=``), `depth` how deeply it is nested. `yields` tells that it waits, so it only fits into a generator function.
    `slot` is the row variable, the position and the row's width (0: not known) of a plain column.
    """

    text: str
    kind: Kind
    simple: bool = False
    depth: int = 0
    names: frozenset[str] = NO_NAMES
    bound: frozenset[str] = NO_NAMES
    yields: bool = False
    slot: tuple[str, int, int] | None = None

    def may_be(self, kind: Kind) -> bool:
        """Whether a value can be of one of the kinds."""
        return self.kind & kind != 0

    def only(self, kind: Kind) -> bool:
        """Whether all values are of the kinds."""
        return self.kind & ~kind == 0

    def with_kind(self, kind: Kind) -> Code:
        """Return the same code, known to have other kinds of value."""
        return replace(self, kind=kind)


NOTHING: Final = Code("None", NULL, simple=True)
TRUE: Final = Code("True", INTEGER | BOOL, simple=True)
FALSE: Final = Code("False", INTEGER | BOOL, simple=True)


def variable(name: str, kind: Kind) -> Code:
    """Return the code that reads a local variable."""
    return Code(name, kind, simple=True, names=frozenset((name,)))


def column_of(row: str, position: int, kind: Kind, width: int = 0) -> Code:
    """Return the code that reads one value of a row."""
    return Code(f"{row}[{position}]", kind, simple=True, names=frozenset((row,)), slot=(row, position, width))


def compose(template: str, *parts: Code, kind: Kind, binds: Iterable[str] = ()) -> Code:
    """Return a fragment made of others; each ``{}`` of the template takes one, ``{0}`` and so on one by number."""
    names: set[str] = set()
    bound = set(binds)
    depth, yields = 0, False
    for part in parts:
        names |= part.names
        bound |= part.bound
        yields = yields or part.yields
        if part.depth > depth:
            depth = part.depth
    text = template.format(*[part.text for part in parts])
    return Code(text, kind, depth=depth + 1, names=frozenset(names), bound=frozenset(bound), yields=yields)


def sequence(parts: Iterable[Code], separator: str, kind: Kind, form: str = "({})") -> Code:
    """Return many fragments side by side, such as the operands of ``and``."""
    parts = tuple(parts)
    joined = form.format(separator.join(["{}"] * len(parts)))
    return compose(joined, *parts, kind=kind)


def row_of(parts: Iterable[Code]) -> Code:
    """Return the code of a tuple."""
    parts = tuple(parts)
    return sequence(parts, ", ", ANYTHING, "({},)" if len(parts) == 1 else "({})")
