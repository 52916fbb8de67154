"""The dot-command that imports files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from discosql.cli.dot_command import DotCommand
from discosql.cli.progress import ProgressLine
from discosql.transfer.files import import_path
from discosql.transfer.importing import ImportOptions, committing

if TYPE_CHECKING:
    from discosql.cli.console import Console


def _import(console: "Console", arguments: Sequence[str]) -> None:
    """Import all of a file or nothing, in the open transaction or one of its own; a missing table is made."""
    path, *table = arguments
    options = ImportOptions(table=table)

    def warn(text: str) -> None:
        console.errors.write(f"warning: {text}\n")

    with ProgressLine(console.errors) as progress, committing(console.connection):
        done = import_path(console.connection, Path(path), options, progress, warn)
    for imported in done:
        console.write(f"{imported.rows} rows inserted into {imported.table}\n")


COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {".import": DotCommand("FILE [TABLE]", "insert the rows of a file into a table, made if missing", _import, 1, 2)}
)
"""The commands by name."""
