"""New rows of a table: defaults, conversion, NOT NULL, generated columns and CHECK, column by column.

A new row that cannot be stored becomes a `Refusal`, to be raised or passed over when its turn comes: SQLite works
row by row, so an earlier row's broken UNIQUE constraint is told before a later row's NULL. Within a row the order is
SQLite's: NOT NULL, types, NOT NULL of generated columns, CHECK.
"""

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType
from typing import Final, TypeAlias, cast

from discosql.conversion import apply_affinity, convert
from discosql.errors import DatabaseError, DataError, IntegrityError
from discosql.executor.compile import CompiledRows, compile_rows
from discosql.executor.compile.walk import references, walk
from discosql.executor.computed_keys import computed_keys
from discosql.executor.constraints import UniqueKey, unique_keys
from discosql.executor.context import Context
from discosql.executor.functions.registry import Registry
from discosql.executor.writes.steps import Steps
from discosql.planner.plan import Call, Constant, Expression, Not, Resolution, RowRules
from discosql.types import Row, SqlType, Value


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a new row cannot be stored.

    `unfit` is the row where a value is of a wrong type, which OR IGNORE and the like do not pass over. `resolution` is
    the ON CONFLICT of the constraint that was broken.
    """

    error: DatabaseError
    unfit: Row | None = None
    resolution: Resolution | None = None


Candidate: TypeAlias = Row | Refusal
"""A new row that is ready to be stored, or why there is none."""

_KEPT: Final[dict[SqlType, frozenset[type]]] = {
    SqlType.INTEGER: frozenset({int}),
    SqlType.REAL: frozenset({float}),
    SqlType.TEXT: frozenset({str}),
    SqlType.BLOB: frozenset({bytes}),
    SqlType.ANY: frozenset({int, float, str, bytes, Decimal}),
}
"""Python's types of the values that a column stores as they are."""

_NULL: Final = frozenset({NoneType})
_TEXTS: Final = frozenset({str, NoneType})


