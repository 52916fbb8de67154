"""Dot-commands that show a database as it is on its server: channels and messages."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from discosql.cli.dot_command import DotCommand
from discosql.cli.progress import ProgressLine
from discosql.errors import ProgrammingError
from discosql.storage.engine import MessageSummary

if TYPE_CHECKING:
    from discosql.cli.console import Console

_MESSAGES: Final = 20
_COLUMNS: Final = ("id", "time", "channel", "author", "kind", "bytes", "files", "text", "link")
_LONGEST_NUMBER: Final = 9
"""Digits up to which a number says how many messages, and is no channel's id."""


def _channels(console: "Console", arguments: Sequence[str]) -> None:
    with ProgressLine(console.errors, lambda: "reading channels"):
        found = console.connection.channels()
    rows = [(each.name, each.messages, each.files, each.bytes) for each in found]
    console.show(["channel", "messages", "files", "bytes"], rows)


def _messages(console: "Console", arguments: Sequence[str]) -> None:
    given = list(arguments)
    limit = _MESSAGES
    if given and given[-1].isdecimal() and len(given[-1]) <= _LONGEST_NUMBER:
        limit = int(given.pop())
    if len(given) > 1:
        raise ProgrammingError("usage: .messages [CHANNEL] [N]")
    channel = given[0] if given else None
    with ProgressLine(console.errors, lambda: "reading messages"):
        messages, has_more = console.connection.messages(channel, limit)
    if console.mode == "table" and console.screen.is_terminal:
        _show_narrow(console, messages)
    else:
        console.show(_COLUMNS, [_row_of(each) for each in messages])
    if has_more:
        command = f".messages {f'{channel} ' if channel is not None else ''}{10 * limit}"
        console.screen.tell(f"there are more than these {limit}: {command}", "aside")


def _row_of(message: MessageSummary) -> tuple[Any, ...]:
    # Ids are text: many readers of JSON take numbers for floating-point ones, in which an id does not fit.
    time, files = _time_of(message, "seconds"), ", ".join(message.files)
    author = str(message.author)
    return (
        str(message.id), time, message.channel, author, message.kind, message.size, files, message.text, message.link
    )  # fmt: skip


def _show_narrow(console: "Console", messages: Sequence[MessageSummary]) -> None:
    """Show messages in a table that has no room for links, which differ only in what its rows tell."""
    rows = [
        (each.id, _time_of(each, "minutes"), each.channel, each.kind, each.size, ", ".join(each.files), each.text)
        for each in messages
    ]
    console.show(["id", "time", "channel", "kind", "bytes", "files", "text"], rows)
    if messages and messages[0].link:
        console.screen.tell(f"the newest is {messages[0].link}", "aside")


def _time_of(message: MessageSummary, precision: str) -> str:
    return datetime.fromtimestamp(message.time, UTC).replace(tzinfo=None).isoformat(" ", precision)


COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {
        ".channels": DotCommand("", "the channels of the database: messages, files, bytes", _channels),
        ".messages": DotCommand(
            "[CHANNEL] [N]", f"the newest N ({_MESSAGES}) messages, as they are seen on Discord", _messages, most=2
        ),
    }
)
"""The commands by name."""
