"""The types of a file's columns, found by looking at every value."""

import datetime
import json
import re
from collections.abc import Sequence
from typing import Any, Final

from discosql.transfer.sources import Source

# Patterns are matched against the values of a column, each with a line break after it: one call for thousands of them.
# What would not come back as it was written, such as 007 or numbers with more digits than the type holds, stays text.
_WHOLE: Final = r"-?(?:0|[1-9][0-9]{0,17})"
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_PATTERNS: Final = {
    "INTEGER": _WHOLE,
    "REAL": r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?",
    "BOOLEAN": r"(?:[tT]rue|TRUE|[fF]alse|FALSE)",
    "DATE": _DAY,
    "TIMESTAMP": _DAY + r"[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z?",
}
_MATCHERS: Final = {name: re.compile(f"(?:(?:{text})?\n)*") for name, text in _PATTERNS.items()}


def are_all(kind: str, values: Sequence[str]) -> bool:
    """Tell whether texts can all be stored in a column of a type; those that are empty can."""
    text = "\n".join(values) + "\n"
    if _MATCHERS[kind].fullmatch(text) is None or text.count("\n") != len(values):
        return False
    if kind not in ("DATE", "TIMESTAMP"):
        return True
    try:
        for value in set(values):
            if value:
                datetime.datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def infer_types(source: Source) -> list[str]:
    """Return the narrowest type for each column that holds all of its values; TEXT if it has none. Reads the file."""
    return _types_of_objects(source) if source.typed else _types_of_text(source)


def _types_of_text(source: Source) -> list[str]:
    open_kinds = [list(_PATTERNS) for _ in source.columns]
    empty = [True] * len(source.columns)
    for chunk in source.chunks():
        for place, values in enumerate(zip(*chunk.rows, strict=True)):
            open_kinds[place] = [kind for kind in open_kinds[place] if are_all(kind, values)]
            empty[place] = empty[place] and not any(values)
    return ["TEXT" if none or not kinds else kinds[0] for none, kinds in zip(empty, open_kinds, strict=True)]


_JSON_TYPES: Final[dict[type, str]] = {
    bool: "BOOLEAN", int: "INTEGER", float: "REAL", str: "TEXT", list: "JSON", dict: "JSON"
}  # fmt: skip


def _types_of_objects(source: Source) -> list[str]:
    found: list[set[type]] = [set() for _ in source.columns]
    for chunk in source.chunks():
        for place, values in enumerate(zip(*chunk.rows, strict=True)):
            found[place].update(map(type, values))
    return [_type_of_kinds({_JSON_TYPES[kind] for kind in kinds if kind is not type(None)}) for kinds in found]


def _type_of_kinds(kinds: set[str]) -> str:
    if kinds == {"INTEGER", "REAL"}:
        return "REAL"
    if len(kinds) > 1:
        return "JSON" if "JSON" in kinds else "ANY"
    return kinds.pop() if kinds else "TEXT"


def converted(values: Sequence[Any], kind: str, *, typed: bool) -> Sequence[Any]:
    """Return a column's values for a column of a type. What does not fit is left for the database to refuse."""
    if typed:
        always = kind == "JSON"
        return [
            json.dumps(value, ensure_ascii=False)
            if isinstance(value, dict | list) or (always and value is not None)
            else value
            for value in values
        ]
    if kind in ("INTEGER", "REAL") and are_all(kind, values):
        number = int if kind == "INTEGER" else float
        return [number(value) if value else None for value in values]
    return [value or None for value in values] if "" in values else values
