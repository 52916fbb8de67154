"""The functions that SQL can call, by name and number of arguments.

A `Registry` is immutable: `with_scalar`, `with_aggregate` and `without` return a changed copy, so a connection that
adds functions of its own leaves the built-in ones of every other connection alone. Several definitions may share a
name when they differ in the number of arguments; the newest that accepts the number at hand wins, whatever its kind,
as in SQLite.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from discosql.planner.plan import FunctionSignature
from discosql.types import SqlType, Value, fold_case

SortKey: TypeAlias = Callable[[Value], Any]
"""What orders values under a collation: `types.sort_key` after `types.collate`, or the like."""


class Aggregation(Protocol):
    """One group's state of an aggregate function."""

    @property
    def step(self) -> Callable[..., None]:
        """What takes in the arguments of one row."""

    def final(self) -> Value:
        """Return the result; the object is not used afterwards."""


class InvertibleAggregation(Aggregation, Protocol):
    """The state of an aggregate function that can run over a moving window; `AggregateFunction.invertible` tells."""

    @property
    def inverse(self) -> Callable[..., None]:
        """What takes back the oldest step that was not taken back yet, given its arguments."""

    def value(self) -> Value:
        """Return the result so far."""


class WindowAggregation(InvertibleAggregation, Protocol):
    """The state of a window function of the user's, who may count on what is called when."""

    def close(self) -> None:
        """Tell it that no more rows come; what that returns or raises is of no use to anybody."""


@dataclass(frozen=True, slots=True)
class ScalarFunction:
    """A function of one row.

    With `needs_context` the first argument is the `executor.context.Context`. `collated`, where given, makes the
    implementation for another collation than BINARY from that collation's key. `json` says that the result may be a
    `JsonText`, which must become a plain str before it is stored or handed out.
    """

    signature: FunctionSignature
    implementation: Callable[..., Value]
    needs_context: bool = False
    collated: Callable[[SortKey], Callable[..., Value]] | None = None
    json: bool = False


@dataclass(frozen=True, slots=True)
class AggregateFunction:
    """A function of a group of rows: `factory` makes the `Aggregation` of one group.

    `collated` and `json` are those of `ScalarFunction`; with `invertible` the factory makes `InvertibleAggregation`.
    """

    signature: FunctionSignature
    factory: Callable[[], Aggregation]
    invertible: bool = False
    collated: Callable[[SortKey], Callable[[], Aggregation]] | None = None
    json: bool = False


@dataclass(frozen=True, slots=True)
class WindowFunction:
    """A function that only windows have; the executor's windows compute it."""

    signature: FunctionSignature


Function: TypeAlias = ScalarFunction | AggregateFunction | WindowFunction

Counts: TypeAlias = int | tuple[int, int | None]
"""How many arguments a function takes: exactly, or from and to, None for no limit."""


def scalar(
    name: str,
    implementation: Callable[..., Value],
    counts: Counts = 1,
    result: SqlType | Literal["argument"] | None = None,
    *,
    null_safe: bool = False,
) -> ScalarFunction:
    """Return a deterministic scalar function; `result` and `null_safe` are those of `FunctionSignature`."""
    minimum, maximum = (counts, counts) if isinstance(counts, int) else counts
    return ScalarFunction(FunctionSignature(name, minimum, maximum, result=result, null_safe=null_safe), implementation)


def varying(function: ScalarFunction, *, stable: bool = False) -> ScalarFunction:
    """Return a function with the context as its first argument and a result that is not deterministic."""
    signature = dataclasses.replace(function.signature, deterministic=False, stable=stable)
    return dataclasses.replace(function, signature=signature, needs_context=True)


