"""Encryption: what a guild gets to see, which keys open what, and what tampering comes to, on every kind of guild."""

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from guilds import Server

from discosql.aio import Connection
from discosql.errors import EncryptionKeyError, OperationalError
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.engine import EncryptionKey, EngineOptions, open_engine
from discosql.storage.guild import Guild
from discosql.storage.reading import read_after

pytestmark = pytest.mark.parametrize("server", ["memory", "file", "simcord"], indirect=True)

KEY = bytes(range(32))
OTHER = bytes(32)

NAMES = ["clients", "surname", "balance", "clients_by_surname", "rich_clients", "archive", "payload"]
VALUES = ["Yourcenar", "918273645", "2.718281828459045", "tail entry", "late arrival", "dGhlIGJsb2I"]


async def connect(guild: Guild, key: EncryptionKey | None = KEY, **options: Any) -> Connection:
    engine = await open_engine(guild, options=EngineOptions(key=key, page_size=4_096, **options))
    return Connection(Session(engine, DEFAULT), isolation_level=None)


async def rows(db: Connection, sql: str) -> list[Any]:
    return await (await db.execute(sql)).fetchall()


async def fill(db: Connection) -> None:
    """Make tables with pages, index pages, an overlay, a tail, files and texts, and a view."""
    await db.execute("CREATE TABLE clients (id INTEGER PRIMARY KEY, surname TEXT UNIQUE, balance REAL)")
    await db.execute("CREATE VIEW rich_clients AS SELECT surname FROM clients WHERE balance > 2.718281828459045")
    people = [(i, f"Yourcenar {i}", 2.718281828459045 * i) for i in range(1, 1_500)]
    await db.executemany("INSERT INTO clients VALUES (?, ?, ?)", people)
    await db.execute("CREATE TABLE archive (payload BLOB, n INTEGER)")
    await db.execute("INSERT INTO archive VALUES (?, 918273645)", (b"the blob",))
    assert await db._session.engine.checkpoint(everything=True)
    await db.execute("CREATE INDEX clients_by_surname ON clients (surname, balance)")
    assert await db._session.engine.checkpoint()
    await db.execute("UPDATE clients SET surname = 'late arrival' WHERE id = 7")
    assert await db._session.engine.checkpoint()
    await db.execute("INSERT INTO clients VALUES (5000, 'tail entry', -1)")


async def everything(guild: Guild) -> AsyncIterator[bytes]:
    """Yield all that a guild holds: names, topics, texts, file names, and files."""
    for channel in await guild.channels():
        yield channel.name.encode()
        yield channel.topic.encode()
        if channel.is_category:
            continue
        for message in (await read_after(guild, channel.id, 0))[0]:
            yield message.content.encode()
            for attachment in message.attachments:
                yield attachment.name.encode()
                yield await guild.download(attachment)


def unpacked(data: bytes) -> Iterator[bytes]:
    """Yield bytes and whatever can be had from them without a key: unzipped, and from base64."""
    yield data
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    for run in re.findall(rb"[A-Za-z0-9+/=]{24,}", data):
        try:
            decoded = base64.b64decode(run, validate=True)
        except binascii.Error:
            continue
        yield decoded
        for piece in (decoded, decoded[12:-16]):
            try:
                yield zlib.decompress(piece)
            except zlib.error:
                continue


async def found_in(guild: Guild, words: list[str]) -> set[str]:
    found = set()
    async for item in everything(guild):
        for data in unpacked(item):
            found |= {word for word in words if word.lower().encode() in data.lower()}
    return found


async def test_nothing_shows(server: Server) -> None:
    guild = await server.open()
    db = await connect(guild)
    await fill(db)
    looking = await server.open()
    assert await found_in(looking, NAMES + VALUES) == set()
    kinds = {channel.name for channel in await looking.channels() if not channel.is_category}
    assert "_dbmetadata" in kinds
    assert len([name for name in kinds if re.fullmatch("data-[0-9a-f]{16}", name)]) >= 3
    await db.close()


