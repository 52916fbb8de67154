"""Finding a server on Discord and checking what the bot may do there, with errors that say what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import discord

from discosql.errors import (
    ForbiddenError,
    GuildError,
    InterfaceError,
    NotFoundError,
    OperationalError,
    UnavailableError,
)
from discosql.storage.discord_errors import FOREIGN, describe, translate
from discosql.storage.guild import NEEDED_PERMISSIONS

Payload: TypeAlias = Mapping[str, Any]
"""An object of Discord's API, as it came."""

NEEDED: Final = discord.Permissions(**dict.fromkeys(NEEDED_PERMISSIONS, True))
"""The permissions a database needs."""

SERVERS_PER_PAGE: Final = 200
NAMED_SERVERS: Final = 10
"""How many of the bot's servers an error names."""

DEVELOPERS: Final = "https://discord.com/developers/applications"


@dataclass(frozen=True, slots=True)
class Server:
    """A server the bot is in, and what decides on the bot's permissions there."""

    id: int
    name: str
    permissions: discord.Permissions
    roles: frozenset[int]


def invite_url(application: int | None) -> str:
    """Return the address that asks a server's administrator to let the bot in, with the permissions it needs."""
    return f"https://discord.com/oauth2/authorize?client_id={application}&scope=bot&permissions={NEEDED.value}"


async def login(client: discord.Client, token: str | None) -> None:
    """Log a client in, without a gateway connection."""
    if not token:
        raise InterfaceError(
            "no bot token: pass token= or set the environment variable DISCOSQL_TOKEN. "
            f"A token comes from {DEVELOPERS}: New Application, then Bot, then Reset Token"
        )
    try:
        await client.login(token)
    except discord.LoginFailure as error:
        raise OperationalError(
            f"Discord does not know this bot token. Make a new one at {DEVELOPERS}: the application, Bot, Reset Token"
        ) from error
    except FOREIGN as error:
        raise UnavailableError(f"cannot log in to Discord: {describe(error)}") from error


async def find_server(client: discord.Client, guild: int | str) -> Server:
    """Return the server with that name or id, of those the bot is in, and check the bot's permissions there."""
    if client.user is None:
        raise InterfaceError("the Discord client is not logged in: attach to it in setup_hook or later")
    try:
        found = await _only_match(client, guild)
        member: Payload = await client.http.get_member(int(found["id"]), client.user.id)
    except FOREIGN as error:
        raise translate(error, "channels") from error
    permissions = discord.Permissions.all() if found["owner"] else discord.Permissions(int(found["permissions"]))
    server = Server(int(found["id"]), found["name"], permissions, frozenset(int(role) for role in member["roles"]))
    lacking = missing(permissions)
    if lacking:
        raise ForbiddenError(
            f"the bot lacks permissions in the server {server.name}: {', '.join(lacking)}. Give them to its role, or "
            f"invite it again: {invite_url(client.application_id)}"
        )
    return server


async def _only_match(client: discord.Client, guild: int | str) -> Payload:
    if str(guild).isdecimal():
        # A page that starts right before an id needs one request, however many servers the bot is in.
        page: list[Payload] = list(await client.http.get_guilds(1, after=int(guild) - 1, with_counts=False))
        if page and int(page[0]["id"]) == int(guild):
            return page[0]
    servers = await _servers(client)
    matches = [server for server in servers if server["name"] == guild]
    if len(matches) > 1:
        ids = ", ".join(server["id"] for server in matches)
        raise OperationalError(f"the bot is in {len(matches)} servers named {guild}: give the id of one: {ids}")
    if not matches:
        raise _unknown_server(client, guild, [server["name"] for server in servers])
    return matches[0]


async def _servers(client: discord.Client) -> list[Payload]:
    servers: list[Payload] = []
    after = 0
    while True:
        page: list[Payload] = list(await client.http.get_guilds(SERVERS_PER_PAGE, after=after, with_counts=False))
        servers += page
        if len(page) < SERVERS_PER_PAGE:
            return servers
        after = max(int(server["id"]) for server in page)


def _unknown_server(client: discord.Client, guild: int | str, names: list[str]) -> GuildError:
    if names:
        more = ", …" if len(names) > NAMED_SERVERS else ""
        there = f"it is in: {', '.join(sorted(names)[:NAMED_SERVERS])}{more}"
    else:
        there = "it is in none"
    return NotFoundError(
        f"the bot {client.user} is in no server named {guild} ({there}). Make the server in the Discord app, which a "
        f"bot cannot (the + below your servers), then let the bot in: {invite_url(client.application_id)}"
    )


def missing(permissions: discord.Permissions) -> list[str]:
    """Return the names of the needed permissions that are not there."""
    if permissions.administrator:
        return []
    return [name for attribute, name in NEEDED_PERMISSIONS.items() if not getattr(permissions, attribute)]


def permissions_in(server: Server, account: int, overwrites: Iterable[Payload]) -> discord.Permissions:
    """Return what the bot may do in a channel, given the channel's permission overwrites."""
    value = server.permissions.value
    if server.permissions.administrator:
        return server.permissions
    by_target = {int(overwrite["id"]): (int(overwrite["allow"]), int(overwrite["deny"])) for overwrite in overwrites}
    # Discord's order: @everyone (whose role has the server's id), all roles together, the member.
    for targets in ((server.id,), sorted(server.roles - {server.id}), (account,)):
        allowed = denied = 0
        for target in targets:
            allow, deny = by_target.get(target, (0, 0))
            allowed |= allow
            denied |= deny
        value = value & ~denied | allowed
    return discord.Permissions(value)
