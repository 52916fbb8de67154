"""Tables made from the catalog: sqlite_master, the PRAGMAs that read, and what else a CatalogScan can name.

Rows have the columns that SQLite gives them, in its order (https://www.sqlite.org/pragma.html), the first at place 0.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from discosql.errors import InternalError
from discosql.executor.context import Context
from discosql.executor.foreign_keys import foreign_key_check
from discosql.executor.functions import DEFAULT
from discosql.executor.writes.steps import Steps
from discosql.schema import PAGE_SIZE, SEQUENCE, Catalog, Column, ComputedIndex, Index, TableSchema, View
from discosql.types import Row, Value, fold_case, text_of

Views: TypeAlias = tuple[tuple[View, tuple[tuple[str, str], ...]], ...]
"""Views with the names and declared types of their columns."""

_MASTER_COLUMNS: Final = (
    ("type", "TEXT"),
    ("name", "TEXT"),
    ("tbl_name", "TEXT"),
    ("rootpage", "INT"),
    ("sql", "TEXT"),
)

SYSTEM_TABLES: Final = {
    "sqlite_master": _MASTER_COLUMNS,
    "sqlite_schema": _MASTER_COLUMNS,
    "sqlite_temp_master": _MASTER_COLUMNS,
    "sqlite_temp_schema": _MASTER_COLUMNS,
    SEQUENCE: (("name", ""), ("seq", "")),
}
"""The columns, name and declared type, of the tables that every database has."""

DESCRIBING: Final = frozenset({"pragma_table_info", "pragma_table_xinfo", "pragma_table_list"})
"""The tables that tell of columns, also those of views: `column_rows` makes them, not `catalog_rows`."""

READING: Final = frozenset({"pragma_foreign_key_check"})
"""The tables whose rows depend on stored rows: `read_rows` makes them, not `catalog_rows`."""

_STANDARD_TYPES: Final = frozenset({"ANY", "BLOB", "INT", "INTEGER", "REAL", "TEXT"})


def catalog_rows(name: str, arguments: tuple[Value, ...], context: Context) -> list[Row]:
    """Return the rows of a catalog table or table-valued function, called with arguments."""
    source = _SOURCES.get(name)
    if source is None:
        raise InternalError(f"there is no catalog table {name}")
    return list(source(context, *arguments))


def read_rows(name: str, arguments: tuple[Value, ...], context: Context) -> Steps[list[Row]]:
    """Return the rows of one of the tables in `READING`."""
    table = arguments[0] if arguments else None
    return (yield from foreign_key_check(context.view, None if table is None else text_of(table)))


def column_rows(name: str, arguments: tuple[Value, ...], context: Context, views: Views) -> list[Row]:
    """Return the rows of one of the tables in `DESCRIBING`; `views` is what the plan says of the columns of views."""
    if name == "pragma_table_list":
        return list(_table_list(context, views, *arguments))
    rows = _described(context, views, *arguments)
    if name == "pragma_table_info":
        rows = ((place, *row[1:6]) for place, row in enumerate(row for row in rows if not row[6]))
    return list(rows)


# Tables ----------------------------------------------------------------------------------------------------------


def _master(catalog: Catalog) -> Iterator[Row]:
    """Yield sqlite_master: what is to be created before a thing that needs it comes before it."""
    entries: list[tuple[int, Row]] = []
    for table in catalog.tables.values():
        entries.append((table.id, ("table", table.name, table.name, table.id, table.sql)))
        for index in table.indexes:
            if table.without_rowid and index.origin == "pk":
                continue  # that index is the table
            entries.append((index.id, ("index", index.name, table.name, index.id, index.sql)))
        for computed in table.computed_indexes:
            entries.append((computed.id, ("index", computed.name, table.name, computed.id, computed.sql)))
    yield from (row for _id, row in sorted(entries))
    if any(table.autoincrement for table in catalog.tables.values()):
        yield "table", SEQUENCE, SEQUENCE, catalog.next_id, "CREATE TABLE sqlite_sequence(name,seq)"
    for view in catalog.views.values():
        yield "view", view.name, view.name, 0, view.sql
    for trigger in catalog.triggers.values():
        yield "trigger", trigger.name, trigger.table, 0, trigger.sql


def _sequence(context: Context, database: Value = None) -> Iterator[Row]:
    part = context.view.catalog.part(temporary=database == "temp")
    for table in part.tables.values():
        used = context.view.statistics(table.id).highest_rowid if table.autoincrement else 0
        if used:
            yield table.name, used


def _described(context: Context, views: Views, name: Value = None, schema: Value = None) -> Iterator[Row]:
    table = _table(context, name, schema)
    if table is not None:
        key = table.primary_key or (() if table.rowid_column is None else (table.rowid_column,))
        for position, column in enumerate(table.columns):
            number = key.index(position) + 1 if position in key else 0
            yield (
                position,
                column.name,
                _declared(column),
                int(column.not_null),
                column.default,
                number,
                _hidden(column),
            )
        return
    view = None if name is None else context.view.catalog.find_view(text_of(name), _database(schema))
    columns = dict(views).get(view, ()) if view is not None else ()
    if name is not None and view is None:
        columns = SYSTEM_TABLES.get(fold_case(text_of(name)), ())
    for position, (column_name, declared) in enumerate(columns):
        yield position, column_name, declared, 0, None, 0, 0


def _declared(column: Column) -> str:
    folded = column.declared.upper()
    return folded if folded in _STANDARD_TYPES else column.declared


def _hidden(column: Column) -> int:
    if column.generated is None:
        return 0
    return 3 if column.stored else 2


def _table_list(context: Context, views: Views, name: Value = None, _schema: Value = None) -> Iterator[Row]:
    widths = {view: len(columns) for view, columns in views}
    catalog = context.view.catalog
    rows: list[Row] = []
    for part in reversed(catalog.parts()):
        database = "main" if part is catalog else "temp"
        rows += [
            (database, table.name, "table", len(table.columns), int(table.without_rowid), 1)
            for table in part.tables.values()
        ]
        rows += [(database, view.name, "view", widths.get(view, 0), 0, 0) for view in part.views.values()]
    if any(table.autoincrement for table in catalog.tables.values()):
        rows.append(("main", SEQUENCE, "table", 2, 0, 0))
    rows += [("main", "sqlite_schema", "table", 5, 0, 0), ("temp", "sqlite_temp_schema", "table", 5, 0, 0)]
    yield from (row for row in rows if name is None or fold_case(row[1]) == fold_case(text_of(name)))


def _table(context: Context, name: Value, schema: Value = None) -> TableSchema | None:
    return None if name is None else context.view.catalog.find_table(text_of(name), _database(schema))


def _database(schema: Value) -> str | None:
    return None if schema is None else text_of(schema)


# Indexes and keys ------------------------------------------------------------------------------------------------


def _index_list(context: Context, name: Value = None, schema: Value = None) -> Iterator[Row]:
    table = _table(context, name, schema)
    indexes = table.all_indexes if table is not None else ()
    for number, index in enumerate(sorted(indexes, key=lambda index: -index.id)):
        partial = isinstance(index, ComputedIndex) and index.where is not None
        yield number, index.name, int(index.unique), index.origin, int(partial)


def _index_info(context: Context, name: Value = None, _schema: Value = None) -> Iterator[Row]:
    for row in _index_xinfo(context, name):
        if row[5]:
            yield row[:3]


def _index_xinfo(context: Context, name: Value = None, _schema: Value = None) -> Iterator[Row]:
    found = _index(context, name)
    if found is None:
        return
    table, index = found
    for number, (position, collation, descending) in enumerate(_key_columns(index)):
        column_name = None if position < 0 else table.columns[position].name
        yield number, position, column_name, int(descending), collation or "BINARY", 1
    # An entry ends with what leads to the row: its rowid, or the rest of its primary key.
    rest = [position for position in table.primary_key if position not in index.columns]
    if table.without_rowid and index.origin == "pk":
        rest = [position for position in range(len(table.columns)) if position not in index.columns]
    for number, position in enumerate(rest if table.without_rowid else [-1], start=len(index.columns)):
        column = None if position < 0 else table.columns[position]
        yield number, position, column and column.name, 0, "BINARY", 0


def _index(context: Context, name: Value) -> tuple[TableSchema, Index | ComputedIndex] | None:
    """Return an index by its name; a table WITHOUT ROWID is an index itself, that of its primary key."""
    found = None if name is None else context.view.catalog.find_index(text_of(name))
    table = _table(context, name)
    if found is None and table is not None and table.without_rowid:
        found = next(((table, index) for index in table.indexes if index.origin == "pk"), None)
    return found


def _key_columns(index: Index | ComputedIndex) -> Iterator[tuple[int, str, bool]]:
    collations = index.collations or ("BINARY",) * len(index.columns)
    descending = index.descending or (False,) * len(index.columns)
    yield from zip(index.columns, collations, descending, strict=True)


def _foreign_key_list(context: Context, name: Value = None, schema: Value = None) -> Iterator[Row]:
    table = _table(context, name, schema)
    keys = reversed(table.foreign_keys) if table is not None else ()
    for number, key in enumerate(keys):
        for place, position in enumerate(key.columns):
            column = table.columns[position].name if table is not None else ""
            to = key.parent_columns[place] if key.parent_columns else None
            yield number, place, key.parent, column, to, key.on_update, key.on_delete, "NONE"


# The rest --------------------------------------------------------------------------------------------------------


def _database_list(context: Context) -> Iterator[Row]:
    yield 0, "main", ""
    temporary = context.view.catalog.temporary
    if temporary is not None and (temporary.tables or temporary.views or temporary.triggers):
        yield 1, "temp", ""


def _function_list(context: Context) -> Iterator[Row]:
    kinds = {"scalar": "s", "aggregate": "a", "window": "w"}
    for signature in DEFAULT.signatures().values():
        most = -1 if signature.maximum is None else signature.maximum
        flags = 0x800 if signature.deterministic else 0
        yield signature.name, 1, kinds[signature.kind], "utf8", most, flags


def _collation_list(context: Context) -> Iterator[Row]:
    names = [*context.collations, "RTRIM", "NOCASE", "BINARY"]
    yield from enumerate(names)


def _stats(context: Context) -> Iterator[Row]:
    """Yield discosql_stats: what the engine can tell of itself in figures."""
    yield from context.stats().items()


def _data_version(context: Context) -> Iterator[Row]:
    """Yield what changes when another connection commits: all commits that are known of, without one's own."""
    stats = context.stats()
    yield (int(stats["slot"] + stats["commits.joined"] - stats["checkpoints"] - context.state.commits) + 1,)


