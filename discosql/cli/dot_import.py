"""The dot-command that imports files."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from discosql.cli.dot_command import DotCommand
from discosql.cli.progress import ProgressLine

if TYPE_CHECKING:
    from discosql.cli.console import Console


def _import(console: "Console", arguments: Sequence[str]) -> None:
    """Import all of a file or nothing, in the open transaction or one of its own; a missing table is made."""
    path, *table = arguments
    connection = console.connection

    def warn(text: str) -> None:
        console.errors.write(f"warning: {text}\n")

    with ProgressLine(console.errors) as progress:
        own = not connection.in_transaction
        if own:
            connection.execute("BEGIN")
        try:
            done = connection.import_file(path, table, progress=progress, warn=warn)
            if own:
                connection.commit()
        finally:
            if own and connection.in_transaction:
                connection.rollback()
    for imported in done.tables:
        console.write(f"{imported.rows} rows inserted into {imported.table}\n")


COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {".import": DotCommand("FILE [TABLE]", "insert the rows of a file into a table, made if missing", _import, 1, 2)}
)
"""The commands by name."""
