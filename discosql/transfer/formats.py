"""The formats of files that rows are imported from, told by their endings."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from discosql.errors import DataError, ProgrammingError
from discosql.transfer.arrow_files import ArrowIpcFile, ParquetFile
from discosql.transfer.objects import JsonFile, JsonLinesFile
from discosql.transfer.sources import SeparatedFile, Source, plain_path
from discosql.types import fold_case

_TEXTS: Final[Mapping[str, Callable[[Path], Source]]] = MappingProxyType(
    {
        ".csv": SeparatedFile,
        ".tsv": SeparatedFile,
        ".json": JsonFile,
        ".jsonl": JsonLinesFile,
        ".ndjson": JsonLinesFile,
    }
)
_FORMATS: Final[Mapping[str, Callable[[Path], Source]]] = MappingProxyType(
    {**_TEXTS, ".parquet": ParquetFile, ".arrow": ArrowIpcFile, ".feather": ArrowIpcFile}
)

ENDINGS: Final = tuple(_FORMATS)
"""The endings known; those of text may have ``.gz`` behind them."""


def open_source(path: Path) -> Source:
    """Return the file as rows, by its ending. Raises OperationalError if it cannot be read, DataError for no rows."""
    plain = plain_path(path)
    kind = (_FORMATS if plain == path else _TEXTS).get(plain.suffix.lower())
    if kind is None:
        raise ProgrammingError(f"cannot import {path}: the endings known are {' '.join(ENDINGS)}, and .csv.gz and such")
    source = kind(path)
    names = [fold_case(name) for name in source.columns]
    doubles = [name for name, folded in zip(source.columns, names, strict=True) if names.count(folded) > 1]
    if not names or doubles or "" in names:
        fault = f"column {doubles[-1]} is there twice" if doubles else "a column has no name"
        line = ", line 1" if source.place == "line" else ""
        raise DataError(f"{path}{line}: {fault if names else 'there are no columns'}")
    return source
