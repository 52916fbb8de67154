"""A thousand inserts from a thousand coroutines: requests, seconds on Discord, and seconds here."""

import asyncio
import time

import pytest
from guilds import Server

from discosql.aio import Connection
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.engine import open_engine


async def insert_a_thousand(db: Connection) -> None:
    inserts = [db.execute("INSERT INTO t (n) VALUES (?)", (number,)) for number in range(1_000)]
    await asyncio.gather(*inserts)


@pytest.mark.parametrize("server", ["memory", "file", "simcord", "loopback"], indirect=True)
@pytest.mark.parametrize("owner", [True, False])
async def test_a_thousand_inserts_from_a_thousand_coroutines(server: Server, owner: bool) -> None:
    """Also when another process has made the last commit."""
    guild, others = await server.open(), await server.open()
    db = Connection(Session(await open_engine(guild), DEFAULT), isolation_level=None)
    await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER UNIQUE)")
    other = Connection(Session(await open_engine(others), DEFAULT), isolation_level=None)
    if not owner:
        await other.execute("INSERT INTO t (n) VALUES (-1)")
    requests, modelled, began = guild.requests.copy(), guild.model.seconds, time.process_time()
    await insert_a_thousand(db)
    assert time.process_time() - began < (1.0 if owner else 3.0)
    assert guild.requests.since(requests).rest <= (6 if owner else 10), guild.requests.since(requests).count
    assert guild.model.seconds - modelled <= 10.0
    await other._session.engine.refresh(latest=True)
    counts = await (await other.execute("SELECT count(*), count(DISTINCT n) FROM t WHERE n >= 0")).fetchall()
    assert counts == [(1_000, 1_000)]
    await db.close()
    await other.close()
