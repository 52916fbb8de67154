"""The engine: tables of a database as of a moment, and transactions that change them.

This is all of storage that the rooms above import. What they read and write through is told in `views`; an `Engine`
keeps up with the log of a database and gives out transactions; the functions here open one.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from discosql.errors import DatabaseCorruptionError, NoAnswerError, OperationalError, UnavailableError
from discosql.storage.core import Engine
from discosql.storage.guild import NEEDED_PERMISSIONS, Channel, Guild, Requests
from discosql.storage.inventory import ChannelSummary, describe, destroy
from discosql.storage.keys import compile_keys_with
from discosql.storage.local import LocalGuild
from discosql.storage.messages import MessageSummary, list_messages
from discosql.storage.metrics import Metric, Observer
from discosql.storage.options import EngineOptions
from discosql.storage.posting import TOPIC as PAGES_TOPIC
from discosql.storage.reading import TRIES, with_retries
from discosql.storage.report import report
from discosql.storage.sealing import EncryptionKey
from discosql.storage.temporary import JointTransaction, JointView, TemporaryDatabase
from discosql.storage.transaction import Transaction
from discosql.storage.views import Batch, Key, Pending, Range, ReadView, TableScan, WriteView

__all__ = [
    "DEFAULT_NAME",
    "NEEDED_PERMISSIONS",
    "Batch",
    "Channel",
    "ChannelSummary",
    "EncryptionKey",
    "Engine",
    "EngineOptions",
    "Guild",
    "JointTransaction",
    "JointView",
    "Key",
    "MessageSummary",
    "Metric",
    "Observer",
    "Pending",
    "Range",
    "ReadView",
    "Requests",
    "TableScan",
    "TemporaryDatabase",
    "Transaction",
    "WriteView",
    "compile_keys_with",
    "describe",
    "destroy",
    "discord_guild",
    "find_log",
    "list_messages",
    "local_guild",
    "log_channel",
    "open_discord",
    "open_engine",
    "open_local",
    "open_memory",
    "report",
]

DEFAULT_NAME: Final = "discosql"
"""The name of a database whose address has none: that of its category in the server."""

LOG_CHANNEL: Final = "_dbmetadata"

_LOG_TOPIC: Final = "The log of a discosql database: do not write here."
_PAUSE: Final = 1.0


async def open_engine(
    guild: Guild, name: str = DEFAULT_NAME, *, create: bool = True, options: EngineOptions | None = None
) -> Engine:
    """Open the database of that name on a guild, or make it where there is none and `create` is true."""
    channels = await with_retries(guild, guild.channels)
    channel = _find_log(channels, name)
    if channel is None:
        _check_not_lost(guild, channels, name)
        if not create:
            raise OperationalError(f"there is no database {name} on {guild.name}")
        channel = await _create_log(guild, name, channels)
    engine = Engine(guild, channel, options or EngineOptions(), channels)
    await engine.open()
    return engine


def _find_log(channels: list[Channel], name: str) -> Channel | None:
    folded = name.lower()
    categories = {channel.id for channel in channels if channel.is_category and channel.name.lower() == folded}
    logs = [channel for channel in channels if channel.category in categories and channel.name == LOG_CHANNEL]
    # Should two processes have made the database at once, everybody takes the older one.
    return min(logs, key=lambda channel: channel.id, default=None)


def _check_not_lost(guild: Guild, channels: list[Channel], name: str) -> None:
    """Raise DatabaseCorruptionError if channels are left of a database whose log was deleted."""
    folded = name.lower()
    categories = {channel.id for channel in channels if channel.is_category and channel.name.lower() == folded}
    left = [channel for channel in channels if channel.category in categories and channel.topic == PAGES_TOPIC]
    if left:
        raise DatabaseCorruptionError(
            f"the log of database {name} on {guild.name} is missing: channel {LOG_CHANNEL} was deleted, and without it "
            f"nobody can tell what the pages in {len(left)} channels are; delete category {name} to begin anew"
        )


async def _create_log(guild: Guild, name: str, channels: list[Channel]) -> Channel:
    category = _find_empty_category(channels, name)
    if category is None:
        create_category = partial(guild.create_category, name)
        category = await _once(guild, create_category, lambda known: _find_empty_category(known, name))
    create_log = partial(guild.create_channel, LOG_CHANNEL, category.id, _LOG_TOPIC)
    channel = await _once(guild, create_log, lambda known: _find_log(known, name))
    await guild.wait("settling", guild.visibility)
    found = _find_log(await with_retries(guild, guild.channels), name)
    if found is None or found.id == channel.id:
        return channel
    await guild.delete_channel(channel.id)
    # Both may have been made in the same category, which is then the database's.
    if found.category != category.id:
        await guild.delete_channel(category.id)
    return found


def _find_empty_category(channels: list[Channel], name: str) -> Channel | None:
    """Return what an attempt to make the database left that ended early."""
    used = {channel.category for channel in channels}
    empty = [channel for channel in channels if channel.is_category and channel.id not in used]
    return next((channel for channel in empty if channel.name.lower() == name.lower()), None)


async def _once(
    guild: Guild, create: Callable[[], Awaitable[Channel]], find: Callable[[list[Channel]], Channel | None]
) -> Channel:
    """Create a channel; if the answer is missing, look whether it is there before trying again."""
    for _ in range(TRIES - 1):
        try:
            return await create()
        except UnavailableError:
            await guild.wait("outage", _PAUSE)
        except NoAnswerError:
            found = find(await with_retries(guild, guild.channels))
            if found is not None:
                return found
    return await create()


async def find_log(guild: Guild, name: str) -> Channel:
    """Return the log channel of a database as the guild lists it now. Raises OperationalError if there is none."""
    channels = await with_retries(guild, guild.channels)
    channel = _find_log(channels, name)
    if channel is None:
        _check_not_lost(guild, channels, name)
        raise OperationalError(f"there is no database {name} on {guild.name}")
    return channel


async def log_channel(engine: Engine) -> Channel:
    """Return the log channel of an engine's database as the guild lists it now."""
    found = await with_retries(engine.guild, engine.guild.channels)
    return next((channel for channel in found if channel.id == engine.channel.id), engine.channel)


