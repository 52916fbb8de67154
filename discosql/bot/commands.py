"""Slash commands over a database, a discord.py cog: ``await bot.load_extension("discosql.bot.commands")``.

`bot.db` must be the `discosql.Database`. The commands are for administrators unless the server's settings say
otherwise; answers are seen by the user who asked only, and mention nobody.
"""

import io
import json
from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from discosql.bot.pages import Confirm, Pages, split_pages
from discosql.database import Database
from discosql.errors import DataError, Error, ProgrammingError
from discosql.output import MODES, table
from discosql.rows import Row
from discosql.schema import TableSchema
from discosql.table_fields import quote

MAX_CHOICES: Final = 25
"""Suggestions that Discord shows for an option."""

MAX_SHOWN: Final = 1_000
"""Rows of a result that are shown in pages; `/export` gives all."""


def _text(rows: list[Row]) -> str:
    if not rows:
        return "no rows"
    shown = table(rows[0].keys(), [tuple(row) for row in rows[:MAX_SHOWN]])
    more = f"… and {len(rows) - MAX_SHOWN:,} more rows\n" if len(rows) > MAX_SHOWN else ""
    return shown + more


def _record(text: str) -> dict[str, Any]:
    """Return the JSON object that a user wrote, by column."""
    try:
        record = json.loads(text)
    except ValueError as exc:
        raise DataError(f"the record is no JSON: {exc}") from exc
    if not isinstance(record, dict) or not record:
        raise DataError('a record is a JSON object such as {"name": "Ada", "age": 36}')
    return record


def _condition(record: dict[str, Any]) -> str:
    return " AND ".join(f"{quote(name)} IS ?" for name in record)


