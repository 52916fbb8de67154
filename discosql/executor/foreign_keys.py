"""Foreign keys: where each leads, and whether what a statement did leaves a child without its parent.

A key is *touched* when a child row gets it or a parent row loses it. SQLite counts broken references up and down; here
the touched keys are looked at when the statement (for deferred keys: the transaction) is complete: a key that some
child has and no parent is a violation. A key with a NULL in it needs no parent.

Keys are in the form of the parent's columns: a child's values are converted to their types and compared under their
collations (https://www.sqlite.org/foreignkeys.html).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from discosql.conversion import apply_affinity
from discosql.errors import IntegrityError, ProgrammingError, UnknownNameError
from discosql.executor.constraints import Mark
from discosql.executor.context import SessionState
from discosql.executor.writes.changes import TableChanges
from discosql.executor.writes.steps import Lookup, Steps, lookup, prefetch, scan
from discosql.schema import Catalog, Column, ForeignKey, Index, TableSchema
from discosql.storage.engine import Key, ReadView
from discosql.types import Row, SqlType, collate, fold_case

_PLAIN_NUMBERS: Final = (SqlType.INTEGER, SqlType.REAL, SqlType.BOOLEAN)


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key with its parent found. `number` is its place among the child's foreign keys.

    Places are those of stored rows, in the order of the parent's unique index (`index` None: its rowid). `problem`
    tells why nothing can be referred to: the parent is missing, or the key is not unique there.
    """

    child: TableSchema
    number: int
    child_places: tuple[int, ...]
    parent: TableSchema | None = None
    parent_places: tuple[int, ...] = ()
    index: Index | None = None
    problem: str | None = None

    @property
    def id(self) -> tuple[int, int]:
        """What the reference is known by as long as the child table lives."""
        return self.child.id, self.number

    @property
    def key(self) -> ForeignKey:
        """The foreign key as declared."""
        return self.child.foreign_keys[self.number]

    @property
    def acts(self) -> bool:
        """Whether it has an action that changes children."""
        return bool({self.key.on_delete, self.key.on_update} - {"NO ACTION", "RESTRICT"})

    def require(self) -> None:
        """Raise ProgrammingError if the reference has a problem."""
        if self.problem is not None:
            raise (UnknownNameError if self.parent is None else ProgrammingError)(self.problem)

    def mark(self, key: Key) -> Mark:
        """Return a stand-in for a key that is equal exactly where keys are equal."""
        if all(column.collation == "BINARY" for column in self._parent_columns()):
            return key
        return tuple([collate(v, column.collation) for v, column in zip(key, self._parent_columns(), strict=True)])

    def child_key(self, row: Row) -> Key | None:
        """Return the key that a child row refers to, None if it refers to nothing."""
        values = tuple([row[place] for place in self.child_places])
        if None in values or self.problem is not None:
            return None if None in values else values
        return tuple([apply_affinity(v, column.type) for v, column in zip(values, self._parent_columns(), strict=True)])

    def parent_key(self, row: Row) -> Key | None:
        """Return the key by which children refer to a parent row, None if none can."""
        values = tuple([row[place] for place in self.parent_places])
        return None if None in values else values

    def _parent_columns(self) -> list[Column]:
        return [] if self.parent is None else [self.parent.columns[place - 1] for place in self.parent_places]

    def child_index(self) -> Index | None:
        """Return an index of the child that finds the children of a key, if there is one."""
        return next((index for index in self.child.indexes if self._finds_children(index)), None)

    def _finds_children(self, index: Index) -> bool:
        if self.problem is not None or not {position + 1 for position in index.columns} <= set(self.child_places):
            return False
        collations = index.collations or tuple("BINARY" for _ in index.columns)
        parent_columns = dict(zip(self.child_places, self._parent_columns(), strict=True))
        for position, collation in zip(index.columns, collations, strict=True):
            column = parent_columns[position + 1]
            types = self.child.columns[position].type, column.type
            same = types[0] == types[1] or all(type_ in _PLAIN_NUMBERS for type_ in types)
            if not same or collation != column.collation:
                return False
        return True


# Finding references ----------------------------------------------------------------------------------------------


