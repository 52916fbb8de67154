"""The messages of a database's channels, as people see them on Discord, on every guild."""

import pytest
from guilds import Server
from tables import create, insert

import discosql
from discosql.errors import OperationalError
from discosql.storage.engine import Engine, EngineOptions, list_messages, open_engine
from discosql.storage.guild import File, Guild
from discosql.storage.local import LocalGuild


async def filled(guild: Guild, key: str | None = None) -> Engine:
    """Return a database with a commit in its log, another one in a file, pages, and a checkpoint."""
    engine = await open_engine(guild, options=EngineOptions(checkpoint_entries=0, key=key))
    await create(engine)
    await insert(engine, *[(f"name {number}", number) for number in range(300)])
    await engine.checkpoint()
    return engine


async def test_what_each_message_is(server: Server, guild: Guild) -> None:
    engine = await filled(guild)
    own, _ = await list_messages(engine)
    assert [each.kind for each in own if each.channel == "_dbmetadata"] == ["checkpoint #3", "commit #2", "commit #1"]
    assert {each.kind for each in own if each.channel != "_dbmetadata"} == {"pages"}
    commit = next(each for each in own if each.kind == "commit #2")
    assert commit.text.startswith("#2 INSERT users ×300") and len(commit.files) == 1
    message = await guild.message(engine.channel.id, commit.id)
    assert commit.size == len(message.content.encode()) + message.attachments[0].size
    assert all(each.author == guild.account for each in own)
    assert all(abs(each.time - server.clock.now()) < 3600 for each in own)
    if commit.link:
        assert commit.link.endswith(f"/{engine.channel.id}/{commit.id}")

    stranger = await server.post_as_stranger(engine.channel.id, "hello\nthere")
    await server.edit(engine.channel.id, commit.id, "changed")
    await guild.post(engine.channel.id, "no entry")
    other = await guild.create_channel("chat", engine.channel.category or 0)
    await guild.post(other.id, "talk", [File("a.txt", b"12345")])
    await guild.sleep(guild.visibility)
    listed, has_more = await list_messages(engine)
    kinds = {each.id: each.kind for each in listed}
    assert not has_more and kinds[stranger] == "foreign" and kinds[commit.id] == "edited"
    (chat,), _ = await list_messages(engine, "chat")
    assert (chat.kind, chat.size, chat.files, chat.text) == ("foreign", 9, ("a.txt",), "talk")
    assert [each.kind for each in listed if each.text == "no entry"] == ["damaged"]
    assert next(each for each in listed if each.id == stranger).text == "hello"
    assert [each.id for each in listed] == sorted((each.id for each in listed), reverse=True)
    await engine.close()


async def test_the_newest_of_one_channel_or_of_all_and_what_that_asks(guild: Guild) -> None:
    engine = await filled(guild)
    await insert(engine, ("last", 1))
    whole, has_more = await list_messages(engine, limit=1_000)
    assert not has_more
    for limit in range(1, len(whole) + 2):
        listed, has_more = await list_messages(engine, limit=limit)
        assert listed == whole[:limit] and has_more == (limit < len(whole))
    log, _ = await list_messages(engine, str(engine.channel.id))
    assert log == [each for each in whole if each.channel == "_dbmetadata"]
    before = guild.requests.copy()
    await list_messages(engine, "_dbmetadata", 2)
    assert dict(guild.requests.since(before).count) == {"channels": 1, "messages": 1}
    with pytest.raises(OperationalError, match="no channel nowhere"):
        await list_messages(engine, "nowhere")
    await engine.close()


async def test_many_messages_take_a_page_for_each_hundred() -> None:
    async with discosql.aio.connect(":memory:") as db:
        await db.execute("CREATE TABLE t (a)")
        for number in range(130):
            await db.execute("INSERT INTO t VALUES (?)", (number,))
            await db.commit()
        before = db.requests.copy()
        messages, has_more = await db.messages("_dbmetadata", 110)
        assert (len(messages), has_more) == (110, True)
        assert len({each.kind for each in messages}) == 110
        assert db.requests.since(before).count["messages"] == 2


async def test_an_encrypted_database_tells_kinds_and_no_names() -> None:
    guild = LocalGuild.memory()
    engine = await filled(guild, "secret")
    messages, _ = await list_messages(engine)
    assert "commit #1" in [each.kind for each in messages]
    assert "users" not in "".join(each.text + each.channel for each in messages)
    await engine.close()


def test_a_synchronous_connection_lists_them_too() -> None:
    db = discosql.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE t (a)")
    messages, has_more = db.messages("_dbmetadata", 1)
    assert (messages[0].kind, has_more) == ("commit #1", False)
    db.close()
