"""Dot-commands that change how the shell behaves."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from discosql.cli.dot_command import DotCommand
from discosql.errors import ProgrammingError
from discosql.output import MODES

if TYPE_CHECKING:
    from discosql.cli.console import Console


def _mode(console: "Console", arguments: Sequence[str]) -> None:
    if not arguments:
        console.write(f"{console.mode}; there are {', '.join(MODES)}\n")
    elif arguments[0] in MODES:
        console.mode = arguments[0]
    else:
        raise ProgrammingError(f"unknown mode {arguments[0]}; there are {', '.join(MODES)}")


def _switch(name: str) -> Callable[["Console", Sequence[str]], None]:
    def switch(console: "Console", arguments: Sequence[str]) -> None:
        if arguments and arguments[0] not in ("on", "off"):
            raise ProgrammingError(f"usage: .{name} [on|off]")
        if arguments:
            setattr(console, name, arguments[0] == "on")
        else:
            console.write(f"{'on' if getattr(console, name) else 'off'}\n")

    return switch


COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {
        ".mode": DotCommand("[MODE]", f"how rows are written: {', '.join(MODES)}", _mode, most=1),
        ".timer": DotCommand("[on|off]", "tell the time of each statement", _switch("timer"), most=1),
        ".requests": DotCommand("[on|off]", "tell the requests of each statement", _switch("requests"), most=1),
    }
)
"""The commands by name."""
