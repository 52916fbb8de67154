"""The built-in functions: those of SQLite 3.51, computed on SQL values.

`DEFAULT` is the registry every connection starts from.
"""

from discosql.executor.functions import (
    aggregates,
    core,
    date_functions,
    json_aggregates,
    json_functions,
    jsonb_functions,
    numeric,
    patterns,
    text,
    window_functions,
)
from discosql.executor.functions.registry import (
    AggregateFunction,
    Aggregation,
    InvertibleAggregation,
    Registry,
    ScalarFunction,
    SortKey,
    WindowFunction,
)

DEFAULT = Registry(
    (
        *core.FUNCTIONS,
        *text.FUNCTIONS,
        *numeric.FUNCTIONS,
        *patterns.FUNCTIONS,
        *date_functions.FUNCTIONS,
        *json_functions.FUNCTIONS,
        *jsonb_functions.FUNCTIONS,
        *aggregates.FUNCTIONS,
        *json_aggregates.FUNCTIONS,
        *window_functions.FUNCTIONS,
    )
)

__all__ = [
    "DEFAULT",
    "AggregateFunction",
    "Aggregation",
    "InvertibleAggregation",
    "Registry",
    "ScalarFunction",
    "SortKey",
    "WindowFunction",
]
