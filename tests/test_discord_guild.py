"""DiscordGuild: finding and checking a server, what failed requests mean, the server's clock, push hints."""

import asyncio
import gc
import json
import socket
import warnings
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import discord.http
import pytest
from aiohttp import client_exceptions
from discord.ext import commands
from guilds import NAME, LoopbackServer, SimcordServer, loopback_server, simcord_server
from loopback import TOKEN, Bucket, Fault, rate_limited
from stepped_clock import SteppedClock

from discosql.errors import (
    ForbiddenError,
    GuildError,
    InterfaceError,
    LimitExceededError,
    NoAnswerError,
    NotFoundError,
    OperationalError,
    UnavailableError,
)
from discosql.storage.discord import DiscordGuild
from discosql.storage.discord_errors import BY_CODE, FOREIGN, READS, translate
from discosql.storage.discord_login import NEEDED, invite_url
from discosql.storage.guild import File, Guild
from discosql.storage.ratelimit import LIMITS, RateModel

POSTS = "/messages"


@pytest.fixture
async def server() -> AsyncIterator[LoopbackServer]:
    async with loopback_server(SteppedClock()) as opened:
        yield opened


@pytest.fixture
async def simulated() -> AsyncIterator[SimcordServer]:
    async with simcord_server(SteppedClock()) as opened:
        yield opened


@pytest.fixture
async def guild(server: LoopbackServer) -> DiscordGuild:
    return await server.open()


@pytest.fixture
async def channel(guild: DiscordGuild) -> int:
    category = await guild.create_category("data")
    return (await guild.create_channel("log", category.id)).id


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Let discord.py's waits between its tries be over at once, and list them."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(0)

    quick = SimpleNamespace(**{name: getattr(asyncio, name) for name in asyncio.__all__})
    quick.sleep = sleep
    monkeypatch.setattr(discord.http, "asyncio", quick)
    return waited


# Finding the server


async def test_a_server_is_found_by_name_and_by_id(server: LoopbackServer) -> None:
    for which in (NAME, server.id, str(server.id)):
        found = await DiscordGuild.connect(which, TOKEN)
        assert (found.id, found.name) == (server.id, NAME)
        assert found.account == server.backend.bot_user.id
        await found.close()


async def test_connecting_takes_four_requests(server: LoopbackServer) -> None:
    await server.open()
    assert [request.path.removeprefix("/api/v10") for request in server.discord.requests] == [
        "/users/@me",
        "/oauth2/applications/@me",
        "/users/@me/guilds",
        f"/guilds/{server.id}/members/{server.backend.bot_user.id}",
    ]


@pytest.mark.parametrize("token", [None, ""])
async def test_without_a_token_the_error_says_where_to_get_one(token: str | None) -> None:
    with pytest.raises(InterfaceError, match=r"DISCOSQL_TOKEN.*discord\.com/developers"):
        await DiscordGuild.connect(NAME, token)


async def test_a_wrong_token_is_told(server: LoopbackServer) -> None:
    with pytest.raises(OperationalError, match="does not know this bot token") as caught:
        await DiscordGuild.connect(NAME, "wrong")
    assert isinstance(caught.value.__cause__, discord.LoginFailure)
    assert "wrong" not in str(caught.value).replace("wrongly", "")


async def test_an_unreachable_discord_is_told(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discord.http.Route, "BASE", f"http://127.0.0.1:{unused_port()}/api/v10")
    with pytest.raises(UnavailableError, match="cannot log in to Discord"):
        await DiscordGuild.connect(NAME, TOKEN)


async def test_an_unknown_server_is_told_with_those_there_are_and_an_invitation(server: LoopbackServer) -> None:
    for which in ("Elsewhere", 4):
        with pytest.raises(NotFoundError, match=f"no server named {which}") as caught:
            await DiscordGuild.connect(which, TOKEN)
        assert f"it is in: {NAME}" in str(caught.value)
        assert invite_url(server.backend.application_id) in str(caught.value)


async def test_a_bot_in_no_server_is_told(server: LoopbackServer) -> None:
    server.backend.remove_guild(server.id)
    with pytest.raises(NotFoundError, match="it is in none"):
        await DiscordGuild.connect(NAME, TOKEN)


