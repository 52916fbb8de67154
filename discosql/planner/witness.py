"""What names in a text turned out to mean, for ALTER TABLE to rewrite them."""

from dataclasses import dataclass, field

from discosql.schema import TableSchema
from discosql.types import fold_case


@dataclass(slots=True)
class Witness:
    """Notes which column of which table each name of a text is, by the place of its token."""

    seen: list[tuple[int, str, int]] = field(default_factory=list)

    def note(self, start: int, table: TableSchema, position: int) -> None:
        """Take note of a name at `start` that means a column."""
        self.seen.append((start, fold_case(table.name), position))

    def places(self, table: str, position: int) -> set[int]:
        """Return where the column at a position of the table with that folded name is named."""
        return {start for start, name, place in self.seen if (name, place) == (table, position)}
