"""A log that others, accidents and time have been at: what is wrong is noticed and named."""

import json
import random
import re
from pathlib import Path

import pytest
from stepped_clock import SteppedClock
from tables import add, create, insert, scan

from discosql.errors import DatabaseCorruptionError, DataError, OperationalError
from discosql.storage.engine import Engine, EngineOptions, open_engine
from discosql.storage.entry import digest
from discosql.storage.guild import Message
from discosql.storage.local import LocalGuild
from discosql.storage.local_store import Habits

OPTIONS = EngineOptions(checkpoint_entries=10**9, checkpoint_bytes=10**12)


async def prepared(habits: Habits | None = None) -> LocalGuild:
    """Return a guild whose log has four entries."""
    guild = LocalGuild.memory(clock=SteppedClock(), habits=habits)
    engine = await opened(guild)
    await create(engine)
    for name in ("Ada", "Grace", "Edsger"):
        await insert(engine, (name, 1))
    return guild


async def opened(guild: LocalGuild) -> Engine:
    return await open_engine(guild.peer(), options=OPTIONS)


async def log_of(guild: LocalGuild) -> list[Message]:
    """Return the messages of the log, oldest first."""
    (channel,) = [channel for channel in await guild.channels() if channel.name == "_dbmetadata"]
    return (await guild.messages(channel.id))[::-1]


async def names(engine: Engine) -> list[str]:
    return [row[2] for row in await scan(engine.begin())]


# The channel --------------------------------------------------------------------------------------------------------


async def test_a_missing_database_is_said_to_be_missing() -> None:
    guild = LocalGuild.memory("shop")
    with pytest.raises(OperationalError, match="there is no database stock on shop"):
        await open_engine(guild, "stock", create=False)


async def test_a_guild_holds_several_databases() -> None:
    guild = LocalGuild.memory()
    for name in ("one", "Two"):
        engine = await open_engine(guild.peer(), name)
        await create(engine)
        await insert(engine, (name, 1))
    assert await names(await open_engine(guild.peer(), "one", create=False)) == ["one"]
    assert await names(await open_engine(guild.peer(), "two", create=False)) == ["Two"]


async def test_an_entry_is_a_message_that_people_can_read() -> None:
    *_, message = await log_of(await prepared())
    text, code, check = message.content.split("\n```")
    assert text == "#4 INSERT users ×1"
    body = json.loads(code.removeprefix("json\n"))
    assert body["n"] == 4 and body["b"] == [[4, None, [["i", 1, [[3, 3, "Edsger", 1]]]]]]
    assert re.fullmatch(r"\n-# [0-9a-f]{24}", check)


async def test_the_documentation_tells_every_member_of_an_entry() -> None:
    guild = await prepared()
    engine = await opened(guild)
    await insert(engine, *[(f"name {number}", b"x") for number in range(200)])
    await engine.checkpoint()
    documentation = (Path(__file__).parent.parent / "docs" / "storage.md").read_text(encoding="utf-8")
    members: set[str] = set()
    for message in await log_of(guild):
        members |= json.loads(message.content.split("```json\n")[1].split("\n```")[0]).keys()
    assert members == {"discosql", "n", "p", "s", "x", "k", "o", "old", "b", "f", "c", "ct", "cs", "ca", "prev"}
    told = {
        name for line in documentation.splitlines() if line.startswith("| `") for name in re.findall("`(\\w+)`", line)
    }
    assert members <= told


# Messages that are no entries ---------------------------------------------------------------------------------------


async def test_messages_of_others_are_ignored() -> None:
    guild = await prepared()
    first, *_, last = await log_of(guild)
    stranger = guild.peer(account=99)
    await stranger.post(first.channel, last.content)
    await stranger.post(first.channel, '{"discosql": 1, "n": 5}')
    await guild.post(first.channel, "the same account, but no entry")
    engine = await opened(guild)
    assert await names(engine) == ["Ada", "Grace", "Edsger"]
    await insert(engine, ("Barbara", 1))
    assert await names(await opened(guild)) == ["Ada", "Grace", "Edsger", "Barbara"]


