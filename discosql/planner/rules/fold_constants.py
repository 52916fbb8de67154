"""Compute when planning what has the same value for every row and every run."""

from typing import Final

from discosql.errors import Error
from discosql.planner.json_values import makes_json
from discosql.planner.operands import operands, with_operands
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
    Expression,
    InList,
    Is,
    Node,
    Not,
    Or,
    SimpleCase,
    Unary,
)
from discosql.planner.predicates import BUILT_IN_COLLATIONS, SETTING_DEPENDENT
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.traverse import map_expressions, rewrite_plan

FOLDABLE: Final = frozenset(
    {Unary, Binary, Compare, Is, And, Or, Not, Between, InList, Case, SimpleCase, Cast, Convert, Call}
)
"""Expressions whose value depends on nothing but their parts."""

MAX_SIZE: Final = 1_000
"""Characters or bytes of a value that is kept in a plan; longer ones are made anew by each run."""


def fold_constants(node: Node, work: Optimisation) -> Node:
    """Replace expressions of constants by their value.

    What would raise an error is left for the execution to raise, which may never come to it; so is what is not
    deterministic.
    """
    return rewrite_plan(node, lambda item: map_expressions(item, lambda expression: folded(expression, work)))


def folded(expression: Expression, work: Optimisation) -> Expression:
    """Return an expression with its constant parts as their values."""
    if type(expression) not in FOLDABLE:
        return expression
    order = _outer_first(expression)
    constant: set[int] = set()
    for item in reversed(order):
        if type(item) is Constant or (_is_foldable(item) and all(id(part) in constant for part in operands(item))):
            constant.add(id(item))
    if all(type(item) is Constant for item in order if id(item) in constant):
        return expression
    return _rebuilt(expression, constant, work)


def _outer_first(expression: Expression) -> list[Expression]:
    """Return the expression and all its parts, each after what it is a part of."""
    order = [expression]
    for item in order:
        order.extend(operands(item))
    return order


def _is_foldable(item: Expression) -> bool:
    if makes_json(item):
        return False  # a constant would be plain text to a JSON function around it
    if isinstance(item, Call):
        return item.deterministic and item.name not in SETTING_DEPENDENT and item.collation in BUILT_IN_COLLATIONS
    if isinstance(item, Compare | Is | InList):
        return item.collation in BUILT_IN_COLLATIONS
    if isinstance(item, Between):
        return {item.low_collation, item.high_collation} <= BUILT_IN_COLLATIONS
    if isinstance(item, SimpleCase):
        return all(when[2] in BUILT_IN_COLLATIONS for when in item.whens)
    return type(item) in FOLDABLE


def _rebuilt(expression: Expression, constant: set[int], work: Optimisation) -> Expression:
    """Return the expression with its outermost constant parts evaluated, each once."""
    stack: list[tuple[Expression, bool]] = [(expression, False)]
    results: list[Expression] = []
    while stack:
        item, ready = stack.pop()
        parts = operands(item)
        if id(item) in constant or not parts:
            results.append(_value(item, work) if id(item) in constant else item)
        elif not ready:
            stack.append((item, True))
            stack.extend((part, False) for part in reversed(parts))
        else:
            new = results[-len(parts) :]
            del results[-len(parts) :]
            same = all(a is b for a, b in zip(parts, new, strict=True))
            results.append(item if same else with_operands(item, new))
    return results[0]


def _value(item: Expression, work: Optimisation) -> Expression:
    if type(item) not in FOLDABLE:
        return item
    try:
        value = work.context.evaluate(item)
    except Error:
        return item
    if isinstance(value, str | bytes) and len(value) > MAX_SIZE:
        return item
    return Constant(value, item.type)
