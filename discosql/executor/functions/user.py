"""Functions that a connection's user wrote in Python, as sqlite3's create_function and create_aggregate take them."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from discosql.adapting import to_value
from discosql.errors import (
    ArgumentValueError,
    DataError,
    Error,
    IntegerRangeError,
    OperationalError,
    ProgrammingError,
    TextEncodingError,
)
from discosql.executor.functions.registry import AggregateFunction, ScalarFunction
from discosql.planner.plan import FunctionSignature
from discosql.types import Value


class _Tracebacks:
    shown = False


_tracebacks: Final = _Tracebacks()


def show_tracebacks(shown: bool) -> None:
    """Tell whether errors in the user's functions are given to `sys.unraisablehook` too, which prints them."""
    _tracebacks.shown = shown


def show(error: BaseException, function: object) -> None:
    """Give an error in a user's function to `sys.unraisablehook`, if that was asked for."""
    if not _tracebacks.shown:
        return
    about: Any = SimpleNamespace(
        exc_type=type(error), exc_value=error, exc_traceback=error.__traceback__, err_msg=None, object=function
    )
    sys.unraisablehook(about)


def _signature(name: str, narg: int, kind: Any, deterministic: bool = True) -> FunctionSignature:
    if not isinstance(name, str) or not name or len(name.encode("utf-8", "replace")) > 255:
        raise ArgumentValueError("a function's name has 1 to 255 bytes")
    if not isinstance(narg, int) or not -1 <= narg <= 1000:
        raise ProgrammingError("a function takes 0 to 1000 arguments, or -1 for any number")
    if narg == -1:
        return FunctionSignature(name, 0, None, kind, deterministic=deterministic, by_user=True)
    return FunctionSignature(name, narg, narg, kind, deterministic=deterministic, by_user=True)


def _call(what: str, shown: object, function: Callable[..., Any], *arguments: Value) -> Any:
    """Call user code; what it raises becomes an OperationalError, as in sqlite3, with the cause kept.

    `shown` is the function or class that a traceback names.
    """
    try:
        return function(*arguments)
    except Error:
        raise
    except MemoryError as exc:
        show(exc, shown)
        raise
    except OverflowError as exc:
        show(exc, shown)
        raise DataError("string or blob too big").coded("SQLITE_TOOBIG") from exc
    except Exception as exc:  # the user's code may raise anything
        show(exc, shown)
        raise OperationalError(f"user-defined {what} raised {'error' if 'method' in what else 'exception'}") from exc


def user_scalar(name: str, narg: int, function: Callable[..., Any], deterministic: bool) -> ScalarFunction:
    """Return a Python function as a scalar function of SQL."""

    def implementation(*arguments: Value) -> Value:
        return _value("function", function, _call("function", function, function, *arguments))

    return ScalarFunction(_signature(name, narg, "scalar", deterministic), implementation)


def _value(what: str, shown: object, returned: Any) -> Value:
    try:
        return to_value(returned)
    except IntegerRangeError as exc:
        show(OverflowError(*exc.args), shown)
        raise DataError("string or blob too big").coded("SQLITE_TOOBIG") from exc
    except (ProgrammingError, TextEncodingError, BufferError) as exc:
        show(exc.__cause__ or exc, shown)
        raised = "error" if "method" in what else "exception"
        raise OperationalError(f"user-defined {what} raised {raised}: what it returned is no SQL value: {exc}") from exc


class _UserAggregation:
    """One group's state: an instance of the user's class, made with the group's first row; without rows it is NULL."""

    def __init__(self, aggregate_class: type[Any]) -> None:
        self._class = aggregate_class
        self._state: Any = None

    def step(self, *arguments: Value) -> None:
        """Take in one row."""
        if self._state is None:
            self._state = _call("aggregate's '__init__' method", self._class, self._class)
        self._method("step", *arguments)

    def inverse(self, *arguments: Value) -> None:
        """Take back the oldest step."""
        self._method("inverse", *arguments)

    def value(self) -> Value:
        """Return the result so far."""
        return self._result("value")

    def final(self) -> Value:
        """Return the result."""
        return self._result("finalize")

    def close(self) -> None:
        """End a window: ``finalize`` may tidy up, and as in SQLite it does not matter if it cannot."""
        if self._state is not None:
            try:
                self._method("finalize")
            except OperationalError:
                pass  # told by `show`

    def _result(self, name: str) -> Value:
        if self._state is None:
            return None
        return _value(f"aggregate's '{name}' method", self._class, self._method(name))

    def _method(self, name: str, *arguments: Value) -> Any:
        try:
            method = getattr(self._state, name)
        except AttributeError as exc:
            show(exc, self._class)
            raise OperationalError(f"user-defined aggregate's '{name}' method not defined") from exc
        return _call(f"aggregate's '{name}' method", self._class, method, *arguments)


def user_aggregate(name: str, narg: int, aggregate_class: type[Any]) -> AggregateFunction:
    """Return a class with ``step`` and ``finalize`` as an aggregate function of SQL."""
    return AggregateFunction(_signature(name, narg, "aggregate"), lambda: _UserAggregation(aggregate_class))


def user_window(name: str, narg: int, aggregate_class: type[Any]) -> AggregateFunction:
    """Return a class that has ``inverse`` and ``value`` too as a function that can run over a moving window."""
    return AggregateFunction(
        _signature(name, narg, "aggregate"), lambda: _UserAggregation(aggregate_class), invertible=True
    )
