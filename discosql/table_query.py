"""Typed queries over a Table: ``User.where(User.age >= 18).order_by(desc(User.age)).limit(10)``.

``User.age`` on the class stands for the column. For a type checker it has the field's own type, so that a wrong field
or a comparison that makes no sense is found before the program runs; at run time a comparison makes a `Condition`.
"""

from collections.abc import AsyncIterator, Generator, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from discosql.errors import DatabaseLookupError, ProgrammingError
from discosql.table_fields import FieldColumn, NoMatch, quote

if TYPE_CHECKING:
    from discosql.table import Table

T = TypeVar("T", bound="Table")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on rows: SQL with parameters. Combine with ``&``, ``|`` and ``~``."""

    sql: str
    parameters: tuple[Any, ...] = ()

    def __and__(self, other: Any) -> "Condition":
        return _joined("AND", self, other)

    def __or__(self, other: Any) -> "Condition":
        return _joined("OR", self, other)

    def __invert__(self) -> "Condition":
        return Condition(f"NOT ({self.sql})", self.parameters)

    def __bool__(self) -> bool:
        raise ProgrammingError("a condition has no truth value; combine conditions with &, | and ~, not and, or, not")


NOTHING = Condition("0")


def _joined(word: str, left: Any, right: Any) -> Condition:
    left, right = as_condition(left), as_condition(right)
    return Condition(f"({left.sql}) {word} ({right.sql})", left.parameters + right.parameters)


def as_condition(given: Any) -> Condition:
    """Return what `where` was given as a condition. A field of type bool is one by itself."""
    if isinstance(given, Condition):
        return given
    if isinstance(given, FieldRef):
        return Condition(given.sql)
    raise ProgrammingError("where() takes SQL text with parameters, or comparisons such as User.age >= 18")


class FieldRef:
    """A field of a Table class in a query, such as ``User.age``."""

    __slots__ = ("column", "sql")
    __hash__ = object.__hash__

    def __init__(self, column: FieldColumn) -> None:
        self.column = column
        self.sql = quote(column.name)

    def _compare(self, operator: str, other: Any) -> Condition:
        if isinstance(other, FieldRef):
            return Condition(f"{self.sql} {operator} {other.sql}")
        if other is None:
            if operator not in ("=", "<>"):
                raise ProgrammingError(f"field {self.column.name} cannot be compared with None by {operator}")
            return Condition(f"{self.sql} IS {'NOT ' if operator == '<>' else ''}NULL")
        try:
            return Condition(f"{self.sql} {operator} ?", (self.column.operand(other),))
        except NoMatch:
            if operator == "=":
                return NOTHING
            if operator == "<>":
                return Condition(f"{self.sql} IS NOT NULL")
            raise ProgrammingError(
                f"field {self.column.name} cannot be compared with a value of type {type(other).__name__}"
            ) from None

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return self._compare("=", other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return self._compare("<>", other)

    def __lt__(self, other: Any) -> Condition:
        return self._compare("<", other)

    def __le__(self, other: Any) -> Condition:
        return self._compare("<=", other)

    def __gt__(self, other: Any) -> Condition:
        return self._compare(">", other)

    def __ge__(self, other: Any) -> Condition:
        return self._compare(">=", other)

    def __invert__(self) -> Condition:
        return ~Condition(self.sql)

    def __and__(self, other: Any) -> Condition:
        return _joined("AND", self, other)

    def __or__(self, other: Any) -> Condition:
        return _joined("OR", self, other)

    def __repr__(self) -> str:
        return f"FieldRef({self.column.name})"


def _field(given: Any, what: str) -> FieldRef:
    if not isinstance(given, FieldRef):
        raise ProgrammingError(f"{what}() takes a field of a Table class, such as User.name")
    return given


def like(field: str | None, pattern: str) -> bool:
    """Return the condition that a text field matches a LIKE pattern: ``%`` any text, ``_`` one character."""
    condition: Any = Condition(f"{_field(field, 'like').sql} LIKE ?", (pattern,))
    return condition  # type: ignore[no-any-return]


def in_(field: Any, values: Iterable[Any]) -> bool:
    """Return the condition that a field equals one of several values."""
    reference = _field(field, "in_")
    conditions = [reference == value for value in values]
    found = [condition.parameters[0] for condition in conditions if condition.parameters]
    sql = f"{reference.sql} IN ({', '.join('?' * len(found))})"
    if any(condition.sql.endswith("IS NULL") for condition in conditions):
        sql += f" OR {reference.sql} IS NULL"
    condition: Any = Condition(sql, tuple(found))
    return condition  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Order:
    """One term of an order."""

    sql: str


def asc(field: Any) -> Any:
    """Return the ascending order by a field, for `Query.order_by`."""
    return Order(f"{_field(field, 'asc').sql} ASC")


def desc(field: Any) -> Any:
    """Return the descending order by a field, for `Query.order_by`."""
    return Order(f"{_field(field, 'desc').sql} DESC")


@dataclass(frozen=True)
class Query(Generic[T]):
    """Rows of a table that are asked for when the query is awaited (a list) or iterated over (``async for``).

    Each method returns a new query. `text` is what was written by hand after WHERE, perhaps with ORDER BY and LIMIT;
    what methods add is applied to its rows.
    """

    table: type[T]
    text: Condition | None = None
    condition: Condition | None = None
    order: tuple[str, ...] = ()
    count_limit: int | None = None
    count_offset: int = 0

    def where(self, *conditions: Any) -> "Query[T]":
        """Return the query with further conditions, all of which must hold."""
        joined = self.condition
        for given in conditions:
            joined = as_condition(given) if joined is None else joined & given
        return replace(self, condition=joined)

    def order_by(self, *fields: Any) -> "Query[T]":
        """Return the query in the order of fields, `asc(field)` or `desc(field)`."""
        terms = tuple(term.sql if isinstance(term, Order) else _field(term, "order_by").sql for term in fields)
        return replace(self, order=self.order + terms)

    def limit(self, count: int, offset: int = 0) -> "Query[T]":
        """Return the query for at most `count` rows after skipping `offset`."""
        if count < 0 or offset < 0:
            raise ProgrammingError("limit() takes counts of 0 or more")
        return replace(self, count_limit=count, count_offset=offset)

    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """Return the SELECT of the rowid and all fields, and its parameters."""
        columns = ", ".join(["rowid AS _rowid", *map(quote, self.table.__disco_columns__)])
        parts = [f"SELECT {columns} FROM {quote(self.table.__disco_name__)}"]
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