def _cache_size(context: Context) -> Iterator[Row]:
    """Yield the bound of the page cache in SQLite's way: a negative number of KiB."""
    yield (-int(context.stats()["cache.limit"] // 1024),)


def _page_count(context: Context) -> Iterator[Row]:
    """Yield the size of what is stored, pages and the log after them, in SQLite's pages."""
    tables = context.view.catalog.tables.values()
    size = sum(context.view.statistics(table.id).bytes for table in tables) + int(context.stats()["tail.bytes"])
    yield (-(-size // PAGE_SIZE),)


def _wal_checkpoint(context: Context, _mode: Value = None) -> Iterator[Row]:
    """Yield how much of the log waits for a checkpoint, which is made when one is due: this makes none."""
    yield 0, int(context.stats()["tail.entries"]), 0


_SOURCES: Final[dict[str, Callable[..., Iterator[Row]]]] = {
    "sqlite_master": lambda context: _master(context.view.catalog),
    "sqlite_temp_master": lambda context: _master(context.view.catalog.part(temporary=True)),
    SEQUENCE: _sequence,
    "pragma_index_list": _index_list,
    "pragma_index_info": _index_info,
    "pragma_index_xinfo": _index_xinfo,
    "pragma_foreign_key_list": _foreign_key_list,
    "pragma_database_list": _database_list,
    "pragma_collation_list": _collation_list,
    "pragma_function_list": _function_list,
    "discosql_stats": _stats,
    "pragma_encoding": lambda context: iter([("UTF-8",)]),
    "pragma_schema_version": lambda context: iter([(context.view.catalog.version,)]),
    "pragma_user_version": lambda context: iter([(context.view.catalog.settings.get("user_version", 0),)]),
    "pragma_application_id": lambda context: iter([(context.view.catalog.settings.get("application_id", 0),)]),
    "pragma_foreign_keys": lambda context: iter([(int(context.state.foreign_keys),)]),
    "pragma_data_version": _data_version,
    "pragma_cache_size": _cache_size,
    "pragma_page_size": lambda context: iter([(PAGE_SIZE,)]),
    "pragma_page_count": _page_count,
    "pragma_freelist_count": lambda context: iter([(0,)]),
    "pragma_wal_checkpoint": _wal_checkpoint,
    "pragma_query_only": lambda context: iter([(int(context.state.query_only),)]),
    "pragma_recursive_triggers": lambda context: iter([(int(context.state.recursive_triggers),)]),
    "pragma_defer_foreign_keys": lambda context: iter([(int(context.state.defer_foreign_keys),)]),
}
