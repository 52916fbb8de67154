"""Planning and running SQL on tables in memory, optimised and not, beside SQLite as the oracle."""

from collections.abc import Iterable, Sequence
from typing import Any

from memory_view import MemoryView, run
from pysqlite3 import dbapi2

from discosql.executor.compile import compile_plan, evaluate_constant
from discosql.executor.context import Context
from discosql.executor.functions import DEFAULT
from discosql.planner.context import PlanContext
from discosql.planner.explain import explain_lines
from discosql.planner.plan import ChangeSchema, Query, Statement
from discosql.planner.prepare import prepare
from discosql.planner.rules import Trace, optimise
from discosql.schema import Catalog, TableSchema
from discosql.statistics import IndexStatistics, TableStatistics
from discosql.types import Row


class Tables:
    """Tables made by SQL, of which the planner knows what it is told; the same in SQLite."""

    def __init__(self, *statements: str) -> None:
        self.catalog = Catalog()
        self.sqlite = dbapi2.connect(":memory:", isolation_level=None)
        self.rows: dict[int, list[Row]] = {}
        self.statistics: dict[int, TableStatistics] = {}
        for sql in statements:
            self.create(sql)

    def create(self, sql: str) -> None:
        """Run a statement that changes the schema."""
        self.sqlite.execute(sql)
        statement = self.plan(sql, optimised=False)
        assert isinstance(statement, ChangeSchema)
        self.catalog = statement.catalog
        for table in self.catalog.tables.values():
            self.rows.setdefault(table.id, [])

    def load(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        """Put rows into a table."""
        table = self.catalog.table(name)
        places = ", ".join("?" * len(table.columns))
        self.sqlite.executemany(f"INSERT INTO {name} VALUES ({places})", rows)
        stored = self.sqlite.execute(f"SELECT rowid, * FROM {name} ORDER BY rowid")
        self.rows[table.id] = [tuple(row) for row in stored]

    def knows(self, name: str, rows: int, *, pages: int = 1, cached: bool = False, **distinct: int) -> None:
        """Tell the planner sizes of a table; `distinct` are those of its indexes, whose pages are a fifth."""
        table = self.catalog.table(name)
        index_pages = max(pages // 5, 1) if pages else 0
        indexes = {
            index.id: IndexStatistics(index_pages, distinct.get(index.name, rows), index_pages if cached else 0)
            for index in table.indexes
        }
        known = pages if cached else 0
        self.statistics[table.id] = TableStatistics(rows, pages, pages * 100_000, known, indexes)

    def table(self, name: str) -> TableSchema:
        return self.catalog.table(name)

    def context(self, optimised: bool = True) -> PlanContext:
        return PlanContext(
            self.catalog,
            DEFAULT.signatures(),
            lambda expression: evaluate_constant(expression, DEFAULT),
            self._known,
            optimise=optimised,
        )

    def _known(self, table: int) -> TableStatistics:
        rows = len(self.rows.get(table, ()))
        return self.statistics.get(table, TableStatistics(rows, 1, 0, 1))

    def plan(self, sql: str, *, optimised: bool = True) -> Statement:
        return prepare(sql, self.context(optimised)).statement

    def lines(self, sql: str) -> list[str]:
        """Return the optimised plan as EXPLAIN shows it."""
        return explain_lines(self.plan(sql))

    def rules(self, sql: str) -> list[str]:
        """Return the names of the rules that changed the plan."""
        trace: Trace = []
        optimise(self.plan(sql, optimised=False), self.context(), trace)
        return [name for name, _ in trace]

    def run(self, sql: str, parameters: Sequence[Any] = (), *, optimised: bool = True) -> list[Row]:
        """Return the rows of a query."""
        return self.run_counted(sql, parameters, optimised=optimised)[0]

    def run_counted(
        self, sql: str, parameters: Sequence[Any] = (), *, optimised: bool = True
    ) -> tuple[list[Row], dict[str, int]]:
        """Return the rows of a query, and how often the tables were asked for what."""
        statement = self.plan(sql, optimised=optimised)
        assert isinstance(statement, Query)
        view = MemoryView(self.rows, list(self.catalog.tables.values()))
        compiled = compile_plan(statement.plan, DEFAULT)
        rows = run(compiled.run(Context(view, tuple(parameters))))  # type: ignore[arg-type]
        return [tuple(row) for row in rows], dict(view.requests)

    def check(self, sql: str, parameters: Sequence[Any] = (), *, any_rows: bool = False) -> None:
        """Compare SQLite, the plan as it was built and the optimised one, whatever the order of rows.

        `any_rows`: a LIMIT leaves open which rows there are, so that only their number is compared.
        """
        expected = sorted(map(repr, self.sqlite.execute(sql, parameters)))
        for optimised in (False, True):
            found = sorted(map(repr, self.run(sql, parameters, optimised=optimised)))
            if any_rows:
                assert len(found) == len(expected), sql
                continue
            assert found == expected, f"{sql}\n{'optimised' if optimised else 'as built'}: {found}\nSQLite: {expected}"
