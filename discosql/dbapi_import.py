"""Importing files through a connection, synchronous or asynchronous: what both take and give back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from discosql.connection import Progress, no_progress

if TYPE_CHECKING:
    from discosql.transfer.importing import ImportReport
    from discosql.transfer.statements import Statements


class ImportSettings(TypedDict, total=False):
    """How a file is imported: see `transfer.importing.ImportOptions`.

    `progress` is told how far it is, `warn` what a SQLite file has that cannot be kept, which the report says too.
    """

    primary_key: Sequence[str]
    upsert: bool
    batch: int
    again: bool
    progress: Progress | None
    warn: Callable[[str], None] | None


def import_into(
    statements: Statements,
    path: str | PathLike[str],
    table: str | Sequence[str] | None,
    settings: ImportSettings,
) -> ImportReport:
    """Import as a connection's `import_file` was told to."""
    from discosql.transfer.files import import_path
    from discosql.transfer.importing import ImportOptions, ImportReport

    progress, warn = settings.pop("progress", None) or no_progress, settings.pop("warn", None)
    warnings: list[str] = []

    def tell(text: str) -> None:
        warnings.append(text)
        if warn is not None:
            warn(text)

    options = ImportOptions(table=table, **settings)  # type: ignore[misc]
    return ImportReport(import_path(statements, Path(path), options, progress, tell), warnings)
