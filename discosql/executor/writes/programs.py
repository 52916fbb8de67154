"""Statements that change rows, compiled: the source of rows, what is done with them, RETURNING."""

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any

from discosql.errors import InternalError
from discosql.executor.compile import CompiledRows, compile_plan, compile_rows
from discosql.executor.compile.walk import references, walk
from discosql.executor.context import Context, Result
from discosql.executor.foreign_keys import ReferenceMap
from discosql.executor.functions.registry import Registry
from discosql.executor.writes.actions import ForeignKeyWork
from discosql.executor.writes.changes import TableChanges
from discosql.executor.writes.insert import Inserter
from discosql.executor.writes.resolution import ChangesKeptError
from discosql.executor.writes.rows import TableRules
from discosql.executor.writes.steps import CHUNK, Steps, lookup
from discosql.executor.writes.update import assigned, update_rows
from discosql.planner.plan import (
    Call,
    CatalogScan,
    Constant,
    Delete,
    Expression,
    IndexLookup,
    Insert,
    OutputColumn,
    Parameter,
    Projection,
    RowRules,
    Scan,
    Update,
    Values,
)
from discosql.schema import TableSchema
from discosql.types import Row, Value, collate, sort_key


class RulesOfTables:
    """The rules of the tables that a statement may change, each compiled when it is first needed."""

    def __init__(self, rules: Iterable[RowRules], registry: Registry) -> None:
        self._rules = {rule.table.id: rule for rule in rules}
        self._registry = registry
        self._compiled: dict[int, TableRules] = {}
        self._references: ReferenceMap | None = None

    def of(self, table: int) -> TableRules:
        """Return the compiled rules of a table."""
        compiled = self._compiled.get(table)
        if compiled is None:
            if table not in self._rules:
                raise InternalError(f"the plan has no rules for the table with id {table}")
            compiled = self._compiled[table] = TableRules(self._rules[table], self._registry)
        return compiled

    def work(self, context: Context, dropped: TableSchema | None = None) -> ForeignKeyWork:
        """Start the foreign keys of one execution, which drops a table perhaps."""
        catalog = context.view.catalog
        if self._references is None or self._references.catalog is not catalog:
            self._references = ReferenceMap(catalog)
        return ForeignKeyWork(context, self._references, self.of, dropped)


