"""The built-in functions: those of SQLite 3.51, computed on SQL values.

`DEFAULT` is the registry every connection starts from.
"""

from discosql.executor.functions import core, text
from discosql.executor.functions.aggregates import AGGREGATE_FUNCTIONS
from discosql.executor.functions.numeric import NUMERIC_FUNCTIONS
from discosql.executor.functions.patterns import PATTERN_FUNCTIONS
from discosql.executor.functions.registry import (
    AggregateFunction,
    Aggregation,
    InvertibleAggregation,
    Registry,
    ScalarFunction,
    SortKey,
    WindowFunction,
)
from discosql.executor.functions.window_functions import WINDOW_FUNCTIONS

DEFAULT = Registry(
    (
        *core.FUNCTIONS,
        *text.FUNCTIONS,
        *NUMERIC_FUNCTIONS,
        *PATTERN_FUNCTIONS,
        *AGGREGATE_FUNCTIONS,
        *WINDOW_FUNCTIONS,
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
