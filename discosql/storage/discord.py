"""DiscordGuild: a server on Discord, by discord.py's HTTP client and optionally its gateway.

Requests are made at the level of discord.py's HTTP client, which keeps to Discord's rate limits and repeats what
failed; its models and caches are not needed, so nothing of a message is kept twice. No privileged intent is needed: a
bot always sees the content of its own messages.
"""

import asyncio
import io
import math
from collections.abc import Awaitable, Callable, Sequence
from secrets import token_hex
from typing import Any, Final, TypeVar

import discord
from discord.http import handle_message_parameters

from discosql.errors import ForbiddenError, InterfaceError
from discosql.storage.discord_errors import FOREIGN, translate
from discosql.storage.discord_events import Events, run_gateway
from discosql.storage.discord_login import NEEDED, Payload, Server, find_server, login, permissions_in
from discosql.storage.discord_watch import Attempts, Watch, attempts
from discosql.storage.guild import (
    MAX_NONCE,
    MAX_PAGE,
    Attachment,
    Channel,
    File,
    Guild,
    Listener,
    Message,
    Requests,
    Stamp,
    check_post,
    id_time,
)
from discosql.storage.guild_clock import Clock
from discosql.storage.ratelimit import RateModel

Answer = TypeVar("Answer")

FILE_LIMIT: Final = 10 << 20  # bots have no more than this in a server without boosts
POST_LIMIT: Final = 25 << 20
VISIBILITY: Final = 1.0
SETTLE: Final = 1.0
MAX_RATE_LIMIT_WAIT: Final = 60.0
"""Seconds a client of our own waits for a rate limit; beyond that (channel creation, say) it is UnavailableError."""

TEXT: Final = discord.ChannelType.text.value
CATEGORY: Final = discord.ChannelType.category.value
HIDDEN: Final = discord.Permissions(view_channel=True)
ROLE, MEMBER = 0, 1  # the targets of a permission overwrite


