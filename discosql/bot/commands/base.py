"""What all cogs share: whose database it is, who may use a command, running statements, suggestions, errors."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

import discord
from discord import app_commands
from discord.ext import commands

from discosql.aio import Cursor
from discosql.bot.pages import Answer, say, send
from discosql.bot.text import MAX_CONTENT, code_block, cut, visible
from discosql.database import Database
from discosql.database_access import default_permissions
from discosql.errors import Error, ProgrammingError
from discosql.schema import TableSchema, quoted
from discosql.types import SqlType

MAX_ERROR: Final = MAX_CONTENT // 2
MAX_CHOICES: Final = 25
MAX_CHOICE: Final = 100
"""Suggestions that Discord takes for an option, and characters of each."""

UNKNOWN_INTERACTION: Final = 10062
"""Discord's code for a command that was answered too late: its user can be told nothing more."""

SERVER_ONLY: Final = app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False)
NOT_PERSONAL: Final = app_commands.AppInstallationType(guild=True, user=False)


class RefusedError(app_commands.CheckFailure):
    """A user may not use a command; the text says why."""


class DatabaseCog(commands.Cog):
    """Commands of one database, on its server only. `writes` says whether they change rows."""

    writes: ClassVar[bool] = False

    def __init__(self, database: Database) -> None:
        self.database = database
        if database.guild is not None:
            # A bot may have databases on several servers, and discord.py knows cogs by their names.
            self.__cog_name__ = f"{type(self).__name__} {database.guild.id}"
        for command in self.get_app_commands():
            if isinstance(command, app_commands.Command | app_commands.Group):
                command.guild_only = True
                command.allowed_contexts = SERVER_ONLY
                command.allowed_installs = NOT_PERSONAL
                rule = database.command_access.rule(command.name, writes=self.writes)
                command.default_permissions = default_permissions(rule)

    # Who --------------------------------------------------------------------------------------------------------

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Let those in whom the database's `CommandAccess` lets in, on the database's server."""
        if not self._is_home(interaction):
            raise RefusedError("this command belongs to another server")
        name = _first_word(interaction)
        if not self.database.command_access.may_use(name, interaction, writes=self.writes):
            raise RefusedError(f"you may not use /{name}; ask an administrator of the server for the role it needs")
        return True

    def _is_home(self, interaction: discord.Interaction) -> bool:
        guild = self.database.guild
        return guild is None or interaction.guild_id == guild.id

    # Running ----------------------------------------------------------------------------------------------------

    async def run(self, interaction: discord.Interaction, statement: str, *parameters: Any) -> Cursor:
        """Run a statement as a transaction of its own, within the time that commands have, and return its cursor.

        Discord wants to hear of a command within three seconds; it is told here that the answer may take longer.
        """
        await defer(interaction)
        connection = self.database.new_connection(timeout=self.database.command_access.timeout)
        cursor = await connection.execute(statement, parameters)
        if connection.in_transaction:
            await connection.rollback()
            raise ProgrammingError("every command is a transaction of its own: BEGIN and SAVEPOINT lead nowhere here")
        return cursor

    def check_may_run(self, interaction: discord.Interaction, statement: str) -> None:
        """Raise RefusedError for a statement that changes something, unless the user may do that."""
        if self.database.command_access.may_write(interaction):
            return
        if not self.database.new_connection().is_query(statement):
            raise RefusedError("you may run statements that read only; this one could change something")

    # Names ------------------------------------------------------------------------------------------------------

    def known_table(self, name: str) -> TableSchema:
        """Return a table's schema. Raises ProgrammingError if there is none."""
        return self.database.catalog.table(name)

    def known_relation(self, name: str) -> str:
        """Return the name of a table or view as it was made. Raises ProgrammingError if there is none."""
        view = self.database.catalog.find_view(name)
        return view.name if view is not None else self.known_table(name).name

    def known_column(self, table: TableSchema, name: str) -> tuple[str, SqlType]:
        """Return a column's quoted name and its type. Raises ProgrammingError if the table has no such column."""
        position = table.position(name)
        if position is None:
            raise ProgrammingError(f"table {table.name} has no column {name}")
        column = table.columns[position]
        return quoted(column.name), column.type

    async def complete_table(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Suggest tables."""
        if not self._may_be_told(interaction):
            return []
        return choices((known.name for known in self.database.catalog.tables.values()), typed)

    async def complete_relation(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Suggest tables and views."""
        if not self._may_be_told(interaction):
            return []
        catalog = self.database.catalog
        names = [known.name for known in catalog.tables.values()] + [view.name for view in catalog.views.values()]
        return choices(names, typed)

    async def complete_column(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Suggest columns of the table that was chosen."""
        if not self._may_be_told(interaction):
            return []
        known = self.database.catalog.find_table(getattr(interaction.namespace, "table", None) or "")
        return choices((column.name for column in known.columns) if known is not None else (), typed)

    def _may_be_told(self, interaction: discord.Interaction) -> bool:
        """Tell whether suggestions may be made: discord.py makes no checks before it asks for them."""
        database = self.database
        return (
            database.open
            and self._is_home(interaction)
            and database.command_access.may_use(_first_word(interaction), interaction, writes=self.writes)
        )

    # Errors -----------------------------------------------------------------------------------------------------

    async def cog_app_command_error(
        self, interaction: discord.Interaction, error: app_commands.AppCommandError
    ) -> None:
        """Tell the user what was wrong; what is nobody's mistake but ours is raised again for the bot's log."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        if isinstance(cause, Error | RefusedError):
            await say(interaction, code_block(cut(visible(str(cause)) or type(cause).__name__, MAX_ERROR)))
            return
        if not (isinstance(cause, discord.NotFound) and cause.code == UNKNOWN_INTERACTION):
            await say(interaction, "Something went wrong. The log of the bot tells its owner what.")
        raise error


def _first_word(interaction: discord.Interaction) -> str:
    """Return the name of a command, or of the group it is in."""
    return interaction.command.qualified_name.split()[0] if interaction.command is not None else ""


async def defer(interaction: discord.Interaction) -> None:
    """Tell Discord that the answer comes later, unless it was told already."""
    if not interaction.response.is_done():
        await interaction.response.defer(ephemeral=True, thinking=True)


async def answer(interaction: discord.Interaction, title: str, text: str, note: str = "", *, head: int = 0) -> None:
    """Answer with a text of any length, in pages."""
    await send(interaction, Answer.of(title, text, note, head=head))


def choices(names: Iterable[str], typed: str) -> list[app_commands.Choice[str]]:
    """Return what Discord is to suggest: names that begin with what was typed, then those that contain it."""
    wanted = typed.lower()
    fitting = [name for name in names if wanted in name.lower() and 1 <= len(name) <= MAX_CHOICE]
    fitting.sort(key=lambda name: (not name.lower().startswith(wanted), name.lower()))
    return [app_commands.Choice(name=name, value=name) for name in fitting[:MAX_CHOICES]]