async def open_memory(*, options: EngineOptions | None = None) -> Engine:
    """Open a new database in memory."""
    options = options or EngineOptions()
    # It ends with the process, so that nothing is won by pages.
    return await open_engine(LocalGuild.memory(), options=replace(options, checkpoint_entries=0))


def local_guild(path: "str | os.PathLike[str]", *, create: bool) -> Guild:
    """Open a local guild's file."""
    return LocalGuild.open(path, create=create)


async def open_local(
    path: "str | os.PathLike[str]",
    name: str = DEFAULT_NAME,
    *,
    create: bool = True,
    options: EngineOptions | None = None,
) -> Engine:
    """Open a database in a local guild's file."""
    guild = local_guild(path, create=create)
    try:
        return await open_engine(guild, name, create=create, options=options)
    except BaseException:
        await guild.close()
        raise


async def open_discord(
    server: str,
    name: str = DEFAULT_NAME,
    *,
    token: str | None = None,
    client: Any = None,
    gateway: bool = False,
    create: bool = True,
    options: EngineOptions | None = None,
) -> Engine:
    """Open a database on a Discord server, through a client of our own (`token`) or the caller's."""
    guild = await discord_guild(server, token=token, client=client, gateway=gateway)
    try:
        return await open_engine(guild, name, create=create, options=options)
    except BaseException:
        await guild.close()
        raise


async def discord_guild(server: str, *, token: str | None = None, client: Any = None, gateway: bool = False) -> Guild:
    """Reach a Discord server, through a client of our own (`token`) or the caller's."""
    # discord.py takes long to import, and most programs on a local guild never need it.
    from discosql.storage.discord import DiscordGuild

    if client is not None:
        return await DiscordGuild.attach(client, server)
    return await DiscordGuild.connect(server, token, gateway=gateway)
