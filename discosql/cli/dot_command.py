"""What a dot-command is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from discosql.cli.console import Console


@dataclass(frozen=True, slots=True)
class DotCommand:
    """A command: how it is written, what it does in a line, and how many arguments it takes.

    `words` can be completed where an argument is entered, as can tables and files if the usage names any.
    """

    usage: str
    help: str
    run: Callable[["Console", Sequence[str]], None]
    fewest: int = 0
    most: int = 0
    words: tuple[str, ...] = ()


class Quit(Exception):
    """``.quit`` was given."""
