"""Plans written by hand."""

from itertools import count

from discosql.planner.plan import ColumnRef, Compare, Constant, Expression, Node, OutputColumn, Query, Scan
from discosql.schema import Column, Index, TableSchema
from discosql.types import SqlType


class Tables:
    """Makes tables and scans of them; columns and tables get ids of their own."""

    def __init__(self) -> None:
        self._ids = count(1)

    def table(
        self, name: str, columns: str, *, indexes: tuple[Index, ...] = (), rowid: int | None = None
    ) -> TableSchema:
        """Return a table with columns given as ``"a INTEGER NOT NULL, b TEXT"``."""
        made = []
        for position, words in enumerate(columns.split(", ")):
            column, kind, *rest = words.split()
            collation = "NOCASE" if "NOCASE" in rest else "BINARY"
            made.append(Column(position, column, SqlType(kind), kind, "NOT" in rest, collation=collation))
        return TableSchema(next(self._ids), name, tuple(made), rowid_column=rowid, indexes=indexes)

    def index(self, *columns: int, unique: bool = False, collations: tuple[str, ...] = ()) -> Index:
        """Return an index over columns by position."""
        number = next(self._ids)
        return Index(number, f"index_{number}", columns, unique, collations=collations or ("BINARY",) * len(columns))

    def scan(self, table: TableSchema, alias: str | None = None) -> Scan:
        """Return a scan of all columns of a table."""
        output = tuple(
            ColumnRef(next(self._ids), column.name, alias or table.name, column.type, not column.not_null)
            for column in table.columns
        )
        return Scan(table, alias or table.name, output, tuple(range(1, len(output) + 1)))

    def column(self, name: str = "x", type: SqlType | None = None) -> ColumnRef:
        """Return a new column."""
        return ColumnRef(next(self._ids), name, None, type)


def query(plan: Node) -> Query:
    """Return a plan as a statement."""
    return Query(plan, tuple(OutputColumn(column.name, column.type) for column in plan.output))


def equals(left: Expression, right: Expression | int, collation: str = "BINARY") -> Compare:
    """Return ``left = right``."""
    return compare("=", left, right, collation)


def compare(operator: str, left: Expression, right: Expression | int, collation: str = "BINARY") -> Compare:
    """Return a comparison, with an integer for a constant."""
    other = Constant(right, SqlType.INTEGER) if isinstance(right, int) else right
    return Compare(operator, left, other, collation)  # type: ignore[arg-type]