class TableRules:
    """`RowRules`, compiled: makes rows that may be stored out of columns of values.

    Columns and rows have the shape of a stored row: the rowid first. Positions are those of the table's columns.
    `given` are the positions of columns that are not generated, `uses_rowid` says that a CHECK, a generated column or
    a key depends on the rowid, `keys` are the unique keys in the order in which they are tested.
    """

    def __init__(self, rules: RowRules, registry: Registry) -> None:
        self.rules = rules
        self.table = rules.table
        self.generated = frozenset(generated.position for generated in rules.generated)
        self.given = tuple(i for i in range(len(self.table.columns)) if i not in self.generated)
        self.uses_rowid = _uses_rowid(rules)
        self._calls = any(isinstance(part, Call) for each in (*rules.checks, *rules.generated) for part in walk(each))
        self._labels = tuple(f"{self.table.name}.{column.name}" for column in self.table.columns)
        self._kept = tuple(_KEPT.get(column.type, frozenset()) | _NULL for column in self.table.columns)
        computed = computed_keys(rules, registry)
        self.keys = _in_order([*unique_keys(self.table), *(key for key in computed if key.is_unique)])
        self._marks = tuple(key.mark for key in computed if not key.is_unique)
        self._checks = _compile_checks(rules, registry)
        self._generated = tuple(
            (generated.position, compile_rows((generated.expression,), (rules.row,), registry))
            for generated in rules.generated
        )
        self._defaults = tuple(_compile_default(expression, registry) for expression in rules.defaults)

    def default(self, context: Context, position: int) -> Value:
        """Return the value that a column has where none is given."""
        known = self._defaults[position]
        if isinstance(known, CompiledRows):
            (value,) = known.evaluate(context)
            return value  # type: ignore[no-any-return]
        return known

    def defaults(self, context: Context, position: int, count: int) -> Sequence[Value]:
        """Return a column's values of that many new rows that are given none."""
        if isinstance(self._defaults[position], CompiledRows):
            return [self.default(context, position) for _ in range(count)]
        return [self.default(context, position)] * count

    def candidates(
        self,
        context: Context,
        columns: Sequence[Sequence[Value]],
        fresh: Collection[int],
        resolution: Resolution | None,
    ) -> Steps[Sequence[Candidate]]:
        """Return one candidate a row; only the columns at `fresh` and the generated ones are new."""
        rows = self._converted_rows(columns, fresh)
        if rows is not None:
            rows = yield from self._generate(context, rows)
        if rows is not None and not (yield from self._break_checks(context, rows)):
            self._try_keys(rows)
            return rows
        return [self.candidate(context, row, fresh, resolution) for row in zip(*columns, strict=True)]

    def candidate(
        self, context: Context, row: Row, fresh: Collection[int], resolution: Resolution | None = None
    ) -> Candidate:
        """Return the candidate that one row becomes, as `candidates` does."""
        values = list(row)
        given = [position for position in fresh if position not in self.generated]
        self._replace_nulls(context, values, given, resolution)
        refused = self._refused_null(values, given)
        if refused is not None:
            return refused
        try:
            for position in given:
                values[position + 1] = self._convert(values[position + 1], position)
            timeless = self._timeless(context, "a generated column")
            for position, program in self._generated:
                values[position + 1] = self._convert(program.evaluate(timeless, tuple(values))[0], position)
            refused = self._refused_null(values, sorted(self.generated))
            if refused is not None:
                return refused
            self._refuse_by_check(context, tuple(values))
            self._try_keys((tuple(values),))
        except IntegrityError as error:
            return Refusal(error)
        except DataError as error:
            return Refusal(error, row)
        return tuple(values)

    def proposed(self, context: Context, row: Row, fresh: Iterable[int]) -> Row:
        """Return a new row as BEFORE triggers see it: values at `fresh` converted where they can be, not checked."""
        values = list(row)
        for position in fresh:
            values[position + 1] = apply_affinity(values[position + 1], self.table.columns[position].type)
        timeless = self._timeless(context, "a generated column")
        for position, program in self._generated:
            (value,) = program.evaluate(timeless, tuple(values))
            values[position + 1] = apply_affinity(value, self.table.columns[position].type)
        return tuple(values)

    # One row ------------------------------------------------------------------------------------------------------

    def _replace_nulls(
        self, context: Context, values: list[Value], positions: Iterable[int], resolution: Resolution | None
    ) -> None:
        """Put defaults where NULL is not allowed and REPLACE is what happens then."""
        for position in positions:
            decided = resolution or self.table.columns[position].conflict
            if decided == "replace" and values[position + 1] is None and self._refuses_null(position):
                values[position + 1] = self.default(context, position)

    def _refused_null(self, values: Sequence[Value], positions: Iterable[int]) -> Refusal | None:
        for position in positions:
            if values[position + 1] is None and self._refuses_null(position):
                error = IntegrityError(f"NOT NULL constraint failed: {self._labels[position]}").coded(
                    "SQLITE_CONSTRAINT_NOTNULL"
                )
                return Refusal(error, resolution=cast("Resolution | None", self.table.columns[position].conflict))
        return None

    def _refuses_null(self, position: int) -> bool:
        # The INTEGER PRIMARY KEY is never NULL here: a rowid was chosen for it.
        return self.table.columns[position].not_null and position != self.table.rowid_column

    def _refuse_by_check(self, context: Context, row: Row) -> None:
        if self._checks is not None:
            broken = self._checks.evaluate(self._timeless(context, "a CHECK constraint"), row)
            if 1 in broken:
                label = self.rules.checks[broken.index(1)].label
                raise IntegrityError(f"CHECK constraint failed: {label}").coded("SQLITE_CONSTRAINT_CHECK")

    def _convert(self, value: Value, position: int) -> Value:
        return convert(value, self.table.columns[position].type, self._labels[position])

    def _try_keys(self, rows: Iterable[Row]) -> None:
        """Compute the keys of indexes over expressions: a row that has none is an error now, not when it is read."""
        for mark in self._marks:
            for row in rows:
                mark(row)

    # Many rows ----------------------------------------------------------------------------------------------------

    def _converted_rows(self, columns: Sequence[Sequence[Value]], fresh: Collection[int]) -> list[Row] | None:
        """Return the rows with converted values, None if some row is to be refused."""
        converted = list(columns)
        for position in fresh:
            if position not in self.generated:
                column = self._converted_column(columns[position + 1], position)
                if column is None:
                    return None
                converted[position + 1] = column
        return list(zip(*converted, strict=True))

    def _converted_column(self, values: Sequence[Value], position: int) -> Sequence[Value] | None:
        kinds = set(map(type, values))
        if NoneType in kinds and self._refuses_null(position):
            return None
        if kinds <= self._kept[position]:
            return values
        try:
            if kinds <= _TEXTS:
                # Moments, days and the like tend to repeat.
                converted = {value: self._convert(value, position) for value in set(values)}
                return list(map(converted.__getitem__, values))
            return [self._convert(value, position) for value in values]
        except DataError:
            return None

    def _generate(self, context: Context, rows: list[Row]) -> Steps[list[Row] | None]:
        timeless = self._timeless(context, "a generated column")
        for position, program in self._generated:
            computed = yield from program.run(timeless, list(zip(rows, strict=True)))
            column = self._converted_column([value for (value,) in computed], position)
            if column is None:
                return None
            place = position + 1
            rows = [(*row[:place], value, *row[place + 1 :]) for row, value in zip(rows, column, strict=True)]
        return rows

    def _timeless(self, context: Context, what: str) -> Context:
        """Return a context for what must be the same whenever it is computed."""
        return dataclasses.replace(context, timeless=what) if self._calls else context

    def _break_checks(self, context: Context, rows: list[Row]) -> Steps[bool]:
        if self._checks is None:
            return False
        timeless = self._timeless(context, "a CHECK constraint")
        verdicts = yield from self._checks.run(timeless, list(zip(rows, strict=True)))
        return any(1 in verdict for verdict in verdicts)


def _in_order(keys: list[UniqueKey]) -> tuple[UniqueKey, ...]:
    """Return keys in SQLite's order: the rowid, the newest index first, but last those that replace rows."""
    if not any(key.is_computed for key in keys):
        return tuple(keys)
    return tuple(sorted(keys, key=lambda key: (key.conflict == "replace", key.index is not None, -key.id)))


def _compile_checks(rules: RowRules, registry: Registry) -> CompiledRows | None:
    # NOT of a check is 1 exactly where the check is broken: neither true nor NULL.
    broken = tuple(Not(check.expression) for check in rules.checks)
    return compile_rows(broken, (rules.row,), registry) if broken else None


def _uses_rowid(rules: RowRules) -> bool:
    """Return whether a CHECK constraint, a generated column or a key depends on the rowid."""
    expressions = [check.expression for check in rules.checks] + [item.expression for item in rules.generated]
    expressions += [part for key in rules.computed for part in (*key.expressions, key.where) if part is not None]
    used = references(*expressions)
    own = rules.table.rowid_column
    return rules.row[0].id in used or (own is not None and rules.row[own + 1].id in used)


def _compile_default(expression: Expression, registry: Registry) -> CompiledRows | Value:
    if isinstance(expression, Constant):
        return expression.value
    return compile_rows((expression,), (), registry)