class DiscordGuild(Guild):
    """A server on Discord."""

    def __init__(self, client: discord.Client, server: Server, watch: Watch, clock: Clock, *, own: bool) -> None:
        assert client.user is not None
        self.account = client.user.id
        self.visibility = VISIBILITY
        self.settle = SETTLE
        self.file_limit = _file_limit(client.get_guild(server.id))
        self.post_limit = POST_LIMIT
        self.requests = Requests()
        self.model = RateModel(clock.monotonic)
        self.id = server.id
        self._client = client
        self._http = client.http
        self._server = server
        self._watch = watch
        self._clock = clock
        self._own = own
        self._closed = False
        self._asked: set[int] = set()  # the channels that were posted to or read
        self._unreadable: set[int] = set()
        self._events = Events(client, server.id, self._asked)
        self._gateway: asyncio.Task[None] | None = None

    @classmethod
    async def connect(
        cls, guild: int | str, token: str | None, *, gateway: bool = False, clock: Clock | None = None
    ) -> "DiscordGuild":
        """Log in with a client of our own and find the server with that name or id.

        With `gateway`, the client also listens to events, so that changes by others are noticed without asking.
        """
        clock = clock or Clock()
        watch = Watch(clock.monotonic)
        client = discord.Client(
            intents=discord.Intents(guilds=True, guild_messages=True),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0.0,  # do not hold READY back until the caches are filled
            http_trace=watch.config,
            max_ratelimit_timeout=MAX_RATE_LIMIT_WAIT,
        )
        try:
            await login(client, token)
            found = cls(client, await find_server(client, guild), watch, clock, own=True)
        except BaseException:
            await client.close()
            raise
        if gateway:
            found._gateway = asyncio.get_running_loop().create_task(run_gateway(client), name="discosql gateway")
        return found

    @classmethod
    async def attach(cls, client: discord.Client, guild: int | str, *, clock: Clock | None = None) -> "DiscordGuild":
        """Use a client of the caller's, which must be logged in, and find the server with that name or id.

        Its handlers stay as they are; `close` leaves it running.
        """
        clock = clock or Clock()
        watch = Watch(clock.monotonic)
        watch.follow(client)
        try:
            return cls(client, await find_server(client, guild), watch, clock, own=False)
        except BaseException:
            watch.leave()
            raise

    @property
    def name(self) -> str:
        """The server's name."""
        return self._server.name

    def link(self, channel: int, message: int) -> str:
        """Return the address at which people see a message."""
        return f"https://discord.com/channels/{self.id}/{channel}/{message}"

    @property
    def is_live(self) -> bool:
        """Whether the client is connected to the gateway, and gets what happens to messages."""
        return self._events.is_live

    def stamp(self) -> Stamp | None:
        """Return the best known pair of times, from the answers' dates and the ids of messages."""
        return self._watch.stamp

    def heard(self) -> Stamp | None:
        """Return the date of the last answer."""
        return self._watch.heard

    def monotonic(self) -> float:
        """Return the local monotonic clock in seconds."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait by the local clock."""
        await self._clock.sleep(seconds)

    # Channels

    async def channels(self) -> list[Channel]:
        """Return all text channels and categories of the server."""
        return await self._request(
            "channels", 0, lambda: self._http.get_all_guild_channels(self.id), self._all_channels
        )

    def _all_channels(self, answer: list[Payload]) -> list[Channel]:
        wanted = [data for data in answer if data["type"] in (TEXT, CATEGORY)]
        # Discord answers a bot that may not read a channel's history with an empty page, as if nothing was there.
        self._unreadable = {
            int(data["id"])
            for data in wanted
            if not permissions_in(self._server, self.account, data["permission_overwrites"]).read_message_history
        }
        return [_channel(data) for data in wanted]

    async def create_category(self, name: str) -> Channel:
        """Create a category that only the bot (and the server's administrators) can see."""
        overwrites = [
            {"id": self.id, "type": ROLE, "allow": "0", "deny": str(HIDDEN.value)},  # @everyone has the server's id
            {"id": self.account, "type": MEMBER, "allow": str(NEEDED.value), "deny": "0"},
        ]
        return await self._request(
            "create_category",
            0,
            lambda: self._http.create_channel(self.id, CATEGORY, name=name, permission_overwrites=overwrites),
            _channel,
        )

    async def create_channel(self, name: str, category: int, topic: str = "") -> Channel:
        """Create a text channel in a category, with the category's permissions."""
        return await self._request(
            "create_channel",
            0,
            lambda: self._http.create_channel(self.id, TEXT, name=name, parent_id=category, topic=topic or None),
            _channel,
        )

    async def delete_channel(self, channel: int) -> None:
        """Delete a channel, or a category (its channels stay)."""
        await self._request("delete_channel", channel, lambda: self._http.delete_channel(channel), _nothing)

    # Messages

    async def post(
        self, channel: int, content: str, files: Sequence[File] = (), *, nonce: str | None = None
    ) -> Message:
        """Post a message; see `Guild.post`."""
        check_post(content, files, nonce, file_limit=self.file_limit, post_limit=self.post_limit)
        self.requests.bytes_sent += _size(content) + sum(len(file.data) for file in files)
        # discord.py repeats a POST that was answered with status 500; a nonce keeps that from posting twice.
        nonce = nonce if nonce is not None else token_hex(MAX_NONCE)[:MAX_NONCE]

        async def send() -> Payload:
            with handle_message_parameters(
                content=content,
                nonce=nonce,
                files=[discord.File(io.BytesIO(file.data), filename=file.name) for file in files],
                allowed_mentions=discord.AllowedMentions.none(),
                flags=discord.MessageFlags(suppress_embeds=True, suppress_notifications=True),
            ) as parameters:
                return await self._http.send_message(channel, params=parameters)

        posted = await self._request("post", channel, send, _message)
        self._events.posted(posted.id)
        self._heard((posted,))
        return posted

    async def messages(
        self, channel: int, *, before: int | None = None, after: int | None = None, limit: int = MAX_PAGE
    ) -> list[Message]:
        """Return a page of messages; see `Guild.messages`."""
        if before is not None and after is not None:
            raise InterfaceError("messages takes before or after, not both")
        if channel in self._unreadable:
            raise ForbiddenError(f"messages: the bot needs Read Message History in channel {channel}")
        page = await self._request(
            "messages",
            channel,
            lambda: self._http.logs_from(channel, limit, before=before, after=after),
            lambda answer: [_message(data) for data in answer],
        )
        self._heard(page)
        self.requests.bytes_received += sum(_size(message.content) for message in page)
        return page

    async def message(self, channel: int, message: int) -> Message:
        """Return one message, with fresh URLs of its files."""
        found = await self._request("message", channel, lambda: self._http.get_message(channel, message), _message)
        self.requests.bytes_received += _size(found.content)
        return found

    async def download(self, attachment: Attachment) -> bytes:
        """Return a file's bytes, from Discord's CDN."""
        data = await self._request("download", 0, lambda: self._http.get_from_cdn(attachment.url), bytes)
        self.requests.bytes_received += len(data)
        return data

    async def delete_message(self, channel: int, message: int) -> None:
        """Delete one message."""
        age = self._age(message)
        await self._request(
            "delete_message", channel, lambda: self._http.delete_message(channel, message), _nothing, age
        )

    async def delete_messages(self, channel: int, messages: Sequence[int]) -> None:
        """Delete 2 to 100 messages, none older than 14 days, at once."""
        await self._request(
            "delete_messages", channel, lambda: self._http.delete_messages(channel, list(messages)), _nothing
        )

    async def _request(
        self,
        kind: str,
        channel: int,
        send: Callable[[], Awaitable[Any]],
        parse: Callable[[Any], Answer],
        age: float = 0.0,
    ) -> Answer:
        if self._closed or self._client.is_closed():
            raise InterfaceError(f"the connection to the server {self.name} is closed")
        self._watch.follow(self._client)
        self._watch.refusals.check(kind, channel)
        self.requests.count[kind] += 1
        if kind in ("post", "messages"):
            self._asked.add(channel)
        started = self._clock.monotonic()
        tries = Attempts(self.requests, started, self._http.max_ratelimit_timeout or math.inf)
        token = attempts.set(tries)
        end = self.model.begin(kind, channel, age)
        try:
            answer = await send()
        except FOREIGN as error:
            failure = translate(error, kind, earlier_try=tries.may_have_run)
            # A file's URL is refused when it has expired, and then by the CDN.
            self._watch.refusals.note(
                kind, channel, forbidden=kind != "download" and isinstance(failure, ForbiddenError)
            )
            raise failure from error
        except RuntimeError as error:
            # aiohttp says so when the session was closed meanwhile; any other is a fault, and not Discord's.
            if not self._client.is_closed():
                raise
            raise translate(ConnectionError("the client was closed"), kind) from error
        finally:
            self.model.finish(end)
            attempts.reset(token)
            self.requests.tell("request", kind, self._clock.monotonic() - started)
        self._watch.refusals.note(kind, channel, forbidden=False)
        try:
            return parse(answer)
        except (LookupError, TypeError, ValueError) as error:
            # A proxy's page instead of Discord's answer, say.
            raise translate(ConnectionError("the answer is not one of Discord's"), kind) from error

    def _heard(self, messages: Sequence[Message]) -> None:
        # A message was created by the time it is seen, so the server's clock shows its time or more.
        if messages:
            self._watch.note(id_time(max(message.id for message in messages)), self._clock.monotonic())

    def _age(self, message: int) -> float:
        stamp = self._watch.stamp
        return stamp.server - id_time(message) if stamp else 0.0

    # Events and the end

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` on message events in the server, if the client is connected to the gateway."""
        return self._events.listen(listener)

    async def close(self) -> None:
        """Log out a client of our own; leave the caller's as it was. The channels stay."""
        if self._closed:
            return
        self._closed = True
        self._events.close()
        self._watch.leave()
        if self._own:
            await self._client.close()
        if self._gateway is not None:
            self._gateway.cancel()
            await asyncio.wait([self._gateway])


def _file_limit(known: discord.Guild | None) -> int:
    """Return the size that a file may have, which grows with the server's boosts; they show to a client with events.

    Asking for them would be one more request at every start, for what only rows of more than ten megabytes need.
    """
    return FILE_LIMIT if known is None else max(FILE_LIMIT, min(known.filesize_limit, POST_LIMIT))


def _channel(data: Payload) -> Channel:
    identity, parent = int(data["id"]), data.get("parent_id")
    return Channel(
        identity,
        data["name"],
        int(parent) if parent is not None else None,
        data["type"] == CATEGORY,
        data.get("topic") or "",
        int(data.get("last_message_id") or 0),
    )


def _message(data: Payload) -> Message:
    identity, nonce = int(data["id"]), data.get("nonce")
    return Message(
        identity,
        int(data["channel_id"]),
        int(data["author"]["id"]),
        data["content"],
        tuple(Attachment(int(file["id"]), file["filename"], file["size"], file["url"]) for file in data["attachments"]),
        data.get("edited_timestamp") is not None,
        str(nonce) if nonce is not None else None,
    )


def _nothing(_: object) -> None:
    """Take any answer: that there was one is all."""


def _size(content: str) -> int:
    return len(content.encode(errors="surrogatepass"))
