"""Statements: the root of every plan. A query, a change of rows, a change of the schema, or a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from discosql.planner.plan.expression import ColumnRef, Expression
from discosql.planner.plan.nodes import Node
from discosql.schema import Catalog, ComputedIndex, TableSchema
from discosql.types import SqlType

Resolution: TypeAlias = Literal["abort", "fail", "ignore", "replace", "rollback"]
"""What happens to a row that breaks a constraint (https://www.sqlite.org/lang_conflict.html)."""


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column of a statement's result: its name as SQLite gives it, and the type its values are shown as.

    `declared` is the type that a plain column of a table was declared with.
    """

    name: str
    type: SqlType | None = None
    declared: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """SELECT, VALUES: rows of a plan."""

    plan: Node
    columns: tuple[OutputColumn, ...]


@dataclass(frozen=True, slots=True)
class RowCheck:
    """A CHECK constraint compiled against a row: `expression` false (not NULL) breaks it; `label` names it."""

    label: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class GeneratedValue:
    """A generated column: its position and its expression over the row's other columns, in order of dependence."""

    position: int
    expression: Expression


@dataclass(frozen=True, slots=True)
class ComputedKey:
    """A unique key over `expressions` of a row, which the row has if `where` is true."""

    index: ComputedIndex
    expressions: tuple[Expression, ...]
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class RowRules:
    """What every new row of a table goes through before it is stored.

    `row` names the columns of a stored row for the expressions: the rowid first, then the table's columns in order.
    `defaults` has an expression for every column of the table (Constant(None) where it has no default).
    """

    table: TableSchema
    row: tuple[ColumnRef, ...]
    defaults: tuple[Expression, ...]
    checks: tuple[RowCheck, ...] = ()
    generated: tuple[GeneratedValue, ...] = ()
    computed: tuple[ComputedKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Returning:
    """RETURNING: expressions over `RowRules.row` of the stored (for DELETE: the removed) row."""

    expressions: tuple[Expression, ...]
    columns: tuple[OutputColumn, ...]


@dataclass(frozen=True, slots=True)
class Upsert:
    """One ON CONFLICT clause. `index` is the constraint it is for: an index's id, -1 the rowid, None any.

    DO NOTHING has no `assignments`. Otherwise they are (position, expression) over the existing row
    (`RowRules.row`) and the row that was refused (`excluded`, same shape); `where` must hold, else nothing is done.
    """

    index: int | None
    assignments: tuple[tuple[int, Expression], ...] | None = None
    excluded: tuple[ColumnRef, ...] = ()
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class TriggerPlan:
    """A trigger that a statement may fire.

    `target` is the id of its table (0 for a view) and the folded name. `positions` are those of UPDATE OF, None for
    any. NEW and OLD are parameters of `when` and `body`: place p of OLD, in the form of a stored row of `width` places,
    is parameter p, that of NEW parameter `width` + p. `when` is a query of one value.
    """

    name: str
    target: tuple[int, str]
    timing: str
    event: str
    positions: frozenset[int] | None
    width: int
    when: Query | None
    body: tuple[Query | Insert | Update | Delete | ViewChange, ...]


@dataclass(frozen=True, slots=True)
class Insert:
    """INSERT and REPLACE. `source` produces one row a new row, its columns for the table's `positions` in order
    (position -1 is the rowid); the other columns get their defaults. `resolution` None: abort.

    `related`: the rules of every table whose rows foreign key actions may change, directly or by way of others.
    `triggers`: all that may fire, directly or by way of others; the statements of triggers have none themselves.
    """

    rules: RowRules
    positions: tuple[int, ...]
    source: Node
    resolution: Resolution | None = None
    upserts: tuple[Upsert, ...] = ()
    returning: Returning | None = None
    related: tuple[RowRules, ...] = ()
    triggers: tuple[TriggerPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """UPDATE: `source` produces the stored rows to change (`RowRules.row`: rowid, then every column), followed by one
    column a new value for each of `positions` (-1 is the rowid). A row that comes twice (UPDATE FROM) is changed once.
    `values`, where triggers make it matter when they are computed, are the same new values over a stored row. `related`
    and `triggers` as in Insert.
    """

    rules: RowRules
    positions: tuple[int, ...]
    source: Node
    resolution: Resolution | None = None
    returning: Returning | None = None
    related: tuple[RowRules, ...] = ()
    values: tuple[Expression, ...] | None = None
    triggers: tuple[TriggerPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE: `source` produces the stored rows to remove (`RowRules.row`). The rest as in Insert."""

    rules: RowRules
    source: Node
    returning: Returning | None = None
    related: tuple[RowRules, ...] = ()
    triggers: tuple[TriggerPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class ViewChange:
    """INSERT, UPDATE or DELETE of a view, where what is done is up to its INSTEAD OF triggers, or of sqlite_sequence.

    `rules.table` stands for it. `source` and `positions` are as in Insert, Update and Delete; the rowid of a row
    that was read is NULL. `resolution` is that of what the triggers do.
    """

    event: Literal["insert", "update", "delete"]
    rules: RowRules
    positions: tuple[int, ...]
    source: Node
    resolution: Resolution | None = None
    returning: Returning | None = None
    triggers: tuple[TriggerPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeSchema:
    """CREATE, DROP and ALTER: the catalog as it is afterwards; rows follow by table, index and column ids.

    `check_index`: an index whose uniqueness must hold for the rows there are; `check_computed` tells the same of
    the one computed key of these rules. `check_rows`: rules that stored rows must satisfy (ADD COLUMN with CHECK or
    NOT NULL), and the generated columns that they are to have. `fill`: CREATE TABLE AS SELECT and its query.
    `dropped`: a table whose removal must not break foreign keys; `related`, as in Insert, are the rules of the
    tables that the actions of those keys may change. `unchanged` (IF [NOT] EXISTS): nothing to do.
    """

    label: str
    catalog: Catalog
    check_index: tuple[TableSchema, int] | None = None
    check_computed: RowRules | None = None
    check_rows: RowRules | None = None
    fill: Insert | None = None
    dropped: TableSchema | None = None
    unchanged: bool = False
    related: tuple[RowRules, ...] = ()


@dataclass(frozen=True, slots=True)
class TransactionControl:
    """BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE and ROLLBACK TO, the latter three with a savepoint's name."""

    kind: Literal["begin", "commit", "rollback", "savepoint", "release", "rollback_to"]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN of a statement. `mode`: plan, analyze (run it and measure) or code (the generated source)."""

    statement: Statement
    mode: Literal["plan", "analyze", "code"]
    format: Literal["text", "json"] = "text"
    columns: tuple[OutputColumn, ...] = (OutputColumn("QUERY PLAN", SqlType.TEXT),)


@dataclass(frozen=True, slots=True)
class SetPragma:
    """A PRAGMA that sets something (``PRAGMA foreign_keys = ON``); PRAGMAs that read are queries over a CatalogScan."""

    name: str
    value: str | int


@dataclass(frozen=True, slots=True)
class CheckIntegrity:
    """PRAGMA integrity_check, or quick_check, which leaves indexes out. `table` None means all of them."""

    quick: bool
    table: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Vacuum:
    """VACUUM: remove what no snapshot needs from the guild."""


Statement: TypeAlias = (
    Query
    | Insert
    | Update
    | Delete
    | ViewChange
    | ChangeSchema
    | TransactionControl
    | Explain
    | SetPragma
    | Vacuum
    | CheckIntegrity
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement ready to be compiled: its plan and how its parameters are named.

    `parameters` has one entry a value to bind: the name for ``:name``, ``@name``, ``$name``, None for ``?``.
    """

    statement: Statement
    parameters: tuple[str | None, ...]
