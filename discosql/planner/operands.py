"""The parts of expressions: find them, replace them, walk and rewrite whole expressions.

Expressions may be thousands of levels deep (``a + a + … + a``), so that they are walked with a stack of our own. What
does not change is returned as the same object. Subqueries are parts whose plans are not entered; `traverse` does that.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from discosql.planner.plan import (
    And,
    Between,
    Binary,
    Call,
    Case,
    Cast,
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
    ScalarSubquery,
    SimpleCase,
    Unary,
)

Change: TypeAlias = Callable[[Expression], Expression]

SUBQUERIES: Final = (ScalarSubquery, Exists, InSubquery)
SUBQUERY_KINDS: Final = frozenset(SUBQUERIES)

LONG_LIST: Final = 8
"""Items from which on a list of constants is passed over: it may have 100,000 of them, and nothing changes them."""


def _list_operands(expression: InList) -> tuple[Expression, ...]:
    items = expression.items
    if len(items) >= LONG_LIST and set(map(type, items)) == {Constant}:
        return (expression.operand,)
    return (expression.operand, *items)


def _with_list_operands(expression: InList, parts: Sequence[Expression]) -> Expression:
    return replace(expression, operand=parts[0], items=tuple(parts[1:]) if len(parts) > 1 else expression.items)


_OPERANDS: Final[dict[type, Callable[[Any], tuple[Expression, ...]]]] = {
    Unary: lambda e: (e.operand,),
    Binary: lambda e: (e.left, e.right),
    Compare: lambda e: (e.left, e.right),
    Is: lambda e: (e.left, e.right),
    And: lambda e: e.operands,
    Or: lambda e: e.operands,
    Not: lambda e: (e.operand,),
    Between: lambda e: (e.low_operand, e.low, e.high_operand, e.high),
    InList: _list_operands,
    Case: lambda e: (*(part for when in e.whens for part in when), e.default),
    SimpleCase: lambda e: (*(part for when in e.whens for part in (when[0], when[1], when[3])), e.default),
    Cast: lambda e: (e.operand,),
    Convert: lambda e: (e.operand,),
    Call: lambda e: e.arguments,
    InSubquery: lambda e: e.operands,
}


def _with_case(case: Case, parts: Sequence[Expression]) -> Expression:
    whens = tuple((parts[at], parts[at + 1]) for at in range(0, len(parts) - 1, 2))
    return replace(case, whens=whens, default=parts[-1])


def _with_simple_case(case: SimpleCase, parts: Sequence[Expression]) -> Expression:
    whens = tuple((parts[3 * at], parts[3 * at + 1], when[2], parts[3 * at + 2]) for at, when in enumerate(case.whens))
    return replace(case, whens=whens, default=parts[-1])


_WITH_OPERANDS: Final[dict[type, Callable[[Any, Sequence[Expression]], Expression]]] = {
    Unary: lambda e, p: Unary(e.operator, p[0], e.type, e.nullable),
    Binary: lambda e, p: Binary(e.operator, p[0], p[1], e.type, e.nullable),
    Compare: lambda e, p: Compare(e.operator, p[0], p[1], e.collation, e.type),
    Is: lambda e, p: Is(p[0], p[1], e.negated, e.collation, e.type, e.nullable),
    And: lambda e, p: And(tuple(p), e.type, e.nullable),
    Or: lambda e, p: Or(tuple(p), e.type, e.nullable),
    Not: lambda e, p: Not(p[0], e.type, e.nullable),
    Between: lambda e, p: replace(e, low_operand=p[0], low=p[1], high_operand=p[2], high=p[3]),
    InList: _with_list_operands,
    Case: _with_case,
    SimpleCase: _with_simple_case,
    Cast: lambda e, p: Cast(p[0], e.type, e.nullable),
    Convert: lambda e, p: Convert(p[0], e.target),
    Call: lambda e, p: replace(e, arguments=tuple(p)),
    InSubquery: lambda e, p: replace(e, operands=tuple(p)),
}


def operands(expression: Expression) -> tuple[Expression, ...]:
    """Return the direct parts of an expression; a subquery's plan and long lists of constants are none of them."""
    parts = _OPERANDS.get(type(expression))
    return parts(expression) if parts is not None else ()


def with_operands(expression: Expression, parts: Sequence[Expression]) -> Expression:
    """Return the expression with other direct parts, as many as `operands` gives."""
    return _WITH_OPERANDS[type(expression)](expression, parts)


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield the expression and all its parts, outer before inner, without entering subqueries."""
    stack = [expression]
    while stack:
        item = stack.pop()
        yield item
        parts = _OPERANDS.get(type(item))
        if parts is not None:
            stack.extend(reversed(parts(item)))


def rewrite(expression: Expression, change: Change) -> Expression:
    """Return the expression with `change` applied to every part, inner before outer."""
    if type(expression) not in _OPERANDS:
        return change(expression)
    stack: list[tuple[Expression, int]] = [(expression, -1)]
    results: list[Expression] = []
    while stack:
        item, count = stack.pop()
        if count < 0:
            parts = operands(item)
            if not parts:
                results.append(change(item))
                continue
            stack.append((item, len(parts)))
            stack.extend([(part, -1) for part in reversed(parts)])
            continue
        new = results[-count:]
        del results[-count:]
        if any(a is not b for a, b in zip(operands(item), new, strict=True)):
            item = with_operands(item, new)
        results.append(change(item))
    return results[0]


def has_subquery(expression: Expression) -> bool:
    """Whether a subquery is part of the expression."""
    return any(type(item) in SUBQUERY_KINDS for item in walk(expression))
