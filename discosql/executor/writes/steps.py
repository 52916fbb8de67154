"""Reading inside a running statement: generators that yield what must be fetched and are sent the answer."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar, cast

from discosql.storage.engine import Batch, Key, Pending, ReadView
from discosql.types import Row

T = TypeVar("T")

Steps: TypeAlias = Generator[Pending | None, object, T]
"""A running operation: yields what to fetch, or None as a tick, is sent what was fetched, returns its result."""


@dataclass(frozen=True, slots=True)
class Nested:
    """What steps yield to have others run before they go on; they are sent the result."""

    steps: Generator[Any, Any, Any]


NestingSteps: TypeAlias = Generator[Pending | Nested | None, object, T]
"""Steps that may also yield `Nested`."""

Lookup: TypeAlias = tuple[int, int | None, list[Key]]
"""What `ReadView.lookup` is asked: a table, an index, keys."""

CHUNK: Final = 4096
"""Rows that are worked on between two ticks."""


def lookup(view: ReadView, table: int, index: int | None, keys: Sequence[Key]) -> Steps[list[Row]]:
    """Return the rows that have one of the keys (`ReadView.lookup`)."""
    found = view.lookup(table, index, keys) if keys else []
    if not isinstance(found, list):
        found = cast(list[Row], (yield found))
    return found


def stored_row(view: ReadView, table: int, rowid: int) -> Steps[Row | None]:
    """Return the row with a rowid, None if there is none."""
    rows = yield from lookup(view, table, None, [(rowid,)])
    return rows[0] if rows else None


def prefetch(view: ReadView, lookups: Sequence[Lookup], scans: Sequence[int] = ()) -> Steps[None]:
    """Load what several reads need with as few requests as can be; a single one needs no such preparation."""
    if len(lookups) + len(scans) > 1:
        pending = view.prefetch(scans, lookups)
        if pending is not None:
            yield pending


def scan(view: ReadView, table: int) -> Steps[list[Row]]:
    """Return all rows of a table."""
    rows: list[Row] = []
    batches = view.scan(table)
    while True:
        batch = batches.next()
        if batch is not None and not isinstance(batch, list):
            batch = cast("Batch | None", (yield batch))
        if batch is None:
            return rows
        rows += batch
        yield None


def chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Yield the rows in portions that are short enough to work on between two ticks."""
    for start in range(0, len(rows), CHUNK):
        yield rows if len(rows) <= CHUNK else rows[start : start + CHUNK]
