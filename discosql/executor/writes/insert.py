"""Adding rows: rowids, unique keys, conflict resolution and ON CONFLICT clauses.

All new rows of a statement are made and their keys looked up together. Where no two rows meet, that is all; otherwise
they are stored one after the other, as SQLite does, each seeing what happened to those before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from discosql.executor.constraints import Holders, UniqueKey, has_doubles, unique_keys
from discosql.executor.context import Context
from discosql.executor.functions.registry import Registry
from discosql.executor.writes.actions import ForeignKeyWork
from discosql.executor.writes.changes import TableChanges
from discosql.executor.writes.resolution import settle
from discosql.executor.writes.rowids import Rowids, given_rowids, place_rowid
from discosql.executor.writes.rows import Candidate, Refusal, TableRules
from discosql.executor.writes.steps import CHUNK, Steps, chunks, prefetch
from discosql.executor.writes.upsert import CompiledUpsert
from discosql.planner.plan import Insert
from discosql.types import Row, Value


@dataclass(slots=True)
class NewRows:
    """What an INSERT wants to store. `given` holds the rows whose rowid was given rather than chosen."""

    rowids: Rowids
    candidates: list[Candidate] = field(default_factory=list)
    chosen: list[bool] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    given: list[Row] = field(default_factory=list)

    def add(self, candidates: Sequence[Candidate], chosen: Sequence[bool]) -> None:
        """Add candidates; `chosen` tells whose rowid was chosen."""
        self.candidates += candidates
        self.chosen += chosen
        self.rows += [row for row in candidates if isinstance(row, tuple)]
        if not all(chosen):
            pairs = zip(candidates, chosen, strict=True)
            self.given += [row for row, free in pairs if not free and isinstance(row, tuple)]

    def asking(self, key: UniqueKey) -> list[Row]:
        """Return the rows that may meet a stored row with the same key."""
        return self.given if key.index is None else self.rows

    def meet(self, key: UniqueKey) -> bool:
        """Return whether two of the rows have one key."""
        return bool(self.asking(key)) and has_doubles(key, self.rows)


class Inserter:
    """INSERT without its source: makes rows of a table from values and stores them."""

    def __init__(self, statement: Insert, rules: TableRules, registry: Registry) -> None:
        self.rules = rules
        self.table = rules.table
        self._resolution = statement.resolution
        self._upserts = tuple(CompiledUpsert(upsert, rules, registry) for upsert in statement.upserts)
        self._keys = _in_order(unique_keys(self.table), self._upserts)
        self._sources = {position: place for place, position in enumerate(statement.positions)}
        self._fresh = tuple(position for position in rules.given if position != self.table.rowid_column)

    @property
    def passes_over(self) -> bool:
        """Whether a row may not be stored, or in place of others, without an error."""
        return bool(self._upserts) or self._resolution in ("ignore", "replace")

    def insert(
        self, context: Context, source: Sequence[Row], changes: TableChanges, work: ForeignKeyWork
    ) -> Steps[None]:
        """Store a row for each row of the source."""
        new = yield from self._new_rows(context, source)
        lookups = [key.lookup(asking) for key in self._keys if (asking := new.asking(key))]
        yield from prefetch(context.view, [*lookups, *work.parent_lookups(self.table, new.rows)])
        holders = Holders(self._keys)
        contested = yield from holders.load(context.view, [new.asking(key) for key in self._keys])
        if contested or len(new.rows) < len(new.candidates) or any(map(new.meet, self._keys)):
            yield from self._insert_in_turn(context, new, holders, changes)
            return
        new.rowids.reserve()
        for chunk in chunks(new.rows):
            changes.insert_all(chunk)
            if len(chunk) == CHUNK:
                yield None

    # Making rows --------------------------------------------------------------------------------------------------

    def _new_rows(self, context: Context, source: Sequence[Row]) -> Steps[NewRows]:
        # AUTOINCREMENT spends a rowid even on a row that is passed over.
        provisional = self.passes_over and not self.table.autoincrement
        new = NewRows(Rowids(context.view, self.table.id, provisional=provisional))
        given = self._given_rowids(source)
        rowids = new.rowids.assign(given)
        done = 0
        for chunk in chunks(source):
            part = slice(done, done + len(chunk))
            columns = self._columns(context, chunk, rowids[part])
            new.add(
                (yield from self.rules.candidates(context, columns, self._fresh, self._resolution)),
                [rowid is None for rowid in given[part]],
            )
            done += len(chunk)
            if len(chunk) == CHUNK:
                yield None
        return new

    def _given_rowids(self, source: Sequence[Row]) -> Sequence[int | None]:
        for position in (self.table.rowid_column, -1):
            if position in self._sources:
                place = self._sources[position]
                return given_rowids([row[place] for row in source])
        return [None] * len(source)

    def _columns(self, context: Context, source: Sequence[Row], rowids: Sequence[int]) -> list[Sequence[Value]]:
        given = list(zip(*source, strict=True))
        columns: list[Sequence[Value]] = [rowids]
        for position in range(len(self.table.columns)):
            if position == self.table.rowid_column:
                columns.append(rowids)
            elif position in self._sources:
                columns.append(given[self._sources[position]])
            elif position in self.rules.generated:
                columns.append([None] * len(source))
            else:
                columns.append(self.rules.defaults(context, position, len(source)))
        return columns

    # Storing rows one after the other -----------------------------------------------------------------------------

    def _insert_in_turn(self, context: Context, new: NewRows, holders: Holders, changes: TableChanges) -> Steps[None]:
        for candidate, chosen in zip(new.candidates, new.chosen, strict=True):
            row: Candidate | None = candidate
            if isinstance(row, tuple):
                if chosen and new.rowids.provisional:
                    row = place_rowid(self.table, row, new.rowids.next())
                row = yield from self._make_room(context, row, holders, changes)
                if row is None and changes.stored:
                    # DO UPDATE may have moved a row to a higher rowid.
                    new.rowids.use(changes.stored[-1][0])
            if isinstance(row, Refusal) and not settle(row, self._resolution, changes):
                return
            if isinstance(row, tuple):
                changes.insert(row)
                holders.occupy(row)
                new.rowids.use(row[0])

    def _make_room(
        self, context: Context, row: Row, holders: Holders, changes: TableChanges
    ) -> Steps[Candidate | None]:
        """Return the row if it can be stored now, None if an ON CONFLICT clause took care of it."""
        for key, holder in holders.conflicts(row):
            upsert = next((upsert for upsert in self._upserts if upsert.covers(key)), None)
            if upsert is not None:
                if upsert.updates:
                    updated = yield from upsert.update(context, holder, row, changes)
                    holders.release(holder)
                    holders.occupy(updated)
                return None
            if self._resolution != "replace":
                return Refusal(key.error())
            changes.make_room(holder)
            holders.release(holder)
        return row


def _in_order(keys: Sequence[UniqueKey], upserts: Sequence[CompiledUpsert]) -> tuple[UniqueKey, ...]:
    """Return the keys in the order they are tested: those that ON CONFLICT clauses name come first, in their order."""
    named = [upsert.index for upsert in upserts if upsert.index is not None]
    return tuple(sorted(keys, key=lambda key: named.index(key.id) if key.id in named else len(named)))
