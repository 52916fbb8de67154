"""All modules that tell how some kind of node or expression is written; importing this makes them known."""

from discosql.executor.compile import (
    aggregates,
    arithmetic,
    calls,
    comparison,
    joins,
    leaves,
    logic,
    nested,
    recursion,
    rows,
    sets,
    sorting,
    subqueries,
    windows,
)

__all__ = [
    "aggregates",
    "arithmetic",
    "calls",
    "comparison",
    "joins",
    "leaves",
    "logic",
    "nested",
    "recursion",
    "rows",
    "sets",
    "sorting",
    "subqueries",
    "windows",
]
