"""What of a schema other databases can have: the order of tables, keys, defaults that every SQL reads."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from discosql.schema import Column, ForeignKey, TableSchema
from discosql.transfer.ordering import parents_first
from discosql.transfer.relations import Relation, Work
from discosql.types import SqlType, fold_case

_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_STRING: Final = re.compile(r"'((?:[^'\\]|'')*)'")
_NUMERIC: Final = frozenset({SqlType.INTEGER, SqlType.REAL, SqlType.DECIMAL})
_FLAGS: Final = {"1": True, "TRUE": True, "0": False, "FALSE": False}


def ordered(relations: Sequence[Relation]) -> list[Relation]:
    """Return relations with parents before their children, as far as they can be."""
    by_name = {fold_case(relation.name): relation for relation in relations}
    keys = {name: relation.table.foreign_keys if relation.table else () for name, relation in by_name.items()}
    return [by_name[name] for name in parents_first({name: [key.parent for key in keys[name]] for name in keys})]


def key_of(table: TableSchema) -> tuple[int, ...]:
    """Return the positions of the primary key's columns, none without one."""
    if table.primary_key or table.rowid_column is None:
        return table.primary_key
    return (table.rowid_column,)


def parent_positions(key: ForeignKey, parent: TableSchema) -> tuple[int, ...]:
    """Return the positions of the columns that a foreign key refers to."""
    if not key.parent_columns:
        return key_of(parent)
    positions = [parent.position(name) for name in key.parent_columns]
    return tuple(position for position in positions if position is not None)


def exported_parent(key: ForeignKey, relations: Mapping[str, Relation]) -> TableSchema | None:
    """Return the table that a foreign key refers to, None if it is not among the relations (by folded name)."""
    parent = relations.get(fold_case(key.parent))
    return None if parent is None else parent.table


def default_of(column: Column, kind: SqlType) -> tuple[str, str | bool] | None:
    """Return a column's default as ``number``, ``string``, ``flag`` or ``word`` and its value; None for any other."""
    text = (column.default or "").strip().removeprefix("(").removesuffix(")")
    if kind is SqlType.BOOLEAN:
        return ("flag", _FLAGS[text.upper()]) if text.upper() in _FLAGS else None
    if kind in _NUMERIC and _NUMBER.fullmatch(text):
        return "number", text
    string = _STRING.fullmatch(text)
    if string is not None and kind is not SqlType.BLOB:
        return "string", string[1].replace("''", "'")
    words = {SqlType.DATE: "CURRENT_DATE", SqlType.TIMESTAMP: "CURRENT_TIMESTAMP"}
    return ("word", text.upper()) if text.upper() == words.get(kind) else None


def tell_left_out(work: Work, *, checks: bool) -> None:
    """Warn of what only SQLite's SQL has: views, triggers, generated columns and so on; with `checks`, of CHECK too."""
    catalog = work.snapshot.catalog
    if work.is_whole:
        for kind, names in (
            ("views", [view.name for view in catalog.views.values()]),
            ("triggers", [trigger.name for trigger in catalog.triggers.values()]),
        ):
            if names:
                work.warn(f"{kind} are left out: {', '.join(names)}")
    for relation in work.relations:
        if relation.table is not None:
            for what in _special(relation.table, checks):
                work.warn(f"table {relation.name}: {what}")


def _special(table: TableSchema, checks: bool) -> Iterator[str]:
    generated = [column.name for column in table.columns if column.generated is not None]
    if generated:
        yield f"generated columns are columns like others there: {', '.join(generated)}"
    if checks and table.checks:
        yield f"{len(table.checks)} CHECK constraints are left out"
    if table.computed_indexes:
        names = ", ".join(index.name for index in table.computed_indexes)
        yield f"indexes over expressions or of some rows are left out: {names}"
    folding = [column.name for column in table.columns if column.collation != "BINARY"]
    if folding:
        yield f"text is compared as the target does it, without its collation: {', '.join(folding)}"
    if table.passes_over:
        yield "ON CONFLICT clauses are left out"