async def test_a_copy_of_an_entry_changes_nothing() -> None:
    guild = await prepared()
    for message in await log_of(guild):
        await guild.post(message.channel, message.content)
    engine = await opened(guild)
    assert engine.head == 4
    assert await names(engine) == ["Ada", "Grace", "Edsger"]


# Damage -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("position", [0, 1, 2])
async def test_a_deleted_entry_is_named_at_opening(position: int) -> None:
    guild = await prepared()
    messages = await log_of(guild)
    await guild.delete_message(messages[0].channel, messages[position].id)
    expected = f"slot {position + 1} of the log is missing: .* message {messages[position + 1].id} "
    with pytest.raises(DatabaseCorruptionError, match=expected):
        await opened(guild)


@pytest.mark.parametrize("position", [0, 2, 3])
async def test_an_edited_entry_is_named_at_opening(position: int) -> None:
    guild = await prepared()
    messages = await log_of(guild)
    await guild.edit(messages[0].channel, messages[position].id, messages[position].content.replace("users", "user"))
    with pytest.raises(
        DatabaseCorruptionError, match=f"slot {position + 1} .* message {messages[position].id} .* edited"
    ):
        await opened(guild)


async def test_a_damaged_entry_is_named() -> None:
    guild = await prepared()
    messages = await log_of(guild)
    await guild.post(messages[0].channel, messages[3].content.replace("Edsger", "edsger"))
    await guild.delete_message(messages[0].channel, messages[3].id)
    with pytest.raises(DatabaseCorruptionError, match=r"slot 4 .* damaged"):
        await opened(guild)


@pytest.mark.parametrize("change", ["deleted", "changed"])
async def test_a_running_engine_notices_that_its_last_entry_is_gone(change: str) -> None:
    guild = await prepared()
    engine = await opened(guild)
    *_, last = await log_of(guild)
    if change == "deleted":
        await guild.delete_message(last.channel, last.id)
    else:
        await guild.edit(last.channel, last.id, "nothing to see here")
    with pytest.raises(DatabaseCorruptionError, match=f"entry #4 of the log was {change}: message {last.id}"):
        await engine.refresh()
    # It stops for good: nothing may be built on what is gone.
    with pytest.raises(DatabaseCorruptionError):
        engine.begin()


async def test_a_missing_file_of_an_entry_is_named() -> None:
    guild = await prepared()
    engine = await opened(guild)
    await insert(engine, *[(f"name {number}", number) for number in range(100)])
    *_, message = await log_of(guild)
    assert message.attachments
    await guild.post(message.channel, message.content)
    await guild.delete_message(message.channel, message.id)
    with pytest.raises(DatabaseCorruptionError, match="slot 5 of the log cannot be read"):
        await opened(guild)


async def test_a_newer_format_is_refused_in_words() -> None:
    guild = await prepared()
    *_, message = await log_of(guild)
    code = message.content.split("```json\n")[1].split("\n")[0].replace('"discosql":1', '"discosql":2')
    code = code.replace('"n":4', '"n":5')
    await guild.post(message.channel, f"#5\n```json\n{code}\n```\n-# {digest(code.encode())}")
    with pytest.raises(OperationalError, match="format 2: it was written by a newer version of discosql"):
        await opened(guild)


# Size ---------------------------------------------------------------------------------------------------------------


async def test_ten_thousand_rows_are_two_requests() -> None:
    guild = await prepared()
    engine = await opened(guild)
    before = engine.requests.copy()
    await insert(engine, *[(f"name {number}", number) for number in range(10_000)])
    assert engine.requests.since(before).count == {"post": 1, "messages": 1}
    assert len(await names(await opened(guild))) == 10_003


async def test_what_is_too_large_for_a_message_goes_into_parts() -> None:
    guild = await prepared(Habits(file_limit=3_000, post_limit=9_000))
    engine = await opened(guild)
    rows = [(f"name {number}", (number * 2_654_435_761) % 2**32) for number in range(4_000)]
    await insert(engine, *rows)
    messages = await log_of(guild)
    assert len(messages) > 5
    again = await opened(guild)
    assert [row[2:] for row in await scan(again.begin())][3:] == rows
    await again.vacuum()
    assert len(await names(await opened(guild))) == 4_003


