"""What a source of rows gives for each of many sets of parameters, where it can be told without running it."""

from collections.abc import Sequence
from typing import Any

from discosql.executor.compile.walk import walk
from discosql.planner.plan import (
    Call,
    CatalogScan,
    Constant,
    Expression,
    IndexLookup,
    Parameter,
    Projection,
    Scan,
    Values,
)
from discosql.types import Row, Value


def is_fixed(*items: Any) -> bool:
    """Return whether expressions or plans give the same for the same parameters: no table is read."""
    return not any(
        isinstance(part, Scan | IndexLookup | CatalogScan) or (isinstance(part, Call) and not part.deterministic)
        for item in items
        for part in walk(item)
    )


def parameter_rows_of(source: Any, parameter_rows: Sequence[tuple[Value, ...]]) -> list[Row] | None:
    """Return the rows that ``VALUES (?, …)`` gives for each set of parameters, None for any other source."""
    expressions: tuple[Expression, ...] = ()
    if isinstance(source, Values) and len(source.rows) == 1:
        expressions = source.rows[0]
    elif isinstance(source, Projection) and isinstance(source.child, Values) and source.child.rows == ((),):
        expressions = source.expressions
    if not expressions or not all(isinstance(expression, Parameter | Constant) for expression in expressions):
        return None
    if all(isinstance(e, Parameter) and e.index == i for i, e in enumerate(expressions)):
        return [parameters[: len(expressions)] for parameters in parameter_rows]
    return [
        tuple([p[e.index] if isinstance(e, Parameter) else e.value for e in expressions])  # type: ignore[union-attr]
        for p in parameter_rows
    ]
