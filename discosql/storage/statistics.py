"""What the planner may know of a table without a request."""

from itertools import islice
from typing import Any, Final

from discosql.schema import IndexStatistics, TableStatistics
from discosql.storage.keys import key_reader
from discosql.storage.table import TableVersion

_SAMPLE: Final = 1_000


def table_statistics(version: TableVersion, rows: int) -> TableStatistics:
    """Return the statistics of a table that has `rows` rows by now."""
    indexes = {index.id: IndexStatistics(distinct=_distinct(version, index)) for index in version.schema.indexes}
    return TableStatistics(rows=rows, indexes=indexes)


def _distinct(version: TableVersion, index: Any) -> int:
    """Estimate the number of different keys of an index."""
    if index.unique or version.rows == 0:
        return version.rows
    known = version.known_map(index.id)
    if known is not None:
        return len(known)
    batches = version.batches()
    read = key_reader(index)
    sample = [read(row) for batch in batches for row in islice(batch, 0, None, max(1, version.rows // _SAMPLE))]
    distinct = len(set(sample))
    # A sample of nearly all different keys speaks for a column of nearly all different keys.
    return version.rows * distinct // max(1, len(sample)) if distinct * 2 > len(sample) else distinct
