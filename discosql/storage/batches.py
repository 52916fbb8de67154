"""Rows in rowid order as a list of batches that versions of a table share.

A batch is never changed once it is in use: a newer version copies the few batches that its changes touch.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import chain, islice
from typing import Final

from discosql.storage.views import Batch
from discosql.types import Row

BATCH_ROWS: Final = 4_096
"""Rows of a full batch; batches that grow beyond twice that are split."""

_RUN: Final = 2**15
_SAMPLES: Final = 2**5

Changes = Mapping[int, Row | None]
"""Rows by rowid as they are after a change; None where a row is gone."""


def batches_of(rows: Mapping[int, Row | None]) -> list[Batch]:
    """Return the batches of rows given by rowid in any order."""
    return _split(_sorted_rows(rows))


def apply_changes(batches: list[Batch], changes: Changes) -> list[Batch]:
    """Return batches after changes; those that no change touches are shared with the old list."""
    if not changes:
        return batches
    if not batches or len(changes) * 2 > len(batches) * BATCH_ROWS:
        merged: dict[int, Row | None] = {row[0]: row for batch in batches for row in batch}
        merged.update(changes)
        return batches_of(merged)
    result: list[Batch] = []
    done = 0
    for position, rowids in _by_batch(batches, changes):
        result += batches[done:position]
        result += _changed_batch(batches[position], {rowid: changes[rowid] for rowid in rowids})
        done = position + 1
    return result + batches[done:]


def _by_batch(batches: list[Batch], changes: Changes) -> list[tuple[int, list[int]]]:
    firsts = [batch[0][0] for batch in batches]
    groups: list[tuple[int, list[int]]] = []
    for rowid in sorted(changes):
        position = max(0, bisect_right(firsts, rowid) - 1)
        if not groups or groups[-1][0] != position:
            groups.append((position, []))
        groups[-1][1].append(rowid)
    return groups


def _changed_batch(batch: Batch, changes: dict[int, Row | None]) -> list[Batch]:
    if next(iter(changes)) > batch[-1][0]:
        return _split(batch + [row for row in changes.values() if row is not None])
    merged: dict[int, Row | None] = {row[0]: row for row in batch}
    merged.update(changes)
    return _split(_sorted_rows(merged))


def _sorted_rows(rows: Mapping[int, Row | None]) -> Batch:
    # Sorting what is sorted already, as append-only tables are, costs next to nothing.
    return [row for rowid in sorted(rows) if (row := rows[rowid]) is not None]


def sorted_in_steps(rowids: Iterable[int]) -> list[int]:
    """Return rowids in order, sorted in steps of a few milliseconds, in between which other threads get their turn."""
    left = iter(rowids)
    runs = []
    while run := list(islice(left, _RUN)):
        run.sort()
        runs.append(run)
    if len(runs) < 2:
        return runs[0] if runs else []
    # Rowids between which there are about as many as a run has.
    samples = sorted(chain.from_iterable(run[:: _RUN // _SAMPLES] for run in runs))
    result: list[int] = []
    starts = [0] * len(runs)
    for pivot in [*samples[_SAMPLES::_SAMPLES], max(run[-1] for run in runs)]:
        part: list[int] = []
        for number, run in enumerate(runs):
            end = bisect_right(run, pivot, starts[number])
            part += run[starts[number] : end]
            starts[number] = end
        result += sorted(part)
    return result


def _split(rows: Batch) -> list[Batch]:
    if len(rows) <= 2 * BATCH_ROWS:
        return [rows] if rows else []
    return [rows[start : start + BATCH_ROWS] for start in range(0, len(rows), BATCH_ROWS)]
