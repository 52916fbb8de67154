"""What a transaction has read, and whether commits since then have changed it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from discosql.schema import Catalog, ComputedIndex, Index, TableSchema
from discosql.storage.keys import key_maker, key_reader
from discosql.storage.state import Changes, TableChanges
from discosql.storage.views import Key, Range
from discosql.types import Row, Value, sort_key

Lookup: TypeAlias = tuple[int, int | None, Sequence[Key], Sequence[Row]]
"""A lookup that was made: table, index (None: the rowid), keys and the rows found."""

MAX_LOOKUPS: Final = 100_000
"""Lookups of one transaction that are remembered one by one; with more, it has read the whole tables."""


@dataclass(slots=True)
class ReadSet:
    """What a transaction's reads depended on. `scans` maps a table to the ranges read of it; no range is all of it."""

    scans: dict[int, list[tuple[Range, ...]]] = field(default_factory=dict)
    lookups: list[Lookup] = field(default_factory=list)

    def add_scan(self, table: int, ranges: Sequence[Range]) -> None:
        """Note that a table was scanned."""
        known = self.scans.setdefault(table, [])
        if () not in known and (added := tuple(ranges)) not in known:
            known.append(added)

    def compact(self) -> None:
        """Give up remembering single lookups."""
        for table in {lookup[0] for lookup in self.lookups}:
            self.add_scan(table, ())
        self.lookups = []

    def __bool__(self) -> bool:
        return bool(self.scans or self.lookups)


class Written:
    """What a run of commits wrote, gathered to be compared with what transactions read and wrote."""

    def __init__(self) -> None:
        self.schema_changed = False
        self._tables: dict[int, _WrittenTable] = {}

    def add(self, commits: Iterable[Changes]) -> None:
        """Add committed changes."""
        for changes in commits:
            self.schema_changed = self.schema_changed or changes.catalog is not None
            for table, changed in changes.tables.items():
                self._tables.setdefault(table, _WrittenTable()).add(changed)

    def conflicts(self, reads: ReadSet, changes: Changes, catalog: Catalog) -> bool:
        """Tell whether a transaction that did not see these commits may not follow them.

        `catalog` is that of the transaction's snapshot, which the rows written here have the layout of as well.
        """
        if self.schema_changed:
            return True
        if not self._tables:
            return False
        return (
            any(table in self._tables and self._tables[table].meets(scans) for table, scans in reads.scans.items())
            or any(self._meets_lookup(lookup, catalog) for lookup in reads.lookups)
            or any(self._meets_changes(table, changes, catalog) for table in changes.tables)
        )

    def _meets_lookup(self, lookup: Lookup, catalog: Catalog) -> bool:
        table, index_id, keys, rows = lookup
        written = self._tables.get(table)
        if written is None:
            return False
        if any(row[0] in written.rowids for row in rows):
            return True
        if index_id is None:
            return any(key[0] in written.rowids for key in keys)
        schema = catalog.table_by_id(table)
        index = _find_index(schema, index_id)
        if schema is None or index is None:
            return True
        return not written.keys(schema, index).isdisjoint(map(key_maker(index), keys))

    def _meets_changes(self, table: int, changes: Changes, catalog: Catalog) -> bool:
        written = self._tables.get(table)
        if written is None:
            return False
        schema = catalog.table_by_id(table)
        if schema is None or (changes.catalog is not None and changes.catalog.table_by_id(table) != schema):
            return True
        changed = changes.tables[table]
        if written.sequence and changed.reset is not None:
            return True
        rows = changed.inserted + changed.updated
        if not written.rowids.isdisjoint([row[0] for row in rows]) or not written.rowids.isdisjoint(changed.deleted):
            return True
        unique = [index for index in schema.kept_indexes if index.unique]
        return any(not written.keys(schema, index).isdisjoint(map(key_reader(schema, index), rows)) for index in unique)


def _find_index(schema: TableSchema | None, index_id: int) -> Index | ComputedIndex | None:
    if schema is None:
        return None
    return next((index for index in schema.kept_indexes if index.id == index_id), None)


class _WrittenTable:
    """What was written to one table: `rowids` of all rows touched, and their keys where asked for.

    `sequence` tells whether what AUTOINCREMENT goes on from was set.
    """

    def __init__(self) -> None:
        self.sequence = False
        self.rowids: set[int] = set()
        self._rows: list[Row] = []
        self._replaced: list[int] = []
        self._keys: dict[int, tuple[set[Any], int]] = {}

    def add(self, changed: TableChanges) -> None:
        """Add committed changes."""
        rows = changed.inserted + changed.updated
        self.sequence = self.sequence or changed.reset is not None
        self._rows += rows
        self._replaced += changed.deleted
        self._replaced += [row[0] for row in changed.updated]
        self.rowids.update([row[0] for row in rows])
        self.rowids.update(changed.deleted)

    def keys(self, schema: TableSchema, index: Index | ComputedIndex) -> set[Any]:
        """Return the comparable keys of the rows written."""
        keys, done = self._keys.get(index.id, (set(), 0))
        if done < len(self._rows):
            keys.update(map(key_reader(schema, index), self._rows[done:]))
            # A key with a NULL equals none.
            keys.discard(None)
            self._keys[index.id] = keys, len(self._rows)
        return keys

    def meets(self, scans: Sequence[Sequence[Range]]) -> bool:
        """Tell whether anything written lies, or may have lain, in what was scanned."""
        for ranges in scans:
            if any(_may_contain_old(ranges, rowid) for rowid in self._replaced):
                return True
            if any(all(_contains(bounds, row[bounds.position]) for bounds in ranges) for row in self._rows):
                return True
        return False


def _may_contain_old(ranges: Sequence[Range], rowid: int) -> bool:
    # What a replaced row held is not known here, but for its rowid.
    return all(_contains(bounds, rowid) for bounds in ranges if bounds.position == 0)


def _contains(bounds: Range, value: Value) -> bool:
    if bounds.low is None and bounds.high is None:
        return True
    if value is None:
        return False
    key = sort_key(value)
    return (bounds.low is None or sort_key(bounds.low) <= key) and (bounds.high is None or key <= sort_key(bounds.high))
