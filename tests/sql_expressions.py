"""Random expressions over the columns in scope: the part of `sql_generator` below the level of queries."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

TEXTS = ("a", "A", "b", "ab", "aB", "", "1", "01", "2.5", "é", "z ", "b'c", "10", "%", "a_b")
INTEGERS = (-2, -1, 0, 0, 1, 1, 2, 2, 3, 4, 5, 7, 10)
BLOBS = (b"", b"a", b"\x00\xff", b"1")
DATES = ("2024-02-29", "2023-12-31 23:59:59", "2000-01-01", "1969-07-20 20:17", "12:30", "2451545", "noon", "")
MODIFIERS = ("+1 day", "-1 month", "start of month", "+13 hours", "weekday 1", "start of year", "+1 year", "auto")
FORMATS = ("%Y-%m-%d", "%H:%M", "%j", "%w %s", "%d.%m.")
JSON = ('{"a": 1, "b": [1, 2.5, null, "x"]}', "[]", '[1, "two", {"c": true}]', '"text"', "7", '{"a": {"b": {}}}')
PATHS = ("$", "$.a", "$.b", "$.b[1]", "$[0]", "$[#-1]", "$.a.b", "$[2].c", "$.none")


@dataclass
class Column:
    """A column that a table or a query offers; `indexed` are expressions over it that have an index."""

    name: str
    kind: str
    nullable: bool = True
    collation: str = "BINARY"
    is_rowid: bool = False
    indexed: list[str] = field(default_factory=list, compare=False)


@dataclass
class Scope:
    """The tables that an expression can name, by alias, and the scope around."""

    tables: list[tuple[str, list[Column]]]
    outer: "Scope | None" = None

    def columns(self) -> list[tuple[str, Column]]:
        """Return all columns with the names by which they can be used, those of outer queries too."""
        found = [(f"{alias}.{column.name}", column) for alias, columns in self.tables for column in columns]
        return found + (self.outer.columns() if self.outer is not None else [])

    def own(self) -> list[tuple[str, Column]]:
        """Return the columns of this query's own tables."""
        return Scope(self.tables).columns()


class Subqueries(Protocol):
    """What makes queries within expressions."""

    def scalar(self, kind: str, scope: Scope, depth: int) -> str:
        """Return a query of one value."""

    def exists(self, scope: Scope, depth: int) -> str:
        """Return a query whose rows may depend on the scope."""

    def values(self, kinds: list[str], scope: Scope, depth: int) -> str:
        """Return a query of so many columns."""


