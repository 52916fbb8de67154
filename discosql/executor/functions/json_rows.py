"""The rows of json_each(), json_tree() and their kin (https://sqlite.org/json1.html#jeach).

The id of a row is where SQLite's JSONB would have the node, or its label, so sizes in that encoding are computed. What
SQLite says of key and path where json_tree() starts at a path of several steps is odd; it is done alike.
"""

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Final

from discosql.errors import OperationalError
from discosql.executor.functions.json_functions import document
from discosql.executor.functions.json_nodes import (
    JsonText,
    Node,
    Object,
    is_container,
    render,
    text_value,
    type_of,
    value_of,
)
from discosql.executor.functions.json_paths import Path, path_of, trail
from discosql.executor.functions.jsonb import encode, is_jsonb
from discosql.executor.functions.values import c_text, integer_of
from discosql.types import Row, Value

_PLAIN_LABEL = re.compile("[A-Za-z][A-Za-z0-9]*")


JSON_TABLES: Final = frozenset({"json_each", "json_tree", "jsonb_each", "jsonb_tree"})
"""The tables whose rows `json_rows` makes."""

JSON_COLUMN: Final = 1
"""The place of the column whose values may be JSON."""

_IDS: Final = (4, 5)


@dataclass(frozen=True, slots=True)
class _Item:
    """A node where it is found: `position` of its label if it has one, `start` of itself."""

    node: Node
    label: str | None
    position: int
    start: int


class _Sizes:
    """How many bytes nodes take in JSONB. Without `known` all is 0: nobody will ask for an id."""

    def __init__(self, root: Node, known: bool) -> None:
        self._known = known
        self._payloads: dict[int, int] = {}
        if known:
            self._measure(root)

    def _measure(self, root: Node) -> None:
        containers = [root] if is_container(root) else []
        for container in containers:  # grows
            children = [value for _, value in container] if type(container) is Object else container
            containers += [child for child in children if is_container(child)]
        for container in reversed(containers):
            self._payloads[id(container)] = sum(map(self._of_child, container))

    def _of_child(self, child: Node) -> int:
        return self.of(child[0]) + self.of(child[1]) if type(child) is tuple else self.of(child)

    def of(self, node: Node) -> int:
        """Return the size of a node."""
        if not self._known:
            return 0
        if isinstance(node, list):
            payload = self._payloads[id(node)]
        elif isinstance(node, str):
            payload = len(node) if node.isascii() else len(node.encode("utf-8", "surrogatepass"))
        else:
            return 1
        return payload + _header(payload)

    def content(self, container: Node) -> int:
        """Return how many bytes of a container come before its first child."""
        return _header(self._payloads[id(container)]) if self._known else 0

    def children(self, container: Node, start: int) -> Iterator[_Item]:
        """Yield the children of a container that starts at a position."""
        position = start + self.content(container)
        for child in container:
            label, node = child if type(child) is tuple else (None, child)
            item = _Item(node, label, position, position + (0 if label is None else self.of(label)))
            yield item
            position = item.start + self.of(node)


def _header(payload: int) -> int:
    if payload <= 11:
        return 1
    return 2 if payload <= 0xFF else 3 if payload <= 0xFFFF else 5


def json_rows(name: str, arguments: tuple[Value, ...], wanted: Container[int] = range(10)) -> list[Row]:
    """Return the rows of one of `JSON_TABLES`: key, value, type, atom, id, parent, fullkey, path, json, root.

    Columns whose place is not `wanted` may hold anything.
    """
    if not arguments or None in arguments:
        return []
    root = document(arguments[0])
    path = path_of(c_text(arguments[1]) if len(arguments) > 1 else "$")
    recursive = name.endswith("tree")
    sizes = _Sizes(root, any(place in wanted for place in _IDS) or (recursive and len(path.steps) > 0))
    item = _found(root, path, sizes)
    if item is None:
        return []
    text = arguments[0] if isinstance(arguments[0], bytes) and is_jsonb(arguments[0]) else c_text(arguments[0])
    show = (encode if name[4] == "b" else _as_text) if JSON_COLUMN in wanted else _ignore
    writer = _Writer((text, path.text), show)
    if recursive:
        return [*_tree(root, item, path, sizes, writer)]
    if not is_container(item.node):
        return [writer.start(item, None, path.text)]
    children = enumerate(sizes.children(item.node, item.start))
    return [writer.row(key, child, None, path.text) for key, child in children]


def _found(root: Node, path: Path, sizes: _Sizes) -> _Item | None:
    """Return the node that a path leads to."""
    places = trail(root, path)
    if places is None:
        return None
    item = _Item(root, None, 0, 0)
    for place in places:
        item = next(child for number, child in enumerate(sizes.children(item.node, item.start)) if number == place)
    return item


@dataclass(frozen=True, slots=True)
class _Writer:
    """Makes rows; `given` are the document and the path, `show` makes the value of a container."""

    given: tuple[str | bytes, str]
    show: Callable[[Node], Value]

    def row(self, key: int, item: _Item, parent: int | None, path: str) -> Row:
        """Return the row of a child of what is at a path."""
        name = f"[{key}]" if item.label is None else _label_step(item.label)
        shown: Value = key if item.label is None else text_value(item.label)
        return (shown, *self._described(item.node), item.position, parent, path + name, path, *self.given)

    def start(self, item: _Item, key: Value, path: str) -> Row:
        """Return the row of the node that json_tree() starts at."""
        return (key, *self._described(item.node), item.position, None, self.given[1], path, *self.given)

    def _described(self, node: Node) -> tuple[Value, str, Value]:
        if isinstance(node, list):
            return self.show(node), type_of(node), None
        value = value_of(node)
        return value, type_of(node), value


def _as_text(node: Node) -> Value:
    return JsonText(render(node))


def _ignore(_node: Node) -> Value:
    return None


def _label_step(label: str) -> str:
    return f".{label}" if _PLAIN_LABEL.fullmatch(label) else f'."{label}"'


def _tree(root: Node, start: _Item, path: Path, sizes: _Sizes, writer: _Writer) -> Iterator[Row]:
    base = _parent_length(root, start, path, sizes)
    yield writer.start(start, _start_key(path.text[base:]), path.text[:base])
    todo: list[tuple[Iterator[tuple[int, _Item]], int, str]] = []
    item, fullkey = start, path.text
    while True:
        if is_container(item.node):
            todo.append((enumerate(sizes.children(item.node, item.start)), item.position, fullkey))
        while todo:
            children, parent, above = todo[-1]
            following = next(children, None)
            if following is not None:
                break
            todo.pop()
        else:
            return
        row = writer.row(*following, parent, above)
        yield row
        item, fullkey = following[1], row[6]


def _parent_length(root: Node, start: _Item, path: Path, sizes: _Sizes) -> int:
    """Return how much of a path SQLite takes for the parent's: up to a node whose first child is the one found."""
    text = path.text
    for end in range(len(text) - 1, 0, -1):
        if text[end] in "[.":
            parent = _found_if_valid(root, path_of(text[:end]), sizes)
            if parent is not None and parent.start + _content(parent.node, sizes) == start.position:
                return end
    return 1


def _found_if_valid(root: Node, path: Path, sizes: _Sizes) -> _Item | None:
    try:
        return _found(root, path, sizes)
    except OperationalError:
        return None


def _content(node: Node, sizes: _Sizes) -> int:
    return sizes.content(node) if is_container(node) else 1


def _start_key(step: str) -> Value:
    if not step:
        return None
    if step[0] == "[":
        return integer_of(step[1:])
    return step[2:-1] if step[1] == '"' else step[1:]
