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

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar, overload

import pydantic
from pydantic.fields import FieldInfo

from discosql.background import BackgroundTask
from discosql.errors import DatabaseLookupError, DatabaseStorageError, DatabaseTableError, NotConnectedError
from discosql.table_fields import FieldColumn, NoMatch, Storage, encode_row, quote
from discosql.table_query import NOTHING, Condition, FieldRef, Query

if TYPE_CHECKING:
    from discosql.database import Database
    from discosql.table_store import TableStore

T = TypeVar("T", bound="Table")

UNSAVED = -1
"""`__disco_id__` of an object that is not stored."""


def Field(*arguments: Any, primary_key: bool = False, unique: bool = False, index: bool = False, **options: Any) -> Any:
    """Describe a field as `pydantic.Field` does, and its column.

    `primary_key` (an int one assigns ids by itself when it is None), `unique`, `index`: make the column so.
    """
    field: FieldInfo = pydantic.Field(*arguments, **options)
    field.metadata.append(Storage(primary_key, unique, index))
    return field


_ModelType: Any = type(pydantic.BaseModel)


class _TableType(_ModelType):  # type: ignore[misc]
    """The class of Table classes: ``User.age`` is a `FieldRef`."""

    def __getattr__(cls, name: str) -> Any:
        column = cls.__dict__.get("__disco_columns__", {}).get(name) if not name.startswith("_") else None
        if column is not None:
            return FieldRef(column)
        return super().__getattr__(name)


class Table(pydantic.BaseModel, metaclass=_TableType):
    """A row of a table. Subclass it, give it fields, and attach the class with ``@db.table``.

    `__disco_id__` is the id of the stored row, -1 while it is not stored.
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

    # Rows ---------------------------------------------------------------------------------------------------------

    def save(self) -> BackgroundTask[Self]:
        """Store a new row; awaiting the task is optional. Raises DatabaseStorageError if it is stored already."""
        store = self._store()
        if self._disco_rowid != UNSAVED:
            raise DatabaseStorageError(
                f"this {type(self).__name__} is stored already; did you mean update() or commit()?"
            )
        return store.start(self._save(store))

    def update(self) -> BackgroundTask[Self]:
        """Rewrite the stored row. Raises DatabaseStorageError if it is not stored."""
        store = self._store()
        self._check_stored()
        return store.start(self._update(store))

    def commit(self) -> BackgroundTask[Self]:
        """Store a new row or rewrite the stored one, whichever fits."""
        return self.save() if self._disco_rowid == UNSAVED else self.update()

    def delete(self) -> BackgroundTask[None]:
        """Remove the stored row. Raises DatabaseStorageError if it is not stored."""
        store = self._store()
        self._check_stored()
        return store.start(self._delete(store))

    async def _save(self, store: "TableStore") -> Self:
        (self._disco_rowid,) = await store.insert([encode_row(self.__disco_columns__, self)])
        store.take_assigned_key(self, self._disco_rowid)
        return self

    async def _update(self, store: "TableStore") -> Self:
        self._disco_rowid = await store.update(self._disco_rowid, encode_row(self.__disco_columns__, self))
        return self

    async def _delete(self, store: "TableStore") -> None:
        await store.delete(self._disco_rowid)
        self._disco_rowid = UNSAVED

    def _check_stored(self) -> None:
        if self._disco_rowid == UNSAVED:
            raise DatabaseStorageError(f"this {type(self).__name__} is not stored; did you mean save() or commit()?")

    @classmethod
    async def save_all(cls, rows: Iterable[Self]) -> list[Self]:
        """Store many new rows in one commit: all or none."""
        store = cls._store()
        objects = list(rows)
        for row in objects:
            if not isinstance(row, cls):
                raise DatabaseStorageError(f"save_all() of {cls.__name__} takes its objects, not {type(row).__name__}")
            if row._disco_rowid != UNSAVED:
                raise DatabaseStorageError(f"a {cls.__name__} given to save_all() is stored already")
        rowids = await store.insert([encode_row(cls.__disco_columns__, row) for row in objects])
        for row, rowid in zip(objects, rowids, strict=True):
            row._disco_rowid = rowid
            store.take_assigned_key(row, rowid)
        return objects

    insert_many = save_all

    async def upsert(self, *conflict: Any) -> Self:
        """Store the row, or rewrite the stored row that has the same key.

        `conflict` names the fields of the key (``User.name`` or ``"name"``); without any it is the primary key.
        """
        store = self._store()
        names = [field.column.name if isinstance(field, FieldRef) else str(field) for field in conflict]
        for name in names:
            type(self)._column(name)
        self._disco_rowid = await store.upsert(encode_row(self.__disco_columns__, self), names)
        store.take_assigned_key(self, self._disco_rowid)
        return self

    # Lookups ------------------------------------------------------------------------------------------------------

    @classmethod
    async def find(cls, **fields: Any) -> list[Self]:
        """Return the rows whose fields all equal the given values, all rows without any.

        Raises DatabaseLookupError for an unknown field.
        """
        cls._store()
        return await Query(cls).where(*(cls._equals(name, value) for name, value in fields.items()))

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
        cls._store()
        if not fields:
            raise ValueError("find_unique() needs at least one field to look for")
        conditions = [cls._equals(name, value) for name, value in fields.items()]
        rows = await Query(cls).where(*conditions).limit(2)
        if strict and len(rows) != 1:
            found = "no row" if not rows else "more than one row"
            raise DatabaseLookupError(f"{found} of {cls.__name__} with that {', '.join(fields)}")
        return rows[0] if rows else None

    @classmethod
    def where(cls, condition: Any, *rest: Any) -> Query[Self]:
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
        cls._store()
        return await Query(cls).where(*(cls._equals(name, value) for name, value in fields.items())).count()

    @classmethod
    async def exists(cls, **fields: Any) -> bool:
        """Return whether there is a row whose fields equal the given values."""
        cls._store()
        return await Query(cls).where(*(cls._equals(name, value) for name, value in fields.items())).exists()

    # Within -------------------------------------------------------------------------------------------------------

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
            return Condition(f"{quote(name)} IS NULL")
        return Condition(f"{quote(name)} = ?", (operand,))

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
        """Return the object of a stored row. It was validated when it was made, so validators do not run again."""
        values = {
            name: None if value is None else column.decode(value)
            for (name, column), value in zip(cls.__disco_columns__.items(), row[1:], strict=True)
        }
        made = cls.__new__(cls)
        object.__setattr__(made, "__dict__", values)
        object.__setattr__(made, "__pydantic_fields_set__", set(values))
        object.__setattr__(made, "__pydantic_extra__", {} if cls.model_config.get("extra") == "allow" else None)
        object.__setattr__(made, "__pydantic_private__", None)
        made.model_post_init(None)
        made._disco_rowid = row[0]
        return made
