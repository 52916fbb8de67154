"""Code in place of calls of the functions that queries use most, where the kinds of their arguments are known.

Each form is the short way that the function itself takes; what is left over, such as text with a NUL character in it,
goes to the function. A function of the user's own is never replaced, whatever its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from discosql.executor.compile.code import INTEGER, NULL, PLAIN, TEXT, Code, Kind, compose
from discosql.executor.compile.scope import Scope
from discosql.executor.functions import core, patterns, text
from discosql.executor.functions.registry import ScalarFunction
from discosql.planner.plan import Call, Constant


def common_call(scope: Scope, expression: Call, function: ScalarFunction, arguments: list[Code]) -> Code | None:
    """Return the code of a call, None where the function has to be called."""
    if expression.collation != "BINARY" and function.collated is not None:
        return None
    write = _WRITERS.get(function.implementation)
    return None if write is None else write(scope, expression, arguments)


def _of_text(scope: Scope, argument: Code, short: str, condition: str, function: Callable[..., Any]) -> Code | None:
    """Return code that takes the short way for text that satisfies a condition; ``{}`` stands for the text."""
    if not argument.may_be(TEXT) or not argument.only(TEXT | NULL):
        return None
    first, again = scope.named(argument)
    long = f"{scope.module.runtime(function)}({{1}})"
    form = f"({short.format('{1}')} if {condition} else {long})"
    if argument.may_be(NULL):
        form = f"(None if {{0}} is None else {form.replace('{0}', '{1}')})"
    kind = (INTEGER if function is text.length else TEXT) | argument.kind & NULL
    return compose(form, first, again, kind=kind)


def _length(scope: Scope, _expression: Call, arguments: list[Code]) -> Code | None:
    return _of_text(scope, arguments[0], "len({})", "'\\0' not in {0}", text.length)


def _lower(scope: Scope, _expression: Call, arguments: list[Code]) -> Code | None:
    return _of_text(scope, arguments[0], "{}.lower()", "{0}.isascii()", text.lower)


def _upper(scope: Scope, _expression: Call, arguments: list[Code]) -> Code | None:
    return _of_text(scope, arguments[0], "{}.upper()", "{0}.isascii()", text.upper)


def _substr(scope: Scope, expression: Call, arguments: list[Code]) -> Code | None:
    value, *places = arguments
    numbers = [part.value for part in expression.arguments[1:] if isinstance(part, Constant)]
    if len(numbers) < len(places) or not value.may_be(TEXT) or not value.only(TEXT | NULL):
        return None
    start, count = numbers if len(numbers) == 2 else (numbers[0], None)
    if type(start) is not int or start < 1 or not (count is None or (type(count) is int and count >= 0)):
        return None
    end = "" if count is None else str(start - 1 + count)
    first, again = scope.named(value)
    function = scope.module.runtime(text.substr)
    long = f"{function}({{1}}, {start}{'' if count is None else f', {count}'})"
    form = f"({{1}}[{start - 1}:{end}] if '\\0' not in {{0}} else {long})"
    if value.may_be(NULL):
        form = f"(None if {{0}} is None else {form.replace('{0}', '{1}')})"
    return compose(form, first, again, kind=value.kind)


def _like(scope: Scope, expression: Call, arguments: list[Code]) -> Code | None:
    """Return code that calls what a pattern was made into once, at the start of the function."""
    pattern, _value, *escape = expression.arguments
    constants = [part.value for part in (pattern, *escape) if isinstance(part, Constant)]
    if len(constants) < len(arguments) - 1 or not all(isinstance(value, str) for value in constants):
        return None
    given = ", ".join([scope.module.constant(value) for value in constants])
    prepare = scope.module.runtime(patterns.prepare_like)
    name = scope.function.local(scope.function.name("like"), f"{prepare}(context, {given})")
    value = arguments[1]
    return compose(f"{name}({{}})", value, kind=INTEGER | value.kind & NULL)


def _extreme(sign: str) -> Callable[[Scope, Call, list[Code]], Code | None]:
    def write(scope: Scope, _expression: Call, arguments: list[Code]) -> Code | None:
        if len(arguments) != 2 or not any(all(part.only(kind) for part in arguments) for kind in (PLAIN, TEXT)):
            return None
        (left, left_again), (right, right_again) = (scope.named(part) for part in arguments)
        kind: Kind = arguments[0].kind | arguments[1].kind
        return compose(f"({{1}} if {{0}} {sign} {{2}} else {{3}})", left, left_again, right, right_again, kind=kind)

    return write


_WRITERS: Final[dict[Callable[..., Any], Callable[[Scope, Call, list[Code]], Code | None]]] = {
    text.length: _length,
    text.lower: _lower,
    text.upper: _upper,
    text.substr: _substr,
    patterns.like: _like,
    core.largest: _extreme(">="),  # the first of equal ones
    core.smallest: _extreme("<"),  # the last of equal ones
}
