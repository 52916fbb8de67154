"""Queries over a Table: ``User.where(User.age >= 18).order_by(desc(User.age)).limit(10)``.

A query is a value: each method returns a new one, and rows are asked for when it is awaited or iterated over.
"""

from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from discosql.errors import DatabaseLookupError, ProgrammingError
from discosql.schema import quoted
from discosql.table_conditions import Condition, Sortable, Where, as_condition, as_order
from discosql.table_fields import rowid_name

if TYPE_CHECKING:
    from discosql.table import Table

T = TypeVar("T", bound="Table")


@dataclass(frozen=True)
class Query(Generic[T]):
    """Rows of a table that are asked for when the query is awaited (a list) or iterated over (``async for``).

    `text` is what was written by hand after WHERE, perhaps with ORDER BY and LIMIT; what methods add is applied to its
    rows.
    """

    table: type[T]
    text: Condition | None = None
    condition: Condition | None = None
    order: tuple[str, ...] = ()
    count_limit: int | None = None
    count_offset: int = 0

    def where(self, *conditions: Where) -> "Query[T]":
        """Return the query with further conditions, all of which must hold."""
        joined = self.condition
        for given in conditions:
            joined = as_condition(given) if joined is None else joined & given
        return replace(self, condition=joined)

    def order_by(self, *fields: Sortable) -> "Query[T]":
        """Return the query in the order of fields, ``asc(field)`` or ``desc(field)``."""
        return replace(self, order=self.order + tuple(as_order(field).sql for field in fields))

    def limit(self, count: int, offset: int = 0) -> "Query[T]":
        """Return the query for at most `count` rows after skipping `offset`."""
        if count < 0 or offset < 0:
            raise ProgrammingError("limit() takes counts of 0 or more")
        return replace(self, count_limit=count, count_offset=offset)

    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """Return the SELECT of the rowid and all fields, and its parameters."""
        fields = self.table.__disco_columns__
        columns = ", ".join([f"{rowid_name(fields)} AS _rowid", *map(quoted, fields)])
        parts = [f"SELECT {columns} FROM {quoted(self.table.__disco_name__)}"]
        parameters: list[Any] = []
        if self.text is not None:
            parts = [f"SELECT * FROM ({parts[0]} WHERE {self.text.sql}\n)"]
            parameters += self.text.parameters
        if self.condition is not None:
            parts.append(f"WHERE {self.condition.sql}")
            parameters += self.condition.parameters
        if self.order:
            parts.append(f"ORDER BY {', '.join(self.order)}")
        if self.count_limit is not None:
            parts.append("LIMIT ? OFFSET ?")
            parameters += (self.count_limit, self.count_offset)
        return " ".join(parts), tuple(parameters)

    async def all(self) -> list[T]:
        """Return the rows as objects of the table's class."""
        return await self.table._select(self)

    async def first(self) -> T | None:
        """Return the first row, None if there is none."""
        rows = await replace(self, count_limit=min(1, self.count_limit if self.count_limit is not None else 1)).all()
        return rows[0] if rows else None

    async def one(self) -> T:
        """Return the only row. Raises DatabaseLookupError for none or several."""
        rows = await (self if self.count_limit is not None else self.limit(2)).all()
        if len(rows) != 1:
            raise DatabaseLookupError(f"{'no row' if not rows else 'more than one row'} of {self.table.__name__} found")
        return rows[0]

    async def count(self) -> int:
        """Return the number of rows."""
        return await self.table._count(self)

    async def exists(self) -> bool:
        """Return whether there is a row."""
        return await self.first() is not None

    def __await__(self) -> Generator[Any, None, list[T]]:
        return self.all().__await__()

    async def __aiter__(self) -> AsyncIterator[T]:
        for row in await self.all():
            yield row
