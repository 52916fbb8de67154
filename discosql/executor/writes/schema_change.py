"""CREATE, DROP and ALTER: the new catalog, and what it asks of the rows there are."""

from collections.abc import Sequence
from typing import Any

from discosql.executor.computed_keys import computed_keys
from discosql.executor.constraints import Mark, UniqueKey, unique_keys
from discosql.executor.context import Context, Result
from discosql.executor.functions.registry import Registry
from discosql.executor.writes.changes import TableChanges
from discosql.executor.writes.programs import InsertProgram
from discosql.executor.writes.rows import Refusal, TableRules
from discosql.executor.writes.rules import RulesOfTables
from discosql.executor.writes.steps import NestingSteps, Steps, chunks, scan
from discosql.planner.plan import ChangeSchema
from discosql.schema import TableSchema
from discosql.types import Row


class SchemaProgram:
    """A compiled change of the schema."""

    def __init__(self, change: ChangeSchema, registry: Registry, parameter_types: Sequence[Any]) -> None:
        self.change = change
        self._related = RulesOfTables(change.related, registry)
        self._rules = None if change.check_rows is None else TableRules(change.check_rows, registry)
        self._keys = [] if change.check_computed is None else computed_keys(change.check_computed, registry)
        self._fill = None if change.fill is None else InsertProgram(change.fill, registry, parameter_types)

    @property
    def code(self) -> str:
        """The generated code of the query of CREATE TABLE AS."""
        return "" if self._fill is None else self._fill.code

    def run(self, context: Context) -> NestingSteps[Result]:
        """Change the schema. Raises IntegrityError if stored rows do not satisfy it."""
        change = self.change
        if change.unchanged:
            return Result()
        if change.dropped is not None:
            yield from self._drop(context, change.dropped)
        else:
            context.view.set_catalog(change.catalog)
        for key in self._keys:
            yield from self._check_key(context, key)
        if change.check_index is not None:
            yield from self._check_index(context, *change.check_index)
        if self._rules is not None:
            yield from self._check_rows(context, self._rules)
        if self._fill is not None:
            yield from self._fill.run(context)
        return Result()

    def _drop(self, context: Context, table: TableSchema) -> NestingSteps[None]:
        """Drop a table as SQLite does: as if its rows were deleted first, with all that foreign keys make of it."""
        work = self._related.work(context, dropped=table)
        rows: list[Row] = []
        if work.is_parent(table):
            rows = yield from scan(context.view, table.id)
        context.view.set_catalog(self.change.catalog)
        changes = TableChanges(context.view, table)
        changes.deleted.extend(rows)
        yield from work.follow(changes)
        yield from work.check()

    def _check_index(self, context: Context, table: TableSchema, index_id: int) -> Steps[None]:
        yield from self._check_key(context, next(key for key in unique_keys(table) if key.id == index_id))

    def _check_key(self, context: Context, key: UniqueKey) -> Steps[None]:
        """Raise IntegrityError if two stored rows have one key, and what is raised where a row can have none."""
        seen: set[Mark] = set()
        for rows in chunks((yield from scan(context.view, key.table.id))):
            marks = [mark for mark in map(key.mark, rows) if mark is not None]
            before = len(seen)
            seen.update(marks)
            if key.is_unique and len(seen) < before + len(marks):
                raise key.error()
            yield None

    def _check_rows(self, context: Context, rules: TableRules) -> Steps[None]:
        """Check the stored rows against a table's new rules, and store the values of generated columns."""
        table = rules.table
        for rows in chunks((yield from scan(context.view, table.id))):
            columns = list(zip(*rows, strict=True))
            checked = yield from rules.candidates(context, columns, rules.given, None)
            for old, new in zip(rows, checked, strict=True):
                if isinstance(new, Refusal):
                    raise new.error
                if old != new:
                    context.view.update(table.id, old, new)
            yield None
