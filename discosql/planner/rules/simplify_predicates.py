"""Write conditions in their simplest form, and find out where they cannot hold."""

from dataclasses import replace
from typing import Any, Final

from discosql.planner.operands import rewrite
from discosql.planner.plan import (
    And,
    Case,
    Compare,
    Constant,
    Exists,
    Expression,
    Filter,
    InList,
    InSubquery,
    Is,
    NestedLoopJoin,
    Node,
    Not,
    Or,
)
from discosql.planner.predicates import (
    FALSE,
    MIRRORED,
    NULL,
    TRUE,
    conjoin,
    conjuncts,
    disjuncts,
    fingerprint,
    is_fixed,
    is_truth_value,
    is_volatile,
    truth,
)
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.traverse import map_expressions, rewrite_plan

_OPPOSITE: Final[dict[str, Any]] = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def simplify_predicates(node: Node, _: Optimisation) -> Node:
    """Simplify truth values everywhere, and more where only truth matters: in a Filter or a join's condition.

    - NOT moves inwards, as far as it goes without changing what NULL gives.
    - Constant operands of AND and OR, constant branches of CASE and comparisons with NULL go.
    - ``a = 1 OR a = 2`` becomes ``a IN (1, 2)``; ``a IN (1)`` becomes ``a = 1``.
    - What has one value a run stands on the right of a comparison.
    - ``(a AND b) OR (a AND c)`` becomes ``a AND (b OR c)``.
    - ``IS NULL`` of what cannot be NULL is false.
    - Of conjuncts written twice one goes; ``a IS 1`` is ``a = 1``.
    """
    return rewrite_plan(node, _simplified)


def _simplified(node: Node) -> Node:
    node = map_expressions(node, lambda expression: rewrite(expression, simplify))
    if isinstance(node, Filter):
        predicate = condition(node.predicate)
        if predicate is not node.predicate:
            return node.child if predicate is None else replace(node, predicate=predicate)
    elif isinstance(node, NestedLoopJoin) and node.condition is not None:
        predicate = condition(node.condition)
        if predicate is not node.condition:
            return replace(node, condition=predicate)
    return node


def condition(predicate: Expression) -> Expression | None:
    """Return a predicate that is true where the given one is, None where that is always; `FALSE` where it is never."""
    parts = conjuncts(predicate)
    kept: list[Expression] = []
    seen: set[tuple[Any, ...]] = set()
    for part in parts:
        if isinstance(part, Constant):
            if truth(part.value):
                continue
            return FALSE if len(parts) > 1 or part.value != 0 else predicate
        if len(parts) > 1:
            mark = fingerprint(part)
            if mark in seen and not is_volatile(part):
                continue
            seen.add(mark)
        kept.append(_equality(part) if isinstance(part, Is) else part)
    return predicate if all(map(_identical, kept, parts)) and len(kept) == len(parts) else conjoin(kept)


def _equality(part: Is) -> Expression:
    """Return ``a = b`` for ``a IS b`` where they cannot both be NULL: it is true for the same values."""
    if part.negated or (part.left.nullable and part.right.nullable):
        return part
    return simplify(Compare("=", part.left, part.right, part.collation))


def simplify(expression: Expression) -> Expression:
    """Return a simpler expression of the same value, NULL included, whose parts are simple already."""
    rule = _RULES.get(type(expression))
    return expression if rule is None else rule(expression)


def _negation(expression: Not) -> Expression:
    operand = expression.operand
    if isinstance(operand, Compare):
        return replace(operand, operator=_OPPOSITE[operand.operator])
    if isinstance(operand, Is | InList | InSubquery | Exists):
        return replace(operand, negated=not operand.negated)
    if isinstance(operand, Constant):
        value = truth(operand.value)
        return NULL if value is None else FALSE if value else TRUE
    if isinstance(operand, Not):
        return operand.operand if is_truth_value(operand.operand) else expression
    if isinstance(operand, And | Or):
        parts = tuple([simplify(Not(part, nullable=part.nullable)) for part in operand.operands])
        if isinstance(operand, And):
            return _disjunction(Or(parts, nullable=operand.nullable))
        return _conjunction(And(parts, nullable=operand.nullable))
    return expression


def _conjunction(expression: And) -> Expression:
    parts = conjuncts(expression)
    kept: list[Expression] = []
    for part in parts:
        if isinstance(part, Constant):
            if truth(part.value) is False:
                return FALSE
            if truth(part.value):
                continue
        kept.append(part)
    return _chain(expression, kept, TRUE)


