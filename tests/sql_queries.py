"""Random queries: the part of `sql_generator` about SELECT."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from sql_expressions import JSON, Column, Expressions, Scope, literal

if TYPE_CHECKING:
    from sql_generator import SqlGenerator

KINDS = ("INTEGER", "INTEGER", "INTEGER", "REAL", "TEXT", "TEXT", "BLOB", "ANY")


@dataclass
class Made:
    """A query with the columns it gives."""

    sql: str
    columns: list[Column]
    ordered: bool = False
    loose: bool = False


@dataclass
class Queries:
    """Makes queries over the tables of a generator; `given` are common table expressions in reach."""

    random: Random
    schema: SqlGenerator
    given: list[tuple[str, list[Column]]] = field(default_factory=list)
    names: int = 0

    def _name(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.names}"

    # Whole queries -------------------------------------------------------------------------------------------------

    def query(self, depth: int) -> Made:
        """Return a query as a statement has it."""
        text = ""
        if depth > 1 and self.random.random() < 0.2:
            text = self._with(depth - 1)
        made = self.compound(depth, None)
        made.sql = text + made.sql
        made.loose = made.loose or any(
            column.collation != "BINARY" for table in self.schema.tables for column in table.columns
        )
        words = ("DISTINCT", "UNION", "INTERSECT", "EXCEPT", "GROUP BY", "min(", "max(", "LIMIT")
        made.loose = made.loose or any(word in made.sql for word in words)
        return made

    def compound(self, depth: int, outer: Scope | None, kinds: list[str] | None = None) -> Made:
        """Return a SELECT, or several in a set operation, with ORDER BY and LIMIT now and then."""
        random = self.random
        made = self.select(depth, outer, kinds)
        if depth > 0 and random.random() < 0.15:
            kinds = [column.kind for column in made.columns]
            for _ in range(random.choice((1, 1, 2))):
                operator = random.choice(("UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT"))
                made.sql += f" {operator} {self.select(depth - 1, outer, kinds).sql}"
        return self._ordered(made)

    def _ordered(self, made: Made, always: bool = False) -> Made:
        random = self.random
        if not always and random.random() < 0.6:
            if random.random() < 0.06:
                made.sql += f" LIMIT {random.choice((0, 1_000_000, -1))}"
            return made
        places = list(range(1, len(made.columns) + 1))
        random.shuffle(places)
        terms = [f"{place}{random.choice(('', '', ' DESC', ' NULLS LAST', ' DESC NULLS FIRST'))}" for place in places]
        # Values that a collation takes for equal are told apart by the same columns once more.
        terms += [f"{place} COLLATE BINARY" for place in places]
        made.sql += f" ORDER BY {', '.join(terms)}"
        if always or random.random() < 0.6:
            made.sql += f" LIMIT {random.choice((0, 1, 1, 2, 3, 5, 100, -1))}"
            if random.random() < 0.3:
                made.sql += f" OFFSET {random.choice((0, 1, 2, 50))}"
        made.ordered = True
        return made

    def _with(self, depth: int) -> str:
        parts = []
        for _ in range(self.random.choice((1, 1, 2))):
            name = self._name("c")
            if self.random.random() < 0.15:
                parts.append(f"{name}(n, m) AS ({self._recursion(name)})")
                self.given.append((name, [Column("n", "INTEGER"), Column("m", "TEXT")]))
                continue
            made = self.compound(depth - 1, None)
            columns = [Column(f"p{place}", column.kind) for place, column in enumerate(made.columns)]
            hint = self.random.choice(("", "", "MATERIALIZED ", "NOT MATERIALIZED "))
            parts.append(f"{name}({', '.join(column.name for column in columns)}) AS {hint}({made.sql})")
            self.given.append((name, columns))
        return f"WITH {self.random.choice(('', 'RECURSIVE '))}{', '.join(parts)} "

    def _recursion(self, name: str) -> str:
        random = self.random
        table = random.choice(self.schema.tables)
        column = random.choice(table.columns).name
        scope = Scope([("s", table.columns), ("r", [Column("n", "INTEGER"), Column("m", "TEXT")])])
        condition = Expressions(random).condition(scope, 1)
        most = random.randint(0, 5)
        step = random.choice(
            (
                f"SELECT n + 1, m || n FROM {name} WHERE n < {most}",
                f"SELECT n + 1, quote(s.{column}) FROM {name} AS r JOIN {table.name} AS s ON {condition} WHERE n < 3",
                f"SELECT r.n + 1, x FROM (SELECT max({column}) AS x FROM {table.name}), {name} AS r WHERE r.n < {most}",
            )
        )
        first = random.choice(("SELECT 1, 'a'", "VALUES (0, 'a'), (2, 'b')", "SELECT 1, 'a' UNION SELECT 2, NULL"))
        # UNION ALL over a table could give any number of rows. SQLite takes an ORDER BY here for that of the result.
        return f"{first} UNION {step}"

    def simple_select(self) -> Made:
        """Return a query without a subquery, as a view may have it."""
        return self.select(0, None)

    def ordered_source(self, kinds: list[str]) -> str:
        """Return a query whose rows come in one order, for INSERT."""
        made = self.select(1, None, kinds)
        return self._ordered(made, always=True).sql

    # One SELECT ----------------------------------------------------------------------------------------------------

    def select(self, depth: int, outer: Scope | None, kinds: list[str] | None = None) -> Made:
        """Return one SELECT."""
        random = self.random
        if random.random() < 0.04:
            return self._values(kinds or [random.choice(KINDS) for _ in range(random.randint(1, 2))])
        source, scope = self.source(depth, outer)
        expressions = Expressions(random, self if depth > 0 else None)
        where = f" WHERE {expressions.condition(scope, depth)}" if random.random() < 0.6 else ""
        chosen = kinds or [random.choice(KINDS) for _ in range(random.choice((1, 1, 2, 2, 3)))]
        if random.random() < 0.25:
            return self._grouped(depth, scope, source + where, chosen, expressions)
        if random.random() < 0.08:
            return self._windowed(scope, source + where, chosen, expressions)
        if random.random() < 0.06 and scope.own() and all(column.kind != "ANY" for _, column in scope.own()):
            return self._framed(scope, source + where, chosen)
        if kinds is None and random.random() < 0.15 and scope.own():
            names = [name for name, _ in scope.own()]
            columns = _columns([column.kind for _, column in scope.own()])
            return Made(f"SELECT {_aliased(names)} FROM {source}{where}", columns)
        distinct = "DISTINCT " if random.random() < 0.15 else ""
        items = [expressions.of(kind, scope, depth) for kind in chosen]
        return Made(f"SELECT {distinct}{_aliased(items)} FROM {source}{where}", _columns(chosen))

    def _values(self, kinds: list[str]) -> Made:
        expressions = Expressions(self.random)
        empty = Scope([])
        rows = [
            "(" + ", ".join(expressions.of(kind, empty, 1) for kind in kinds) + ")"
            for _ in range(self.random.choice((1, 2, 3)))
        ]
        items = _aliased([f"column{place}" for place in range(1, len(kinds) + 1)])
        return Made(f"SELECT {items} FROM (VALUES {', '.join(rows)})", _columns(kinds))

    def _grouped(self, depth: int, scope: Scope, source: str, kinds: list[str], expressions: Expressions) -> Made:
        random = self.random
        keys = [] if random.random() < 0.35 else random.sample(scope.own(), min(len(scope.own()), random.randint(1, 2)))
        items = []
        columns = []
        for kind in kinds:
            fitting = [name for name, column in keys if column.kind == kind]
            items.append(random.choice(fitting) if fitting and random.random() < 0.6 else self._aggregate(kind, scope))
            columns.append(kind)
        sql = f"SELECT {_aliased(items)} FROM {source}"
        if keys:
            sql += f" GROUP BY {', '.join(name for name, _ in keys)}"
        if random.random() < 0.3:
            left = self._aggregate("INTEGER", scope)
            sql += f" HAVING {left} {random.choice(('>', '<=', '='))} {expressions.of('INTEGER', Scope([]), 0)}"
            if keys and random.random() < 0.4:
                name, column = random.choice(keys)
                sql += f" AND {name} {random.choice(('=', '>', 'IS NOT'))} {expressions.of(column.kind, Scope([]), 0)}"
        return Made(sql, _columns(columns))

    def _aggregate(self, kind: str, scope: Scope) -> str:
        random = self.random
        # An aggregate over outer columns alone would belong to the query around.
        scope = Scope(scope.tables)
        expressions = Expressions(random)
        extra = f" FILTER (WHERE {expressions.condition(scope, 1)})" if random.random() < 0.15 else ""
        distinct = "DISTINCT " if random.random() < 0.15 else ""
        if kind == "INTEGER" and random.random() < 0.5:
            argument = "*" if random.random() < 0.5 else distinct + expressions.of(random.choice(KINDS), scope, 1)
            return f"count({argument}){extra}"
        if kind == "REAL" and random.random() < 0.6:
            function = random.choice(("sum", "total", "avg"))
            return (
                f"{function}({distinct}{expressions._leaf(random.choice(('INTEGER', 'REAL', 'TEXT')), scope)}){extra}"
            )
        if kind == "TEXT" and random.random() < 0.25:
            text = expressions.of("TEXT", scope, 1)
            function = random.choice(
                (f"group_concat({text}, '-'", f"string_agg({text}, ''", f"json_group_array(quote({text})")
            )
            return f"{function} ORDER BY {text} COLLATE BINARY, typeof({text})){extra}"
        return f"{random.choice(('min', 'max'))}({expressions.of(kind, scope, 1)}){extra}"

    def _windowed(self, scope: Scope, source: str, kinds: list[str], expressions: Expressions) -> Made:
        random = self.random
        items = []
        for kind in kinds:
            name, _ = random.choice(scope.own() or [("1", Column("1", "INTEGER"))])
            partition = (
                f"PARTITION BY {random.choice(scope.own())[0]} " if scope.own() and random.random() < 0.5 else ""
            )
            order = f"ORDER BY {name}"
            call = random.choice(
                ("rank()", "dense_rank()", "count(*)", f"min({name})", f"max({name})", "percent_rank()")
            )
            window = f"{call} OVER ({partition}{order})"
            items.append(window if random.random() < 0.7 else expressions.of(kind, scope, 1))
        return Made(f"SELECT {_aliased(items)} FROM {source}", _columns(kinds))

    def _framed(self, scope: Scope, source: str, kinds: list[str]) -> Made:
        """Return calls over one window in which only equal rows are peers, with a frame."""
        random = self.random
        own = scope.own()
        names = [name for name, _ in own]
        random.shuffle(names)
        partition = f"PARTITION BY {random.choice(names)} " if random.random() < 0.4 else ""
        terms = [f"{name} COLLATE BINARY{random.choice(('', '', ' DESC', ' NULLS LAST'))}" for name in names]
        frame = self._frame()
        numbers = [name for name, column in own if column.kind in ("INTEGER", "REAL")]
        if numbers and random.random() < 0.2:
            # Peers are not equal rows here, but all of them are in the frame or none.
            terms = [f"{random.choice(numbers)}{random.choice(('', ' DESC'))}"]
            bound = f"{random.choice((0, 1, 1.5, 2))} PRECEDING AND {random.choice((0, 1, 2))} FOLLOWING"
            window = f"{partition}ORDER BY {terms[0]} RANGE BETWEEN {bound}"
            calls = ["count(*)", "min({})", "max({})", "sum({})", "total({})"]
        else:
            window = f"{partition}ORDER BY {', '.join(terms)}{frame}"
            calls = [
                "row_number()",
                "rank()",
                "cume_dist()",
                "ntile(3)",
                "lag({})",
                "lead({}, 2, 'none')",
                "nth_value({}, 2)",
            ]
            calls += ["first_value({})", "last_value({})", "count({})", "sum({})", "avg({})", "min({})", "max({})"]
            # Of one empty text alone, SQLite makes a text of one NUL.
            calls += ["group_concat({} || '.')", "total({})", "count(*)"]
        items = []
        for _ in kinds:
            call = random.choice(calls).format(random.choice(names))
            is_aggregate = call.startswith(("count", "sum", "avg", "min", "max", "total", "group"))
            extra = f" FILTER (WHERE {Expressions(random).condition(Scope(scope.tables), 1)})" if is_aggregate else ""
            items.append(f"{call}{extra if random.random() < 0.2 else ''} OVER w")
        return Made(f"SELECT {_aliased(items)} FROM {source} WINDOW w AS ({window})", _columns(["ANY"] * len(kinds)))

    def _frame(self) -> str:
        random = self.random
        if random.random() < 0.3:
            return ""
        starts = ("UNBOUNDED PRECEDING", "2 PRECEDING", "1 PRECEDING", "CURRENT ROW", "1 FOLLOWING")
        ends = ("1 PRECEDING", "CURRENT ROW", "1 FOLLOWING", "3 FOLLOWING", "UNBOUNDED FOLLOWING")
        exclude = random.choice(
            ("", "", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES", " EXCLUDE NO OTHERS")
        )
        start, end = random.choice(starts), random.choice(ends)
        if start == "CURRENT ROW" and end == "1 PRECEDING":
            end = "CURRENT ROW"
        if start == "1 FOLLOWING" and end in ("1 PRECEDING", "CURRENT ROW"):
            end = "3 FOLLOWING"
        return f" {random.choice(('ROWS', 'ROWS', 'GROUPS'))} BETWEEN {start} AND {end}{exclude}"

    # FROM ----------------------------------------------------------------------------------------------------------

    def source(self, depth: int, outer: Scope | None) -> tuple[str, Scope]:
        """Return a FROM clause and what it brings into scope."""
        random = self.random
        text, first = self._relation(depth)
        tables = [first]
        for _ in range(random.choice((0, 0, 0, 1, 1, 1, 2, 2, 3)) if depth > 0 else random.choice((0, 0, 1))):
            joined, entry = self._relation(depth)
            tables.append(entry)
            text += self._join(joined, tables, outer)
        return text, Scope(tables, outer)

    def _join(self, joined: str, tables: list[tuple[str, list[Column]]], outer: Scope | None) -> str:
        random = self.random
        kind = random.choice(
            (", ", " JOIN ", " JOIN ", " LEFT JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN ", " CROSS JOIN ")
        )
        if kind in (", ", " CROSS JOIN "):
            return f"{kind}{joined}"
        if len(tables) == 2 and random.random() < 0.12:
            shared = [column.name for column in tables[0][1] if column.name in [other.name for other in tables[1][1]]]
            if shared and random.random() < 0.3 and kind != ", ":
                return f" NATURAL{kind}{joined}"
            if shared:
                return f"{kind}{joined} USING ({random.choice(shared)})"
        scope = Scope(tables, outer)
        expressions = Expressions(random)
        condition = expressions._equal_columns(Scope(tables)) if random.random() < 0.75 else None
        parts = [condition] if condition is not None else []
        if not parts or random.random() < 0.2:
            parts.append(expressions.condition(scope, 1))
        return f"{kind}{joined} ON {' AND '.join(parts)}"

    def _relation(self, depth: int) -> tuple[str, tuple[str, list[Column]]]:
        random = self.random
        alias = self._name("s")
        if self.given and random.random() < 0.4:
            name, columns = random.choice(self.given)
            return f"{name} AS {alias}", (alias, columns)
        if self.schema.views and random.random() < 0.15:
            name, columns = random.choice(self.schema.views)
            return f"{name} AS {alias}", (alias, columns)
        if depth > 1 and random.random() < 0.03:
            text = literal(random.choice(JSON))
            columns = [Column("key", "ANY"), Column("value", "ANY"), Column("type", "TEXT"), Column("fullkey", "TEXT")]
            return f"{random.choice(('json_each', 'json_tree'))}({text}) AS {alias}", (alias, columns)
        if depth > 1 and random.random() < 0.2:
            known, with_ = list(self.given), self._with(depth - 2) if random.random() < 0.1 else ""
            made = self.compound(depth - 2, None)
            made.sql, self.given = with_ + made.sql, known
            return f"({made.sql}) AS {alias}", (alias, made.columns)
        table = random.choice(self.schema.tables)
        return f"{table.name} AS {alias}", (alias, table.readable)

    # Within expressions --------------------------------------------------------------------------------------------

    def scalar(self, kind: str, scope: Scope, depth: int) -> str:
        """Return a query of one value: an aggregate, or the first in an order."""
        source, own = self.source(min(depth, 1), scope)
        where = self._where(own, depth)
        if self.random.random() < 0.7:
            return f"(SELECT {self._aggregate(kind, own)} FROM {source}{where})"
        value = Expressions(self.random).of(kind, own, 1)
        return f"(SELECT {value} FROM {source}{where} ORDER BY 1 COLLATE BINARY LIMIT 1)"

    def exists(self, scope: Scope, depth: int) -> str:
        """Return a query whose rows may depend on the scope."""
        source, own = self.source(min(depth, 1), scope)
        return f"SELECT 1 FROM {source}{self._where(own, depth)}"

    def values(self, kinds: list[str], scope: Scope, depth: int) -> str:
        """Return a query of so many columns, which may depend on the scope."""
        if self.random.random() < 0.2:
            return self.compound(depth, scope, kinds).sql
        source, own = self.source(min(depth, 1), scope)
        expressions = Expressions(self.random)
        items = ", ".join(expressions.of(kind, own, 1) for kind in kinds)
        return f"SELECT {items} FROM {source}{self._where(own, depth)}"

    def _where(self, scope: Scope, depth: int) -> str:
        random = self.random
        expressions = Expressions(random, self if depth > 0 else None)
        parts = []
        if random.random() < 0.7:
            tie = self._tie(scope)
            parts += [tie] if tie is not None else []
        if not parts or random.random() < 0.4:
            parts.append(expressions.condition(scope, depth))
        return f" WHERE {' AND '.join(parts)}" if random.random() < 0.92 else ""

    def _tie(self, scope: Scope) -> str | None:
        """Return a condition between a column of the query and one around it."""
        if scope.outer is None:
            return None
        pairs = [
            (inner, outer)
            for inner, column in scope.own()
            for outer, other in scope.outer.columns()
            if column.kind == other.kind
        ]
        if not pairs:
            return None
        inner, outer = self.random.choice(pairs)
        return f"{inner} {self.random.choice(('=', '=', '=', '=', 'IS', '<', '<>'))} {outer}"


def _aliased(items: list[str]) -> str:
    return ", ".join(f"{item} AS x{place}" for place, item in enumerate(items))


def _columns(kinds: list[str]) -> list[Column]:
    return [Column(f"x{place}", kind) for place, kind in enumerate(kinds)]
