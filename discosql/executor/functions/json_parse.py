"""JSON text to a tree.

Text of RFC 8259 is read by Python's own scanner, which is written in C. It would resolve escapes, which must be kept as
they are written, so they are hidden from it. What it refuses is left to `json_parser`.
"""

import json
import re
from functools import lru_cache
from itertools import chain
from typing import Final, NoReturn

from discosql.executor.functions.json_nodes import Escaped, Integer, Node, Object, Real
from discosql.executor.functions.json_parser import MAX_DEPTH, Parser

NOTHING: Final = Object()
"""Stands for no tree."""

_SMALL: Final = 20_000
_LARGE: Final = 1_000_000
_MARK: Final = "\ufdd0"  # no character, and never one
_HIDDEN: Final = {"\\\\": f"{_MARK}b", '\\"': f"{_MARK}q", "\\": f"{_MARK}e"}
_BAD_ESCAPE = re.compile(f"{_MARK}e(?![/bfnrt]|u[0-9a-fA-F]{{4}})")
_SPACES: Final = " \t\n\r"


def _refuse(_word: str) -> NoReturn:
    raise ValueError


_scan: Final = json.JSONDecoder(
    parse_int=Integer, parse_float=Real, parse_constant=_refuse, object_pairs_hook=Object
).raw_decode


def parse(text: str) -> Node:
    """Return the tree of JSON text. Raises OperationalError for any other text."""
    if len(text) < _SMALL:
        return _parse_small(text)
    return _parse_large(text) if len(text) < _LARGE else _parse(text)


def _parse(text: str) -> Node:
    node = scan(text)
    return Parser(text).parse() if node is NOTHING else node


# A statement may ask for many parts of one document, one after the other.
_parse_small = lru_cache(maxsize=32)(_parse)
_parse_large = lru_cache(maxsize=2)(_parse)


def scan(text: str) -> Node:
    """Return the tree of a text of RFC 8259, or NOTHING for one that is none, or that cannot be read quickly."""
    hidden = text
    if "\\" in text:
        if _MARK in text:
            return NOTHING
        hidden = text.replace("\\\\", _HIDDEN["\\\\"]).replace('\\"', _HIDDEN['\\"']).replace("\\", _HIDDEN["\\"])
        if _BAD_ESCAPE.search(hidden):
            return NOTHING
    try:
        node, end = _scan(hidden, len(text) - len(text.lstrip(_SPACES)))
    except (ValueError, RecursionError):
        return NOTHING
    if hidden[end:].strip(_SPACES) or _may_be_too_deep(text, node):
        return NOTHING
    return node if hidden is text else _with_escapes(node)


def _may_be_too_deep(text: str, node: Node) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    level = [node]
    for _ in range(MAX_DEPTH):
        children = chain.from_iterable(level)
        values = [child[1] if type(child) is tuple else child for child in children]
        level = [value for value in values if isinstance(value, list)]
        if not level:
            return False
    return True


def _with_escapes(root: Node) -> Node:
    """Put the escapes back into the strings of a tree that was just made."""
    if type(root) is str:
        return _original(root)
    todo = [root] if isinstance(root, list) else []
    for container in todo:  # grows
        for place, child in enumerate(container):
            label, value = child if type(child) is tuple else (None, child)
            if isinstance(value, list):
                todo.append(value)
            elif type(value) is str and _MARK in value:
                value = container[place] = _original(value)
            if label is not None:
                container[place] = (_original(label), value)
    return root


def _original(text: str) -> str:
    if _MARK not in text:
        return text
    for escape, hidden in _HIDDEN.items():
        text = text.replace(hidden, escape)
    return Escaped(text)