async def test_two_servers_of_one_name_need_the_id(server: LoopbackServer) -> None:
    twin = server.backend.create_guild(NAME)
    with pytest.raises(OperationalError, match=f"2 servers named {NAME}.*{server.id}, {twin.id}"):
        await DiscordGuild.connect(NAME, TOKEN)


async def test_a_bot_in_hundreds_of_servers_finds_the_last(server: LoopbackServer) -> None:
    for number in range(401):
        last = server.backend.create_guild(f"server {number}")
    found = await DiscordGuild.connect("server 400", TOKEN)
    assert found.id == last.id
    assert len(server.sent("GET", "/users/@me/guilds")) == 3
    await found.close()


async def test_missing_permissions_are_named(server: LoopbackServer) -> None:
    server.forbid("manage_channels", "attach_files")
    with pytest.raises(ForbiddenError, match=r"lacks permissions in the server Test Server: Attach Files, Manage Chan"):
        await server.open()


async def test_an_administrator_needs_no_other_permission(server: LoopbackServer) -> None:
    for role in server.backend.guilds[server.id].roles.values():
        role.permissions = discord.Permissions(administrator=True).value
    guild = await server.open()
    assert await guild.channels() == []


def test_the_invitation_asks_for_what_is_needed() -> None:
    assert invite_url(5).endswith("client_id=5&scope=bot&permissions=109584")
    assert NEEDED.value == 1 << 4 | 1 << 10 | 1 << 11 | 1 << 13 | 1 << 15 | 1 << 16 == 109584


async def test_a_client_that_is_not_logged_in_cannot_be_attached_to() -> None:
    with pytest.raises(InterfaceError, match="not logged in"):
        await DiscordGuild.attach(discord.Client(intents=discord.Intents.none()), NAME)


# Channels and their permissions


async def test_the_category_is_hidden_from_all_but_the_bot(server: LoopbackServer, guild: DiscordGuild) -> None:
    category = await guild.create_category("secret")
    channel = await guild.create_channel("log", category.id)
    for stored in (server.backend.channels[category.id], server.backend.channels[channel.id]):
        everyone, bot = sorted(stored.overwrites, key=lambda overwrite: overwrite.type)
        assert (everyone.target_id, everyone.deny) == (server.id, discord.Permissions(view_channel=True).value)
        assert (bot.target_id, bot.allow) == (guild.account, NEEDED.value)


async def test_a_history_that_may_not_be_read_is_an_error_and_no_empty_page(
    server: LoopbackServer, guild: DiscordGuild, channel: int
) -> None:
    await guild.post(channel, "x")
    for overwrite in server.backend.channels[channel].overwrites:
        overwrite.allow &= ~discord.Permissions(read_message_history=True).value
        overwrite.deny |= discord.Permissions(read_message_history=True).value
    assert await guild.messages(channel) == []  # so Discord answers
    await guild.channels()
    with pytest.raises(ForbiddenError, match="Read Message History"):
        await guild.messages(channel)


async def test_other_kinds_of_channels_are_not_listed(server: LoopbackServer, guild: DiscordGuild) -> None:
    server.backend.create_channel(server.id, "talk", type=2)
    assert await guild.channels() == []


# What is sent


async def test_a_post_pings_nobody_and_carries_a_nonce(
    server: LoopbackServer, guild: DiscordGuild, channel: int
) -> None:
    await guild.post(channel, "@everyone", nonce="given")
    await guild.post(channel, "@everyone")
    posts = [
        entry.json for entry in server.backend.http_requests if entry.method == "POST" and entry.path.endswith(POSTS)
    ]
    for body in posts:
        assert body["allowed_mentions"] == {"parse": []}
        assert body["flags"] == 1 << 2 | 1 << 12
        assert body["enforce_nonce"] is True
    assert posts[0]["nonce"] == "given"
    assert len(posts[1]["nonce"]) == 25


async def test_a_request_too_large_is_never_sent(server: LoopbackServer, guild: DiscordGuild, channel: int) -> None:
    before = len(server.discord.requests)
    with pytest.raises(LimitExceededError):
        await guild.post(channel, "", [File("a", bytes(guild.file_limit + 1))])
    assert len(server.discord.requests) == before


