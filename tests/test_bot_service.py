"""Bots with real HTTP and a real gateway to Discord on this machine: the ready-made one, and attached ones."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import discord
import pytest
import simcord.interactions
from discord.ext import commands
from guilds import NAME, LoopbackServer, loopback_server
from loopback import TOKEN, Fault
from stepped_clock import SteppedClock

import discosql
from discosql import CommandAccess, Database, Table
from discosql.bot.service import access_of, serve
from discosql.cli.main import main

SLASH = 2


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopbackServer]:
    clock = SteppedClock()
    monkeypatch.setattr("discosql.storage.discord.Clock", lambda: clock)
    async with loopback_server(clock) as opened:
        yield opened


@contextlib.asynccontextmanager
async def running(bot: commands.Bot) -> AsyncIterator[None]:
    """Run a caller's own bot, as its caller would."""
    async with bot:
        task = asyncio.create_task(bot.start(TOKEN))
        try:
            yield
        finally:
            await bot.close()
            await task


def own_bot() -> commands.Bot:
    intents = discord.Intents(guilds=True, guild_messages=True)
    return commands.Bot(commands.when_mentioned, intents=intents, guild_ready_timeout=0.1)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def give_command(server: LoopbackServer, user: int, name: str, /, **options: str) -> str:
    """Give a command as a member of the server and return what the bot answered."""
    backend = server.backend
    channel = next(channel.id for channel in backend.channels.values() if channel.name == "talk")
    known = list(backend.commands[server.id].values())
    command = next(command for command in known if command["name"] == name)
    data = {
        "id": command["id"],
        "name": name,
        "type": 1,
        "guild_id": str(server.id),
        "options": [{"name": option, "type": 3, "value": value} for option, value in options.items()],
    }
    record, payload = simcord.interactions.base_payload(
        backend, type=SLASH, channel_id=channel, guild_id=server.id, user_id=user, data=data
    )
    backend.emit("INTERACTION_CREATE", payload)
    await until(lambda: record.message_id)
    message = backend.get_message(channel, record.message_id)
    await until(lambda: message.content or message.embeds)  # it said that the bot is thinking
    return "\n".join([message.content, *(str(embed.get("description")) for embed in message.embeds)])


def registered(server: LoopbackServer, guild: int | None) -> list[str]:
    return sorted(command["name"] for command in server.backend.commands.get(guild, {}).values())


def administrator(server: LoopbackServer) -> int:
    backend = server.backend
    backend.create_channel(server.id, "talk")
    role = backend.create_role(server.id, "admin", permissions=discord.Permissions(administrator=True).value)
    user = backend.make_user("ada")
    backend.add_member(server.id, user.id, roles=[role.id])
    return int(user.id)


async def test_the_ready_made_bot(server: LoopbackServer) -> None:
    user = administrator(server)
    told: list[str] = []
    task = asyncio.create_task(serve(NAME, "discosql", TOKEN, tell=told.append))
    await until(lambda: told)
    assert NAME in told[0]
    assert "permissions=" in told[1]
    names = registered(server, server.id)
    assert {"sql", "table", "find", "chart", "reset", "schema"} <= set(names)
    assert len(names) == len(set(names)) == 13
    assert registered(server, None) == []
    assert "done" in await give_command(server, user, "sql", statement="CREATE TABLE item (name TEXT)")
    assert "1 row changed" in await give_command(server, user, "insert", table="item", record='{"name": "tea"}')
    assert "tea" in await give_command(server, user, "table", name="item")
    os.kill(os.getpid(), signal.SIGTERM)
    await task
    assert told[-1] == "stopped"
    assert server.discord.sessions == 1


@pytest.mark.parametrize("token", ["wrong.token", ""])
async def test_wrong_tokens(server: LoopbackServer, token: str) -> None:
    with pytest.raises(discosql.OperationalError, match="token"):
        await serve(NAME, "discosql", token)


