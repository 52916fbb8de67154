"""The signatures of functions that only windows have; the executor's windows compute them."""

from typing import Any, Final

from discosql.executor.functions.registry import WindowFunction
from discosql.planner.plan import FunctionSignature
from discosql.types import SqlType


def _window(name: str, minimum: int, maximum: int, result: Any = None, *, null_safe: bool = False) -> WindowFunction:
    return WindowFunction(FunctionSignature(name, minimum, maximum, "window", result, null_safe))


FUNCTIONS: Final[tuple[WindowFunction, ...]] = (
    _window("row_number", 0, 0, SqlType.INTEGER, null_safe=True),
    _window("rank", 0, 0, SqlType.INTEGER, null_safe=True),
    _window("dense_rank", 0, 0, SqlType.INTEGER, null_safe=True),
    _window("percent_rank", 0, 0, SqlType.REAL, null_safe=True),
    _window("cume_dist", 0, 0, SqlType.REAL, null_safe=True),
    _window("ntile", 1, 1, SqlType.INTEGER, null_safe=True),
    _window("lag", 1, 3),
    _window("lead", 1, 3),
    _window("first_value", 1, 1, "argument"),
    _window("last_value", 1, 1, "argument"),
    _window("nth_value", 2, 2),
)
"""All of them (https://www.sqlite.org/windowfunctions.html)."""
