"""Changing the key of a database: from any to any, beside other writers, broken off anywhere."""

import asyncio
from typing import Any

import pytest
from faults import ONCE, Crash, Fault, FaultyGuild, at
from guilds import Server
from stepped_clock import SteppedClock
from test_encryption import KEY, NAMES, OTHER, VALUES, connect, everything, fill, found_in, rows

from discosql.aio import Connection
from discosql.errors import EncryptionKeyError, Error, OperationalError, UnknownOutcomeError
from discosql.session import Session
from discosql.storage.cache import PageCache
from discosql.storage.engine import EncryptionKey
from discosql.storage.guild import Guild
from discosql.storage.local import LocalGuild

on_all_guilds = pytest.mark.parametrize("server", ["memory", "file", "simcord"], indirect=True)
on_files = pytest.mark.parametrize("server", ["file"], indirect=True)

COUNTS = "SELECT count(*), sum(CAST(balance * 1000 AS INTEGER)), max(surname) FROM clients"
LOOKUP = "SELECT id FROM clients WHERE surname = 'Yourcenar 77'"


async def check(guild: Guild, key: EncryptionKey | None, counts: list[Any]) -> None:
    db = await connect(guild, key)
    assert await rows(db, LOOKUP) == [(77,)]
    assert await rows(db, COUNTS) == counts
    await db.close()


@on_all_guilds
@pytest.mark.parametrize(("old", "new"), [(KEY, OTHER), (None, KEY), (KEY, None)], ids=["another", "first", "none"])
async def test_only_the_new_key_opens(server: Server, old: EncryptionKey | None, new: EncryptionKey | None) -> None:
    db = await connect(await server.open(), old)
    await fill(db)
    counts = await rows(db, COUNTS)
    await db.rekey(new)
    assert await rows(db, COUNTS) == counts
    await db.execute("INSERT INTO clients VALUES (6000, 'under the new key', 0.0)")
    assert await rows(db, LOOKUP) == [(77,)]
    counts = await rows(db, COUNTS)
    with pytest.raises(EncryptionKeyError):
        await connect(await server.open(), old)
    await check(await server.open(), new, counts)
    await db.close()
    await check(await server.open(), new, counts)


@on_all_guilds
async def test_vacuum_removes_what_is_under_the_old_key(server: Server) -> None:
    db = await connect(await server.open(), None)
    await fill(db)
    counts = await rows(db, COUNTS)
    await db.rekey(KEY)
    guild = await server.open()
    assert await found_in(guild, NAMES + VALUES) == set(NAMES + VALUES)
    server.clock.advance(7_300)
    await db.execute("VACUUM")
    await db.close()
    assert await found_in(guild, NAMES + VALUES) == set()
    await check(await server.open(), KEY, counts)


@on_files
async def test_another_process_learns_of_the_new_key(server: Server) -> None:
    db = await connect(await server.open())
    await fill(db)
    other = await connect(await server.open())
    reader = other._session.engine.begin()
    await db.rekey(OTHER)
    with pytest.raises(EncryptionKeyError, match="another one"):
        await other.execute("INSERT INTO clients VALUES (7000, 'too late', 0.0)")
    with pytest.raises(EncryptionKeyError):
        await other.execute("SELECT * FROM clients")
    other._session.engine.rollback(reader)
    assert await rows(db, "SELECT * FROM clients WHERE id = 7000") == []
    await other.close()
    await db.close()


@on_files
async def test_commits_beside_it_are_kept(server: Server) -> None:
    db = await connect(await server.open())
    await fill(db)

    async def insert(number: int) -> None:
        await db.execute("INSERT INTO clients VALUES (?, ?, 0.0)", (8000 + number, f"beside {number}"))

    await asyncio.gather(db._session.engine.rekey(OTHER), *map(insert, range(40)))
    expected = [(40,)]
    assert await rows(db, "SELECT count(*) FROM clients WHERE id >= 8000") == expected
    again = await connect(await server.open(), OTHER)
    assert await rows(again, "SELECT count(*) FROM clients WHERE id >= 8000") == expected
    await again.close()
    await db.close()


@on_files
async def test_old_snapshots_stay_readable(server: Server) -> None:
    guild = await server.open()
    db = await connect(guild)
    await fill(db)
    reader = Connection(Session(db._session.engine, db._session.registry), isolation_level=None)
    await reader.execute("BEGIN")
    before = await rows(reader, "SELECT max(id) FROM archive JOIN clients")
    await db.rekey(OTHER)
    await db.execute("DELETE FROM clients")
    db._session.engine.pages.cache = PageCache(2**20)
    assert await rows(reader, "SELECT max(id) FROM archive JOIN clients") == before
    assert await rows(reader, LOOKUP) == [(77,)]
    await db.close()


@on_files
async def test_not_within_a_transaction(server: Server) -> None:
    db = await connect(await server.open())
    await db.execute("CREATE TABLE t (x)")
    await db.execute("BEGIN")
    await db.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(OperationalError, match="within a transaction"):
        await db.rekey(OTHER)
    await db.close()


@on_files
async def test_an_empty_database(server: Server) -> None:
    db = await connect(await server.open())
    await db.rekey(OTHER)
    await db.execute("CREATE TABLE t (x)")
    await db.close()
    with pytest.raises(EncryptionKeyError):
        await connect(await server.open(), KEY)
    await (await connect(await server.open(), OTHER)).close()


async def _prepared() -> tuple[LocalGuild, list[Any]]:
    guild = LocalGuild.memory(clock=SteppedClock())
    db = await connect(guild.peer())
    await db.execute("CREATE TABLE clients (id INTEGER PRIMARY KEY, surname TEXT UNIQUE, balance REAL)")
    people = [(i, f"Yourcenar {i}", 0.5 * i) for i in range(300)]
    await db.executemany("INSERT INTO clients VALUES (?, ?, ?)", people)
    assert await db._session.engine.checkpoint(everything=True)
    await db.execute("UPDATE clients SET balance = 7.0 WHERE id = 7")
    counts = await rows(db, COUNTS)
    await db.close()
    return guild, counts


async def _requests() -> int:
    guild, _ = await _prepared()
    faulty = FaultyGuild(guild.peer())
    db = await connect(faulty)
    before = faulty.number
    await db.rekey(OTHER)
    return faulty.number - before


@pytest.mark.parametrize("fault", ONCE)
async def test_a_fault_at_every_request(fault: Fault) -> None:
    for number in range(await _requests()):
        guild, counts = await _prepared()
        faulty = FaultyGuild(guild.peer())
        db = await connect(faulty)
        faulty.plan = at(faulty.number + 1 + number, fault)
        done: bool | None = True
        try:
            await db.rekey(OTHER)
        except (UnknownOutcomeError, Crash):
            done = None
        except Error:
            done = False
        opened = []
        for key in (KEY, OTHER):
            try:
                await check(guild.peer(), key, counts)
            except EncryptionKeyError:
                continue
            opened.append(key)
        assert len(opened) == 1
        assert done is None or opened == [OTHER if done else KEY]
        if not faulty.crashed:
            # Whatever became of it, the process that did it can go on.
            await db.execute("INSERT INTO clients VALUES (9000, 'after', 0.0)")
            await db.close()


async def test_nothing_is_posted_in_the_open_meanwhile() -> None:
    guild, _ = await _prepared()
    db = await connect(guild.peer())
    await db.rekey(OTHER)
    assert [item async for item in everything(guild.peer()) if b"Yourcenar" in item] == []
    await db.close()