def _disjunction(expression: Or) -> Expression:
    kept: list[Expression] = []
    for part in disjuncts(expression):
        if isinstance(part, Constant):
            if truth(part.value):
                return TRUE
            if truth(part.value) is False:
                continue
        kept.append(part)
    return _factored(kept) or _chain(expression, _lists(kept), FALSE)


def _factored(arms: list[Expression]) -> Expression | None:
    """Return ``a AND (b OR c)`` for ``(a AND b) OR (a AND c)``; None if the arms have nothing in common."""
    if len(arms) < 2 or not any(isinstance(arm, And) for arm in arms):
        return None
    first = {fingerprint(part): part for part in conjuncts(arms[0]) if not is_volatile(part)}
    for arm in arms[1:]:
        marks = {fingerprint(part) for part in conjuncts(arm)}
        first = {mark: part for mark, part in first.items() if mark in marks}
        if not first:
            return None
    rests = [[part for part in conjuncts(arm) if fingerprint(part) not in first] for arm in arms]
    common = list(first.values())
    if all(rests):
        nullable = any(arm.nullable for arm in arms)
        other = Or(tuple([part for rest in rests if (part := conjoin(rest)) is not None]), nullable=nullable)
        common.append(_disjunction(other))
    return conjoin(common)


def _chain(expression: And | Or, kept: list[Expression], empty: Constant) -> Expression:
    """Return a conjunction or disjunction of what was kept of it; `empty` if that is nothing."""
    if not kept:
        return empty
    if len(kept) == 1:
        # A lone operand that is no truth value keeps the operator, which makes one of it.
        return kept[0] if is_truth_value(kept[0]) or kept[0] == NULL else replace(expression, operands=(kept[0], empty))
    if len(kept) == len(expression.operands) and all(map(_identical, kept, expression.operands)):
        return expression
    return replace(expression, operands=tuple(kept))


def _identical(a: Expression, b: Expression) -> bool:
    return a is b


def _lists(parts: list[Expression]) -> list[Expression]:
    """Return the operands of an OR with the equalities of one operand gathered in an IN."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place, part in enumerate(parts):
        if isinstance(part, Compare) and part.operator == "=" and is_fixed(part.right) and not is_fixed(part.left):
            groups.setdefault((part.collation, fingerprint(part.left)), []).append(place)
        elif isinstance(part, InList) and not part.negated and all(map(is_fixed, part.items)):
            groups.setdefault((part.collation, fingerprint(part.operand)), []).append(place)
    result: list[Expression | None] = list(parts)
    for places in groups.values():
        members = [parts[place] for place in places]
        if len(members) < 2 or any(map(is_volatile, members)):
            continue
        for place in places:
            result[place] = None
        result[places[0]] = _in_list(members)
    return [part for part in result if part is not None]


def _in_list(members: list[Expression]) -> Expression:
    items: list[Expression] = []
    for member in members:
        if isinstance(member, InList):
            operand, collation = member.operand, member.collation
            items.extend(member.items)
        elif isinstance(member, Compare):
            operand, collation = member.left, member.collation
            items.append(member.right)
    nullable = any(member.nullable for member in members)
    return InList(operand, tuple(items), collation=collation, nullable=nullable)


def _membership(expression: InList) -> Expression:
    if not expression.items:
        return TRUE if expression.negated else FALSE
    if len(expression.items) > 1:
        return expression
    operator: Any = "<>" if expression.negated else "="
    return Compare(operator, expression.operand, expression.items[0], expression.collation)


def _identity(expression: Is) -> Expression:
    for side, other in ((expression.left, expression.right), (expression.right, expression.left)):
        if isinstance(other, Constant) and other.value is None and not side.nullable and not is_volatile(side):
            return TRUE if expression.negated else FALSE
    return expression


def _comparison(expression: Compare) -> Expression:
    for side in (expression.left, expression.right):
        if isinstance(side, Constant) and side.value is None:
            return NULL
    if is_fixed(expression.left) and not is_fixed(expression.right):
        operator = MIRRORED[expression.operator]
        return replace(expression, operator=operator, left=expression.right, right=expression.left)
    return expression


def _case(expression: Case) -> Expression:
    whens: list[tuple[Expression, Expression]] = []
    default = expression.default
    for when, result in expression.whens:
        if isinstance(when, Constant):
            if not truth(when.value):
                continue
            default = result
            break
        whens.append((when, result))
    if not whens:
        return default
    if len(whens) == len(expression.whens):
        return expression
    return replace(expression, whens=tuple(whens), default=default)


_RULES: Final[dict[type, Any]] = {
    Not: _negation,
    And: _conjunction,
    Or: _disjunction,
    InList: _membership,
    Is: _identity,
    Compare: _comparison,
    Case: _case,
}
