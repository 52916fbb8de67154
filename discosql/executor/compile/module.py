"""The generated module: functions written line by line, and the namespace that they run in.

No text of the user gets into the source. Constants and the runtime's own functions enter through the namespace, under
names made of a letter and a number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from types import CodeType
from typing import Any, Final

from discosql.executor.compile.code import ANYTHING, Code, Kind, kind_of_value, variable
from discosql.executor.functions import DEFAULT, Registry
from discosql.types import Value

_SMALL: Final = 2**31
_WORD: Final = re.compile(r"\w+")


@lru_cache(maxsize=256)
def _compiled(source: str) -> CodeType:
    # Statements that differ in their texts and REAL numbers only have the same source.
    return compile(source, "<discosql statement>", "exec")


class Module:
    """All functions of one statement.

    `uses` counts how often each column of the plan is used. `facts` is for what the writers of code remember.
    `counted`, if rows are counted, maps the `id` of each node to the place of its counter in the memo.
    """

    def __init__(
        self, registry: Registry, parameters: Sequence[Kind] = (), uses: Mapping[int, int] | None = None
    ) -> None:
        self.registry = registry
        self.parameters = tuple(parameters)
        self.uses = uses if uses is not None else {}
        self.namespace: dict[str, Any] = {}
        self.functions: list[Function] = []
        self.facts: dict[Any, Any] = {}
        self.counted: dict[int, int] | None = None
        self._numbers: Counter[str] = Counter()

    def is_built_in(self, name: str, arguments: int) -> bool:
        """Whether an aggregate function's name means the built-in one, not one of the user's."""
        return self.registry.aggregate(name, arguments) is DEFAULT.aggregate(name, arguments)

    def name(self, prefix: str) -> str:
        """Return a name that is not used yet."""
        self._numbers[prefix] += 1
        return f"{prefix}{self._numbers[prefix]}"

    def constant(self, value: object, prefix: str = "C") -> str:
        """Put an object into the namespace and return its name."""
        name = self.name(prefix)
        self.namespace[name] = value
        return name

    def runtime(self, function: Any) -> str:
        """Make a function of the runtime known under its own name, and return that."""
        name: str = function.__name__
        self.namespace[name] = function
        return name

    def literal(self, value: Value) -> Code:
        """Return the code of a constant."""
        kind = kind_of_value(value)
        if value is None:
            text = "None"
        elif isinstance(value, int) and -_SMALL < value < _SMALL:
            text = str(value) if value >= 0 else f"({value})"
        elif isinstance(value, float | int | str | bytes | Decimal):
            text = self.constant(value)
        return Code(text, kind, simple=True)

    def parameter_kind(self, index: int) -> Kind:
        """Return what is known of a parameter's value."""
        return self.parameters[index] if index < len(self.parameters) else ANYTHING

    def function(self, prefix: str, arguments: Sequence[str], *, repeated: bool = False) -> Function:
        """Start another function."""
        return Function(self, self.name(prefix), arguments, repeated)

    def source(self) -> str:
        """Return the text of all functions."""
        return "\n\n".join([function.source() for function in self.functions]) + "\n"

    def load(self) -> dict[str, Any]:
        """Compile the source and return the namespace with its functions."""
        exec(_compiled(self.source()), self.namespace)
        return self.namespace


class Function:
    """One function being written.

    `repeated` says that it is called many times in a statement, for other values of `arguments`; what it computes from
    nothing else is then worth keeping. `limited` that its caller may stop it early.
    """

    def __init__(self, module: Module, name: str, arguments: Sequence[str], repeated: bool = False) -> None:
        self.module = module
        self.label = name
        self.arguments = tuple(arguments)
        self.repeated = repeated
        self.limited = False
        self.generates = False
        self.loops = 0
        self._prologue: dict[str, str] = {}
        self._lines: list[str | list[str]] = []
        self._indent = 1
        module.functions.append(self)

    def name(self, prefix: str) -> str:
        """Return a name for a local variable."""
        return self.module.name(prefix)

    def line(self, text: str) -> None:
        """Write one line."""
        self._lines.append("    " * self._indent + text)

    def reserve(self) -> Callable[[str], None]:
        """Return a function that writes further lines here, at a place that other lines follow by then."""
        place: list[str] = []
        prefix = "    " * self._indent
        self._lines.append(place)
        return lambda text: place.append(prefix + text)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Write a line that ends in a colon, and indent what follows."""
        self.line(header)
        loop = header.startswith(("for ", "while "))
        self._indent += 1
        self.loops += loop
        yield
        self._indent -= 1
        self.loops -= loop

    def local(self, name: str, expression: str) -> str:
        """Set a local variable at the start of the function, once, and return its name."""
        if name not in self.arguments:
            self._prologue.setdefault(name, expression)
        return name

    def view(self) -> str:
        """Return the name of the view that the statement reads."""
        return self.local("view", "context.view")

    def parameter(self, index: int) -> Code:
        """Return the code of a parameter."""
        self.local("parameters", "context.parameters")
        name = self.local(f"p{index}", f"parameters[{index}]")
        return variable(name, self.module.parameter_kind(index))

    def needed_by(self, *codes: Code) -> frozenset[str]:
        """Return the local variables that code needs of this function, those set at its start included."""
        names = frozenset().union(*[code.names for code in codes])
        bound = frozenset().union(*[code.bound for code in codes])
        words = {word for code in codes for word in _WORD.findall(code.text)}
        return (names - bound) | (words & self._prologue.keys())

    def source(self) -> str:
        """Return the text of the function."""
        lines = [f"def {self.label}({', '.join(self.arguments)}):"]
        lines += [f"    {name} = {expression}" for name, expression in self._prologue.items()]
        for item in self._lines:
            lines += [item] if isinstance(item, str) else item
        if self.generates and not any("yield" in line for line in lines):
            lines.append("    yield")
        return "\n".join(lines)