async def test_a_row_that_no_page_could_hold_is_refused() -> None:
    guild = await prepared(Habits(file_limit=3_000, post_limit=9_000))
    engine = await opened(guild)
    large = random.Random(1).randbytes(4_000)
    transaction = engine.begin()
    add(transaction, "large", large)
    with pytest.raises(DataError, match=r"a row of table users takes \d+ bytes; a file may have 3000"):
        await engine.commit(transaction)
    await insert(engine, ("large", large[:2_000]), ("larger", "x" * 100_000))
    assert await engine.checkpoint(everything=True)
    assert (await scan((await opened(guild)).begin()))[3:] == [
        (4, 4, "large", large[:2_000]),
        (5, 5, "larger", "x" * 100_000),
    ]


async def test_parts_that_are_too_old_make_an_entry_void() -> None:
    clock = SteppedClock()
    guild = LocalGuild.memory(clock=clock, habits=Habits(file_limit=3_000, post_limit=9_000))
    engine = await opened(guild)
    await create(engine)
    draft_of, slept = engine.log.draft, []

    def sleep_before_the_first_draft(*args, **options):  # type: ignore[no-untyped-def]
        draft = draft_of(*args, **options)
        if not slept:
            # The process is frozen between its parts and its entry, long enough for VACUUM elsewhere.
            clock.advance(3_000)
            slept.append(True)
        return draft

    engine.log.draft = sleep_before_the_first_draft  # type: ignore[method-assign]
    rows = [(f"name {number}", (number * 2_654_435_761) % 2**32) for number in range(4_000)]
    await insert(engine, *rows)
    assert engine.head == 3
    assert len(await names(await opened(guild))) == 4_000


async def test_a_log_of_many_pages_is_read_whole() -> None:
    guild = LocalGuild.memory(clock=SteppedClock())
    engine = await opened(guild)
    await create(engine)
    for number in range(250):
        await insert(engine, (f"name {number}", number))
    other = await opened(guild)
    assert other.requests.count["messages"] == 3
    assert other.state.tables[1].rows == 250
    for number in range(250, 500):
        await insert(engine, (f"name {number}", number))
    await other.refresh()
    assert await names(other) == [f"name {number}" for number in range(500)]


async def test_after_a_long_sleep_the_log_is_opened_anew() -> None:
    clock = SteppedClock()
    guild = LocalGuild.memory(clock=clock)
    options = EngineOptions(checkpoint_entries=10**9, page_size=2_000)
    engine = await open_engine(guild.peer(), options=options)
    await create(engine)
    sleeper = await open_engine(guild.peer(), options=options)
    sleeping = sleeper.begin()
    add(sleeping, "sleeper", 0)
    for number in range(3):
        await insert(engine, *[(f"name {number}.{each}", each) for each in range(100)])
        await engine.checkpoint()
        clock.advance(3_700)
    await engine.vacuum()
    assert len(await log_of(guild)) < 8
    await sleeper.refresh()
    assert sleeper.state.tables[1].rows == 300
    # What came after the old snapshot can no longer be told, so it may not be committed.
    with pytest.raises(OperationalError, match="could not serialize"):
        await sleeper.commit(sleeping)
    await insert(sleeper, ("awake", 1))
    assert len(await names(await opened(guild))) == 301


async def test_a_short_log_is_resumed_after_a_long_sleep() -> None:
    clock = SteppedClock()
    guild = LocalGuild.memory(clock=clock)
    engine = await opened(guild)
    await create(engine)
    transaction = engine.begin()
    add(transaction, "before the sleep", 1)
    clock.advance(7_200)
    await engine.commit(transaction)
    other = await opened(guild)
    transaction = other.begin()
    add(transaction, "the other", 1)
    await insert(engine, ("first", 1))
    clock.advance(7_200)
    with pytest.raises(OperationalError, match="could not serialize"):
        await other.commit(transaction)
    assert await names(other) == ["before the sleep", "first"]
