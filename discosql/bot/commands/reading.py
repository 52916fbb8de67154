"""The commands that look: tables and their rows, SQL, plans, files, charts."""

import asyncio
import io
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

import discord
from discord import app_commands

from discosql.bot.charts import Kind, draw
from discosql.bot.commands.base import DatabaseCog, answer, defer
from discosql.bot.commands.values import equality
from discosql.bot.pages import SILENT
from discosql.bot.text import MAX_TITLE, count, cut, plain
from discosql.errors import DataError
from discosql.output import MODES, shown, table
from discosql.schema import quoted

MAX_SHOWN: Final = 1_000
"""Rows of a result that are shown in pages; /export gives all."""

TABLE_HEAD: Final = 2
"""Lines at the top of a table that every page repeats: the names, and the line below."""

MAX_CELL: Final = 200
"""Characters of a value in a table; /export gives them all."""

Row: TypeAlias = tuple[Any, ...]


class ReadingCommands(DatabaseCog):
    """What only reads. /sql runs other statements too, for those who may write."""

    schema = app_commands.Group(name="schema", description="What tables look like")

    @schema.command(name="table", description="The columns of a table")
    @app_commands.describe(name="the table")
    async def schema_table(self, interaction: discord.Interaction, name: str) -> None:
        """Show a table's columns."""
        known = self.known_table(name)
        key = {known.columns[position].name for position in known.primary_key}
        rows = [
            (
                column.name,
                column.declared or column.type.value,
                "key" if column.name in key else "",
                "no" if column.not_null else "yes",
                column.default or "",
            )
            for column in known.columns
        ]
        text = table(("column", "type", "key", "may be NULL", "default"), rows)
        note = count(len(known.columns), "column") + ", " + count(len(known.indexes), "index", "indexes")
        await answer(interaction, f"table {known.name}", text, note, head=TABLE_HEAD)

    @app_commands.command(name="table", description="The rows of a table or view")
    @app_commands.describe(name="the table or view")
    async def table_rows(self, interaction: discord.Interaction, name: str) -> None:
        """Show the rows of a table or view."""
        known = self.known_relation(name)
        await self._show(interaction, known, f"SELECT * FROM {quoted(known)}")

    @app_commands.command(name="column", description="One column of a table")
    @app_commands.describe(table="the table", name="the column")
    async def column_values(self, interaction: discord.Interaction, table: str, name: str) -> None:
        """Show one column's values."""
        known = self.known_table(table)
        column, _ = self.known_column(known, name)
        await self._show(interaction, f"{known.name}, column {name}", f"SELECT {column} FROM {quoted(known.name)}")

    @app_commands.command(name="tablestats", description="All tables, their rows, columns and indexes")
    async def table_stats(self, interaction: discord.Interaction) -> None:
        """Show what tables there are."""
        rows = []
        for known in self.database.catalog.tables.values():
            cursor = await self.run(interaction, f"SELECT count(*) FROM {quoted(known.name)}")
            ((number,),) = await cursor.fetchall()
            rows.append((known.name, number, len(known.columns), len(known.indexes)))
        text = table(("table", "rows", "columns", "indexes"), rows) if rows else "no tables"
        await answer(interaction, "tables", text, count(len(rows), "table"), head=TABLE_HEAD if rows else 0)

    @app_commands.command(name="find", description="Rows of a table with a value in a column")
    @app_commands.describe(table="the table", column="the column", value="the value, as it is shown in answers")
    async def find(self, interaction: discord.Interaction, table: str, column: str, value: str) -> None:
        """Show the rows that have a value in a column."""
        known = self.known_table(table)
        name, kind = self.known_column(known, column)
        condition, parameter = equality(name, kind, value)
        statement = f"SELECT * FROM {quoted(known.name)} WHERE {condition}"
        await self._show(interaction, f"{known.name} with {column} = {value}", statement, parameter)

    @app_commands.command(name="sql", description="Run a SQL statement")
    @app_commands.describe(statement="SELECT …; whoever may write may run anything")
    async def sql(self, interaction: discord.Interaction, statement: str) -> None:
        """Run a statement; changes are for those who may write."""
        self.check_may_run(interaction, statement)
        await self._show(interaction, statement, statement)

    @app_commands.command(name="explain", description="How a SQL statement would be run")
    @app_commands.describe(statement="the statement; begin with ANALYZE to run and measure it")
    async def explain(self, interaction: discord.Interaction, statement: str) -> None:
        """Show a statement's plan."""
        explained = f"EXPLAIN {statement}"
        self.check_may_run(interaction, explained)
        rows = await (await self.run(interaction, explained)).fetchall()
        await answer(interaction, f"plan of {statement}", "\n".join(str(row[0]) for row in rows))

    @app_commands.command(name="export", description="The result of a query as a file")
    @app_commands.describe(query="a SELECT", format="what the file is to be")
    async def export(
        self, interaction: discord.Interaction, query: str, format: Literal["csv", "json"] = "csv"
    ) -> None:
        """Send a query's result as a file."""
        names, rows = await self._result(interaction, query)
        data = MODES[format](names, rows).encode(errors="backslashreplace")
        if len(data) > interaction.filesize_limit:
            raise DataError(
                f"the result has {len(data):,} bytes, and this server takes files of {interaction.filesize_limit:,}; "
                "export fewer columns, or parts of it with LIMIT and OFFSET"
            )
        file = discord.File(io.BytesIO(data), filename=f"result.{format}")
        await interaction.followup.send(count(len(rows), "row"), file=file, ephemeral=True, allowed_mentions=SILENT)

    @app_commands.command(name="chart", description="A picture of a query's result")
    @app_commands.describe(
        query="a SELECT: what the places are called in the first column, numbers in the others",
        kind="how to draw it",
        title="what to write above it",
    )
    async def chart(self, interaction: discord.Interaction, query: str, kind: Kind = "bar", title: str = "") -> None:
        """Send a bar, line or pie chart of a query's result."""
        names, rows = await self._result(interaction, query)
        image = await asyncio.to_thread(draw, kind, names, rows, title)
        embed = discord.Embed(title=plain(title, MAX_TITLE) or None, colour=discord.Colour.blurple())
        embed.set_image(url="attachment://chart.png").set_footer(text=count(len(rows), "row"))
        file = discord.File(io.BytesIO(image), filename="chart.png")
        await interaction.followup.send(embed=embed, file=file, ephemeral=True, allowed_mentions=SILENT)

    # Within -----------------------------------------------------------------------------------------------------

    async def _result(self, interaction: discord.Interaction, query: str) -> tuple[list[str], list[Row]]:
        """Run a query and return its columns' names and its rows."""
        self.check_may_run(interaction, query)
        await defer(interaction)
        if not self.database.new_connection().is_query(query):
            raise DataError("this statement returns no rows; give a SELECT")
        cursor = await self.run(interaction, query)
        return [column[0] for column in cursor.description or ()], await cursor.fetchall()

    async def _show(self, interaction: discord.Interaction, title: str, statement: str, *parameters: Any) -> None:
        cursor = await self.run(interaction, statement, *parameters)
        if cursor.description is None:
            done = f"{count(cursor.rowcount, 'row')} changed" if cursor.rowcount >= 0 else "done"
            await answer(interaction, title, done)
            return
        rows = await cursor.fetchall()
        note = count(len(rows), "row")
        if len(rows) > MAX_SHOWN:
            note += f", of which the first {MAX_SHOWN:,} are shown; /export gives all"
        text = table([column[0] for column in cursor.description], [_narrow(row) for row in rows[:MAX_SHOWN]])
        await answer(interaction, title, text, note, head=TABLE_HEAD)

    @schema_table.autocomplete("name")
    @column_values.autocomplete("table")
    @find.autocomplete("table")
    async def suggest_table(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Suggest tables."""
        return await self.complete_table(interaction, typed)

    @table_rows.autocomplete("name")
    async def suggest_relation(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Suggest tables and views."""
        return await self.complete_relation(interaction, typed)

    @column_values.autocomplete("name")
    @find.autocomplete("column")
    async def suggest_column(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Suggest columns of the table that was chosen."""
        return await self.complete_column(interaction, typed)


def _narrow(row: Row) -> Row:
    """Return a row whose values are short enough to be shown; numbers and NULL stay what they are."""
    return tuple(value if value is None or isinstance(value, int | float | Decimal) else _short(value) for value in row)


def _short(value: Any) -> str:
    # A large BLOB is not written out in hexadecimal only to be cut.
    return cut(shown(value[: MAX_CELL + 1] if isinstance(value, bytes | str) else value), MAX_CELL)
