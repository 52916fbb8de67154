"""Damage: each message and each file of a small database harmed in turn. Never a wrong answer: the right one, or an
error that names what is harmed; `check` finds all of it, and a repair leaves a database that is whole.
"""

import sqlite3

import pytest
from damage import Case, Contents, cases_of, check, make_database, messages_of, read_all, reopen, repair
from guilds import LocalServer, Server
from stepped_clock import SteppedClock
from tables import scan

from discosql.errors import DatabaseCorruptionError
from discosql.storage.engine import open_engine
from discosql.storage.guild import Guild, Message
from discosql.storage.local import LocalGuild
from discosql.storage.local_store import Habits, Store


class CopiedServer(LocalServer):
    """A server in memory with the contents of another."""

    def __init__(self, original: LocalServer) -> None:
        super().__init__(original.clock, None)
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        original._first._store._connection.backup(connection)
        self._first = LocalGuild(Store(connection, self.clock.now, Habits()), self.clock)
        self._opened.append(self._first)


async def assert_harmless_or_named(server: Server, guild: Guild, contents: Contents, case: Case) -> None:
    """Do the damage and look at everything that may come of it."""
    await case.damage(server, guild, case.message)
    errors = await read_all(await server.open(), contents)
    report = await check(await server.open())
    place = str(case.message.id)
    named = [problem for problem in report.problems if place in problem.text or problem.message == case.message.id]
    slot = case.message.content.split()[0].lstrip("#")
    named += [problem for problem in report.problems if str(problem.slot) == slot]
    assert named or "slots 1 to" in str(report.problems), f"{case.name}: check has not found it: {report.problems}"
    if errors:
        assert not report.ok, f"{case.name}: check thinks all is well, but {errors[0]}"
        assert all("message" in error or "slot" in error for error in errors)
    await assert_repaired(server, contents, report.opens)


async def assert_repaired(server: Server, contents: Contents, opened: bool) -> None:
    plan = await repair(await server.open())
    if plan.slot is None:
        with pytest.raises(DatabaseCorruptionError):
            await reopen(await server.open())
        return
    lost = {loss.table for loss in plan.pages if loss.rebuilt is None}
    engine = await reopen(await server.open())
    for name, table in (("users", 1), ("notes", 10)):
        if opened and name not in lost:
            assert {row[0]: row for row in await scan(engine.begin(), table)} == contents[table]
        elif table in engine.state.tables:
            await scan(engine.begin(), table)
    report = await check(await server.open())
    assert report.opens and not [problem for problem in report.problems if problem.severity == "damage"]


@pytest.fixture(scope="module")
def originals() -> dict[str, tuple[LocalServer, Contents, list[Message]]]:
    return {}


async def original(
    originals: dict[str, tuple[LocalServer, Contents, list[Message]]],
) -> tuple[LocalServer, Contents, list[Message]]:
    if not originals:
        server = LocalServer(SteppedClock(), None)
        contents = await make_database(await server.open())
        originals["memory"] = server, contents, await messages_of(await server.open())
    return originals["memory"]


async def test_the_database_is_whole_before(
    originals: dict[str, tuple[LocalServer, Contents, list[Message]]],
) -> None:
    server, contents, messages = await original(originals)
    assert await read_all(await server.open(), contents) == []
    report = await check(await server.open())
    assert report.ok and report.problems == [] and report.opens
    assert len(messages) >= 12 and sum(len(message.attachments) for message in messages) >= 15


@pytest.mark.parametrize("share", range(4))
async def test_damage_of_each_message_and_file(
    originals: dict[str, tuple[LocalServer, Contents, list[Message]]], share: int
) -> None:
    source, contents, messages = await original(originals)
    newest = max(message.id for message in messages if message.content.startswith("#"))
    for case in cases_of(messages)[share::4]:
        if case.name.startswith("replace") and case.message.id == newest:
            continue  # the next test tells why
        server = CopiedServer(source)
        await assert_harmless_or_named(server, await server.open(), contents, case)
        await server.close()


async def test_the_newest_entry_is_not_missed_once_a_stranger_has_written_after_it() -> None:
    """What nobody can find out: only the channel remembers its newest message, and it is another one by now."""
    server = LocalServer(SteppedClock(), None)
    guild = await server.open()
    await make_database(guild)
    log = max((message for message in await messages_of(guild) if message.content.startswith("#")), key=lambda m: m.id)
    await guild.delete_message(log.channel, log.id)
    await server.post_as_stranger(log.channel, "What is this channel for?")
    report = await check(await server.open())
    assert report.opens and [problem.severity for problem in report.problems] == ["note"]


KINDS = ("delete", "edit", "replace", "truncate", "garble", "swap")


@pytest.mark.parametrize("server", ["file", "simcord", "loopback"], indirect=True)
@pytest.mark.parametrize("kind", KINDS)
async def test_damage_on_every_guild(server: Server, kind: str) -> None:
    guild = await server.open()
    contents = await make_database(guild)
    cases = [case for case in cases_of(await messages_of(guild)) if case.name.startswith(kind)]
    # One of each kind is enough here: which one is left to the kind, so that all sorts of messages have their turn.
    case = cases[(7 * KINDS.index(kind) + 5) % len(cases)]
    await assert_harmless_or_named(server, guild, contents, case)


@pytest.mark.parametrize("server", ["memory", "simcord", "loopback"], indirect=True)
async def test_the_last_commit_deleted(server: Server) -> None:
    guild = await server.open()
    contents = await make_database(guild)
    log = max((message for message in await messages_of(guild) if message.content.startswith("#")), key=lambda m: m.id)
    await guild.delete_message(log.channel, log.id)
    with pytest.raises(DatabaseCorruptionError, match=f"message {log.id} of channel {log.channel} was the newest"):
        await reopen(await server.open())
    plan = await repair(await server.open())
    assert [entry.slot for entry in plan.entries] == [int(log.content.split()[0][1:])]
    engine = await reopen(await server.open())
    assert {row[0]: row for row in await scan(engine.begin(), 1)} == contents[1]
    assert len(await scan(engine.begin(), 10)) == len(contents[10]) - 1


async def test_a_deleted_log_is_not_taken_for_a_new_database() -> None:
    server = LocalServer(SteppedClock(), None)
    guild = await server.open()
    await make_database(guild)
    log = next(channel for channel in await guild.channels() if channel.name == "_dbmetadata")
    await guild.delete_channel(log.id)
    with pytest.raises(DatabaseCorruptionError, match="_dbmetadata was deleted"):
        await open_engine(await server.open())


async def test_a_process_that_has_what_was_given_up_stops() -> None:
    server = LocalServer(SteppedClock(), None)
    await make_database(await server.open())
    alive = await reopen(await server.open())

    async def delete_a_note() -> None:
        server.clock.advance(10)
        transaction = alive.begin()
        transaction.delete(10, (await scan(transaction, 10))[0])
        await alive.commit(transaction)

    await delete_a_note()
    await delete_a_note()
    entries = [message for message in await messages_of(await server.open()) if message.content.startswith("#")]
    await alive.guild.delete_message(entries[-3].channel, entries[-3].id)
    plan = await repair(await server.open())
    assert [entry.slot for entry in plan.entries] == [alive.head - 2, alive.head - 1, alive.head]
    before = alive.head
    with pytest.raises(DatabaseCorruptionError, match="follows an entry that is not there"):
        await delete_a_note()
    with pytest.raises(DatabaseCorruptionError):
        alive.begin()
    engine = await reopen(await server.open())
    assert engine.head > before
    assert (await check(await server.open())).opens
