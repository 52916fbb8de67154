"""Who may use which slash command, and whose buttons are whose."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
import simcord
from bot_world import World, bot_world, shown
from hypothesis import given
from hypothesis import strategies as st

from discosql import CommandAccess
from discosql.database_access import default_permissions

CHANGES = (
    "INSERT INTO user (name) VALUES ('Eve')",
    "INSERT INTO user (name) VALUES ('Eve') RETURNING name",
    "WITH x AS (SELECT 'Eve' AS name) INSERT INTO user (name) SELECT name FROM x",
    "WITH x AS (SELECT 1) DELETE FROM user RETURNING *",
    "REPLACE INTO user (name) VALUES ('Ada')",
    "UPDATE user SET age = 1",
    "/* SELECT */ DELETE FROM user",
    "-- SELECT\nDELETE FROM user",
    "EXPLAIN ANALYZE DELETE FROM user",
    "EXPLAIN ANALYZE INSERT INTO user (name) VALUES ('Eve') RETURNING name",
    "SELECT 1; DELETE FROM user",
    "SELECT 1;DELETE FROM user",
    "DROP TABLE user",
    "CREATE TABLE evil (a)",
    "CREATE TABLE evil AS SELECT * FROM user",
    "ALTER TABLE user ADD COLUMN evil",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA user_version = 5",
    "BEGIN",
    "SAVEPOINT s",
    "VACUUM",
    "REINDEX",
    "ANALYZE",
    "ATTACH 'x' AS y",
)
READS = (
    "SELECT name FROM user",
    "WITH x AS (SELECT 1 AS one) SELECT * FROM x",
    "VALUES (1), (2)",
    "EXPLAIN DELETE FROM user",
    "EXPLAIN ANALYZE SELECT * FROM user",
    "PRAGMA table_info(user)",
    "SELECT name FROM user;",
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with bot_world(CommandAccess(read=["readers"], write=["writers"])) as made:
        yield made


async def state(world: World) -> list[tuple[Any, ...]]:
    rows = [tuple(row) for row in await world.database.sql("SELECT * FROM user ORDER BY name")]
    tables = [tuple(row) for row in await world.database.sql("SELECT name, sql FROM sqlite_master ORDER BY name")]
    return [*rows, *tables, *map(tuple, await world.database.sql("PRAGMA foreign_keys"))]


async def test_only_administrators_have_the_commands_by_default() -> None:
    async with bot_world() as world:
        assert "sql" in world.admin.available_commands(world.channel)
        assert world.member.available_commands(world.channel) == ()
        moderator = world.member_with("eve", manage_guild=True)
        assert moderator.available_commands(world.channel) == ()
        with pytest.raises(simcord.SetupError, match="default-member-permissions"):
            await moderator.slash(world.channel, "table", name="user")


async def test_the_servers_settings_can_let_others_read_but_not_write() -> None:
    async with bot_world() as world:
        moderator = world.member_with("eve", role="moderators")
        role = world.guild.roles["moderators"]
        command = world.env.backend.find_command("sql", world.guild.id)
        assert command is not None
        world.env.backend.set_command_permissions(
            world.guild.id, int(command["id"]), [{"id": str(role.id), "type": 1, "permission": True}]
        )
        assert moderator.available_commands(world.channel) == ("sql",)
        assert "Ada" in await world.ask("sql", moderator, statement="SELECT * FROM user")
        before = await state(world)
        assert "read only" in await world.ask("sql", moderator, statement="DELETE FROM user")
        assert await state(world) == before


async def test_statements_that_change_something_are_refused_to_readers(world: World) -> None:
    reader = world.member_with("eve", role="readers")
    before = await state(world)
    for statement in CHANGES:
        assert "```" in await world.ask("sql", reader, statement=statement)
        assert await state(world) == before, statement
    for statement in CHANGES[:8]:
        await world.ask("export", reader, query=statement)
        await world.ask("chart", reader, query=statement)
        await world.ask("explain", reader, statement=f"ANALYZE {statement}")
    assert await state(world) == before


async def test_statements_that_only_read_are_not(world: World) -> None:
    reader = world.member_with("eve", role="readers")
    for statement in READS:
        answer = await world.ask("sql", reader, statement=statement)
        assert "read only" not in answer, statement
    assert "Scan" in await world.ask("explain", reader, statement="ANALYZE SELECT * FROM user")
    assert "Delete" in await world.ask("explain", reader, statement="DELETE FROM user")


@given(st.sampled_from(CHANGES), st.sampled_from(["", " ", "\n", "--x\n", "/**/", "\t;"]), st.booleans())
def test_dressing_a_change_up_does_not_make_it_a_query(change: str, before: str, upper: bool) -> None:
    import discosql

    with discosql.connect(":memory:", isolation_level=None) as db:
        db.execute("CREATE TABLE user (name TEXT UNIQUE, age INTEGER)")
        dressed = before + (change.upper() if upper else change)
        with contextlib.suppress(discosql.Error):
            assert not db.is_query(dressed)
    db.close()


async def test_roles_give_rights(world: World) -> None:
    reader, writer = world.member_with("eve", role="readers"), world.member_with("max", role="writers")
    assert "Ada" in await world.ask("table", reader, name="user")
    assert "Ada" in await world.ask("table", writer, name="user")
    record = '{"name": "Cy"}'
    assert "1 row changed" in await world.ask("insert", writer, table="user", record=record)
    assert "1 row changed" in await world.ask("sql", writer, statement="DELETE FROM user WHERE name = 'Cy'")
    for command, options in (
        ("insert", {"table": "user", "record": record}),
        ("update", {"table": "user", "column": "name", "current": "Ada", "new": "Cy"}),
        ("delete", {"table": "user", "record": '{"name": "Ada"}'}),
        ("reset", {}),
    ):
        assert f"you may not use /{command}" in await world.ask(command, reader, **options)
        assert f"you may not use /{command}" in await world.ask(command, world.member, **options)
    assert "you may not use /table" in await world.ask("table", world.member, name="user")
    assert "you may not use /schema" in await world.ask("schema table", world.member, name="user")
    assert "Ada" in await world.ask("table", name="user")
    assert await world.users.count() == 2


async def test_names_are_not_suggested_to_those_who_may_not_use_the_command(world: World) -> None:
    reader = world.member_with("eve", role="readers")
    assert await world.member.autocomplete(world.channel, "table", "name", "") == []
    assert await world.member.autocomplete(world.channel, "column", "name", "", table="user") == []
    assert await reader.autocomplete(world.channel, "insert", "table", "") == []
    assert await reader.autocomplete(world.channel, "table", "name", "") != []


async def test_rules_for_single_commands() -> None:
    access = CommandAccess(
        write=discord.Permissions(manage_guild=True),
        commands={
            "chart": discord.Permissions.none(),
            "reset": ["owners"],
            "export": discord.Permissions(attach_files=True),
        },
    )
    async with bot_world(access) as world:
        moderator = world.member_with("eve", manage_guild=True)
        assert set(world.member.available_commands(world.channel)) == {"chart", "reset", "export"}
        assert set(moderator.available_commands(world.channel)) == {
            "chart",
            "reset",
            "export",
            "insert",
            "update",
            "delete",
        }
        assert "you may not use /reset" in await world.ask("reset", moderator)
        assert "1 row changed" in await world.ask("insert", moderator, table="user", record='{"name": "Cy"}')
        assert (await world.message("chart", world.member, query="SELECT 'a', 1")).attachments


async def test_administrators_of_other_servers_have_no_part_in_it() -> None:
    async with bot_world() as world:
        other = world.env.create_guild("Other Server")
        role = other.create_role("admin", permissions=discord.Permissions(administrator=True))
        stranger = other.add_member(world.env.create_user("mallory"), roles=[role])
        channel = other.create_text_channel("talk")
        assert stranger.available_commands(channel) == ()
        with pytest.raises(simcord.SetupError):
            await stranger.slash(channel, "table", name="user")
        # Even where the commands were made for all servers, by loading them before the database was open.
        await world.env.bot.unload_extension("discosql.bot.commands")
        world.database.open = False
        await world.env.bot.load_extension("discosql.bot.commands")
        world.database.open = True
        await world.env.bot.tree.sync()
        world.env.bot.tree.clear_commands(guild=discord.Object(world.guild.id))
        await world.env.bot.tree.sync(guild=discord.Object(world.guild.id))
        result = await stranger.slash(channel, "table", name="user")
        assert result.response is not None
        assert "another server" in shown(result.response)
        assert await stranger.autocomplete(channel, "table", "name", "") == []
        assert "Ada" in await world.ask("table", name="user")


def test_rules() -> None:
    with pytest.raises(TypeError, match="collection"):
        CommandAccess(read="staff")
    assert default_permissions(["staff"]) is None
    assert default_permissions(discord.Permissions.none()) is None
    assert default_permissions(discord.Permissions(administrator=True)) == discord.Permissions(administrator=True)


async def test_buttons_belong_to_who_asked() -> None:
    async with bot_world(CommandAccess(read=["readers"])) as world:
        await world.users.save_all([world.users(name=f"user {number:03}") for number in range(200)])
        reader, other = world.member_with("eve", role="readers"), world.member_with("max", role="readers")
        mine = await world.message("table", reader, name="user")
        theirs = await world.message("table", other, name="user")
        assert "page 1 of 9 · 202 rows" in shown(mine)
        assert (await reader.click(mine, label="Next")).acknowledged
        assert "page 2 of 9" in shown(mine)
        assert "page 1 of 9" in shown(theirs)
        for label, page in (("Last", 9), ("Previous", 8), ("First", 1)):
            await reader.click(mine, label=label)
            assert f"page {page} of 9" in shown(mine)
        # Others do not even see the answer; were it public, the buttons would still not be theirs.
        with pytest.raises(simcord.SetupError):
            await other.click(mine, label="Next")
        stored = world.env.backend.get_message(int(world.channel.id), mine.id)
        stored.flags = 0
        pressed = await other.click(mine, label="Next")
        assert pressed.response is not None
        assert "somebody else" in pressed.response.content
        assert pressed.response.ephemeral
        assert "page 1 of 9" in shown(mine)


async def test_another_user_cannot_confirm_a_reset() -> None:
    async with bot_world() as world:
        other = world.member_with("eve", administrator=True)
        asked = (await world.admin.slash(world.channel, "reset")).response
        assert asked is not None
        world.env.backend.get_message(int(world.channel.id), asked.id).flags = 0
        pressed = await other.click(asked, label="Erase everything")
        assert pressed.response is not None
        assert "somebody else" in pressed.response.content
        assert await world.users.count() == 2
        await world.admin.click(asked, label="No")
        assert asked.content == "Nothing was changed."


async def test_buttons_go_grey() -> None:
    async with bot_world() as world:
        await world.users.save_all([world.users(name=f"user {number:03}") for number in range(60)])

        def enabled(message: Any) -> list[str]:
            return [
                button["label"]
                for row in message.components
                for button in row["components"]
                if not button.get("disabled", False)
            ]

        message = await world.message("table", name="user")
        assert enabled(message) == ["Next", "Last"]
        await world.admin.click(message, label="Last")
        assert enabled(message) == ["First", "Previous"]
        await world.env.advance_time(590)
        await world.admin.click(message, label="Previous")
        await world.env.advance_time(590)
        assert enabled(message) == ["First", "Previous", "Next", "Last"]
        await world.env.advance_time(20)
        assert enabled(message) == []
        untouched = await world.message("table", name="user")
        await world.env.advance_time(601)
        assert enabled(untouched) == []
