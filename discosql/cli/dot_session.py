"""Dot-commands about the session itself: what it reads, and its end."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from discosql.cli.dot_command import DotCommand, Quit
from discosql.errors import OperationalError

if TYPE_CHECKING:
    from discosql.cli.console import Console


def _read(console: "Console", arguments: Sequence[str]) -> None:
    try:
        text = Path(arguments[0]).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise OperationalError(f"cannot read {arguments[0]}: {exc}") from exc
    console.run_all(text)


def _quit(console: "Console", arguments: Sequence[str]) -> None:
    raise Quit


COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {
        ".read": DotCommand("FILE", "run the statements of a file", _read, 1, 1),
        ".quit": DotCommand("", "end the session", _quit),
    }
)
"""The commands by name."""