class ReferenceMap:
    """The references of a catalog, from and to each table."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._from: dict[int, tuple[Reference, ...]] = {}
        self._to: dict[int, tuple[Reference, ...]] = {}
        self._row_by_row: dict[int, bool] = {}

    def concerns(self, table: TableSchema) -> bool:
        """Return whether a table is the child or the parent of a reference."""
        return bool(self.of(table) or self.to(table))

    def of(self, child: TableSchema) -> tuple[Reference, ...]:
        """Return the references of a table's rows."""
        if child.id not in self._from:
            numbers = range(len(child.foreign_keys))
            self._from[child.id] = tuple(find_reference(self.catalog, child, number) for number in numbers)
        return self._from[child.id]

    def goes_row_by_row(self, table: TableSchema) -> bool:
        """Return whether the outcome depends on rows of a table being changed one at a time.

        So it is where actions lead back to the table, and where RESTRICT may meet a child that the action of another
        reference removes.
        """
        if table.id not in self._row_by_row:
            acting = [reference for reference in self.to(table) if reference.acts]
            restricting = any("RESTRICT" in (each.key.on_delete, each.key.on_update) for each in self.to(table))
            self._row_by_row[table.id] = bool(acting) and (restricting or self._leads_back(table))
        return self._row_by_row[table.id]

    def _leads_back(self, table: TableSchema) -> bool:
        reached: set[int] = set()
        waiting = [table]
        while waiting:
            for reference in self.to(waiting.pop()):
                if reference.acts and reference.child.id not in reached:
                    reached.add(reference.child.id)
                    waiting.append(reference.child)
        return table.id in reached

    def to(self, parent: TableSchema) -> tuple[Reference, ...]:
        """Return the references of all tables to a table, the newest first as SQLite follows them."""
        if parent.id not in self._to:
            children = sorted(
                self.catalog.part(temporary=parent.temporary).tables.values(), key=lambda table: -table.id
            )
            self._to[parent.id] = tuple(
                find_reference(self.catalog, child, number)
                for child in children
                for number in reversed(range(len(child.foreign_keys)))
                if fold_case(child.foreign_keys[number].parent) == fold_case(parent.name)
            )
        return self._to[parent.id]


def find_reference(catalog: Catalog, child: TableSchema, number: int) -> Reference:
    """Return the reference that a table's foreign key makes, with its `problem` if there is one."""
    key = child.foreign_keys[number]
    child_places = tuple(position + 1 for position in key.columns)
    parent = catalog.find_table(key.parent, "temp" if child.temporary else "main")
    if parent is None:
        return Reference(child, number, child_places, problem=f"no such table: main.{key.parent}")
    positions = _parent_positions(key, parent)
    found = _parent_index(parent, positions) if len(positions) == len(key.columns) else None
    if found is None:
        problem = f'foreign key mismatch - "{child.name}" referencing "{parent.name}"'
        return Reference(child, number, child_places, parent, tuple(p + 1 for p in positions), problem=problem)
    order, index = found
    parent_places = tuple(positions[i] + 1 for i in order)
    return Reference(child, number, tuple(child_places[i] for i in order), parent, parent_places, index)


def _parent_positions(key: ForeignKey, parent: TableSchema) -> tuple[int, ...]:
    if not key.parent_columns:
        return parent.primary_key
    positions = [parent.position(name) for name in key.parent_columns]
    return tuple(position for position in positions if position is not None)


def _parent_index(parent: TableSchema, positions: tuple[int, ...]) -> tuple[tuple[int, ...], Index | None] | None:
    """Return the unique index over exactly these columns (None: the rowid), and where in them its columns are."""
    if positions == (parent.rowid_column,):
        return (0,), None
    for index in parent.indexes:
        collations = index.collations or tuple("BINARY" for _ in index.columns)
        usual = tuple(parent.columns[position].collation for position in index.columns)
        if index.unique and set(index.columns) == set(positions) and collations == usual:
            return tuple(positions.index(position) for position in index.columns), index
    return None


# Looking at rows -------------------------------------------------------------------------------------------------