def literal(value: Any) -> str:
    """Return a value as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


COMPUTED = {
    "INTEGER": ("abs({})", "{} % 3", "{} + 1", "CAST({} AS TEXT)"),
    "REAL": ("round({})", "{} * 2", "CAST({} AS INTEGER)"),
    "TEXT": ("lower({})", "length({})", "substr({}, 1, 1)", "{} || 'a'", "trim({}) COLLATE NOCASE"),
    "BLOB": ("hex({})", "length({})"),
    "ANY": ("typeof({})", "coalesce({}, 0)", "upper({})"),
}
"""Expressions over one column, by its kind, that indexes are made of and conditions ask for."""


@dataclass
class Expressions:
    """Makes expressions; without `queries`, none with subqueries."""

    random: Random
    queries: Subqueries | None = None
    collations: tuple[str, ...] = field(default=("NOCASE", "BINARY", "RTRIM"))

    def value(self, kind: str) -> Any:
        """Return a value of a kind that is not NULL."""
        random = self.random
        if kind == "INTEGER":
            rare = random.random()
            if rare < 0.03:
                return random.choice((2**53, 2**53 + 1, -(2**53)))
            return random.choice(INTEGERS)
        if kind == "REAL":
            return random.choice(INTEGERS) / random.choice((1, 2, 2, 4))
        if kind == "TEXT":
            return random.choice(TEXTS)
        if kind == "BLOB":
            return random.choice(BLOBS)
        return self.value(random.choice(("INTEGER", "REAL", "TEXT", "BLOB")))

    # Values --------------------------------------------------------------------------------------------------------

    def of(self, kind: str, scope: Scope, depth: int) -> str:
        """Return an expression whose value is mostly of a kind."""
        random = self.random
        if random.random() < 0.04:
            kind = random.choice(("INTEGER", "REAL", "TEXT", "BLOB"))
        if depth <= 0 or random.random() < 0.35:
            return self._leaf(kind, scope)
        if self.queries is not None and random.random() < 0.08:
            return self.queries.scalar(kind, scope, depth - 1)
        if random.random() < 0.15:
            return self._any(kind, scope, depth - 1)
        if kind in ("INTEGER", "REAL"):
            return self._number(kind, scope, depth - 1)
        if kind == "TEXT":
            return self._text(scope, depth - 1)
        return self._leaf(kind, scope)

    def _leaf(self, kind: str, scope: Scope) -> str:
        random = self.random
        fitting = [name for name, column in scope.columns() if column.kind == kind]
        if fitting and random.random() < 0.75:
            own = len([name for name, column in scope.own() if column.kind == kind])
            return random.choice(fitting[:own] if own and random.random() < 0.7 else fitting)
        others = scope.columns()
        if others and random.random() < 0.1:
            return random.choice(others)[0]
        return "NULL" if random.random() < 0.06 else literal(self.value(kind))

    def _any(self, kind: str, scope: Scope, depth: int) -> str:
        random = self.random
        first = self.of(kind, scope, depth)
        choice = random.randint(0, 7)
        if choice == 0:
            return f"coalesce({first}, {self.of(kind, scope, depth)})"
        if choice == 1:
            return f"nullif({first}, {self.of(kind, scope, depth)})"
        if choice == 2:
            return f"CASE WHEN {self.condition(scope, depth)} THEN {first} ELSE {self.of(kind, scope, depth)} END"
        if choice == 3:
            other = random.choice(("INTEGER", "TEXT"))
            operand, when = self.of(other, scope, depth), self.of(other, scope, depth)
            return f"CASE {operand} WHEN {when} THEN {first} WHEN {self.of(other, scope, depth)} THEN NULL END"
        if choice == 4:
            return f"iif({self.condition(scope, depth)}, {first}, {self.of(kind, scope, depth)})"
        if choice == 5:
            return f"{random.choice(('min', 'max'))}({first}, {self.of(kind, scope, depth)})"
        if choice == 6:
            return f"ifnull({first}, {literal(self.value(kind))})"
        return f"({first})"

    def _number(self, kind: str, scope: Scope, depth: int) -> str:
        random = self.random
        choice = random.randint(0, 12)
        first = self.of(kind, scope, depth)
        if choice > 9:
            return self._number_of_text(scope, depth)
        if choice < 5:
            operator = random.choice(("+", "-", "+", "-", "*", "/", "%", "&", "|", "<<", ">>"))
            return f"({first} {operator} {self.of(kind, scope, depth)})"
        if choice == 5:
            return f"abs({first})"
        if choice == 6:
            return f"(-{first})" if not first.startswith("-") else f"(- {first})"
        if choice == 7:
            return f"length({self.of('TEXT', scope, depth)})"
        if choice == 8:
            return f"CAST({self.of(random.choice(('TEXT', 'REAL')), scope, depth)} AS {kind})"
        return f"({self.condition(scope, depth)})"

    def _number_of_text(self, scope: Scope, depth: int) -> str:
        random = self.random
        text = self.of("TEXT", scope, depth)
        forms: tuple[Callable[[], str], ...] = (
            lambda: f"instr({text}, {self._leaf('TEXT', scope)})",
            lambda: f"unicode({text})",
            lambda: f"round({self.of('REAL', scope, depth)}, {random.choice((0, 1, 2))})",
            lambda: f"sign({self.of(random.choice(('REAL', 'TEXT')), scope, depth)})",
            lambda: f"(~{self.of('INTEGER', scope, depth)})",
            lambda: f"julianday({self._moment()})",
            lambda: f"unixepoch({self._moment()})",
            lambda: f"json_array_length({literal(random.choice(JSON))}, {literal(random.choice(PATHS))})",
            lambda: f"json_extract({literal(random.choice(JSON))}, {literal(random.choice(PATHS))})",
            lambda: f"octet_length({text})",
        )
        return random.choice(forms)()

    def _moment(self) -> str:
        modifiers = [literal(self.random.choice(MODIFIERS)) for _ in range(self.random.choice((0, 1, 1, 2)))]
        return ", ".join([literal(self.random.choice(DATES)), *modifiers])

    def _text_of_values(self, scope: Scope, depth: int) -> str:
        random = self.random
        value = self.of(random.choice(("INTEGER", "REAL", "TEXT", "BLOB")), scope, depth)
        # JSON cannot hold blobs, and whether an error comes up may depend on the order of evaluation.
        safe = [f"quote({value})", f"typeof({value})", f"CAST({self.of('INTEGER', scope, depth)} AS INTEGER)", "NULL"]
        forms: tuple[Callable[[], str], ...] = (
            lambda: f"hex({value})",
            lambda: f"quote({value})",
            lambda: f"format('%d|%s|%5.1f|%q', {value}, {value}, {self.of('REAL', scope, depth)}, {value})",
            lambda: f"concat({value}, {self._leaf('TEXT', scope)})",
            lambda: f"concat_ws({self._leaf('TEXT', scope)}, {value}, NULL, 'z')",
            lambda: f"ltrim({self.of('TEXT', scope, depth)}, 'ab')",
            lambda: f"{random.choice(('date', 'time', 'datetime'))}({self._moment()})",
            lambda: f"strftime({literal(random.choice(FORMATS))}, {self._moment()})",
            lambda: f"json_array({random.choice(safe)}, {random.choice(safe)})",
            lambda: f"json_object('k', {random.choice(safe)}, 'l', json({literal(random.choice(JSON))}))",
            lambda: f"json_type({literal(random.choice(JSON))}, {literal(random.choice(PATHS))})",
            lambda: f"({literal(random.choice(JSON))} {random.choice(('->', '->>'))} {literal(random.choice(PATHS))})",
            lambda: f"json_set({literal(random.choice(JSON))}, '$.n', {random.choice(safe)})",
            lambda: f"json_remove({literal(random.choice(JSON))}, {literal(random.choice(PATHS[1:]))})",
        )
        return random.choice(forms)()

    def _text(self, scope: Scope, depth: int) -> str:
        random = self.random
        first = self.of("TEXT", scope, depth)
        choice = random.randint(0, 9)
        if choice > 6:
            return self._text_of_values(scope, depth)
        if choice == 0:
            return f"({first} || {self.of('TEXT', scope, depth)})"
        if choice in (1, 2):
            return f"{random.choice(('lower', 'upper', 'trim', 'rtrim'))}({first})"
        if choice == 3:
            return f"substr({first}, {random.choice((1, 2, -1, 0))}, {random.choice((1, 2, 3))})"
        if choice == 4:
            return f"typeof({self.of(random.choice(('INTEGER', 'REAL', 'ANY')), scope, depth)})"
        if choice == 5:
            return f"CAST({self.of(random.choice(('INTEGER', 'TEXT')), scope, depth)} AS TEXT)"
        return f"replace({first}, 'a', {self.of('TEXT', scope, depth)})"

    # Conditions ----------------------------------------------------------------------------------------------------

    def condition(self, scope: Scope, depth: int) -> str:
        """Return a condition."""
        random = self.random
        if depth > 0:
            choice = random.random()
            if choice < 0.16:
                return f"({self.condition(scope, depth - 1)} AND {self.condition(scope, depth - 1)})"
            if choice < 0.36:
                return f"({self.condition(scope, depth - 1)} OR {self.condition(scope, depth - 1)})"
            if choice < 0.42:
                return f"NOT ({self.condition(scope, depth - 1)})"
            if self.queries is not None and choice < 0.58:
                return self._with_query(scope, depth - 1)
        return self._test(scope, depth)

    def _kind(self) -> str:
        return self.random.choice(("INTEGER", "INTEGER", "INTEGER", "REAL", "TEXT", "TEXT", "BLOB", "ANY"))

    def _test(self, scope: Scope, depth: int) -> str:
        random = self.random
        kind = self._kind()
        if random.random() < 0.12 and scope.own():
            name, column = random.choice(scope.own())
            operator = random.choice(("=", "=", "=", "<", ">=", "IS"))
            other = literal(self.value(column.kind))
            indexed = [item for item in scope.own() if item[1].indexed]
            if indexed and random.random() < 0.7:
                name, column = random.choice(indexed)
                shape = random.choice(column.indexed)
                return f"{shape.format(name)} {operator} {shape.format(literal(self.value(column.kind)))}"
            return f"{name} {operator} {other}"
        first = self.of(kind, scope, min(depth, 1))
        tests: tuple[tuple[float, Callable[[], str]], ...] = (
            (0.24, lambda: f"{first} = {self.of(kind, scope, min(depth, 1))}{self._collated(kind)}"),
            (0.52, lambda: f"{first} {random.choice(('<', '<=', '>', '>=', '<>'))} {self.of(kind, scope, 1)}"),
            (0.62, lambda: self._in(first, kind, scope)),
            (0.70, lambda: f"{first} IS {random.choice(('', 'NOT '))}NULL"),
            (0.76, lambda: f"{first} BETWEEN {self.of(kind, scope, 0)} AND {self.of(kind, scope, 0)}"),
            (0.81, lambda: f"{first} IS {random.choice(('', 'NOT '))}{self.of(kind, scope, 0)}"),
            (
                0.87,
                lambda: f"{self.of('TEXT', scope, 0)} LIKE {literal(random.choice(('a%', '%b', '_', '%', 'A_', '')))}",
            ),
            (0.89, lambda: f"{self.of('TEXT', scope, 0)} GLOB {literal(random.choice(('a*', '*b', '?', '[ab]*')))}"),
            (0.94, lambda: self._equal_columns(scope) or f"{first} = {self.of(kind, scope, 0)}"),
            (0.97, lambda: self._of_rows(first, kind, scope)),
            (1.00, lambda: random.choice((first, "1", "0", "NULL", "1 = 1", f"({first}, 1) = (1, 1)"))),
        )
        at = random.random()
        return next(make for limit, make in tests if at <= limit)()

    def computed(self, kind: str) -> str:
        """Return an expression over a column of a kind, with a place for it."""
        return self.random.choice(COMPUTED[kind])

    def _of_rows(self, first: str, kind: str, scope: Scope) -> str:
        """Return a test of row values, or one that is rare."""
        random = self.random
        second = self.of(kind, scope, 0)
        number, other = self.of("INTEGER", scope, 0), self.of("INTEGER", scope, 0)
        operator = random.choice(("=", "<", "<=", ">", ">=", "<>", "IS", "IS NOT"))
        rows = ", ".join(f"({self.of(kind, Scope([]), 0)}, {random.choice(INTEGERS)})" for _ in range(3))
        forms = (
            f"({first}, {number}) {operator} ({second}, {other})",
            f"({first}, {number}) {random.choice(('', 'NOT '))}IN (VALUES {rows})",
            f"({number}, {other}) BETWEEN ({random.choice(INTEGERS)}, 0) AND ({random.choice(INTEGERS)}, 1)",
            f"{first} IS {random.choice(('', 'NOT '))}DISTINCT FROM {second}",
            f"{first} NOT BETWEEN {second} AND {self.of(kind, scope, 0)}",
            f"{self.of('TEXT', scope, 0)} NOT LIKE 'a/_%' ESCAPE '/'",
            f"{first} {random.choice(('NOTNULL', 'ISNULL'))}",
            f"{first} IN (SELECT value FROM json_each({literal(random.choice(JSON))}))",
        )
        return random.choice(forms)

    def _collated(self, kind: str) -> str:
        if kind == "TEXT" and self.random.random() < 0.08:
            return f" COLLATE {self.random.choice(self.collations)}"
        return ""

    def _in(self, first: str, kind: str, scope: Scope) -> str:
        items = [self._leaf(kind, scope) for _ in range(self.random.choice((0, 1, 2, 2, 3, 5)))]
        return f"{first} {self.random.choice(('', '', 'NOT '))}IN ({', '.join(items)})"

    def _equal_columns(self, scope: Scope) -> str | None:
        """Return an equality of two columns of different tables, as joins have it."""
        names = scope.columns()
        if len(names) < 2:
            return None
        (left, column), (right, other) = self.random.sample(names, 2)
        if column.kind != other.kind:
            alike = [name for name, third in names if third.kind == column.kind and name != left]
            right = self.random.choice(alike) if alike else right
        return f"{left} = {right}"

    def _with_query(self, scope: Scope, depth: int) -> str:
        assert self.queries is not None
        random = self.random
        choice = random.random()
        if choice < 0.45:
            return f"{random.choice(('', 'NOT '))}EXISTS ({self.queries.exists(scope, depth)})"
        kind = self._kind()
        if choice < 0.8:
            query = self.queries.values([kind], scope, depth)
            return f"{self.of(kind, scope, 1)} {random.choice(('', 'NOT '))}IN ({query})"
        if choice < 0.86:
            query = self.queries.values([kind, "INTEGER"], scope, depth)
            row = f"({self.of(kind, scope, 0)}, {self.of('INTEGER', scope, 0)})"
            return f"{row} {random.choice(('', 'NOT '))}IN ({query})"
        operator = random.choice(("=", "<", ">=", "<>", "IS"))
        return f"{self.of(kind, scope, 1)} {operator} {self.queries.scalar(kind, scope, depth)}"
