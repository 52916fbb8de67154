"""Short ways to define built-in functions."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal

from discosql.executor.functions.registry import ScalarFunction
from discosql.planner.plan import FunctionSignature
from discosql.types import SqlType, Value

Result = SqlType | Literal["argument"] | None


def null_through(function: Callable[..., Value]) -> Callable[..., Value]:
    """Return the function with NULL as its result where any argument is NULL."""

    @wraps(function)
    def guarded(*arguments: Value) -> Value:
        return None if None in arguments else function(*arguments)

    return guarded


def scalar(
    name: str,
    implementation: Callable[..., Value],
    minimum: int,
    maximum: int | None = -1,
    *,
    result: Result = None,
    null_safe: bool = False,
    **options: Any,
) -> ScalarFunction:
    """Return a deterministic scalar function; `maximum` -1 means as many arguments as `minimum`.

    `options` are those of `ScalarFunction`, and ``deterministic``.
    """
    deterministic = options.pop("deterministic", True)
    most = minimum if maximum == -1 else maximum
    signature = FunctionSignature(name, minimum, most, "scalar", result, null_safe, deterministic)
    return ScalarFunction(signature, implementation, **options)
