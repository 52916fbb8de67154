"""What a Database does with its bot when it starts: makes one of its own, finds the server, offers the commands."""

from typing import TYPE_CHECKING, Final

import discord
from discord.ext import commands

from discosql.errors import Error, ForbiddenError, NotFoundError, OperationalError, ProgrammingError
from discosql.storage.engine import NEEDED_PERMISSIONS

if TYPE_CHECKING:
    from discosql.database import Database

COMMANDS: Final = "discosql.bot.commands"
"""The discord.py extension with the slash commands."""

PERMISSIONS: Final = discord.Permissions(**dict.fromkeys(NEEDED_PERMISSIONS, True))
"""What the bot must be allowed to do on the server."""

_ATTRIBUTE: Final = "discosql_databases"


def own_bot() -> commands.Bot:
    """Return a bot for a database that was given none. It needs no privileged intent."""
    intents = discord.Intents(guilds=True, guild_messages=True)
    return commands.Bot(commands.when_mentioned, intents=intents, max_messages=None)


def attach(bot: commands.Bot, database: "Database") -> None:
    """Note that a database works through a bot. Raises ProgrammingError for a bot that does not know its servers."""
    if not bot.intents.guilds:
        raise ProgrammingError("the bot lacks the intent guilds, without which it does not know its servers")
    if not hasattr(bot, "db"):  # as in the library discobase; what the caller keeps there is the caller's
        bot.db = database  # type: ignore[attr-defined]
    setattr(bot, _ATTRIBUTE, [*attached(bot), database])


def attached(bot: commands.Bot) -> "list[Database]":
    """Return the databases that work through a bot, in the order they were made."""
    return list(getattr(bot, _ATTRIBUTE, ()))


def invite_url(bot: commands.Bot) -> str:
    """Return the address at which a server's administrator lets the bot in with the permissions it needs."""
    application = bot.application_id
    return (
        "the developer portal" if application is None else discord.utils.oauth_url(application, permissions=PERMISSIONS)
    )


def find_guild(bot: commands.Bot, name: str) -> discord.Guild:
    """Return the bot's server with that name or id. Raises NotFoundError, which says how to make and join one."""
    found = [guild for guild in bot.guilds if name in (guild.name, str(guild.id))]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(str(guild.id) for guild in found)
        raise OperationalError(f"the bot is on {len(found)} servers named {name}; give the id of one instead: {ids}")
    raise NotFoundError(
        f"the bot is on no server named {name}. Bots can no longer make servers: make one in Discord "
        f"(the + below your servers), then invite the bot with {invite_url(bot)}"
    )


async def offer_commands(database: "Database", *, everywhere: bool) -> None:
    """Load the slash commands for a database's server and tell Discord of them.

    `everywhere` also tells Discord of the bot's commands for all servers, of which the database has none: it is for a
    bot of the database's own. Loading anew what is loaded leaves no doubles.
    """
    bot, guild = database.bot, database.guild
    assert guild is not None
    load = bot.reload_extension if COMMANDS in bot.extensions else bot.load_extension
    try:
        await load(COMMANDS)
        await bot.tree.sync(guild=guild)
        if everywhere:
            await bot.tree.sync()
    except commands.ExtensionFailed as exc:
        if isinstance(exc.original, Error):
            raise exc.original from exc
        raise
    except discord.Forbidden as exc:
        raise ForbiddenError(
            f"the bot may not offer slash commands on the server {guild.name}; invite it again with {invite_url(bot)}"
        ) from exc
    except discord.HTTPException as exc:
        raise OperationalError(f"Discord did not take the slash commands: {exc}") from exc
