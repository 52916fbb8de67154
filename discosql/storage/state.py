"""The database as of a slot: immutable, derived commit by commit.

A state knows the state that came after it. So whoever holds an old one, a running transaction above all, can walk
over all that was committed since, and what nobody can ask for any more is freed by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from discosql.errors import DatabaseCorruptionError
from discosql.schema import Catalog
from discosql.schema_json import (
    table_from_json,
    table_to_json,
    trigger_from_json,
    trigger_to_json,
    view_from_json,
    view_to_json,
)
from discosql.storage.codec import from_json_value, rows_from, to_json_value
from discosql.storage.layout import Layer
from discosql.storage.table import TableVersion
from discosql.types import Row


@dataclass(slots=True)
class TableChanges:
    """What one transaction did to one table: rows inserted and updated as they are now, rowids deleted.

    `used` is the highest rowid ever given where that is more than the rows tell. `reset` is what sqlite_sequence was
    set to, if it was: from there AUTOINCREMENT goes on, whatever it gave out before.
    """

    inserted: list[Row] = field(default_factory=list)
    updated: list[Row] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)
    used: int = 0
    reset: int | None = None

    def layer(self) -> Layer:
        """Return the changes as a layer of the table."""
        layer: Layer = dict.fromkeys(self.deleted)
        for row in self.inserted:
            layer[row[0]] = row
        for row in self.updated:
            layer[row[0]] = row
        return layer


@dataclass(slots=True)
class Changes:
    """What one transaction did: the catalog it left if it changed it, and its changes by table id.

    `transaction` is its number within its session. Rows have the layout of the catalog that it left.
    """

    transaction: int
    catalog: Catalog | None = None
    tables: dict[int, TableChanges] = field(default_factory=dict)


class State:
    """The database as of slot `slot`; `changes` led to it from the state before, `successor` is the one after it.

    A `detached` state has lost its successors: what came after it can no longer be told.
    """

    __slots__ = ("catalog", "changes", "detached", "slot", "successor", "tables")

    def __init__(
        self, slot: int, catalog: Catalog, tables: Mapping[int, TableVersion], changes: Sequence[Changes] = ()
    ) -> None:
        self.slot = slot
        self.catalog = catalog
        self.tables = tables
        self.changes = changes
        self.successor: State | None = None
        self.detached = False

    def after(self, slot: int, commits: Sequence[Changes]) -> "State":
        """Return the state that an entry's transactions lead to, and note it as this one's successor."""
        catalog, tables = self.catalog, dict(self.tables)
        for changes in commits:
            if changes.catalog is not None:
                tables = tables_under(changes.catalog, tables)
                catalog = changes.catalog
            for table, changed in changes.tables.items():
                tables[table] = _changed(tables[table], changed)
        self.successor = State(slot, catalog, tables, commits)
        return self.successor

    def since(self) -> Iterator["State"]:
        """Yield the states after this one, up to the newest."""
        state = self.successor
        while state is not None:
            yield state
            state = state.successor


def _changed(table: TableVersion, changed: TableChanges) -> TableVersion:
    rows = table.rows + len(changed.inserted) - len(changed.deleted)
    return table.with_changes(changed.layer(), rows=rows, used=changed.used, reset=changed.reset)


def tables_under(catalog: Catalog, tables: Mapping[int, TableVersion]) -> dict[int, TableVersion]:
    """Return the tables of a new catalog: known ones follow by id, new ones are empty, missing ones are gone."""
    result = {}
    for schema in catalog.tables.values():
        known = tables.get(schema.id)
        if known is None:
            result[schema.id] = TableVersion(schema)
        else:
            result[schema.id] = known if known.schema is schema else known.with_schema(schema)
    return result


# To JSON and back -------------------------------------------------------------------------------------------------


Piece: TypeAlias = tuple[int, Any, list[Any]]
"""A value of an entry's body: the number of a transaction, changes of the schema or None, operations."""

PIECE_ROWS: Final = 1_000
"""Rows of one JSON value of a body at most: few enough to be encoded and decoded without a noticeable pause."""


def commits_to_json(commits: Sequence[Changes], catalog: Catalog) -> Iterator[Piece]:
    """Yield the values of an entry's body with these transactions; `catalog` is the one before the first.

    A transaction is ``[number, schema changes or null, operations]``; a large one goes on in further such values with
    its number.
    """
    for changes in commits:
        schema = None
        if changes.catalog is not None:
            schema = catalog_changes_to_json(catalog, changes.catalog)
            catalog = changes.catalog
        operations: list[Any] = []
        room = PIECE_ROWS
        for operation in _operations(changes):
            size = 1 if operation[0] in ("h", "s") else len(operation[2])
            if operations and size > room:
                yield changes.transaction, schema, operations
                schema, operations, room = None, [], PIECE_ROWS
            operations.append(operation)
            room -= size
        yield changes.transaction, schema, operations


