"""A bookmark bot: a right click on a message saves it, ``/bookmarks`` lists what you saved.

    export DISCOSQL_TOKEN=...
    python examples/bookmarks.py "My Server"

The bot needs no privileged intent: Discord hands over a message with the click on its menu. Everybody sees their own
bookmarks only.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime

import discord
from discord import app_commands
from discord.ext import commands

from discosql import Database, Field, Table, desc

EXCERPT = 80
SHOWN = 20


class Bookmark(Table):
    """A message that a member wants to find again."""

    id: int | None = Field(default=None, primary_key=True)
    member: int = Field(index=True)
    url: str
    author: str
    excerpt: str
    saved: datetime = Field(default_factory=lambda: datetime.now(UTC))


class BookmarkBot(commands.Bot):
    """A bot with a database on one of its servers."""

    def __init__(self, server: str) -> None:
        super().__init__(commands.when_mentioned, intents=discord.Intents(guilds=True, guild_messages=True))
        # The database works through this bot's connection. Its own slash commands are for administrators of databases,
        # so this bot, which is for everybody, goes without them.
        self.database = Database(server, bot=self, slash_commands=False)
        self.database.table(Bookmark)
        self.tree.add_command(app_commands.ContextMenu(name="Bookmark", callback=save_bookmark))
        self.tree.add_command(list_bookmarks)
        self.tree.add_command(forget_bookmark)

    async def setup_hook(self) -> None:
        """Tell Discord of the commands."""
        await self.tree.sync()

    async def close(self) -> None:
        """Let the database finish what it is doing before the connection goes."""
        if self.database.open:
            await self.database.close()
        await super().close()


@app_commands.guild_only()
async def save_bookmark(interaction: discord.Interaction, message: discord.Message) -> None:
    """Save the message that was clicked, once."""
    await interaction.response.defer(ephemeral=True)  # saving asks Discord, which may take longer than three seconds
    member = interaction.user.id
    if await Bookmark.find(member=member, url=message.jump_url):
        await interaction.followup.send("You have this bookmark already.")
        return
    text = " ".join(message.content.split()) or "(no text)"
    excerpt = text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"
    bookmark = Bookmark(member=member, url=message.jump_url, author=message.author.display_name, excerpt=excerpt)
    await bookmark.save()
    await interaction.followup.send(f"Saved as bookmark {bookmark.id}.")


@app_commands.command(name="bookmarks", description="What you saved, the newest first")
@app_commands.guild_only()
async def list_bookmarks(interaction: discord.Interaction) -> None:
    """Show a member's newest bookmarks."""
    await interaction.response.defer(ephemeral=True)
    mine = Bookmark.where(Bookmark.member == interaction.user.id)
    newest = await mine.order_by(desc(Bookmark.saved), desc(Bookmark.id)).limit(SHOWN)
    if not newest:
        await interaction.followup.send("You have no bookmarks. Right-click a message, then Apps, then Bookmark.")
        return
    lines = [
        # What people wrote is shown as text: no markup, links or mentions of theirs.
        f"{bookmark.id}. [{discord.utils.escape_markdown(bookmark.author)}]({bookmark.url}) "
        f"{discord.utils.format_dt(bookmark.saved, 'R')}: {discord.utils.escape_markdown(bookmark.excerpt)}"
        for bookmark in newest
    ]
    embed = discord.Embed(title="Your bookmarks", description="\n".join(lines)[:4096])
    embed.set_footer(text=f"{len(newest)} of {await mine.count()}")
    await interaction.followup.send(embed=embed, allowed_mentions=discord.AllowedMentions.none())


@app_commands.command(name="forget", description="Remove one of your bookmarks")
@app_commands.describe(number="its number in /bookmarks")
@app_commands.guild_only()
async def forget_bookmark(interaction: discord.Interaction, number: int) -> None:
    """Remove a bookmark of the member's own."""
    await interaction.response.defer(ephemeral=True)
    bookmark = await Bookmark.find_unique(strict=False, id=number, member=interaction.user.id)
    if bookmark is None:
        await interaction.followup.send("You have no bookmark of this number.")
        return
    await bookmark.delete()
    await interaction.followup.send(f"Bookmark {number} is forgotten.")


async def main(server: str, token: str) -> None:
    """Run the bot until Ctrl-C."""
    async with BookmarkBot(server) as bot:
        await bot.start(token)


if __name__ == "__main__":
    if len(sys.argv) != 2 or "DISCOSQL_TOKEN" not in os.environ:
        sys.exit('usage: DISCOSQL_TOKEN=... python examples/bookmarks.py "My Server"')
    asyncio.run(main(sys.argv[1], os.environ["DISCOSQL_TOKEN"]))
