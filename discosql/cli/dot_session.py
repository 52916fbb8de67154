"""Dot-commands about the session itself: what it reads, which database it is on, and its end."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from discosql.cli.dot_command import DotCommand, Quit
from discosql.errors import NotSupportedError, OperationalError

if TYPE_CHECKING:
    from discosql.cli.console import Console


def _open(console: "Console", arguments: Sequence[str]) -> None:
    if console.connect is None:
        raise NotSupportedError("no other database can be opened here")
    opened = console.connect(arguments[0], arguments[1] if len(arguments) > 1 else None)
    console.close_connection()
    console.connection, console.database = opened, arguments[0]


def _read(console: "Console", arguments: Sequence[str]) -> None:
    name = arguments[0]
    try:
        text = Path(name).read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise OperationalError(f"cannot read {name}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise OperationalError(f"cannot read {name}: {exc}") from exc
    console.run_all(text, name)


def _print(console: "Console", arguments: Sequence[str]) -> None:
    console.write(f"{' '.join(arguments)}\n")


def _quit(console: "Console", arguments: Sequence[str]) -> None:
    raise Quit


COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {
        ".open": DotCommand("DATABASE [KEY-FILE]", "close this database and open another", _open, 1, 2),
        ".read": DotCommand("FILE", "run the statements and commands of a file", _read, 1, 1),
        ".print": DotCommand("TEXT ...", "write a text", _print, most=1_000),
        ".quit": DotCommand("", "end the session", _quit),
        ".exit": DotCommand("", "the same", _quit),
    }
)
"""The commands by name."""
