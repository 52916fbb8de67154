"""EXPLAIN through a connection: what is expected of the guild, and what was really asked of it."""

import json
import re
from typing import Any

import pytest
from guilds import Server

from discosql.aio import Connection
from discosql.errors import DataError
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.engine import EngineOptions, open_engine

OPTIONS = EngineOptions(page_size=4_000, checkpoint_entries=10**9, checkpoint_bytes=10**12)


async def opened(server: Server) -> Connection:
    return Connection(Session(await open_engine(await server.open(), options=OPTIONS), DEFAULT), isolation_level=None)


async def lines(connection: Connection, sql: str) -> list[str]:
    return [row[0] for row in await (await connection.execute(sql)).fetchall()]


async def measured(connection: Connection, sql: str) -> dict[str, Any]:
    (text,) = await lines(connection, f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture
async def shop(server: Server) -> Connection:
    """A connection to a table of 2,000 rows, on pages none of which is in memory."""
    first = await opened(server)
    await first.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind INTEGER)")
    rows = [(number, f"name {number}", number % 50) for number in range(2_000)]
    await first.executemany("INSERT INTO item VALUES (?, ?, ?)", rows)
    await first.execute("CREATE INDEX item_kind ON item (kind)")
    await first._session.engine.checkpoint(everything=True)
    return await opened(server)


async def test_leaves_name_their_channels_and_what_they_are_expected_to_cost(shop: Connection) -> None:
    by_name = "SELECT kind FROM item WHERE name = 'name 77'"
    told = await lines(shop, f"EXPLAIN {by_name}")
    assert told[0] == "Projection: item.kind"
    assert re.fullmatch(
        r"└─ IndexLookup: item.name \('name 77'\)  \(channels #item_name and #item, expected requests 4, "
        r"expected bytes [\d,]+\)",
        told[1],
    )
    assert re.fullmatch(r"expected: 4 requests for [\d,]+ bytes", told[2])
    told = await lines(shop, "EXPLAIN SELECT sum(kind) FROM item")
    pages = shop._session.engine.statistics(1).pages
    assert f"Scan: item  (channel #item, expected requests {pages + -(-pages // 10)}," in told[-2]
    told = await lines(shop, "EXPLAIN UPDATE item SET kind = 1 WHERE id = 5")
    assert "(channel #item, expected requests 2," in told[-2]
    assert re.fullmatch(r"expected: 2 requests for [\d,]+ bytes and 2 requests to commit", told[-1])

    before = shop.requests.copy()
    (text,) = await lines(shop, f"EXPLAIN (FORMAT JSON) {by_name}")
    data = json.loads(text)
    (leaf,) = data["plan"][0]["children"]
    assert (leaf["node"], leaf["channels"], leaf["expected_requests"]) == ("IndexLookup", ["#item_name", "#item"], 4)
    assert data["expected"] == {"requests": 4, "bytes": leaf["expected_bytes"], "commit_requests": 0}
    assert not shop.requests.since(before).count


async def test_analyze_measures_what_was_expected(shop: Connection) -> None:
    by_name = "SELECT kind FROM item WHERE name = 'name 77'"
    cold = await measured(shop, by_name)
    assert cold["rows"] == 1 and cold["plan"][0]["children"][0]["rows"] == 1
    assert cold["requests"]["download"] == 2 and sum(cold["requests"].values()) == cold["expected"]["requests"] == 4
    assert 0 < cold["bytes_received"] <= 3 * cold["expected"]["bytes"]
    assert cold["milliseconds"] > 0
    warm = await measured(shop, by_name)
    # Which pages a key is on is not known to the planner, and most are not in memory.
    assert (warm["requests"], warm["bytes_received"], warm["expected"]["requests"]) == ({}, 0, 4)
    known = shop._session.engine.statistics(1)
    missing = known.pages - known.cached_pages
    assert missing == known.pages - 1
    scan = await measured(shop, "SELECT sum(kind) FROM item")
    assert scan["requests"]["download"] == missing
    assert scan["expected"]["requests"] - 2 <= sum(scan["requests"].values()) <= scan["expected"]["requests"] + 2
    change = await measured(shop, "UPDATE item SET kind = 1 WHERE id < 3")
    assert change["rows"] == 3 and change["expected"]["commit_requests"] == 2
    assert change["requests"]["post"] == 1 and change["bytes_sent"] > 0
    text = await lines(shop, "EXPLAIN ANALYZE SELECT kind FROM item WHERE id = 77")
    assert text[1] == "└─ IndexLookup: item.id (77)  (rows 1, channel #item, expected requests 0, expected bytes 0)"
    assert text[2:5] == ["expected: no requests", "rows: 1", "requests: none"]
    assert re.fullmatch(r"time: [\d.]+ ms here, [\d.]+ s on Discord", text[6])


async def test_analyze_of_a_statement_that_fails_fails(shop: Connection) -> None:
    with pytest.raises(DataError, match="cannot store TEXT value in INTEGER column"):
        await shop.execute("EXPLAIN ANALYZE UPDATE item SET kind = 'x' WHERE id = 1")
    assert (await measured(shop, "SELECT * FROM item WHERE kind = 'x'"))["rows"] == 0
