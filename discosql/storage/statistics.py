"""What the planner may know of a table without a request. All of it is for choosing plans; only `rows` is exact."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from discosql.schema import ComputedIndex, Index
from discosql.statistics import IndexStatistics, TableStatistics
from discosql.storage.hash_index import PagedIndex
from discosql.storage.keys import key_reader
from discosql.storage.page_store import PageStore
from discosql.storage.paged import Base
from discosql.storage.pages import Place
from discosql.storage.table import TableVersion
from discosql.types import Value, sort_key

_SAMPLE = 1_000


def table_statistics(version: TableVersion, rows: int, store: PageStore) -> TableStatistics:
    """Return the statistics of a table that has `rows` rows by now."""
    known = version.estimates
    if known is None or not known.rows // 2 <= version.rows <= known.rows * 2 + 8:
        known = version.estimates = _estimates(version)
    base = version.base
    if base is None:
        return replace(known, rows=rows, highest_rowid=version.used)
    indexes = {
        index: replace(estimate, cached_pages=_cached(_places(base.indexes[index]), store))
        if index in base.indexes
        else estimate
        for index, estimate in known.indexes.items()
    }
    cached = _cached((page.place for page in base.pages), store)
    return replace(known, rows=rows, highest_rowid=version.used, cached_pages=cached, indexes=indexes)


def _places(index: PagedIndex) -> Iterable[Place]:
    return (page.place for page in index.pages if page is not None)


def _cached(places: Iterable[Place], store: PageStore) -> int:
    return sum(store.cache.peek(place) is not None for place in places)


def _estimates(version: TableVersion) -> TableStatistics:
    base = version.base
    indexes = {index.id: _index_estimate(version, index) for index in version.schema.kept_indexes}
    if base is None:
        return TableStatistics(rows=version.rows, indexes=indexes)
    return TableStatistics(
        rows=version.rows, pages=len(base.pages), bytes=base.size, indexes=indexes, ranges=_ranges(base, version)
    )


def _index_estimate(version: TableVersion, index: Index | ComputedIndex) -> IndexStatistics:
    paged = version.base.indexes.get(index.id) if version.base is not None else None
    if paged is not None:
        pages = sum(page is not None for page in paged.pages)
        return IndexStatistics(pages=pages, distinct=min(paged.distinct, version.rows))
    if index.unique:
        return IndexStatistics(distinct=version.rows)
    known = version.known_map(index.id)
    if version.base is None and known is not None:
        return IndexStatistics(distinct=min(len(known), version.rows))
    return IndexStatistics(distinct=_sampled_distinct(version, index))


def _sampled_distinct(version: TableVersion, index: Index | ComputedIndex) -> int:
    if version.base is not None or not version.rows:
        return version.rows
    read = key_reader(version.schema, index)
    # Odd, so that it is less likely to be in step with the values.
    step = version.rows // _SAMPLE | 1
    sample = [read(row) for batch in version.batches() for row in islice(batch, 0, None, step)]
    distinct = len(set(sample))
    # A sample of nearly all different keys speaks for a column of nearly all different keys.
    return version.rows * distinct // len(sample) if distinct * 2 > len(sample) else distinct


def _ranges(base: Base, version: TableVersion) -> dict[int, tuple[Value, Value]]:
    ranges: dict[int, tuple[Value, Value]] = {}
    for position, column in enumerate(version.schema.columns):
        zones = [
            zone
            for page in base.pages
            if column.id in page.columns and (zone := page.zones[page.columns.index(column.id)]) is not None
        ]
        if zones:
            low = min((zone[0] for zone in zones), key=sort_key)
            ranges[position] = (low, max((zone[1] for zone in zones), key=sort_key))
    return ranges
