"""Push hints from Discord's gateway, on a client of our own or on the caller's."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from typing import Any, Final

import discord
from loguru import logger

from discosql.storage.guild import Listener

MESSAGE_EVENTS: Final = ("message", "raw_message_edit", "raw_message_delete", "raw_bulk_message_delete")
"""The events of discord.py that carry changes of messages, whether it has the messages in its cache or not."""

CONNECTION_EVENTS: Final = ("ready", "resumed")
"""What was missed before is not always replayed, so each is a hint for every channel."""

_REMEMBERED: Final = 64
"""Own posts whose event may still be on its way."""


class Events:
    """Calls listeners on message events of one server.

    A client's handlers and listeners stay as they are: each event is waited for by `Client.wait_for`, with a check that
    calls the listeners and is never satisfied. That is public, and works for Client and Bot alike. The event of a post
    that this guild has made and got its answer for says nothing new and is no hint.
    """

    def __init__(self, client: discord.Client, guild: int, channels: Collection[int]) -> None:
        self._client = client
        self._guild = guild
        self._channels = channels  # those that were asked about, hinted at after a reconnection
        self._listeners: list[Listener] = []
        self._waiting: list[asyncio.Task[Any]] = []
        self._connected = False
        self._own: deque[int] = deque(maxlen=_REMEMBERED)

    def posted(self, message: int) -> None:
        """Note a message that this guild has posted and had its answer for."""
        self._own.append(message)

    @property
    def is_live(self) -> bool:
        """Whether the listeners hear of changes now."""
        intents = self._client.intents
        return self._connected and bool(self._listeners) and intents.guilds and intents.guild_messages

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` from now on; returns a function that stops it."""
        self._listeners.append(listener)
        if not self._waiting:
            self._start()

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)
            if not self._listeners:
                self.close()

        return stop

    def _start(self) -> None:
        self._connected = self._client.is_ready()
        loop = asyncio.get_running_loop()
        wait_for: Callable[..., Any] = self._client.wait_for  # its overloads know no event by a variable
        checks = {
            **dict.fromkeys(MESSAGE_EVENTS, self._on_message),
            **dict.fromkeys(CONNECTION_EVENTS, self._on_connection),
            "disconnect": self._on_disconnection,
        }
        for event, check in checks.items():
            self._waiting.append(loop.create_task(wait_for(event, check=check), name=f"discosql {event}"))

    def _on_message(self, event: Any) -> bool:
        # A Message has a channel, which has a guild if it is in the cache; the raw events have ids only.
        if isinstance(event, discord.Message):
            if event.id in self._own:
                return False
            channel = event.channel.id
            guild = event.guild.id if event.guild else getattr(event.channel, "guild_id", None)
        else:
            channel, guild = event.channel_id, event.guild_id
        if guild == self._guild:
            self._hint(channel)
        return False

    def _on_disconnection(self) -> bool:
        self._connected = False
        return False

    def _on_connection(self) -> bool:
        self._connected = True
        for channel in tuple(self._channels):
            self._hint(channel)
        return False

    def _hint(self, channel: int) -> None:
        for listener in tuple(self._listeners):
            listener(channel)

    def close(self) -> None:
        """Stop calling the listeners."""
        self._listeners.clear()
        for task in self._waiting:
            task.cancel()
        self._waiting.clear()


async def run_gateway(client: discord.Client) -> None:
    """Keep a logged-in client of our own connected to the gateway, until it is closed.

    Without it a database works all the same, so a failure is logged and not raised.
    """
    try:
        await client.connect()
    except (discord.DiscordException, OSError) as error:
        logger.warning("the connection to Discord's gateway ended, changes are found by asking: {}", error)
