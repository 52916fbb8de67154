"""Names and what they stand for at one place of a statement.

A `Scope` is what one SELECT's FROM clause offers, and the way out to the queries around it. It is immutable; the calls
of aggregate and window functions found while expressions are bound are collected in its `Level`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlglot import exp

from discosql.errors import ProgrammingError
from discosql.planner.infer import Bound, column_bound
from discosql.planner.plan import AggregateCall, ColumnRef, WindowCall
from discosql.planner.trigger_rows import ROWID_NAMES
from discosql.schema import TableSchema
from discosql.types import SqlType, fold_case

MergeSide = Literal["left", "right", "full"]
"""Which table a column named in USING comes from: the left, the right, or whichever has a value."""


@dataclass(frozen=True, slots=True)
class ScopeColumn:
    """A column under the name it has here. `affinity` is None where a subquery's expression made it.

    `hidden` columns (those of table-valued functions) can be named, but are not part of ``*``.
    """

    name: str
    ref: ColumnRef
    affinity: SqlType | None = None
    hidden: bool = False

    @property
    def bound(self) -> Bound:
        """The column as an operand."""
        return column_bound(self.ref, self.affinity)


@dataclass(frozen=True, slots=True)
class Source:
    """One table of a FROM clause. `schema` is the name before its own that a column may be given with.

    `using` tells of each folded name that USING or NATURAL joins with tables to the left where its column comes from.
    """

    name: str
    columns: tuple[ScopeColumn, ...]
    rowid: ScopeColumn | None = None
    schema: str | None = None
    using: dict[str, MergeSide] = field(default_factory=dict)
    names: dict[str, ScopeColumn] = field(init=False)

    def __post_init__(self) -> None:
        names: dict[str, ScopeColumn] = {}
        for column in self.columns:
            names.setdefault(fold_case(column.name), column)
        object.__setattr__(self, "names", names)


@dataclass(slots=True)
class Level:
    """What is found in the expressions of one SELECT: calls to compute below them, each under a column of its own.

    `aliases` are the trees of the result columns by folded alias; `windows` those of the WINDOW clause.
    """

    aggregates: list[tuple[AggregateCall, ColumnRef]] = field(default_factory=list)
    window_calls: list[tuple[WindowCall, ColumnRef]] = field(default_factory=list)
    aliases: dict[str, exp.Expr] = field(default_factory=dict)
    windows: dict[str, exp.Window] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """The tables whose columns an expression may name, and where else names come from.

    `level` takes the calls of aggregate functions if `aggregates` allows them, of window functions if `windows` does.
    `aliases` tells whether result columns may be named.
    """

    sources: tuple[Source, ...] = ()
    outer: Scope | None = None
    level: Level | None = None
    aggregates: bool = False
    windows: bool = False
    aliases: bool = False

    @classmethod
    def empty(cls) -> Scope:
        """Return the scope of expressions that can name no columns."""
        return cls()

    @classmethod
    def of_table(
        cls, table: TableSchema, alias: str, columns: Sequence[ColumnRef], outer: Scope | None = None
    ) -> Scope:
        """Return the scope of one table; `columns` are its rowid, then its columns in order."""
        return cls((table_source(table, alias, columns),), outer)

    @classmethod
    def joined(cls, *scopes: Scope) -> Scope:
        """Return the scope that offers the tables of all the given ones."""
        sources = tuple(source for scope in scopes for source in scope.sources)
        return cls(sources, scopes[0].outer if scopes else None)

    def allowing(self, *, aggregates: bool = False, windows: bool = False, aliases: bool = False) -> Scope:
        """Return the scope for another clause of the same SELECT."""
        return replace(self, aggregates=aggregates, windows=windows, aliases=aliases)

    def enclosing(self) -> Iterator[Scope]:
        """Yield this scope and those around it, from the inside out."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def columns(self) -> Iterator[ColumnRef]:
        """Yield all columns of the scope's own tables, rowids included."""
        for source in self.sources:
            if source.rowid is not None:
                yield source.rowid.ref
            for column in source.columns:
                yield column.ref

    def owns(self, ids: set[int]) -> bool:
        """Whether one of the columns with these ids is of a table of this scope."""
        return any(column.id in ids for column in self.columns())

    def find(self, name: str, table: str | None = None, schema: str | None = None) -> list[ScopeColumn]:
        """Return the columns that a name may mean here, of tables joined by USING only the one to be used.

        Two or more are alternatives of a FULL JOIN, of which the first that is not NULL counts.
        Raises ProgrammingError if the name is ambiguous.
        """
        folded = fold_case(name)
        sources = [source for source in self.sources if table is None or _is_named(source, table, schema)]
        found: list[ScopeColumn] = []
        for source in sources:
            column = source.names.get(folded)
            if column is None:
                continue
            side = source.using.get(folded) if table is None else None
            if found and side is None:
                raise ProgrammingError(f"ambiguous column name: {_written(name, table, schema)}")
            if found and side == "left":
                continue
            if side == "right":
                found = []
            found.append(column)
        if not found and folded in ROWID_NAMES:
            found = [source.rowid for source in sources if source.rowid is not None]
            if len(found) > 1:
                raise ProgrammingError(f"ambiguous column name: {_written(name, table, schema)}")
        return found

    def source(self, name: str, schema: str | None = None) -> Source | None:
        """Return the table of that name or alias."""
        return next((source for source in self.sources if _is_named(source, name, schema)), None)


def _is_named(source: Source, table: str, schema: str | None) -> bool:
    if fold_case(source.name) != fold_case(table):
        return False
    return schema is None or (source.schema is not None and fold_case(schema) == source.schema)


def _written(*names: str | None) -> str:
    return ".".join(name for name in reversed(names) if name is not None)


def table_source(table: TableSchema, alias: str, columns: Sequence[ColumnRef]) -> Source:
    """Return a table of the catalog under an alias; `columns` are its rowid, then its columns in order."""
    named = tuple(
        ScopeColumn(column.name, ref, column.type) for column, ref in zip(table.columns, columns[1:], strict=True)
    )
    rowid = None
    if table.rowid_column is not None:
        rowid = named[table.rowid_column]
    elif not table.without_rowid:
        rowid = ScopeColumn("rowid", columns[0], SqlType.INTEGER)
    return Source(alias, named, rowid, "temp" if table.temporary else "main")


def resolve(
    scope: Scope,
    names: tuple[str, str | None, str | None],
    bind_alias: Callable[[exp.Expr, Scope], Bound],
) -> list[Bound] | None:
    """Return what a column name means: one operand, or several of which the first that is not NULL counts.

    Looks in each scope from the inside out, first among the columns, then among the aliases of the result.
    None if nothing has that name.
    """
    name, table, schema = names
    for level in scope.enclosing():
        found = level.find(name, table, schema)
        if found:
            return [column.bound for column in found]
        if table is None and level.aliases and level.level is not None:
            tree = level.level.aliases.get(fold_case(name))
            if tree is not None:
                if not level.windows and tree.find(exp.Window) is not None:
                    raise ProgrammingError(f"misuse of aliased window function {name}")
                return [bind_alias(tree, replace(level, aliases=False))]
    return None
