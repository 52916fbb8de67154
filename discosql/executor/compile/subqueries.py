"""Code for subqueries in expressions: functions of their own, whose results are kept for equal outer values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from discosql.executor.compile.code import (
    BOOL,
    INTEGER,
    NULL,
    REAL,
    Code,
    Kind,
    compose,
    row_of,
    variable,
)
from discosql.executor.compile.comparison import collated
from discosql.executor.compile.pipe import Pipe
from discosql.executor.compile.producer import STATE, Producer, output_ids, start_subfunction
from discosql.executor.compile.scope import FALSITIES, TRUTHS, VALUES, Scope
from discosql.executor.compile.walk import is_volatile
from discosql.executor.membership import Members
from discosql.planner.plan import Exists, InSubquery, Node, ScalarSubquery

_Body = Callable[[Producer, str], Kind]
"""Writes a function's body, which keeps its result in the place it is told and returns it; returns its kind."""


def _result(scope: Scope, plan: Node, write: _Body) -> Code:
    """Return the code of the result of a plan's function."""
    module = scope.module
    producer, given = start_subfunction(module, plan, "q", scope.columns, False)
    place = producer.memo_place(("subquery", producer.function.label))
    label = producer.function.label
    if not given:
        kind = write(producer, f"memo[{place}]")
        code = Code(f"(memo[{place}] if {place} in memo else (yield from {label}(context, memo)))", kind, depth=2)
    else:
        code = _correlated(scope, plan, producer, [scope.normal(item) for item in given], place, write)
    return replace(code, names=code.names | set(STATE), yields=True)


def _correlated(scope: Scope, plan: Node, producer: Producer, given: list[Code], place: int, write: _Body) -> Code:
    """Return the code that calls the function, unless its result for these arguments is known."""
    label = producer.function.label
    call = f"(yield from {label}(context, memo, {', '.join(['{}'] * len(given))}))"
    if is_volatile(plan):
        return compose(call, *given, kind=write(producer, "result"))
    kept = f"kept{place}"
    producer.function.local(kept, f"memo.setdefault({place}, {{}})")
    names = producer.function.arguments[len(STATE) :]
    inside = [variable(name, code.kind) for name, code in zip(names, given, strict=True)]
    kind = write(producer, f"{kept}[{_memo_key(inside, inside).text}]")
    scope.function.local(kept, f"memo.setdefault({place}, {{}})")
    pairs = [scope.named(code) for code in given]
    again = [second for _, second in pairs]
    key = _memo_key([first for first, _ in pairs], again)
    name = scope.function.name("t")
    test = compose(f"({name} := {{}}) in {{}}", key, variable(kept, 0), kind=INTEGER, binds=(name,))
    template = f"({kept}[{name}] if {{0}} else {compose(call, *again, kind=0).text})"
    code = compose("{}", test, *again, kind=kind)
    return replace(code, text=template.replace("{0}", test.text, 1), depth=code.depth + 2)


def _memo_key(first: list[Code], again: list[Code]) -> Code:
    """Return the key of a function's arguments. Numbers that are equal but of two classes are told apart."""
    parts: list[Code] = []
    for code, repeated in zip(first, again, strict=True):
        parts.append(code)
        if code.may_be(REAL) and not code.only(REAL | NULL):
            parts.append(compose("{}.__class__", repeated, kind=0))
    return parts[0] if len(parts) == 1 else row_of(parts)


# Scalar subqueries and EXISTS ----------------------------------------------------------------------------------------


def _keep(producer: Producer, place: str, value: str) -> None:
    producer.function.line(f"{place} = result = {value}" if place != "result" else f"result = {value}")
    producer.function.line("return result")


def _scalar(scope: Scope, expression: ScalarSubquery) -> Code:
    plan = expression.plan

    def write(producer: Producer, place: str) -> Kind:
        producer.function.limited = True
        kinds: list[Kind] = []

        def first(pipe: Pipe) -> None:
            code = pipe.columns[plan.output[0].id]
            kinds.append(code.kind)
            with pipe.written(producer.function):
                _keep(producer, place, code.text)

        producer.produce(plan, frozenset((plan.output[0].id,)), first)
        _keep(producer, place, "None")
        return kinds[0] | NULL

    return _result(scope, plan, write)


def _exists(scope: Scope, expression: Exists) -> Code:
    def write(producer: Producer, place: str) -> Kind:
        producer.function.limited = True

        def found(pipe: Pipe) -> None:
            with pipe.written(producer.function):
                _keep(producer, place, "True")

        producer.produce(expression.plan, frozenset(), found)
        _keep(producer, place, "False")
        return INTEGER | BOOL

    code = _result(scope, expression.plan, write)
    return compose("(not {})", code, kind=INTEGER | BOOL) if expression.negated else code


def _exists_not(scope: Scope, expression: Exists) -> Code:
    return _exists(scope, Exists(expression.plan, not expression.negated))


# IN ------------------------------------------------------------------------------------------------------------------


def _members(scope: Scope, expression: InSubquery) -> Code:
    plan = expression.plan

    def write(producer: Producer, place: str) -> Kind:
        rows = producer.function.name("rows")
        producer.function.line(f"{rows} = []")

        def keep(pipe: Pipe) -> None:
            codes = [
                collated(producer.scope(pipe.columns), pipe.columns[column.id], collation)
                for column, collation in zip(plan.output, expression.collations, strict=True)
            ]
            producer.extend(rows, pipe, codes[0] if len(codes) == 1 else row_of(codes))

        producer.produce(plan, output_ids(plan), keep)
        _keep(producer, place, f"{producer.module.runtime(Members)}({rows}, {len(plan.output)})")
        return 0

    return _result(scope, plan, write)


def _operand(scope: Scope, expression: InSubquery) -> Code:
    codes = [
        collated(scope, scope.value(operand), collation)
        for operand, collation in zip(expression.operands, expression.collations, strict=True)
    ]
    return codes[0] if len(codes) == 1 else row_of(codes)


def _in_value(scope: Scope, expression: InSubquery) -> Code:
    members = _members(scope, expression)
    method = "holds" if len(expression.operands) == 1 else "holds_row"
    code = compose(f"{{}}.{method}({{}})", members, _operand(scope, expression), kind=INTEGER | NULL)
    if not expression.negated:
        return code
    first, again = scope.named(code)
    return compose("(1 - {1} if {0} is not None else None)", first, again, kind=code.kind)


def _in_truth(scope: Scope, expression: InSubquery) -> Code:
    if expression.negated:
        return compose("({} == 1)", _in_value(scope, expression), kind=INTEGER | BOOL)
    members, operand = _members(scope, expression), _operand(scope, expression)
    return compose("({1} in {0}.values)", members, operand, kind=INTEGER | BOOL)


def _in_falsity(scope: Scope, expression: InSubquery) -> Code:
    return _in_truth(scope, replace(expression, negated=not expression.negated))


VALUES.update({ScalarSubquery: _scalar, Exists: _exists, InSubquery: _in_value})
TRUTHS.update({Exists: _exists, InSubquery: _in_truth})
FALSITIES.update({Exists: _exists_not, InSubquery: _in_falsity})
