"""JSONB, SQLite's binary form of JSON (https://sqlite.org/jsonb.html): bytes to a tree and back.

A node is a header, which tells its type and the size of its payload, and the payload: digits or characters as they were
written, or the nodes in it one after the other.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from discosql.executor.functions.json_nodes import (
    Escaped,
    Integer,
    Loose,
    LooseInteger,
    LooseReal,
    Node,
    Object,
    Real,
    Unescaped,
    malformed,
)
from discosql.executor.functions.json_parser import MAX_DEPTH

_ARRAY: Final = 11
_OBJECT: Final = 12
_CODES: Final[dict[type, int]] = {
    Integer: 3,
    LooseInteger: 4,
    Real: 5,
    LooseReal: 6,
    str: 7,
    Escaped: 8,
    Loose: 9,
    Unescaped: 10,
    list: _ARRAY,
    Object: _OBJECT,
}
_CONSTANTS: Final[dict[int, Node]] = {0: None, 1: True, 2: False}
_KINDS: Final[dict[int, Callable[[str], str]]] = {code: kind for kind, code in _CODES.items() if code < _ARRAY}
_LABELS: Final = range(7, 11)
_JSON_ESCAPE: Final = r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
_FORMS: Final = {
    3: re.compile("-?[0-9]+"),
    4: re.compile("-?0[xX][0-9a-fA-F]+"),
    5: re.compile(r"-?(?!0[0-9])[0-9]+(?=[.eE])(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"),
    6: re.compile(r"-?(?=.*[0-9])(?=.*[.eE])[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?"),
    7: re.compile(r'[^"\\\x00-\x1f]*'),
    8: re.compile(rf'(?:[^"\\\x00-\x1f]|{_JSON_ESCAPE})*'),
    9: re.compile(
        rf"(?:[^\\]|{_JSON_ESCAPE}|\\(?:'|v|\r?\n|\r|0(?![0-9])|\u2028|\u2029|x[0-9a-fA-F]{{2}}))*", re.DOTALL
    ),
    10: re.compile(".*", re.DOTALL),
}
"""What a payload of each type looks like."""


# Writing ---------------------------------------------------------------------------------------------------------


def encode(root: Node) -> bytes:
    """Return a tree as JSONB."""
    done: dict[int, bytes] = {}
    containers = [root] if isinstance(root, list) else []
    for container in containers:  # grows
        containers += [child for child in _children(container) if isinstance(child, list)]
    for container in reversed(containers):
        parts = []
        for child in container:
            if type(child) is tuple:
                parts.append(_encoded(child[0], done))
                child = child[1]
            parts.append(_encoded(child, done))
        payload = b"".join(parts)
        done[id(container)] = _header(_CODES[type(container)], len(payload)) + payload
    return _encoded(root, done)


def _children(container: list[Any]) -> list[Node]:
    return [value for _, value in container] if type(container) is Object else container


def _encoded(node: Node, done: dict[int, bytes]) -> bytes:
    if isinstance(node, list):
        return done[id(node)]
    if isinstance(node, str):
        payload = node.encode("utf-8", "replace")
        return _header(_CODES[type(node)], len(payload)) + payload
    return b"\0" if node is None else b"\1" if node else b"\2"


def _header(code: int, size: int) -> bytes:
    if size <= 11:
        return bytes((code | size << 4,))
    if size <= 0xFF:
        return bytes((code | 0xC0, size))
    if size <= 0xFFFF:
        return bytes((code | 0xD0,)) + size.to_bytes(2, "big")
    return bytes((code | 0xE0,)) + size.to_bytes(4, "big")


# Reading ---------------------------------------------------------------------------------------------------------


class _Frame:
    """A container that is being read, and where it ends."""

    __slots__ = ("end", "label", "node")

    def __init__(self, node: list[Any], end: int) -> None:
        self.node = node
        self.end = end
        self.label: str | None = None


def is_jsonb(data: bytes) -> bool:
    """Return whether bytes look like JSONB: one node, not more and not less.

    Short ones are looked at closely, for they might be JSON text.
    """
    if not data or data[0] & 0x0F > _OBJECT:
        return False
    try:
        start, end = _payload(data, 0, len(data))
    except ValueError:
        return False
    if end != len(data) or (data[0] & 0x0F in _CONSTANTS and end > start):
        return False
    looks_like_text = end - start <= 7 and data[0] in b"{[0123456789"
    return not looks_like_text or error_position(data) == 0


def decode(data: bytes) -> Node:
    """Return the tree of JSONB. Raises OperationalError for what is none."""
    try:
        return _decode(data, checked=False)
    except _JsonbError as exc:
        raise malformed() from exc


def error_position(data: bytes) -> int:
    """Return near which byte, counted from 1, JSONB is wrong; 0 if it is right."""
    try:
        _decode(data, checked=True)
    except _JsonbError as exc:
        return exc.position + 1
    return 0


class _JsonbError(ValueError):
    """Bytes are no JSONB."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position


def _payload(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Return where the payload of a node starts and ends. Raises ValueError where that is beyond an end."""
    short = data[position] >> 4
    start = position + 1
    if short > 11:
        width = 1 << short - 12
        size = int.from_bytes(data[start : start + width], "big")
        start += width
    else:
        size = short
    if start + size > end:
        raise _JsonbError(position)
    return start, start + size


def _decode(data: bytes, *, checked: bool) -> Node:
    frames: list[_Frame] = []
    position = 0
    while True:
        start, end = _payload(data, position, frames[-1].end if frames else len(data))
        code = data[position] & 0x0F
        if code in (_ARRAY, _OBJECT):
            if len(frames) >= MAX_DEPTH or (frames and _wants_label(frames[-1])):
                raise _JsonbError(position)
            frames.append(_Frame(Object() if code == _OBJECT else [], end))
            position = start
        else:
            node = _scalar(data, position, start, end, checked)
            position = end
            if not frames:
                return node
            _add(frames[-1], node, position)
        while frames and position == frames[-1].end:
            frame = frames.pop()
            if frame.label is not None:
                raise _JsonbError(position)
            if not frames:
                return frame.node
            _add(frames[-1], frame.node, position)


def _wants_label(frame: _Frame) -> bool:
    return type(frame.node) is Object and frame.label is None


def _add(frame: _Frame, node: Node, position: int) -> None:
    if not _wants_label(frame):
        frame.node.append(node if frame.label is None else (frame.label, node))
        frame.label = None
    elif isinstance(node, str) and _CODES[type(node)] in _LABELS:
        frame.label = node
    else:
        raise _JsonbError(position)


def _scalar(data: bytes, position: int, start: int, end: int, checked: bool) -> Node:
    code = data[position] & 0x0F
    if code in _CONSTANTS:
        if end != position + 1:
            raise _JsonbError(position)
        return _CONSTANTS[code]
    kind = _KINDS.get(code)
    if kind is None:
        raise _JsonbError(position)
    text = data[start:end].decode("utf-8", "replace")
    if (code < 7 and not text) or (checked and not _FORMS[code].fullmatch(text)):
        raise _JsonbError(position)
    return kind(text)
