"""The shell's dot-commands: what is no SQL. A module for each family of them, and one table of all."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from discosql.cli import dot_export, dot_import, dot_schema, dot_server, dot_session, dot_settings, dot_upkeep
from discosql.cli.dot_command import DotCommand

if TYPE_CHECKING:
    from discosql.cli.console import Console


def _help(console: "Console", arguments: Sequence[str]) -> None:
    wanted = f".{arguments[0].lstrip('.')}" if arguments else "."
    rows = [
        (f"{name} {command.usage}".strip(), command.help)
        for name, command in DOT_COMMANDS.items()
        if name.startswith(wanted)
    ]
    console.show(["command", "what it does"], rows, mode="table", whole=True)


DOT_COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {
        **dot_schema.COMMANDS,
        **dot_server.COMMANDS,
        **dot_import.COMMANDS,
        **dot_export.COMMANDS,
        **dot_upkeep.COMMANDS,
        **dot_settings.COMMANDS,
        ".help": DotCommand("[COMMAND]", "this list, or a line of it", _help, most=1),
        **dot_session.COMMANDS,
    }
)
"""The commands by name."""
