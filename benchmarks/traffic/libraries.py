"""The two libraries behind one face: the same table class, the same calls, the same simulated server."""

import gc
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

import aiocache
import discobase
import discord
import simcord
from discord.ext import commands
from simcord_shim import SimcordShim, shimmed_dispatch

import discosql
from benchmarks.traffic.meter import Meter

SERVER = "Library"


class Library(ABC):
    """A library under test, on a server of its own. `book` is its table class."""

    name: str
    module: ModuleType

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.book: Any = None
        self.database: Any = None
        self.env: simcord.Env | None = None

    def declare(self, database: Any) -> None:
        """Attach the table class: three fields, each with an index in discobase, none needed in discosql."""
        base: Any = self.module.Table

        @database.table
        class Book(base):  # type: ignore[misc]
            title: str
            author: str
            year: int

        self.book = Book
        self.database = database

    async def serve(self, bot: discord.Client) -> simcord.Env:
        """Start a simulated server with that bot in it, but no database yet."""
        env = simcord.Env(bot)
        await env.start()
        SimcordShim(env.backend, self.meter.clock)
        env.backend.create_guild(SERVER)
        self.env = env
        return env

    @abstractmethod
    async def start(self) -> None:
        """Start the server and the bot."""

    @abstractmethod
    async def connect(self) -> None:
        """Connect to the database; create what is missing."""

    @abstractmethod
    async def end(self) -> None:
        """Close the database and drop all that is in memory, as the end of the program would."""

    @abstractmethod
    async def save_together(self, rows: Sequence[tuple[str, str, int]]) -> None:
        """Save rows in one transaction. Raises NotImplementedError where there are none."""

    def made(self, row: tuple[str, str, int]) -> Any:
        """Return an object for a row."""
        title, author, year = row
        return self.book(title=title, author=author, year=year)

    async def stop(self) -> None:
        """Stop the server."""
        if self.env is not None:
            await self.env.shutdown()


class Discosql(Library):
    """This library, through its Table API."""

    name = "discosql"
    module = discosql

    async def start(self) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True)
        env = await self.serve(commands.Bot(command_prefix="!", help_command=None, intents=intents))
        self._attach(env.bot)

    def _attach(self, bot: discord.Client) -> None:
        with patch("discosql.storage.discord.Clock", lambda: self.meter.clock):
            self.declare(discosql.Database(SERVER, bot=bot, slash_commands=False))

    async def connect(self) -> None:
        with patch("discosql.storage.discord.Clock", lambda: self.meter.clock):
            await self.database.init()

    async def end(self) -> None:
        assert self.env is not None
        await self.database.close()
        self._attach(self.env.bot)

    async def save_together(self, rows: Sequence[tuple[str, str, int]]) -> None:
        await self.book.save_all([self.made(row) for row in rows])

    async def stop(self) -> None:
        if self.database.open:
            await self.database.close()
        await super().stop()


class Discobase(Library):
    """discobase 1.0.0, whose bot does at its start what `init` does; its login is simcord's."""

    name = "discobase"
    module = discobase

    async def start(self) -> None:
        database = discobase.Database(SERVER)
        self.declare(database)
        # Setting up happens in `connect`, where it is counted, and not when the bot reports that it is ready.
        with patch.object(database.bot, "on_ready", _nothing):
            await self.serve(database.bot)

    async def connect(self) -> None:
        await self.database.init()
        self.database.open = True

    async def end(self) -> None:
        self.database.open = False
        await aiocache.SimpleMemoryCache().clear()

    async def save_together(self, rows: Sequence[tuple[str, str, int]]) -> None:
        raise NotImplementedError("discobase has no transactions")


async def _nothing() -> None:
    pass


@asynccontextmanager
async def running(kind: type[Library]) -> AsyncIterator[Library]:
    """Run a library on a fresh server, with nothing in memory."""
    await aiocache.SimpleMemoryCache().clear()
    meter = Meter()
    with shimmed_dispatch(), meter.watching():
        library = kind(meter)
        await library.start()
        try:
            yield library
        finally:
            await library.stop()
    gc.collect()
