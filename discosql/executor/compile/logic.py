"""Code for AND, OR, NOT and CASE.

Operands are evaluated from left to right and no further than the result needs, as in SQLite.
"""

from __future__ import annotations

from collections.abc import Iterable

from discosql.executor.compile.code import BOOL, INTEGER, NULL, NUMBER, Code, compose, sequence
from discosql.executor.compile.comparison import evaluated_once
from discosql.executor.compile.scope import FALSITIES, TRUTHS, VALUES, Scope
from discosql.executor.operators import is_true
from discosql.planner.plan import And, Case, Compare, Expression, Not, Or, SimpleCase

_BOOLEAN = INTEGER | BOOL


def _any(codes: Iterable[Code]) -> Code:
    return sequence(codes, " or ", _BOOLEAN)


def _all(codes: Iterable[Code]) -> Code:
    return sequence(codes, " and ", _BOOLEAN)


def _three_valued(scope: Scope, operands: tuple[Expression, ...], deciding: bool) -> Code:
    """Write AND (`deciding` False) or OR (True): the first operand that decides is the result, else NULL if one is."""
    tests: list[Code] = []
    unknown: list[Code] = []
    for operand in operands:
        code = scope.value(operand)
        if not code.may_be(NULL):
            tests.append(scope.truth(operand) if deciding else scope.falsity(operand))
            continue
        first, again = scope.named(code)
        tests.append(_decides(scope, first, again, deciding))
        unknown.append(compose("{} is None", again, kind=_BOOLEAN))
    result, otherwise = ("1", "0") if deciding else ("0", "1")
    if not unknown:
        return compose(f"({result} if {{}} else {otherwise})", _any(tests), kind=INTEGER)
    template = f"({result} if {{}} else None if {{}} else {otherwise})"
    return compose(template, _any(tests), _any(unknown), kind=INTEGER | NULL)


def _decides(scope: Scope, first: Code, again: Code, deciding: bool) -> Code:
    if deciding:
        return scope.is_true(first)
    if first.only(NUMBER | NULL):
        return compose("{} == 0", first, kind=_BOOLEAN)
    return compose(f"({{}} is not None and not {scope.module.runtime(is_true)}({{}}))", first, again, kind=_BOOLEAN)


def _and_value(scope: Scope, expression: And) -> Code:
    return _three_valued(scope, expression.operands, False)


def _or_value(scope: Scope, expression: Or) -> Code:
    return _three_valued(scope, expression.operands, True)


def _and_truth(scope: Scope, expression: And) -> Code:
    return _all([scope.truth(operand) for operand in expression.operands])


def _and_falsity(scope: Scope, expression: And) -> Code:
    return _any([scope.falsity(operand) for operand in expression.operands])


def _or_truth(scope: Scope, expression: Or) -> Code:
    return _any([scope.truth(operand) for operand in expression.operands])


def _or_falsity(scope: Scope, expression: Or) -> Code:
    return _all([scope.falsity(operand) for operand in expression.operands])


def _not_value(scope: Scope, expression: Not) -> Code:
    code = scope.value(expression.operand)
    if not code.may_be(NULL):
        return compose("(1 if {} else 0)", scope.falsity(expression.operand), kind=INTEGER)
    first, again = scope.named(code)
    test = scope.is_true(again)
    return compose("(None if {} is None else 0 if {} else 1)", first, test, kind=INTEGER | NULL)


def _not_truth(scope: Scope, expression: Not) -> Code:
    return scope.falsity(expression.operand)


def _not_falsity(scope: Scope, expression: Not) -> Code:
    return scope.truth(expression.operand)


# CASE ------------------------------------------------------------------------------------------------------------


def _case(scope: Scope, expression: Case) -> Code:
    return _chosen(scope, expression.whens, expression.default)


def _chosen(scope: Scope, whens: Iterable[tuple[Expression, Expression]], default: Expression) -> Code:
    code = scope.kept(default)
    for condition, result in reversed(tuple(whens)):
        chosen = scope.kept(result)
        test = scope.truth(condition)
        code = compose("({} if {} else {})", chosen, test, code, kind=chosen.kind | code.kind)
        code = scope.shallow(code)
    return code


def _simple_case(scope: Scope, expression: SimpleCase) -> Code:
    whens = [
        (Compare("=", operand, value, collation), result) for operand, value, collation, result in expression.whens
    ]
    operands = [when[0] for when in expression.whens]
    return evaluated_once(scope, operands, lambda: _chosen(scope, whens, expression.default))


VALUES.update({And: _and_value, Or: _or_value, Not: _not_value, Case: _case, SimpleCase: _simple_case})
TRUTHS.update({And: _and_truth, Or: _or_truth, Not: _not_truth})
FALSITIES.update({And: _and_falsity, Or: _or_falsity, Not: _not_falsity})
