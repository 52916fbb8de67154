"""Expressions of a plan, after names were resolved: what the executor compiles.

A column is known by a number that is unique within a statement (`ColumnRef.id`), not by its position, so that rules
can move expressions about freely. A subquery that uses a column of a query around it simply contains that ColumnRef.
All conversions are explicit: where SQLite's comparison rules apply an affinity, the planner wraps the operand in
`Convert`; `Compare` itself only compares values by class and collation.

Every expression has `type` (the expected type of the result, None where unknown) and `nullable` (False only where the
result can never be NULL). A `type` that is given for a ColumnRef of a base table is certain, except for ANY and
NUMERIC columns, whose values may be of any class; REAL columns hold floats only, INTEGER columns ints only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from discosql.types import SqlType, Value

if TYPE_CHECKING:
    from discosql.planner.plan.nodes import Node


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal, or what folding made of constants."""

    value: Value
    type: SqlType | None = None

    @property
    def nullable(self) -> bool:
        """Whether it is NULL."""
        return self.value is None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value bound at execution: its 0-based place in the statement's parameter list."""

    index: int
    name: str | None = None
    type: SqlType | None = None
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A column that some node of the plan produces. `table` and `name` are for people and for EXPLAIN."""

    id: int
    name: str
    table: str | None = None
    type: SqlType | None = None
    nullable: bool = True
    collation: str = "BINARY"


@dataclass(frozen=True, slots=True)
class Unary:
    """``-x``, ``+x`` or ``~x`` (NOT is `Not`)."""

    operator: Literal["-", "+", "~"]
    operand: Expression
    type: SqlType | None = None
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, bits, concatenation and JSON arrows, with SQLite's overflow rules."""

    operator: Literal["+", "-", "*", "/", "%", "&", "|", "<<", ">>", "||", "->", "->>"]
    left: Expression
    right: Expression
    type: SqlType | None = None
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison that is NULL where an operand is NULL."""

    operator: Literal["=", "<>", "<", "<=", ">", ">="]
    left: Expression
    right: Expression
    collation: str = "BINARY"
    type: SqlType | None = SqlType.INTEGER

    @property
    def nullable(self) -> bool:
        """Whether an operand can be NULL."""
        return self.left.nullable or self.right.nullable


@dataclass(frozen=True, slots=True)
class Is:
    """``IS [NOT]`` between two values: like ``=`` and ``<>``, but NULL equals NULL. Never NULL."""

    left: Expression
    right: Expression
    negated: bool = False
    collation: str = "BINARY"
    type: SqlType | None = SqlType.INTEGER
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class And:
    """Three-valued conjunction of two or more operands, each read as a truth value."""

    operands: tuple[Expression, ...]
    type: SqlType | None = SqlType.INTEGER
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Or:
    """Three-valued disjunction of two or more operands."""

    operands: tuple[Expression, ...]
    type: SqlType | None = SqlType.INTEGER
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Not:
    """Three-valued negation."""

    operand: Expression
    type: SqlType | None = SqlType.INTEGER
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Between:
    """``operand BETWEEN low AND high``; the operand is evaluated once. The planner splits it for plain columns.

    The operand is given twice because each comparison may convert it differently; both come from one expression.
    """

    low_operand: Expression
    low: Expression
    high_operand: Expression
    high: Expression
    low_collation: str = "BINARY"
    high_collation: str = "BINARY"
    type: SqlType | None = SqlType.INTEGER
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class InList:
    """``operand IN (items)``. Items are converted already; the list may be empty (the result is then 0 or 1)."""

    operand: Expression
    items: tuple[Expression, ...]
    negated: bool = False
    collation: str = "BINARY"
    type: SqlType | None = SqlType.INTEGER
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """Searched CASE: pairs of condition and result, then the result otherwise."""

    whens: tuple[tuple[Expression, Expression], ...]
    default: Expression
    type: SqlType | None = None
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class SimpleCase:
    """``CASE operand WHEN value THEN result``: the operand is evaluated once, conversions are in `operands`.

    Each entry of `whens` is (operand as converted for this comparison, value, collation, result).
    """

    whens: tuple[tuple[Expression, Expression, str, Expression], ...]
    default: Expression
    type: SqlType | None = None
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Cast:
    """``CAST(operand AS type)`` by SQLite's rules; for the types that SQLite lacks, conversion or NULL."""

    operand: Expression
    type: SqlType
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Convert:
    """An operand brought to the canonical form of a column's type for a comparison (`conversion.apply_affinity`)."""

    operand: Expression
    target: SqlType

    @property
    def type(self) -> SqlType | None:
        """Unknown: what does not convert stays as it is."""
        return None

    @property
    def nullable(self) -> bool:
        """Whether the operand can be NULL."""
        return self.operand.nullable


