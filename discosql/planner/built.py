"""What building a query gives: its plan, and what is known of its result columns beyond their `ColumnRef`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from discosql.planner.infer import Bound
from discosql.planner.plan import ColumnRef, Node
from discosql.planner.scope import ScopeColumn
from discosql.types import Affinity, SqlType, fold_case


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of a query's result.

    `affinity` is that of the column where the query is a table of another one, None for an expression; `last_affinity`
    where it is an operand, for which SQLite looks at the last arm of a set operation only. `written` is its name as a
    table's column, if that differs: a column's name as written in the query.
    """

    name: str
    ref: ColumnRef
    affinity: SqlType | None = None
    last_affinity: SqlType | None = None
    collated: bool = True
    written: str | None = None

    @property
    def bound(self) -> Bound:
        """The column as an operand; without a collation where the result expression has none."""
        return Bound(self.ref, self.last_affinity, self.ref.collation if self.collated else None)


@dataclass(frozen=True, slots=True)
class BuiltQuery:
    """A plan and its result columns; the plan's output is their refs."""

    node: Node
    columns: tuple[ResultColumn, ...]

    def renamed(self, names: Sequence[str]) -> "BuiltQuery":
        """Return the query with other names for its columns."""
        columns = [replace(column, name=name, written=None) for column, name in zip(self.columns, names, strict=True)]
        return BuiltQuery(self.node, tuple(columns))


def scope_columns(columns: Iterable[ResultColumn], refs: Sequence[ColumnRef]) -> tuple[ScopeColumn, ...]:
    """Return a query's columns as those of a derived table, with `refs` for their own and doubled names told apart."""
    taken: set[str] = set()
    named: list[ScopeColumn] = []
    for column, ref in zip(columns, refs, strict=True):
        given = column.written or column.name
        name, count = given, 0
        while fold_case(name) in taken:
            count += 1
            name = f"{given}:{count}"
        taken.add(fold_case(name))
        named.append(ScopeColumn(name, ref, column.affinity))
    return tuple(named)


def combined_affinity(arms: Sequence[SqlType | None], types: Sequence[SqlType | None]) -> SqlType | None:
    """Return the affinity of a column of a set operation: the first that an arm has, unless others may not suit it.

    SQLite drops a text affinity where some arm may give numbers, and a numeric one where some arm may give text.
    """
    affinity = next((arm for arm in arms if arm is not None), None)
    if affinity is None or len(arms) == 1:
        return affinity
    kinds = {type.affinity if type is not None else None for type in types}
    if affinity.affinity is Affinity.TEXT and kinds & {None, Affinity.INTEGER, Affinity.REAL, Affinity.NUMERIC}:
        return SqlType.ANY
    if affinity.affinity.is_numeric and kinds & {None, Affinity.TEXT}:
        return SqlType.ANY
    return affinity
