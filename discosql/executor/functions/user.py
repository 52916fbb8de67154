"""Functions that a connection's user wrote in Python, as sqlite3's create_function and create_aggregate take them."""

from collections.abc import Callable
from typing import Any

from discosql.errors import Error, OperationalError, ProgrammingError
from discosql.executor.functions.registry import AggregateFunction, ScalarFunction
from discosql.planner.plan import FunctionSignature
from discosql.types import Value, to_value


def _signature(name: str, narg: int, kind: Any, deterministic: bool = True) -> FunctionSignature:
    if not isinstance(name, str) or not name or len(name.encode("utf-8", "replace")) > 255:
        raise ProgrammingError("a function's name has 1 to 255 bytes")
    if not isinstance(narg, int) or not -1 <= narg <= 1000:
        raise ProgrammingError("a function takes 0 to 1000 arguments, or -1 for any number")
    if narg == -1:
        return FunctionSignature(name, 0, None, kind, deterministic=deterministic, by_user=True)
    return FunctionSignature(name, narg, narg, kind, deterministic=deterministic, by_user=True)


def _call(what: str, function: Callable[..., Any], *arguments: Value) -> Any:
    """Call user code; whatever it raises becomes one OperationalError, as in sqlite3, with the cause kept."""
    try:
        return function(*arguments)
    except Error:
        raise
    except Exception as exc:  # the user's code may raise anything
        raise OperationalError(f"user-defined {what} raised exception") from exc


def user_scalar(name: str, narg: int, function: Callable[..., Any], deterministic: bool) -> ScalarFunction:
    """Return a Python function as a scalar function of SQL."""

    def implementation(*arguments: Value) -> Value:
        return _call("function", lambda *given: to_value(function(*given)), *arguments)  # type: ignore[no-any-return]

    return ScalarFunction(_signature(name, narg, "scalar", deterministic), implementation)


class _UserAggregation:
    """One group's state: an instance of the user's class."""

    def __init__(self, aggregate_class: type[Any]) -> None:
        self._state = _call("aggregate's '__init__' method", aggregate_class)

    def step(self, *arguments: Value) -> None:
        """Take in one row."""
        self._method("step", *arguments)

    def inverse(self, *arguments: Value) -> None:
        """Take back the oldest step."""
        self._method("inverse", *arguments)

    def value(self) -> Value:
        """Return the result so far."""
        return to_value(self._method("value"))

    def final(self) -> Value:
        """Return the result."""
        return to_value(self._method("finalize"))

    def _method(self, name: str, *arguments: Value) -> Any:
        return _call(f"aggregate's '{name}' method", lambda *given: getattr(self._state, name)(*given), *arguments)


def user_aggregate(name: str, narg: int, aggregate_class: type[Any]) -> AggregateFunction:
    """Return a class with ``step`` and ``finalize`` as an aggregate function of SQL."""
    return AggregateFunction(_signature(name, narg, "aggregate"), lambda: _UserAggregation(aggregate_class))


def user_window(name: str, narg: int, aggregate_class: type[Any]) -> AggregateFunction:
    """Return a class that has ``inverse`` and ``value`` too as a function that can run over a moving window."""
    return AggregateFunction(
        _signature(name, narg, "aggregate"), lambda: _UserAggregation(aggregate_class), invertible=True
    )