async def test_without_a_key_everything_shows(server: Server) -> None:
    db = await connect(await server.open(), None)
    await fill(db)
    assert await found_in(await server.open(), NAMES + VALUES) == set(NAMES + VALUES)
    await db.close()


async def test_reopening_with_the_key(server: Server) -> None:
    db = await connect(await server.open())
    await fill(db)
    await db.close()
    again = await connect(await server.open())
    assert await rows(again, "SELECT count(*), max(surname) FROM clients") == [(1500, "tail entry")]
    assert await rows(again, "SELECT id FROM clients WHERE surname = 'late arrival'") == [(7,)]
    assert await rows(again, "SELECT * FROM archive") == [(b"the blob", 918273645)]
    await again.close()


@pytest.mark.parametrize("key", [None, OTHER, "a passphrase"])
async def test_another_key_opens_nothing(server: Server, key: EncryptionKey | None) -> None:
    db = await connect(await server.open())
    await db.execute("CREATE TABLE t (x)")
    for prepare in (lambda: db.execute("INSERT INTO t VALUES (1)"), db._session.engine.checkpoint):
        await prepare()
        with pytest.raises(EncryptionKeyError) as caught:
            await connect(await server.open(), key)
        assert "key" in str(caught.value)
        assert repr(key) not in str(caught.value)
    await db.close()


async def test_a_key_for_a_plain_database(server: Server) -> None:
    db = await connect(await server.open(), None)
    await db.execute("CREATE TABLE t (x)")
    with pytest.raises(EncryptionKeyError, match="is not encrypted"):
        await connect(await server.open(), KEY)
    await db.close()


async def test_the_past(server: Server) -> None:
    db = await connect(await server.open())
    await db.execute("CREATE TABLE clients (surname TEXT)")
    await db.execute("INSERT INTO clients VALUES ('Yourcenar')")
    slot = db.stats()["slot"]
    await db.execute("DELETE FROM clients")
    past = f"SELECT surname FROM clients FOR SYSTEM_TIME AS OF {slot}"
    assert await rows(db, past) == [("Yourcenar",)]
    await db.rekey(OTHER)
    # This process still has the key of then, a new one only that of now.
    assert await rows(db, past) == [("Yourcenar",)]
    await db.close()
    again = await connect(await server.open(), OTHER)
    assert await rows(again, "SELECT * FROM clients") == []
    with pytest.raises(EncryptionKeyError):
        await again.execute(past)
    assert await rows(again, "SELECT * FROM clients") == []
    await again.close()


async def test_vacuum(server: Server) -> None:
    db = await connect(await server.open())
    await fill(db)
    server.clock.advance(7_300)
    await db.execute("DELETE FROM clients WHERE id % 2 = 0")
    assert await db._session.engine.checkpoint(everything=True)
    server.clock.advance(7_300)
    before = sum([len(item) async for item in everything(await server.open())])
    await db.execute("VACUUM")
    assert sum([len(item) async for item in everything(await server.open())]) < before
    await db.close()
    again = await connect(await server.open())
    assert await rows(again, "SELECT count(*) FROM clients WHERE id % 2 = 0") == [(0,)]
    assert await rows(again, "SELECT id FROM clients WHERE surname = 'Yourcenar 77'") == [(77,)]
    await again.close()


async def test_an_error_of_another_key_is_the_only_thing_that_comes(server: Server) -> None:
    db = await connect(await server.open())
    await db.execute("CREATE TABLE clients (surname TEXT)")
    guild = await server.open()
    before = guild.requests.copy()
    with pytest.raises(EncryptionKeyError) as caught:
        await connect(guild, None)
    assert "clients" not in str(caught.value)
    spent = guild.requests.since(before)
    assert spent.count["post"] == 0
    assert not isinstance(caught.value, OperationalError)
    await db.close()