@dataclass(frozen=True, slots=True)
class Call:
    """A scalar function, by the key of its `FunctionSignature`. LIKE, GLOB, REGEXP and MATCH are calls too:

    ``x LIKE y ESCAPE z`` is ``like(y, x, z)``, ``x GLOB y`` is ``glob(y, x)``, as SQLite defines them. `collation` is
    that of the first argument that has one (min, max, nullif compare by it).
    """

    name: str
    arguments: tuple[Expression, ...]
    collation: str = "BINARY"
    type: SqlType | None = None
    nullable: bool = True
    deterministic: bool = True


@dataclass(frozen=True, slots=True)
class ScalarSubquery:
    """The first column of the first row of a plan, NULL where it has no row."""

    plan: Node
    type: SqlType | None = None
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether a plan has a row."""

    plan: Node
    negated: bool = False
    type: SqlType | None = SqlType.INTEGER
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class InSubquery:
    """``(operands) IN (plan)``: as many operands as the plan has columns; conversions of both sides are done.

    `collations` has one entry an operand.
    """

    operands: tuple[Expression, ...]
    plan: Node
    negated: bool = False
    collations: tuple[str, ...] = ("BINARY",)
    type: SqlType | None = SqlType.INTEGER
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class RaiseError:
    """An expression that raises ProgrammingError, DataError or IntegrityError with a message when it is evaluated."""

    kind: str
    message: str
    type: SqlType | None = None
    nullable: bool = True


Expression: TypeAlias = (
    Constant
    | Parameter
    | ColumnRef
    | Unary
    | Binary
    | Compare
    | Is
    | And
    | Or
    | Not
    | Between
    | InList
    | Case
    | SimpleCase
    | Cast
    | Convert
    | Call
    | ScalarSubquery
    | Exists
    | InSubquery
    | RaiseError
)


@dataclass(frozen=True, slots=True)
class SortKey:
    """One term of ORDER BY. `nulls_first` is explicit: SQLite's default is True ascending, False descending."""

    expression: Expression
    descending: bool = False
    nulls_first: bool = True
    collation: str = "BINARY"


@dataclass(frozen=True, slots=True)
class AggregateCall:
    """An aggregate function over the rows of a group. ``count(*)`` has no arguments.

    `bare` marks SQLite's bare column: the value of its one argument in the row where the query's only min() or max()
    was found, otherwise in some row of the group (we take the first).
    """

    name: str
    arguments: tuple[Expression, ...]
    distinct: bool = False
    filter: Expression | None = None
    order_by: tuple[SortKey, ...] = ()
    collation: str = "BINARY"
    type: SqlType | None = None
    nullable: bool = True
    bare: bool = False


@dataclass(frozen=True, slots=True)
class FrameBound:
    """An end of a window frame; `offset` belongs to ``preceding`` and ``following`` and None there is UNBOUNDED."""

    kind: Literal["preceding", "current", "following"]
    offset: Expression | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A window frame. The default is RANGE UNBOUNDED PRECEDING to CURRENT ROW."""

    unit: Literal["rows", "range", "groups"] = "range"
    start: FrameBound = FrameBound("preceding")
    end: FrameBound = FrameBound("current")
    exclude: Literal["no others", "current row", "group", "ties"] = "no others"


@dataclass(frozen=True, slots=True)
class WindowCall:
    """A window or aggregate function over a window."""

    name: str
    arguments: tuple[Expression, ...]
    partition_by: tuple[SortKey, ...] = ()
    order_by: tuple[SortKey, ...] = ()
    frame: Frame = Frame()
    filter: Expression | None = None
    collation: str = "BINARY"
    type: SqlType | None = None
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class FunctionSignature:
    """What the planner must know of a function. `maximum` None means any number of arguments.

    `result`: the type of the result, None for unknown, or ``"argument"`` for the common type of the arguments.
    `null_safe`: the result is not NULL unless an argument is. `stable` belongs to functions that are not
    `deterministic`: the same arguments give the same result all through one statement (dates, which know ``'now'``).
    `by_user`: some definition is not the built-in one, so that its name says nothing.
    """

    name: str
    minimum: int
    maximum: int | None
    kind: Literal["scalar", "aggregate", "window"] = "scalar"
    result: SqlType | Literal["argument"] | None = None
    null_safe: bool = False
    deterministic: bool = True
    stable: bool = False
    by_user: bool = False