class WriteProgram:
    """A compiled INSERT, UPDATE or DELETE.

    All rows are changed together as a rule. Where it shows that SQLite changes them one at a time, so is done here: a
    subquery of RETURNING looks at the table, or foreign key actions lead back to it.
    """

    def __init__(
        self,
        statement: Insert | Update | Delete,
        registry: Registry,
        parameter_types: Sequence[Any] = (),
        count_rows: bool = False,
    ) -> None:
        self.statement = statement
        self.table = statement.rules.table
        self.source = compile_plan(statement.source, registry, parameter_types, count_rows=count_rows)
        self.rules = RulesOfTables((statement.rules, *statement.related), registry)
        self._registry = registry
        self._returning: CompiledRows | None = None
        if statement.returning is not None:
            self._returning = compile_rows(statement.returning.expressions, (statement.rules.row,), registry)
        self._looks_back = self._returning is not None and not self._returning.is_plain

    @property
    def code(self) -> str:
        """The generated code of the source."""
        return self.source.source

    @property
    def columns(self) -> tuple[OutputColumn, ...] | None:
        """The columns of RETURNING."""
        return None if self.statement.returning is None else self.statement.returning.columns

    def run(self, context: Context) -> Steps[Result]:
        """Run the statement."""
        return (yield from self.apply(context, (yield from self.source.run(context))))

    def run_many(self, context: Context, parameter_rows: Sequence[tuple[Value, ...]]) -> Steps[Result]:
        """Run the statement once for each set of parameters."""
        yield from self._prefetch(context, parameter_rows)
        total = Result(self.columns, rowcount=0)
        each = dataclasses.replace(context)
        for count, parameters in enumerate(parameter_rows):
            each.parameters = parameters
            result = yield from self.run(each)
            total.rows += result.rows
            total.rowcount += result.rowcount
            context.state.changes = result.rowcount
            if result.last_rowid is not None:
                context.state.last_insert_rowid = total.last_rowid = result.last_rowid
            if count % CHUNK == CHUNK - 1:
                yield None
        return total

    def apply(self, context: Context, source: Sequence[Row]) -> Steps[Result]:
        """Make the changes that the rows of the source ask for."""
        work = self.rules.work(context)
        work.require(self.table, self._places(), removes=not isinstance(self.statement, Insert))
        result = Result(self.columns, rowcount=0)
        source = self._ordered(source)
        parts = [[row] for row in source] if len(source) > 1 and self._in_turn(work) else [source]
        for part in parts:
            changes = TableChanges(context.view, self.table)
            if len(parts) > 1:
                part = yield from self._as_it_is(context, part)
            yield from self._change(context, part, changes, work)
            yield from work.follow(changes)
            result.rowcount += changes.count
            if changes.inserted and not self.table.without_rowid:
                result.last_rowid = changes.inserted[-1][0]
            if self._returning is not None:
                result.rows += yield from self._returning.run(context, list(zip(changes.stored, strict=True)))
            if changes.failure is not None:
                yield from work.check()
                raise ChangesKeptError(changes.failure, result)
        yield from work.check()
        return result

    def _in_turn(self, work: ForeignKeyWork) -> bool:
        """Return whether rows must be changed one at a time."""
        return self._looks_back or work.goes_row_by_row(self.table)

    def _ordered(self, source: Sequence[Row]) -> Sequence[Row]:
        """Return the rows of the source in the order in which they are to be changed, each once."""
        return source

    def _places(self) -> Collection[int] | None:
        """Return the places of a stored row that an UPDATE changes, None for whole rows."""
        return None

    def _as_it_is(self, context: Context, source: Sequence[Row]) -> Steps[Sequence[Row]]:
        """Return rows of the source with the stored rows in them as they are by now, without those that are gone."""
        width = len(self.table.columns) + 1
        stored = yield from lookup(context.view, self.table.id, None, [row[:1] for row in source])
        now = {row[0]: row for row in stored}
        return [now[row[0]] + row[width:] for row in source if row[0] in now]

    def _change(
        self, context: Context, source: Sequence[Row], changes: TableChanges, work: ForeignKeyWork
    ) -> Steps[None]:
        raise NotImplementedError

    def _prefetch(self, context: Context, parameter_rows: Sequence[tuple[Value, ...]]) -> Steps[None]:
        """Load what index lookups with the parameters as keys will need, for all sets of parameters together."""
        lookups = []
        for node in walk(self.statement.source):
            if isinstance(node, IndexLookup) and node.as_of is None and len(node.keys) == 1:
                if references(*node.keys[0]) or not _is_fixed(*node.keys[0]):
                    continue
                key = compile_rows(node.keys[0], (), self._registry)
                each = dataclasses.replace(context)
                keys = []
                for parameters in parameter_rows:
                    each.parameters = parameters
                    keys.append(key.evaluate(each))
                lookups.append((node.table.id, None if node.index is None else node.index.id, keys))
        pending = context.view.prefetch((), lookups) if lookups else None
        if pending is not None:
            yield pending


