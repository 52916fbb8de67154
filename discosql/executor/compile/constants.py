"""Computing constant expressions without compiling them."""

from __future__ import annotations

from discosql.executor.compile.statement import compile_rows
from discosql.executor.context import Context
from discosql.executor.functions.registry import Registry
from discosql.planner.plan import Expression
from discosql.types import Value


def evaluate_constant(expression: Expression, registry: Registry) -> Value:
    """Return the value of an expression that uses no column, parameter or subquery."""
    compiled = compile_rows([expression], [], registry)
    value: Value = compiled.evaluate(Context(None))[0]  # type: ignore[arg-type]
    return value
