"""Fields of a pydantic model as columns of a table: which type each gets, and how its values go there and back.

Plain types get the column type of their name; Enum and Literal that of their values. Whatever else pydantic can write
as JSON (lists, dicts, nested models, unions) is a JSON column in a canonical form, so that equal values are equal text.
"""

import datetime
import enum
import json
import types
import typing
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError, PydanticUndefined, PydanticUndefinedType

from discosql.errors import DatabaseTableError, DataError
from discosql.types import SqlType, Value, to_value


@dataclass(frozen=True, slots=True)
class Storage:
    """What `Field` says of a column: whether it is the primary key, unique, or has an index."""

    primary_key: bool = False
    unique: bool = False
    index: bool = False


class NoMatch(Exception):
    """A value that no stored value of the field can be equal to."""


@dataclass(frozen=True, slots=True)
class FieldColumn:
    """One field's column.

    `encode` turns a field's value into a SQL value and `decode` a stored one (not NULL) back. `default` is the field's
    default, PydanticUndefined without one.
    """

    name: str
    type: SqlType
    nullable: bool
    storage: Storage
    encode: Callable[[Any], Value]
    decode: Callable[[Any], Any]
    adapter: "pydantic.TypeAdapter[Any]"
    default: Any = PydanticUndefined

    def operand(self, value: Any) -> Value:
        """Return what a value is looked up as. Raises NoMatch where nothing can be equal to it."""
        if value is None:
            return None
        if self.type in _EXACT and isinstance(value, bool) != (self.type is SqlType.BOOLEAN):
            raise NoMatch  # True is no 1 here, whatever Python says
        if self.type in (SqlType.INTEGER, SqlType.REAL) and type(value) in (int, float):
            return to_value(value)
        try:
            return self.encode(self.adapter.validate_python(value, strict=True if self.type in _EXACT else None))
        except pydantic.ValidationError as exc:
            raise NoMatch from exc

    @property
    def definition(self) -> str:
        """The column's definition in CREATE TABLE."""
        words = [quote(self.name), self.type.value]
        if self.storage.primary_key:
            words.append("PRIMARY KEY")
        elif self.storage.unique:
            words.append("UNIQUE")
        if not self.nullable:
            words.append("NOT NULL")
        return " ".join(words)


_EXACT: Final = frozenset({SqlType.INTEGER, SqlType.REAL, SqlType.BOOLEAN, SqlType.TEXT, SqlType.BLOB})
"""Types whose lookups convert nothing: ``find(name=5)`` matches no text."""


def quote(name: str) -> str:
    """Return a name as SQL writes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def field_columns(model: type[pydantic.BaseModel]) -> dict[str, FieldColumn]:
    """Return the columns of a model's fields by field name. Raises DatabaseTableError for a type that has none."""
    folded: dict[str, str] = {}
    columns = {}
    for name, field in model.model_fields.items():
        other = folded.setdefault(name.lower(), name)
        if other != name:
            raise DatabaseTableError(
                f"fields {other} and {name} of {model.__name__} differ only in case, which column names do not"
            )
        columns[name] = _field_column(model, name, field)
    return columns


def _field_column(model: type[pydantic.BaseModel], name: str, field: FieldInfo) -> FieldColumn:
    annotation, nullable = _without_none(field.annotation)
    try:
        adapter = pydantic.TypeAdapter[Any](annotation)
        kind = _column_type(annotation)
        if kind is SqlType.JSON:
            adapter.json_schema(mode="serialization")
    except pydantic.errors.PydanticUserError as exc:
        raise DatabaseTableError(
            f"field {name} of {model.__name__} has type {annotation}, which pydantic cannot write as JSON"
        ) from exc
    encode, decode = _codec(annotation, kind, adapter)
    storage = next((item for item in field.metadata if isinstance(item, Storage)), Storage())
    default: Any = field.get_default(call_default_factory=False)
    if field.default_factory is not None:
        default = PydanticUndefined
    return FieldColumn(name, kind, nullable, storage, encode, decode, adapter, default)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """Return the annotation without None, and whether None was in it."""
    if get_origin(annotation) is Annotated:
        inner, nullable = _without_none(get_args(annotation)[0])
        return Annotated[(inner, *get_args(annotation)[1:])], nullable
    if get_origin(annotation) in (Union, types.UnionType):
        members = get_args(annotation)
        others = tuple(member for member in members if member is not types.NoneType)
        if len(others) < len(members):
            return (Union[others] if others else Any), True  # noqa: UP007 - the members are data
    if get_origin(annotation) is Literal and None in get_args(annotation):
        others = tuple(value for value in get_args(annotation) if value is not None)
        return (Literal[others] if others else Any), True
    return annotation, annotation in (None, types.NoneType, Any)


