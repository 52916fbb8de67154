"""What a checkpoint does about damaged pages of a table."""

from dataclasses import dataclass, replace

from discosql.storage.layout import Layer, row_remapper
from discosql.storage.pages import Place
from discosql.storage.table import TableVersion
from discosql.storage.views import Batch


@dataclass(frozen=True, slots=True)
class Mending:
    """What to do for one table: leave out the `lost` pages, put `rows` in their place, write `indexes` anew.

    `rows` have the columns whose ids are `columns`. `missing` is the number of rows that are lost with the pages.
    """

    lost: frozenset[Place] = frozenset()
    rows: tuple[Batch, ...] = ()
    columns: tuple[int, ...] = ()
    indexes: frozenset[int] = frozenset()
    missing: int = 0

    def applied(self, version: TableVersion) -> TableVersion:
        """Return the table without the pages, as it is now if a newer checkpoint has replaced them."""
        base = version.base
        if base is None or not self.lost <= {page.place for page in base.pages}:
            return version
        pages = tuple(page for page in base.pages if page.place not in self.lost)
        remap = row_remapper(self.columns, version.schema) if self.rows else None
        layer: Layer = {}
        for batch in self.rows:
            layer.update((row[0], row if remap is None else remap(row)) for row in batch)
        layer.update(version.changes())
        return TableVersion(
            version.schema,
            (layer,) if layer else (),
            base=replace(base, pages=pages),
            rows=version.rows - self.missing,
            used=version.used,
        )
