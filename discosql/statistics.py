"""What is known of tables and indexes without a request: what the planner estimates with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from discosql.types import Value


@dataclass(frozen=True, slots=True)
class IndexStatistics:
    """What the planner may know of an index without a request."""

    pages: int = 0
    distinct: int = 0
    cached_pages: int = 0


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """What the planner may know of a table without a request.

    `ranges` maps a column's position to its smallest and largest stored value, where known. `highest_rowid` is the
    highest that AUTOINCREMENT ever gave out, which sqlite_sequence shows.
    """

    rows: int = 0
    pages: int = 0
    bytes: int = 0
    cached_pages: int = 0
    indexes: Mapping[int, IndexStatistics] = field(default_factory=dict)
    ranges: Mapping[int, tuple[Value, Value]] = field(default_factory=dict)
    highest_rowid: int = 0
