"""Dot-commands that change how the shell behaves."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from discosql.cli.dot_command import DotCommand
from discosql.errors import ProgrammingError
from discosql.output import MODES
from discosql.output_table import table

if TYPE_CHECKING:
    from discosql.cli.console import Console


def _mode(console: "Console", arguments: Sequence[str]) -> None:
    if not arguments:
        console.write(f"{console.mode}; there are {', '.join(MODES)}\n")
    elif arguments[0] in MODES:
        console.mode = arguments[0]
    else:
        raise ProgrammingError(f"unknown mode {arguments[0]}; there are {', '.join(MODES)}")


def _width(console: "Console", arguments: Sequence[str]) -> None:
    if not arguments:
        console.write(f"{_width_of(console)}\n")
    elif arguments[0] == "auto":
        console.widest = None
    elif arguments[0].isdecimal():
        console.widest = int(arguments[0])
    else:
        raise ProgrammingError("usage: .width [auto|N]; N columns of the terminal at most, 0 for no limit")


def _width_of(console: "Console") -> str:
    return "auto" if console.widest is None else str(console.widest)


def _null(console: "Console", arguments: Sequence[str]) -> None:
    console.null = arguments[0] if arguments else None


def _output(console: "Console", arguments: Sequence[str]) -> None:
    console.screen.redirect(arguments[0] if arguments else None)


def _once(console: "Console", arguments: Sequence[str]) -> None:
    console.screen.redirect(arguments[0], once=True)


def _switch(name: str) -> Callable[["Console", Sequence[str]], None]:
    def switch(console: "Console", arguments: Sequence[str]) -> None:
        if arguments and arguments[0] not in ("on", "off"):
            raise ProgrammingError(f"usage: .{name} [on|off]")
        if arguments:
            setattr(console, name, arguments[0] == "on")
        else:
            console.write(f"{_on_off(getattr(console, name))}\n")

    return switch


def _on_off(value: bool) -> str:
    return "on" if value else "off"


def _show(console: "Console", arguments: Sequence[str]) -> None:
    switches = ["bail", "echo", "explain", "headers", "requests", "timer"]
    rows = [
        *[(f".{name}", _on_off(getattr(console, name))) for name in switches],
        (".mode", console.mode),
        (".nullvalue", "as the mode has it" if console.null is None else repr(console.null)),
        (".width", _width_of(console)),
        (".output", console.screen.target),
    ]
    console.write(table(["setting", "is"], sorted(rows)))


_ON_OFF: Final = ("on", "off")

COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {
        ".mode": DotCommand("[MODE]", f"how rows are written: {', '.join(MODES)}", _mode, most=1, words=tuple(MODES)),
        ".headers": DotCommand("[on|off]", "write the names of columns", _switch("headers"), most=1, words=_ON_OFF),
        ".nullvalue": DotCommand("[TEXT]", "write this for NULL; without TEXT what the mode has for it", _null, most=1),
        ".width": DotCommand(
            "[auto|N]",
            "how wide columns of a table may be; auto fits tables to the terminal, 0 is no limit",
            _width,
            most=1,
            words=("auto",),
        ),
        ".output": DotCommand("[FILE]", "write results to a file from now on; without FILE no longer", _output, most=1),
        ".once": DotCommand("FILE", "write the results of the next statement or command to a file", _once, 1, 1),
        ".timer": DotCommand("[on|off]", "tell the time of each statement", _switch("timer"), most=1, words=_ON_OFF),
        ".requests": DotCommand(
            "[on|off]", "tell the requests of each statement", _switch("requests"), most=1, words=_ON_OFF
        ),
        ".explain": DotCommand(
            "[on|off]",
            "before each statement show its plan and what that is expected to ask of Discord",
            _switch("explain"),
            most=1,
            words=_ON_OFF,
        ),
        ".echo": DotCommand(
            "[on|off]", "write each statement before its result", _switch("echo"), most=1, words=_ON_OFF
        ),
        ".bail": DotCommand(
            "[on|off]", "stop a script at its first error; on unless set", _switch("bail"), most=1, words=_ON_OFF
        ),
        ".show": DotCommand("", "these settings as they are", _show),
    }
)
"""The commands by name."""
