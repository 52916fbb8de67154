"""Statements as read: what the grammar hands to the planner. Names are without quotes, schema expressions are text."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sqlglot import exp

from discosql.planner.plan import Resolution
from discosql.schema import ForeignKey


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a table, index or view, with that of its database where given."""

    name: str
    database: str | None = None


# Queries and changes of rows ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueryStatement:
    """SELECT, VALUES, and set operations of them."""

    tree: exp.Expr


@dataclass(frozen=True, slots=True)
class Assignment:
    """``names = value``: several names take the columns of a row value or a subquery."""

    names: tuple[str, ...]
    value: exp.Expr


@dataclass(frozen=True, slots=True)
class IndexedColumn:
    """A column in a key, with a collation of its own or None; or an `expression`, whose text is the name."""

    name: str
    collation: str | None = None
    descending: bool = False
    expression: exp.Expr | None = None


@dataclass(frozen=True, slots=True)
class UpsertClause:
    """``ON CONFLICT (target) DO …``: `target` None is any constraint, `assignments` None is DO NOTHING.

    `target_where` is the condition of a partial index.
    """

    target: tuple[IndexedColumn, ...] | None
    assignments: tuple[Assignment, ...] | None
    where: exp.Expr | None
    target_where: exp.Expr | None = None


@dataclass(frozen=True, slots=True)
class InsertStatement:
    """INSERT and REPLACE: `columns` None are all of the table's, `source` None is DEFAULT VALUES."""

    table: Name
    alias: str | None
    columns: tuple[str, ...] | None
    source: exp.Expr | None
    resolution: Resolution | None
    upserts: tuple[UpsertClause, ...]
    returning: tuple[exp.Expr, ...] | None


@dataclass(frozen=True, slots=True)
class UpdateStatement:
    """UPDATE: `source` is ``SELECT * FROM table AS alias, … WHERE …``, the rows to change; `joined` tells of a FROM."""

    table: Name
    alias: str | None
    assignments: tuple[Assignment, ...]
    source: exp.Expr
    resolution: Resolution | None
    returning: tuple[exp.Expr, ...] | None
    joined: bool = False


@dataclass(frozen=True, slots=True)
class DeleteStatement:
    """DELETE: `source` is ``SELECT * FROM table AS alias WHERE …``, the rows to remove."""

    table: Name
    alias: str | None
    source: exp.Expr
    returning: tuple[exp.Expr, ...] | None


# Changes of the schema ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyConstraint:
    """PRIMARY KEY or UNIQUE. `of_column`: written in a column's definition."""

    primary: bool
    columns: tuple[IndexedColumn, ...]
    autoincrement: bool = False
    of_column: bool = False
    conflict: str | None = None


@dataclass(frozen=True, slots=True)
class CheckConstraint:
    """CHECK with its text."""

    name: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A FOREIGN KEY whose child columns are still names; `key` has no columns yet."""

    columns: tuple[str, ...]
    key: ForeignKey
    of_column: bool = False


@dataclass(slots=True)
class ColumnDefinition:
    """A column as written; its keys, checks and references are with those of the table.

    A default that is a bare name is a text literal, unless it stands in parentheses. `start` is its place in the text,
    `type_span` that of its type, of no length where none is written.
    """

    name: str
    declared: str
    not_null: bool = False
    conflict: str | None = None
    default: str | None = None
    default_in_parentheses: bool = False
    collation: str = "BINARY"
    generated: str | None = None
    stored: bool = False
    start: int = 0
    type_span: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class TableDefinition:
    """What stands in the parentheses of CREATE TABLE and behind them, in the order written.

    `columns_end` is the place in the text where the columns end: that of a comma or of the closing parenthesis.
    """

    columns: list[ColumnDefinition] = field(default_factory=list)
    keys: list[KeyConstraint] = field(default_factory=list)
    checks: list[CheckConstraint] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    without_rowid: bool = False
    strict: bool = False
    columns_end: int = 0


@dataclass(frozen=True, slots=True)
class CreateTable:
    """CREATE TABLE: by definition, or as a query's rows. `sql` is the text that sqlite_master shows."""

    name: Name
    if_not_exists: bool
    definition: TableDefinition
    query: exp.Expr | None
    sql: str
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """CREATE INDEX. `where` is the text of a partial index's condition."""

    name: Name
    table: str
    columns: tuple[IndexedColumn, ...]
    unique: bool
    if_not_exists: bool
    sql: str
    where: str | None = None


@dataclass(frozen=True, slots=True)
class CreateView:
    """CREATE VIEW with the text of its query."""

    name: Name
    columns: tuple[str, ...]
    query: str
    if_not_exists: bool
    sql: str
    temporary: bool = False


TriggerStep: TypeAlias = QueryStatement | InsertStatement | UpdateStatement | DeleteStatement


@dataclass(frozen=True, slots=True)
class CreateTrigger:
    """CREATE TRIGGER: `columns` are those of UPDATE OF, `sql` is the text that sqlite_master shows."""

    name: Name
    table: Name
    timing: Literal["before", "after", "instead of"]
    event: Literal["insert", "update", "delete"]
    columns: tuple[str, ...]
    when: exp.Expr | None
    steps: tuple[TriggerStep, ...]
    sql: str
    temporary: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """DROP TABLE, INDEX, VIEW or TRIGGER."""

    kind: Literal["table", "index", "view", "trigger"]
    name: Name
    if_exists: bool


@dataclass(frozen=True, slots=True)
class RenameTable:
    """ALTER TABLE … RENAME TO. `quoted`: the new name was written in quotes."""

    table: Name
    new_name: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class RenameColumn:
    """ALTER TABLE … RENAME COLUMN … TO. `quoted` as in `RenameTable`."""

    table: Name
    column: str
    new_name: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class AddColumn:
    """ALTER TABLE … ADD COLUMN. `definition` holds the one column; `text` is its text."""

    table: Name
    definition: TableDefinition
    text: str


@dataclass(frozen=True, slots=True)
class DropColumn:
    """ALTER TABLE … DROP COLUMN."""

    table: Name
    column: str


# Commands -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pragma:
    """PRAGMA: `value` None reads; `is_call` tells ``name(value)`` from ``name = value``."""

    name: str
    value: str | None = None
    is_call: bool = False
    database: str | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE, ROLLBACK TO."""

    kind: Literal["begin", "commit", "rollback", "savepoint", "release", "rollback_to"]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ExplainStatement:
    """EXPLAIN of a statement."""

    statement: "StatementSyntax"
    mode: Literal["plan", "analyze", "code"]
    format: Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class VacuumStatement:
    """VACUUM."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """A statement with nothing to do: an empty text, ANALYZE, REINDEX. `name` must be known, if given."""

    word: str = ""
    name: Name | None = None


StatementSyntax: TypeAlias = (
    QueryStatement
    | InsertStatement
    | UpdateStatement
    | DeleteStatement
    | CreateTable
    | CreateIndex
    | CreateView
    | CreateTrigger
    | Drop
    | RenameTable
    | RenameColumn
    | AddColumn
    | DropColumn
    | Pragma
    | Transaction
    | ExplainStatement
    | VacuumStatement
    | Nothing
)
