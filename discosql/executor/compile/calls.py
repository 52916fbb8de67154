"""Code for scalar functions. Those that evaluate only some of their arguments are written in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from discosql.errors import InternalError
from discosql.executor.collations import sort_key_of
from discosql.executor.compile.code import (
    ANYTHING,
    BLOB,
    DECIMAL,
    INTEGER,
    JSON,
    NULL,
    NUMBER,
    REAL,
    TEXT,
    Code,
    Kind,
    compose,
    sequence,
    variable,
)
from discosql.executor.compile.common_calls import common_call
from discosql.executor.compile.scope import VALUES, Scope
from discosql.executor.functions import DEFAULT, ScalarFunction
from discosql.executor.operators import raise_in_trigger
from discosql.planner.plan import Call, Case, Compare, Constant
from discosql.types import SqlType


def _call(scope: Scope, expression: Call) -> Code:
    count = len(expression.arguments)
    function = scope.module.registry.scalar(expression.name, count)
    inline = _INLINE.get(expression.name)
    if inline is not None and function is DEFAULT.scalar(expression.name, count):
        return inline(scope, expression)
    if function is None:
        raise InternalError(f"no such function: {expression.name}")
    evaluate = scope.kept if function.json else scope.value
    arguments = [evaluate(argument) for argument in expression.arguments]
    common = common_call(scope, expression, function, arguments)
    if common is not None:
        return common
    name = _implementation(scope, expression, function)
    kind = _result_kind(function, arguments) | (JSON if function.json else 0)
    front = ""
    if function.needs_context:
        arguments.insert(0, variable("context", 0))
    return sequence(arguments, ", ", kind, f"{name}({front}{{}})")


def _implementation(scope: Scope, expression: Call, function: ScalarFunction) -> str:
    module = scope.module
    if expression.collation == "BINARY" or function.collated is None:
        return _named(scope, function)
    number = module.facts.get(("key", expression.collation)) or module.name("c")
    module.facts["key", expression.collation] = number
    collation = module.constant(expression.collation)
    key = scope.function.local(f"key_{number}", f"{module.runtime(sort_key_of)}(context, memo, {collation})")
    make = module.constant(function.collated, "f")
    return scope.function.local(scope.function.name("make"), f"{make}({key})")


def _named(scope: Scope, function: ScalarFunction) -> str:
    facts, key = scope.module.facts, ("function", id(function.implementation))
    if key not in facts:
        facts[key] = scope.module.constant(function.implementation, "f")
    name: str = facts[key]
    return name


_KINDS: Final = {SqlType.INTEGER: INTEGER, SqlType.REAL: REAL, SqlType.TEXT: TEXT, SqlType.BLOB: BLOB}


def _result_kind(function: ScalarFunction, arguments: list[Code]) -> Kind:
    """Return the kinds of value that a function can return, by what its signature promises."""
    signature = function.signature
    nullable = NULL
    if signature.null_safe and not any(argument.may_be(NULL) for argument in arguments):
        nullable = 0
    if isinstance(signature.result, SqlType):
        return _KINDS.get(signature.result, ANYTHING) | nullable
    if signature.name == "abs" and signature.null_safe and arguments[0].only(NUMBER | NULL):
        return arguments[0].kind
    if signature.name == "round" and signature.null_safe:  # a function of the user's promises nothing
        return REAL | nullable | (DECIMAL if arguments[0].may_be(DECIMAL) else 0)
    return ANYTHING


# Functions written in place ----------------------------------------------------------------------------------------


def _coalesce(scope: Scope, expression: Call) -> Code:
    *firsts, last = [scope.kept(argument) for argument in expression.arguments]
    code = last
    for first in reversed(firsts):
        if not first.may_be(NULL):
            code = first
            continue
        named, again = scope.named(first)
        kind = (first.kind & ~NULL) | code.kind
        code = scope.shallow(compose("({1} if {0} is not None else {2})", named, again, code, kind=kind))
    return code


def _iif(scope: Scope, expression: Call) -> Code:
    *pairs, last = expression.arguments
    if len(pairs) % 2:
        pairs, last = [*pairs, last], Constant(None)
    whens = tuple(zip(pairs[::2], pairs[1::2], strict=True))
    return scope.raw(Case(whens, last))


def _nullif(scope: Scope, expression: Call) -> Code:
    first, second = expression.arguments
    code = scope.kept(first)
    named, again = scope.named(code)
    with scope.knowing((first,), again):
        equal = scope.truth(Compare("=", first, second, expression.collation))
    if code.simple:
        return compose("(None if {} else {})", equal, again, kind=code.kind | NULL)
    start = compose("[{}]", named, kind=INTEGER)
    return compose("({} and (None if {} else {}))", start, equal, again, kind=code.kind | NULL)


def _first(scope: Scope, expression: Call) -> Code:
    return scope.raw(expression.arguments[0])


def _raise(scope: Scope, expression: Call) -> Code:
    arguments = [scope.value(argument) for argument in expression.arguments]
    return sequence(arguments, ", ", ANYTHING, f"{scope.module.runtime(raise_in_trigger)}({{}})")


_INLINE: Final[dict[str, Callable[[Scope, Call], Code]]] = {
    "coalesce": _coalesce,
    "ifnull": _coalesce,
    "iif": _iif,
    "if": _iif,
    "nullif": _nullif,
    "likely": _first,
    "unlikely": _first,
    "likelihood": _first,
    "raise": _raise,
}

VALUES[Call] = _call