class InsertProgram(WriteProgram):
    """A compiled INSERT."""

    def __init__(
        self, statement: Insert, registry: Registry, parameter_types: Sequence[Any] = (), count_rows: bool = False
    ) -> None:
        super().__init__(statement, registry, parameter_types, count_rows)
        self._inserter = Inserter(statement, self.rules.of(self.table.id), registry)
        beyond = (*statement.upserts, *(statement.returning.expressions if statement.returning else ()))
        self._together = _is_fixed(statement.source) and not any(
            isinstance(part, Parameter) for item in beyond for part in walk(item)
        )

    def run_many(self, context: Context, parameter_rows: Sequence[tuple[Value, ...]]) -> Steps[Result]:
        """Run the statement once for each set of parameters; plain rows of values are inserted all together."""
        if not self._together:
            return (yield from super().run_many(context, parameter_rows))
        source = _parameter_rows(self.statement.source, parameter_rows)
        if source is None:
            source = []
            each = dataclasses.replace(context)
            for parameters in parameter_rows:
                each.parameters = parameters
                source += yield from self.source.run(each)
        return (yield from self.apply(context, source))

    def _in_turn(self, work: ForeignKeyWork) -> bool:
        return self._looks_back or (self._inserter.passes_over and work.changes_children(self.table))

    def _as_it_is(self, context: Context, source: Sequence[Row]) -> Steps[Sequence[Row]]:
        return source
        yield

    def _change(
        self, context: Context, source: Sequence[Row], changes: TableChanges, work: ForeignKeyWork
    ) -> Steps[None]:
        yield from self._inserter.insert(context, source, changes, work)


class UpdateProgram(WriteProgram):
    """A compiled UPDATE."""

    statement: Update

    def __init__(
        self, statement: Update, registry: Registry, parameter_types: Sequence[Any] = (), count_rows: bool = False
    ) -> None:
        super().__init__(statement, registry, parameter_types, count_rows)
        self._assigned = assigned(self.table, statement.positions)

    def _places(self) -> Collection[int]:
        return self._assigned.places

    def _change(
        self, context: Context, source: Sequence[Row], changes: TableChanges, work: ForeignKeyWork
    ) -> Steps[None]:
        width = len(self.table.columns) + 1
        pairs = [(old := row[:width], self._assigned.apply(old, row[width:])) for row in source]
        rules = self.rules.of(self.table.id)
        yield from update_rows(context, rules, self._assigned, pairs, changes, self.statement.resolution)

    def _ordered(self, source: Sequence[Row]) -> Sequence[Row]:
        if any(a[0] >= b[0] for a, b in pairwise(source)):
            # A row that a join produced several times is changed once, by the last of its partners.
            last = {row[0]: row for row in source}
            source = [last[rowid] for rowid in sorted(last)]
        return sorted(source, key=self._primary_key) if self.table.without_rowid else source

    def _primary_key(self, row: Row) -> list[Any]:
        collations = [self.table.columns[position].collation for position in self.table.primary_key]
        values = [row[position + 1] for position in self.table.primary_key]
        return [sort_key(collate(value, collation)) for value, collation in zip(values, collations, strict=True)]


class DeleteProgram(WriteProgram):
    """A compiled DELETE."""

    def _change(
        self, context: Context, source: Sequence[Row], changes: TableChanges, work: ForeignKeyWork
    ) -> Steps[None]:
        for count, row in enumerate(source):
            changes.delete(row)
            if count % CHUNK == CHUNK - 1:
                yield None


def _is_fixed(*items: Any) -> bool:
    """Return whether expressions or plans give the same for the same parameters: no table is read."""
    return not any(
        isinstance(part, Scan | IndexLookup | CatalogScan) or (isinstance(part, Call) and not part.deterministic)
        for item in items
        for part in walk(item)
    )


def _parameter_rows(source: Any, parameter_rows: Sequence[tuple[Value, ...]]) -> list[Row] | None:
    """Return the rows that ``VALUES (?, …)`` gives for each set of parameters, None for any other source."""
    expressions: tuple[Expression, ...] = ()
    if isinstance(source, Values) and len(source.rows) == 1:
        expressions = source.rows[0]
    elif isinstance(source, Projection) and isinstance(source.child, Values) and source.child.rows == ((),):
        expressions = source.expressions
    if not expressions or not all(isinstance(expression, Parameter | Constant) for expression in expressions):
        return None
    if all(isinstance(e, Parameter) and e.index == i for i, e in enumerate(expressions)):
        return [parameters[: len(expressions)] for parameters in parameter_rows]
    return [
        tuple([p[e.index] if isinstance(e, Parameter) else e.value for e in expressions])  # type: ignore[union-attr]
        for p in parameter_rows
    ]
