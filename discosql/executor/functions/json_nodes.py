"""JSON as a tree, and back to text.

A tree keeps what the text said: numbers as their digits, strings as they were written between the quotes. So a node is

- None, True, False;
- `Integer` and `Real`, or `LooseInteger` (hexadecimal) and `LooseReal` (``.5``, ``5.``), which only JSON5 has;
- str: a string without escapes; `Escaped`: with JSON's escapes; `Loose`: with JSON5's; `Unescaped`: text from SQL that
  may hold any character;
- list: an array; `Object`: a list of pairs, label and node.

These are the node types of SQLite's JSONB. A tree is never changed once it is made: it may be shared. JSON may nest
1,000 levels, more than Python's stack allows, so nothing here recurses.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from discosql.errors import OperationalError
from discosql.types import MAX_INTEGER, Value

Node: TypeAlias = Any
"""A tree; the types of its nodes are those of this module's docstring."""


class JsonText(str):
    """Text that is JSON: a JSON function takes it as an array, object and so on, not as a string."""

    __slots__ = ()


class Integer(str):
    """An integer."""

    __slots__ = ()


class LooseInteger(str):
    """A hexadecimal integer."""

    __slots__ = ()


class Real(str):
    """A number with a point or an exponent."""

    __slots__ = ()


class LooseReal(str):
    """A number without digits before or behind the point."""

    __slots__ = ()


class Escaped(str):
    """A string with escapes of JSON."""

    __slots__ = ()


class Loose(str):
    """A string with escapes of JSON5, or with characters that JSON wants escaped."""

    __slots__ = ()


class Unescaped(str):
    """Any text."""

    __slots__ = ()


class Object(list[tuple[str, Node]]):
    """Pairs of label and value, in order; a label may occur several times, the first one counts."""

    __slots__ = ()


_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})"
    r"|(\r\n|.)|\Z)",
    re.DOTALL,
)
_SIMPLE_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_SIMPLE_ESCAPES.update({letter: letter for letter in "'\"/\\"})
_LOOSE_PART = re.compile(r"\\(\r\n|.)|[\"\x00-\x1f]", re.DOTALL)
_LOOSE_ESCAPES: Final = {"'": "'", "v": "\\u000b", "x": "\\u00", "0": "\\u0000"}
_LOOSE_ESCAPES.update(dict.fromkeys(("\r\n", "\r", "\n", "\u2028", "\u2029"), ""))
_SURROGATE = re.compile("[\ud800-\udfff]")
_quoted: Final[Callable[[str], str]] = json.JSONEncoder(ensure_ascii=False).encode
"""Writes any text as a JSON string, with the escapes that SQLite uses."""


def malformed() -> OperationalError:
    """Return the error for text that is no JSON."""
    return OperationalError("malformed JSON")


# Values of nodes -------------------------------------------------------------------------------------------------


def decoded(text: str) -> str:
    """Return a string or label without escapes; code points that are no characters may be left."""
    return _ESCAPE.sub(_unescape, text) if isinstance(text, Escaped | Loose) else text


def _unescape(match: re.Match[str]) -> str:
    high, low, code, byte, other = match.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF))
    if code or byte:
        return chr(int(code or byte, 16))
    return _SIMPLE_ESCAPES.get(other, "")  # a line break behind a backslash is none


def text_value(text: str) -> str:
    """Return a string or label as SQL text."""
    result = decoded(text)
    return _SURROGATE.sub("\ufffd", result) if isinstance(text, Escaped | Loose) else str.__str__(result)


def _integer_value(digits: str) -> int | float:
    number = int(digits) if len(digits) < 21 else None
    if number is None or not -MAX_INTEGER - 1 <= number <= MAX_INTEGER:
        return float(digits)
    return number


def _loose_integer_value(digits: str) -> int | float:
    significant = digits.lstrip("+-")[2:].lstrip("0")
    if len(significant) > 16:
        raise malformed()
    number = int(significant or "0", 16)
    value = number if number <= MAX_INTEGER else float(number)
    return -value if digits[0] == "-" else value


_VALUES: Final[dict[type, Callable[[Node], Value]]] = {
    type(None): lambda node: None,
    bool: int,
    Integer: _integer_value,
    LooseInteger: _loose_integer_value,
    Real: float,
    LooseReal: float,
    str: lambda node: node,
    Escaped: text_value,
    Loose: text_value,
    Unescaped: text_value,
}
_TYPES: Final[dict[type, str]] = {
    type(None): "null",
    Integer: "integer",
    LooseInteger: "integer",
    Real: "real",
    LooseReal: "real",
    list: "array",
    Object: "object",
}


