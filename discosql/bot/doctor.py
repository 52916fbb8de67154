"""``discosql doctor``: looks at everything a database on Discord needs, and says what to do about what is wrong.

It logs in without the gateway, changes nothing, and makes about ten requests.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final, TypeAlias

import aiohttp
import discord
from discord.http import Route
from yarl import URL

from discosql import aio
from discosql.bot.text import count
from discosql.database_start import PERMISSIONS
from discosql.errors import Error
from discosql.opening import DEFAULT_NAME
from discosql.schema import quoted
from discosql.storage.engine import NEEDED_PERMISSIONS, EncryptionKey

Payload: TypeAlias = Mapping[str, Any]
"""An object of Discord's API, as it came."""

DEVELOPERS: Final = "https://discord.com/developers/applications"

UNREACHABLE: Final = (discord.DiscordException, aiohttp.ClientError, OSError)

MAX_CHANNELS: Final = 500
MAX_CATEGORY: Final = 50
"""What Discord allows on a server, and in a category."""

FEW_CHANNELS: Final = 10
MAX_SKEW: Final = 10.0
"""Seconds between this machine's clock and Discord's that are no reason to worry; dates come in whole seconds."""

MAX_WAIT: Final = 30.0
FEW_SESSIONS: Final = 20
FILE_LIMIT: Final = 10 << 20
"""Bytes that discosql puts into one file: what bots may send everywhere."""

BOOSTED_LIMITS: Final = MappingProxyType({2: 50 << 20, 3: 100 << 20})
"""Bytes that a file may have on servers of a level, where that is more."""

