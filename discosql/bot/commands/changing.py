"""The commands that change rows, and the one that erases everything."""

import json
from typing import Any, ClassVar

import discord
from discord import app_commands

from discosql.bot.commands.base import DatabaseCog, answer
from discosql.bot.commands.values import equality, stored
from discosql.bot.pages import SILENT, Confirm
from discosql.bot.text import count
from discosql.errors import DataError
from discosql.schema import TableSchema, quoted


class ChangingCommands(DatabaseCog):
    """What changes rows."""

    writes: ClassVar[bool] = True

    @app_commands.command(name="insert", description="Add a row, given as a JSON object")
    @app_commands.describe(table="the table", record='the row, such as {"name": "Ada", "age": 36}')
    async def insert(self, interaction: discord.Interaction, table: str, record: str) -> None:
        """Add a row."""
        known = self.known_table(table)
        values = self._record(known, record)
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        statement = f"INSERT INTO {quoted(known.name)} ({names}) VALUES ({marks})"
        await self._change(interaction, known, statement, *values.values())

    @app_commands.command(name="update", description="Replace a value in a column by another")
    @app_commands.describe(table="the table", column="the column", current="the value to replace", new="its successor")
    async def update(self, interaction: discord.Interaction, table: str, column: str, current: str, new: str) -> None:
        """Replace a value wherever a column has it."""
        known = self.known_table(table)
        name, kind = self.known_column(known, column)
        condition, parameter = equality(name, kind, current)
        statement = f"UPDATE {quoted(known.name)} SET {name} = ? WHERE {condition}"
        await self._change(interaction, known, statement, stored(kind, new), parameter)

    @app_commands.command(name="delete", description="Remove the rows that have the values of a JSON object")
    @app_commands.describe(table="the table", record='values that all must fit, such as {"name": "Ada"}')
    async def delete(self, interaction: discord.Interaction, table: str, record: str) -> None:
        """Remove the rows that equal a record in all its columns."""
        known = self.known_table(table)
        values = self._record(known, record)
        condition = " AND ".join(f"{name} IS ?" for name in values)
        await self._change(interaction, known, f"DELETE FROM {quoted(known.name)} WHERE {condition}", *values.values())

    @app_commands.command(name="reset", description="Erase the whole database, for ever")
    async def reset(self, interaction: discord.Interaction) -> None:
        """Erase everything, after a question."""
        question = Confirm(interaction, "Erase everything")
        await interaction.response.send_message(
            "This erases every table and every row of the database, for ever.",
            view=question,
            ephemeral=True,
            allowed_mentions=SILENT,
        )
        await question.wait()
        if question.confirmed:
            await self.database.clean()
            await self.database.build_tables()
            await question.show(content="The database is empty now.")

    # Within -----------------------------------------------------------------------------------------------------

    def _record(self, known: TableSchema, text: str) -> dict[str, Any]:
        """Return the values of the JSON object that a user wrote, by quoted column name."""
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise DataError(f"the record is no JSON: {exc}") from exc
        if not isinstance(record, dict) or not record:
            raise DataError('a record is a JSON object such as {"name": "Ada", "age": 36}')
        values = {}
        for key, value in record.items():
            name, kind = self.known_column(known, key)
            values[name] = stored(kind, value) if isinstance(value, str) else value
        return values

    async def _change(self, interaction: discord.Interaction, known: TableSchema, statement: str, *values: Any) -> None:
        cursor = await self.run(interaction, statement, *values)
        await answer(interaction, known.name, f"{count(cursor.rowcount, 'row')} changed")

    @insert.autocomplete("table")
    @update.autocomplete("table")
    @delete.autocomplete("table")
    async def suggest_table(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Suggest tables."""
        return await self.complete_table(interaction, typed)

    @update.autocomplete("column")
    async def suggest_column(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Suggest columns of the table that was chosen."""
        return await self.complete_column(interaction, typed)