# Failures


async def test_5xx_is_repeated_by_discord_py_and_the_nonce_keeps_it_single(
    server: LoopbackServer, guild: DiscordGuild, channel: int, waits: list[float]
) -> None:
    server.discord.faults.append(Fault(500, done=True))
    posted = await guild.post(channel, "once", [File("a.txt", b"data")])
    assert len(server.sent("POST", POSTS)) == 2
    assert [message.id for message in await guild.messages(channel)] == [posted.id]
    assert 1 in waits


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 522, 524])
async def test_lasting_5xx_leaves_a_post_in_doubt_and_a_read_to_be_repeated(
    server: LoopbackServer, guild: DiscordGuild, channel: int, waits: list[float], status: int
) -> None:
    server.discord.faults.extend(Fault(status, method="POST") for _ in range(5))
    with pytest.raises(NoAnswerError):
        await guild.post(channel, "x")
    server.discord.faults.clear()
    server.discord.faults.extend(Fault(status, method="GET") for _ in range(5))
    with pytest.raises(UnavailableError):
        await guild.messages(channel)


@pytest.mark.parametrize("fault", [Fault(drop=True), Fault(drop=True, done=True), Fault(cut=True, done=True)])
async def test_a_connection_that_breaks_leaves_a_post_in_doubt(
    server: LoopbackServer, guild: DiscordGuild, channel: int, fault: Fault
) -> None:
    server.discord.faults.append(fault)
    with pytest.raises(NoAnswerError) as caught:
        await guild.post(channel, "x")
    assert isinstance(caught.value.__cause__, aiohttp.ClientError)
    assert len(await guild.messages(channel)) == fault.done


async def test_a_connection_that_breaks_lets_a_read_be_repeated(
    server: LoopbackServer, guild: DiscordGuild, channel: int
) -> None:
    server.discord.faults.extend(Fault(drop=True, method="GET") for _ in range(2))  # aiohttp repeats a GET once
    with pytest.raises(UnavailableError):
        await guild.messages(channel)
    assert await guild.messages(channel) == []


@pytest.mark.parametrize("body", ["<html>", '{"id": 1}', "{"])
@pytest.mark.parametrize("content_type", ["text/html", "application/json"])
async def test_an_answer_that_is_not_discords_leaves_a_post_in_doubt(
    server: LoopbackServer, guild: DiscordGuild, channel: int, body: str, content_type: str
) -> None:
    server.discord.faults.append(Fault(200, body, content_type, method="POST"))
    with pytest.raises(NoAnswerError):
        await guild.post(channel, "x")
    server.discord.faults.append(Fault(200, body, content_type, method="GET"))
    with pytest.raises(UnavailableError):
        await guild.messages(channel)


