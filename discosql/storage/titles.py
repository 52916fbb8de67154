"""Titles of entries: the line that tells people what one does. No program reads them."""

from discosql.schema import Catalog
from discosql.storage.state import Changes


def title_of(changes: Changes, before: Catalog, joined: int) -> str:
    """Return the title of an entry with `joined` transactions, of which the first is given; `before` is its catalog."""
    catalog = changes.catalog or before
    parts = []
    if changes.catalog is not None:
        parts.append(_schema_title(before, changes.catalog))
    for table, changed in changes.tables.items():
        schema = catalog.table_by_id(table)
        name = schema.name if schema is not None else f"table {table}"
        counts = {"INSERT": len(changed.inserted), "UPDATE": len(changed.updated), "DELETE": len(changed.deleted)}
        parts += [f"{verb} {name} ×{count}" for verb, count in counts.items() if count]
    if joined > 1:
        parts.append(f"and {joined - 1} more transactions")
    return ", ".join(parts)


def _schema_title(old: Catalog, new: Catalog) -> str:
    known = {table.id: table for table in old.tables.values()}
    created = [f"CREATE TABLE {table.name}" for table in new.tables.values() if table.id not in known]
    altered = [
        f"ALTER TABLE {table.name}"
        for table in new.tables.values()
        if table.id in known and known.pop(table.id) != table
    ]
    left = {table.id for table in new.tables.values()}
    dropped = [f"DROP TABLE {table.name}" for table in old.tables.values() if table.id not in left]
    made = [f"CREATE TRIGGER {trigger.name}" for name, trigger in new.triggers.items() if name not in old.triggers]
    removed = [f"DROP TRIGGER {trigger.name}" for name, trigger in old.triggers.items() if name not in new.triggers]
    return ", ".join(created + altered + dropped + made + removed) or "change views"