@app_commands.default_permissions(administrator=True)
@app_commands.guild_only()
class DatabaseCommands(commands.Cog):
    """The commands of one bot's database."""

    def __init__(self, bot: commands.Bot, database: Database) -> None:
        self.bot = bot
        self.database = database

    # Looking ------------------------------------------------------------------------------------------------------

    schema = app_commands.Group(
        name="schema",
        description="What tables look like",
        guild_only=True,
        default_permissions=discord.Permissions(administrator=True),
    )

    @schema.command(name="table", description="The columns of a table")
    @app_commands.describe(name="the table")
    async def schema_table(self, interaction: discord.Interaction, name: str) -> None:
        """Show a table's columns."""
        known = self._table(name)
        rows = [
            (column.name, column.declared or column.type.value, "no" if column.not_null else "yes", column.default)
            for column in known.columns
        ]
        await self._answer(interaction, table(("column", "type", "may be NULL", "default"), rows))

    @app_commands.command(name="table", description="The rows of a table")
    @app_commands.default_permissions(administrator=True)
    async def table_rows(self, interaction: discord.Interaction, name: str) -> None:
        """Show a table's rows."""
        await self._query(interaction, f"SELECT * FROM {quote(self._table(name).name)}")

    @app_commands.command(name="column", description="One column of a table")
    @app_commands.default_permissions(administrator=True)
    async def column_values(self, interaction: discord.Interaction, table: str, name: str) -> None:
        """Show one column's values."""
        known = self._table(table)
        await self._query(interaction, f"SELECT {self._column(known, name)} FROM {quote(known.name)}")

    @app_commands.command(name="tablestats", description="All tables, their rows and columns")
    @app_commands.default_permissions(administrator=True)
    async def table_stats(self, interaction: discord.Interaction) -> None:
        """Show what tables there are."""
        rows = []
        for known in self.database.catalog.tables.values():
            (count,) = await self.database.sql(f"SELECT count(*) FROM {quote(known.name)}")
            rows.append((known.name, count[0], len(known.columns), len(known.indexes)))
        await self._answer(interaction, table(("table", "rows", "columns", "indexes"), rows) if rows else "no tables")

    @app_commands.command(name="find", description="Rows of a table with a value in a column")
    @app_commands.default_permissions(administrator=True)
    async def find(self, interaction: discord.Interaction, table: str, column: str, value: str) -> None:
        """Show the rows that have a value in a column."""
        known = self._table(table)
        condition = f"CAST({self._column(known, column)} AS TEXT) = ?"
        await self._query(interaction, f"SELECT * FROM {quote(known.name)} WHERE {condition}", value)

    @app_commands.command(name="sql", description="Run a SQL statement")
    @app_commands.default_permissions(administrator=True)
    async def sql(self, interaction: discord.Interaction, statement: str) -> None:
        """Run a statement; only administrators may change something."""
        self._check_may_run(interaction, statement)
        await self._query(interaction, statement)

    @app_commands.command(name="explain", description="How a SQL statement would be run, and what it would cost")
    @app_commands.default_permissions(administrator=True)
    async def explain(self, interaction: discord.Interaction, statement: str) -> None:
        """Show a statement's plan."""
        rows = await self.database.sql(f"EXPLAIN {statement}")
        await self._answer(interaction, "\n".join(str(row[0]) for row in rows))

    @app_commands.command(name="export", description="The result of a query as a file")
    @app_commands.default_permissions(administrator=True)
    @app_commands.choices(format=[app_commands.Choice(name=name, value=name) for name in ("csv", "json")])
    async def export(self, interaction: discord.Interaction, query: str, format: str = "csv") -> None:
        """Send a query's result as a file."""
        self._check_may_run(interaction, query)
        await interaction.response.defer(ephemeral=True, thinking=True)
        rows = await self.database.sql(query)
        text = MODES[format](rows[0].keys() if rows else [], [tuple(row) for row in rows])
        file = discord.File(io.BytesIO(text.encode()), filename=f"result.{format}")
        await interaction.followup.send(f"{len(rows):,} rows", file=file, ephemeral=True)

    # Changing -----------------------------------------------------------------------------------------------------

    @app_commands.command(name="insert", description="Add a row, given as a JSON object")
    @app_commands.default_permissions(administrator=True)
    async def insert(self, interaction: discord.Interaction, table: str, record: str) -> None:
        """Add a row."""
        values = _record(record)
        names, marks = ", ".join(map(quote, values)), ", ".join("?" * len(values))
        await self._change(
            interaction, f"INSERT INTO {quote(self._table(table).name)} ({names}) VALUES ({marks})", *values.values()
        )

    @app_commands.command(name="update", description="Replace a value in a column by another")
    @app_commands.default_permissions(administrator=True)
    async def update(self, interaction: discord.Interaction, table: str, column: str, current: str, new: str) -> None:
        """Replace a value wherever a column has it."""
        known = self._table(table)
        name = self._column(known, column)
        statement = f"UPDATE {quote(known.name)} SET {name} = ? WHERE CAST({name} AS TEXT) = ?"
        await self._change(interaction, statement, new, current)

    @app_commands.command(name="delete", description="Remove the rows that have the values of a JSON object")
    @app_commands.default_permissions(administrator=True)
    async def delete(self, interaction: discord.Interaction, table: str, record: str) -> None:
        """Remove the rows that equal a record in all its columns."""
        values = _record(record)
        statement = f"DELETE FROM {quote(self._table(table).name)} WHERE {_condition(values)}"
        await self._change(interaction, statement, *values.values())

    @app_commands.command(name="reset", description="Erase the whole database, for ever")
    @app_commands.default_permissions(administrator=True)
    async def reset(self, interaction: discord.Interaction) -> None:
        """Erase everything, after a question."""
        question = Confirm(interaction.user.id, "Erase everything")
        await interaction.response.send_message(
            "This erases every table and every row of the database, for ever.", view=question, ephemeral=True
        )
        await question.wait()
        if question.confirmed:
            await self.database.clean()
            await self.database.build_tables()
            await interaction.edit_original_response(content="The database is empty now.", view=None)

    # Within -------------------------------------------------------------------------------------------------------

    async def _query(self, interaction: discord.Interaction, statement: str, *parameters: Any) -> None:
        if not interaction.response.is_done():
            await interaction.response.defer(ephemeral=True, thinking=True)
        await self._answer(interaction, _text(await self.database.sql(statement, *parameters)))

    async def _change(self, interaction: discord.Interaction, statement: str, *parameters: Any) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self.database.sql(statement, *parameters)
        ((count,),) = await self.database.sql("SELECT changes()")
        await self._answer(interaction, f"{count} row{'' if count == 1 else 's'} changed")

    async def _answer(self, interaction: discord.Interaction, text: str) -> None:
        pages = Pages(interaction.user.id, split_pages(text))
        buttons: dict[str, Any] = {"view": pages} if len(split_pages(text)) > 1 else {}
        options: dict[str, Any] = {"ephemeral": True, "allowed_mentions": discord.AllowedMentions.none(), **buttons}
        if interaction.response.is_done():
            await interaction.followup.send(pages.content, **options)
        else:
            await interaction.response.send_message(pages.content, **options)

    def _check_may_run(self, interaction: discord.Interaction, statement: str) -> None:
        if interaction.permissions.administrator:
            return
        if not self.database.connection.is_query(statement):
            raise ProgrammingError("only administrators may run statements that change something")

    def _table(self, name: str) -> TableSchema:
        return self.database.catalog.table(name)

    def _column(self, known: TableSchema, name: str) -> str:
        if known.position(name) is None:
            raise ProgrammingError(f"table {known.name} has no column {name}")
        return quote(name)

    @schema_table.autocomplete("name")
    @table_rows.autocomplete("name")
    @column_values.autocomplete("table")
    @find.autocomplete("table")
    @insert.autocomplete("table")
    @update.autocomplete("table")
    @delete.autocomplete("table")
    async def complete_table(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Suggest tables."""
        names = sorted(known.name for known in self.database.catalog.tables.values())
        return _choices(names, typed)

    @column_values.autocomplete("name")
    @find.autocomplete("column")
    @update.autocomplete("column")
    async def complete_column(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Suggest columns of the table that was chosen."""
        known = self.database.catalog.find_table(getattr(interaction.namespace, "table", "") or "")
        return _choices([] if known is None else [column.name for column in known.columns], typed)

    async def cog_app_command_error(
        self, interaction: discord.Interaction, error: app_commands.AppCommandError
    ) -> None:
        """Tell the user what was wrong."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        if not isinstance(cause, Error):
            raise error
        await self._answer(interaction, f"{type(cause).__name__}: {cause}")


def _choices(names: list[str], typed: str) -> list[app_commands.Choice[str]]:
    fitting = [name for name in names if typed.lower() in name.lower()]
    return [app_commands.Choice(name=name[:100], value=name) for name in fitting[:MAX_CHOICES] if len(name) <= 100]


async def setup(bot: commands.Bot) -> None:
    """Add the commands to a bot whose `db` is a Database; called by discord.py."""
    database = getattr(bot, "db", None)
    if not isinstance(database, Database):
        raise ProgrammingError("the bot has no discosql.Database; make one with discosql.Database(name, bot=bot) first")
    await bot.add_cog(DatabaseCommands(bot, database))