async def test_a_refused_connection_did_nothing(
    server: LoopbackServer, guild: DiscordGuild, channel: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(discord.http.Route, "BASE", f"http://127.0.0.1:{unused_port()}/api/v10")
        with pytest.raises(UnavailableError, match="post: Discord cannot be reached"):
            await guild.post(channel, "x")
    assert await guild.messages(channel) == []


async def test_a_refusal_after_a_doubtful_try_stays_in_doubt(
    server: LoopbackServer, guild: DiscordGuild, channel: int, waits: list[float]
) -> None:
    server.discord.faults.append(Fault(500, method="POST", done=True))
    server.discord.faults.append(Fault(403, '{"code": 50013, "message": "Missing Permissions"}', method="POST"))
    with pytest.raises(NoAnswerError):
        await guild.post(channel, "x")
    assert len(await guild.messages(channel)) == 1


async def test_429_is_waited_for_by_discord_py(
    server: LoopbackServer, guild: DiscordGuild, channel: int, waits: list[float]
) -> None:
    server.discord.faults.append(rate_limited(1.5))
    await guild.post(channel, "x")
    assert waits[0] == 1.5
    assert len(await guild.messages(channel)) == 1


@pytest.mark.parametrize(
    "faults",
    [
        [rate_limited(1.0, via=False)],  # from Cloudflare
        [rate_limited(3_600.0)],  # longer than we wait
        [rate_limited(0.5) for _ in range(5)],  # again and again
        [Fault(429, "<html>banned</html>", "text/html")],
    ],
)
async def test_429_that_does_not_end_did_nothing(
    server: LoopbackServer, guild: DiscordGuild, channel: int, waits: list[float], faults: list[Fault]
) -> None:
    server.discord.faults.extend(faults)
    with pytest.raises(UnavailableError):
        await guild.post(channel, "x")
    assert await guild.messages(channel) == []


async def test_rate_limit_headers_are_kept_to(
    server: LoopbackServer, guild: DiscordGuild, channel: int, waits: list[float]
) -> None:
    server.discord.headers = {
        "X-RateLimit-Bucket": "b",
        "X-RateLimit-Limit": "5",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset-After": "2.5",
    }
    await guild.post(channel, "x")
    assert waits == [2.5]


async def test_discord_py_and_the_model_agree_on_how_long_posts_take(
    server: LoopbackServer, guild: DiscordGuild, channel: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = SimpleNamespace(**{name: getattr(asyncio, name) for name in asyncio.__all__})
    quick.sleep = server.clock.sleep
    monkeypatch.setattr(discord.http, "asyncio", quick)
    server.discord.posts = Bucket(LIMITS["post"], server.clock)
    start, model = server.clock.elapsed, RateModel(lambda: 0.0, latency=0.0)
    for number in range(23):
        await guild.post(channel, str(number))
        model.charge("post", channel)
    assert len(server.sent("POST", POSTS)) == 23  # none was refused
    # discord.py waits until the bucket is full, not until there is room for one more.
    assert model.seconds == pytest.approx(18.0)
    assert model.seconds <= server.clock.elapsed - start <= model.seconds + 5.0


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, 30013, LimitExceededError),
        (400, 50035, LimitExceededError),
        (400, 50034, LimitExceededError),
        (413, 40005, LimitExceededError),
        (401, 0, ForbiddenError),
        (403, 50001, ForbiddenError),
        (403, 50013, ForbiddenError),
        (404, 10003, NotFoundError),
        (404, 10008, NotFoundError),
        (404, 0, NotFoundError),
        (403, 40333, UnavailableError),
        (400, 77777, GuildError),
    ],
)
async def test_refusals_are_told_apart_by_status_and_code(
    server: LoopbackServer, guild: DiscordGuild, channel: int, status: int, code: int, expected: type[GuildError]
) -> None:
    server.discord.faults.append(Fault(status, json.dumps({"code": code, "message": "Words of Discord"})))
    with pytest.raises(GuildError) as caught:
        await guild.post(channel, "x")
    assert type(caught.value) is expected
    assert isinstance(caught.value.__cause__, discord.HTTPException)
    assert status == 401 or "Words of Discord" in str(caught.value)


async def test_a_forbidden_request_names_the_permission(
    server: LoopbackServer, guild: DiscordGuild, channel: int
) -> None:
    server.forbid("manage_channels")
    with pytest.raises(ForbiddenError, match="Manage Channels"):
        await guild.create_category("x")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(403, "", "text/plain"), ForbiddenError),
        (Fault(404, "", "text/plain"), NotFoundError),
        (Fault(500), UnavailableError),
        (Fault(drop=True), UnavailableError),
        (Fault(cut=True), UnavailableError),
    ],
)
async def test_a_download_that_fails_can_be_repeated(
    server: LoopbackServer, guild: DiscordGuild, channel: int, fault: Fault, expected: type[GuildError]
) -> None:
    posted = await guild.post(channel, "", [File("a.txt", b"data")])
    server.discord.faults.extend([fault, fault] if fault.drop else [fault])
    with pytest.raises(expected):
        await guild.download(posted.attachments[0])
    assert await guild.download(posted.attachments[0]) == b"data"


