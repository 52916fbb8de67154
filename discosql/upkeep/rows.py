"""Rows against their table's schema: would they be stored as they are if they were inserted today?"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from discosql.errors import Error, ProgrammingError
from discosql.executor.compile import evaluate_constant
from discosql.executor.context import Context
from discosql.executor.functions.registry import Registry
from discosql.executor.writes.rows import Refusal, TableRules
from discosql.planner.build import Binder
from discosql.planner.context import PlanContext
from discosql.planner.dml_rows import row_rules
from discosql.planner.parameters import ParameterTable
from discosql.schema import Catalog, TableSchema
from discosql.storage.engine import Batch, ReadView
from discosql.storage.inspection import Problem
from discosql.types import Row


class RowInspector:
    """Tells what is wrong with rows: types, NOT NULL, CHECK, generated columns, and the rowid.

    `registry` and `collations` are those of the connection: a CHECK may use functions of its own.
    """

    def __init__(
        self,
        catalog: Catalog,
        view: ReadView,
        registry: Registry,
        collations: Mapping[str, Callable[[str, str], int]],
    ) -> None:
        self._registry = registry
        self._collations = collations
        self._planning = PlanContext(
            catalog,
            registry.signatures(),
            lambda expression: evaluate_constant(expression, registry),
            collations=frozenset({"BINARY", "NOCASE", "RTRIM", *collations}),
        )
        self._context = Context(view, collations=collations)  # type: ignore[arg-type]  # nothing is written
        self._rules: dict[int, TableRules | None] = {}
        self.unchecked: list[Problem] = []

    def __call__(self, table: TableSchema, rows: Batch) -> Iterator[Problem]:
        """Yield what is wrong with some rows of a table."""
        rules = self._rules_of(table)
        if rules is None or not rows:
            return
        if self._are_right(rules, rows):
            return
        for row in rows:
            text = self._fault_of(rules, table, row)
            if text is not None:
                yield Problem("damage", f"{text} (row {row[0]})", table=table.name, rowid=row[0])

    def _rules_of(self, table: TableSchema) -> TableRules | None:
        if table.id not in self._rules:
            rules = None
            try:
                rules = TableRules(row_rules(Binder(self._planning, ParameterTable()), table), self._registry)
            except ProgrammingError as exc:
                text = f"the rows of table {table.name} cannot be checked: {exc}"
                self.unchecked.append(Problem("note", text, table=table.name))
            self._rules[table.id] = rules
        return self._rules[table.id]

    def _are_right(self, rules: TableRules, rows: Batch) -> bool:
        columns = list(zip(*rows, strict=True))
        steps = rules.candidates(self._context, columns, rules.given, None)
        try:
            while True:
                next(steps)
        except StopIteration as stop:
            candidates = stop.value
        except Error:
            return False
        return (
            candidates == rows
            and all(_same_types(row, candidate) for row, candidate in zip(rows, candidates, strict=True))
            and all(self._rowid_fits(rules.table, row) for row in rows)
        )

    def _fault_of(self, rules: TableRules, table: TableSchema, row: Row) -> str | None:
        try:
            candidate = rules.candidate(self._context, row, rules.given)
        except Error as exc:
            return str(exc)
        if isinstance(candidate, Refusal):
            return str(candidate.error)
        for column, old, new in zip(table.columns, row[1:], candidate[1:], strict=True):
            if old != new or type(old) is not type(new):
                kind = "generated" if column.generated is not None else column.type.value
                place = f"{kind} column {table.name}.{column.name}"
                return f"{type(old).__name__} value in {place} is not as it would be stored"
        return None if self._rowid_fits(table, row) else f"rowid out of order with {table.name}'s INTEGER PRIMARY KEY"

    def _rowid_fits(self, table: TableSchema, row: Row) -> bool:
        return table.rowid_column is None or row[table.rowid_column + 1] == row[0]


def _same_types(one: Row, other: Any) -> bool:
    return all(type(a) is type(b) for a, b in zip(one, other, strict=True))
