"""Programs written for the library discobase, unchanged but for the import, with a bot of the database's own.

discord.py's real client talks to Discord on this machine.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator

import pytest
from discord.ext import commands
from loguru import logger
from loopback import TOKEN, Fault, LoopbackDiscord
from stepped_clock import SteppedClock

import discosql as discobase
from discosql.database_start import own_bot

SERVER = "My Server"


def quick_bot() -> commands.Bot:
    """Return the bot that a database makes itself, which waits less for further servers than discord.py does."""
    bot = own_bot()
    bot._connection.guild_ready_timeout = 0.05
    return bot


@pytest.fixture
async def discord_server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopbackDiscord]:
    """Discord, with a server that the bot is on."""
    clock = SteppedClock()
    monkeypatch.setattr("discosql.storage.discord.Clock", lambda: clock)
    monkeypatch.setattr("discosql.database.own_bot", quick_bot)
    async with LoopbackDiscord(clock).running() as running:
        running.backend.create_guild(SERVER)
        yield running


def test_names_and_modules_are_where_they_were() -> None:
    for module, names in {
        "discosql": "Database Table DiscobaseError NotConnectedError DatabaseCorruptionError DatabaseStorageError "
        "DatabaseTableError DatabaseLookupError __version__ __license__",
        "discosql.database": "Database",
        "discosql.table": "Table",
        "discosql.exceptions": "DiscobaseError NotConnectedError DatabaseCorruptionError DatabaseStorageError "
        "DatabaseTableError DatabaseLookupError",
    }.items():
        for name in names.split():
            assert getattr(importlib.import_module(module), name) is getattr(discobase, name)
    assert discobase.__license__ == "MIT"


def test_errors_are_of_both_families() -> None:
    for error, kind in (
        (discobase.DatabaseCorruptionError, discobase.DatabaseError),
        (discobase.DatabaseLookupError, discobase.ProgrammingError),
        (discobase.DatabaseStorageError, discobase.ProgrammingError),
        (discobase.DatabaseTableError, discobase.ProgrammingError),
        (discobase.NotConnectedError, discobase.InterfaceError),
    ):
        assert issubclass(error, discobase.DiscobaseError)
        assert issubclass(error, kind)
        assert issubclass(error, discobase.Error)


async def test_a_program_with_conn(discord_server: LoopbackDiscord) -> None:
    db = discobase.Database(SERVER)

    @db.table
    class User(discobase.Table):
        name: str
        password: str

    assert (db.name, db.guild, db.open, db.tables) == (SERVER, None, False, {"user": User})
    assert isinstance(db.bot, commands.Bot)
    async with db.conn(TOKEN):
        assert db.open
        assert db.guild is not None and db.guild.name == SERVER
        peter = User(name="Peter", password="foobar")
        assert peter.__disco_id__ == -1
        task = peter.save()
        assert isinstance(task, asyncio.Task)
        await task
        assert peter.__disco_id__ != -1
        found = await User.find_unique(name="Peter", password="foobar")
        found.password = "barfoo"
        await found.update()
        peter = (await User.find_unique(name="Peter", strict=False)) or User(name="Peter", password="foobar")
        assert peter.password == "barfoo"
        peter.commit()
        User(name="Paul", password="x").save()
    assert not db.open
    async with db.conn(TOKEN):
        assert {user.name for user in await User.find()} == {"Peter", "Paul"}
        await (await User.find_unique(name="Paul")).delete()
        assert len(await db.tables["user"].find()) == 1
    assert (User.__disco_database__, User.__disco_name__, User.__disco_keys__) == (db, "user", {"name", "password"})


async def test_a_program_with_login_task(discord_server: LoopbackDiscord) -> None:
    db = discobase.Database(SERVER)
    task = db.login_task(TOKEN)
    assert isinstance(task, asyncio.Task)
    await db.wait_ready()
    with pytest.raises(RuntimeError):
        await db.login(TOKEN)
    with pytest.raises(RuntimeError):
        db.login_task(TOKEN)

    @db.table
    class Late(discobase.Table):
        something: str

    with pytest.raises(discobase.DatabaseTableError):
        await Late(something="x").save()
    await db.build_tables()
    await db.build_tables()
    await Late(something="x").save()
    assert len(await Late.find(something="x")) == 1
    await db.close()
    await task
    with pytest.raises(ValueError, match="not open"):
        await db.close()
    with pytest.raises(discobase.NotConnectedError):
        await Late.find()


async def test_the_log_is_a_channel_of_the_server(discord_server: LoopbackDiscord) -> None:
    db = discobase.Database(SERVER)
    assert db._metadata_channel is None
    async with db.conn(TOKEN):
        assert db.guild is not None and db._metadata_channel is not None
        assert db._metadata_channel.name == "_dbmetadata"
        assert db._metadata_channel in db.guild.channels


async def test_init_looks_for_the_server_again(discord_server: LoopbackDiscord) -> None:
    db = discobase.Database(SERVER)

    @db.table
    class User(discobase.Table):
        name: str

    async with db.conn(TOKEN):
        await User(name="Ada").save()
        guild, db.guild = db.guild, None
        await db.init()
        assert db.guild == guild
        assert len(await User.find()) == 1
        await db.init()  # changes nothing
        await db.clean()
        with pytest.raises(discobase.DatabaseTableError, match="build_tables"):
            await User.find()
        await db.build_tables()
        assert await User.find() == []


@pytest.mark.parametrize(
    ("server", "token", "said"),
    [
        ("Elsewhere", TOKEN, "no server named Elsewhere.*make one in Discord.*invite the bot"),
        (SERVER, "wrong", "refused the bot's token"),
    ],
)
async def test_what_goes_wrong_at_the_start_is_raised(
    discord_server: LoopbackDiscord, server: str, token: str, said: str
) -> None:
    db = discobase.Database(server)
    with pytest.raises(discobase.OperationalError, match=said):
        async with db.conn(token):
            pytest.fail("the block must not run")
    task = db.login_task(token)
    with pytest.raises(discobase.OperationalError, match=said):
        await db.wait_ready()
    await asyncio.wait({task})
    assert not db.open
    if not task.cancelled():
        task.exception()


async def test_a_server_error_at_the_start_is_survived(discord_server: LoopbackDiscord) -> None:
    discord_server.faults.append(Fault(500, method="GET", path="/messages"))
    db = discobase.Database(SERVER)
    async with db.conn(TOKEN):
        assert db.open


async def test_logging_is_switched_by_the_argument(discord_server: LoopbackDiscord) -> None:
    told: list[str] = []
    sink = logger.add(lambda message: told.append(str(message)), format="{name} {message}")
    try:
        async with discobase.Database(SERVER).conn(TOKEN):
            pass
        assert told == []
        async with discobase.Database(SERVER, logging=True).conn(TOKEN):
            pass
        assert any("is ready on server" in line for line in told)
        assert not any(TOKEN in line for line in told)
    finally:
        logger.remove(sink)
        logger.disable("discosql")