_BY_CLASS: Final[tuple[tuple[type, SqlType], ...]] = (
    (bool, SqlType.BOOLEAN),
    (int, SqlType.INTEGER),
    (float, SqlType.REAL),
    (str, SqlType.TEXT),
    (bytes, SqlType.BLOB),
    (Decimal, SqlType.DECIMAL),
    (datetime.datetime, SqlType.TIMESTAMP),
    (datetime.date, SqlType.DATE),
    (datetime.time, SqlType.TEXT),
    (datetime.timedelta, SqlType.INTEGER),
    (uuid.UUID, SqlType.UUID),
)


def _column_type(annotation: Any) -> SqlType:
    if get_origin(annotation) is Annotated:
        return _column_type(get_args(annotation)[0])
    if isinstance(annotation, typing.NewType):
        return _column_type(annotation.__supertype__)
    if get_origin(annotation) is Literal:
        return _type_of_values(get_args(annotation))
    if not isinstance(annotation, type):
        return SqlType.JSON
    if issubclass(annotation, enum.Enum):
        return _type_of_values(tuple(member.value for member in annotation))
    return next((kind for known, kind in _BY_CLASS if issubclass(annotation, known)), SqlType.JSON)


def _type_of_values(values: tuple[Any, ...]) -> SqlType:
    values = tuple(value.value if isinstance(value, enum.Enum) else value for value in values)
    for kind, target in ((bool, SqlType.BOOLEAN), (int, SqlType.INTEGER), (str, SqlType.TEXT), (bytes, SqlType.BLOB)):
        if values and all(isinstance(value, kind) and (kind is bool or type(value) is not bool) for value in values):
            return target
    return SqlType.JSON


_MICROSECOND: Final = datetime.timedelta(microseconds=1)


def _codec(
    annotation: Any, kind: SqlType, adapter: "pydantic.TypeAdapter[Any]"
) -> tuple[Callable[[Any], Value], Callable[[Any], Any]]:
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if kind is SqlType.JSON:
        return lambda value: _canonical_json(adapter, value), adapter.validate_json
    if isinstance(bare, type) and issubclass(bare, datetime.timedelta):
        return lambda value: to_value(value // _MICROSECOND), lambda stored: datetime.timedelta(microseconds=stored)
    if bare in (str, int, float, bytes, Decimal):
        return to_value, lambda stored: stored
    if bare is bool:
        return to_value, bool
    return to_value, adapter.validate_python


def _canonical_json(adapter: "pydantic.TypeAdapter[Any]", value: Any) -> str:
    try:
        data = adapter.dump_python(value, mode="json")
        return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (PydanticSerializationError, ValueError, TypeError, RecursionError) as exc:
        raise DataError(f"a value of type {type(value).__name__} cannot be written as JSON") from exc


def default_literal(column: FieldColumn) -> str | None:
    """Return a column's default as SQL, for rows stored before the field was added; None if it has none."""
    if isinstance(column.default, PydanticUndefinedType):
        return "NULL" if column.nullable else None
    if column.default is None:
        return "NULL"
    return sql_literal(column.encode(column.default))


def sql_literal(value: Value) -> str:
    """Return a SQL value as a literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, float):
        return "9e999" if value == float("inf") else "-9e999" if value == float("-inf") else repr(value)
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def encode_row(columns: Mapping[str, FieldColumn], row: pydantic.BaseModel) -> tuple[Value, ...]:
    """Return a model object's values as SQL values, in the order of the columns."""
    return tuple(
        None if (value := getattr(row, name)) is None else column.encode(value) for name, column in columns.items()
    )
