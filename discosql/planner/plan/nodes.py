"""Nodes of a logical plan, with the textbook names. A plan is a tree of frozen dataclasses.

Every node has `output`: the columns it produces, each a `ColumnRef` with an id of its own. A node may use the columns
of its children and, inside a subquery, those of the queries around it. A node that only passes rows on (Filter, Sort,
Limit, …) has its child's output.

The picture of ``SELECT name FROM users WHERE age > 18``::

    Projection: users.name
    └─ Filter: users.age > 18
       └─ Scan: users
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from discosql.planner.plan.expression import (
    AggregateCall,
    ColumnRef,
    Expression,
    SortKey,
    WindowCall,
)
from discosql.schema import ComputedIndex, Index, TableSchema, View

JoinKind: TypeAlias = Literal["inner", "left", "right", "full", "semi", "anti"]
"""`semi` and `anti` give the left rows that have (have no) partner; their output is the left's only."""


@dataclass(frozen=True, slots=True)
class Bound:
    """``column low_op low AND column high_op high`` on a column of a scanned table, by position; None is open.

    A hint for skipping pages and rowid ranges: the Filter above stays. `position` -1 is the rowid.
    """

    position: int
    low: Expression | None = None
    high: Expression | None = None


@dataclass(frozen=True, slots=True)
class Values:
    """Rows given as expressions. One row of no columns is the FROM-less SELECT's input."""

    rows: tuple[tuple[Expression, ...], ...]
    output: tuple[ColumnRef, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """All rows of a table in rowid order. `positions` tells where in the stored row each output column is.

    A stored row is (rowid, column 0, column 1, …), so position 0 is the rowid and column i is at i + 1.
    `alias` is the name used in the statement. `as_of` is a moment for time travel.
    """

    table: TableSchema
    alias: str
    output: tuple[ColumnRef, ...]
    positions: tuple[int, ...]
    bounds: tuple[Bound, ...] = ()
    as_of: Expression | None = None


@dataclass(frozen=True, slots=True)
class IndexLookup:
    """The rows of a table whose index key is one of `keys`, each once, in rowid order.

    `index` None is the rowid. Every key has one expression an index column, converted to the column's type; a key
    with a NULL finds nothing. `positions` as for Scan.
    """

    table: TableSchema
    alias: str
    output: tuple[ColumnRef, ...]
    positions: tuple[int, ...]
    index: Index | ComputedIndex | None
    keys: tuple[tuple[Expression, ...], ...]
    as_of: Expression | None = None


@dataclass(frozen=True, slots=True)
class CatalogScan:
    """A table made from the catalog or statistics: sqlite_master, the table-valued PRAGMAs, discosql_stats, …

    `arguments` are those of a table-valued function such as ``pragma_table_info('t')`` or ``json_each(x)``. `views` is
    what only planning tells of the views whose columns it may give: their columns' names and declared types.
    """

    name: str
    alias: str
    arguments: tuple[Expression, ...]
    output: tuple[ColumnRef, ...]
    positions: tuple[int, ...]
    views: tuple[tuple[View, tuple[tuple[str, str], ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """The rows of the child for which the predicate is true (not NULL)."""

    child: Node
    predicate: Expression

    @property
    def output(self) -> tuple[ColumnRef, ...]:
        """The child's columns."""
        return self.child.output


@dataclass(frozen=True, slots=True)
class Projection:
    """One output column an expression."""

    child: Node
    expressions: tuple[Expression, ...]
    output: tuple[ColumnRef, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Groups of rows with equal keys (by each key's collation), and aggregate calls over each.

    Output: the keys' columns, then the calls'. Without keys there is exactly one group, even of no rows.
    """

    child: Node
    keys: tuple[Expression, ...]
    collations: tuple[str, ...]
    calls: tuple[AggregateCall, ...]
    output: tuple[ColumnRef, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """The child's rows, each with the results of window calls behind its own columns."""

    child: Node
    calls: tuple[WindowCall, ...]
    results: tuple[ColumnRef, ...]

    @property
    def output(self) -> tuple[ColumnRef, ...]:
        """The child's columns, then one a call."""
        return self.child.output + self.results


@dataclass(frozen=True, slots=True)
class Sort:
    """The child's rows in order; rows with equal keys keep theirs."""

    child: Node
    keys: tuple[SortKey, ...]

    @property
    def output(self) -> tuple[ColumnRef, ...]:
        """The child's columns."""
        return self.child.output


@dataclass(frozen=True, slots=True)
class TopN:
    """Sort and Limit at once, with memory for limit + offset rows."""

    child: Node
    keys: tuple[SortKey, ...]
    limit: Expression
    offset: Expression | None = None

    @property
    def output(self) -> tuple[ColumnRef, ...]:
        """The child's columns."""
        return self.child.output


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `limit` rows after skipping `offset`. A negative or NULL-free limit follows SQLite: negative is none."""

    child: Node
    limit: Expression | None
    offset: Expression | None = None

    @property
    def output(self) -> tuple[ColumnRef, ...]:
        """The child's columns."""
        return self.child.output


@dataclass(frozen=True, slots=True)
class Distinct:
    """The child's rows, each value combination once (NULLs are equal), by one collation a column."""

    child: Node
    collations: tuple[str, ...]

    @property
    def output(self) -> tuple[ColumnRef, ...]:
        """The child's columns."""
        return self.child.output


@dataclass(frozen=True, slots=True)
class NestedLoopJoin:
    """Every pair of rows for which the condition is true (None: all pairs), as the kind says.

    `lateral`: the right side uses columns of the left, so it is run for each left row. `ordered`: it was written as
    CROSS JOIN, by which people tell SQLite to read the left side first.
    """

    left: Node
    right: Node
    kind: JoinKind
    condition: Expression | None = None
    lateral: bool = False
    ordered: bool = False

    @property
    def output(self) -> tuple[ColumnRef, ...]:
        """The left's columns, then the right's unless semi or anti."""
        return self.left.output if self.kind in ("semi", "anti") else self.left.output + self.right.output


@dataclass(frozen=True, slots=True)
class HashJoin:
    """A join on equality of keys: the right side is built into a hash table, the left probes it.

    Keys are converted already; equality is by `collations`. A key with a NULL has no partner, unless `null_safe` says
    so for that key (IS). `residual` must hold as well.
    """

    left: Node
    right: Node
    kind: JoinKind
    left_keys: tuple[Expression, ...]
    right_keys: tuple[Expression, ...]
    collations: tuple[str, ...]
    residual: Expression | None = None
    null_safe: tuple[bool, ...] = ()

    @property
    def output(self) -> tuple[ColumnRef, ...]:
        """The left's columns, then the right's unless semi or anti."""
        return self.left.output if self.kind in ("semi", "anti") else self.left.output + self.right.output


@dataclass(frozen=True, slots=True)
class IndexJoin:
    """For all left rows of a batch together, the rows of a table found by an index with keys made of the left row.

    `lookup.keys` has one key, of expressions over the left's columns. `kind` is inner, left, semi or anti.
    """

    left: Node
    lookup: IndexLookup
    kind: JoinKind
    residual: Expression | None = None

    @property
    def output(self) -> tuple[ColumnRef, ...]:
        """The left's columns, then the table's unless semi or anti."""
        return self.left.output if self.kind in ("semi", "anti") else self.left.output + self.lookup.output


@dataclass(frozen=True, slots=True)
class SetOperation:
    """UNION, INTERSECT or EXCEPT of two plans of as many columns; `all` keeps doubles (UNION only).

    Equality is by `collations`, one a column.
    """

    kind: Literal["union", "intersect", "except"]
    left: Node
    right: Node
    all: bool
    output: tuple[ColumnRef, ...]
    collations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecursiveUnion:
    """A recursive common table expression: rows of `initial`, then of `step` for each row taken from the queue.

    `step` reads the taken row through `WorkingScan`s with this node's `id`. `all` False drops rows seen before.
    `keys`, where present, order the queue (else first in, first out). `limit` and `offset` count output rows.
    """

    id: int
    name: str
    initial: Node
    step: Node
    all: bool
    output: tuple[ColumnRef, ...]
    collations: tuple[str, ...]
    keys: tuple[SortKey, ...] = ()
    limit: Expression | None = None
    offset: Expression | None = None


@dataclass(frozen=True, slots=True)
class WorkingScan:
    """The row that a RecursiveUnion has taken from its queue."""

    id: int
    name: str
    output: tuple[ColumnRef, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """A plan used in several places (a common table expression): run once a statement, its rows kept.

    Two nodes with one `id` have the same `child`; each has columns of its own in `output`.
    """

    id: int
    name: str
    child: Node
    output: tuple[ColumnRef, ...]


Node: TypeAlias = (
    Values
    | Scan
    | IndexLookup
    | CatalogScan
    | Filter
    | Projection
    | Aggregate
    | Window
    | Sort
    | TopN
    | Limit
    | Distinct
    | NestedLoopJoin
    | HashJoin
    | IndexJoin
    | SetOperation
    | RecursiveUnion
    | WorkingScan
    | Shared
)
