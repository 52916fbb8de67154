"""Database: Table classes on a Discord server, run by a bot of our own or attached to the caller's.

Example::

    db = discosql.Database("My Server")

    @db.table
    class User(discosql.Table):
        name: str

    async def main() -> None:
        async with db.conn(token):
            await User(name="Ada").save()

With a bot of your own, ``Database("My Server", bot=my_bot)`` uses its connection: start the bot as ever, and await
`wait_ready` where you need the database.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar, overload

import aiohttp
import discord
from discord.ext import commands
from loguru import logger

from discosql.aio import Connection
from discosql.background import BackgroundTask, BackgroundTasks
from discosql.database_access import CommandAccess
from discosql.database_start import attach, find_guild, offer_commands, own_bot
from discosql.database_transaction import OpenTransaction
from discosql.errors import DatabaseTableError, Error, NotConnectedError, OperationalError, SerializationError
from discosql.executor.functions import DEFAULT
from discosql.opening import key_or_environment
from discosql.rows import Row
from discosql.schema import Catalog
from discosql.session import Session
from discosql.storage.engine import (
    DEFAULT_NAME,
    EncryptionKey,
    Engine,
    EngineOptions,
    destroy,
    open_discord,
)
from discosql.table import Table
from discosql.table_fields import field_columns
from discosql.table_store import TableStore

T = TypeVar("T", bound=type[Table])
M = TypeVar("M", bound=Table)
R = TypeVar("R")

BUILD_TRIES: Final = 10
"""How often `build_tables` begins anew after conflicts with other processes."""


class Database:
    """A database on a Discord server, and the Table classes attached to it.

    `name` is the server's name (or its id as text); `logging` lets the package log through loguru; `bot` is a bot of
    the caller's to work through, whose intents need to include guilds; `slash_commands` says whether the bot offers the
    database's slash commands, and to whom: True means the server's administrators. `database` names one of several
    databases on a server; `key` is what it is encrypted with, default the environment variable DISCOSQL_KEY.
    """

    def __init__(
        self,
        name: str,
        logging: bool = False,
        *,
        bot: commands.Bot | None = None,
        slash_commands: bool | CommandAccess = True,
        database: str = DEFAULT_NAME,
        key: EncryptionKey | None = None,
    ) -> None:
        if logging:
            logger.enable("discosql")
        self.name = name
        self.bot: commands.Bot = bot if bot is not None else own_bot()
        self.guild: discord.Guild | None = None
        self.tables: dict[str, type[Table]] = {}
        self.open = False
        self.background: Final = BackgroundTasks()
        self._owns_bot = bot is None
        self.has_commands = bool(slash_commands)
        self.command_access = slash_commands if isinstance(slash_commands, CommandAccess) else CommandAccess()
        self._database = database
        self._options = EngineOptions(key=key_or_environment(key))
        self._connection: Connection | None = None
        self._engine: Engine | None = None
        self._inner: ContextVar[OpenTransaction | None] = ContextVar("discosql_transaction", default=None)
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._failure: BaseException | None = None
        self._wanted = True  # False from close to the next start: a reconnection shall not open it again
        self._opening = asyncio.Lock()
        attach(self.bot, self)
        self.bot.add_listener(self._on_ready, "on_ready")

    # Starting and stopping ----------------------------------------------------------------------------------------

    async def login(self, token: str) -> None:
        """Connect, and run until the bot is closed. Raises RuntimeError if the database is open already."""
        if self.open:
            raise RuntimeError("the database is connected already")
        if not self._owns_bot:
            raise RuntimeError("the database is attached to a bot of yours; start that bot instead")
        self._forget_last_time()
        failure: Error = NotConnectedError("the bot was stopped")
        try:
            async with self.bot:  # sets it up for this event loop, also after a close
                await self.bot.start(token)
        except discord.LoginFailure as exc:
            failure = OperationalError("Discord refused the bot's token; copy it anew from the developer portal")
            raise failure from exc
        except (discord.DiscordException, aiohttp.ClientError, OSError) as exc:
            failure = OperationalError(f"cannot connect to Discord: {exc}")
            raise failure from exc
        finally:
            # Whoever waits is told last, for the program may end with it.
            await self._shut()
            self._fail(failure)

    def _forget_last_time(self) -> None:
        if self.bot.is_closed():
            self.bot.clear()
            self.bot.http.connector = discord.utils.MISSING  # clear leaves the closed one in place
        self._wanted, self._failure = True, None
        self._ready.clear()

    def login_task(self, token: str) -> "asyncio.Task[None]":
        """Run `login` in the background and return its task."""
        if self.open:
            raise RuntimeError("the database is connected already")
        self._forget_last_time()  # now: whoever waits for it may do so before the task begins
        self._task = asyncio.get_running_loop().create_task(self.login(token))
        self._task.add_done_callback(self._login_ended)
        return self._task

    def _login_ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._ready.set()

    async def wait_ready(self) -> None:
        """Wait until the database can be used; raise what went wrong at its start.

        With a bot of the caller's that is ready already, this starts the database.
        """
        if not self._owns_bot and self.bot.is_ready() and self._failure is None:
            await self.init()
        await self._ready.wait()
        if self._failure is not None:
            raise self._failure

    @asynccontextmanager
    async def conn(self, token: str) -> AsyncIterator["Database"]:
        """Connect for the time of an ``async with`` block."""
        task = self.login_task(token)
        try:
            await self.wait_ready()
            yield self
        finally:
            if self.open:
                await self.close()
            task.cancel()
            await asyncio.wait({task})

    async def close(self) -> None:
        """Let background tasks end and disconnect; raise the first error that nobody has seen.

        A bot of the caller's is left running. Raises ValueError when the database is not open.
        """
        if not self.open:
            raise ValueError("the database is not open")
        self._wanted = False
        try:
            await self.background.finish()
        finally:
            await self._shut()
            if self._owns_bot:
                await self.bot.close()

    async def _shut(self) -> None:
        """Close what is open, in whatever state the start left it."""
        self.open = False
        self._ready.clear()
        for table in self.tables.values():
            table.__disco_cursor__ = None
        connection, self._connection, self._engine = self._connection, None, None
        if connection is not None:
            await connection.close()

    async def _on_ready(self) -> None:
        if not self._wanted:
            return
        try:
            await self.init()
        except BaseException as exc:
            self._failure = self._failure or exc
            if self._owns_bot:
                await self.bot.close()
            self._fail(exc)
            raise

    async def init(self) -> None:
        """Find the server, open the database, build the tables and offer the slash commands. Called on ready.

        discord.py says ready after every new session with Discord; a database that is open stays as it is, unless
        `guild` was set to None, which has the server looked for anew.
        """
        async with self._opening:
            if self.open and self.guild is not None:
                return
            await self._shut()
            await self.bot.wait_until_ready()
            self._wanted = True
            try:
                await self._start()
            except BaseException:
                await self._shut()
                raise
        self._failure = None
        self._ready.set()

    async def _start(self) -> None:
        self.guild = find_guild(self.bot, self.name)
        self._engine = await open_discord(str(self.guild.id), self._database, client=self.bot, options=self._options)
        self._connection = self.new_connection()
        self.open = True
        await self.build_tables()
        if self.has_commands:
            await offer_commands(self, everywhere=self._owns_bot)
        logger.info("database {} is ready on server {}", self._database, self.guild.id)

    # Tables -------------------------------------------------------------------------------------------------------

    def table(self, table_class: T) -> T:
        """Attach a Table class (a decorator). Raises DatabaseTableError for anything else, and for a name in use."""
        if not (isinstance(table_class, type) and issubclass(table_class, Table)):
            raise DatabaseTableError(f"{table_class!r} is no subclass of discosql.Table")
        name = table_class.__name__.lower()
        if table_class.__disco_database__ is not None and table_class.__disco_database__ is not self:
            raise DatabaseTableError(f"table {table_class.__name__} belongs to another database")
        if name in self.tables:
            raise DatabaseTableError(f"a table named {name} is attached already")
        columns = field_columns(table_class)
        table_class.__disco_database__ = self
        table_class.__disco_name__ = name
        table_class.__disco_columns__ = columns
        table_class.__disco_keys__ = set(columns)
        self.tables[name] = table_class
        return table_class

    async def build_tables(self) -> None:
        """Create what is missing for every attached class, in one commit. Raises NotConnectedError before login.

        Raises DatabaseTableError, with nothing changed, where a class does not fit its stored table.
        """
        if not self.open:
            raise NotConnectedError("the database is not connected; did you forget to log in?")
        stores = {name: TableStore(self, name, table.__disco_columns__) for name, table in self.tables.items()}
        for attempt in range(1, BUILD_TRIES + 1):
            try:
                async with self.transaction():
                    for store in stores.values():
                        await store.build()
                break
            except SerializationError:  # another process built tables at the same moment
                if attempt == BUILD_TRIES:
                    raise
        for name, store in stores.items():
            self.tables[name].__disco_cursor__ = store

    async def clean(self) -> None:
        """Erase every channel of the database, for ever. Attached classes stay, but are not ready until built again."""
        if not self.open or self._engine is None or self._connection is None:
            raise NotConnectedError("the database is not connected; did you forget to log in?")
        for table in self.tables.values():
            table.__disco_cursor__ = None
        self._options = self._engine.options
        await destroy(self._engine)
        assert self.guild is not None
        await self._connection.close()
        self._engine = await open_discord(str(self.guild.id), self._database, client=self.bot, options=self._options)
        self._connection = self.new_connection()

    # SQL ----------------------------------------------------------------------------------------------------------

    @property
    def connection(self) -> Connection:
        """The connection that a statement goes through now: that of the running `transaction`, if there is one."""
        inner = self._inner.get()
        if inner is not None:
            return inner.connection
        if self._connection is None:
            raise NotConnectedError("the database is not connected; did you forget to log in?")
        return self._connection

    def start(self, row: Table, run: Callable[[], Coroutine[Any, Any, R]], *, stored: bool) -> BackgroundTask[R]:
        """Run something for a row object in the background, within the running transaction if there is one.

        `stored` tells whether the object is stored once it is done.
        """
        return self.background.start(row, run, stored=stored, group=self._inner.get())

    def remember(self, row: Table, rowid: int, values: Mapping[str, Any]) -> None:
        """Note what a row object was before a change, for the case that the running transaction is rolled back."""
        inner = self._inner.get()
        if inner is not None:
            inner.remember(row, rowid, values)

    @property
    def _metadata_channel(self) -> discord.TextChannel | None:
        """The channel of the log, under the name that programs of discobase look for; None before login."""
        if self._engine is None or self.guild is None:
            return None
        channel = self.guild.get_channel(self._engine.channel.id)
        return channel if isinstance(channel, discord.TextChannel) else None

    @property
    def catalog(self) -> Catalog:
        """The schema of the newest state known."""
        return self.connection._session.catalog

    @overload
    async def sql(self, query: str, *parameters: Any) -> list[Row]: ...

    @overload
    async def sql(self, query: str, *parameters: Any, model: type[M]) -> list[M]: ...

    async def sql(self, query: str, *parameters: Any, model: type[M] | None = None) -> list[Any]:
        """Run one statement and return its rows: `Row` objects, or objects of a Table class made from them by name.

        Such objects count as not stored. Fields without a column in the result get their defaults.
        """
        if model is None:
            cursor = self.connection.cursor()
            cursor.row_factory = Row
            await cursor.execute(query, parameters)
            return [] if cursor.description is None else await cursor.fetchall()
        connection = self.connection
        result = await connection._run(lambda: connection._session.execute(query, parameters))
        names = [column.name for column in result.columns or ()]
        return [model._from_values(zip(names, row, strict=True)) for row in result.rows]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Run what happens in an ``async with`` block, tables and SQL, as one transaction.

        It is committed at the end, once what was started in it is done, and rolled back after an exception; row objects
        are then what they were before. Raises SerializationError if others committed what it depends on; run the block
        again then.
        """
        if self._inner.get() is not None:
            raise OperationalError("cannot start a transaction within a transaction")
        opened = OpenTransaction(self.new_connection())
        await opened.connection.execute("BEGIN")
        token = self._inner.set(opened)
        try:
            yield opened.connection
            await self.background.finish_group(opened)
            await opened.connection.commit()
        except BaseException:
            await opened.connection.rollback()
            opened.restore()
            raise
        finally:
            self._inner.reset(token)

    def new_connection(self, *, timeout: float | None = None) -> Connection:
        """Return a connection with settings and transactions of its own; `timeout` is in seconds for a statement.

        It needs no closing: closing it closes the database.
        """
        if self._engine is None:
            raise NotConnectedError("the database is not connected; did you forget to log in?")
        return Connection(Session(self._engine, DEFAULT), isolation_level=None, timeout=timeout)
