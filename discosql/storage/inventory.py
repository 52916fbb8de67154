"""A database as a whole: what it consists of in its server, and its end."""

from dataclasses import dataclass
from functools import partial

from discosql.errors import NotFoundError
from discosql.storage.core import Engine
from discosql.storage.guild import MAX_PAGE, Channel, Guild, Message
from discosql.storage.reading import with_retries


@dataclass(frozen=True, slots=True)
class ChannelSummary:
    """One channel of a database: how many messages it has, and how many files of how many bytes they carry."""

    name: str
    topic: str
    messages: int
    files: int
    bytes: int


async def describe(engine: Engine) -> list[ChannelSummary]:
    """Return the channels of a database, its log first. Reads every page of every channel."""
    return [await _summary(engine.guild, channel) for channel in await channels_in(engine)]


async def destroy(engine: Engine) -> None:
    """Delete all channels of a database and its category, for ever. The engine is of no use afterwards.

    The log goes first, so that what an interruption leaves behind is no database that would be found again.
    """
    category = engine.channel.category
    for channel in await channels_in(engine):
        await _delete(engine.guild, channel.id)
    if category is not None:
        await _delete(engine.guild, category)


async def channels_in(engine: Engine) -> list[Channel]:
    """Return the channels of a database's category, the log first."""
    found = await with_retries(engine.guild, engine.guild.channels)
    own = [channel for channel in found if channel.category == engine.channel.category and not channel.is_category]
    return sorted(own, key=lambda channel: (channel.id != engine.channel.id, channel.name))


async def _summary(guild: Guild, channel: Channel) -> ChannelSummary:
    messages: list[Message] = []
    while True:
        before = min(message.id for message in messages) if messages else None
        page = await with_retries(guild, partial(guild.messages, channel.id, before=before))
        messages += page
        if len(page) < MAX_PAGE:
            break
    files = [attachment for message in messages for attachment in message.attachments]
    size = sum(len(message.content.encode()) for message in messages) + sum(file.size for file in files)
    return ChannelSummary(channel.name, channel.topic, len(messages), len(files), size)


async def _delete(guild: Guild, channel: int) -> None:
    try:
        await with_retries(guild, partial(guild.delete_channel, channel))
    except NotFoundError:
        return  # an earlier try whose answer was lost, or somebody else
