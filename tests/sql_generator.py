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
    generated: list[Column] = field(default_factory=list)
    references: dict[str, tuple[str, str]] = field(default_factory=dict)
    stored: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def readable(self) -> list[Column]:
        """The columns that queries can name."""
        return self.columns + self.generated

    @property
    def targets(self) -> list[tuple[str, ...]]:
        """The keys that ON CONFLICT may name: SQLite does not find one of several columns, one the rowid."""
        kinds = {column.name: column.kind for column in self.columns}
        whole = {key[0] for key in self.keys if len(key) == 1 and kinds[key[0]] == "INTEGER"}
        return [key for key in self.keys if len(key) == 1 or not whole.intersection(key)]


@dataclass(frozen=True)
class Statement:
    """A statement to run on both sides."""

    sql: str
    ordered: bool = False
    loose: bool = False
    parameters: tuple[Any, ...] = ()


class SqlGenerator:
    """Makes examples from one source of randomness; `plain` tables take any rows of fitting types and unique keys."""

    def __init__(self, random: Random, *, plain: bool = False) -> None:
        self.random = random
        self.plain = plain
        self.tables: list[Table] = []
        self.views: list[tuple[str, list[Column]]] = []

    # Schema --------------------------------------------------------------------------------------------------------

    def schema(self, tables: int | None = None) -> list[str]:
        """Return statements that create some tables, with keys, indexes and a view now and then."""
        count = tables or self.random.choice((1, 2, 2, 3, 3, 4))
        self.tables = []
        for number in range(1, count + 1):
            self.tables.append(self._table(f"t{number}"))
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
            columns[0].nullable, columns[0].is_rowid = False, True
            table.keys.append((rowid,))
        elif random.random() < 0.3:
            key = tuple(random.sample(table.names, random.randint(1, min(2, count))))
            parts.append(f"PRIMARY KEY ({', '.join(key)})")
            table.keys.append(key)
            of_key = [column for column in columns if column.name in key]
            of_key[0].is_rowid = len(key) == 1 and of_key[0].kind == "INTEGER"
            for column in columns:
                column.nullable = column.nullable and column.name not in key
        if random.random() < 0.25:
            key = tuple(random.sample(table.names, random.randint(1, min(2, count))))
            parts.append(f"UNIQUE ({', '.join(key)})")
            table.keys.append(key)
        if not self.plain:
            self._generate(table, parts)
            parts += self._constraints(table)
        table.statements.append(f"CREATE TABLE {name} ({', '.join(parts)}) STRICT")
        for number in range(random.choice((0, 0, 1, 1, 2))):
            key = random.sample(table.names, random.randint(1, min(2, count)))
            # With an index that begins with a descending column, SQLite overlooks NULLs in NOT IN (SELECT ...).
            words = [random.choice(("", "", " COLLATE NOCASE")), random.choice(("", " DESC"))]
            terms = [f"{column}{word}" for column, word in zip(key, words, strict=False)]
            table.statements.append(f"CREATE INDEX {name}_i{number} ON {name} ({', '.join(terms)})")
        for number in range(random.choice((0, 0, 1, 2))):
            table.statements.append(self._computed_index(f"{name}_c{number}", table))
        return table

    def _computed_index(self, name: str, table: Table) -> str:
        """Return an index over an expression, or of some rows."""
        random, expressions = self.random, Expressions(self.random)
        column, other = random.choice(table.columns), random.choice(table.columns)
        shape = "{}" if random.random() < 0.3 else expressions.computed(column.kind)
        column.indexed.append(shape)
        terms = [shape.format(column.name), *([other.name] if random.random() < 0.15 else [])]
        condition = random.choice(
            (f"{other.name} IS NOT NULL", f"{other.name} = {literal(expressions.value(other.kind))}")
        )
        where = f" WHERE {condition}" if random.random() < 0.4 else ""
        return f"CREATE INDEX {name} ON {table.name} ({', '.join(terms)}){where}"

    def _generate(self, table: Table, parts: list[str]) -> None:
        """Add a generated column now and then, behind the others and before the constraints."""
        random = self.random
        if random.random() < 0.12:
            scope = Scope([("own", table.columns)])
            value = Expressions(random).of(random.choice(("INTEGER", "REAL", "TEXT")), scope, 2).replace("own.", "")
            if "SELECT" in value:  # SQLite has no subqueries there
                return
            table.generated.append(Column("g", "ANY"))
            parts.insert(len(table.columns), f"g ANY AS ({value}) {random.choice(('STORED', 'VIRTUAL'))}")

    def _constraints(self, table: Table) -> list[str]:
        """Return CHECK constraints and foreign keys."""
        random, parts = self.random, []
        if random.random() < 0.1:
            column = random.choice(table.columns)
            parts.append(
                f"CHECK ({column.name} <> {literal(Expressions(random).value(column.kind))} OR {column.name} > 1)"
            )
        for parent in self.tables:
            pairs = [
                (column.name, key[0])
                for key in parent.keys
                for column in table.columns
                for other in parent.columns
                if len(key) == 1
                and other.name == key[0]
                and column.name != table.rowid
                and (column.kind, column.collation) == (other.kind, other.collation) != ("ANY", "BINARY")
            ]
            if pairs and random.random() < 0.3:
                child, key = random.choice(pairs)
                table.references[child] = (parent.name, key)
                actions = ("", "CASCADE", "SET NULL", "RESTRICT", "NO ACTION", "SET DEFAULT")
                action = [random.choice(actions) for _ in range(2)]
                words = [f" ON {when} {what}" for when, what in zip(("DELETE", "UPDATE"), action, strict=True) if what]
                parts.append(f"FOREIGN KEY ({child}) REFERENCES {parent.name} ({key}){''.join(words)}")
        return parts

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
            row = tuple(self._stored_value(table, column) for column in table.columns)
            if table.rowid is not None and row[0] is None:
                continue
            marks = [tuple(_folded(row[table.names.index(name)]) for name in key) for key in table.keys]
            if any(mark in seen for mark, seen in zip(marks, taken, strict=True)):
                continue
            for mark, seen in zip(marks, taken, strict=True):
                if None not in mark:
                    seen.add(mark)
            found.append(row)
        table.stored = found
        return found

    def _stored_value(self, table: Table, column: Column) -> Any:
        if column.name not in table.references:
            return self.value(column)
        parent, key = table.references[column.name]
        (place,) = [(other, other.names.index(key)) for other in self.tables if other.name == parent]
        return self.random.choice([None, *[row[place[1]] for row in place[0].stored]])

    def value(self, column: Column) -> Any:
        """Return a value that a column can hold; a rowid is not negative, as SQLite may choose negative ones then."""
        if column.nullable and self.random.random() < 0.2:
            return None
        value = Expressions(self.random).value(column.kind)
        return abs(value) if column.is_rowid else value

    def inserts(self) -> list[tuple[str, list[tuple[Any, ...]]]]:
        """Return statements with parameters that fill all tables."""
        found = []
        for table in self.tables:
            places = ", ".join("?" * len(table.columns))
            # Rows may break a CHECK, and those that do may be missing to others.
            either = " OR IGNORE" if any("CHECK" in sql or "FOREIGN" in sql for sql in table.statements) else ""
            found.append((f"INSERT{either} INTO {table.name} VALUES ({places})", self.rows(table)))
        return found

    # Statements ----------------------------------------------------------------------------------------------------

    def query(self, depth: int = 3) -> Statement:
        """Return a SELECT."""
        made = Queries(self.random, self).query(depth)
        return Statement(made.sql, made.ordered, made.loose)

    def change(self) -> Statement:
        """Return an INSERT, UPDATE or DELETE."""
        table = self.random.choice(self.tables)
        sql = self.random.choice((self._insert, self._insert, self._update, self._delete))(table)
        if self.random.random() < 0.15:
            scope = Scope([(table.name, table.readable)])
            items = [Expressions(self.random).of(column.kind, scope, 1) for column in table.columns]
            if any(column.kind in ("REAL", "ANY") for column in table.columns):
                items = table.names  # SQLite gives functions in RETURNING what it stored: whole REAL values as integers
            sql += f" RETURNING {', '.join(items)}"
        return Statement(sql)

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
        if not table.targets or self.random.random() < 0.3:
            return " ON CONFLICT DO NOTHING"
        key = self.random.choice(table.targets)
        free = [column for column in table.columns if column.name not in key]
        if not free:
            return f" ON CONFLICT ({', '.join(key)}) DO NOTHING"
        column = self.random.choice(free)
        new = self.random.choice((f"excluded.{column.name}", literal(self.value(column)), column.name))
        return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {column.name} = {new}"

    def _update(self, table: Table) -> str:
        random = self.random
        scope = Scope([(table.name, table.readable)])
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
        source = ""
        if others.tables and random.random() < 0.15:
            other = random.choice(others.tables)
            best = f"SELECT max({random.choice(other.columns).name}) AS x FROM {other.name}"
            source = f" FROM ({best}) AS f"
            assignments[0] = f"{chosen[0].name} = f.x"
        return f"UPDATE {table.name} SET {', '.join(assignments)}{source}{where}"

    def _delete(self, table: Table) -> str:
        scope = Scope([(table.name, table.readable)])
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
