"""Indexes over expressions, or of some rows: their keys, and whether storage can keep them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from discosql.planner.build import Binder
from discosql.planner.context import PlanContext
from discosql.planner.dml_rows import computed_key, new_row
from discosql.planner.operands import walk
from discosql.planner.parameters import ParameterTable
from discosql.planner.plan import Call, ColumnRef, ComputedKey, Expression
from discosql.planner.predicates import BUILT_IN_COLLATIONS, SETTING_DEPENDENT
from discosql.planner.scope import Scope
from discosql.schema import ComputedIndex, TableSchema

_COLLATIONS: Final = ("collation", "low_collation", "high_collation")


class BoundKey(NamedTuple):
    """The key of an index over the columns of a stored row."""

    row: tuple[ColumnRef, ...]
    key: ComputedKey

    def parts(self) -> Iterator[Expression]:
        """Yield all expressions in it."""
        for item in (*self.key.expressions, *(() if self.key.where is None else (self.key.where,))):
            yield from walk(item)


def bound_keys(context: PlanContext, table: TableSchema, indexes: Sequence[ComputedIndex]) -> list[BoundKey]:
    """Return the keys of some indexes of a table."""
    binder = Binder(replace(context, trigger=None, witness=None), ParameterTable())
    row = new_row(binder, table)
    scope = Scope.of_table(table, table.name, row)
    return [BoundKey(row, computed_key(binder, index, scope)) for index in indexes]


def with_kept(context: PlanContext, table: TableSchema, index: ComputedIndex) -> ComputedIndex:
    """Return an index with `kept` set if its keys are the same for every connection and at all times.

    Raises ProgrammingError for unknown names in it.
    """
    (key,) = bound_keys(context, table, (index,))
    names = {name for part in key.parts() for name in _collations_of(part)} | set(index.collations)
    return replace(index, kept=uses_built_in(context, key) and names <= BUILT_IN_COLLATIONS)


def uses_built_in(context: PlanContext, key: BoundKey) -> bool:
    """Whether a connection has nothing of its own under the names of functions in a key."""
    return all(_is_built_in(context, part) for part in key.parts() if isinstance(part, Call))


def _is_built_in(context: PlanContext, call: Call) -> bool:
    signature = context.functions[call.name, "scalar"]
    return signature.deterministic and not signature.by_user and call.name not in SETTING_DEPENDENT


def _collations_of(part: Expression) -> Iterator[str]:
    for name in _COLLATIONS:
        if (found := getattr(part, name, None)) is not None:
            yield found
    for when in getattr(part, "whens", ()):
        if len(when) > 2:
            yield when[2]
