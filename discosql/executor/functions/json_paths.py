"""JSON paths such as ``$.items[0].name`` or ``$[#-1]``: finding a node, and a tree with a node changed.

As in SQLite a path is read while it is followed, so an error in a part that is never reached does not matter.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from discosql.errors import OperationalError
from discosql.executor.functions.json_nodes import Escaped, Loose, Node, Object, Unescaped, decoded

Edit: TypeAlias = Literal["insert", "replace", "set", "remove"]

MISSING: Final = Object()
"""Stands for a node that a path does not lead to."""

_STEP = re.compile(r'\."((?:[^"\\]|\\.|\\\Z)*)"|\.([^".\[][^.\[]*)|\[([0-9]+)\]|\[#(?:-([0-9]+))?(\])?|\[', re.DOTALL)
_WORD = re.compile("[0-9A-Za-z_]*", re.ASCII)
_ESCAPED: Final = frozenset({Escaped, Loose})
_WRAP: Final = 2**32  # SQLite counts in 32 bits


@dataclass(frozen=True, slots=True)
class _FromEnd:
    """A place in an array, counted back from its end; not `closed` without a bracket behind it."""

    distance: int
    closed: bool


@dataclass(frozen=True, slots=True)
class _Bad:
    """What is no step; `in_arrays` if that is only noticed at an array."""

    in_arrays: bool


Step: TypeAlias = str | int | _FromEnd | _Bad
"""A label, which is `Loose` if it has escapes, a place in an array, or one of these classes."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path and its text."""

    text: str
    steps: tuple[Step, ...]

    def error(self) -> OperationalError:
        """Return the error for this path."""
        return bad_path(self.text)


def bad_path(text: str) -> OperationalError:
    """Return the error for text that is no path."""
    quoted = text.replace("'", "''")
    return OperationalError(f"bad JSON path: '{quoted}'")


@lru_cache(maxsize=1024)
def path_of(text: str) -> Path:
    """Return the path that text is. Raises OperationalError where it does not start with ``$``."""
    if text[:1] != "$":
        raise bad_path(text)
    return Path(text, _steps(text[1:]))


@lru_cache(maxsize=1024)
def arrow_path(text: str, is_number: bool) -> Path:
    """Return the path that the right side of ``->`` is: a label or a place in an array may stand there alone."""
    if text[:1] == "$":
        return path_of(text)
    if is_number:
        steps = f"[#{text}]" if text[0] == "-" else f"[{text}]"
    elif _WORD.fullmatch(text):
        steps = f".{text}"
    elif text[0] == "[" and text[-1] == "]" and len(text) > 2:
        steps = text
    else:
        steps = f'."{text}"'
    return Path(text, _steps(steps))


