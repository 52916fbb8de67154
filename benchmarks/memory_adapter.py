"""A Shillelagh adapter over rows in memory, as quick as its interface lets one be."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from shillelagh.adapters.base import Adapter
from shillelagh.adapters.registry import registry
from shillelagh.backends.apsw.db import APSWConnection, connect
from shillelagh.fields import Field, Float, Integer, String
from shillelagh.filters import Equal, Filter, Operator, Range
from shillelagh.typing import RequestedOrder, Row

from benchmarks.tables import Table

_FIELDS: dict[str, type[Field[Any, Any]]] = {"INTEGER": Integer, "REAL": Float, "TEXT": String}


class MemoryAdapter(Adapter):
    """Gives a table's rows, whole or by its key."""

    safe = True
    supports_requested_columns = True
    tables: ClassVar[dict[str, Table]] = {}
    rows_by_key: ClassVar[dict[str, dict[Any, list[int]]]] = {}

    def __init__(self, name: str) -> None:
        super().__init__()
        self._table = self.tables[name]
        self._columns = {column: _field(kind, column in self._table.key) for column, kind in self._table.columns}

    @staticmethod
    def supports(uri: str, fast: bool = True, **_: Any) -> bool | None:
        return uri in MemoryAdapter.tables

    @staticmethod
    def parse_uri(uri: str) -> tuple[str]:
        return (uri,)

    def get_columns(self) -> dict[str, Field[Any, Any]]:
        return self._columns

    def get_cost(self, filtered_columns: list[tuple[str, Operator]], order: list[tuple[str, RequestedOrder]]) -> float:
        by_key = any(column == self._table.key[0] and operator is Operator.EQ for column, operator in filtered_columns)
        return 1.0 if by_key else float(len(self._table.rows))

    def get_rows(
        self, bounds: dict[str, Filter], order: list[tuple[str, RequestedOrder]], **options: Any
    ) -> Iterator[Row]:
        """Yield rows with the columns that are asked for. Values need no conversion here."""
        table = self._table
        places = [(place, name) for place, name in enumerate(table.names) if name in options["requested_columns"]]
        bound = bounds.get(table.key[0])
        chosen: Iterable[int] = range(len(table.rows))
        if bound is not None and (value := _only_value(bound)) is not None:
            chosen = self.rows_by_key[table.name].get(value, ())
        for number in chosen:
            row = table.rows[number]
            found = {name: row[place] for place, name in places}
            found["rowid"] = number
            yield found


def _only_value(bound: Filter) -> Any:
    """Return the one value that a filter lets pass, None if there may be several."""
    if isinstance(bound, Equal):
        return bound.value
    if isinstance(bound, Range) and bound.start is not None and bound.start == bound.end:
        return bound.start
    return None


def _field(kind: str, is_key: bool) -> Field[Any, Any]:
    # Only keys take filters: the others would cost Python time that SQLite does not need for them.
    return _FIELDS[kind](filters=[Equal] if is_key else [], exact=False)


def connect_shillelagh(tables: Iterable[Table]) -> APSWConnection:
    """Return a connection of Shillelagh to some tables."""
    for table in tables:
        MemoryAdapter.tables[table.name] = table
        by_key: dict[Any, list[int]] = defaultdict(list)
        place = table.names.index(table.key[0])
        for number, row in enumerate(table.rows):
            by_key[row[place]].append(number)
        MemoryAdapter.rows_by_key[table.name] = by_key
    registry.add("discosql_benchmarks", MemoryAdapter)
    return connect(":memory:", ["discosql_benchmarks"])
