"""What follows from a statement's changes by foreign keys: their actions at once, their checks at its end."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from discosql.executor.context import Context
from discosql.executor.foreign_keys import Reference, ReferenceMap, References, check_given, check_lost, violation
from discosql.executor.writes.by_row import delete_row, fire, update_row
from discosql.executor.writes.changes import TableChanges
from discosql.executor.writes.rows import TableRules
from discosql.executor.writes.steps import Lookup, Nested, NestingSteps, Steps, stored_row
from discosql.executor.writes.update import Assigned, assigned, update_rows
from discosql.schema import TableSchema
from discosql.storage.engine import Key
from discosql.types import Row, Value


@dataclass(frozen=True, slots=True)
class Loss:
    """The keys that parents of a reference lost: with their rows, or by getting the keys they have now."""

    reference: Reference
    removed: dict[Key, Key | None]
    moved: dict[Key, Key | None]
    deleted: Sequence[Row]

    @property
    def keys(self) -> list[Key]:
        """All of the lost keys."""
        return [*self.removed, *self.moved]


Touched = dict[tuple[int, int], tuple[Reference, set[Key]]]


class ForeignKeyWork:
    """The foreign keys of one running statement.

    `follow` is told the changes of the statement's own table and runs the actions, which change other rows in turn;
    `check` ends the statement. `rules` gives the compiled rules of a table by its id. A table that is `dropped` is no
    child any more, and references to it that have a problem are passed over.
    """

    def __init__(
        self,
        context: Context,
        references: ReferenceMap,
        rules: Callable[[int], TableRules],
        dropped: TableSchema | None = None,
    ) -> None:
        self._context = context
        self._map = references
        self._rules = rules
        self._dropped = dropped
        self._found = References(context.view)
        self._given: Touched = {}
        self._lost: Touched = {}

    def require(self, table: TableSchema, places: Collection[int] | None, *, removes: bool) -> None:
        """Raise ProgrammingError if the statement's own change of a table needs a reference that has a problem.

        `places` are those that an UPDATE changes. Like SQLite, this looks at the statement, not at what rows there are.
        """
        if self._context.state.foreign_keys:
            for reference in self._map.of(table):
                if places is None or set(places) & set(reference.child_places):
                    reference.require()
            for reference in self._map.to(table) if removes else ():
                if places is None or set(places) & set(reference.parent_places):
                    reference.require()

    def changes_children(self, table: TableSchema) -> bool:
        """Return whether actions follow from a change of a table's rows."""
        return self._context.state.foreign_keys and any(reference.acts for reference in self._map.to(table))

    def goes_row_by_row(self, table: TableSchema) -> bool:
        """Return whether it matters to foreign keys that rows of a table are changed one at a time."""
        return self._context.state.foreign_keys and self._map.goes_row_by_row(table)

    def is_parent(self, table: TableSchema) -> bool:
        """Return whether references of other tables to a table are to be followed."""
        return self._context.state.foreign_keys and any(map(self._is_followed, self._map.to(table)))

    def _is_followed(self, reference: Reference) -> bool:
        if self._dropped is None:
            reference.require()
            return True
        return reference.problem is None and reference.child.id != self._dropped.id

    def _is_deferred(self, reference: Reference) -> bool:
        return reference.key.deferred or self._context.state.defer_foreign_keys

    def parent_lookups(self, table: TableSchema, rows: Sequence[Row]) -> list[Lookup]:
        """Return the lookups by which `check` will find the parents of new rows."""
        references = self._map.of(table) if self._context.state.foreign_keys else ()
        asked = [self._found.parents_lookup(each, _child_keys(each, rows)) for each in references]
        return [lookup for lookup in asked if lookup is not None and lookup[2]]

    def follow(self, changes: TableChanges) -> NestingSteps[None]:
        """Run the actions of what was changed. Raises IntegrityError where RESTRICT or a child's constraint forbids."""
        if not self._context.state.foreign_keys or not self._map.concerns(changes.table):
            return
        # Depth first, as SQLite does: all that follows from one reference comes before the next reference.
        stack = [iter((yield from self._begin(changes)))]
        while stack:
            loss = next(stack[-1], None)
            if loss is None:
                stack.pop()
            else:
                for caused in reversed((yield from self._act(loss))):
                    stack.append(iter((yield from self._begin(caused))))

    def _begin(self, step: TableChanges) -> Steps[list[Loss]]:
        """Take note of changes and return what children lose by them."""
        self._found.follow(step)
        self._note_given(step)
        losses = [loss for reference in self._map.to(step.table) if (loss := _loss(reference, step)).keys]
        losses = [loss for loss in losses if self._is_followed(loss.reference)]
        now = [loss for loss in losses if loss.reference.acts or not self._is_deferred(loss.reference)]
        yield from self._found.prefetch(
            [(loss.reference, self._found.children_lookup(loss.reference, loss.keys)) for loss in now]
        )
        return losses

    def check(self) -> Steps[None]:
        """Raise IntegrityError if a child was left without a parent."""
        given = [(reference, self._found.parents_lookup(reference, keys)) for reference, keys in self._given.values()]
        yield from self._found.prefetch([(reference, asked) for reference, asked in given if asked is not None])
        for reference, keys in self._given.values():
            yield from check_given(self._found, reference, keys)
        for reference, keys in self._lost.values():
            yield from check_lost(self._found, reference, keys)

    def _note_given(self, step: TableChanges) -> None:
        for reference in self._map.of(step.table):
            places = reference.child_places
            moved = [new for old, new in step.updated if any(old[place] != new[place] for place in places)]
            changed = step.inserted or moved or step.deleted
            if changed and self._is_followed(reference):
                self._touch(self._given, reference, _child_keys(reference, [*step.inserted, *moved]))

    def _touch(self, touched: Touched, reference: Reference, keys: Collection[Key]) -> None:
        if not keys:
            return
        if self._is_deferred(reference):
            self._context.state.deferred_keys.setdefault(reference.id, set()).update(keys)
        else:
            touched.setdefault(reference.id, (reference, set()))[1].update(keys)

    def _act(self, loss: Loss) -> NestingSteps[list[TableChanges]]:
        """Run the actions of a reference for what happened to its parents; return the changes of children."""
        reference, caused = loss.reference, []
        if reference.key.on_delete == "RESTRICT" and reference.parent == reference.child:
            _restrict_in_turn(reference, loss.deleted)
        if loss.removed:
            caused += yield from self._act_on(reference, reference.key.on_delete, loss.removed)
        if loss.moved:
            caused += yield from self._act_on(reference, reference.key.on_update, loss.moved)
        return caused

    def _act_on(
        self, reference: Reference, action: str, keys: dict[Key, Key | None]
    ) -> NestingSteps[list[TableChanges]]:
        """Run an action for the children of keys that parents lost; each comes with what became of it."""
        if action == "NO ACTION":
            self._touch(self._lost, reference, keys)
            return []
        children = yield from self._found.children(reference, keys)
        if not children:
            return []
        if action == "RESTRICT":
            raise violation()
        if action == "SET DEFAULT":
            # The default may be the very key that was lost.
            self._touch(self._lost, reference, keys)
        if self._context.triggers is not None:
            # Triggers may keep the action from children.
            self._touch(self._lost, reference, keys)
            yield from self._act_by_row(reference, action, keys, children)
            return []
        changes = TableChanges(self._context.view, reference.child)
        if action == "CASCADE" and None in keys.values():
            for row in (row for rows in children.values() for row in rows):
                changes.delete(row)
        else:
            yield from self._update_children(reference, action, keys, children, changes)
        self._context.state.total_changes += changes.count
        return [changes]

    def _update_children(
        self,
        reference: Reference,
        action: str,
        keys: dict[Key, Key | None],
        children: dict[object, list[Row]],
        changes: TableChanges,
    ) -> Steps[None]:
        what = _assigned_by(reference, self._rules(reference.child.id))
        new_keys = self._new_keys(reference, action, keys, children)
        pairs = [(row, what.apply(row, values)) for row, values in new_keys]
        yield from update_rows(self._context, self._rules(reference.child.id), what, pairs, changes, "abort")

    def _new_keys(
        self, reference: Reference, action: str, keys: dict[Key, Key | None], children: dict[object, list[Row]]
    ) -> list[tuple[Row, Key]]:
        """Return the children that an action gives another key, each with that key, by rowid."""
        rules, found = self._rules(reference.child.id), []
        for key, new_key in keys.items():
            for row in children.get(reference.mark(key), ()):
                values: Iterable[Value] = new_key if action == "CASCADE" and new_key is not None else [None] * len(key)
                if action == "SET DEFAULT":
                    values = [rules.default(self._context, place - 1) for place in reference.child_places]
                found.append((row, tuple(values)))
        return sorted(found, key=lambda pair: pair[0][0])

    # Triggers of children ------------------------------------------------------------------------------------------

    def _act_by_row(
        self, reference: Reference, action: str, keys: dict[Key, Key | None], children: dict[object, list[Row]]
    ) -> NestingSteps[None]:
        """Run an action child by child, each with its triggers and with all that follows from it."""
        context, child = self._context, reference.child
        deletes = action == "CASCADE" and None in keys.values()
        what = _assigned_by(reference, self._rules(reference.child.id))
        for row, values in self._new_keys(reference, action, keys, children):
            stored = yield from stored_row(context.view, child.id, row[0])
            if stored is None:
                continue
            changes = TableChanges(context.view, child)
            if deletes:
                firing = yield from delete_row(context, stored, changes)
            else:
                change = (stored, values)
                firing = yield from update_row(context, self._rules(child.id), what, change, changes, "abort")
            context.state.total_changes += changes.count
            yield Nested(self.follow(changes))
            yield from fire(context, firing)


