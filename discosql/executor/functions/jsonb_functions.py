"""The JSON functions whose result is JSONB (https://sqlite.org/json1.html#jsonbx)."""

from collections.abc import Callable
from typing import Final

from discosql.executor.functions.json_functions import (
    array,
    editor,
    extractor,
    given,
    json_function,
    object_of,
    of_text,
    of_tree,
    patched,
    removed,
)
from discosql.executor.functions.json_nodes import Node
from discosql.executor.functions.json_parse import parse
from discosql.executor.functions.json_paths import MISSING
from discosql.executor.functions.jsonb import encode
from discosql.executor.functions.registry import ScalarFunction
from discosql.types import SqlType, Value


def jsonb_of_text(text: str) -> Value:
    """Return JSON text as JSONB."""
    return encode(parse(text))


def _jsonb_or_null(node: Node) -> Value:
    return None if node is MISSING else encode(node)


def _of_tree(name: str, make: Callable[..., Node], counts: int | tuple[int, None] = (0, None)) -> ScalarFunction:
    return json_function(name, of_tree(make, _jsonb_or_null), counts, SqlType.BLOB)


FUNCTIONS: Final = (
    _of_tree("jsonb", given, 1),
    json_function("jsonb_array", of_text(array, jsonb_of_text), (0, None), SqlType.BLOB, null_safe=True),
    json_function("jsonb_object", of_text(object_of, jsonb_of_text), (0, None), SqlType.BLOB, null_safe=True),
    json_function("jsonb_extract", extractor(jsonb_of_text, _jsonb_or_null), (0, None), None),
    _of_tree("jsonb_insert", editor("insert")),
    _of_tree("jsonb_replace", editor("replace")),
    _of_tree("jsonb_set", editor("set")),
    _of_tree("jsonb_remove", removed),
    _of_tree("jsonb_patch", patched, 2),
)
"""The scalar functions of this module."""