def _operations(changes: Changes) -> Iterator[list[Any]]:
    for table, changed in changes.tables.items():
        parts: tuple[tuple[str, list[Any]], ...] = (
            ("d", changed.deleted),
            ("i", changed.inserted),
            ("u", changed.updated),
        )
        for kind, items in parts:
            for start in range(0, len(items), PIECE_ROWS):
                yield [kind, table, items[start : start + PIECE_ROWS]]
        if changed.reset is not None:
            yield ["s", table, changed.reset]
        if changed.used:
            yield ["h", table, changed.used]


def commits_from_json(body: Any, catalog: Catalog, *, objects: bool) -> list[Changes]:
    """Return the transactions of an entry's body. Raises DatabaseCorruptionError if it makes no sense."""
    commits: list[Changes] = []
    try:
        for number, schema, operations in body:
            if not commits or commits[-1].transaction != number:
                commits.append(Changes(number))
            changes = commits[-1]
            if schema is not None:
                catalog = changes.catalog = catalog_changes_from_json(catalog, schema)
            for kind, table, data in operations:
                _read_operation(changes.tables.setdefault(table, TableChanges()), kind, data, objects=objects)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as exc:
        raise DatabaseCorruptionError("an entry's operations cannot be read") from exc
    return commits


def _read_operation(changed: TableChanges, kind: str, data: Any, *, objects: bool) -> None:
    if kind == "i":
        changed.inserted += rows_from(data, objects=objects)
    elif kind == "u":
        changed.updated += rows_from(data, objects=objects)
    elif kind == "d":
        changed.deleted += data
    elif kind == "h":
        changed.used = int(data)
    elif kind == "s":
        changed.reset = int(data)
    else:
        raise ValueError(f"unknown operation {kind}")


def catalog_changes_to_json(old: Catalog, new: Catalog) -> dict[str, Any]:
    """Return what differs between two catalogs: what was put and dropped of each kind, version and next id."""
    known = {table.id: table for table in old.tables.values()}
    left = {table.id for table in new.tables.values()}
    data: dict[str, Any] = {"v": new.version, "n": new.next_id}
    parts: dict[str, Any] = {
        "put": [schema_to_json(table) for table in new.tables.values() if known.get(table.id) != table],
        "drop": [table for table in known if table not in left],
        "views": [view_to_json(view) for name, view in new.views.items() if old.views.get(name) != view],
        "no_views": [name for name in old.views if name not in new.views],
        "triggers": [trigger_to_json(item) for name, item in new.triggers.items() if old.triggers.get(name) != item],
        "no_triggers": [name for name in old.triggers if name not in new.triggers],
        "settings": dict(new.settings) if new.settings != old.settings else {},
    }
    return data | {name: part for name, part in parts.items() if part}


def catalog_changes_from_json(old: Catalog, data: Mapping[str, Any]) -> Catalog:
    """Return the catalog that `catalog_changes_to_json` was given as the new one."""
    catalog = old
    dropped = set(data.get("drop", ()))
    for table in old.tables.values():
        if table.id in dropped:
            catalog = catalog.without_table(table.name)
    for put in data.get("put", ()):
        catalog = catalog.with_table(schema_from_json(put))
    for name in data.get("no_views", ()):
        catalog = catalog.without_view(name)
    for view in data.get("views", ()):
        catalog = catalog.with_view(view_from_json(view))
    for name in data.get("no_triggers", ()):
        catalog = catalog.without_trigger(name)
    for trigger in data.get("triggers", ()):
        catalog = catalog.with_trigger(trigger_from_json(trigger))
    settings = {**old.settings, **data.get("settings", {})}
    return replace(catalog, version=data["v"], next_id=data["n"], settings=settings)


def schema_to_json(table: Any) -> dict[str, Any]:
    """Return a table's schema as JSON data, fill values encoded."""
    data = table_to_json(table)
    for column in data["columns"]:
        if "fill" in column:
            column["fill"] = to_json_value(column["fill"])
    return data


def schema_from_json(data: Mapping[str, Any]) -> Any:
    """Return the table that `schema_to_json` wrote."""
    columns = [
        {**column, "fill": from_json_value(column["fill"])} if "fill" in column else column
        for column in data["columns"]
    ]
    return table_from_json({**data, "columns": columns})
