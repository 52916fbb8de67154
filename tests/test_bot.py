"""Slash commands, used by members with and without rights on a simulated Discord."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import discord
import pytest
import simcord
from discord.ext import commands
from simcord_shim import SimcordShim, shimmed_dispatch
from stepped_clock import SteppedClock

from discosql import Database, Field, Table
from discosql.bot.pages import MAX_TEXT, Pages, code_block, split_pages

SERVER = "Test Server"


@dataclass
class World:
    """A server with an administrator, a member without rights, a channel, and a database with one table."""

    env: simcord.Env
    database: Database
    admin: simcord.MemberActor
    member: simcord.MemberActor
    channel: simcord.ChannelHandle
    users: type[Table]

    async def ask(self, command: str, who: simcord.MemberActor | None = None, **options: Any) -> str:
        """Give a command and return what it answered."""
        message = await self.message(command, who, **options)
        assert message.ephemeral
        return message.content

    async def message(self, command: str, who: simcord.MemberActor | None = None, **options: Any) -> Any:
        """Give a command and return the message it answered with."""
        result = await (who or self.admin).slash(self.channel, command, **options)
        message = result.followups[-1] if result.followups else result.response
        assert message is not None
        return message

    async def channel_message(self, view: discord.ui.View) -> discord.Message:
        """Send a message with buttons that everybody sees."""
        channel = self.database.bot.get_channel(int(self.channel.id))
        assert isinstance(channel, discord.TextChannel)
        return await channel.send("pages", view=view)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    clock = SteppedClock()
    monkeypatch.setattr("discosql.storage.discord.Clock", lambda: clock)
    bot = commands.Bot(command_prefix="!", help_command=None, intents=discord.Intents(guilds=True, guild_messages=True))
    with shimmed_dispatch():
        env = simcord.Env(bot)
        await env.start()
        SimcordShim(env.backend, clock)
        guild = env.create_guild(SERVER)
        role = guild.create_role("admin", permissions=discord.Permissions(administrator=True))
        admin = guild.add_member(env.create_user("ada"), roles=[role])
        member = guild.add_member(env.create_user("bob"))
        channel = guild.create_text_channel("talk")
        database = Database(SERVER, bot=bot)

        @database.table
        class User(Table):
            name: str = Field(unique=True)
            age: int | None = None

        await env.settle()
        await database.init()
        await User.save_all([User(name="Ada", age=36), User(name="Bob")])
        yield World(env, database, admin, member, channel, User)
        if database.open:
            await database.close()
        await env.shutdown()


async def test_looking(world: World) -> None:
    assert "name    TEXT     no" in await world.ask("schema table", name="user")
    assert "Ada" in await world.ask("table", name="user")
    answer = await world.ask("column", table="user", name="age")
    assert "36" in answer
    assert "Ada" not in answer
    assert "user      2" in await world.ask("tablestats")
    found = await world.ask("find", table="user", column="age", value="36")
    assert "Ada" in found
    assert "Bob" not in found
    assert "no rows" in await world.ask("find", table="user", column="name", value="Zoe")


async def test_changing(world: World) -> None:
    assert "1 row changed" in await world.ask("insert", table="user", record='{"name": "Cy", "age": 5}')
    assert "1 row changed" in await world.ask("update", table="user", column="name", current="Cy", new="Di")
    assert [(user.name, user.age) for user in await world.users.find(name="Di")] == [("Di", 5)]  # type: ignore[attr-defined]
    assert "1 row changed" in await world.ask("delete", table="user", record='{"name": "Di", "age": 5}')
    assert "1 row changed" in await world.ask("delete", table="user", record='{"age": null}')
    assert await world.users.count() == 1


async def test_sql_explain_export(world: World) -> None:
    assert "72" in await world.ask("sql", statement="SELECT age * 2 FROM user WHERE name = 'Ada'")
    assert "IndexLookup: user.name" in await world.ask("explain", statement="SELECT * FROM user WHERE name = 'Ada'")
    await world.ask("sql", statement="DELETE FROM user WHERE name = 'Bob'")
    assert await world.users.count() == 1
    (attachment,) = (await world.message("export", query="SELECT * FROM user", format="csv")).attachments
    assert attachment.filename == "result.csv"


async def test_errors_are_told(world: World) -> None:
    for command, options, said in (
        ("table", {"name": "nothing"}, "no such table: nothing"),
        ("column", {"table": "user", "name": "x"}, "has no column x"),
        ("insert", {"table": "user", "record": "{"}, "no JSON"),
        ("insert", {"table": "user", "record": "[]"}, "JSON object"),
        ("insert", {"table": "user", "record": '{"name": "Ada"}'}, "UNIQUE constraint failed"),
        ("sql", {"statement": "SELEC"}, "syntax error"),
    ):
        assert said in await world.ask(command, **options)


async def test_only_administrators_have_the_commands(world: World) -> None:
    assert "sql" in world.admin.available_commands(world.channel)
    assert world.member.available_commands(world.channel) == ()


async def test_reset_asks_first(world: World) -> None:
    asked = asyncio.create_task(world.admin.slash(world.channel, "reset"))
    for _ in range(50):
        await asyncio.sleep(0)
    result = await asked
    assert result.response is not None
    refused = await world.admin.click(result.response, label="No")
    assert refused.acknowledged
    assert await world.users.count() == 2


async def test_buttons_belong_to_who_asked(world: World) -> None:
    await world.users.save_all([world.users(name=f"user {number:03}") for number in range(200)])
    message = await world.message("table", name="user")
    assert "page 1 of" in message.content
    turned = await world.admin.click(message, label="Next")
    assert turned.acknowledged
    # Others do not even see the answer; were it public, the buttons would still not be theirs.
    with pytest.raises(simcord.SetupError):
        await world.member.click(message, label="Next")
    pages = Pages(int(world.admin.id), ["one", "two"])
    public = await world.channel_message(pages)
    stranger = await world.member.click(public, label="Next")
    assert stranger.response is not None
    assert "somebody else" in stranger.response.content


async def test_tables_and_columns_are_suggested(world: World) -> None:
    assert [choice["value"] for choice in await world.admin.autocomplete(world.channel, "table", "name", "us")] == [
        "user"
    ]
    columns = await world.admin.autocomplete(world.channel, "column", "name", "a", table="user")
    assert [choice["value"] for choice in columns] == ["name", "age"]


def test_no_text_breaks_out_of_its_block_or_its_page() -> None:
    assert "```" not in code_block("``` @everyone ```")[4:-3]
    text = "head\n----\n" + "\n".join(f"row {number} " + "x" * (number % 700) for number in range(300))
    pages = split_pages(text)
    assert all(len(page) <= MAX_TEXT and page.startswith("head\n----\n") for page in pages)
    assert all(f"row {number} " in "\n".join(pages) for number in range(300))
