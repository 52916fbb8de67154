"""NEW and OLD: the rows that a trigger's statements may name, which reach them as parameters."""

from dataclasses import dataclass

from discosql.planner.infer import Bound
from discosql.planner.plan import Parameter
from discosql.schema import TableSchema
from discosql.types import SqlType, fold_case

ROWID_NAMES = frozenset({"rowid", "_rowid_", "oid"})


@dataclass(frozen=True, slots=True)
class TriggerRows:
    """The rows of one trigger. `table` is its table, or stands for its view; not every event has both rows."""

    table: TableSchema
    old: bool
    new: bool

    @property
    def width(self) -> int:
        """How many places a stored row has."""
        return len(self.table.columns) + 1

    def find(self, row: str, column: str) -> Bound | None:
        """Return what ``row.column`` means, None if there is no such row or column.

        As in SQLite, the rowid has INTEGER affinity, other columns have none but keep their collation.
        """
        folded = fold_case(row)
        if not (folded == "new" and self.new) and not (folded == "old" and self.old):
            return None
        position = self.table.position(column)
        if position is None and (fold_case(column) not in ROWID_NAMES or self.table.without_rowid):
            return None
        is_rowid = position is None or position == self.table.rowid_column
        place = 0 if position is None else position + 1
        parameter = Parameter(place + (self.width if folded == "new" else 0), f"{folded}.{column}")
        if is_rowid or position is None:
            return Bound(parameter, SqlType.INTEGER)
        return Bound(parameter, None, self.table.columns[position].collation)
