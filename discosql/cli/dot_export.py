"""The shell's ``.export``."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from discosql.cli.dot_command import DotCommand
from discosql.cli.exporting import told
from discosql.cli.progress import ProgressLine
from discosql.transfer.exporting import is_rows_file

if TYPE_CHECKING:
    from discosql.cli.console import Console


def _export(console: "Console", arguments: Sequence[str]) -> None:
    target, what = arguments[0], arguments[1] if len(arguments) > 1 else None
    is_query = what is not None and " " in what.strip()
    with ProgressLine(console.errors) as progress:
        done = console.connection.export(
            target,
            None if is_query else what,
            query=what if is_query else None,
            if_exists="replace" if is_rows_file(target) else "fail",
            progress=progress,
        )
    for line in told(done):
        console.write(f"{line}\n")


COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {
        ".export": DotCommand(
            "FILE [TABLE|QUERY]", "write a table, a query or all to a file, by its ending", _export, 1, 2
        ),
    }
)
