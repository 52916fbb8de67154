"""The scope of an expression: the function it is compiled into and the code of each column in its reach.

Three questions can be asked of an expression. `value` gives code for its SQL value. `truth` gives code that is true
in Python exactly when the expression is true, which is all that a filter wants to know; `falsity` the same for false;
NULL is neither, so NOT is pushed inwards on the way. `guarded` splits an expression that is NULL when an operand is
NULL into the conditions under which it is not, and code that is only right under these: ``a + b > 3`` becomes ``a is
not None and b is not None`` and ``a + b > 3``, instead of a test at each step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from discosql.executor.compile.code import (
    BOOL,
    INTEGER,
    JSON,
    MAX_DEPTH,
    NAN,
    NULL,
    NUMBER,
    RAW,
    Code,
    compose,
    sequence,
    variable,
)
from discosql.executor.compile.module import Function, Module
from discosql.executor.compile.walk import deep_parts
from discosql.executor.operators import is_true, plain_text
from discosql.planner.plan import Expression

Guards: TypeAlias = tuple[Code, ...]
Valued: TypeAlias = Callable[["Scope", Any], Code]
Strict: TypeAlias = Callable[["Scope", Any], tuple[Guards, Code]]

VALUES: Final[dict[type, Valued]] = {}
"""How the value of each kind of expression is made, where it may be other than NULL although an operand is NULL."""

STRICT: Final[dict[type, Strict]] = {}
"""How the guards and the code of the other kinds of expression are made."""

TRUTHS: Final[dict[type, Valued]] = {}
"""Kinds of expression whose truth has a shorter form than a test of their value."""

FALSITIES: Final[dict[type, Valued]] = {}
"""The same for falsity."""

_PARTS_AT_ONCE: Final = 50


class Scope:
    """Compiles expressions; `columns` maps the ids of columns to code."""

    def __init__(self, function: Function, columns: Mapping[int, Code]) -> None:
        self.function = function
        self.module: Module = function.module
        self.columns = columns
        self._known: dict[int, Code] = {}

    def value(self, expression: Expression) -> Code:
        """Return code for the SQL value."""
        return self.normal(self.raw(expression))

    def kept(self, expression: Expression) -> Code:
        """Return code for the SQL value in which JSON is still known to be JSON."""
        code = self.raw(expression)
        return code if code.kind & JSON else self.normal(code)

    def raw(self, expression: Expression) -> Code:
        """Return code for the value in the form that needs the least work; see the kinds `NAN`, `BOOL` and `JSON`."""
        known = self._known.get(id(expression))
        if known is not None:
            return known
        handler = VALUES.get(type(expression))
        if handler is not None:
            return self.shallow(handler(self, expression))
        guards, code = STRICT[type(expression)](self, expression)
        if not guards:
            return self.shallow(code)
        code = code if code.kind & JSON else self.normal(code)
        return self.shallow(compose("({} if {} else None)", code, both(guards), kind=code.kind | NULL))

    def guarded(self, expression: Expression) -> tuple[Guards, Code]:
        """Return conditions, and code for the value that is right and not NULL where they hold."""
        strict = STRICT.get(type(expression)) if id(expression) not in self._known else None
        guards, code = strict(self, expression) if strict is not None else ((), self.raw(expression))
        code = self.shallow(code)
        if not code.may_be(NULL):
            return guards, code
        if code.simple:
            return (*guards, compose("{} is not None", code, kind=INTEGER)), code.with_kind(code.kind & ~NULL)
        name = self.function.name("t")
        guard = compose(f"({name} := {{}}) is not None", code, kind=INTEGER, binds=(name,))
        return (*guards, guard), variable(name, code.kind & ~NULL)

    def truth(self, expression: Expression) -> Code:
        """Return code that is true in Python where the expression is true."""
        handler = TRUTHS.get(type(expression))
        if handler is not None and id(expression) not in self._known:
            return self.shallow(handler(self, expression))
        return self.is_true(self.value(expression))

    def falsity(self, expression: Expression) -> Code:
        """Return code that is true in Python where the expression is false."""
        handler = FALSITIES.get(type(expression))
        if handler is not None and id(expression) not in self._known:
            return self.shallow(handler(self, expression))
        code = self.value(expression)
        if code.only(NUMBER | NULL):
            return compose("{} == 0", code, kind=INTEGER)
        known = self.named(code)
        return compose(f"{{}} is not None and not {self.module.runtime(is_true)}({{}})", *known, kind=INTEGER)

    def is_true(self, code: Code) -> Code:
        """Return code that tests a value for truth."""
        if code.only(NUMBER | NULL | BOOL):
            return code
        return compose(f"{self.module.runtime(is_true)}({{}})", code, kind=INTEGER)

    def normal(self, code: Code) -> Code:
        """Return code for the real value of what was left in a short form."""
        if not code.kind & RAW:
            return code
        if code.kind & BOOL:
            if code.text in ("True", "False"):
                return Code("1" if code.text == "True" else "0", INTEGER, simple=True)
            return compose("(1 if {} else 0)", code, kind=INTEGER)
        if code.kind & JSON:
            return compose(f"{self.module.runtime(plain_text)}({{}})", code, kind=code.kind & ~JSON)
        first, again = self.named(code)
        return compose("({1} if {0} == {1} else None)", first, again, kind=(code.kind & ~NAN) | NULL)

    def named(self, code: Code) -> tuple[Code, Code]:
        """Return code that gives a value a name at its first use, and code for its further uses."""
        if code.simple:
            return code, code
        name = self.function.name("t")
        return compose(f"({name} := {{}})", code, kind=code.kind, binds=(name,)), variable(name, code.kind)

    def shallow(self, code: Code) -> Code:
        """Return the code itself, or the call of a new function if it is nested too deeply."""
        return self.outlined(code) if code.depth > MAX_DEPTH else code

    def outlined(self, code: Code) -> Code:
        """Return the call of a new function that computes what the code does."""
        helper = self.module.function("e", sorted(self.function.needed_by(code)))
        helper.line(f"return {code.text}")
        call = f"{helper.label}({', '.join(helper.arguments)})"
        text = f"(yield from {call})" if code.yields else call
        return Code(text, code.kind, names=frozenset(helper.arguments), yields=code.yields)

    @contextmanager
    def knowing(self, expressions: Iterable[Expression], code: Code) -> Iterator[None]:
        """Use the given code wherever one of these very expressions is asked for, for a while."""
        before = self._known
        self._known = {**before, **{id(expression): code for expression in expressions}}
        yield
        self._known = before

    def prepare(self, expression: Expression) -> None:
        """Compile a very deep expression from the inside out, so that no step recurses deeply."""
        for part in deep_parts(expression, _PARTS_AT_ONCE):
            code = self.value(part)
            self._known[id(part)] = code if code.simple else self.outlined(code)


def both(conditions: Guards) -> Code:
    """Return the conjunction of conditions, of which there is at least one."""
    return conditions[0] if len(conditions) == 1 else sequence(conditions, " and ", INTEGER)
