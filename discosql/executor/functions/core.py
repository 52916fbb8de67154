"""Functions about values of any type, about the connection, and about the database itself."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from discosql.errors import OperationalError
from discosql.executor.functions.json_nodes import JsonText
from discosql.executor.functions.registry import ScalarFunction, SortKey, scalar, varying
from discosql.executor.functions.values import c_text, integer_of, truth_of
from discosql.executor.sizes import check_length
from discosql.planner.plan import FunctionSignature
from discosql.types import MAX_INTEGER, MIN_INTEGER, SQLITE_VERSION, SqlType, Value, sort_key

if TYPE_CHECKING:
    from discosql.executor.context import Context

_COMPILE_OPTIONS = ("ENABLE_MATH_FUNCTIONS", "MAX_LENGTH=1000000000", "SOUNDEX", "THREADSAFE=2")
_TYPE_NAMES = {int: "integer", float: "real", str: "text", bytes: "blob", Decimal: "decimal"}


def coalesce(*arguments: Value) -> Value:
    """Return the first argument that is not NULL."""
    for value in arguments:
        if value is not None:
            return value
    return None


def iif(*arguments: Value) -> Value:
    """Return the value behind the first true condition, otherwise a last value without condition, otherwise NULL."""
    for position in range(0, len(arguments) - 1, 2):
        if truth_of(arguments[position]):
            return arguments[position + 1]
    return arguments[-1] if len(arguments) % 2 else None


def largest(*arguments: Value) -> Value:
    """Return the greatest argument, the first of equal ones; NULL if one is NULL."""
    if None in arguments:
        return None
    try:
        return max(arguments)  # type: ignore[type-var]  # values of one class
    except TypeError:
        return max(arguments, key=sort_key)


def smallest(*arguments: Value) -> Value:
    """Return the least argument, the last of equal ones; NULL if one is NULL."""
    if None in arguments:
        return None
    try:
        return min(arguments[::-1])  # type: ignore[type-var]  # values of one class
    except TypeError:
        return min(arguments[::-1], key=sort_key)


def _make_max(key: SortKey) -> Callable[..., Value]:
    return lambda *arguments: None if None in arguments else max(arguments, key=key)


def _make_min(key: SortKey) -> Callable[..., Value]:
    return lambda *arguments: None if None in arguments else min(arguments[::-1], key=key)


def _make_nullif(key: SortKey) -> Callable[..., Value]:
    def nullif(first: Value, second: Value) -> Value:
        if first is None or second is None:
            return first
        return None if key(first) == key(second) else first

    return nullif


def type_of(value: Value) -> str:
    """Return the storage class in lower case, ``decimal`` for DECIMAL."""
    if value is None:
        return "null"
    return _TYPE_NAMES.get(type(value)) or next(name for kind, name in _TYPE_NAMES.items() if isinstance(value, kind))


def same(value: Value, *_: Value) -> Value:
    """Return the first argument: likely(), unlikely(), likelihood()."""
    return value


def random_integer(context: "Context") -> int:
    """Return a random integer; never the smallest, which abs() could not take."""
    number = context.random.getrandbits(64) + MIN_INTEGER
    return number if number >= 0 else -(number & MAX_INTEGER)


def random_blob(context: "Context", count: Value) -> bytes:
    """Return random bytes, at least one."""
    return context.random.randbytes(check_length(max(integer_of(count), 1)))


def zero_blob(count: Value) -> bytes:
    """Return a blob of zeros."""
    return bytes(check_length(max(integer_of(count), 0)))


def subtype(value: Value) -> int:
    """Return 74 for a text that a JSON function made, otherwise 0."""
    return 74 if isinstance(value, JsonText) else 0


def _compile_option(position: Value) -> Value:
    index = integer_of(position)
    return _COMPILE_OPTIONS[index] if 0 <= index < len(_COMPILE_OPTIONS) else None


def _compile_option_used(name: Value) -> Value:
    if name is None:
        return None
    wanted = c_text(name).upper().removeprefix("SQLITE_")
    return int(any(wanted in (option, option.partition("=")[0]) for option in _COMPILE_OPTIONS))


def _log(_code: Value, _message: Value) -> Value:
    return None


def _load_extension(*_: Value) -> Value:
    raise OperationalError("not authorized")


def _match(*_: Value) -> Value:
    raise OperationalError("unable to use function MATCH in the requested context")


def _collated(function: ScalarFunction, make: Callable[[SortKey], Callable[..., Value]]) -> ScalarFunction:
    return ScalarFunction(function.signature, function.implementation, collated=make)


FUNCTIONS: Final = (
    scalar("coalesce", coalesce, (2, None), "argument", null_safe=True),
    scalar("ifnull", coalesce, 2, "argument", null_safe=True),
    scalar("iif", iif, (2, None)),
    scalar("if", iif, (2, None)),
    _collated(scalar("max", largest, (2, None), "argument", null_safe=True), _make_max),
    _collated(scalar("min", smallest, (2, None), "argument", null_safe=True), _make_min),
    _collated(scalar("nullif", _make_nullif(sort_key), 2, "argument"), _make_nullif),
    scalar("typeof", type_of, 1, SqlType.TEXT, null_safe=True),
    scalar("likely", same, 1, "argument", null_safe=True),
    scalar("unlikely", same, 1, "argument", null_safe=True),
    scalar("likelihood", same, 2, null_safe=True),
    ScalarFunction(FunctionSignature("subtype", 1, 1, result=SqlType.INTEGER, null_safe=True), subtype, json=True),
    scalar("zeroblob", zero_blob, 1, SqlType.BLOB, null_safe=True),
    varying(scalar("random", random_integer, 0, SqlType.INTEGER, null_safe=True)),
    varying(scalar("randomblob", random_blob, 1, SqlType.BLOB, null_safe=True)),
    varying(scalar("changes", lambda context: context.state.changes, 0, SqlType.INTEGER, null_safe=True)),
    varying(scalar("total_changes", lambda context: context.state.total_changes, 0, SqlType.INTEGER, null_safe=True)),
    varying(
        scalar("last_insert_rowid", lambda context: context.state.last_insert_rowid, 0, SqlType.INTEGER, null_safe=True)
    ),
    scalar("sqlite_version", lambda: SQLITE_VERSION, 0, SqlType.TEXT, null_safe=True),
    scalar("sqlite_source_id", lambda: f"discosql, after SQLite {SQLITE_VERSION}", 0, SqlType.TEXT, null_safe=True),
    scalar("sqlite_compileoption_get", _compile_option, 1, SqlType.TEXT),
    scalar("sqlite_compileoption_used", _compile_option_used, 1, SqlType.INTEGER, null_safe=True),
    scalar("sqlite_log", _log, 2),
    scalar("load_extension", _load_extension, (1, 2)),
    scalar("match", _match, 2),
)
"""The scalar functions of this module."""
