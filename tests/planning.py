"""Planning without a database: a catalog that grows statement by statement, beside SQLite as the oracle."""

from collections.abc import Iterable
from typing import Any

from pysqlite3 import dbapi2

from discosql.errors import Error
from discosql.planner.context import PlanContext
from discosql.planner.plan import ChangeSchema, Constant, Expression, FunctionSignature, Statement, Unary
from discosql.planner.prepare import prepare
from discosql.schema import Catalog, TableSchema
from discosql.statistics import TableStatistics
from discosql.types import SqlType, Value

_SCALARS = (
    "abs upper lower length coalesce ifnull nullif max min glob like random date typeof substr instr iif current_time"
)
_AGGREGATES = "count sum avg total max min group_concat"
_WINDOWS = "row_number rank"

SIGNATURES = {
    (name, kind): FunctionSignature(name, 0, None, kind, SqlType.INTEGER, deterministic=name != "random")
    for kind, names in (("scalar", _SCALARS), ("aggregate", _AGGREGATES), ("window", _WINDOWS))
    for name in names.split()
}


def evaluate(expression: Expression) -> Value:
    """Evaluate what the tests need as a constant."""
    if isinstance(expression, Unary) and isinstance(expression.operand, Constant):
        value = expression.operand.value
        return -value if expression.operator == "-" and isinstance(value, int | float) else value
    assert isinstance(expression, Constant), expression
    return expression.value


class Schema:
    """A catalog that statements change. `rows` is what the planner is told of the size of each table."""

    def __init__(self, *statements: str) -> None:
        self.catalog = Catalog()
        self.rows = 0
        for sql in statements:
            self.run(sql)

    def context(self) -> PlanContext:
        return PlanContext(
            self.catalog, SIGNATURES, evaluate, lambda _table: TableStatistics(self.rows), optimise=False
        )

    def plan(self, sql: str) -> Statement:
        return prepare(sql, self.context()).statement

    def run(self, sql: str) -> Statement:
        statement = self.plan(sql)
        if isinstance(statement, ChangeSchema):
            self.catalog = statement.catalog
        return statement


def outcome(schema: Schema, sql: str) -> str:
    """Return the message of the error that a statement gives, empty if it is accepted."""
    try:
        schema.run(sql)
    except Error as error:
        return str(error)
    return ""


def oracle(*statements: str) -> dbapi2.Connection:
    """Return an SQLite database on which the statements were run."""
    connection = dbapi2.connect(":memory:", isolation_level=None)
    for sql in statements:
        connection.execute(sql)
    return connection


def oracle_outcome(connection: dbapi2.Connection, sql: str) -> str:
    """Return the message of the error that SQLite gives, empty if it accepts the statement."""
    try:
        connection.execute(sql)
    except (dbapi2.Error, dbapi2.Warning) as error:
        return str(error)
    return ""


def described(catalog: Catalog) -> dict[str, Any]:
    """Return all that PRAGMAs would tell of a catalog."""
    tables = {table.name: _described(table) for table in catalog.tables.values()}
    return {"tables": tables, "views": {view.name: view.sql for view in catalog.views.values()}}


def _described(table: TableSchema) -> dict[str, Any]:
    keys = {position: number for number, position in enumerate(table.primary_key, start=1)}
    columns = [
        (
            column.name,
            column.declared,
            int(column.not_null),
            column.default,
            keys.get(position, 0),
            0 if column.generated is None else 3 if column.stored else 2,
        )
        for position, column in enumerate(table.columns)
    ]
    indexes = {
        index.name: (
            int(index.unique),
            index.origin,
            [
                (table.columns[position].name, int(descending), collation)
                for position, descending, collation in zip(
                    index.columns, index.descending, index.collations, strict=True
                )
            ],
            index.sql,
        )
        for index in table.indexes
    }
    foreign_keys = [
        (
            key.parent,
            tuple(table.columns[position].name for position in key.columns),
            key.parent_columns or (None,) * len(key.columns),
            key.on_update,
            key.on_delete,
        )
        for key in table.foreign_keys
    ]
    return {"columns": columns, "indexes": indexes, "foreign keys": foreign_keys, "sql": table.sql}


def described_by_oracle(connection: dbapi2.Connection) -> dict[str, Any]:
    """Return the same of an SQLite database."""
    master = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE name <> 'sqlite_sequence'").fetchall()
    tables = {name: _asked(connection, name, sql) for type_, name, sql in master if type_ == "table"}
    return {"tables": tables, "views": {name: sql for type_, name, sql in master if type_ == "view"}}


def _asked(connection: dbapi2.Connection, table: str, sql: str) -> dict[str, Any]:
    def ask(query: str, name: str) -> list[Any]:
        return connection.execute(query, (name,)).fetchall()

    info = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)'
    indexes = {}
    for name, unique, origin in ask('SELECT name, "unique", origin FROM pragma_index_list(?)', table):
        columns = ask('SELECT name, "desc", upper(coll) FROM pragma_index_xinfo(?) WHERE "key"', name)
        (text,) = ask("SELECT sql FROM sqlite_master WHERE name = ?", name) or [(None,)]
        indexes[name] = (unique, origin, columns, text[0])
    keys: dict[int, list[Any]] = {}
    for row in ask("SELECT * FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq", table):
        keys.setdefault(row[0], []).append(row)
    foreign_keys = [
        (rows[0][2], tuple(row[3] for row in rows), tuple(row[4] for row in rows), rows[0][5], rows[0][6])
        for rows in keys.values()
    ]
    return {"columns": ask(info, table), "indexes": indexes, "foreign keys": foreign_keys, "sql": sql}


def differences(schema: Schema, connection: dbapi2.Connection, statements: Iterable[str]) -> list[str]:
    """Run statements on both sides; return those that only one side accepts, or that leave different schemas."""
    found = []
    for sql in statements:
        ours, theirs = outcome(schema, sql), oracle_outcome(connection, sql)
        if bool(ours) != bool(theirs) and "constraint failed" not in theirs:
            found.append(f"{sql}\n  discosql: {ours or 'accepted'}\n  SQLite: {theirs or 'accepted'}")
    mine, oracles = described(schema.catalog), described_by_oracle(connection)
    if not found and mine != oracles:
        found.append(f"{list(statements)}\n  discosql: {mine}\n  SQLite: {oracles}")
    return found
