"""Random SQL that SQLite and discosql must agree on: schemas, rows, queries and changes.

Everything comes from one `random.Random`, so that a seed is an example. What SQL leaves open is avoided: LIMIT stands
behind an ORDER BY over all columns, sums are of halves, window functions see peers as one, aggregates that mind order
are given one. `Statement.loose` says that equal values may come out in another form (1 for 1.0, 'a' for 'A').

The parts: `sql_expressions` the expressions over columns in scope, `sql_queries` SELECT and what is around it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sql_expressions import Column, Expressions, Scope, literal
from sql_queries import Queries

KINDS = ("INTEGER", "INTEGER", "INTEGER", "REAL", "TEXT", "TEXT", "BLOB", "ANY")


@dataclass
class Table:
    """A table: its columns, what must be unique, and the statements that make it."""

    name: str
    columns: list[Column]
    statements: list[str]
    keys: list[tuple[str, ...]] = field(default_factory=list)
    rowid: str | None = None

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


@dataclass(frozen=True)
class Statement:
    """A statement to run on both sides."""

    sql: str
    ordered: bool = False
    loose: bool = False


class SqlGenerator:
    """Makes examples from one source of randomness."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.tables: list[Table] = []
        self.views: list[tuple[str, list[Column]]] = []

    # Schema --------------------------------------------------------------------------------------------------------

    def schema(self, tables: int | None = None) -> list[str]:
        """Return statements that create some tables, with keys, indexes and a view now and then."""
        count = tables or self.random.choice((1, 2, 2, 3, 3, 4))
        self.tables = [self._table(f"t{number}") for number in range(1, count + 1)]
        statements = [sql for table in self.tables for sql in table.statements]
        if self.random.random() < 0.2:
            body = Queries(self.random, self).simple_select()
            names = [f"v{place}" for place in range(len(body.columns))]
            statements.append(f"CREATE VIEW w1({', '.join(names)}) AS {body.sql}")
            columns = [Column(name, column.kind) for name, column in zip(names, body.columns, strict=True)]
            self.views = [("w1", columns)]
        return statements

    def _table(self, name: str) -> Table:
        random = self.random
        count = random.randint(1, 5)
        columns = []
        for place in range(count):
            kind = random.choice(KINDS)
            nullable = random.random() < 0.7
            collation = "NOCASE" if kind == "TEXT" and random.random() < 0.15 else "BINARY"
            columns.append(Column("abcde"[place], kind, nullable, collation))
        table = Table(name, columns, [])
        rowid = columns[0].name if columns[0].kind == "INTEGER" and random.random() < 0.5 else None
        table.rowid = rowid
        parts = [self._column(column, column.name == rowid) for column in columns]
        if rowid is not None:
            columns[0].nullable = False
            table.keys.append((rowid,))
        elif random.random() < 0.3:
            key = tuple(random.sample(table.names, random.randint(1, min(2, count))))
            parts.append(f"PRIMARY KEY ({', '.join(key)})")
            table.keys.append(key)
            for column in columns:
                column.nullable = column.nullable and column.name not in key
        if random.random() < 0.25:
            key = tuple(random.sample(table.names, random.randint(1, min(2, count))))
            parts.append(f"UNIQUE ({', '.join(key)})")
            table.keys.append(key)
        table.statements.append(f"CREATE TABLE {name} ({', '.join(parts)}) STRICT")
        for number in range(random.choice((0, 0, 1, 1, 2))):
            key = random.sample(table.names, random.randint(1, min(2, count)))
            table.statements.append(f"CREATE INDEX {name}_i{number} ON {name} ({', '.join(key)})")
        return table

    def _column(self, column: Column, is_rowid: bool) -> str:
        text = f"{column.name} {column.kind}"
        if is_rowid:
            return text + " PRIMARY KEY"
        if not column.nullable:
            text += " NOT NULL"
        if column.collation != "BINARY":
            text += f" COLLATE {column.collation}"
        if self.random.random() < 0.15:
            text += f" DEFAULT {literal(self.value(column))}"
            column.nullable = column.nullable
        return text

    # Rows ----------------------------------------------------------------------------------------------------------

    def rows(self, table: Table, most: int = 12) -> list[tuple[Any, ...]]:
        """Return rows for a table that break none of its keys."""
        taken: list[set[Any]] = [set() for _ in table.keys]
        found = []
        for _ in range(self.random.choice((0, 2, 5, 8, most, most, most))):
            row = tuple(self.value(column) for column in table.columns)
            if table.rowid is not None and row[0] is None:
                continue
            marks = [tuple(_folded(row[table.names.index(name)]) for name in key) for key in table.keys]
            if any(mark in seen for mark, seen in zip(marks, taken, strict=True)):
                continue
            for mark, seen in zip(marks, taken, strict=True):
                if None not in mark:
                    seen.add(mark)
            found.append(row)
        return found

    def value(self, column: Column) -> Any:
        """Return a value that a column can hold."""
        if column.nullable and self.random.random() < 0.2:
            return None
        return Expressions(self.random).value(column.kind)

    def inserts(self) -> list[tuple[str, list[tuple[Any, ...]]]]:
        """Return statements with parameters that fill all tables."""
        found = []
        for table in self.tables:
            places = ", ".join("?" * len(table.columns))
            found.append((f"INSERT INTO {table.name} VALUES ({places})", self.rows(table)))
        return found

    # Statements ----------------------------------------------------------------------------------------------------

    def query(self, depth: int = 3) -> Statement:
        """Return a SELECT."""
        made = Queries(self.random, self).query(depth)
        return Statement(made.sql, made.ordered, made.loose)

    def change(self) -> Statement:
        """Return an INSERT, UPDATE or DELETE."""
        table = self.random.choice(self.tables)
        return Statement(self.random.choice((self._insert, self._insert, self._update, self._delete))(table))

    def _insert(self, table: Table) -> str:
        random = self.random
        columns = [column for column in table.columns if random.random() < 0.85] or table.columns[:1]
        names = ", ".join(column.name for column in columns)
        head = random.choice(("INSERT", "INSERT", "INSERT OR IGNORE", "INSERT OR REPLACE", "REPLACE"))
        if random.random() < 0.25:
            source = Queries(random, self).ordered_source([column.kind for column in columns])
        else:
            rows = [
                "(" + ", ".join(literal(self.value(column)) for column in columns) + ")"
                for _ in range(random.choice((1, 1, 2, 3)))
            ]
            source = "VALUES " + ", ".join(rows)
        upsert = ""
        if head == "INSERT" and table.keys and random.random() < 0.4:
            upsert = self._upsert(table)
            if not source.startswith("VALUES"):
                source = f"SELECT * FROM ({source}) WHERE true"
        return f"{head} INTO {table.name} ({names}) {source}{upsert}"

    def _upsert(self, table: Table) -> str:
        # SQLite does not find a key of several columns by its target if the rowid is among them.
        keys = [key for key in table.keys if table.rowid not in key or len(key) == 1]
        if not keys or self.random.random() < 0.3:
            return " ON CONFLICT DO NOTHING"
        key = self.random.choice(keys)
        free = [column for column in table.columns if column.name not in key]
        if not free:
            return f" ON CONFLICT ({', '.join(key)}) DO NOTHING"
        column = self.random.choice(free)
        new = self.random.choice((f"excluded.{column.name}", literal(self.value(column)), column.name))
        return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {column.name} = {new}"

    def _update(self, table: Table) -> str:
        random = self.random
        scope = Scope([(table.name, table.columns)])
        # A new value must not read the table: SQLite shows it rows that are changed already.
        others = SqlGenerator(random)
        others.tables = [other for other in self.tables if other is not table]
        values = Expressions(random, Queries(random, others) if others.tables else None)
        chosen = random.sample(table.columns, random.randint(1, min(2, len(table.columns))))
        assignments = []
        for column in chosen:
            new = literal(self.value(column)) if random.random() < 0.5 else values.of(column.kind, scope, 2)
            assignments.append(f"{column.name} = {new}")
        condition = Expressions(random, Queries(random, self)).condition(scope, 2)
        where = f" WHERE {condition}" if random.random() < 0.8 else ""
        return f"UPDATE {table.name} SET {', '.join(assignments)}{where}"

    def _delete(self, table: Table) -> str:
        scope = Scope([(table.name, table.columns)])
        return (
            f"DELETE FROM {table.name} WHERE {Expressions(self.random, Queries(self.random, self)).condition(scope, 2)}"
        )


# Comparing results -------------------------------------------------------------------------------------------------


def _folded(value: Any) -> Any:
    """Return one form for all values that some collation or number class takes for equal."""
    if isinstance(value, str):
        return value.lower().rstrip(" ")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _shown(value: Any, loose: bool) -> tuple[str, str]:
    if loose:
        value = _folded(value)
    elif value == 0 and isinstance(value, float):
        value = 0.0
    return type(value).__name__, repr(value)


def comparable(statement: Statement, rows: Iterable[Sequence[Any]]) -> list[Any]:
    """Return rows in a form that is equal where the results are. Equal values of an order may change places."""
    found = list(rows)
    shown = sorted(tuple(_shown(value, statement.loose) for value in row) for row in found)
    if statement.ordered:
        return [[tuple(_shown(value, True) for value in row) for row in found], shown]
    return shown
