"""What the planner knows of an expression before it runs: type, affinity, collation, whether it can be NULL.

SQLite's comparison rules depend on where an operand comes from (a column, a CAST, anything else), not on its value
(https://www.sqlite.org/datatype3.html#comparison_expressions). `Bound` carries that beside the plan's expression;
`comparison_operands` turns it into explicit `Convert` nodes, which are left out where they could change nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Flag, auto
from typing import Final

from discosql.conversion import apply_affinity
from discosql.planner.plan import (
    And,
    Between,
    Binary,
    Case,
    ColumnRef,
    Compare,
    Constant,
    Convert,
    Exists,
    Expression,
    InList,
    InSubquery,
    Is,
    Not,
    Or,
    SimpleCase,
    Unary,
)
from discosql.types import Affinity, SqlType, Value

_TEXT_TYPES: Final = frozenset({SqlType.TEXT, SqlType.DATE, SqlType.TIMESTAMP, SqlType.JSON, SqlType.UUID})
_INTEGER_TYPES: Final = frozenset({SqlType.INTEGER, SqlType.BOOLEAN})
_UNCERTAIN: Final = frozenset({SqlType.ANY, SqlType.NUMERIC})

# Types of our own whose canonical form differs from what SQL text says, the one that decides first.
_CANONICAL: Final = (SqlType.DECIMAL, SqlType.UUID, SqlType.TIMESTAMP, SqlType.BOOLEAN)


@dataclass(frozen=True, slots=True)
class Bound:
    """An expression and what comparison rules know of it.

    `affinity` is the type of the column or CAST it is, None for any other expression. `collation` is the column's or
    that of a COLLATE (`explicit`). `call`: it is a function's call, though `expression` may be what that stands for.
    """

    expression: Expression
    affinity: SqlType | None = None
    collation: str | None = None
    explicit: bool = False
    call: bool = False

    @property
    def type(self) -> SqlType | None:
        """The type of the result, None where unknown."""
        return self.expression.type

    @property
    def nullable(self) -> bool:
        """Whether the result can be NULL."""
        return self.expression.nullable


class Classes(Flag):
    """What SQLite takes for possible values of an expression, besides NULL."""

    NUMBER = auto()
    TEXT = auto()
    BLOB = auto()
    ALL = NUMBER | TEXT | BLOB


_OF_NUMBERS: Final = (And, Between, Compare, Exists, InList, InSubquery, Is, Not, Or, Unary)
_OF_CONSTANTS: Final = {type(None): Classes(0), str: Classes.TEXT, bytes: Classes.BLOB}


def classes(bound: Bound) -> Classes:
    """Return the classes that a result may be of, as far as SQLite looks: never into functions."""
    if bound.call:
        return Classes.ALL
    if bound.affinity is None:
        return _classes(bound.expression)
    if bound.affinity.affinity.is_numeric:
        return Classes.NUMBER | Classes.BLOB
    return Classes.TEXT | Classes.BLOB if bound.affinity.affinity is Affinity.TEXT else Classes.ALL


def _classes(expression: Expression) -> Classes:
    if isinstance(expression, Constant):
        return _OF_CONSTANTS.get(type(expression.value), Classes.NUMBER)
    if isinstance(expression, Case | SimpleCase):
        found = _classes(expression.default)
        for *_, result in expression.whens:
            found |= _classes(result)
        return found
    if isinstance(expression, Unary) and expression.operator == "+":
        operand = expression.operand
        # Unary plus takes the affinity from a column, but here SQLite looks through it.
        return classes(Bound(operand, operand.type)) if isinstance(operand, ColumnRef) else _classes(operand)
    if isinstance(expression, Binary) and expression.operator == "||":
        return Classes.TEXT | Classes.BLOB
    is_number = isinstance(expression, _OF_NUMBERS) or (
        isinstance(expression, Binary) and "->" not in expression.operator
    )
    return Classes.NUMBER if is_number else Classes.ALL


def derived(expression: Expression, *operands: Bound) -> Bound:
    """Return an expression that has no affinity, and an explicit collation if one of its operands has."""
    for operand in operands:
        if operand.explicit:
            return Bound(expression, None, operand.collation, True)
    return Bound(expression)


def constant(value: Value) -> Constant:
    """Return a value as an expression of its own type."""
    return Constant(value, type_of(value))


def type_of(value: Value) -> SqlType | None:
    """Return the type of a value, None for NULL."""
    if value is None:
        return None
    if isinstance(value, int):
        return SqlType.INTEGER
    if isinstance(value, float):
        return SqlType.REAL
    if isinstance(value, str):
        return SqlType.TEXT
    return SqlType.BLOB if isinstance(value, bytes) else SqlType.DECIMAL


def is_integer(expression: Expression) -> bool:
    """Whether the result is an integer wherever it is not NULL."""
    return expression.type in _INTEGER_TYPES


def is_number(expression: Expression) -> bool:
    """Whether the result is an integer or a float wherever it is not NULL."""
    return expression.type in _INTEGER_TYPES or expression.type is SqlType.REAL


def common_type(expressions: Iterable[Expression]) -> SqlType | None:
    """Return the one type that all results have, NULLs apart; None if there is none."""
    types = {item.type for item in expressions if not (isinstance(item, Constant) and item.value is None)}
    if len(types) == 1:
        return types.pop()
    if types and types <= _INTEGER_TYPES:
        return SqlType.INTEGER
    return SqlType.TEXT if types and types <= _TEXT_TYPES else None


def collation_of(*operands: Bound) -> str:
    """Return the collation of a comparison: an explicit one, else that of a column, the left side first."""
    for operand in operands:
        if operand.explicit and operand.collation is not None:
            return operand.collation
    return next((operand.collation for operand in operands if operand.collation is not None), "BINARY")


def convert(expression: Expression, target: SqlType) -> Expression:
    """Return the expression in the canonical form of a type, itself where that could change nothing."""
    if isinstance(expression, Constant):
        value = apply_affinity(expression.value, target)
        return expression if value is expression.value else constant(value)
    return expression if _is_canonical(expression.type, target) else Convert(expression, target)


def _is_canonical(type: SqlType | None, target: SqlType) -> bool:
    if type is target or target.affinity is Affinity.BLOB:
        return True
    if type is None or type in _UNCERTAIN:
        return False
    if target in _CANONICAL:
        # A number is its own canonical form for BOOLEAN; text and blobs may spell a UUID, numbers may not.
        if target is SqlType.BOOLEAN:
            return type not in _TEXT_TYPES
        return target is SqlType.DECIMAL and (type in _INTEGER_TYPES or type is SqlType.BLOB)
    if target.affinity is Affinity.TEXT:
        return type in _TEXT_TYPES or type is SqlType.BLOB
    return type not in _TEXT_TYPES


def comparison_operands(left: Bound, right: Bound) -> tuple[Expression, Expression]:
    """Return both sides of a comparison with the conversions that SQLite's affinity rules ask for."""
    a, b = left.affinity, right.affinity
    if a is None and b is None:
        return left.expression, right.expression
    if a is None or b is None:
        target = a or b
        assert target is not None
        return convert(left.expression, target), convert(right.expression, target)
    target = _common_target(a, b)
    if target is None:
        return left.expression, right.expression
    return convert(left.expression, target), convert(right.expression, target)


def _common_target(a: SqlType, b: SqlType) -> SqlType | None:
    """Return what two columns of different kinds are converted to before they are compared, None for nothing."""
    if a is b:
        return None
    for special in _CANONICAL:
        if special in (a, b):
            return special
    if a.affinity.is_numeric != b.affinity.is_numeric:
        return a if a.affinity.is_numeric else b
    return None


def column_bound(column: ColumnRef, affinity: SqlType | None) -> Bound:
    """Return a column as an operand; a column always has a collation."""
    return Bound(column, affinity, column.collation)


def is_same(a: object, b: object) -> bool:
    """Whether two parts of a plan are equal, 1 and 1.0 being different; deep ones are compared without recursion."""
    stack = [(a, b)]
    while stack:
        left, right = stack.pop()
        if left is right:
            continue
        if type(left) is not type(right):
            return False
        if isinstance(left, tuple) and isinstance(right, tuple):
            if len(left) != len(right):
                return False
            stack.extend(zip(left, right, strict=True))
        elif hasattr(left, "__slots__") and not isinstance(left, SqlType):
            stack.extend((getattr(left, name), getattr(right, name)) for name in left.__slots__)
        elif left != right:
            return False
    return True