def _assigned_by(reference: Reference, rules: TableRules) -> Assigned:
    return assigned(rules, [place - 1 for place in reference.child_places])


def _child_keys(reference: Reference, rows: Iterable[Row]) -> set[Key]:
    return {key for row in rows if (key := reference.child_key(row)) is not None}


def _loss(reference: Reference, step: TableChanges) -> Loss:
    removed: dict[Key, Key | None] = {}
    for row in step.deleted:
        key = reference.parent_key(row)
        if key is not None:
            removed[key] = None
    moved: dict[Key, Key | None] = {}
    for old, new in step.updated:
        key = reference.parent_key(old)
        new_key = tuple([new[place] for place in reference.parent_places])
        if key is not None and reference.mark(key) != reference.mark(new_key):
            moved[key] = new_key
    return Loss(reference, removed, moved, step.deleted)


def _restrict_in_turn(reference: Reference, deleted: Sequence[Row]) -> None:
    """Raise IntegrityError where SQLite, deleting row by row, meets a parent whose children are still to be deleted."""
    later: set[object] = set()
    for row in reversed(deleted):
        key = reference.parent_key(row)
        if key is not None and reference.mark(key) in later:
            raise violation()
        own = reference.child_key(row)
        if own is not None:
            later.add(reference.mark(own))
