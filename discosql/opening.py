"""Opening a database by its address: ``":memory:"``, a file's path, or ``"discord://<server name or id>"``."""

import datetime
import os
import re
from collections.abc import Hashable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Self, TypeAlias, TypedDict
from urllib.parse import parse_qsl, unquote, urlsplit

from discosql.connection import LEGACY_TRANSACTION_CONTROL
from discosql.conversion import moment_of
from discosql.errors import InterfaceError, NotSupportedError, OperationalError, ProgrammingError
from discosql.executor.functions import DEFAULT
from discosql.index_keys import index_key_reader
from discosql.session import Session
from discosql.sharing import lease, leave
from discosql.storage.engine import (
    EncryptionKey,
    Engine,
    EngineOptions,
    Guild,
    compile_keys_with,
    discord_guild,
    local_guild,
    open_discord,
    open_local,
    open_memory,
)

compile_keys_with(index_key_reader)

Address: TypeAlias = "str | os.PathLike[str] | None"
"""What names a database. None goes with the option `client`."""

DEFAULT_NAME: Final = "discosql"
"""The name of a database whose address has none: that of its category in the server."""


class ConnectOptions(TypedDict, total=False):
    """The keyword arguments of `connect`; `Options` tells what each means."""

    token: str | None
    client: Any
    guild_id: int | None
    gateway: bool
    create: bool
    timeout: float | None
    isolation_level: str | None
    autocommit: bool | int
    detect_types: int
    uri: bool
    read_only: bool
    cached_statements: int
    max_staleness: float
    cache_size: int
    as_of: "int | datetime.datetime | str | None"
    key: EncryptionKey | None


@dataclass(frozen=True, slots=True)
class Options:
    """How to open a database.

    `token`: the bot's token, default the environment variable DISCOSQL_TOKEN. `client` and `guild_id`: a running
    `discord.Client` to work through, and the server's id; needs that client's event loop, so only `aio.connect` takes
    them. `gateway`: listen to push events, so that warm reads ask nothing. `create`: make the database if it is not
    there (default), else OperationalError. `timeout`: seconds a statement may take, None for no limit.
    `isolation_level`, `autocommit`, `detect_types`: as in sqlite3. `uri`: the address is ``file:path?mode=rw``, as in
    sqlite3, with mode rwc (the default), rw, ro or memory. `read_only`: refuse
    statements that change anything. `cached_statements`: prepared statements kept. `max_staleness`:
    seconds that a transaction's snapshot may lag behind other processes on Discord. `cache_size`: bytes of decoded
    pages kept in memory. `as_of`: see the database as it was at a moment (a datetime, or ISO 8601 text; UTC if it has
    no zone) or after the entry with that slot; such a connection can only read. `key`: 32 bytes or a
    passphrase that the database is encrypted with, default the environment variable DISCOSQL_KEY (which is not asked
    for ``:memory:``).
    """

    address: str
    token: str | None = field(default=None, repr=False)
    client: Any = None
    guild_id: int | None = None
    gateway: bool = False
    create: bool = True
    timeout: float | None = None
    isolation_level: str | None = ""
    autocommit: bool | int = LEGACY_TRANSACTION_CONTROL
    detect_types: int = 0
    uri: bool = False
    read_only: bool = False
    cached_statements: int = 256
    max_staleness: float = 1.0
    cache_size: int = 256 * 2**20
    as_of: int | datetime.datetime | str | None = None
    key: EncryptionKey | None = field(default=None, repr=False)

    @classmethod
    def of(cls, database: Address, given: ConnectOptions) -> Self:
        """Return the options of a call of `connect`. Raises ProgrammingError for an unknown one or a wrong address."""
        known = {item.name for item in fields(cls)} - {"address"}
        unknown = sorted(given.keys() - known)
        if unknown:
            raise ProgrammingError(f"connect() has no option {unknown[0]!r}; it has {', '.join(sorted(known))}")
        if database is None:
            if given.get("client") is None or given.get("guild_id") is None:
                raise ProgrammingError("connect() needs a database: a path, ':memory:', or 'discord://<server>'")
            database = f"discord://{given['guild_id']}"
        try:
            address = os.fspath(database)
        except TypeError as exc:
            raise ProgrammingError("a database is named by text or a path") from exc
        if not isinstance(address, str):
            address = os.fsdecode(address)
        options = cls(address=address, **given)
        return options._of_uri() if options.uri else options

    def _of_uri(self) -> Self:
        """Return what a URI asks for, as SQLite reads it (https://sqlite.org/uri.html)."""
        parts = urlsplit(self.address)
        if parts.scheme != "file":
            return self
        if parts.netloc not in ("", "localhost"):
            raise OperationalError(f"invalid uri authority: {parts.netloc}")
        asked = dict(parse_qsl(parts.query))
        mode = asked.pop("mode", "rwc")
        if mode not in ("ro", "rw", "rwc", "memory"):
            raise OperationalError(f"no such access mode: {mode}")
        if asked:
            raise NotSupportedError(f"{min(asked)} in a database's URI is not supported")
        path = unquote(parts.path, errors="surrogateescape")
        return replace(
            self,
            address=":memory:" if mode == "memory" else path,
            create=self.create and mode not in ("ro", "rw"),
            read_only=self.read_only or mode == "ro",
        )

    @property
    def may_create(self) -> bool:
        """Whether a database that is not there is to be made; one without a past is not."""
        return self.create and self.as_of is None

    @property
    def is_in_memory(self) -> bool:
        """Whether the database lives in memory only."""
        return self.address in (":memory:", "")

    def for_engine(self) -> EngineOptions:
        """Return how the engine is to work."""
        return EngineOptions(cache_size=self.cache_size, key=key_or_environment(self.key))

    def for_connection(self) -> dict[str, Any]:
        """Return what the connection itself wants to know."""
        return {
            "timeout": self.timeout,
            "isolation_level": self.isolation_level,
            "autocommit": self.autocommit,
            "detect_types": self.detect_types,
        }


