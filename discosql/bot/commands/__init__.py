"""Slash commands over a database, as discord.py cogs: ``await bot.load_extension("discosql.bot.commands")``.

A `discosql.Database` loads them by itself unless it was made with ``slash_commands=False``. They belong to the
database's own server and to nobody's private messages; answers are seen by the user who asked only, mention nobody,
and show stored text as text. Who may use them is told by the database's `CommandAccess`.
"""

import discord
from discord import app_commands
from discord.ext import commands

from discosql.bot.commands.base import DatabaseCog
from discosql.bot.commands.changing import ChangingCommands
from discosql.bot.commands.reading import ReadingCommands
from discosql.database import Database
from discosql.database_start import attached
from discosql.errors import ProgrammingError

COGS: tuple[type[DatabaseCog], ...] = (ReadingCommands, ChangingCommands)


async def setup(bot: commands.Bot) -> None:
    """Add the commands of every open database that works through a bot; called by discord.py.

    Before any is open, those of the newest database are added for all servers, and refused elsewhere than on its own.
    Raises ProgrammingError if the bot has no database, or commands of these names for its server already.
    """
    databases = [database for database in attached(bot) if database.open and database.has_commands]
    if not databases:
        await _add(bot, _newest(bot), None)
    for database in databases:
        await _add(bot, database, database.guild)


def _newest(bot: commands.Bot) -> Database:
    if not attached(bot):
        raise ProgrammingError("the bot has no discosql.Database; make one with discosql.Database(name, bot=bot) first")
    return attached(bot)[-1]


async def _add(bot: commands.Bot, database: Database, guild: discord.Guild | None) -> None:
    for cog in COGS:
        try:
            if guild is None:
                await bot.add_cog(cog(database))
            else:
                await bot.add_cog(cog(database), guild=guild)
        except (app_commands.CommandAlreadyRegistered, discord.ClientException) as exc:
            raise ProgrammingError(
                f"the bot has a command of the same name on this server already ({exc}); one database of a server can "
                "have the slash commands: make the others with slash_commands=False"
            ) from exc