def foreign_errors() -> dict[str, BaseException]:
    """Return one of every error class of discord.py's HTTP client and of aiohttp, made without their arguments."""
    classes: list[Any] = [found for found in vars(client_exceptions).values() if isinstance(found, type)]
    classes += [found for found in vars(discord.errors).values() if isinstance(found, type)]
    made = {}
    for found in classes:
        if not issubclass(found, aiohttp.ClientError | discord.DiscordException):
            continue
        error = found.__new__(found)
        if issubclass(found, discord.HTTPException):
            error.status, error.code, error.text = 400, 0, ""
            error.response = SimpleNamespace(reason="Bad Request")
        if issubclass(found, discord.RateLimited):
            error.retry_after = 100.0
        made[found.__name__] = error
    return made | {"TimeoutError": TimeoutError(), "ConnectionResetError": ConnectionResetError()}


# The errors after which it is sure that nothing was done; with all others a request may have been carried out.
NOTHING_DONE = {
    "ClientConnectorError",
    "ClientConnectorDNSError",
    "ClientProxyConnectionError",
    "UnixClientConnectorError",
    "ClientSSLError",
    "ClientConnectorSSLError",
    "ClientConnectorCertificateError",
    "ConnectionTimeoutError",
    "InvalidURL",
    "InvalidUrlClientError",
    "InvalidUrlRedirectClientError",
    "RateLimited",
    "LoginFailure",
}