def is_container(node: Node) -> bool:
    """Whether a node is an array or an object."""
    return isinstance(node, list)


def value_of(node: Node) -> Value:
    """Return a node as a SQL value; arrays and objects as their text."""
    convert = _VALUES.get(type(node))
    return convert(node) if convert is not None else render(node)


def type_of(node: Node) -> str:
    """Return the name that json_type() has for a node."""
    if isinstance(node, bool):
        return "true" if node else "false"
    return _TYPES.get(type(node), "text")


# Text ------------------------------------------------------------------------------------------------------------


def _loose_integer_text(digits: str) -> str:
    sign = "-" if digits[0] == "-" else ""
    significant = digits.lstrip("+-")[2:].lstrip("0")
    return sign + (str(int(significant or "0", 16)) if len(significant) <= 16 else "9.0e999")


def _loose_real_text(digits: str) -> str:
    return re.sub(r"\.(?![0-9])", ".0", re.sub(r"^(-?)\.", r"\g<1>0.", digits))


def _loose_text(text: str) -> str:
    return f'"{_LOOSE_PART.sub(_standard_escape, text)}"'


def _standard_escape(match: re.Match[str]) -> str:
    if match[1] is None:
        return _quoted(match[0])[1:-1]
    return _LOOSE_ESCAPES.get(match[1], match[0])


_WRITERS: Final[dict[type, Callable[[Node], str]]] = {
    type(None): lambda node: "null",
    bool: lambda node: "true" if node else "false",
    Integer: str.__str__,
    LooseInteger: _loose_integer_text,
    Real: str.__str__,
    LooseReal: _loose_real_text,
    str: lambda node: f'"{node}"',
    Escaped: lambda node: f'"{node}"',
    Loose: _loose_text,
    Unescaped: _quoted,
}


def _render_flat(node: Node) -> str | None:
    """Return a node as text, None if containers are in it."""
    try:
        if type(node) is list:
            return f"[{','.join([_WRITERS[type(item)](item) for item in node])}]"
        if type(node) is Object:
            pairs = [f"{_WRITERS[type(label)](label)}:{_WRITERS[type(item)](item)}" for label, item in node]
            return "{" + ",".join(pairs) + "}"
        return _WRITERS[type(node)](node)
    except KeyError:
        return None


def render(root: Node) -> str:
    """Return a tree as JSON text without spaces."""
    text = _render_flat(root)
    if text is not None:
        return text
    pieces: list[str] = []
    todo: list[Iterator[Node]] = [iter((root,))]
    closing = [""]
    while todo:
        for node in todo[-1]:
            if type(node) is tuple:
                label, node = node
                pieces.append(f"{_WRITERS[type(label)](label)}:")
            text = _render_flat(node)
            if text is not None:
                pieces.append(text)
                pieces.append(",")
            else:
                is_object = type(node) is Object
                pieces.append("{" if is_object else "[")
                closing.append("}" if is_object else "]")
                todo.append(iter(node))
                break
        else:
            todo.pop()
            if pieces[-1] == ",":
                pieces.pop()
            pieces.append(closing.pop())
            pieces.append(",")
    return "".join(pieces[:-2])


def render_pretty(root: Node, indent: str) -> str:
    """Return a tree as JSON text with one node a line, deeper ones behind more of the indent."""
    pieces: list[str] = []
    todo: list[Iterator[Node]] = [iter((root,))]
    closing = [""]
    margin = ""
    while todo:
        for node in todo[-1]:
            pieces.append(margin)
            if type(node) is tuple:
                label, node = node
                pieces.append(f"{_WRITERS[type(label)](label)}: ")
            writer = _WRITERS.get(type(node))
            if writer is not None or not node:
                pieces.append(writer(node) if writer is not None else render(node))
                pieces.append(",\n")
            else:
                is_object = type(node) is Object
                pieces.append("{\n" if is_object else "[\n")
                closing.append("}" if is_object else "]")
                todo.append(iter(node))
                margin += indent
                break
        else:
            todo.pop()
            pieces[-1] = "\n"
            margin = indent * (len(todo) - 1)
            pieces.append(margin + closing.pop())
            pieces.append(",\n")
    return "".join(pieces[:-3])
