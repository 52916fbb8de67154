"""Every guild there is, behind one fixture: ``server`` is the server, ``guild`` a client of it.

Storage tests use ``guild``, and ``server`` where they need a second client, another author, or time. To run on some of
the guilds only: ``@pytest.mark.parametrize("server", ["memory", "file"], indirect=True)``.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord
from discord.ext import commands
from loopback import TOKEN, LoopbackDiscord
from simcord.backend import Backend
from simcord_shim import SimcordShim, shimmed_dispatch
from stepped_clock import SteppedClock

from discosql.storage.discord import DiscordGuild
from discosql.storage.guild import Guild, Message
from discosql.storage.local import LocalGuild

KINDS = ("memory", "file", "simcord", "loopback")
NAME = "Test Server"


class Server(ABC):
    """A server to test on, as seen by its owner."""

    def __init__(self, clock: SteppedClock) -> None:
        self.clock = clock

    @abstractmethod
    async def open(self) -> Guild:
        """Return one more client of the server, with the bot's account. The fixture closes it."""

    @abstractmethod
    async def post_as_stranger(self, channel: int, content: str) -> int:
        """Post as somebody else; returns the message's id."""

    @abstractmethod
    async def edit(self, channel: int, message: int, content: str) -> None:
        """Edit a message, as its author could."""

    @abstractmethod
    def change_file(self, message: Message, number: int, data: bytes) -> None:
        """Put other bytes where a file of a message is stored, as a fault of the server could."""


class LocalServer(Server):
    """LocalGuild, in memory or in a file."""

    def __init__(self, clock: SteppedClock, path: Path | None) -> None:
        super().__init__(clock)
        self._path = path
        self._first = LocalGuild.memory(NAME, clock=clock) if path is None else LocalGuild.open(path, clock=clock)
        self._opened = [self._first]

    async def open(self) -> LocalGuild:
        guild = self._first.peer() if self._path is None else LocalGuild.open(self._path, clock=self.clock)
        self._opened.append(guild)
        return guild

    async def post_as_stranger(self, channel: int, content: str) -> int:
        stranger = self._first.peer(account=4)
        posted = await stranger.post(channel, content)
        await stranger.close()
        return posted.id

    async def edit(self, channel: int, message: int, content: str) -> None:
        await self._first.edit(channel, message, content)

    def change_file(self, message: Message, number: int, data: bytes) -> None:
        self._first._store._connection.execute(
            "UPDATE file SET data = ? WHERE id = ?", (data, message.attachments[number].id)
        )

    async def close(self) -> None:
        for guild in self._opened:
            await guild.close()


class SimulatedServer(Server):
    """A server of simcord's backend, with a stranger in it."""

    def __init__(self, clock: SteppedClock, backend: Backend, name: str = NAME) -> None:
        super().__init__(clock)
        self.backend = backend
        self.id = backend.create_guild(name).id
        self._stranger = backend.make_user("stranger").id
        backend.add_member(self.id, self._stranger)
        self._opened: list[DiscordGuild] = []

    async def post_as_stranger(self, channel: int, content: str) -> int:
        return self.backend.create_message(channel, self._stranger, content).id

    async def edit(self, channel: int, message: int, content: str) -> None:
        self.backend.edit_message(channel, message, {"content": content})

    def change_file(self, message: Message, number: int, data: bytes) -> None:
        stored = self.backend.get_message(message.channel, message.id)
        self.backend.cdn._blobs[stored.attachments[number]["url"]] = data

    def forbid(self, *permissions: str) -> None:
        """Take permissions away from all roles."""
        self._set_permissions(permissions, allowed=False)

    def permit(self, *permissions: str) -> None:
        """Give permissions to all roles."""
        self._set_permissions(permissions, allowed=True)

    def _set_permissions(self, permissions: tuple[str, ...], *, allowed: bool) -> None:
        for role in self.backend.guilds[self.id].roles.values():
            value = discord.Permissions(role.permissions)
            value.update(**dict.fromkeys(permissions, allowed))
            role.permissions = value.value

    async def close(self) -> None:
        for guild in self._opened:
            await guild.close()


class SimcordServer(SimulatedServer):
    """A bot that runs on simcord, with a DiscordGuild attached to its client."""

    def __init__(self, clock: SteppedClock, env: simcord.Env) -> None:
        self.shim = SimcordShim(env.backend, clock)
        super().__init__(clock, env.backend)
        self.env = env

    async def open(self) -> DiscordGuild:
        guild = await DiscordGuild.attach(self.env.bot, self.id, clock=self.clock)
        self._opened.append(guild)
        return guild


class LoopbackServer(SimulatedServer):
    """A DiscordGuild with a client of its own, over HTTP on this machine."""

    def __init__(self, clock: SteppedClock, discord_server: LoopbackDiscord) -> None:
        super().__init__(clock, discord_server.backend)
        self.discord = discord_server

    async def open(self, *, gateway: bool = False) -> DiscordGuild:
        guild = await DiscordGuild.connect(self.id, TOKEN, gateway=gateway, clock=self.clock)
        self._opened.append(guild)
        return guild

    def sent(self, method: str, path: str) -> list[Any]:
        """Return the requests of that method whose path ends so."""
        return [
            request for request in self.discord.requests if request.method == method and request.path.endswith(path)
        ]


@asynccontextmanager
async def simcord_server(clock: SteppedClock) -> AsyncIterator[SimcordServer]:
    """Run a bot on simcord."""
    bot = commands.Bot(command_prefix="!", help_command=None, intents=discord.Intents(guilds=True, guild_messages=True))
    with shimmed_dispatch():
        # Not simcord.run: it sets context variables, and a fixture ends in another context than it began in.
        env = simcord.Env(bot)
        await env.start()
        server = SimcordServer(clock, env)
        yield server
        await server.close()
        await env.shutdown()


@asynccontextmanager
async def loopback_server(clock: SteppedClock) -> AsyncIterator[LoopbackServer]:
    """Run Discord on this machine."""
    async with LoopbackDiscord(clock).running() as discord_server:
        server = LoopbackServer(clock, discord_server)
        yield server
        await server.close()


@asynccontextmanager
async def open_server(kind: str, folder: Path) -> AsyncIterator[Server]:
    """Run a server of that kind."""
    clock = SteppedClock()
    if kind == "simcord":
        async with simcord_server(clock) as simulated:
            yield simulated
    elif kind == "loopback":
        async with loopback_server(clock) as loopback:
            yield loopback
    else:
        local = LocalServer(clock, folder / "test.disco" if kind == "file" else None)
        yield local
        await local.close()


@pytest.fixture(params=KINDS)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    async with open_server(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
async def guild(server: Server) -> Guild:
    return await server.open()
