"""Code for comparisons: ``=`` and its like, IS, BETWEEN and IN with a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from discosql.executor.collations import collator, fold_value
from discosql.executor.compile.code import (
    BLOB,
    BOOL,
    FALSE,
    INTEGER,
    NOTHING,
    NULL,
    NUMBER,
    TEXT,
    TRUE,
    Code,
    Kind,
    compose,
    row_of,
    sequence,
    variable,
)
from discosql.executor.compile.scope import FALSITIES, STRICT, TRUTHS, VALUES, Guards, Scope, both
from discosql.executor.operators import less, less_equal
from discosql.planner.plan import And, Between, Compare, Constant, Convert, Expression, InList, Is, Or, Parameter
from discosql.types import collate, fold_case

_PYTHON: Final = {"=": "==", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_INVERSE: Final = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_BOOLEAN: Final = INTEGER | BOOL


def collated(scope: Scope, code: Code, collation: str) -> Code:
    """Return code for a value whose plain order and equality are those of the value under a collation."""
    if collation == "BINARY" or not code.may_be(TEXT):
        return code
    module = scope.module
    if collation == "NOCASE":
        function = fold_case if code.only(TEXT) else fold_value
        return compose(f"{module.runtime(function)}({{}})", code, kind=code.kind)
    name = module.facts.setdefault(("collation", collation), f"k{len(module.facts)}")
    if collation == "RTRIM":
        return compose(f"{module.runtime(collate)}({{}}, {module.constant(collation)})", code, kind=code.kind)
    scope.function.local(name, f"{module.runtime(collator)}(context, memo, {module.constant(collation)})")
    return compose("{}({})", variable(name, 0), code, kind=code.kind)


def comparable(left: Code, right: Code) -> bool:
    """Whether Python compares the values of two non-NULL operands as SQL does."""
    return any(left.only(kind) and right.only(kind) for kind in (NUMBER | BOOL, TEXT, BLOB))


# = <> < <= > >= ----------------------------------------------------------------------------------------------------


def _ordered(scope: Scope, operator: str, left: Code, right: Code) -> Code:
    """Write a comparison of values that are not NULL."""
    if operator in ("=", "<>") or comparable(left, right):
        return compose(f"({{}} {_PYTHON[operator]} {{}})", left, right, kind=_BOOLEAN)
    if operator in (">", ">="):
        left, right = right, left
    function = scope.module.runtime(less if operator in ("<", ">") else less_equal)
    return compose(f"{function}({{}}, {{}})", left, right, kind=_BOOLEAN)


def _operands(scope: Scope, expression: Compare) -> tuple[Guards, Code, Code]:
    left_guards, left = scope.guarded(expression.left)
    right_guards, right = scope.guarded(expression.right)
    left = collated(scope, _safe(scope, left), expression.collation)
    right = collated(scope, _safe(scope, right), expression.collation)
    return left_guards + right_guards, left, right


def _safe(scope: Scope, code: Code) -> Code:
    """Return code without the forms that comparisons cannot take: all but True and False."""
    return code if code.kind & BOOL else scope.normal(code)


def _compare(scope: Scope, expression: Compare) -> tuple[Guards, Code]:
    guards, left, right = _operands(scope, expression)
    if left.may_be(NULL) or right.may_be(NULL):
        extra, left, right = _without_null(scope, left, right)
        guards += extra
    return guards, _ordered(scope, expression.operator, left, right)


def _without_null(scope: Scope, left: Code, right: Code) -> tuple[Guards, Code, Code]:
    """Guard operands that turned out to be NULL after all, such as a REAL that is not a number."""
    guards: list[Code] = []
    result = []
    for code in (left, right):
        if code.may_be(NULL):
            first, code = scope.named(code)
            guards.append(compose("{} is not None", first, kind=INTEGER))
        result.append(code.with_kind(code.kind & ~NULL))
    return tuple(guards), result[0], result[1]


def _compare_truth(scope: Scope, expression: Compare) -> Code:
    if expression.operator == "=":
        short = _equal(scope, expression)
        if short is not None:
            return short
    guards, code = _compare(scope, expression)
    return both((*guards, code))


def _equal(scope: Scope, expression: Compare) -> Code | None:
    """Write an equation without guards: a NULL on one side equals nothing on the other."""
    left = collated(scope, scope.raw(expression.left), expression.collation)
    right = collated(scope, scope.raw(expression.right), expression.collation)
    if left.may_be(NULL) and right.may_be(NULL):
        if not left.simple:
            return None
        guard = compose("{} is not None", left, kind=INTEGER)
        return both((guard, compose("({} == {})", left, _safe(scope, right), kind=_BOOLEAN)))
    return compose("({} == {})", _safe(scope, left), _safe(scope, right), kind=_BOOLEAN)


def _compare_falsity(scope: Scope, expression: Compare) -> Code:
    inverse = Compare(_INVERSE[expression.operator], expression.left, expression.right, expression.collation)  # type: ignore[arg-type]
    return _compare_truth(scope, inverse)


# IS --------------------------------------------------------------------------------------------------------------


def _is(scope: Scope, expression: Is) -> Code:
    left, right = scope.value(expression.left), scope.value(expression.right)
    sign = "!=" if expression.negated else "=="
    for one, other in ((left, right), (right, left)):
        if one == NOTHING:
            if not other.may_be(NULL):
                return TRUE if expression.negated else FALSE
            return compose(f"({{}} is {'not ' if expression.negated else ''}None)", other, kind=_BOOLEAN)
    left, right = (collated(scope, code, expression.collation) for code in (left, right))
    return compose(f"({{}} {sign} {{}})", left, right, kind=_BOOLEAN)


def _is_false(scope: Scope, expression: Is) -> Code:
    return _is(scope, Is(expression.left, expression.right, not expression.negated, expression.collation))


# BETWEEN ---------------------------------------------------------------------------------------------------------


def unconverted(expression: Expression) -> Expression:
    """Return what is inside the conversions around an operand."""
    while isinstance(expression, Convert):
        expression = expression.operand
    return expression


def evaluated_once(scope: Scope, operands: Sequence[Expression], write: Callable[[], Code]) -> Code:
    """Return what `write` writes, arranged so that an operand which is written several times is evaluated once."""
    bases = [unconverted(operand) for operand in operands]
    code = scope.value(bases[0])
    if code.simple:
        return write()
    name = scope.function.name("t")
    with scope.knowing(bases, variable(name, code.kind)):
        rest = write()
    return compose(f"([{name} := {{}}] and {{}})", code, rest, kind=rest.kind, binds=(name,))


def _between(scope: Scope, expression: Between, ask: Callable[[Expression], Code]) -> Code:
    low = Compare(">=", expression.low_operand, expression.low, expression.low_collation)
    high = Compare("<=", expression.high_operand, expression.high, expression.high_collation)
    operands = (expression.low_operand, expression.high_operand)
    return evaluated_once(scope, operands, lambda: ask(And((low, high))))


def _between_value(scope: Scope, expression: Between) -> Code:
    return _between(scope, expression, scope.value)


def _between_truth(scope: Scope, expression: Between) -> Code:
    return _between(scope, expression, scope.truth)


def _between_falsity(scope: Scope, expression: Between) -> Code:
    return _between(scope, expression, scope.falsity)


# IN --------------------------------------------------------------------------------------------------------------


def _split(items: Sequence[Expression]) -> tuple[list[Expression], list[Expression]]:
    """Return the items that stay the same for all rows, and the others."""
    fixed: list[Expression] = []
    others: list[Expression] = []
    for item in items:
        (fixed if isinstance(unconverted(item), Constant | Parameter) else others).append(item)
    return fixed, others


def _members(scope: Scope, items: Sequence[Expression], collation: str) -> tuple[Code, Code]:
    """Return code for a set of fixed items, and for whether there is a NULL among them."""
    if all(type(item) is Constant for item in items):
        return _constant_members(scope, [item.value for item in items if type(item) is Constant], collation)
    codes = [collated(scope, scope.value(item), collation) for item in items]
    listed, members = scope.function.name("l"), scope.function.name("s")
    scope.function.local(listed, row_of(codes).text)
    scope.function.local(members, f"frozenset({listed}) - {{None}}")
    missing = scope.function.name("n")
    scope.function.local(missing, f"None in {listed}")
    return variable(members, 0), variable(missing, _BOOLEAN)


def _constant_members(scope: Scope, values: Sequence[object], collation: str) -> tuple[Code, Code]:
    has_null = TRUE if None in values else FALSE
    known = [value for value in values if value is not None]
    if collation in ("BINARY", "NOCASE", "RTRIM"):
        members = frozenset([collate(value, collation) for value in known])  # type: ignore[arg-type]
        return Code(scope.module.constant(members, "S"), 0, simple=True), has_null
    texts = scope.module.constant(known)
    key = collated(scope, Code("item", TEXT), collation)
    name = scope.function.local(scope.function.name("s"), f"frozenset([{key.text} for item in {texts}])")
    return variable(name, 0), has_null


def _in_parts(scope: Scope, expression: InList) -> tuple[Code, Code | None, Code, Code]:
    """Return code for the operand, the condition that it is not NULL, and the members of a list of fixed items."""
    value = scope.value(expression.operand)
    first, again = scope.named(value)
    present = compose("{} is not None", first, kind=INTEGER) if value.may_be(NULL) else None
    operand = again if present is not None else value
    members, has_null = _members(scope, expression.items, expression.collation)
    return collated(scope, operand, expression.collation), present, members, has_null


def _as_comparisons(expression: InList) -> Expression | None:
    """Return a list with items that change from row to row as an OR of equations."""
    fixed, others = _split(expression.items)
    if not others:
        return None
    terms: list[Expression] = [Compare("=", expression.operand, item, expression.collation) for item in others]
    if fixed:
        terms.append(InList(expression.operand, tuple(fixed), False, expression.collation))
    return Or(tuple(terms)) if len(terms) > 1 else terms[0]


def _in_value(scope: Scope, expression: InList) -> Code:
    if not expression.items:
        return scope.module.literal(int(expression.negated))
    found, missed = ("0", "1") if expression.negated else ("1", "0")
    comparisons = _as_comparisons(expression)
    if comparisons is not None:
        code = evaluated_once(scope, (expression.operand,), lambda: scope.value(comparisons))
        if not expression.negated:
            return code
        first, again = scope.named(code)
        return compose("(1 - {1} if {0} is not None else None)", first, again, kind=code.kind)
    operand, present, members, has_null = _in_parts(scope, expression)
    kind: Kind = INTEGER
    if has_null == FALSE:
        code = compose(f"({found} if {{}} in {{}} else {missed})", operand, members, kind=kind)
    else:
        kind |= NULL
        template = f"({found} if {{}} in {{}} else None if {{}} else {missed})"
        code = compose(template, operand, members, has_null, kind=kind)
    if present is None:
        return code
    return compose("({} if {} else None)", code, present, kind=kind | NULL)


def _in_truth(scope: Scope, expression: InList) -> Code:
    if not expression.items:
        return TRUE if expression.negated else FALSE
    comparisons = _as_comparisons(expression)
    if comparisons is not None:
        ask = scope.falsity if expression.negated else scope.truth
        return evaluated_once(scope, (expression.operand,), lambda: ask(comparisons))
    if not expression.negated:
        operand = collated(scope, scope.value(expression.operand), expression.collation)
        members, _ = _members(scope, expression.items, expression.collation)
        return compose("({} in {})", operand, members, kind=_BOOLEAN)
    operand, present, members, has_null = _in_parts(scope, expression)
    code = compose("{} not in {}", operand, members, kind=_BOOLEAN)
    conditions = [*([present] if present is not None else []), code]
    if has_null != FALSE:
        conditions.append(compose("not {}", has_null, kind=_BOOLEAN))
    return sequence(conditions, " and ", _BOOLEAN)


def _in_falsity(scope: Scope, expression: InList) -> Code:
    opposite = InList(expression.operand, expression.items, not expression.negated, expression.collation)
    return _in_truth(scope, opposite)


STRICT[Compare] = _compare
VALUES.update({Is: _is, Between: _between_value, InList: _in_value})
TRUTHS.update({Compare: _compare_truth, Between: _between_truth, InList: _in_truth, Is: _is})
FALSITIES.update({Compare: _compare_falsity, Between: _between_falsity, InList: _in_falsity, Is: _is_false})
