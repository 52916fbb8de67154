"""Changing stored rows, one after the other as SQLite does: the order decides whether rows may swap their keys."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from discosql.executor.constraints import Holders, UniqueKey, has_doubles
from discosql.executor.context import Context
from discosql.executor.writes.changes import TableChanges
from discosql.executor.writes.resolution import settle
from discosql.executor.writes.rowids import integer_rowid, place_rowid
from discosql.executor.writes.rows import Candidate, Refusal, TableRules
from discosql.executor.writes.steps import CHUNK, Steps, chunks
from discosql.planner.plan import Resolution
from discosql.types import Row, Value


@dataclass(frozen=True, slots=True)
class Assigned:
    """Which columns of a table are given new values: `positions`, where the rowid is -1 even if a column names it.

    `named` are the positions as they were given. `places` are those of a stored row that may change, with the generated
    columns; `keys` the unique keys with them.
    """

    positions: tuple[int, ...]
    named: frozenset[int]
    places: frozenset[int]
    keys: tuple[UniqueKey, ...]

    def apply(self, row: Row, values: Sequence[Value]) -> Row:
        """Return a row with the new values."""
        changed = list(row)
        for position, value in zip(self.positions, values, strict=True):
            changed[position + 1] = value
        return tuple(changed)


def assigned(rules: TableRules, positions: Collection[int]) -> Assigned:
    """Return what changes when the columns at these positions get new values."""
    table = rules.table
    moved = tuple(-1 if position == table.rowid_column else position for position in positions)
    generated = [i for i, column in enumerate(table.columns) if column.generated is not None]
    places = {position + 1 for position in (*moved, *generated)}
    if 0 in places and table.rowid_column is not None:
        places.add(table.rowid_column + 1)
    keys = tuple(key for key in rules.keys if places & set(key.places))
    return Assigned(moved, frozenset(positions), frozenset(places), keys)


def update_rows(
    context: Context,
    rules: TableRules,
    what: Assigned,
    pairs: Sequence[tuple[Row, Row]],
    changes: TableChanges,
    resolution: Resolution | None = None,
) -> Steps[None]:
    """Change rows: `pairs` of a stored row and the same with the new values in it, as yet unchecked."""
    new_rows = yield from _candidates(context, rules, what, [new for _old, new in pairs], resolution)
    candidates = [(old, new) for (old, _raw), new in zip(pairs, new_rows, strict=True)]
    asking = [_moving(key, candidates) for key in what.keys]
    holders = Holders(what.keys)
    contested = yield from holders.load(context.view, asking)
    contested = contested or any(map(has_doubles, what.keys, asking))
    if contested or any(isinstance(new, Refusal) for _old, new in candidates):
        _update_in_turn(holders, candidates, changes, resolution)
        return
    for count, (old, new) in enumerate(candidates):
        assert not isinstance(new, Refusal)
        changes.update(old, new)
        if count % CHUNK == CHUNK - 1:
            yield None


def _candidates(
    context: Context, rules: TableRules, what: Assigned, rows: Sequence[Row], resolution: Resolution | None
) -> Steps[list[Candidate]]:
    if -1 in what.positions:
        rows = [place_rowid(rules.table, row, integer_rowid(row[0])) for row in rows]
    fresh = [position for position in what.positions if position >= 0]
    candidates: list[Candidate] = []
    for chunk in chunks(rows):
        columns = list(zip(*chunk, strict=True))
        candidates += yield from rules.candidates(context, columns, fresh, resolution)
        if len(chunk) == CHUNK:
            yield None
    return candidates


def _moving(key: UniqueKey, candidates: Sequence[tuple[Row, Candidate]]) -> list[Row]:
    """Return the new rows whose key differs from that of their old form."""
    return [new for old, new in candidates if not isinstance(new, Refusal) and key.mark(new) != key.mark(old)]


def _update_in_turn(
    holders: Holders,
    candidates: Sequence[tuple[Row, Candidate]],
    changes: TableChanges,
    resolution: Resolution | None,
) -> None:
    # Unlike in SQLite, a row that has moved to the rowid of one it replaced is not changed once more in its place.
    gone: set[int] = set()
    for old, new in candidates:
        if old[0] in gone:
            continue
        holders.release(old)
        if not isinstance(new, Refusal):
            new = _make_room(holders, old, new, changes, resolution, gone)
        if not isinstance(new, Refusal):
            changes.update(old, new)
            holders.occupy(new)
        elif settle(new, resolution, changes):
            holders.occupy(old)
        else:
            return


def _make_room(
    holders: Holders,
    old: Row,
    new: Row,
    changes: TableChanges,
    resolution: Resolution | None,
    replaced: set[int],
) -> Candidate:
    """Remove the rows that are in the way of a new one if they may be `replaced`: their rowids are added there."""
    for key, holder in holders.conflicts(new, besides=old[0]):
        decided = key.resolution(resolution)
        if decided != "replace":
            return Refusal(key.error(), resolution=decided)
        changes.make_room(holder)
        holders.release(holder)
        replaced.add(holder[0])
    return new
