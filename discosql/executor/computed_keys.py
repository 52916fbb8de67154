"""The keys of indexes over expressions, and of those of some rows only."""

from collections.abc import Callable

from discosql.executor.compile import CompiledRows, compile_rows
from discosql.executor.compile.walk import references
from discosql.executor.constraints import Mark, UniqueKey
from discosql.executor.context import Context
from discosql.executor.functions import DEFAULT
from discosql.executor.functions.registry import Registry
from discosql.planner.plan import ComputedKey, Not, RowRules
from discosql.types import Row, collate


def computed_keys(rules: RowRules, registry: Registry) -> list[UniqueKey]:
    """Return the keys of the indexes that `RowRules.computed` tells of, be they unique or not."""
    keys = []
    for key in rules.computed:
        used = references(*key.expressions, *_condition(key))
        places = tuple(place for place, column in enumerate(rules.row) if column.id in used)
        mark = _mark_of(rules, key, DEFAULT if key.index.kept else registry)
        keys.append(UniqueKey(rules.table, key.index, places, mark))
    return keys


def _condition(key: ComputedKey) -> tuple[Not, ...]:
    # NOT NOT is 1 where the condition is true, whatever it is.
    return () if key.where is None else (Not(Not(key.where)),)


def _mark_of(rules: RowRules, key: ComputedKey, registry: Registry) -> Callable[[Row], Mark | None]:
    program: CompiledRows = compile_rows((*key.expressions, *_condition(key)), (rules.row,), registry)
    # Keys see nothing of the connection, so there is no view to give them.
    context = Context(None, timeless="an index")  # type: ignore[arg-type]
    count = len(key.expressions)

    def mark(row: Row) -> Mark | None:
        values = program.evaluate(context, row)
        if values[count:] not in ((), (1,)):
            return None
        found = tuple([collate(value, name) for value, name in zip(values[:count], key.index.collations, strict=True)])
        return None if None in found else found

    return mark
