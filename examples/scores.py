"""A score bot: how to give a bot that exists already a database.

The bot below has commands and listeners of its own; `Scores` is a cog that brings a database with it. It uses the bot's
connection and token, and goes away with the bot.

    export DISCOSQL_TOKEN=...
    python examples/scores.py "My Server"
"""

import asyncio
import os
import sys

import discord
from discord import app_commands
from discord.ext import commands

from discosql import CommandAccess, Database

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS point (id INTEGER PRIMARY KEY, member INTEGER NOT NULL, points INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS point_member ON point (member)",
)

BALANCE = "SELECT coalesce(sum(points), 0) FROM point WHERE member = ?"

TOP = """
    SELECT member, sum(points) AS score, rank() OVER (ORDER BY sum(points) DESC) AS place
    FROM point GROUP BY member HAVING score > 0 ORDER BY score DESC, member LIMIT 10
"""


class Scores(commands.Cog):
    """Points that members have, and give to each other."""

    def __init__(self, bot: commands.Bot, server: str) -> None:
        # Administrators get the database's own slash commands (/sql, /chart, ...) as well; members of the role
        # "statistics" may use those that only read.
        self.database = Database(server, bot=bot, slash_commands=CommandAccess(read=["statistics"]))
        self.bot = bot
        self._tables = asyncio.Lock()
        self._made = False

    async def cog_unload(self) -> None:
        """Close the database with the cog; the bot goes on."""
        if self.database.open:
            await self.database.close()

    async def ready(self) -> Database:
        """Return the database, with its tables made."""
        await self.database.wait_ready()
        async with self._tables:
            if not self._made:
                for statement in SCHEMA:
                    await self.database.sql(statement)
                self._made = True
        return self.database

    @app_commands.command(description="Give points of your own to another member")
    @app_commands.guild_only()
    async def give(
        self, interaction: discord.Interaction, member: discord.Member, points: app_commands.Range[int, 1, 1000]
    ) -> None:
        """Move points from one member to another: both or neither, whoever else gives at the same time."""
        await interaction.response.defer()
        database = await self.ready()
        async with database.transaction():
            ((balance,),) = await database.sql(BALANCE, interaction.user.id)
            if balance >= points:
                await database.sql(
                    "INSERT INTO point (member, points) VALUES (?, ?), (?, ?)",
                    *(interaction.user.id, -points, member.id, points),
                )
        if balance < points:
            await interaction.followup.send(f"You have {balance} points only.", ephemeral=True)
            return
        await interaction.followup.send(
            f"{interaction.user.mention} gave {points} points to {member.mention}.",
            allowed_mentions=discord.AllowedMentions(users=[member]),
        )

    @app_commands.command(description="Award points to a member")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def award(
        self, interaction: discord.Interaction, member: discord.Member, points: app_commands.Range[int, 1, 1000]
    ) -> None:
        """Make points out of nothing; for moderators."""
        await interaction.response.defer(ephemeral=True)
        database = await self.ready()
        await database.sql("INSERT INTO point (member, points) VALUES (?, ?)", member.id, points)
        await interaction.followup.send(f"{member.display_name} was awarded {points} points.")

    @app_commands.command(description="Who has the most points")
    @app_commands.guild_only()
    async def top(self, interaction: discord.Interaction) -> None:
        """Show the ten members with the most points. Read from memory: no request is made."""
        await interaction.response.defer()
        database = await self.ready()
        lines = [f"{row['place']}. <@{row['member']}>: {row['score']}" for row in await database.sql(TOP)]
        embed = discord.Embed(title="Scores", description="\n".join(lines) or "Nobody has points yet.")
        await interaction.followup.send(embed=embed, allowed_mentions=discord.AllowedMentions.none())


def existing_bot() -> commands.Bot:
    """Return the bot that was there before."""
    bot = commands.Bot(commands.when_mentioned, intents=discord.Intents(guilds=True, guild_messages=True))

    @bot.tree.command(description="Is the bot there?")
    async def ping(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"pong, {bot.latency * 1000:.0f} ms", ephemeral=True)

    return bot


async def main(server: str, token: str) -> None:
    """Run the bot until Ctrl-C."""
    async with existing_bot() as bot:
        await bot.add_cog(Scores(bot, server))

        @bot.listen()
        async def on_ready() -> None:
            await bot.tree.sync()

        await bot.start(token)


if __name__ == "__main__":
    if len(sys.argv) != 2 or "DISCOSQL_TOKEN" not in os.environ:
        sys.exit('usage: DISCOSQL_TOKEN=... python examples/scores.py "My Server"')
    asyncio.run(main(sys.argv[1], os.environ["DISCOSQL_TOKEN"]))