LOG: Final = "_dbmetadata"
CATEGORY: Final = discord.ChannelType.category.value
SERVERS_PER_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `ok` or not, what there is, and what to do if it is not ok."""

    check: str
    ok: bool
    text: str
    advice: str = ""


class Trace:
    """What discord.py does not tell of the answers it gets: headers, and refusals because of rate limits."""

    def __init__(self) -> None:
        self.config = aiohttp.TraceConfig()
        self.config.on_request_end.append(self._on_answer)
        self.headers: Mapping[str, str] = {}
        self.refusals = 0

    async def _on_answer(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, answer: aiohttp.TraceRequestEndParams
    ) -> None:
        if answer.url.host == URL(Route.BASE).host:
            self.headers = answer.response.headers
            self.refusals += answer.response.status == 429


class Doctor:
    """The checks of one database on Discord, or of a token alone if no server is named."""

    def __init__(
        self,
        server: str | None,
        database: str = DEFAULT_NAME,
        *,
        key: EncryptionKey | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        self._server = server
        self._database = database
        self._key = key
        self._now = now or time.time
        self._trace = Trace()
        self._client = discord.Client(
            intents=discord.Intents(guilds=True), http_trace=self._trace.config, max_ratelimit_timeout=MAX_WAIT
        )

    async def examine(self, token: str) -> AsyncIterator[Finding]:
        """Yield what is found, in order; later checks are left out where an earlier problem makes them impossible."""
        try:
            finding = await self._log_in(token)
            yield finding
            if finding.ok:
                yield self._clock()
                yield await self._asked("gateway", self._gateway)
                async for finding in self._examine_server(token):
                    yield finding
        finally:
            await self._client.close()

    async def _examine_server(self, token: str) -> AsyncIterator[Finding]:
        try:
            servers = await self._servers()
        except UNREACHABLE as exc:
            yield _unreachable("server", exc)
            return
        finding, server = self._find_server(servers)
        yield finding
        if server is None:
            return
        permissions = self._permissions(server)
        yield permissions
        yield await self._asked("commands", lambda: self._commands(server))
        yield await self._asked("files", lambda: self._files(server))
        try:
            channels = await self._client.http.get_all_guild_channels(int(server["id"]))
        except UNREACHABLE as exc:
            yield _unreachable("channels", exc)
            return
        yield self._channels(channels)
        log = self._log(channels)
        if log is not None:
            yield self._privacy(server, channels, log)
            yield await self._asked("rate limits", lambda: self._rate_limits(log))
        if permissions.ok:
            yield await self._open(server, token) if log is not None else self._not_made_yet()

    # The token and the machine --------------------------------------------------------------------------------------

    async def _log_in(self, token: str) -> Finding:
        try:
            await self._client.login(token)
        except discord.LoginFailure:
            advice = f"make a new one at {DEVELOPERS}: the application, Bot, Reset Token"
            return Finding("token", False, "Discord does not know this token", advice)
        except UNREACHABLE as exc:
            return _unreachable("token", exc)
        return Finding("token", True, f"Discord knows the bot {self._client.user}")

    def _clock(self) -> Finding:
        try:
            server = parsedate_to_datetime(self._trace.headers.get("Date", "")).timestamp()
        except ValueError:
            return Finding("clock", True, "Discord did not say what time it is")
        skew = self._now() - server
        text = f"this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} Discord's"
        if abs(skew) > MAX_SKEW:
            return Finding("clock", False, text, "let the system set its clock by the network (NTP)")
        return Finding("clock", True, text if abs(skew) >= 2 else "this machine's clock agrees with Discord's")

    async def _gateway(self) -> Finding:
        # Guilds and messages are all that a Database listens to; a script needs no gateway at all.
        intents = "the intents it needs (Guilds, Guild Messages) are not privileged"
        _, _, sessions = await self._client.http.get_bot_gateway()
        left, total = sessions["remaining"], sessions["total"]
        text = f"{intents}; {left:,} of {total:,} sessions of today are left"
        if left < FEW_SESSIONS:
            hours = sessions["reset_after"] / 3_600_000
            advice = f"something starts the bot again and again; stop it, or wait {hours:.1f} hours"
            return Finding("gateway", False, text, advice)
        return Finding("gateway", True, text)

    # The server -----------------------------------------------------------------------------------------------------

    async def _servers(self) -> list[Payload]:
        servers: list[Payload] = []
        page: list[Payload] = []
        while not servers or len(page) == SERVERS_PER_PAGE:
            after = max((int(server["id"]) for server in servers), default=0)
            page = list(await self._client.http.get_guilds(SERVERS_PER_PAGE, after=after, with_counts=False))
            if not page:
                break
            servers += page
        return servers

    def _find_server(self, servers: list[Payload]) -> tuple[Finding, Payload | None]:
        names = ", ".join(sorted(server["name"] for server in servers)[:10]) or "none"
        if self._server is None:
            advice = "" if servers else self._how_to_join()
            return Finding("server", bool(servers), f"no server was named; the bot is on: {names}", advice), None
        found = [server for server in servers if self._server in (server["name"], server["id"])]
        if len(found) == 1:
            return Finding("server", True, f"the bot is on {found[0]['name']} (id {found[0]['id']})"), found[0]
        if found:
            ids = ", ".join(server["id"] for server in found)
            text = f"the bot is on {len(found)} servers named {self._server}"
            return Finding("server", False, text, f"name it by its id, one of {ids}"), None
        text = f"the bot is on no server named {self._server}; it is on: {names}"
        return Finding("server", False, text, self._how_to_join()), None

    def _how_to_join(self) -> str:
        return (
            "make the server in the Discord app, which a bot cannot (the + below your servers), "
            f"then let the bot in: {self._invite()}"
        )

    def _invite(self) -> str:
        return discord.utils.oauth_url(self._client.application_id or 0, permissions=PERMISSIONS)

    def _permissions(self, server: Payload) -> Finding:
        permissions = discord.Permissions(int(server["permissions"]))
        if server["owner"] or permissions.administrator:
            return Finding("permissions", True, "the bot may do everything; it needs much less")
        lacking = [name for attribute, name in NEEDED_PERMISSIONS.items() if not getattr(permissions, attribute)]
        if not lacking:
            return Finding("permissions", True, "the bot may do what it needs to")
        advice = f"give them to the bot's role in the server's settings, or invite it again: {self._invite()}"
        return Finding("permissions", False, f"the bot lacks {', '.join(lacking)}", advice)

    async def _commands(self, server: Payload) -> Finding:
        known = await self._client.http.get_guild_commands(self._client.application_id or 0, int(server["id"]))
        return Finding("commands", True, f"the bot may offer slash commands, and has {len(known)} on this server")

    async def _files(self, server: Payload) -> Finding:
        guild = await self._client.http.get_guild(int(server["id"]))
        allowed = BOOSTED_LIMITS.get(guild["premium_tier"], FILE_LIMIT)
        text = f"files of {allowed >> 20} MiB are taken; discosql writes at most {FILE_LIMIT >> 20} MiB"
        return Finding("files", True, text)

    # The database ---------------------------------------------------------------------------------------------------

    def _log(self, channels: list[Any]) -> Payload | None:
        ours = {
            channel["id"]
            for channel in channels
            if channel["type"] == CATEGORY and channel["name"].lower() == self._database.lower()
        }
        logs = [channel for channel in channels if channel["name"] == LOG and channel.get("parent_id") in ours]
        return min(logs, key=lambda channel: int(channel["id"]), default=None)

    def _channels(self, channels: list[Any]) -> Finding:
        left = MAX_CHANNELS - len(channels)
        log = self._log(channels)
        siblings = sum(channel.get("parent_id") == log["parent_id"] for channel in channels) if log is not None else 0
        text = f"the server has {len(channels)} of {MAX_CHANNELS} channels"
        if log is not None:
            text += f", the database {siblings} of {MAX_CATEGORY} in its category"
        if left < FEW_CHANNELS:
            return Finding("channels", False, text, "delete channels that nobody needs")
        if MAX_CATEGORY - siblings < FEW_CHANNELS:
            advice = "tables and indexes of more than one page need a channel each: drop some, or use another database"
            return Finding("channels", False, text, advice)
        return Finding("channels", True, text)

    def _privacy(self, server: Payload, channels: list[Any], log: Payload) -> Finding:
        category = next(channel for channel in channels if channel["id"] == log["parent_id"])
        hidden = all(
            any(
                overwrite["id"] == server["id"] and discord.Permissions(int(overwrite["deny"])).view_channel
                for overwrite in channel["permission_overwrites"]
            )
            for channel in (category, log)
        )
        if hidden:
            return Finding("privacy", True, "@everyone cannot see the database's channels")
        advice = (
            f"in the settings of category {category['name']}, deny View Channel to @everyone, and sync its channels"
        )
        return Finding("privacy", False, "@everyone can see the database's channels", advice)

    async def _rate_limits(self, log: Payload) -> Finding:
        await self._client.http.logs_from(int(log["id"]), 1)
        headers = self._trace.headers
        limit, left = headers.get("X-RateLimit-Limit"), headers.get("X-RateLimit-Remaining")
        after = headers.get("X-RateLimit-Reset-After")
        text = f"{left} of {limit} reads of the log are left for the next {after} s" if limit else "Discord named none"
        advice = "another program uses this token heavily: stop it, or give it a bot of its own"
        if self._trace.refusals:
            return Finding("rate limits", False, f"{text}; requests were refused {self._trace.refusals} times", advice)
        return Finding("rate limits", left != "0", text, advice if left == "0" else "")

    def _not_made_yet(self) -> Finding:
        return Finding("database", True, f"there is no database {self._database} yet; its first use makes it")

    async def _open(self, server: Payload, token: str) -> Finding:
        try:
            async with aio.connect(
                f"discord://{server['id']}/{self._database}", token=token, key=self._key, create=False, timeout=MAX_WAIT
            ) as db:
                return await light_check(db)
        except Error as exc:
            return Finding("database", False, "it does not open", str(exc))

    async def _asked(self, check: str, ask: Callable[[], Awaitable[Finding]]) -> Finding:
        try:
            return await ask()
        except discord.Forbidden as exc:
            return Finding(check, False, f"Discord forbids it: {exc.text}", f"invite the bot again: {self._invite()}")
        except UNREACHABLE as exc:
            return _unreachable(check, exc)


async def light_check(db: aio.Connection) -> Finding:
    """Read the log's end, which opening has done, and the size of every table."""
    tables = await (await db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")).fetchall()
    rows = 0
    for (name,) in tables:
        ((number,),) = await (await db.execute(f"SELECT count(*) FROM {quoted(name)}")).fetchall()
        rows += number
    return Finding("database", True, f"it opens, and has {count(len(tables), 'table')} with {count(rows, 'row')}")


async def examine_file(path: str, key: EncryptionKey | None = None) -> Finding:
    """Return whether a database in a local file opens."""
    try:
        async with aio.connect(path, key=key, create=False, timeout=MAX_WAIT) as db:
            return await light_check(db)
    except Error as exc:
        return Finding("database", False, "it does not open", str(exc))


def _unreachable(check: str, exc: Exception) -> Finding:
    advice = "look at https://discordstatus.com and at this machine's network, and try again"
    return Finding(check, False, f"Discord did not answer as it should: {str(exc) or type(exc).__name__}", advice)
