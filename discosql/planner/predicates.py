"""What rules ask of an expression: its conjuncts, whether two are alike, whether it may move, what NULL makes of it."""

from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, Final, Literal, TypeAlias

from discosql.planner.operands import SUBQUERIES, SUBQUERY_KINDS, operands, walk
from discosql.planner.plan import (
    And,
    Between,
    Binary,
    Call,
    Cast,
    ColumnRef,
    Compare,
    Constant,
    Convert,
    Exists,
    Expression,
    InList,
    InSubquery,
    Is,
    Node,
    Not,
    Or,
    Parameter,
    RaiseError,
    SimpleCase,
    Unary,
)
from discosql.planner.traverse import children, expressions
from discosql.types import Value, number_of

Comparison: TypeAlias = Literal["=", "<>", "<", "<=", ">", ">="]

TRUE: Final = Constant(1)
FALSE: Final = Constant(0)
NULL: Final = Constant(None)

BUILT_IN_COLLATIONS: Final = frozenset({"BINARY", "NOCASE", "RTRIM"})

SETTING_DEPENDENT: Final = frozenset({"like"})
"""Functions whose result a PRAGMA may change between two runs of one plan."""

MIRRORED: Final[dict[str, Comparison]] = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""The operator that says of (b, a) what another says of (a, b)."""

# Conjunctions ------------------------------------------------------------------------------------------------------


def conjuncts(predicate: Expression | None) -> list[Expression]:
    """Return the expressions that must all be true for the predicate to be true; none for no predicate."""
    if predicate is None:
        return []
    if type(predicate) is not And:
        return [predicate]
    found: list[Expression] = []
    stack: list[Expression] = [predicate]
    while stack:
        item = stack.pop()
        if type(item) is And:
            stack.extend(reversed(item.operands))
        else:
            found.append(item)
    return found


def conjoin(parts: Sequence[Expression]) -> Expression | None:
    """Return one predicate that is true where all parts are; None for no parts."""
    if len(parts) < 2:
        return parts[0] if parts else None
    return And(tuple(parts), nullable=any(part.nullable for part in parts))


def disjuncts(predicate: Expression) -> list[Expression]:
    """Return the expressions of which one must be true for the predicate to be true."""
    found: list[Expression] = []
    stack = [predicate]
    while stack:
        item = stack.pop()
        if type(item) is Or:
            stack.extend(reversed(item.operands))
        else:
            found.append(item)
    return found


# Alike or not ------------------------------------------------------------------------------------------------------

_MARKS: Final[dict[type, Callable[[Any], tuple[Any, ...]]]] = {
    Constant: lambda e: (type(e.value), e.value if type(e.value) in (int, str, bytes) else repr(e.value)),
    Parameter: lambda e: (e.index,),
    ColumnRef: lambda e: (e.id,),
    Unary: lambda e: (e.operator,),
    Binary: lambda e: (e.operator,),
    Compare: lambda e: (e.operator, e.collation),
    Is: lambda e: (e.negated, e.collation),
    Between: lambda e: (e.low_collation, e.high_collation),
    InList: lambda e: (e.negated, e.collation, *_list_marks(e)),
    SimpleCase: lambda e: tuple(when[2] for when in e.whens),
    Cast: lambda e: (e.type,),
    Convert: lambda e: (e.target,),
    Call: lambda e: (e.name, e.collation),
    RaiseError: lambda e: (e.kind, e.message),
}


def _list_marks(expression: InList) -> Iterator[tuple[Any, ...]]:
    """Yield what a list of constants is known by, which `walk` may pass over."""
    for item in expression.items:
        if isinstance(item, Constant):
            yield _MARKS[Constant](item)


def fingerprint(expression: Expression) -> tuple[Any, ...]:
    """Return a flat key that is equal for expressions written alike; a subquery is only like itself.

    The equality of the dataclasses would recurse, and takes 1 and 1.0 for one constant.
    """
    key: list[Any] = []
    for item in walk(expression):
        kind = type(item)
        mark = _MARKS.get(kind)
        if kind in SUBQUERY_KINDS:
            key.append(id(item))
        else:
            key.extend((kind, len(operands(item)), *(mark(item) if mark is not None else ())))
    return tuple(key)


# Moving ------------------------------------------------------------------------------------------------------------


def is_volatile(expression: Expression) -> bool:
    """Whether each evaluation may give another result, in its subqueries too; such an expression stays where it is."""
    for item in walk(expression):
        if isinstance(item, Call):
            if not _is_stable(item):
                return True
        elif isinstance(item, SUBQUERIES) and plan_is_volatile(item.plan):
            return True
    return False


def plan_is_volatile(plan: Node) -> bool:
    """Whether any expression of a plan is volatile."""
    stack = [plan]
    while stack:
        node = stack.pop()
        if any(is_volatile(part) for part in expressions(node)):
            return True
        stack.extend(children(node))
    return False


def is_fixed(expression: Expression) -> bool:
    """Whether no column and no subquery is part of the expression, so that it has one value a run of the statement."""
    for item in walk(expression):
        if type(item) in _VARYING or (isinstance(item, Call) and not _is_stable(item)):
            return False
    return True


_VARYING: Final = SUBQUERY_KINDS | {ColumnRef}

_STABLE_CALLS: Final = frozenset(
    {"current_date", "current_time", "current_timestamp", "changes", "total_changes", "last_insert_rowid"}
)
"""Functions that give another result in another run, but one in all of a run."""


def _is_stable(call: Call) -> bool:
    return call.deterministic or call.name in _STABLE_CALLS


# Truth -------------------------------------------------------------------------------------------------------------

_TRUTH_KINDS: Final = frozenset({Compare, Is, And, Or, Not, Between, InList, Exists, InSubquery})


def is_truth_value(expression: Expression) -> bool:
    """Whether the result is always 0, 1 or NULL."""
    return type(expression) in _TRUTH_KINDS


def truth(value: Value) -> bool | None:
    """Return a value as a truth value, None for NULL."""
    return None if value is None else number_of(value) != 0


# NULL --------------------------------------------------------------------------------------------------------------

_STRICT_CALLS: Final = frozenset(
    {
        "abs",
        "lower",
        "upper",
        "length",
        "octet_length",
        "substr",
        "substring",
        "trim",
        "ltrim",
        "rtrim",
        "round",
        "like",
        "glob",
        "instr",
        "sign",
        "ceil",
        "ceiling",
        "floor",
        "trunc",
        "sqrt",
        "ln",
        "exp",
        "pow",
        "power",
        "mod",
    }
)
"""Built-in functions whose result is NULL where an argument is."""

_STRICT_KINDS: Final = frozenset({Unary, Binary, Compare, Not, Cast, Convert})


def is_null_if(expression: Expression, columns: Container[int]) -> bool:
    """Whether the expression is certain to be NULL where the columns are all NULL."""
    stack = [expression]
    while stack:
        item = stack.pop()
        if isinstance(item, ColumnRef):
            if item.id in columns:
                return True
        elif isinstance(item, Constant):
            if item.value is None:
                return True
        elif isinstance(item, InList):
            if item.items:
                stack.append(item.operand)
        elif isinstance(item, Between):
            stack.append(item.low_operand)
        elif type(item) in _STRICT_KINDS or (
            isinstance(item, Call) and item.deterministic and item.name in _STRICT_CALLS
        ):
            stack.extend(operands(item))
    return False


def rejects_null(predicate: Expression, columns: Container[int]) -> bool:
    """Whether the predicate cannot be true where the columns are all NULL."""
    if isinstance(predicate, And):
        return any(rejects_null(part, columns) for part in conjuncts(predicate))
    if isinstance(predicate, Or):
        return all(rejects_null(part, columns) for part in disjuncts(predicate))
    if isinstance(predicate, Is):
        return _is_rejects_null(predicate, columns)
    if isinstance(predicate, InSubquery):
        return not predicate.negated and any(is_null_if(part, columns) for part in predicate.operands)
    return is_null_if(predicate, columns)


def _is_rejects_null(predicate: Is, columns: Container[int]) -> bool:
    for side, other in ((predicate.left, predicate.right), (predicate.right, predicate.left)):
        if is_null_if(side, columns):
            if predicate.negated:
                return isinstance(other, Constant) and other.value is None
            return not other.nullable
    return False
