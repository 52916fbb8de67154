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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError, PydanticUndefined, PydanticUndefinedType

from discosql.adapting import to_value
from discosql.errors import DatabaseTableError, DataError
from discosql.schema import quoted
from discosql.types import SqlType, Value

UNSAVED: Final = -1
"""`__disco_id__` of an object that is not stored."""


@dataclass(frozen=True, slots=True)
class Storage:
    """What `Field` says of a column: whether it is the primary key, unique, has an index; the name it had before."""

    primary_key: bool = False
    unique: bool = False
    index: bool = False
    renamed_from: str | None = None


class NoMatch(Exception):
    """A value that no stored value of the field can be equal to."""


@dataclass(frozen=True, slots=True)
class FieldColumn:
    """One field's column.

    `encode` turns a field's value into a SQL value and `decode` a stored one (not NULL) back. `default` is the field's
    default, PydanticUndefined without one; `factory` makes it, where the class says how.
    """

    name: str
    annotation: Any
    type: SqlType
    nullable: bool
    storage: Storage
    encode: Callable[[Any], Value]
    decode: Callable[[Any], Any]
    adapter: "pydantic.TypeAdapter[Any]"
    default: Any = PydanticUndefined
    factory: Callable[[], Any] | None = None

    def operand(self, value: Any) -> Value:
        """Return what a value is looked up as. Raises NoMatch where nothing can be equal to it."""
        if value is None:
            return None
        if isinstance(self.annotation, type) and issubclass(self.annotation, enum.Enum):
            value = next((member for member in self.annotation if member == value), value)
        elif self.type in _EXACT and isinstance(value, bool) != (self.type is SqlType.BOOLEAN):
            raise NoMatch  # True is no 1 here, whatever Python says
        try:
            if self.type in _NUMBERS and type(value) in (int, float) and value == value:
                return to_value(value)
            return self.encode(self.adapter.validate_python(value, strict=True if self.type in _EXACT else None))
        except (pydantic.ValidationError, DataError) as exc:
            raise NoMatch from exc

    @property
    def definition(self) -> str:
        """The column's definition in CREATE TABLE."""
        words = [quoted(self.name), self.type.value]
        if self.storage.primary_key:
            words.append("PRIMARY KEY")
        elif self.storage.unique:
            words.append("UNIQUE")
        if not self.nullable:
            words.append("NOT NULL")
        literal = default_literal(self)
        if literal not in (None, "NULL"):
            words.append(f"DEFAULT {literal}")
        return " ".join(words)


_EXACT: Final = frozenset({SqlType.INTEGER, SqlType.REAL, SqlType.BOOLEAN, SqlType.TEXT, SqlType.BLOB})
"""Types whose lookups convert nothing: ``find(name=5)`` matches no text."""

_NUMBERS: Final = frozenset({SqlType.INTEGER, SqlType.REAL})


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
    if not columns:
        raise DatabaseTableError(f"{model.__name__} has no fields, and a table needs a column")
    rowid_name(columns)
    return columns


def rowid_name(columns: Iterable[str]) -> str:
    """Return the name by which a table's rowid can be asked for: one of SQLite's three that no column has."""
    taken = {name.lower() for name in columns}
    for name in ("rowid", "_rowid_", "oid"):
        if name not in taken:
            return name
    raise DatabaseTableError("fields named rowid, _rowid_ and oid leave no name for the row's own number")


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
    encode, decode = _codec(name, annotation, kind, adapter)
    storage = next((item for item in field.metadata if isinstance(item, Storage)), Storage())
    default: Any = field.get_default(call_default_factory=False)
    factory: Any = field.default_factory
    if factory is not None:
        default = PydanticUndefined
        if field.default_factory_takes_validated_data:
            factory = None
    nullable = nullable or default is None
    return FieldColumn(name, annotation, kind, nullable, storage, encode, decode, adapter, default, factory)


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
    (pydantic.SecretStr, SqlType.TEXT),
    (pydantic.SecretBytes, SqlType.BLOB),
)


def _column_type(annotation: Any) -> SqlType:
    if get_origin(annotation) is Annotated:
        return _column_type(get_args(annotation)[0])
    if isinstance(annotation, typing.NewType):
        return _column_type(annotation.__supertype__)
    if hasattr(annotation, "__value__"):  # a type alias of the ``type`` statement
        return _column_type(annotation.__value__)
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
    name: str, annotation: Any, kind: SqlType, adapter: "pydantic.TypeAdapter[Any]"
) -> tuple[Callable[[Any], Value], Callable[[Any], Any]]:
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if kind is SqlType.JSON:
        return lambda value: _json_text(name, adapter, value), partial(_read_json, adapter)
    if isinstance(bare, type) and issubclass(bare, datetime.timedelta):
        return lambda value: to_value(value // _MICROSECOND), lambda stored: datetime.timedelta(microseconds=stored)
    if isinstance(bare, type) and issubclass(bare, pydantic.SecretStr | pydantic.SecretBytes):
        return lambda secret: to_value(secret.get_secret_value()), bare
    if bare is float:
        return partial(_real, name), float
    if bare in (str, int, bytes, Decimal):
        return to_value, lambda stored: stored
    if bare is bool:
        return to_value, bool
    return to_value, adapter.validate_python


def _real(name: str, value: float) -> Value:
    if value != value:
        raise DataError(f"field {name} is NaN, which SQL cannot tell from NULL")
    return to_value(value)


def _read_json(adapter: "pydantic.TypeAdapter[Any]", stored: str) -> Any:
    return adapter.validate_json(stored, by_alias=False, by_name=True)


def _json_text(name: str, adapter: "pydantic.TypeAdapter[Any]", value: Any) -> str:
    """Return a value as JSON in a canonical form. Raises DataError for one that would not come back equal."""
    try:
        data = adapter.dump_python(value, mode="json", by_alias=False, round_trip=True)
        if isinstance(value, set | frozenset):
            data = sorted(data, key=_dump)
        text = _dump(data)
        lossless = _read_json(adapter, text) == value
    except (PydanticSerializationError, pydantic.ValidationError, ValueError, TypeError, RecursionError) as exc:
        raise DataError(f"field {name} has a value of type {type(value).__name__} that JSON cannot hold") from exc
    has_equality: Any = type(value).__eq__
    if not lossless and has_equality is not object.__eq__:
        raise DataError(f"field {name} has a value of type {type(value).__name__} that would not come back from JSON")
    return text


def _dump(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def default_literal(column: FieldColumn) -> str | None:
    """Return a column's default as SQL, None if it has none that is the same for all rows."""
    if isinstance(column.default, PydanticUndefinedType):
        return "NULL" if column.nullable and column.factory is None else None
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
