"""Adding rows: rowids, unique keys, conflict resolution and ON CONFLICT clauses.

All new rows of a statement are made and their keys looked up together. Where no two rows meet, that is all; otherwise
they are stored one after the other, as SQLite does, each seeing what happened to those before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from discosql.executor.constraints import Holders, UniqueKey, has_doubles
from discosql.executor.context import Context
from discosql.executor.functions.registry import Registry
from discosql.executor.writes.actions import ForeignKeyWork
from discosql.executor.writes.by_row import Firing, removal_fires, remove, triggers_of
from discosql.executor.writes.changes import TableChanges
from discosql.executor.writes.resolution import settle
from discosql.executor.writes.rowids import Rowids, given_rowids, place_rowid
from discosql.executor.writes.rows import Candidate, Refusal, TableRules
from discosql.executor.writes.steps import CHUNK, NestingSteps, Steps, chunks
from discosql.executor.writes.upsert import CompiledUpsert
from discosql.planner.plan import Insert
from discosql.types import Row, Value


@dataclass(frozen=True, slots=True)
class NewRows:
    """What an INSERT wants to store. `given` holds the rows whose rowid was given rather than chosen."""

    candidates: Sequence[Candidate]
    rows: Sequence[Row]
    given: Sequence[Row]

    def asking(self, key: UniqueKey) -> Sequence[Row]:
        """Return the rows that may meet a stored row with the same key."""
        return self.given if key.index is None else self.rows

    def meet(self, key: UniqueKey) -> bool:
        """Return whether two of the rows have one key, or may get one rowid."""
        if key.index is None and len(self.given) < len(self.rows) and None in map(key.mark, self.rows):
            return bool(self.given)
        return bool(self.asking(key)) and has_doubles(key, self.rows)


@dataclass(frozen=True, slots=True)
class Contest:
    """What rows that are stored one after the other have to do with. `firings` are triggers of ON CONFLICT clauses."""

    holders: Holders
    changes: TableChanges
    work: ForeignKeyWork
    firings: list[Firing | None] = field(default_factory=list)


class Inserter:
    """INSERT without its source: makes rows of a table from values and stores them."""

    def __init__(self, statement: Insert, rules: TableRules, registry: Registry) -> None:
        self.rules = rules
        self.table = rules.table
        self._resolution = statement.resolution
        self._upserts = tuple(CompiledUpsert(upsert, rules, registry) for upsert in statement.upserts)
        # AUTOINCREMENT spends a rowid even on a row that is left out.
        early = rules.uses_rowid or self.table.autoincrement or any(upsert.uses_rowid for upsert in self._upserts)
        # SQLite converts values only where it must look at them: in this case after it looked for the rowid.
        self._finds_rowids_first = not rules.rules.checks and not rules.rules.generated
        self._late_rowids = not early and self.passes_over
        self._replaces = self._resolution == "replace" or (self._resolution is None and self.table.replaces)
        self._keys = _in_order(rules.keys, self._upserts)
        self._sources = {position: place for place, position in enumerate(statement.positions)}
        self._fresh = tuple(position for position in rules.given if position != self.table.rowid_column)

    @property
    def passes_over(self) -> bool:
        """Whether a row may be left out, or stored in place of others, without an error."""
        own = self.table.passes_over if self._resolution is None else self._resolution in ("ignore", "replace")
        return own or bool(self._upserts)

    def insert(
        self, context: Context, source: Sequence[Row], changes: TableChanges, work: ForeignKeyWork
    ) -> NestingSteps[None]:
        """Store a row for each row of the source."""
        rowids = Rowids(context.view, self.table, late=self._late_rowids)
        new = yield from self._new_rows(context, rowids, source)
        holders = Holders(self._keys)
        asking = [new.asking(key) for key in self._keys]
        contested = yield from holders.load(context.view, asking, work.parent_lookups(self.table, new.rows))
        if contested or len(new.rows) < len(new.candidates) or any(map(new.meet, self._keys)):
            yield from self._insert_in_turn(context, rowids, new, Contest(holders, changes, work))
            return
        for chunk in chunks(new.rows):
            if rowids.late:
                for row in chunk:
                    changes.insert(rowids.settled(row))
            else:
                changes.insert_all(chunk)
            if len(chunk) == CHUNK:
                yield None

    def insert_row(self, context: Context, source: Row, changes: TableChanges) -> NestingSteps[Firing | None]:
        """Store a row with its triggers; return what is to fire then, None if it was not stored."""
        triggers = triggers_of(context)
        given = self._given_rowids([source])
        columns = self._columns(context, [source], given)
        before = triggers.of(self.table, "before", "insert")
        if before:
            new = self._proposed(context, columns)
            if not (yield from triggers.fire(context, before, (None, new), self._resolution)):
                return None
        rowids = Rowids(context.view, self.table, late=self._late_rowids)
        columns[0] = rowids.assign(given)
        if self.table.rowid_column is not None:
            columns[self.table.rowid_column + 1] = columns[0]
        candidates = yield from self.rules.candidates(context, columns, self._fresh, self._resolution)
        rows = [row for row in candidates if isinstance(row, tuple)]
        contest = Contest(Holders(self._keys), changes, triggers.work)
        new_rows = NewRows(candidates, rows, rows if given[0] is not None else ())
        yield from contest.holders.load(context.view, [new_rows.asking(key) for key in self._keys])
        yield from self._insert_in_turn(context, rowids, new_rows, contest)
        if contest.firings:
            return contest.firings[0]
        if not changes.inserted:
            return None
        return Firing(triggers.of(self.table, "after", "insert"), (None, changes.inserted[-1]), self._resolution)

    def _proposed(self, context: Context, columns: Sequence[Sequence[Value]]) -> Row:
        """Return the row that columns of one value make as BEFORE triggers see it: a rowid to be chosen is -1."""
        row = tuple([column[0] for column in columns])
        if row[0] is None:
            row = place_rowid(self.table, row, -1)
        return self.rules.proposed(context, row, self._fresh)

    # Making rows --------------------------------------------------------------------------------------------------

    def _new_rows(self, context: Context, rowids: Rowids, source: Sequence[Row]) -> Steps[NewRows]:
        given = self._given_rowids(source)
        assigned = rowids.assign(given)
        candidates: list[Candidate] = []
        for chunk in chunks(source):
            done = len(candidates)
            columns = self._columns(context, chunk, assigned[done : done + len(chunk)])
            candidates += yield from self.rules.candidates(context, columns, self._fresh, self._resolution)
            if len(chunk) == CHUNK:
                yield None
        rows = [row for row in candidates if isinstance(row, tuple)]
        if given.count(None) == len(given):
            return NewRows(candidates, rows, ())
        named = [row for row, rowid in zip(candidates, given, strict=True) if rowid is not None]
        tried = [row.unfit if isinstance(row, Refusal) else row for row in named]
        return NewRows(candidates, rows, [row for row in tried if row is not None])

    def _given_rowids(self, source: Sequence[Row]) -> Sequence[int | None]:
        for position in (self.table.rowid_column, -1):
            if position in self._sources:
                place = self._sources[position]
                return given_rowids([row[place] for row in source])
        return [None] * len(source)

    def _columns(self, context: Context, source: Sequence[Row], rowids: Sequence[int | None]) -> list[Sequence[Value]]:
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

    def _insert_in_turn(self, context: Context, rowids: Rowids, new: NewRows, contest: Contest) -> NestingSteps[None]:
        for candidate in new.candidates:
            row: Candidate | None = candidate
            if isinstance(candidate, tuple):
                if self._replaces:
                    # SQLite chooses the rowid before it removes what is in the way, which may have the highest.
                    candidate = rowids.settled(candidate)
                row = yield from self._make_room(context, candidate, contest)
            elif candidate.unfit is not None and self._finds_rowids_first:
                row = yield from self._make_room_for_unfit(context, candidate, candidate.unfit, contest)
            if isinstance(row, Refusal) and not settle(row, self._resolution, contest.changes):
                return
            if isinstance(row, tuple):
                row = rowids.settled(row)
                contest.changes.insert(row)
                contest.holders.occupy(row)

    def _make_room_for_unfit(
        self, context: Context, refusal: Refusal, row: Row, contest: Contest
    ) -> NestingSteps[Candidate | None]:
        """Return why a row with a value of a wrong type is refused, or None if ON CONFLICT took care of it."""
        taken = any(key.index is None for key, _ in contest.holders.conflicts(row))
        if not taken or self._replaces:
            return refusal
        return (yield from self._make_room(context, row, contest))

    def _make_room(self, context: Context, row: Row, contest: Contest) -> NestingSteps[Candidate | None]:
        """Return the row if it can be stored now, None if an ON CONFLICT clause took care of it."""
        for key, holder in contest.holders.conflicts(row):
            upsert = next((upsert for upsert in self._upserts if upsert.covers(key)), None)
            if upsert is not None:
                if upsert.updates and context.triggers is not None:
                    contest.firings.append((yield from upsert.update_by_row(context, holder, row, contest.changes)))
                elif upsert.updates:
                    updated = yield from upsert.update(context, holder, row, contest.changes)
                    contest.holders.release(holder)
                    contest.holders.occupy(updated)
                return None
            resolution = key.resolution(self._resolution)
            if resolution != "replace":
                return Refusal(key.error(), resolution=resolution)
            yield from self._replace(context, row, holder, contest)
        # Triggers of the removed rows may have put others in the way, which are not replaced any more.
        left = next(contest.holders.conflicts(row), None)
        return row if left is None else Refusal(left[0].error())

    def _replace(self, context: Context, row: Row, holder: Row, contest: Contest) -> NestingSteps[None]:
        """Remove a row that is in the way of another."""
        fires = removal_fires(context, self.table)
        if not fires and not contest.work.changes_children(self.table):
            contest.changes.make_room(holder)
            contest.holders.release(holder)
            return
        # What follows from this removal comes before the new row, which may have the same key; it may change the table.
        if fires:
            yield from remove(context, self.table, holder)
        else:
            removal = TableChanges(context.view, self.table)
            removal.make_room(holder)
            yield from contest.work.follow(removal)
        contest.holders.forget()
        yield from contest.holders.load(context.view, [[row] for _ in self._keys])


def _in_order(keys: Sequence[UniqueKey], upserts: Sequence[CompiledUpsert]) -> tuple[UniqueKey, ...]:
    """Return the keys in the order they are tested: those that ON CONFLICT clauses name come first, in their order."""
    named = [upsert.index for upsert in upserts if upsert.index is not None]
    return tuple(sorted(keys, key=lambda key: named.index(key.id) if key.id in named else len(named)))
