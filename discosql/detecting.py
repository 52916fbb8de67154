"""Result values as Python objects: those of our own types, and what converters make of others, as in sqlite3.

https://docs.python.org/3/library/sqlite3.html#how-to-convert-sqlite-values-to-custom-python-types
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from discosql.adapting import CONVERTED_TYPES, from_value

if TYPE_CHECKING:
    from discosql.planner.plan import OutputColumn

PARSE_DECLTYPES: Final = 1
"""For `detect_types`: look up converters by the declared types of columns, up to the first blank or parenthesis."""

PARSE_COLNAMES: Final = 2
"""For `detect_types`: look up converters by what follows a column's name in brackets: ``AS "p [point]"``."""

Converter: TypeAlias = Callable[[bytes], Any]
Reader: TypeAlias = Callable[[Any], Any]
TextFactory: TypeAlias = Callable[[bytes], Any]

_NAMED: Final = re.compile(r"(.*?)\s*\[([^\]]*)\]?$", re.DOTALL)
converters: Final[dict[str, Converter]] = {}
"""The registered converters by the names of their types in upper case."""


def register_converter(typename: str, converter: Converter, /) -> None:
    """Let a function make Python objects of the values of a type, in connections with `detect_types`.

    It is given the value's bytes (text as UTF-8, numbers as text) and is not called for NULL. The case of the name does
    not matter. Without one, columns of the types that this library has itself are shown as Python's own objects.
    """
    converters[typename.upper()] = converter


def shown_name(name: str, detect_types: int) -> str:
    """Return a column's name without the type in brackets, where that is looked for."""
    found = _NAMED.match(name) if detect_types & PARSE_COLNAMES else None
    return found[1] if found else name


def readers(
    columns: Sequence[OutputColumn], detect_types: int = 0, text_factory: TextFactory | type[str] = str
) -> list[tuple[int, Reader]]:
    """Return the places of the columns whose values are shown otherwise than they are, and what shows them."""
    found = []
    for place, column in enumerate(columns):
        reader = _reader(column, detect_types, text_factory)
        if reader is not None:
            found.append((place, reader))
    return found


def _reader(column: OutputColumn, detect_types: int, text_factory: TextFactory | type[str]) -> Reader | None:
    converter = _converter(column, detect_types) if detect_types else None
    if converter is not None:
        # As in sqlite3, an empty blob is nothing to convert.
        return lambda value: None if value is None or value == b"" else converter(_bytes(value))
    kind = column.type
    if kind is not None and kind in CONVERTED_TYPES:
        return lambda value: from_value(value, kind)
    if text_factory is not str:
        return lambda value: text_factory(value.encode()) if isinstance(value, str) else value
    return None


def _converter(column: OutputColumn, detect_types: int) -> Converter | None:
    if detect_types & PARSE_COLNAMES:
        named = _NAMED.match(column.name)
        if named and named[2].upper() in converters:
            return converters[named[2].upper()]
    if detect_types & PARSE_DECLTYPES:
        return converters.get(re.split(r"[\s(]", column.declared, maxsplit=1)[0].upper())
    return None


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def shown(rows: list[tuple[Any, ...]], wanted: Sequence[tuple[int, Reader]]) -> list[tuple[Any, ...]]:
    """Return rows with the values at some places read."""
    if not wanted:
        return rows
    result = []
    for row in rows:
        values = list(row)
        for place, read in wanted:
            values[place] = read(values[place])
        result.append(tuple(values))
    return result
