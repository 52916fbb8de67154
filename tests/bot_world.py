"""A simulated Discord server with a bot that offers a database, and members who use its commands."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import discord
import pytest
import simcord
from discord.ext import commands
from simcord_shim import SimcordShim, shimmed_dispatch
from stepped_clock import SteppedClock

from discosql import Database, Field, Table
from discosql.database_access import CommandAccess

SERVER = "Test Server"


class User(Table):
    """The row of the table that every world has; each world makes a class of its own of it."""

    name: str = Field(unique=True)
    age: int | None = None


def shown(message: Any) -> str:
    """Return all text of an answer, as it was sent."""
    parts = [message.content]
    for embed in message.embeds:
        parts += [embed.title or "", embed.description or "", embed.footer.text or ""]
    return "\n".join(parts)


@dataclass
class World:
    """A server with an administrator, a member without rights, a channel, and a database with one table."""

    env: simcord.Env
    guild: simcord.GuildHandle
    database: Database
    admin: simcord.MemberActor
    member: simcord.MemberActor
    channel: simcord.ChannelHandle
    users: type[User]

    async def ask(self, command: str, who: simcord.MemberActor | None = None, **options: Any) -> str:
        """Give a command and return what it answered, which only its user may see."""
        message = await self.message(command, who, **options)
        assert message.ephemeral
        return shown(message)

    async def message(self, command: str, who: simcord.MemberActor | None = None, **options: Any) -> Any:
        """Give a command and return the message it answered with."""
        result = await (who or self.admin).slash(self.channel, command, **options)
        message = result.followups[-1] if result.followups else result.response
        assert message is not None
        return message

    def file(self, message: Any) -> tuple[str, bytes]:
        """Return the name and the bytes of the file that an answer has."""
        (attachment,) = message.attachments
        files = self.env.backend.cdn
        data = files.get(files.sign(attachment.url))
        assert data is not None
        return attachment.filename, data

    def member_with(self, name: str, *, role: str | None = None, **permissions: bool) -> simcord.MemberActor:
        """Add a member with a role, and permissions by that role."""
        made = self.guild.create_role(role or f"{name}'s role", permissions=discord.Permissions(**permissions))
        return self.guild.add_member(self.env.create_user(name), roles=[made])


@asynccontextmanager
async def bot_world(slash_commands: bool | CommandAccess = True) -> AsyncIterator[World]:
    """Make a world, and shut it down at the end."""
    clock = SteppedClock()
    bot = commands.Bot(command_prefix="!", help_command=None, intents=discord.Intents(guilds=True, guild_messages=True))
    with shimmed_dispatch(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("discosql.storage.discord.Clock", lambda: clock)
        env = simcord.Env(bot)
        await env.start()
        SimcordShim(env.backend, clock)
        guild = env.create_guild(SERVER)
        role = guild.create_role("admin", permissions=discord.Permissions(administrator=True))
        admin = guild.add_member(env.create_user("ada"), roles=[role])
        member = guild.add_member(env.create_user("bob"))
        channel = guild.create_text_channel("talk")
        database = Database(SERVER, bot=bot, slash_commands=slash_commands)
        users = database.table(type("User", (User,), {}))
        await env.settle()
        await database.init()
        await users.save_all([users(name="Ada", age=36), users(name="Bob")])
        yield World(env, guild, database, admin, member, channel, users)
        if database.open:
            await database.close()
        await env.shutdown()
