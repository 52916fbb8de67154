"""JSON functions (https://sqlite.org/json1.html)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from discosql.errors import OperationalError
from discosql.executor.functions.json_nodes import (
    Integer,
    JsonText,
    Node,
    Object,
    Real,
    Unescaped,
    is_container,
    render,
    render_pretty,
    type_of,
    value_of,
)
from discosql.executor.functions.json_parse import JsonSyntaxError, Parser, parse
from discosql.executor.functions.json_paths import MISSING, Edit, arrow_path, changed, find, path_of, same_label
from discosql.executor.functions.registry import Counts, ScalarFunction, scalar
from discosql.executor.functions.values import c_text, integer_of
from discosql.types import SqlType, Value, text_of

# Arguments -------------------------------------------------------------------------------------------------------


def document(value: Value) -> Node:
    """Return the tree of a value that is JSON. Raises OperationalError for one that is not."""
    return parse(value if type(value) is str and "\0" not in value else c_text(value))


def node_of(value: Value) -> Node:
    """Return a SQL value as a node: JSON text as what it is, other text as a string."""
    if isinstance(value, JsonText):
        return document(value)
    if value is None:
        return None
    if isinstance(value, str):
        return Unescaped(value)
    if isinstance(value, float):
        text = text_of(value)
        return Real(text.replace("Inf", "9e999"))
    if isinstance(value, bytes):
        raise _no_blobs()
    text = text_of(value)
    return Real(text) if isinstance(value, Decimal) and "." in text else Integer(text)


def json_text(value: Value) -> str:
    """Return a SQL value as JSON text; JSON text stays as it is."""
    if isinstance(value, JsonText):
        return str.__str__(value)
    if isinstance(value, float):
        return text_of(value).replace("Inf", "9.0e+999")
    return render(node_of(value))


def _no_blobs() -> OperationalError:
    return OperationalError("JSON cannot hold BLOB values")


# Making ----------------------------------------------------------------------------------------------------------


def json_function(value: Value) -> Value:
    """Return JSON without spaces."""
    return None if value is None else JsonText(render(document(value)))


def json_array(*values: Value) -> Value:
    """Return an array of the values."""
    return JsonText(f"[{','.join(map(json_text, values))}]")


def json_object(*arguments: Value) -> Value:
    """Return an object of labels and values."""
    if len(arguments) % 2:
        raise OperationalError("json_object() requires an even number of arguments")
    pairs = []
    for label, value in zip(arguments[::2], arguments[1::2], strict=True):
        if not isinstance(label, str):
            raise OperationalError("json_object() labels must be TEXT")
        pairs.append(f"{render(Unescaped(label))}:{json_text(value)}")
    return JsonText("{" + ",".join(pairs) + "}")


def json_quote(value: Value) -> Value:
    """Return a value as JSON."""
    return JsonText(json_text(value))


def json_pretty(value: Value, indent: Value = None) -> Value:
    """Return JSON on many lines, each deeper one behind more of the indent."""
    if value is None:
        return None
    return render_pretty(document(value), "    " if indent is None else c_text(indent))


# Looking ---------------------------------------------------------------------------------------------------------


def json_extract(*arguments: Value) -> Value:
    """Return what is at a path as a SQL value, or an array of what is at several."""
    if len(arguments) < 2 or arguments[0] is None:
        return None
    root = document(arguments[0])
    if len(arguments) == 2:
        path = arguments[1]
        if path is None:
            return None
        node = find(root, path_of(path if type(path) is str else c_text(path)))
        if node is MISSING:
            return None
        return JsonText(render(node)) if is_container(node) else value_of(node)
    found = []
    for path in arguments[1:]:
        if path is None:
            return None
        node = find(root, path_of(c_text(path)))
        found.append("null" if node is MISSING else render(node))
    return JsonText(f"[{','.join(found)}]")


def _at_arrow(value: Value, place: Value) -> Node:
    if value is None:
        return MISSING
    root = document(value)
    if place is None:
        return MISSING
    return find(root, arrow_path(c_text(place), isinstance(place, int)))


def arrow(value: Value, place: Value) -> Value:
    """Return what is at a place as JSON: ``->``."""
    node = _at_arrow(value, place)
    return None if node is MISSING else JsonText(render(node))


def long_arrow(value: Value, place: Value) -> Value:
    """Return what is at a place as a SQL value: ``->>``."""
    node = _at_arrow(value, place)
    return None if node is MISSING else value_of(node)


def json_type(value: Value, path: Value = "$") -> Value:
    """Return the type of what is at a path."""
    if value is None:
        return None
    root = document(value)
    if path is None:
        return None
    node = find(root, path_of(c_text(path)))
    return None if node is MISSING else type_of(node)


def json_array_length(value: Value, path: Value = "$") -> Value:
    """Return how many elements the array at a path has, 0 for what is no array."""
    if value is None:
        return None
    root = document(value)
    if path is None:
        return None
    node = find(root, path_of(c_text(path)))
    if node is MISSING:
        return None
    return len(node) if type(node) is list else 0


def json_valid(value: Value, flags: Value = 1) -> Value:
    """Return whether a value is JSON (flag 1) or JSON5 (flag 2)."""
    wanted = integer_of(flags)
    if not 1 <= wanted <= 15:
        raise OperationalError("FLAGS parameter to json_valid() must be between 1 and 15")
    if value is None:
        return None
    if not wanted & 3:
        return 0
    parser = Parser(c_text(value))
    try:
        parser.read()
    except JsonSyntaxError:
        return 0
    return int(bool(wanted & 2) or not parser.loose)


def json_error_position(value: Value) -> Value:
    """Return at which character text stops being JSON, 0 if it is JSON."""
    if value is None:
        return None
    parser = Parser(c_text(value))
    try:
        parser.read()
    except JsonSyntaxError:
        return parser.error + 1
    return 0


# Changing --------------------------------------------------------------------------------------------------------


def _editor(name: str, edit: Edit) -> Callable[..., Value]:
    def function(*arguments: Value) -> Value:
        if not arguments:
            return None
        if len(arguments) % 2 == 0:
            raise OperationalError(f"{name}() needs an odd number of arguments")
        if arguments[0] is None:
            return None
        root = document(arguments[0])
        for path, value in zip(arguments[1::2], arguments[2::2], strict=True):
            if path is not None:
                root = changed(root, path_of(c_text(path)), edit, node_of(value))
        return JsonText(render(root))

    return function


def json_remove(*arguments: Value) -> Value:
    """Return JSON without what is at the paths."""
    if not arguments or arguments[0] is None:
        return None
    root = document(arguments[0])
    for path in arguments[1:]:
        if path is None:
            return None
        root = changed(root, path_of(c_text(path)), "remove")
        if root is MISSING:
            return None
    return JsonText(render(root))


def json_patch(target: Value, patch: Value) -> Value:
    """Return JSON changed by a merge patch (RFC 7396)."""
    if target is None:
        return None
    root = document(target)
    return None if patch is None else JsonText(render(patched(root, document(patch))))


def patched(target: Node, patch: Node) -> Node:
    """Return a tree changed by a merge patch; neither is changed itself."""
    if type(patch) is not Object:
        return patch
    root = Object(target) if type(target) is Object else Object()
    todo = [(root, iter(patch))]
    while todo:
        node, pairs = todo[-1]
        for label, value in pairs:
            place = _place_of(node, label)
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


def _place_of(node: Object, label: str) -> int:
    places = (place for place, (known, _) in enumerate(node) if same_label(known, label))
    return next(places, len(node))


def _put(node: Object, place: int, label: str, value: Node) -> None:
    if place == len(node):
        node.append((label, value))
    else:
        node[place] = (node[place][0], value)


# The functions ---------------------------------------------------------------------------------------------------


def _json(name: str, implementation: Callable[..., Value], counts: Counts, **options: Any) -> ScalarFunction:
    """Return a function whose result is JSON text."""
    function = scalar(name, implementation, counts, **options)
    return ScalarFunction(function.signature, implementation, json=True)


FUNCTIONS: Final = (
    _json("json", json_function, 1, result=SqlType.TEXT, null_safe=True),
    _json("json_array", json_array, (0, None), result=SqlType.TEXT, null_safe=True),
    _json("json_object", json_object, (0, None), result=SqlType.TEXT, null_safe=True),
    _json("json_quote", json_quote, 1, result=SqlType.TEXT, null_safe=True),
    _json("json_extract", json_extract, (0, None)),
    _json("->", arrow, 2, result=SqlType.TEXT),
    scalar("->>", long_arrow, 2),
    _json("json_insert", _editor("json_insert", "insert"), (0, None), result=SqlType.TEXT),
    _json("json_replace", _editor("json_replace", "replace"), (0, None), result=SqlType.TEXT),
    _json("json_set", _editor("json_set", "set"), (0, None), result=SqlType.TEXT),
    _json("json_remove", json_remove, (0, None), result=SqlType.TEXT),
    _json("json_patch", json_patch, 2, result=SqlType.TEXT, null_safe=True),
    scalar("json_pretty", json_pretty, (1, 2), SqlType.TEXT),
    scalar("json_type", json_type, (1, 2), SqlType.TEXT),
    scalar("json_array_length", json_array_length, (1, 2), SqlType.INTEGER),
    scalar("json_valid", json_valid, (1, 2), SqlType.INTEGER, null_safe=True),
    scalar("json_error_position", json_error_position, 1, SqlType.INTEGER, null_safe=True),
)
"""The scalar functions of this module."""