class Registry:
    """Functions by folded name, the newest definition first."""

    __slots__ = ("_functions", "_signatures")

    def __init__(self, functions: Iterable[Function] = ()) -> None:
        known: dict[str, tuple[Function, ...]] = {}
        for function in functions:
            name = fold_case(function.signature.name)
            known[name] = (function, *known.get(name, ()))
        self._functions: Mapping[str, tuple[Function, ...]] = known
        self._signatures: Mapping[tuple[str, str], FunctionSignature] | None = None

    def scalar(self, name: str, arguments: int | None = None) -> ScalarFunction | None:
        """Return the scalar function with that name, None if there is none.

        Without a number of `arguments` the newest definition is returned.
        """
        found = self._find(name, arguments, ScalarFunction)
        return found if isinstance(found, ScalarFunction) else None

    def aggregate(self, name: str, arguments: int | None = None) -> AggregateFunction | None:
        """Return the aggregate function with that name, None if there is none."""
        found = self._find(name, arguments, AggregateFunction)
        return found if isinstance(found, AggregateFunction) else None

    def signatures(self) -> Mapping[tuple[str, str], FunctionSignature]:
        """Return one signature for each folded name and kind, which covers all definitions of that name and kind."""
        if self._signatures is None:
            merged: dict[tuple[str, str], FunctionSignature] = {}
            for name, functions in self._functions.items():
                for function in functions:
                    key = (name, function.signature.kind)
                    merged[key] = _merge(merged[key], function.signature) if key in merged else function.signature
            self._signatures = merged
        return self._signatures

    def with_scalar(self, function: ScalarFunction) -> "Registry":
        """Return a copy with a function added; it hides definitions of that name for its numbers of arguments."""
        return self._with(function)

    def with_aggregate(self, function: AggregateFunction) -> "Registry":
        """Return a copy with an aggregate function added; it hides as `with_scalar` does."""
        return self._with(function)

    def without(self, name: str, arguments: int) -> "Registry":
        """Return a copy without the definition for exactly that many arguments; -1: the one for any number."""
        folded = fold_case(name)
        counts = (0, None) if arguments == -1 else (arguments, arguments)
        kept = tuple(
            function
            for function in self._functions.get(folded, ())
            if (function.signature.minimum, function.signature.maximum) != counts
        )
        return self._changed(folded, kept)

    def _find(self, name: str, arguments: int | None, kind: type[Function]) -> Function | None:
        functions = self._functions.get(name) or self._functions.get(fold_case(name), ())
        if arguments is None:
            return next((function for function in functions if isinstance(function, kind)), None)
        return next((function for function in functions if _accepts(function.signature, arguments)), None)

    def _with(self, function: Function) -> "Registry":
        name = fold_case(function.signature.name)
        kept = tuple(old for old in self._functions.get(name, ()) if not _covers(function.signature, old.signature))
        return self._changed(name, (function, *kept))

    def _changed(self, name: str, functions: tuple[Function, ...]) -> "Registry":
        changed = Registry()
        changed._functions = {**self._functions, name: functions}
        return changed


def _accepts(signature: FunctionSignature, arguments: int) -> bool:
    return signature.minimum <= arguments and (signature.maximum is None or arguments <= signature.maximum)


def _covers(new: FunctionSignature, old: FunctionSignature) -> bool:
    if new.minimum > old.minimum:
        return False
    return new.maximum is None or (old.maximum is not None and new.maximum >= old.maximum)


def _merge(first: FunctionSignature, second: FunctionSignature) -> FunctionSignature:
    maximum = None if first.maximum is None or second.maximum is None else max(first.maximum, second.maximum)
    result: SqlType | Literal["argument"] | None = first.result if first.result == second.result else None
    return FunctionSignature(
        name=first.name,
        minimum=min(first.minimum, second.minimum),
        maximum=maximum,
        kind=first.kind,
        result=result,
        null_safe=first.null_safe and second.null_safe,
        deterministic=first.deterministic and second.deterministic,
        stable=all(signature.deterministic or signature.stable for signature in (first, second)),
        by_user=first.by_user or second.by_user,
    )
