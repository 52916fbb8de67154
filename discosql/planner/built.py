"""What building a query gives: its plan, and what is known of its result columns beyond their `ColumnRef`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from discosql.planner.infer import Bound, Classes
from discosql.planner.plan import Cast, ColumnRef, Node
from discosql.planner.scope import ScopeColumn
from discosql.types import Affinity, SqlType, fold_case


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of a query's result.

    `affinity` is that of the column where the query is a table of another one, None for an expression. `written` is its
    name as a table's column, if that differs: a column's name as written in the query. `classes` is for
    `combined_affinity`.

    Of a column of a set operation, the collation of `ref` is that of the first arm, for queries around. `collation` is
    that of the first arm which has one, None if none has: by it the set operation itself compares and sorts. Where the
    query is an operand, SQLite looks at the expression of the last arm only, which is `last`.
    """

    name: str
    ref: ColumnRef
    affinity: SqlType | None
    collation: str | None
    last: Bound
    written: str | None = None
    classes: Classes = Classes.ALL

    @property
    def bound(self) -> Bound:
        """The column as an operand; without a collation where the result expression has none."""
        return replace(self.last, expression=self.ref)


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


def combined_affinity(arms: Sequence[tuple[Bound, Classes]]) -> SqlType | None:
    """Return the affinity of a column of a set operation: the first that an arm has, unless others may not suit it.

    SQLite drops a text affinity where another arm may give numbers, and a numeric one where another may give text. A
    numeric one of a CAST compares as such, but converts nothing.
    """
    place = next((place for place, (arm, _) in enumerate(arms) if arm.affinity is not None), None)
    if place is None:
        return None
    affinity = arms[place][0].affinity
    others = Classes(0)
    for _, found in (*arms[:place], *arms[place + 1 :]):
        others |= found
    is_text = affinity is not None and affinity.affinity is Affinity.TEXT
    is_numeric = affinity is not None and affinity.affinity.is_numeric
    if (is_text and Classes.NUMBER in others) or (is_numeric and Classes.TEXT in others):
        return SqlType.ANY
    return SqlType.NUMERIC if is_numeric and isinstance(arms[place][0].expression, Cast) else affinity
