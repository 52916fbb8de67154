"""What a `Database.transaction` keeps: its connection, and what its objects were before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from discosql.aio import Connection

if TYPE_CHECKING:
    from discosql.table import Table


@dataclass(eq=False)
class OpenTransaction:
    """A transaction of a database's Table classes, under way in an ``async with`` block."""

    connection: Connection
    _before: "list[tuple[Table, int, Mapping[str, Any]]]" = field(default_factory=list)

    def remember(self, row: "Table", rowid: int, values: Mapping[str, Any]) -> None:
        """Note what an object was before a change of its rowid: the rowid, and fields that change with it."""
        self._before.append((row, rowid, values))

    def restore(self) -> None:
        """Make all objects what they were, after a rollback."""
        for row, rowid, values in reversed(self._before):
            row._disco_rowid = rowid
            row.__dict__.update(values)
