"""Parquet and Arrow files as rows, through pyarrow, some record batches at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from discosql.errors import DataError, OperationalError
from discosql.frames import library
from discosql.transfer.arrow_values import arrow_column
from discosql.transfer.sources import CHUNK, Chunk

_FILE_MAGIC: Final = b"ARROW1"
_OLD_FEATHER: Final = b"FEA1"


class _Batches(Protocol):
    """An open file: its schema, and its record batches, each with the share of the file that was read with it."""

    schema: Any

    def __iter__(self) -> Iterator[tuple[Any, float]]: ...

    def close(self) -> None: ...


class ArrowFile:
    """A file whose columns have Arrow types. Raises NotSupportedError without the extra ``arrow``."""

    typed = True
    place = "row"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._arrow = library("pyarrow", f"importing {path.name}", "arrow")
        with self._reading() as batches:
            self.columns = list(batches.schema.names)
            try:
                columns = [arrow_column(self._arrow, field.name, field.type) for field in batches.schema]
            except DataError as exc:
                raise DataError(f"{path}: {exc}") from exc
        self.types: list[str] | None = [column.kind for column in columns]
        self._readers = [column.read for column in columns]

    def _open(self) -> _Batches:
        raise NotImplementedError

    @contextmanager
    def _reading(self) -> Iterator[_Batches]:
        try:
            batches = self._open()
            try:
                yield batches
            finally:
                batches.close()
        except (self._arrow.ArrowException, OSError) as exc:
            said = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc).strip()
            raise OperationalError(f"cannot read {self.path}: {said}") from exc

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows. Raises DataError, with the first of the rows and the column, for values SQL cannot hold."""
        size, first = self.path.stat().st_size, 1
        with self._reading() as batches:
            for batch, share in batches:
                for start in range(0, batch.num_rows, CHUNK):
                    numbers = range(first, first + min(CHUNK, batch.num_rows - start))
                    yield Chunk(self._columns(batch.slice(start, CHUNK), numbers), numbers, int(size * share))
                    first = numbers.stop

    def _columns(self, batch: Any, numbers: range) -> list[Sequence[Any]]:
        columns = []
        for name, read, array in zip(self.columns, self._readers, batch.columns, strict=True):
            try:
                columns.append(read(array))
            except (self._arrow.ArrowException, ValueError, OverflowError) as exc:
                rows = f"rows {numbers[0]} to {numbers[-1]}"
                raise DataError(f"{self.path}, {rows}, column {name}: {exc}") from exc
        return columns


class ParquetFile(ArrowFile):
    """A Parquet file."""

    def _open(self) -> _Batches:
        return _ParquetBatches(self.path)


class ArrowIpcFile(ArrowFile):
    """An Arrow IPC file (Feather version 2 is one), or a stream of IPC messages: its first bytes tell."""

    def _open(self) -> _Batches:
        with self.path.open("rb") as file:
            start = file.read(len(_FILE_MAGIC))
        if start.startswith(_OLD_FEATHER):
            raise OperationalError(f"cannot read {self.path}: it is Feather version 1; write it as version 2")
        if start == _FILE_MAGIC:
            return _FileBatches(self._arrow, self.path)
        return _StreamBatches(self._arrow, self.path)


class _ParquetBatches:
    def __init__(self, path: Path) -> None:
        self._file = import_module("pyarrow.parquet").ParquetFile(path)
        self.schema = self._file.schema_arrow

    def __iter__(self) -> Iterator[tuple[Any, float]]:
        done, rows = 0, self._file.metadata.num_rows
        for batch in self._file.iter_batches(batch_size=CHUNK):
            done += batch.num_rows
            yield batch, done / max(rows, 1)

    def close(self) -> None:
        self._file.close()


class _FileBatches:
    def __init__(self, pyarrow: Any, path: Path) -> None:
        self._file = pyarrow.OSFile(str(path))
        self._reader = pyarrow.ipc.open_file(self._file)
        self.schema = self._reader.schema

    def __iter__(self) -> Iterator[tuple[Any, float]]:
        count = self._reader.num_record_batches
        for number in range(count):
            yield self._reader.get_batch(number), (number + 1) / count

    def close(self) -> None:
        self._file.close()


class _StreamBatches:
    def __init__(self, pyarrow: Any, path: Path) -> None:
        self._file = pyarrow.OSFile(str(path))
        self._reader = pyarrow.ipc.open_stream(self._file)
        self.schema = self._reader.schema

    def __iter__(self) -> Iterator[tuple[Any, float]]:
        size = self._file.size()
        for batch in self._reader:
            yield batch, self._file.tell() / size

    def close(self) -> None:
        self._file.close()
