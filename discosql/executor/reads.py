"""Reading for generated code: batches of rows, and what is loaded before a statement starts."""

import gc
from collections.abc import Generator, Iterable, Iterator
from typing import Any, Final

from discosql.errors import NotSupportedError, OperationalError
from discosql.executor.context import Context
from discosql.storage.engine import Pending, ReadView
from discosql.types import Row, Value, text_of, to_numeric

UNLIMITED: Final = 2**62
"""More rows than there can be; with an offset added it is still a number that Python's slices take."""


def without_collections(steps: Generator[Pending | None, Any, Any]) -> Generator[Pending | None, Any, Any]:
    """Run a statement without the collector of cyclic garbage looking at its rows over and over.

    Rows hold no cycles, but thousands of new tuples make Python search for some, through all the objects there are.
    Whenever the statement waits or lets others work, the collector is on again.
    """
    answer: Any = None
    while True:
        enabled = gc.isenabled()
        gc.disable()
        try:
            waiting = steps.send(answer)
        except StopIteration as stop:
            return stop.value
        finally:
            if enabled:
                gc.enable()
        answer = yield waiting


def pieces(rows: list[Any], step: int) -> Iterable[list[Any]]:
    """Cut a list into pieces of at most `step` rows."""
    if len(rows) <= step:
        return (rows,)
    return [rows[start : start + step] for start in range(0, len(rows), step)]


def growing_pieces(rows: list[Any], size: list[int], most: int) -> Iterator[list[Any]]:
    """Cut a list into pieces, each twice as large as the one before; `size` holds that of the next one."""
    start = 0
    while start < len(rows):
        (step,) = size
        size[0] = min(2 * step, most)
        yield rows[start : start + step]
        start += step


def load_scan(view: ReadView, table: int) -> Generator[Pending | None, Any, list[Row]]:
    """Read a whole table."""
    rows: list[Row] = []
    scan = view.scan(table)
    while True:
        batch = scan.next()
        if batch is not None and batch.__class__ is not list:
            batch = yield batch  # type: ignore[misc]
        if batch is None:
            return rows
        rows += batch


def limit_of(value: Value) -> int:
    """Return the number of rows that a LIMIT allows; a negative one allows all."""
    number = _whole(value)
    return number if 0 <= number < UNLIMITED else UNLIMITED


def offset_of(value: Value) -> int:
    """Return the number of rows that an OFFSET skips."""
    return max(0, min(_whole(value), UNLIMITED - 1))


def _whole(value: Value) -> int:
    number = to_numeric(value)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not isinstance(number, int):
        raise OperationalError("datatype mismatch")
    return number


def past_view(context: Context, moment: Value, table: int) -> Generator[Pending | None, Any, ReadView]:
    """Return the view of the database as of a moment, at which it must have had a table."""
    if context.past is None:
        raise NotSupportedError("this connection cannot read the past")
    past = context.past(moment)
    view: ReadView = (yield past) if hasattr(past, "fetch") else past  # type: ignore[misc]
    if view.catalog.table_by_id(table) is None:
        known = context.view.catalog.table_by_id(table)
        name = known.name if known is not None else "it"
        raise OperationalError(f"no such table as of {text_of(moment)}: {name}")
    return view