def _steps(text: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        steps.append(_Bad(False) if match is None else _step(match))
        if match is None or isinstance(steps[-1], _Bad):
            break
        position = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    quoted, label, place, distance, closed = match.groups()
    if quoted is not None:
        return Loose(quoted) if "\\" in quoted else str(quoted)
    if label is not None:
        return str(label)
    if place is not None:
        return int(place[-4000:]) % _WRAP
    if match[0] == "[":
        return _Bad(True)
    return _FromEnd(int((distance or "0")[-4000:]) % _WRAP, bool(closed))


# Finding ---------------------------------------------------------------------------------------------------------


def find(node: Node, path: Path) -> Node:
    """Return the node that a path leads to, or MISSING."""
    for step in path.steps:
        place = _place(node, step, path)
        if place is None or place == len(node):
            return MISSING
        node = node[place] if type(node) is list else node[place][1]
    return node


def trail(node: Node, path: Path) -> list[int] | None:
    """Return at which place in each container a path goes on, None if it leads nowhere."""
    places = []
    for step in path.steps:
        place = _place(node, step, path)
        if place is None or place == len(node):
            return None
        places.append(place)
        node = node[place] if type(node) is list else node[place][1]
    return places


def _place(node: Node, step: Step, path: Path) -> int | None:
    """Return where a step leads to in a node: its length for a new end, None for nowhere."""
    if isinstance(step, str):
        return _label_place(node, step) if type(node) is Object else None
    if isinstance(step, _Bad):
        if step.in_arrays and type(node) is not list:
            return None
        raise path.error()
    if type(node) is not list:
        return None
    if isinstance(step, _FromEnd):
        if step.distance > len(node):
            return None
        if not step.closed:
            raise path.error()
        return len(node) - step.distance
    return step if step <= len(node) else None


def _label_place(node: Object, wanted: str) -> int:
    """Return where a label is in an object, the object's length if it is not there."""
    if type(wanted) in _ESCAPED:
        wanted = decoded(wanted)
    for place, (label, _) in enumerate(node):
        if (decoded(label) if type(label) in _ESCAPED else label) == wanted:
            return place
    return len(node)


# Changing --------------------------------------------------------------------------------------------------------


def changed(root: Node, path: Path, edit: Edit, value: Node = None) -> Node:
    """Return the tree with the node at a path changed; the tree itself where there is nothing to change.

    Nodes that are missing are made on the way by ``insert`` and ``set``. Removing the root gives MISSING.
    """
    trail: list[tuple[Node, int]] = []
    node = root
    for number, step in enumerate(path.steps):
        place = _place(node, step, path)
        if place is None:
            return root
        if place == len(node):
            if edit in ("remove", "replace"):
                return root
            new = _substructure(path, number + 1, value)
            if new is MISSING:
                return root
            return _rebuilt(trail, _extended(node, step, new))
        trail.append((node, place))
        node = node[place] if type(node) is list else node[place][1]
    if edit == "insert":
        return root
    return _rebuilt(trail, MISSING if edit == "remove" else value)


def _substructure(path: Path, start: int, value: Node) -> Node:
    """Return the value inside of what the rest of a path makes, MISSING where that cannot be made."""
    steps = path.steps[start:]
    for step in steps:
        empty: Node = Object() if isinstance(step, str) else []
        if _place(empty, step, path) != 0:
            return MISSING
    for step in reversed(steps):
        value = _extended(Object() if isinstance(step, str) else [], step, value)
    return value


def _extended(node: Node, step: Step, value: Node) -> Node:
    if type(node) is list:
        return [*node, value]
    assert isinstance(step, str)
    label = step if isinstance(step, Loose) else Unescaped(step)
    return Object((*node, (label, value)))


def _rebuilt(trail: list[tuple[Node, int]], new: Node) -> Node:
    """Return copies of the containers on the way to a node, with that node new or, if MISSING, left out."""
    for container, place in reversed(trail):
        copied = container.copy() if type(container) is list else Object(container)
        if new is MISSING:
            del copied[place]
        else:
            copied[place] = new if type(container) is list else (container[place][0], new)
        new = copied
    return new


# Merge patches ---------------------------------------------------------------------------------------------------


def merged(target: Node, patch: Node) -> Node:
    """Return a tree changed by a merge patch (RFC 7396); neither is changed itself."""
    if type(patch) is not Object:
        return patch
    root = Object(target) if type(target) is Object else Object()
    todo = [(root, iter(patch))]
    while todo:
        node, pairs = todo[-1]
        for label, value in pairs:
            place = _label_place(node, label)
            if type(value) is Object:
                old = node[place][1] if place < len(node) else None
                new = Object(old) if type(old) is Object else Object()
                _put(node, place, label, new)
                todo.append((new, iter(value)))
                break
            if value is not None:
                _put(node, place, label, value)
            elif place < len(node):
                del node[place]
        else:
            todo.pop()
    return root


def _put(node: Object, place: int, label: str, value: Node) -> None:
    if place == len(node):
        node.append((label, value))
    else:
        node[place] = (node[place][0], value)
