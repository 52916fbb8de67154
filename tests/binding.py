"""One schema for the planner and for SQLite, to ask both about the same query."""

from functools import cache

from pysqlite3 import dbapi2

from discosql.executor.compile import evaluate_constant
from discosql.executor.functions import DEFAULT
from discosql.planner.build import Binder
from discosql.planner.context import PlanContext
from discosql.planner.grammar.syntax import QueryStatement
from discosql.planner.parse import parse
from discosql.planner.plan import Expression, Node, OutputColumn, Projection
from discosql.schema import Catalog, Column, TableSchema, View
from discosql.types import SqlType, Value, declared_type

TABLES = {
    "t": "a INTEGER, b TEXT, c REAL NOT NULL",
    "u": "a INTEGER, d TEXT COLLATE NOCASE, e BLOB",
    "Wide": 'Id INTEGER PRIMARY KEY, "two words" TEXT, c NUMERIC, "any" ANY',
    "own": "moment TIMESTAMP, amount DECIMAL, id UUID, flag BOOLEAN, day DATE, doc JSON, at TIMESTAMP",
}
VIEWS = {
    "v": ((), "SELECT a, b AS bee, a+1 FROM t"),
    "w": (("x", "y"), "SELECT a, b FROM t"),
    "circle": ((), "SELECT * FROM round"),
    "round": ((), "SELECT * FROM circle"),
}


def _column(position: int, words: str) -> Column:
    name, declared, *rest = words.replace('"two words"', "two_words").split()
    return Column(
        position,
        name.replace("two_words", "two words").strip('"'),
        declared_type(declared),
        declared,
        "NOT" in rest,
        collation=rest[1] if rest[:1] == ["COLLATE"] else "BINARY",
    )


def catalog() -> Catalog:
    """Return the schema."""
    made = Catalog()
    for number, (name, words) in enumerate(TABLES.items()):
        columns = tuple(_column(position, column) for position, column in enumerate(words.split(", ")))
        rowid = 0 if "PRIMARY KEY" in words else None
        made = made.with_table(TableSchema(100 * (number + 1), name, columns, rowid_column=rowid))
    for name, (columns, query) in VIEWS.items():
        made = made.with_view(View(name, columns, query))
    return made


def _evaluated(expression: Expression) -> Value:
    return evaluate_constant(expression, DEFAULT)


CONTEXT = PlanContext(catalog(), DEFAULT.signatures(), _evaluated)


def build(sql: str) -> tuple[Node, tuple[OutputColumn, ...]]:
    """Return the unoptimised plan and the result columns of a query."""
    parsed = parse(sql)
    assert isinstance(parsed.syntax, QueryStatement)
    return Binder(CONTEXT, parsed.parameters).build_query(parsed.syntax.tree)


def bound(expression: str, tables: str = "t") -> Expression:
    """Return what an expression over some tables is bound to."""
    node, _ = build(f"SELECT {expression} FROM {tables}")
    assert isinstance(node, Projection)
    return node.expressions[0]


def type_of(expression: str, tables: str = "t") -> SqlType | None:
    """Return the type of an expression over some tables."""
    return bound(expression, tables).type


def new_oracle() -> dbapi2.Connection:
    """Return a new SQLite database with the schema."""
    connection = dbapi2.connect(":memory:")
    for name, words in TABLES.items():
        connection.execute(f"CREATE TABLE {name} ({words})")
    for name, (columns, query) in VIEWS.items():
        names = f"({', '.join(columns)})" if columns else ""
        connection.execute(f"CREATE VIEW {name}{names} AS {query}")
    return connection


@cache
def oracle() -> dbapi2.Connection:
    """Return a SQLite database with the schema and no rows."""
    return new_oracle()


def oracle_names(sql: str) -> list[str]:
    """Return the names of the result columns in SQLite."""
    return [column[0] for column in oracle().execute(sql).description]