async def test_the_ready_made_bot_says_what_is_missing(server: LoopbackServer) -> None:
    with pytest.raises(discosql.NotFoundError, match=r"make one in Discord.*permissions="):
        await serve("Elsewhere", "discosql", TOKEN)
    server.forbid("manage_channels")
    with pytest.raises(discosql.ForbiddenError, match=r"Manage Channels.*permissions="):
        await serve(NAME, "discosql", TOKEN)


async def test_discord_does_not_take_the_commands(server: LoopbackServer) -> None:
    server.discord.faults.append(
        Fault(403, '{"code": 50001, "message": "Missing Access"}', method="PUT", path="/commands$")
    )
    with pytest.raises(discosql.ForbiddenError, match=r"slash commands.*applications.commands"):
        await serve(NAME, "discosql", TOKEN)


async def test_the_command_line(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISCOSQL_TOKEN", TOKEN)
    made: list[Database] = []
    start = Database.login_task

    def login_task(database: Database, token: str) -> Any:
        made.append(database)
        return start(database, token)

    monkeypatch.setattr(Database, "login_task", login_task)
    # The command runs an event loop of its own, in a thread that gets no signals: Discord ends it.
    server.discord.faults.append(Fault(403, '{"code": 50001, "message": "No"}', method="PUT", path="/commands$"))
    arguments = ["bot", f"discord://{server.id}/shop", "--read-role", "members", "--write-role", "7", "--timeout", "3"]
    assert await asyncio.to_thread(main, arguments) == 1
    assert "ForbiddenError" in capsys.readouterr().err
    assert made[0].command_access == CommandAccess(read=["members", 7], write=[7], timeout=3.0)
    assert "shop" in [channel.name for channel in server.backend.channels.values()]


def test_roles_on_the_command_line() -> None:
    access = access_of(["members", "42"], ["staff"], 5.0)
    assert (access.read, access.write, access.timeout) == (["members", 42, "staff"], ["staff"], 5.0)
    assert isinstance(access_of([], [], 5.0).read, discord.Permissions)


async def test_a_database_with_its_own_bot_starts_and_stops_and_starts_again(server: LoopbackServer) -> None:
    database = Database(NAME)

    @database.table
    class Item(Table):
        name: str

    for number in (1, 2):
        async with database.conn(TOKEN):
            await Item(name=f"tea {number}").save()
            assert await Item.count() == number
        assert not database.open
        with pytest.raises(discosql.NotConnectedError):
            await Item.count()
    assert server.discord.sessions == 2


async def test_a_database_whose_bot_is_stopped_by_others(server: LoopbackServer) -> None:
    database = Database(NAME)
    task = database.login_task(TOKEN)
    await database.wait_ready()
    with pytest.raises(RuntimeError):
        await database.login(TOKEN)
    await database.bot.close()
    await task
    assert not database.open
    with pytest.raises(ValueError, match="not open"):
        await database.close()
    with pytest.raises(discosql.NotConnectedError, match="stopped"):
        await database.wait_ready()


async def test_an_attached_database_has_no_connection_of_its_own(server: LoopbackServer) -> None:
    bot = own_bot()
    seen: list[int] = []

    @bot.event
    async def on_message(message: discord.Message) -> None:
        seen.append(message.id)

    database = Database(NAME, bot=bot)

    @database.table
    class Item(Table):
        name: str

    async with running(bot):
        await database.wait_ready()
        assert server.discord.sessions == 1
        await Item(name="tea").save()
        await until(lambda: seen)
        with pytest.raises(RuntimeError, match="connected already"):
            await database.login(TOKEN)
        await database.close()
        assert not bot.is_closed()
        assert {request.headers["Authorization"] for request in server.discord.requests} <= {f"Bot {TOKEN}"}


async def test_a_bot_that_runs_already_gets_a_database(server: LoopbackServer) -> None:
    bot = own_bot()
    async with running(bot):
        await until(bot.is_ready)
        database = Database(NAME, bot=bot)
        await asyncio.gather(database.wait_ready(), database.wait_ready())
        assert database.open
        assert registered(server, server.id).count("sql") == 1
        await database.close()


async def test_connections_that_break_leave_no_doubles(server: LoopbackServer) -> None:
    user = administrator(server)
    bot = own_bot()
    database = Database(NAME, bot=bot)
    heard: list[str] = []

    @bot.listen("on_ready")
    async def ready() -> None:
        heard.append("ready")

    @bot.listen("on_resumed")
    async def resumed() -> None:
        heard.append("resumed")

    async with running(bot):
        await database.wait_ready()
        engine = database._engine
        await server.discord.drop_gateway()
        await until(lambda: "resumed" in heard)
        assert server.discord.sessions == 2
        bot.dispatch("ready")  # as after a session that could not be resumed
        await until(lambda: heard.count("ready") == 2)
        assert database._engine is engine
        assert registered(server, server.id).count("sql") == 1
        before = len(server.discord.requests)
        assert "1" in await give_command(server, user, "sql", statement="SELECT 1 AS one")
        answers = [request for request in server.discord.requests[before:] if request.path.endswith("/callback")]
        assert len(answers) == 1
        await database.close()


async def test_a_closed_database_stays_closed_when_the_bot_connects_again(server: LoopbackServer) -> None:
    bot = own_bot()
    database = Database(NAME, bot=bot)
    async with running(bot):
        await database.wait_ready()
        await database.close()
        bot.dispatch("ready")
        await asyncio.sleep(0.05)
        assert not database.open
        await database.init()
        assert database.open
        await database.close()


async def test_cogs_are_reloaded_without_doubles(server: LoopbackServer) -> None:
    user = administrator(server)
    bot = own_bot()
    database = Database(NAME, bot=bot)
    async with running(bot):
        await database.wait_ready()
        for _ in range(2):
            await bot.reload_extension("discosql.bot.commands")
        assert len(bot.cogs) == 2
        await bot.tree.sync(guild=database.guild)
        assert registered(server, server.id).count("sql") == 1
        assert "1" in await give_command(server, user, "sql", statement="SELECT 1 AS one")
        await bot.unload_extension("discosql.bot.commands")
        assert not bot.cogs
        assert bot.tree.get_commands(guild=database.guild) == []
        await database.close()


async def test_commands_of_the_callers_own_stay(server: LoopbackServer) -> None:
    bot = own_bot()

    @bot.tree.command(description="mine")
    async def mine(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_message("here")

    database = Database(NAME, bot=bot)
    async with running(bot):
        await database.wait_ready()
        assert registered(server, None) == []  # telling Discord of them is left to their owner
        await bot.tree.sync()
        assert registered(server, None) == ["mine"]
        await database.close()


async def test_two_databases_on_two_servers(server: LoopbackServer) -> None:
    other = server.backend.create_guild("Other Server").id
    bot = own_bot()
    first, second = Database(NAME, bot=bot), Database("Other Server", bot=bot)
    async with running(bot):
        await first.wait_ready()
        await second.wait_ready()
        assert registered(server, server.id) == registered(server, other) != []
        await first.close()
        await second.close()


async def test_two_databases_on_one_server(server: LoopbackServer) -> None:
    bot = own_bot()
    first = Database(NAME, bot=bot)
    second = Database(NAME, bot=bot, database="more", slash_commands=False)
    third = Database(NAME, bot=bot, database="third")
    third._wanted = False
    async with running(bot):
        await first.wait_ready()
        await second.wait_ready()
        await second.sql("CREATE TABLE t (a)")
        assert list(first.catalog.tables) != list(second.catalog.tables)
        with pytest.raises(discosql.ProgrammingError, match="slash_commands=False"):
            await third.init()
        await first.close()
        await second.close()


def test_bots_that_cannot_know_their_servers() -> None:
    bot = commands.Bot(commands.when_mentioned, intents=discord.Intents.none())
    with pytest.raises(discosql.ProgrammingError, match="guilds"):
        Database(NAME, bot=bot)