def key_or_environment(key: EncryptionKey | None) -> EncryptionKey | None:
    """Return the key given, or else what the environment variable DISCOSQL_KEY has."""
    return key if key is not None else os.environ.get("DISCOSQL_KEY")


def discord_place(address: str) -> tuple[str, str] | None:
    """Return the server and the database that a ``discord://`` address names, None for the path of a file.

    Raises InterfaceError for an address of another kind, or one without a server.
    """
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", address)
    if scheme is None:
        return None
    if scheme[1].lower() != "discord":
        raise InterfaceError(f"unknown kind of address {scheme[0]!r}; use a path, ':memory:' or 'discord://<server>'")
    server, _, name = address[scheme.end() :].partition("/")
    if not server:
        raise InterfaceError("the address lacks the server: 'discord://<server name or id>[/<database>]'")
    return unquote(server), unquote(name) or DEFAULT_NAME


async def open_session(options: Options) -> Session:
    """Open the database and return a session on it. Raises OperationalError, with what to do, when it cannot be."""
    moment = None if options.as_of is None else moment_of(options.as_of)
    held = None
    if _may_share(options):
        held = await lease(_share_key(options), lambda: _open_engine(options))
        engine = held.engine
    else:
        engine = await _open_engine(options)
    try:
        past = None if moment is None else await engine.begin_as_of(moment)
    except BaseException:
        await leave(engine, held)
        raise
    return Session(
        engine,
        DEFAULT,
        cached_statements=options.cached_statements,
        max_staleness=options.max_staleness,
        past=past,
        read_only=options.read_only,
        lease=held,
    )


def _may_share(options: Options) -> bool:
    """Tell whether connections share an engine: those to Discord do, through clients of our own."""
    return options.client is None and not options.is_in_memory and discord_place(options.address) is not None


def _share_key(options: Options) -> Hashable:
    engine = options.for_engine()
    return discord_place(options.address), _token(options), options.gateway, engine.cache_size, engine.key


def _token(options: Options) -> str | None:
    return options.token or os.environ.get("DISCOSQL_TOKEN")


async def _open_engine(options: Options) -> Engine:
    if options.is_in_memory:
        return await open_memory(options=EngineOptions(cache_size=options.cache_size, key=options.key))
    place = discord_place(options.address)
    if place is None:
        return await open_local(options.address, create=options.may_create, options=options.for_engine())
    return await open_discord(
        *place,
        token=_token(options),
        client=options.client,
        gateway=options.gateway,
        create=options.may_create,
        options=options.for_engine(),
    )


async def open_guild(options: Options) -> tuple[Guild, str]:
    """Reach the server of a database without opening it, and return it with the database's name.

    Raises OperationalError when it cannot be reached, or is a file that does not exist.
    """
    if options.is_in_memory:
        raise OperationalError(
            "a database in memory is nothing that could be checked, repaired or restored from outside"
        )
    place = discord_place(options.address)
    if place is None:
        return local_guild(options.address, create=False), DEFAULT_NAME
    guild = await discord_guild(place[0], token=_token(options))
    return guild, place[1]
