"""Queries compiled and run over lists of rows, next to SQLite with the same rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from memory_view import MemoryView, run
from pysqlite3 import dbapi2

from discosql.executor.compile import CompiledPlan, compile_plan, evaluate_constant
from discosql.executor.context import Context
from discosql.executor.functions import DEFAULT
from discosql.planner.context import PlanContext
from discosql.planner.plan import ChangeSchema, Node, Query
from discosql.planner.prepare import prepare
from discosql.schema import Catalog
from discosql.statistics import TableStatistics
from discosql.types import Row


class Pair:
    """Tables in a `MemoryView` and in SQLite. `batch` and `pending` are the view's."""

    def __init__(
        self, tables: str, rows: Mapping[str, Sequence[Row]], *, batch: int = 0, pending: bool = False
    ) -> None:
        self.sqlite = dbapi2.connect(":memory:")
        self.sqlite.executescript(tables)
        self.catalog = Catalog()
        for statement in filter(str.strip, tables.split(";")):
            changed = prepare(statement, self._context(optimise=True)).statement
            assert isinstance(changed, ChangeSchema)
            self.catalog = changed.catalog
        stored = {}
        for name, listed in rows.items():
            marks = ", ".join("?" * len(self.catalog.table(name).columns))
            self.sqlite.executemany(f"INSERT INTO {name} VALUES ({marks})", listed)
            stored[self.catalog.table(name).id] = self.sqlite.execute(f"SELECT rowid, * FROM {name}").fetchall()
        self.view = MemoryView(stored, tuple(self.catalog.tables.values()), batch=batch, pending=pending)

    def _context(self, *, optimise: bool) -> PlanContext:
        return PlanContext(
            self.catalog,
            DEFAULT.signatures(),
            lambda expression: evaluate_constant(expression, DEFAULT),
            statistics=self._statistics,
            optimise=optimise,
        )

    def _statistics(self, table: int) -> TableStatistics:
        return self.view.statistics(table)

    def plan(self, sql: str, *, optimise: bool = True) -> Node:
        """Return the plan of a query."""
        statement = prepare(sql, self._context(optimise=optimise)).statement
        assert isinstance(statement, Query)
        return statement.plan

    def compile(self, sql: str, parameters: Sequence[Any] = (), *, optimise: bool = True) -> CompiledPlan:
        """Return a query compiled for the classes of its parameters."""
        return compile_plan(self.plan(sql, optimise=optimise), DEFAULT, [type(value) for value in parameters])

    def rows(self, sql: str, parameters: Sequence[Any] = (), *, optimise: bool = True) -> list[Row]:
        """Return the rows of a query."""
        compiled = self.compile(sql, parameters, optimise=optimise)
        rows: list[Row] = run(compiled.run(Context(self.view, tuple(parameters))))  # type: ignore[arg-type]
        return rows

    def check(self, sql: str, parameters: Sequence[Any] = (), *, ordered: bool = True, plain: bool = True) -> None:
        """Compare the rows with SQLite's, their classes too: of the optimised plan, and of the `plain` one."""
        expected = [_classes(row) for row in self.sqlite.execute(sql, tuple(parameters))]
        for optimise in (True, False) if plain else (True,):
            found = [_classes(row) for row in self.rows(sql, parameters, optimise=optimise)]
            if ordered:
                assert found == expected, sql
            else:
                assert sorted(found, key=repr) == sorted(expected, key=repr), sql


def _classes(row: Row) -> list[tuple[str, Any]]:
    return [(type(value).__name__, value) for value in row]
