"""The messages of a database's channels as a person sees them on Discord, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from discosql.errors import OperationalError
from discosql.storage.core import Engine
from discosql.storage.entry import read_entry
from discosql.storage.guild import MAX_PAGE, Channel, Message, id_time
from discosql.storage.inventory import channels_in
from discosql.storage.log import PART_TEXT
from discosql.storage.posting import TOPIC
from discosql.storage.reading import with_retries


@dataclass(frozen=True, slots=True)
class MessageSummary:
    """One message of a database's channels.

    `time` is in seconds since 1970, `author` a user's id. `kind` is ``commit #N``, ``checkpoint #N`` (which carries the
    manifest) or ``part`` in the log, ``pages`` in other channels, ``edited`` or ``damaged`` where the bot's own message
    is no longer what it posted, and ``foreign`` for what is somebody else's or in a channel that is none of the
    database's. `size` is of text and files together; `files` are their names. `text` is the first line; `link` opens
    the message in Discord, and is empty on a local guild.
    """

    id: int
    time: float
    channel: str
    author: int
    kind: str
    size: int
    files: tuple[str, ...]
    text: str
    link: str


async def list_messages(
    engine: Engine, channel: str | None = None, limit: int = 20
) -> tuple[list[MessageSummary], bool]:
    """Return the newest messages of a database's channels, or of one by its name or id, and whether there are more.

    Channels whose newest message is too old to be among them are not read. Raises OperationalError if there is no such
    channel.
    """
    channels = await channels_in(engine)
    if channel is not None:
        channels = [each for each in channels if channel in (each.name, str(each.id))]
        if not channels:
            raise OperationalError(f"the database has no channel {channel}")
    found: list[tuple[Message, Channel]] = []
    for each in sorted(channels, key=lambda each: each.newest, reverse=True):
        if len(found) > limit and found[limit][0].id > each.newest:
            break
        found += [(message, each) for message in await _newest(engine, each, limit + 1)]
        found.sort(key=lambda pair: pair[0].id, reverse=True)
    return [_summary(engine, message, each) for message, each in found[:limit]], len(found) > limit


async def _newest(engine: Engine, channel: Channel, limit: int) -> Sequence[Message]:
    """Return up to `limit` messages of a channel, the newest."""
    guild = engine.guild
    messages: list[Message] = []
    while len(messages) < limit:
        size = min(MAX_PAGE, limit - len(messages))
        before = min((message.id for message in messages), default=None)
        page = await with_retries(guild, partial(guild.messages, channel.id, before=before, limit=size))
        messages += page
        if len(page) < size:
            break
    return messages


def _summary(engine: Engine, message: Message, channel: Channel) -> MessageSummary:
    return MessageSummary(
        message.id,
        id_time(message.id),
        channel.name,
        message.author,
        _kind(engine, message, channel),
        len(message.content.encode()) + sum(file.size for file in message.attachments),
        tuple([file.name for file in message.attachments]),
        message.content.partition("\n")[0],
        engine.guild.link(channel.id, message.id),
    )


def _kind(engine: Engine, message: Message, channel: Channel) -> str:
    is_log = channel.id == engine.channel.id
    if message.author != engine.guild.account or not (is_log or channel.topic == TOPIC):
        return "foreign"
    if message.edited:
        return "edited"
    if not is_log:
        return "pages"
    entry = read_entry(message, engine.log.keyring)
    if entry is not None:
        return f"{'commit' if entry.cover is None else 'checkpoint'} #{entry.slot}"
    return "part" if message.content == PART_TEXT else "damaged"
