"""Tables as pydantic models: a class is a table, its fields are columns, an object is a row.

Example::

    db = discosql.Database("My Server")

    @db.table
    class User(discosql.Table):
        name: str = discosql.Field(unique=True)
        age: int = 0

    async with db.conn(token):
        await User(name="Ada", age=36).save()
        print(await User.where(User.age >= 18))
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, TypeVar, dataclass_transform, overload

import pydantic
from pydantic.fields import FieldInfo

from discosql.background import BackgroundTask
from discosql.errors import DatabaseLookupError, DatabaseStorageError, DatabaseTableError, NotConnectedError
from discosql.schema import quoted
from discosql.table_conditions import NOTHING, Condition, FieldRef, Where
from discosql.table_fields import UNSAVED, FieldColumn, NoMatch, Storage, encode_row
from discosql.table_query import Query
from discosql.types import Value

if TYPE_CHECKING:
    # The only way to tell type checkers of a metaclass of models; at run time it is asked for.
    from pydantic._internal._model_construction import ModelMetaclass as _ModelType

    from discosql.database import Database
    from discosql.table_store import TableStore
else:
    _ModelType = type(pydantic.BaseModel)

T = TypeVar("T", bound="Table")

FREE_NAMES: Final = ("all", "count", "exists", "insert_many", "save_all", "upsert", "where")
"""Methods that the library discobase did not have, so that its programs may have fields of these names."""


def Field(
    default: Any = ...,
    *,
    primary_key: bool = False,
    unique: bool = False,
    index: bool = False,
    renamed_from: str | None = None,
    **options: Any,
) -> Any:
    """Describe a field as `pydantic.Field` does, and its column.

    `primary_key` (an int one assigns ids by itself when it is None), `unique`, `index`: make the column so.
    `renamed_from` is the name that the stored column has and the field no longer.
    """
    field: FieldInfo = pydantic.Field(**options) if default is ... else pydantic.Field(default, **options)
    field.metadata.append(Storage(primary_key, unique, index, renamed_from))
    return field


@dataclass_transform(kw_only_default=True, field_specifiers=(Field, pydantic.Field, pydantic.PrivateAttr))
class _TableType(_ModelType):
    """The class of Table classes: ``User.age`` is a `FieldRef`."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        """Make a class whose fields may have the names of methods that came after discobase."""
        free = [field for field in namespace.get("__annotations__", ()) if field in FREE_NAMES]
        for field in free:
            # Or pydantic would take the inherited method for the field's default.
            namespace.setdefault(field, pydantic.Field())
        with warnings.catch_warnings():
            for field in free:
                warnings.filterwarnings("ignore", f'Field name "{field}" in ".*" shadows an attribute in parent')
            return super().__new__(mcs, name, bases, namespace, **options)

    if not TYPE_CHECKING:  # a type checker would take it for leave to use any name

        def __getattr__(cls, name: str) -> Any:
            column = cls.__dict__.get("__disco_columns__", {}).get(name) if not name.startswith("_") else None
            if column is not None:
                return FieldRef(column)
            return super().__getattr__(name)


class Table(pydantic.BaseModel, metaclass=_TableType):
    """A row of a table. Subclass it, give it fields, and attach the class with ``@db.table``.

    `__disco_id__` is the id of the stored row, -1 while it is not stored. Objects are equal if their fields are. What
    is started for one object (`save`, `update`, `commit`, `delete`) happens in that order, with the values that the
    object had at the call.
    """

    __disco_database__: ClassVar["Database | None"] = None
    __disco_cursor__: ClassVar["TableStore | None"] = None
    __disco_keys__: ClassVar[set[str]] = set()
    __disco_name__: ClassVar[str] = "_notset"
    __disco_columns__: ClassVar[dict[str, FieldColumn]] = {}

    _disco_rowid: int = pydantic.PrivateAttr(default=UNSAVED)

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Give every class its own state; called by pydantic."""
        super().__pydantic_init_subclass__(**options)
        cls.__disco_database__ = None
        cls.__disco_cursor__ = None
        cls.__disco_keys__ = set()
        cls.__disco_name__ = "_notset"
        cls.__disco_columns__ = {}

    @property
    def __disco_id__(self) -> int:
        return self._disco_rowid

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Table) and self._disco_rowid != other._disco_rowid:
            other = other.__copy__()
            other._disco_rowid = self._disco_rowid
        return super().__eq__(other)

    # Rows ---------------------------------------------------------------------------------------------------------

    def save(self) -> BackgroundTask[Self]:
        """Store a new row; awaiting the task is optional. Raises DatabaseStorageError if it is stored already."""
        store = self._store()
        if store.is_stored(self):
            raise DatabaseStorageError(
                f"this {type(self).__name__} is stored already; did you mean update() or commit()?"
            )
        return store.start(self, partial(self._save, store, self._values()), stored=True)

    def update(self) -> BackgroundTask[Self]:
        """Rewrite the stored row. Raises DatabaseStorageError if it is not stored."""
        store = self._store()
        self._check_stored(store.is_stored(self))
        return store.start(self, partial(self._update, store, self._values()), stored=True)

    def commit(self) -> BackgroundTask[Self]:
        """Store a new row or rewrite the stored one, whichever fits."""
        return self.update() if self._store().is_stored(self) else self.save()

    def delete(self) -> BackgroundTask[None]:
        """Remove the stored row. Raises DatabaseStorageError if it is not stored."""
        store = self._store()
        self._check_stored(store.is_stored(self))
        return store.start(self, partial(self._delete, store), stored=False)

    async def _save(self, store: "TableStore", values: tuple[Value, ...]) -> Self:
        (rowid,) = await store.insert([values])
        store.place(self, rowid)
        return self

    async def _update(self, store: "TableStore", values: tuple[Value, ...]) -> Self:
        self._check_stored(self._disco_rowid != UNSAVED)
        store.place(self, await store.update(self._disco_rowid, values))
        return self

    async def _delete(self, store: "TableStore") -> None:
        self._check_stored(self._disco_rowid != UNSAVED)
        await store.delete(self._disco_rowid)
        store.forget(self)

    def _check_stored(self, stored: bool) -> None:
        if not stored:
            raise DatabaseStorageError(f"this {type(self).__name__} is not stored; did you mean save() or commit()?")

    def _values(self) -> tuple[Value, ...]:
        return encode_row(self.__disco_columns__, self)

    @classmethod
    async def save_all(cls, rows: Iterable[Self]) -> list[Self]:
        """Store many new rows in one commit: all or none."""
        store = cls._store()
        objects = list(rows)
        for row in objects:
            if not isinstance(row, cls):
                raise DatabaseStorageError(f"save_all() of {cls.__name__} takes its objects, not {type(row).__name__}")
            if store.is_stored(row):
                raise DatabaseStorageError(f"a {cls.__name__} given to save_all() is stored already")
        if len({id(row) for row in objects}) < len(objects):
            raise DatabaseStorageError(f"a {cls.__name__} was given to save_all() twice")
        rowids = await store.insert([row._values() for row in objects])
        for row, rowid in zip(objects, rowids, strict=True):
            store.place(row, rowid)
        return objects

    @classmethod
    async def insert_many(cls, rows: Iterable[Self]) -> list[Self]:
        """Store many new rows in one commit: another name for `save_all`."""
        return await cls.save_all(rows)

    async def upsert(self, *conflict: Any) -> Self:
        """Store the row, or rewrite the stored row that has the same key.

        `conflict` names the fields of the key (``User.name`` or ``"name"``); without any it is the primary key.
        """
        store = self._store()
        names = [field.column.name if isinstance(field, FieldRef) else str(field) for field in conflict]
        for name in names:
            type(self)._column(name)
        store.place(self, await store.upsert(self._values(), names))
        return self

    # Lookups ------------------------------------------------------------------------------------------------------

    @classmethod
    async def find(cls, **fields: Any) -> list[Self]:
        """Return the rows whose fields all equal the given values, all rows without any.

        Raises DatabaseLookupError for an unknown field.
        """
        return await cls._found(fields)

    @overload
    @classmethod
    async def find_unique(cls, *, strict: Literal[True] = True, **fields: Any) -> Self: ...

    @overload
    @classmethod
    async def find_unique(cls, *, strict: Literal[False], **fields: Any) -> Self | None: ...

    @classmethod
    async def find_unique(cls, *, strict: bool = True, **fields: Any) -> Self | None:
        """Return the one row whose fields equal the given values.

        strict: DatabaseLookupError for none or several. Not strict: None for none, the first for several. Raises
        ValueError without fields.
        """
        found = cls._found(fields)
        if not fields:
            raise ValueError("find_unique() needs at least one field to look for")
        rows = await found.limit(2)
        if strict and len(rows) != 1:
            number = "no row" if not rows else "more than one row"
            raise DatabaseLookupError(f"{number} of {cls.__name__} with that {', '.join(fields)}")
        return rows[0] if rows else None

    @overload
    @classmethod
    def where(cls, condition: str, /, *parameters: Any) -> Query[Self]: ...

    @overload
    @classmethod
    def where(cls, condition: Where, /, *conditions: Where) -> Query[Self]: ...

    @classmethod
    def where(cls, condition: Any, /, *rest: Any) -> Query[Self]:
        """Return a query: of comparisons (``User.where(User.age >= 18)``), all of which must hold, or of the SQL text
        after WHERE and its parameters (``User.where("name LIKE ? ORDER BY id LIMIT 5", "A%")``).
        """
        cls._store()
        if isinstance(condition, str):
            return Query(cls, Condition(condition, tuple(rest)))
        return Query(cls).where(condition, *rest)

    @classmethod
    def all(cls) -> Query[Self]:
        """Return the query of all rows; awaited it is a list, and it can be iterated over with ``async for``."""
        cls._store()
        return Query(cls)

    @classmethod
    async def count(cls, **fields: Any) -> int:
        """Return the number of rows whose fields equal the given values."""
        return await cls._found(fields).count()

    @classmethod
    async def exists(cls, **fields: Any) -> bool:
        """Return whether there is a row whose fields equal the given values."""
        return await cls._found(fields).exists()

    # Within -------------------------------------------------------------------------------------------------------

    @classmethod
    def _found(cls, fields: Mapping[str, Any]) -> Query[Self]:
        cls._store()
        return Query(cls).where(*(cls._equals(name, value) for name, value in fields.items()))

    @classmethod
    def _column(cls, name: str) -> FieldColumn:
        column = cls.__disco_columns__.get(name)
        if column is None:
            known = ", ".join(cls.__disco_columns__)
            raise DatabaseLookupError(f"{cls.__name__} has no field {name!r}; it has {known}")
        return column

    @classmethod
    def _equals(cls, name: str, value: Any) -> Condition:
        column = cls._column(name)
        try:
            operand = column.operand(value)
        except NoMatch:
            return NOTHING
        if operand is None:
            return Condition(f"{quoted(name)} IS NULL")
        return Condition(f"{quoted(name)} = ?", (operand,))

    @classmethod
    def _store(cls) -> "TableStore":
        database = cls.__disco_database__
        if database is None:
            raise DatabaseTableError(f"{cls.__name__} is attached to no database; did you forget @db.table?")
        if not database.open:
            raise NotConnectedError("the database is not connected; did you forget to log in?")
        if cls.__disco_cursor__ is None:
            raise DatabaseTableError(f"{cls.__name__} is not ready; did you forget to await build_tables()?")
        return cls.__disco_cursor__

    @classmethod
    async def _select(cls, query: Query[Self]) -> list[Self]:
        return [cls._from_row(row) for row in await cls._store().select(*query.sql())]

    @classmethod
    async def _count(cls, query: Query[Self]) -> int:
        sql, parameters = query.sql()
        rows = await cls._store().select(f"SELECT count(*) FROM ({sql})", parameters)
        return int(rows[0][0])

    @classmethod
    def _from_row(cls, row: Sequence[Any]) -> Self:
        """Return the object of a stored row: its rowid, then its values in the order of the columns."""
        made = cls._from_values(zip(cls.__disco_columns__, row[1:], strict=True))
        made._disco_rowid = row[0]
        return made

    @classmethod
    def _from_values(cls, stored: Iterable[tuple[str, Value]]) -> Self:
        """Return the object of stored values by field. They were validated before, so validators do not run again."""
        values = {name: cls._decoded(cls._column(name), value) for name, value in stored}
        if len(values) < len(cls.__disco_columns__):
            return cls.model_validate(values, by_alias=False, by_name=True)
        made = cls.__new__(cls)
        object.__setattr__(made, "__dict__", values)
        object.__setattr__(made, "__pydantic_fields_set__", set(values))
        object.__setattr__(made, "__pydantic_extra__", {} if cls.model_config.get("extra") == "allow" else None)
        object.__setattr__(made, "__pydantic_private__", None)
        made.model_post_init(None)
        return made

    @classmethod
    def _decoded(cls, column: FieldColumn, value: Value) -> Any:
        if value is None:
            if column.nullable:
                return None
            raise DatabaseTableError(
                f"a row of table {cls.__disco_name__} has no value in column {column.name}, which the class says is "
                "never None; make the field optional, or fill the column with UPDATE"
            )
        try:
            return column.decode(value)
        except (ValueError, TypeError) as exc:
            raise DatabaseTableError(
                f"a row of table {cls.__disco_name__} has a value in column {column.name} that does not fit the "
                "field's type any more; change it with UPDATE"
            ) from exc
