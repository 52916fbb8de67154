"""Conditions and orders of typed queries: ``User.age >= 18``, ``col(User.nick).like("a%")``, ``desc(User.age)``.

``User.age`` on the class stands for the column. For a type checker it has the field's own type, so that a wrong field,
or a comparison that makes no sense, is an error before the program runs; at run time it is a `FieldRef`, and comparing
it makes a `Condition`. `col` says so to the type checker too, which fields that may be None need for ``<`` and the
methods of `FieldRef` need for all.
"""

import datetime
import enum
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeAlias, TypeVar

from discosql.errors import ProgrammingError
from discosql.schema import quoted
from discosql.table_fields import FieldColumn, NoMatch
from discosql.types import Value

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on rows: SQL with parameters. Combine with ``&``, ``|`` and ``~``."""

    sql: str
    parameters: tuple[Any, ...] = ()

    def __and__(self, other: "Where") -> "Condition":
        return _joined("AND", self, other)

    def __or__(self, other: "Where") -> "Condition":
        return _joined("OR", self, other)

    def __rand__(self, other: "Where") -> "Condition":
        return _joined("AND", other, self)

    def __ror__(self, other: "Where") -> "Condition":
        return _joined("OR", other, self)

    def __invert__(self) -> "Condition":
        return Condition(f"NOT ({self.sql})", self.parameters)

    def __bool__(self) -> bool:
        raise ProgrammingError("a condition has no truth value; combine conditions with &, | and ~, not and, or, not")


NOTHING = Condition("0")


@dataclass(frozen=True, slots=True)
class Order:
    """One term of an order."""

    sql: str


class FieldRef(Generic[V]):
    """A field of a Table class in a query, such as ``User.age``; V is the type of its values."""

    __slots__ = ("column", "sql")
    __hash__ = object.__hash__

    def __init__(self, column: FieldColumn) -> None:
        self.column = column
        self.sql = quoted(column.name)

    def __eq__(self, other: "V | FieldRef[V] | None") -> Condition:  # type: ignore[override]
        return self._compare("=", other)

    def __ne__(self, other: "V | FieldRef[V] | None") -> Condition:  # type: ignore[override]
        return self._compare("<>", other)

    def __lt__(self, other: "V | FieldRef[V]") -> Condition:
        return self._compare("<", other)

    def __le__(self, other: "V | FieldRef[V]") -> Condition:
        return self._compare("<=", other)

    def __gt__(self, other: "V | FieldRef[V]") -> Condition:
        return self._compare(">", other)

    def __ge__(self, other: "V | FieldRef[V]") -> Condition:
        return self._compare(">=", other)

    def between(self, low: V, high: V) -> Condition:
        """Return the condition that the field is at least `low` and at most `high`."""
        return self._compare(">=", low) & self._compare("<=", high)

    def in_(self, values: Iterable[V | None]) -> Condition:
        """Return the condition that the field equals one of several values."""
        conditions = [self._compare("=", value) for value in values]
        found = tuple(condition.parameters[0] for condition in conditions if condition.parameters)
        sql = f"{self.sql} IN ({', '.join('?' * len(found))})"
        if any(condition.sql.endswith("IS NULL") for condition in conditions):
            sql += f" OR {self.sql} IS NULL"
        return Condition(sql, found)

    def like(self: "FieldRef[str]", pattern: str) -> Condition:
        """Return the condition that a text matches a LIKE pattern: ``%`` any text, ``_`` one character."""
        return Condition(f"{self.sql} LIKE ?", (pattern,))

    def is_null(self) -> Condition:
        """Return the condition that the field is None."""
        return Condition(f"{self.sql} IS NULL")

    def is_not_null(self) -> Condition:
        """Return the condition that the field is not None."""
        return Condition(f"{self.sql} IS NOT NULL")

    def asc(self) -> Order:
        """Return the ascending order by the field."""
        return Order(f"{self.sql} ASC")

    def desc(self) -> Order:
        """Return the descending order by the field."""
        return Order(f"{self.sql} DESC")

    def __invert__(self: "FieldRef[bool]") -> Condition:
        return ~as_condition(self)

    def __and__(self: "FieldRef[bool]", other: "Where") -> Condition:
        return _joined("AND", self, other)

    def __or__(self: "FieldRef[bool]", other: "Where") -> Condition:
        return _joined("OR", self, other)

    def __bool__(self) -> bool:
        raise ProgrammingError(f"field {self.column.name} has no truth value; combine conditions with &, | and ~")

    def __repr__(self) -> str:
        return f"FieldRef({self.column.name})"

    def _compare(self, operator: str, other: Any) -> Condition:
        if isinstance(other, FieldRef):
            return Condition(f"{self.sql} {operator} {other.sql}")
        if other is None:
            if operator not in ("=", "<>"):
                raise ProgrammingError(f"field {self.column.name} cannot be compared with None by {operator}")
            return self.is_null() if operator == "=" else self.is_not_null()
        try:
            operand: Value = self.column.operand(other)
        except NoMatch:
            if operator == "=":
                return NOTHING
            if operator == "<>":
                return self.is_not_null()
            raise ProgrammingError(
                f"field {self.column.name} cannot be compared with a value of type {type(other).__name__}"
            ) from None
        return Condition(f"{self.sql} {operator} ?", (operand,))


Where: TypeAlias = Condition | FieldRef[bool] | bool
"""What `where` takes besides SQL text. A type checker sees a bool in ``User.age >= 18`` and ``User.active``."""

Sortable: TypeAlias = (
    Order
    | FieldRef[Any]
    | str
    | bytes
    | float
    | Decimal
    | datetime.date
    | datetime.time
    | datetime.timedelta
    | uuid.UUID
    | enum.Enum
    | None
)
"""What `order_by` takes: fields of types that have an order, and what `asc` and `desc` make of them."""


def as_condition(given: Where) -> Condition:
    """Return what `where` was given as a condition. A field of type bool is one by itself."""
    if isinstance(given, Condition):
        return given
    if isinstance(given, FieldRef):
        return Condition(given.sql)
    raise ProgrammingError("where() takes SQL text with parameters, or comparisons such as User.age >= 18")


def as_order(given: Sortable) -> Order:
    """Return what `order_by` was given as a term of an order."""
    if isinstance(given, Order):
        return given
    return _field(given, "order_by").asc()


def _joined(word: str, left: Where, right: Where) -> Condition:
    left, right = as_condition(left), as_condition(right)
    return Condition(f"({left.sql}) {word} ({right.sql})", left.parameters + right.parameters)


def _field(given: Any, what: str) -> FieldRef[Any]:
    if not isinstance(given, FieldRef):
        raise ProgrammingError(f"{what}() takes a field of a Table class, such as User.name")
    return given


def col(field: V | None) -> FieldRef[V]:
    """Return a field of a Table class, such as ``User.age``, as what it is at run time: a `FieldRef`."""
    return _field(field, "col")


def not_(condition: Where) -> Condition:
    """Return the opposite of a condition: ``~`` for those that a type checker takes for a bool."""
    return ~as_condition(condition)


def like(field: str | None, pattern: str) -> Condition:
    """Return the condition that a text field matches a LIKE pattern: ``%`` any text, ``_`` one character."""
    return _field(field, "like").like(pattern)


def in_(field: V, values: Iterable[V]) -> Condition:
    """Return the condition that a field equals one of several values."""
    return _field(field, "in_").in_(values)


def asc(field: Sortable) -> Order:
    """Return the ascending order by a field, for `Query.order_by`."""
    return _field(field, "asc").asc()


def desc(field: Sortable) -> Order:
    """Return the descending order by a field, for `Query.order_by`."""
    return _field(field, "desc").desc()
