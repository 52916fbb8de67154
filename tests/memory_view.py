"""A view over lists of rows, for tests and benchmarks of compiled plans.

With `pending` every answer has to be fetched first, as if nothing were in memory; `requests` counts what was asked for.
"""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from discosql.schema import Catalog, Column, TableSchema
from discosql.statistics import TableStatistics
from discosql.storage.engine import Batch, Key, Range
from discosql.types import Row, SqlType, collate


@dataclass(slots=True)
class Answer:
    """Something to fetch."""

    value: object

    async def fetch(self) -> object:
        return self.value


class MemoryScan:
    """Batches of a list."""

    def __init__(self, view: "MemoryView", rows: list[Row]) -> None:
        self._view = view
        step = view.batch or max(len(rows), 1)
        self._batches = [rows[start : start + step] for start in range(0, len(rows), step)][::-1]

    def next(self) -> Any:
        batch = self._batches.pop() if self._batches else None
        if batch is not None:
            self._view.requests["batch"] += 1
        return self._view.answer(batch)


class MemoryView:
    """Tables by id; `batch` is the number of rows of a batch, 0 for all at once."""

    def __init__(
        self,
        tables: Mapping[int, list[Row]],
        schemas: Sequence[TableSchema] = (),
        *,
        batch: int = 0,
        pending: bool = False,
    ) -> None:
        self.tables = tables
        self.batch = batch
        self.pending = pending
        self.requests: Counter[str] = Counter()
        catalog = Catalog()
        for schema in schemas:
            catalog = catalog.with_table(schema)
        self.catalog = catalog
        self._indexes: dict[tuple[int, int | None], dict[Any, list[Row]]] = {}

    def answer(self, value: object) -> Any:
        return Answer(value) if self.pending else value

    def statistics(self, table: int) -> TableStatistics:
        rows = len(self.tables[table])
        return TableStatistics(rows, pages=rows // self.batch + 1 if self.batch else 1, bytes=40 * rows)

    def scan(self, table: int, ranges: Sequence[Range] = ()) -> MemoryScan:
        self.requests["scan"] += 1
        return MemoryScan(self, self.tables[table])

    def lookup(self, table: int, index: int | None, keys: Sequence[Key]) -> Any:
        self.requests["lookup"] += 1
        self.requests["keys"] += len(keys)
        known = self._index(table, index)
        if len(keys) == 1:
            return self.answer(known.get(self._normal(table, index, keys[0]), []))
        found = {row[0]: row for key in keys for row in known.get(self._normal(table, index, key), ())}
        return self.answer([found[rowid] for rowid in sorted(found)])

    def prefetch(self, scans: Sequence[int], lookups: Sequence[tuple[int, int | None, Sequence[Key]]]) -> Any:
        self.requests["prefetch"] += 1
        return Answer(None) if self.pending else None

    def _normal(self, table: int, index: int | None, key: Key) -> Any:
        if index is None:
            return key[0]
        schema = self.catalog.table_by_id(table)
        assert schema is not None
        collations = schema.index(index).collations or ("BINARY",) * len(key)
        return tuple(collate(value, name) for value, name in zip(key, collations, strict=True))

    def _index(self, table: int, index: int | None) -> dict[Any, list[Row]]:
        known = self._indexes.get((table, index))
        if known is None:
            known = self._indexes[table, index] = {}
            schema = self.catalog.table_by_id(table)
            for row in self.tables[table]:
                if index is None:
                    key = row[0]
                else:
                    assert schema is not None
                    key = self._normal(table, index, tuple(row[1 + place] for place in schema.index(index).columns))
                    if None in key:
                        continue
                known.setdefault(key, []).append(row)
        return known


def run(steps: Generator[Any, Any, Any]) -> Any:
    """Run a compiled plan to its end and return its rows; what it waits for is fetched at once."""
    answer = None
    while True:
        try:
            waiting = steps.send(answer)
        except StopIteration as stop:
            return stop.value
        answer = waiting.value if isinstance(waiting, Answer) else None


def table(table_id: int, name: str, *columns: tuple[str, SqlType, bool], **more: Any) -> TableSchema:
    """Return a schema; a column is (name, type, NOT NULL)."""
    listed = tuple(
        Column(place, column, sql_type, sql_type.value, not_null)
        for place, (column, sql_type, not_null) in enumerate(columns)
    )
    return TableSchema(table_id, name, listed, **more)


__all__ = ["Batch", "MemoryView", "run", "table"]
