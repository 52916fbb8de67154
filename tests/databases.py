"""A simulated Discord with a bot, and Databases on it: fixtures ``world`` and ``db``.

``world`` is the server with everything that outlives a process. ``world.process(...)`` starts a program's process: a
bot with a new Database, in place of the one before, which ends as if killed.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import discord
import pytest
import simcord
from discord.ext import commands
from simcord.backend.errors import BackendError
from simcord_shim import SimcordShim, shimmed_dispatch
from stepped_clock import SteppedClock

from discosql import Database, Error
from discosql.storage.engine import EngineOptions

SERVER = "Test Server"

Faults = dict[int, str]


class Crash(BaseException):
    """The process ends here; no code of the package may catch it."""


class FaultyShim(SimcordShim):
    """Discord, failing at the requests that ``faults`` numbers from 1.

    ``refused``: not carried out, a server error. ``unanswered``: carried out, and a server error nevertheless. ``dies
    before``, ``dies after``: so the process does, and all its later requests fail.
    """

    faults: Faults
    number = 0
    dead = False

    def arm(self, faults: Faults) -> None:
        """Count from here on, and fail so."""
        self.faults, self.number, self.dead = faults, 0, False

    def dispatch(self, method: str, path: str, **request: Any) -> Any:
        if self.dead:
            raise Crash
        self.number += 1
        fault = self.faults.get(self.number)
        if fault == "dies before":
            self.dead = True
            raise Crash
        if fault == "refused":
            raise BackendError(500, 0, "server error")
        answer = super().dispatch(method, path, **request)
        if fault == "dies after":
            self.dead = True
            raise Crash
        if fault == "unanswered":
            raise BackendError(500, 0, "server error")
        return answer


class World:
    """A server on the simulated Discord, and the process that has a database on it."""

    def __init__(self, env: simcord.Env, clock: SteppedClock) -> None:
        self.env = env
        self.clock = clock
        self.shim = FaultyShim(env.backend, clock)
        self.shim.arm({})
        self.guild = env.backend.create_guild(SERVER)
        self.stranger = env.backend.make_user("stranger")
        env.backend.add_member(self.guild.id, self.stranger.id)
        self._running: Database | None = None

    async def process(
        self, *, build: Callable[[Database], None] = lambda db: None, options: EngineOptions | None = None
    ) -> Database:
        """Start a process whose program attaches classes by `build`; the one before ends."""
        await self.end()
        self.shim.arm({})
        await self.env.restart_bot(new_bot())
        database = Database(SERVER, bot=self.env.bot, slash_commands=False)
        if options is not None:
            database._options = options
        build(database)
        await self.env.settle()
        await database.init()
        self._running = database
        return database

    async def end(self) -> None:
        """End the process: with what it has under way, if it is dead."""
        database, self._running = self._running, None
        if database is not None and database.open:
            with suppress(Crash, Error):
                await database.close()

    def channel(self, name: str) -> int:
        """Return the id of the channel of that name."""
        found = [channel.id for channel in self.env.backend.channels.values() if channel.name == name]
        assert len(found) == 1, f"{len(found)} channels named {name}"
        return found[0]

    def say(self, channel: str, text: str) -> None:
        """Let a human write a message."""
        self.env.backend.create_message(self.channel(channel), self.stranger.id, text)


def new_bot() -> commands.Bot:
    """Return a bot as a caller might have it: no privileged intents."""
    return commands.Bot(
        command_prefix="!", help_command=None, intents=discord.Intents(guilds=True, guild_messages=True)
    )


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A server with a bot; time passes only where somebody waits for it."""
    clock = SteppedClock()
    monkeypatch.setattr("discosql.storage.discord.Clock", lambda: clock)
    with shimmed_dispatch():
        env = simcord.Env(new_bot())
        await env.start()
        running = World(env, clock)
        yield running
        await running.end()
        await env.shutdown()


@pytest.fixture
async def db(world: World) -> Database:
    """A database of one process."""
    return await world.process()
