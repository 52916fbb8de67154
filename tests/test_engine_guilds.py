"""The same work on every guild: what the engine does must not depend on where its messages are."""

import pytest
from guilds import Server
from tables import add, create, insert, look_up, scan

from discosql.errors import DatabaseCorruptionError, SerializationError
from discosql.storage.engine import Engine, EngineOptions, open_engine

OPTIONS = EngineOptions(page_size=4_000, checkpoint_entries=10**9, checkpoint_bytes=10**12)


async def opened(server: Server) -> Engine:
    return await open_engine(await server.open(), "shop", options=OPTIONS)


async def test_a_life_of_a_database(server: Server) -> None:
    engine = await opened(server)
    await create(engine)
    await insert(engine, *[(f"name {number}", number % 50) for number in range(1_000)])
    assert await engine.checkpoint()
    await insert(engine, ("später ☃ \0 `x`", 1.5))
    slot = engine.head

    again = await opened(server)
    before = again.requests.copy()
    assert await look_up(again.begin(), 2, ("name 700",)) == [(701, 701, "name 700", 0)]
    asked = again.requests.since(before)
    assert asked.rest <= 2 and asked.downloads <= 2
    assert len(await look_up(again.begin(), 3, (7,))) == 20
    assert await look_up(again.begin(), 2, ("nobody",)) == []
    assert [row[2] for row in await scan(again.begin())][-1] == "später ☃ \0 `x`"

    transaction = again.begin()
    (row,) = await look_up(transaction, None, (5,))
    transaction.delete(1, row)
    add(transaction, "new", None)
    await again.commit(transaction)
    assert await again.checkpoint(everything=True)
    server.clock.advance(3_700)
    await again.vacuum()

    third = await opened(server)
    assert len(await scan(third.begin())) == 1_001
    assert await look_up(third.begin(), None, (5,)) == []
    await engine.refresh(latest=True)
    assert len(await scan(engine.begin())) == 1_001
    past = await third.begin_as_of(slot)
    assert len(await scan(past)) == 1_001


async def test_two_writers(server: Server) -> None:
    one, two = await opened(server), await opened(server)
    await create(one)
    await two.refresh(latest=True)
    for number in range(3):
        await insert(one, (f"one {number}", number))
        await two.refresh(latest=True)
        await insert(two, (f"two {number}", number))
        await one.refresh(latest=True)
    assert await scan(one.begin()) == await scan(two.begin())
    assert len(await scan(one.begin())) == 6
    late = two.begin()
    add(late, "x", 1)
    await insert(one, ("y", 1))
    with pytest.raises(SerializationError):
        await two.commit(late)


async def test_what_strangers_write_is_ignored_and_what_they_change_is_noticed(server: Server) -> None:
    engine = await opened(server)
    await create(engine)
    await insert(engine, ("Ada", 1))
    log = engine.channel.id
    last = engine.log.head.message
    await server.post_as_stranger(log, '```json\n{"discosql":1,"n":3}\n```\n-# 000000000000000000000000')
    await insert(await opened(server), ("Grace", 2))
    await engine.refresh(latest=True)
    assert [row[2] for row in await scan(engine.begin())] == ["Ada", "Grace"]
    await server.edit(log, last, "gone")
    with pytest.raises(DatabaseCorruptionError, match=f"message {last}"):
        await opened(server)
