"""ON CONFLICT clauses: what happens to the row that is in the way of a new one."""

from collections.abc import Sequence

from discosql.executor.compile import CompiledRows, compile_rows
from discosql.executor.compile.walk import references
from discosql.executor.constraints import UniqueKey
from discosql.executor.context import Context
from discosql.executor.functions.registry import Registry
from discosql.executor.writes.by_row import Firing, update_row
from discosql.executor.writes.changes import TableChanges
from discosql.executor.writes.rows import Refusal, TableRules
from discosql.executor.writes.steps import NestingSteps, Steps
from discosql.executor.writes.update import assigned, update_rows
from discosql.planner.plan import Expression, Not, Upsert
from discosql.types import Row


class CompiledUpsert:
    """One ON CONFLICT clause. `updates` tells DO UPDATE from DO NOTHING; `index` is that of `Upsert`.

    `uses_rowid`: it looks at the rowid that the refused row would have had.
    """

    def __init__(self, upsert: Upsert, rules: TableRules, registry: Registry) -> None:
        assignments = upsert.assignments or ()
        self.index = upsert.index
        self.updates = upsert.assignments is not None
        self._rules = rules
        self._assigned = assigned(rules, [position for position, _ in assignments])
        expressions = [expression for _, expression in assignments]
        self.uses_rowid = _uses_rowid(upsert, rules, [*expressions, *([upsert.where] if upsert.where else [])])
        inputs = (rules.rules.row, upsert.excluded)
        # A condition is true exactly where NOT NOT of it is 1.
        condition = upsert.where
        self._where = None if condition is None else compile_rows((Not(Not(condition)),), inputs, registry)
        self._values = compile_rows(expressions, inputs, registry)

    def covers(self, key: UniqueKey) -> bool:
        """Return whether the clause is for that key."""
        return self.index is None or self.index == key.id

    def update_by_row(
        self, context: Context, stored: Row, refused: Row, changes: TableChanges
    ) -> NestingSteps[Firing | None]:
        """Update the stored row as `update` does, and return the triggers that are to fire then."""
        if not (yield from self._applies(context, stored, refused)):
            return None
        values = yield from _evaluate(self._values, context, stored, refused)
        return (yield from update_row(context, self._rules, self._assigned, (stored, values), changes, "abort"))

    def _applies(self, context: Context, stored: Row, refused: Row) -> Steps[bool]:
        return self._where is None or (yield from _evaluate(self._where, context, stored, refused)) == (1,)

    def update(self, context: Context, stored: Row, refused: Row, changes: TableChanges) -> Steps[Row]:
        """Update the stored row that a new one met, if the clause's condition holds, and return it as it is then."""
        if not (yield from self._applies(context, stored, refused)):
            return stored
        values = yield from _evaluate(self._values, context, stored, refused)
        new = self._assigned.apply(stored, values)
        if self._assigned.keys:
            yield from update_rows(context, self._rules, self._assigned, [(stored, new)], changes, "abort")
        else:
            candidate = self._rules.candidate(context, new, self._assigned.positions, "abort")
            if isinstance(candidate, Refusal):
                raise candidate.error
            changes.update(stored, candidate)
        return changes.stored[-1]


def _uses_rowid(upsert: Upsert, rules: TableRules, expressions: Sequence[Expression]) -> bool:
    used = references(*expressions)
    own = rules.table.rowid_column
    places = (0,) if own is None else (0, own + 1)
    return any(upsert.excluded[place].id in used for place in places if upsert.excluded)


def _evaluate(program: CompiledRows, context: Context, *rows: Row) -> Steps[Row]:
    if program.is_plain:
        return program.evaluate(context, *rows)
    results = yield from program.run(context, [rows])
    return results[0]