class References:
    """Finds parents and children in a view. A child table without a fitting index is scanned once."""

    def __init__(self, view: ReadView) -> None:
        self._view = view
        self._scanned: dict[tuple[int, int], tuple[Reference, dict[Mark, dict[int, Row]]]] = {}

    def children_lookup(self, reference: Reference, keys: Iterable[Key]) -> Lookup | None:
        """Return what to look up for the children of keys, None if the child table is to be scanned."""
        index = reference.child_index()
        if index is None:
            return None
        places = [reference.child_places.index(position + 1) for position in index.columns]
        wanted = dict.fromkeys(tuple([key[place] for place in places]) for key in keys)
        return reference.child.id, index.id, list(wanted)

    def parents_lookup(self, reference: Reference, keys: Iterable[Key]) -> Lookup | None:
        """Return what to look up for the parents of keys, None if there can be none."""
        parent = reference.parent
        if parent is None or reference.problem is not None or self._view.catalog.table_by_id(parent.id) is None:
            return None
        return parent.id, None if reference.index is None else reference.index.id, list(keys)

    def prefetch(self, lookups: Iterable[tuple[Reference, Lookup | None]]) -> Steps[None]:
        """Load what `children` or `orphans` will look up for several references."""
        known = list(lookups)
        scans = {
            reference.child.id for reference, asked in known if asked is None and reference.id not in self._scanned
        }
        yield from prefetch(self._view, [asked for _, asked in known if asked is not None], list(scans))

    def children(self, reference: Reference, keys: Collection[Key]) -> Steps[dict[Mark, list[Row]]]:
        """Return the child rows of each of the keys that has some, by the key's mark."""
        asked = self.children_lookup(reference, keys)
        marks = {reference.mark(key) for key in keys}
        if asked is not None:
            return _by_mark(reference, (yield from lookup(self._view, *asked)), marks)
        known = yield from self._scan(reference)
        return {mark: list(known[mark].values()) for mark in marks if known.get(mark)}

    def orphans(self, reference: Reference, keys: Collection[Key]) -> Steps[list[Key]]:
        """Return those of the keys that no parent has."""
        asked = self.parents_lookup(reference, keys)
        if asked is None:
            return list(keys)
        rows = yield from lookup(self._view, *asked)
        held = {reference.mark(key) for row in rows if (key := reference.parent_key(row)) is not None}
        return [key for key in keys if reference.mark(key) not in held]

    def follow(self, changes: TableChanges) -> None:
        """Keep what was scanned up to date with changes."""
        for reference, known in self._scanned.values():
            if reference.child.id == changes.table.id:
                _forget(reference, known, [*changes.deleted, *[old for old, _new in changes.updated]])
                _remember(reference, known, [*changes.inserted, *[new for _old, new in changes.updated]])

    def strays(self, reference: Reference) -> Steps[list[Row]]:
        """Return all child rows that lack a parent."""
        known = yield from self._scan(reference)
        keys = [
            key for rows in known.values() for row in rows.values() if (key := reference.child_key(row)) is not None
        ]
        orphans = yield from self.orphans(reference, list(dict.fromkeys(keys)))
        rows = {rowid: row for key in orphans for rowid, row in known[reference.mark(key)].items()}
        return [rows[rowid] for rowid in sorted(rows)]

    def _scan(self, reference: Reference) -> Steps[dict[Mark, dict[int, Row]]]:
        if reference.id not in self._scanned:
            known: dict[Mark, dict[int, Row]] = {}
            _remember(reference, known, (yield from scan(self._view, reference.child.id)))
            self._scanned[reference.id] = reference, known
        return self._scanned[reference.id][1]


def _by_mark(reference: Reference, rows: Iterable[Row], marks: Collection[Mark]) -> dict[Mark, list[Row]]:
    found: dict[Mark, list[Row]] = defaultdict(list)
    for row in rows:
        key = reference.child_key(row)
        if key is not None and reference.mark(key) in marks:
            found[reference.mark(key)].append(row)
    return found


def _remember(reference: Reference, known: dict[Mark, dict[int, Row]], rows: Iterable[Row]) -> None:
    for row in rows:
        key = reference.child_key(row)
        if key is not None:
            known.setdefault(reference.mark(key), {})[row[0]] = row


def _forget(reference: Reference, known: dict[Mark, dict[int, Row]], rows: Iterable[Row]) -> None:
    for row in rows:
        key = reference.child_key(row)
        if key is not None:
            known.get(reference.mark(key), {}).pop(row[0], None)


# Checking --------------------------------------------------------------------------------------------------------


def violation() -> IntegrityError:
    """Return the error of a child without a parent."""
    return IntegrityError("FOREIGN KEY constraint failed").coded("SQLITE_CONSTRAINT_FOREIGNKEY")


def check_given(references: References, reference: Reference, keys: Collection[Key]) -> Steps[None]:
    """Raise IntegrityError if a key that children were given has no parent, and still has a child."""
    orphans = yield from references.orphans(reference, keys)
    if orphans and (yield from references.children(reference, orphans)):
        raise violation()


def check_lost(references: References, reference: Reference, keys: Collection[Key]) -> Steps[None]:
    """Raise IntegrityError if a key that parents lost has children, and still no parent."""
    children = yield from references.children(reference, keys)
    left = [key for key in keys if reference.mark(key) in children]
    if left and (yield from references.orphans(reference, left)):
        raise violation()


def check_deferred(view: ReadView, state: SessionState) -> Steps[None]:
    """Check what the transaction's deferred foreign keys left open; to be called before a commit.

    Raises IntegrityError if a child has no parent; the transaction can go on and mend it.
    """
    references = References(view)
    for (table_id, number), keys in state.deferred_keys.items():
        child = view.catalog.table_by_id(table_id)
        if child is not None and keys:
            yield from check_given(references, find_reference(view.catalog, child, number), list(keys))


def foreign_key_check(view: ReadView, table: str | None = None) -> Steps[list[Row]]:
    """Return the rows of PRAGMA foreign_key_check: table, rowid, parent and number of the key of each stray row."""
    references = References(view)
    rows: list[Row] = []
    for child in (child for part in reversed(view.catalog.parts()) for child in part.tables.values()):
        if table is None or fold_case(child.name) == fold_case(table):
            for number in reversed(range(len(child.foreign_keys))):
                reference = find_reference(view.catalog, child, number)
                shown = len(child.foreign_keys) - 1 - number
                for row in (yield from references.strays(reference)):
                    rowid = None if child.without_rowid else row[0]
                    rows.append((child.name, rowid, reference.key.parent, shown))
    return rows
