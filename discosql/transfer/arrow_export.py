"""Rows as Arrow record batches, and files of them: Parquet and Arrow IPC, which Feather is."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from discosql.frames import arrow_type, library
from discosql.transfer.relations import Relation, Work
from discosql.transfer.shapes import Shape, shapes_of
from discosql.types import Row, SqlType

MOST_DIGITS: Final = 76
"""The digits of Arrow's widest DECIMAL."""

_LONG_DIGITS: Final = 38
_EXTENSIONS: Final = {SqlType.JSON: "json_", SqlType.UUID: "uuid"}
"""Types for which newer versions of pyarrow have types of their own; else they are text."""


class ArrowRows:
    """Rows of a relation as record batches with one schema. With `plain`, JSON and UUID are text.

    DECIMALs with more than so many `digits` are text. `what` needs this, and `extra` brings it: raises
    NotSupportedError without pyarrow.
    """

    def __init__(
        self,
        work: Work,
        relation: Relation,
        what: str,
        extra: str = "arrow",
        *,
        digits: int = MOST_DIGITS,
        plain: bool = False,
    ) -> None:
        self._arrow = library("pyarrow", what, extra)
        self._plain = plain
        self._kinds = [column.type for column in relation.columns]
        relation.check_names()
        self.shapes = [
            shape.within(digits, work, f"{relation.name}.{column.name}")
            for shape, column in zip(shapes_of(work, relation, key=plain), relation.columns, strict=True)
        ]
        types = [self._type(shape) for shape in self.shapes]
        self.schema = self._arrow.schema(list(zip(relation.names, types, strict=True)))
        self._work = work
        self._relation = relation

    def batches(self) -> Iterator[Any]:
        """Yield the record batches."""
        for rows in self._work.large_batches(self._relation):
            yield self._batch(rows)

    def _batch(self, rows: Sequence[Row]) -> Any:
        columns = zip(zip(*rows, strict=True), self.shapes, self._kinds, self.schema.types, strict=True)
        arrays = [self._array(shape.ready(values, kind), shape, target) for values, shape, kind, target in columns]
        return self._arrow.record_batch(arrays, schema=self.schema)

    def _type(self, shape: Shape) -> Any:
        arrow = self._arrow
        if shape.kind is SqlType.DECIMAL:
            wide = shape.precision > _LONG_DIGITS
            return (arrow.decimal256 if wide else arrow.decimal128)(shape.precision, shape.scale)
        if shape.kind is SqlType.TIMESTAMP:
            return arrow.timestamp("us", "UTC" if shape.zoned else None)
        extension = None if self._plain else getattr(arrow, _EXTENSIONS.get(shape.kind, ""), None)
        return arrow_type(arrow, shape.kind) if extension is None else extension()

    def _array(self, values: Sequence[Any], shape: Shape, target: Any) -> Any:
        arrow = self._arrow
        if shape.kind is SqlType.DATE:
            return arrow.array(values, arrow.string()).cast(target)
        if shape.kind is SqlType.TIMESTAMP:
            # Moments with a zone are stored in UTC, and end with it.
            texts = [value and value.removesuffix("+00:00") for value in values]
            return arrow.array(texts, arrow.string()).cast(arrow.timestamp("us")).cast(arrow.int64()).cast(target)
        if hasattr(target, "storage_type"):
            stored = [value and uuid.UUID(value).bytes for value in values] if shape.kind is SqlType.UUID else values
            return arrow.ExtensionArray.from_storage(target, arrow.array(stored, target.storage_type))
        return arrow.array(values, target)


def write_parquet(work: Work, relation: Relation, path: Path) -> None:
    """Write a Parquet file, a row group a batch."""
    rows = ArrowRows(work, relation, "exporting to Parquet")
    parquet = library("pyarrow.parquet", "exporting to Parquet", "arrow")
    with parquet.ParquetWriter(path, rows.schema, compression="zstd") as writer:
        for batch in rows.batches():
            writer.write_batch(batch)


def write_arrow(work: Work, relation: Relation, path: Path) -> None:
    """Write an Arrow IPC file with compressed batches: Feather version 2."""
    rows = ArrowRows(work, relation, "exporting to Arrow")
    ipc = library("pyarrow.ipc", "exporting to Arrow", "arrow")
    options = ipc.IpcWriteOptions(compression="lz4")
    with path.open("wb") as file, ipc.new_file(file, rows.schema, options=options) as writer:
        for batch in rows.batches():
            writer.write_batch(batch)


ARROW_FORMATS: Final[dict[str, Callable[[Work, Relation, Path], None]]] = {
    "parquet": write_parquet,
    "arrow": write_arrow,
}
"""The formats by name."""
