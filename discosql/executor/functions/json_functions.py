"""JSON functions (https://sqlite.org/json1.html)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from discosql.errors import OperationalError
from discosql.executor.functions.json_nodes import (
    Integer,
    JsonText,
    Node,
    Real,
    Unescaped,
    is_container,
    render,
    render_pretty,
    type_of,
    value_of,
)
from discosql.executor.functions.json_parse import NOTHING, parse, scan
from discosql.executor.functions.json_parser import JsonSyntaxError, Parser
from discosql.executor.functions.json_paths import MISSING, Edit, arrow_path, changed, find, merged, path_of
from discosql.executor.functions.jsonb import decode, error_position, is_jsonb
from discosql.executor.functions.registry import Counts, ScalarFunction, scalar
from discosql.executor.functions.values import c_text, integer_of
from discosql.executor.sizes import sized
from discosql.types import SqlType, Value, text_of

# Arguments -------------------------------------------------------------------------------------------------------


def document(value: Value) -> Node:
    """Return the tree of a value that is JSON. Raises OperationalError for one that is not."""
    if isinstance(value, bytes) and is_jsonb(value):
        return decode(value)
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
        return Real(text_of(value).replace("Inf", "9e999"))
    if isinstance(value, bytes):
        if is_jsonb(value):
            return decode(value)
        raise OperationalError("JSON cannot hold BLOB values")
    text = text_of(value)
    return Real(text) if isinstance(value, Decimal) and "." in text else Integer(text)


def json_text(value: Value) -> str:
    """Return a SQL value as JSON text; JSON text stays as it is."""
    if isinstance(value, JsonText):
        return str.__str__(value)
    if isinstance(value, float):
        return text_of(value).replace("Inf", "9.0e+999")
    return render(node_of(value))


# Making ----------------------------------------------------------------------------------------------------------


def array(*values: Value) -> str:
    """Return the text of an array of the values."""
    return sized(f"[{','.join(map(json_text, values))}]")


def object_of(*arguments: Value) -> str:
    """Return the text of an object of labels and values."""
    if len(arguments) % 2:
        raise OperationalError("json_object() requires an even number of arguments")
    pairs = []
    for label, value in zip(arguments[::2], arguments[1::2], strict=True):
        if not isinstance(label, str):
            raise OperationalError("json_object() labels must be TEXT")
        pairs.append(f"{render(Unescaped(label))}:{json_text(value)}")
    return sized("{" + ",".join(pairs) + "}")


def json_pretty(value: Value, indent: Value = None) -> Value:
    """Return JSON on many lines, each deeper one behind more of the indent."""
    if value is None:
        return None
    return render_pretty(document(value), "    " if indent is None else c_text(indent))


# Looking ---------------------------------------------------------------------------------------------------------


def extractor(text: Callable[[str], Value], container: Callable[[Node], Value]) -> Callable[..., Value]:
    """Return json_extract() or jsonb_extract() by what they make of JSON text, and of an array or object."""

    def extract(*arguments: Value) -> Value:
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
            return container(node) if is_container(node) else value_of(node)
        found = []
        for path in arguments[1:]:
            if path is None:
                return None
            node = find(root, path_of(c_text(path)))
            found.append("null" if node is MISSING else render(node))
        return text(f"[{','.join(found)}]")

    return extract


def _at_arrow(value: Value, place: Value) -> Node:
    if value is None:
        return MISSING
    root = document(value)
    if place is None:
        return MISSING
    return find(root, arrow_path(c_text(place), isinstance(place, int)))


def arrow(value: Value, place: Value) -> Value:
    """Return what is at a place as JSON: ``->``."""
    return json_or_null(_at_arrow(value, place))


def long_arrow(value: Value, place: Value) -> Value:
    """Return what is at a place as a SQL value: ``->>``."""
    node = _at_arrow(value, place)
    return None if node is MISSING else value_of(node)


def _at_path(value: Value, path: Value) -> Node:
    if value is None:
        return MISSING
    root = document(value)
    return MISSING if path is None else find(root, path_of(c_text(path)))


def json_type(value: Value, path: Value = "$") -> Value:
    """Return the type of what is at a path."""
    node = _at_path(value, path)
    return None if node is MISSING else type_of(node)


def json_array_length(value: Value, path: Value = "$") -> Value:
    """Return how many elements the array at a path has, 0 for what is no array."""
    node = _at_path(value, path)
    if node is MISSING:
        return None
    return len(node) if type(node) is list else 0


def json_valid(value: Value, flags: Value = 1) -> Value:
    """Return whether a value is JSON (flag 1), JSON5 (2), looks like JSONB (4) or is JSONB (8)."""
    wanted = integer_of(flags)
    if not 1 <= wanted <= 15:
        raise OperationalError("FLAGS parameter to json_valid() must be between 1 and 15")
    if value is None:
        return None
    if isinstance(value, bytes) and is_jsonb(value):
        return int(bool(wanted & 4) or (bool(wanted & 8) and not error_position(value)))
    if not wanted & 3:
        return 0
    text = c_text(value)
    if scan(text) is not NOTHING:
        return 1
    parser = Parser(text)
    try:
        parser.read()
    except JsonSyntaxError:
        return 0
    return int(bool(wanted & 2) or not parser.loose)


def json_error_position(value: Value) -> Value:
    """Return at which character text, or byte of JSONB, stops being JSON; 0 if it is JSON."""
    if value is None:
        return None
    if isinstance(value, bytes) and is_jsonb(value):
        return error_position(value)
    parser = Parser(c_text(value))
    try:
        parser.read()
    except JsonSyntaxError:
        return parser.error + 1
    return 0


# Changing: the result is a tree, MISSING for NULL --------------------------------------------------------------------


def given(value: Value) -> Node:
    """Return JSON as it is."""
    return MISSING if value is None else document(value)


def editor(edit: Edit) -> Callable[..., Node]:
    """Return the function that changes JSON at paths, each followed by a value."""

    def edited(*arguments: Value) -> Node:
        if not arguments:
            return MISSING
        if len(arguments) % 2 == 0:
            raise OperationalError(f"json_{edit}() needs an odd number of arguments")
        root = given(arguments[0])
        if root is MISSING:
            return MISSING
        for path, value in zip(arguments[1::2], arguments[2::2], strict=True):
            if path is not None:
                root = changed(root, path_of(c_text(path)), edit, node_of(value))
        return root

    return edited


def removed(*arguments: Value) -> Node:
    """Return JSON without what is at the paths."""
    root = given(arguments[0]) if arguments else MISSING
    for path in arguments[1:]:
        if root is MISSING or path is None:
            return MISSING
        root = changed(root, path_of(c_text(path)), "remove")
    return root


def patched(target: Value, patch: Value) -> Node:
    """Return JSON changed by a merge patch (RFC 7396)."""
    root = given(target)
    return MISSING if root is MISSING or patch is None else merged(root, document(patch))


# The functions ---------------------------------------------------------------------------------------------------


def json_or_null(node: Node) -> Value:
    """Return a tree as JSON text, NULL for MISSING."""
    return None if node is MISSING else JsonText(render(node))


def of_text(make: Callable[..., str], finish: Callable[[str], Value]) -> Callable[..., Value]:
    """Return a function that makes something of JSON text."""
    return lambda *arguments: finish(make(*arguments))


def of_tree(make: Callable[..., Node], finish: Callable[[Node], Value]) -> Callable[..., Value]:
    """Return a function that makes something of a tree."""
    return lambda *arguments: finish(make(*arguments))


def json_function(
    name: str, implementation: Callable[..., Value], counts: Counts, result: SqlType | None, *, null_safe: bool = False
) -> ScalarFunction:
    """Return a function that tells JSON from other text, and whose result may be JSON."""
    function = scalar(name, implementation, counts, result, null_safe=null_safe)
    return ScalarFunction(function.signature, implementation, json=True)


_TEXT: Final = SqlType.TEXT

FUNCTIONS: Final = (
    json_function("json", of_tree(given, json_or_null), 1, _TEXT, null_safe=True),
    json_function("json_array", of_text(array, JsonText), (0, None), _TEXT, null_safe=True),
    json_function("json_object", of_text(object_of, JsonText), (0, None), _TEXT, null_safe=True),
    json_function("json_quote", of_text(json_text, JsonText), 1, _TEXT, null_safe=True),
    json_function("json_extract", extractor(JsonText, json_or_null), (0, None), None),
    json_function("->", arrow, 2, _TEXT),
    scalar("->>", long_arrow, 2),
    json_function("json_insert", of_tree(editor("insert"), json_or_null), (0, None), _TEXT),
    json_function("json_replace", of_tree(editor("replace"), json_or_null), (0, None), _TEXT),
    json_function("json_set", of_tree(editor("set"), json_or_null), (0, None), _TEXT),
    json_function("json_remove", of_tree(removed, json_or_null), (0, None), _TEXT),
    json_function("json_patch", of_tree(patched, json_or_null), 2, _TEXT, null_safe=True),
    scalar("json_pretty", json_pretty, (1, 2), _TEXT),
    scalar("json_type", json_type, (1, 2), _TEXT),
    scalar("json_array_length", json_array_length, (1, 2), SqlType.INTEGER),
    scalar("json_valid", json_valid, (1, 2), SqlType.INTEGER, null_safe=True),
    scalar("json_error_position", json_error_position, 1, SqlType.INTEGER, null_safe=True),
)
"""The scalar functions of this module."""
