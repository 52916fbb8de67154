"""What generated joins call while they run."""

from collections import defaultdict
from collections.abc import Mapping, Sized
from typing import Any


def largest(table: Mapping[Any, Sized]) -> int:
    """Return the number of rows of the key that has most."""
    return max(map(len, table.values()), default=1)


def rows_by_key(rows: list[Any], position: int) -> dict[Any, list[Any]]:
    """Return the rows by the key that each has at a position; those whose key is None are left out."""
    table: defaultdict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        key = row[position]
        if key is not None:
            table[key].append(row)
    return table