@pytest.mark.parametrize(("name", "error"), foreign_errors().items())
def test_every_foreign_error_has_a_twin(name: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discosql.storage.discord_errors.describe", lambda error: type(error).__name__)
    assert isinstance(error, FOREIGN)
    assert isinstance(translate(error, "messages"), GuildError)
    if isinstance(error, discord.HTTPException):
        assert type(translate(error, "post")) is GuildError
    else:
        assert type(translate(error, "messages")) is UnavailableError
        expected = UnavailableError if name in NOTHING_DONE else NoAnswerError
        assert type(translate(error, "post")) is expected
        assert type(translate(error, "post", earlier_try=True)) is NoAnswerError


def test_every_request_of_the_seam_reads_or_writes() -> None:
    """A kind that is missing in READS is taken for one that writes."""
    asked = {name for name, member in vars(Guild).items() if getattr(member, "__isabstractmethod__", False)}
    writes = {"create_category", "create_channel", "delete_channel", "post", "delete_message", "delete_messages"}
    assert asked - writes - {"name", "stamp", "monotonic", "sleep", "listen", "close"} == READS
    assert all(issubclass(error, GuildError) for error in BY_CODE.values())


# The server's clock


async def test_the_first_stamp_comes_from_the_login(server: LoopbackServer) -> None:
    guild = await server.open()
    stamp = guild.stamp()
    assert stamp is not None
    assert server.clock.now() - 1.0 <= stamp.server <= server.clock.now()


async def test_without_dates_the_ids_of_messages_tell_the_time(server: LoopbackServer) -> None:
    server.discord.send_date = False
    guild = await server.open()
    assert guild.stamp() is None
    category = await guild.create_category("x")
    channel = await guild.create_channel("x", category.id)
    await guild.post(channel.id, "x")
    stamp = guild.stamp()
    assert stamp is not None
    assert stamp.server == pytest.approx(server.clock.now(), abs=0.002)


async def test_an_older_stamp_does_not_replace_a_better_one(server: LoopbackServer, guild: DiscordGuild) -> None:
    server.clock.advance(0.9)
    await guild.channels()
    best = guild.stamp()
    server.discord.headers = {"Date": "Thu, 01 Jan 2015 00:00:00 GMT"}
    await guild.channels()
    assert guild.stamp() == best


# An attached client


async def test_a_callers_client_is_watched_for_the_time_and_left_alone(server: LoopbackServer) -> None:
    client = discord.Client(intents=discord.Intents(guilds=True, guild_messages=True))
    await client.login(TOKEN)
    guild = await DiscordGuild.attach(client, NAME, clock=server.clock)
    stamp = guild.stamp()
    assert stamp is not None
    assert server.clock.now() - 1.0 <= stamp.server <= server.clock.now()
    await guild.close()
    assert not client.is_closed()
    await client.fetch_guild(server.id)
    assert guild.stamp() == stamp
    await client.close()


async def test_a_closed_client_is_told(server: LoopbackServer) -> None:
    client = discord.Client(intents=discord.Intents.none())
    await client.login(TOKEN)
    guild = await DiscordGuild.attach(client, NAME)
    await client.close()
    with pytest.raises(InterfaceError, match="closed"):
        await guild.channels()


async def test_a_session_closed_during_a_request_is_told(server: LoopbackServer) -> None:
    client = discord.Client(intents=discord.Intents.none())
    await client.login(TOKEN)
    guild = await DiscordGuild.attach(client, NAME)
    request = asyncio.create_task(guild.channels())
    await asyncio.sleep(0)
    await client.close()
    with pytest.raises((UnavailableError, InterfaceError)):
        await request


async def test_the_handlers_of_an_attached_bot_still_run(simulated: SimcordServer) -> None:
    bot = simulated.env.bot
    assert isinstance(bot, commands.Bot)
    seen: list[str] = []

    async def on_message(message: discord.Message) -> None:
        seen.append("own handler")

    bot.add_listener(on_message, "on_message")
    guild = await simulated.open()
    told: list[int] = []
    stop = guild.listen(told.append)
    await asyncio.sleep(0)
    assert guild.is_live
    category = await guild.create_category("x")
    channel = (await guild.create_channel("x", category.id)).id
    posted = [await guild.post(channel, str(number)) for number in range(3)]
    await simulated.edit(channel, posted[0].id, "changed")
    await guild.delete_message(channel, posted[0].id)
    await guild.delete_messages(channel, [message.id for message in posted[1:]])
    await simulated.env.settle()
    assert told == [channel] * 6
    assert seen == ["own handler"] * 3
    stop()
    await guild.post(channel, "x")
    assert len(told) == 6
    assert not guild.is_live


async def test_messages_of_other_servers_are_no_hints(simulated: SimcordServer) -> None:
    guild = await simulated.open()
    told: list[int] = []
    guild.listen(told.append)
    await asyncio.sleep(0)
    elsewhere = simulated.env.create_guild("elsewhere").create_text_channel("talk")
    simulated.backend.create_message(elsewhere.id, simulated.backend.bot_user.id, "x")
    assert told == []


# A gateway of our own


async def until(condition: Any) -> None:
    """Let the loop run until the condition holds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


async def test_the_gateway_gives_hints_without_a_privileged_intent(server: LoopbackServer) -> None:
    guild = await server.open(gateway=True)
    told: list[int] = []
    guild.listen(told.append)
    await until(lambda: guild.is_live)
    category = await guild.create_category("x")
    channel = (await guild.create_channel("x", category.id)).id
    strange = await server.post_as_stranger(channel, "x")
    await until(lambda: told == [channel])
    await server.edit(channel, strange, "y")
    await until(lambda: told == [channel] * 2)


async def test_a_resumed_session_is_a_hint_for_every_channel(server: LoopbackServer) -> None:
    guild = await server.open(gateway=True)
    told: list[int] = []
    guild.listen(told.append)
    await until(lambda: guild.is_live)
    category = await guild.create_category("x")
    channel = (await guild.create_channel("x", category.id)).id
    await guild.messages(channel)
    told.clear()
    await server.discord.drop_gateway()
    await until(lambda: told == [channel])
    assert server.discord.sessions > 1


async def test_without_a_gateway_nothing_is_told(server: LoopbackServer, guild: DiscordGuild, channel: int) -> None:
    told: list[int] = []
    guild.listen(told.append)
    await server.post_as_stranger(channel, "x")
    await asyncio.sleep(0)
    assert told == []
    assert not guild.is_live
    assert server.discord.sessions == 0


@pytest.mark.parametrize("gateway", [False, True])
async def test_closing_leaves_no_task_and_no_open_connection(server: LoopbackServer, gateway: bool) -> None:
    before = asyncio.all_tasks()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        guild = await DiscordGuild.connect(server.id, TOKEN, gateway=gateway)
        guild.listen(lambda channel: None)
        await guild.channels()
        await guild.close()
        del guild
        gc.collect()
    await until(lambda: {task for task in asyncio.all_tasks() - before if "discord" in repr(task.get_coro())} == set())


def unused_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
