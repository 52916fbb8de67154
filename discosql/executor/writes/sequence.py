"""Changes of sqlite_sequence, which tells what AUTOINCREMENT gave out last (https://www.sqlite.org/autoinc.html).

Its rows are not stored: each table with AUTOINCREMENT that was given a rowid has one. What SQL writes there sets where
AUTOINCREMENT goes on, never below a rowid in use.
"""

from typing import cast

from discosql.conversion import convert
from discosql.errors import NotSupportedError
from discosql.executor.context import Context
from discosql.executor.writes.steps import Steps
from discosql.planner.plan import ViewChange
from discosql.schema import SEQUENCE, TableSchema
from discosql.storage.engine import Batch, Range
from discosql.types import Row, SqlType, Value, fold_case, text_of


def change_sequence(context: Context, change: ViewChange, old: Row | None, new: Row | None) -> Steps[None]:
    """Do what a change of a row of sqlite_sequence asks for; DELETE is as if nothing had been given out.

    An INSERT beside a row that is there never lowers what that says, as the first row counts in SQLite; REPLACE sets
    it. Raises NotSupportedError for a row of anything but a table with AUTOINCREMENT, DataError for what is no integer.
    """
    if old is not None and new is not None and old[1] != new[1]:
        raise NotSupportedError(f"a name in {SEQUENCE} is that of its table and cannot be changed")
    _, name, number = new or old or (None, None, None)
    table = _table(context, change, name)
    wanted = 0 if new is None else cast("int | None", convert(number, SqlType.INTEGER, f"{SEQUENCE}.seq")) or 0
    known = context.view.statistics(table.id).highest_rowid
    if old is None and change.resolution != "replace":
        wanted = max(wanted, known)
    if wanted < known:
        wanted = yield from _highest_from(context, table, max(wanted, 0))
    if wanted != known:
        context.view.set_used(table.id, wanted)


def _table(context: Context, change: ViewChange, name: Value) -> TableSchema:
    tables = context.view.catalog.part(temporary=change.rules.table.temporary).tables
    table = None if name is None else tables.get(fold_case(text_of(name)))
    if table is None or not table.autoincrement:
        shown = "NULL" if name is None else text_of(name)
        raise NotSupportedError(f"{SEQUENCE} has a row for each table with AUTOINCREMENT only: {shown} is none")
    return table


def _highest_from(context: Context, table: TableSchema, floor: int) -> Steps[int]:
    """Return the highest rowid in use, at least `floor`; nobody may add a higher one before the commit."""
    highest = floor
    scan = context.view.scan(table.id, [Range(0, low=floor + 1)])
    while True:
        batch = scan.next()
        if batch is not None and not isinstance(batch, list):
            batch = cast("Batch | None", (yield batch))
        if batch is None:
            return highest
        if batch:
            highest = max(highest, batch[-1][0])
        yield None
