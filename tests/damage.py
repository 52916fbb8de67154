"""A small database with everything in it that can be damaged, and ways to damage it.

Two tables with indexes, two checkpoints, rows in pages and rows carried along, and a tail with entries in their
messages' text and in files.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from guilds import Server
from tables import add, create, look_up, scan

from discosql.errors import DatabaseCorruptionError
from discosql.executor.functions import DEFAULT
from discosql.schema import Column, Index, TableSchema
from discosql.storage.engine import Engine, EngineOptions, find_log, open_engine
from discosql.storage.guild import Guild, Message
from discosql.storage.reading import read_after
from discosql.types import Row, SqlType
from discosql.upkeep.check import CheckReport, Scope, check_stored
from discosql.upkeep.repair import repair_of

OPTIONS = EngineOptions(page_size=2_000, checkpoint_entries=10**9, checkpoint_bytes=10**12)

NOTES = TableSchema(
    id=10,
    name="notes",
    columns=(Column(1, "id", SqlType.INTEGER), Column(2, "text", SqlType.TEXT, not_null=True)),
    primary_key=(0,),
    rowid_column=0,
    indexes=(Index(11, "notes_text", (1,), unique=False, collations=("NOCASE",)),),
    sql="CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
)

Contents = dict[int, dict[int, Row]]
"""All rows, by table and rowid."""


async def make_database(guild: Guild) -> Contents:
    """Make the database; return what is in it."""
    engine = await open_engine(guild, options=OPTIONS)
    await create(engine)
    await create(engine, NOTES)
    await _commit(engine, lambda to: [add(to, f"name {number}", number % 7) for number in range(180)])
    await _commit(engine, lambda to: [add(to, f"Text {number % 50}", table=10) for number in range(120)])
    await engine.checkpoint(everything=True)
    await _commit(engine, lambda to: [add(to, f"later {number}", None) for number in range(90)])
    await _delete(engine, 1, range(10, 20))
    await engine.checkpoint(everything=True)
    await _delete(engine, 1, [1, 100])
    await _commit(engine, lambda to: [add(to, f"in a file {number}", 3) for number in range(150)])
    await _commit(engine, lambda to: [add(to, "last of all", table=10)])
    contents = {table: {row[0]: row for row in await scan(engine.begin(), table)} for table in (1, 10)}
    await engine.pages.close()
    return contents


async def _commit(engine: Engine, change: Callable[[Any], object]) -> None:
    transaction = engine.begin()
    change(transaction)
    await engine.commit(transaction)


async def _delete(engine: Engine, table: int, rowids: Any) -> None:
    transaction = engine.begin()
    for row in await look_up(transaction, None, *[(rowid,) for rowid in rowids], table=table):
        transaction.delete(table, row)
    await engine.commit(transaction)


async def reopen(guild: Guild) -> Engine:
    """Open the database as it is now."""
    return await open_engine(guild, create=False, options=OPTIONS)


async def check(guild: Guild) -> CheckReport:
    """Check it, history and all."""
    log = await find_log(guild, "discosql")
    return await check_stored(guild, log, OPTIONS, DEFAULT, Scope(history=True), lambda *_: None)


async def repair(guild: Guild) -> Any:
    """Repair it, whatever is lost by that; return the plan."""
    repairing = repair_of(guild, await find_log(guild, "discosql"), OPTIONS)
    plan = await repairing.plan()
    if not plan.is_empty:
        await repairing.execute(plan)
    return plan


async def read_all(guild: Guild, contents: Contents) -> list[str]:
    """Read everything in every way; return the errors that named the damage. Any other answer must be the right one."""
    errors: list[str] = []

    async def expect(read: Awaitable[list[Row]], rows: list[Row], what: str) -> None:
        try:
            found = await read
        except DatabaseCorruptionError as exc:
            errors.append(str(exc))
        else:
            assert found == rows, f"a wrong answer of {what}"

    try:
        engine = await reopen(guild)
    except DatabaseCorruptionError as exc:
        return [str(exc)]
    view = engine.begin()
    for table, column in ((1, 2), (1, 3), (10, 2)):
        rows = list(contents[table].values())
        await expect(scan(view, table), rows, f"a scan of {table}")
        index = {(1, 2): 2, (1, 3): 3, (10, 2): 11}[table, column]
        for key in sorted({row[column] for row in rows if row[column] is not None}, key=str)[::9]:
            wanted = [row for row in rows if _same(row[column], key)]
            await expect(look_up(view, index, (key,), table=table), wanted, f"index {index} for {key}")
        for rowid in range(1, 260, 23):
            wanted = [contents[table][rowid]] if rowid in contents[table] else []
            await expect(look_up(view, None, (rowid,), table=table), wanted, f"rowid {rowid} of {table}")
    await engine.pages.close()
    return errors


def _same(one: Any, other: Any) -> bool:
    return one == other if not isinstance(one, str) else one.lower() == other.lower()


# Damage ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One message, or one file of it, and what happens to it."""

    name: str
    message: Message
    damage: Callable[[Server, Guild, Message], Awaitable[None]]


async def messages_of(guild: Guild) -> list[Message]:
    """Return all messages of all channels, the log first."""
    found: list[Message] = []
    for channel in await guild.channels():
        if not channel.is_category:
            messages, _ = await read_after(guild, channel.id, 0)
            found += messages
    return found


async def delete(server: Server, guild: Guild, message: Message) -> None:
    await guild.delete_message(message.channel, message.id)


async def edit(server: Server, guild: Guild, message: Message) -> None:
    await server.edit(message.channel, message.id, message.content.replace('"n":', '"n": ').replace("`", "'"))


async def replace(server: Server, guild: Guild, message: Message) -> None:
    """Put somebody else's message with the same text in the place of ours."""
    await guild.delete_message(message.channel, message.id)
    await server.post_as_stranger(message.channel, message.content)


async def truncate(server: Server, guild: Guild, message: Message, number: int) -> None:
    data = await guild.download(message.attachments[number])
    server.change_file(message, number, data[: len(data) // 2])


async def garble(server: Server, guild: Guild, message: Message, number: int) -> None:
    data = await guild.download(message.attachments[number])
    server.change_file(message, number, data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])


async def swap(server: Server, guild: Guild, message: Message, number: int) -> None:
    """Exchange a file with the next one of the message, or with nothing but its own bytes backwards."""
    other = (number + 1) % len(message.attachments)
    mine, its = await guild.download(message.attachments[number]), await guild.download(message.attachments[other])
    server.change_file(message, number, its if other != number else mine[::-1])
    if other != number:
        server.change_file(message, other, mine)


def cases_of(messages: list[Message]) -> list[Case]:
    """Return every case for these messages."""
    cases = []
    for place, message in enumerate(messages):
        for damage in (delete, edit, replace):
            cases.append(Case(f"{damage.__name__} message {place}", message, damage))
        for number in range(len(message.attachments)):
            for harm in (truncate, garble, swap):
                name = f"{harm.__name__} file {number} of message {place}"
                cases.append(Case(name, message, partial(harm, number=number)))
    return cases
