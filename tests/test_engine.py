"""Transactions: what they see, what they may not do beside each other, and how commits are joined."""

import asyncio
import datetime

import pytest
from stepped_clock import SteppedClock
from tables import USERS, add, create, insert, look_up, scan

from discosql.errors import InterfaceError, OperationalError, SerializationError
from discosql.schema import Column, View
from discosql.storage.engine import Engine, EngineOptions, Range, Transaction, open_engine, open_local, open_memory
from discosql.storage.local import LocalGuild
from discosql.storage.table import TableVersion
from discosql.types import MAX_INTEGER, SqlType


async def prepared() -> Engine:
    engine = await open_memory()
    await create(engine)
    await create(engine, USERS.replace(id=10, name="others", indexes=()))
    await insert(engine, ("Ada", 1), ("Grace", 2), ("Edsger", 3))
    return engine


async def update(transaction: Transaction, rowid: int, age: object) -> None:
    (row,) = await look_up(transaction, None, (rowid,))
    transaction.update(1, row, (*row[:3], age))


# Snapshots ----------------------------------------------------------------------------------------------------------


async def test_a_snapshot_stays_as_it_was() -> None:
    engine = await prepared()
    before = engine.begin()
    for number in range(100):
        await insert(engine, (f"name {number}", number))
        transaction = engine.begin()
        await update(transaction, 1, number)
        await engine.commit(transaction)
    assert [row[2:] for row in await scan(before)] == [("Ada", 1), ("Grace", 2), ("Edsger", 3)]
    assert await look_up(before, 3, (99,)) == []
    assert await look_up(before, 2, ("Ada",)) == [(1, 1, "Ada", 1)]
    assert len(await scan(engine.begin())) == 103


async def test_a_scan_does_not_see_what_is_changed_meanwhile() -> None:
    engine = await prepared()
    transaction = engine.begin()
    reading = transaction.scan(1)
    add(transaction, "later", 1)
    assert [row[2] for row in reading.next() or []] == ["Ada", "Grace", "Edsger"]
    assert reading.next() is None
    assert len(await scan(transaction)) == 4


async def test_nothing_is_stored_by_a_rollback() -> None:
    engine = await prepared()
    head = engine.head
    transaction = engine.begin()
    add(transaction, "never", 1)
    engine.rollback(transaction)
    await engine.commit(engine.begin())
    assert engine.head == head
    assert engine.begin().next_rowid(1) == 4


async def test_changes_that_cancel_out_are_not_stored() -> None:
    engine = await prepared()
    head = engine.head
    transaction = engine.begin()
    rowid = add(transaction, "fleeting", 1)
    transaction.delete(1, (rowid, rowid, "fleeting", 1))
    assert not transaction.changed
    await engine.commit(transaction)
    assert engine.head == head


async def test_schema_and_rows_are_undone_together() -> None:
    engine = await prepared()
    transaction = engine.begin()
    add(transaction, "kept", 1)
    mark = transaction.mark()
    users = transaction.catalog.table("users")
    added = Column(99, "city", SqlType.TEXT, fill="Paris")
    transaction.set_catalog(transaction.catalog.with_table(users.replace(columns=(*users.columns, added))))
    transaction.insert(1, (50, 50, "undone", 1, "Rome"))
    assert (await scan(transaction))[0] == (1, 1, "Ada", 1, "Paris")
    transaction.rollback_to(mark)
    assert [row[2:] for row in await scan(transaction)][-1] == ("kept", 1)
    await engine.commit(transaction)
    assert len(await scan(engine.begin())) == 4


async def test_a_catalog_survives_reopening() -> None:
    guild = LocalGuild.memory()
    engine = await open_engine(guild.peer())
    await create(engine)
    transaction = engine.begin()
    catalog = transaction.catalog
    catalog = catalog.with_table(USERS.replace(id=7, name="other", sql="CREATE …", indexes=()))
    catalog = catalog.with_view(View("v", ("a",), "SELECT 1", "CREATE VIEW v(a) AS SELECT 1")).without_table("users")
    transaction.set_catalog(catalog)
    await engine.commit(transaction)
    assert (await open_engine(guild.peer())).catalog == catalog
    await engine.checkpoint()
    assert (await open_engine(guild.peer())).catalog == catalog


# Rowids -------------------------------------------------------------------------------------------------------------


async def test_running_transactions_get_different_rowids() -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    assert [one.next_rowid(1), two.next_rowid(1), one.next_rowid(1)] == [4, 5, 6]
    engine.rollback(one)
    assert two.next_rowid(1) == 7
    engine.rollback(two)
    assert engine.begin().next_rowid(1) == 4


async def test_rowids_are_used_again_unless_the_table_says_otherwise() -> None:
    engine = await prepared()
    await create(engine, USERS.replace(id=20, name="counted", autoincrement=True, indexes=()))
    for table in (1, 20):
        transaction = engine.begin()
        transaction.insert(table, (9, 9, "nine", None))
        await engine.commit(transaction)
        transaction = engine.begin()
        transaction.delete(table, (9, 9, "nine", None))
        await engine.commit(transaction)
    assert engine.begin().next_rowid(1) == 4
    assert engine.begin().next_rowid(20) == 10
    assert engine.statistics(20).highest_rowid == 9


async def test_a_rowid_given_and_undone_is_given_again() -> None:
    engine = await prepared()
    transaction = engine.begin()
    mark = transaction.mark()
    add(transaction, "undone", 1)
    transaction.rollback_to(mark)
    assert add(transaction, "kept", 1) == 4


async def test_the_last_rowid_is_the_last() -> None:
    engine = await prepared()
    transaction = engine.begin()
    transaction.insert(1, (MAX_INTEGER, MAX_INTEGER, "last", None))
    with pytest.raises(OperationalError, match="no rowid left"):
        transaction.next_rowid(1)


# Conflicts ----------------------------------------------------------------------------------------------------------


async def conflict(first: Transaction, second: Transaction) -> bool:
    """Commit two transactions that began together; return whether the second was refused."""
    engine = first.engine
    assert isinstance(engine, Engine)
    await engine.commit(first)
    head = engine.head
    try:
        await engine.commit(second)
    except SerializationError:
        assert engine.head == head
        return True
    return False


async def test_writers_of_one_row_conflict() -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    await update(one, 1, 10)
    await update(two, 1, 20)
    assert await conflict(one, two)
    assert (await look_up(engine.begin(), None, (1,)))[0][3] == 10


async def test_writers_of_different_rows_do_not() -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    await update(one, 1, 10)
    await update(two, 2, 20)
    assert not await conflict(one, two)


async def test_write_skew_is_refused() -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    for transaction, own in ((one, 1), (two, 2)):
        assert len(await look_up(transaction, None, (1,), (2,))) == 2
        await update(transaction, own, 0)
    assert await conflict(one, two)


async def test_a_phantom_is_refused() -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    add(one, "Barbara", 7)
    assert await look_up(two, 3, (7.0,)) == []
    add(two, "Frances", 8)
    assert await conflict(one, two)


async def test_a_unique_key_claimed_twice_is_refused() -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    add(one, "Barbara", 7)
    add(two, "Barbara", 8)
    assert await conflict(one, two)


async def test_keys_with_null_claim_nothing() -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    add(one, None, 7)
    add(two, None, 8)
    assert not await conflict(one, two)


async def test_a_scan_conflicts_with_any_change_of_the_table() -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    add(one, "Barbara", 7)
    await scan(two)
    add(two, "x", 1, table=10)
    assert await conflict(one, two)
    one, two = engine.begin(), engine.begin()
    add(one, "y", 1, table=10)
    await scan(two)
    add(two, "Frances", 8)
    assert not await conflict(one, two)


@pytest.mark.parametrize(("age", "refused"), [(50, False), (15, True), (None, False)])
async def test_a_scan_of_a_range_conflicts_with_changes_in_it(age: object, refused: bool) -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    add(one, "Barbara", age)
    two.scan(1, [Range(3, 10, 20)])
    add(two, "x", 1, table=10)
    assert await conflict(one, two) is refused


async def test_a_row_that_was_read_by_a_range_conflicts_with_its_removal() -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    one.delete(1, (2, 2, "Grace", 2))
    two.scan(1, [Range(3, 2, 2)])
    add(two, "x", 1, table=10)
    assert await conflict(one, two)
    one, two = engine.begin(), engine.begin()
    one.delete(1, (3, 3, "Edsger", 3))
    two.scan(1, [Range(0, 1, 2)])
    add(two, "y", 1, table=10)
    assert not await conflict(one, two)


async def test_readers_never_conflict() -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    await update(one, 1, 10)
    await scan(two)
    assert not await conflict(one, two)


async def test_a_schema_change_conflicts_with_writers_that_did_not_see_it() -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    one.set_catalog(one.catalog.without_table("others"))
    add(two, "Barbara", 7)
    assert await conflict(one, two)


async def test_a_schema_change_of_another_table_follows_writers() -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    add(one, "Barbara", 7)
    two.set_catalog(two.catalog.without_table("others"))
    assert not await conflict(one, two)
    assert len(await scan(engine.begin())) == 4


async def test_many_lookups_count_as_a_scan() -> None:
    engine = await prepared()
    one, two = engine.begin(), engine.begin()
    add(one, "Barbara", 7)
    for number in range(100_001):
        two.lookup(1, None, ((1_000_000 + number,),))
    assert len(two.reads.lookups) < 10
    add(two, "x", 1, table=10)
    assert await conflict(one, two)


# Joined commits -----------------------------------------------------------------------------------------------------


async def test_commits_of_many_coroutines_are_joined() -> None:
    engine = await prepared()
    before = engine.requests.copy()

    async def commit(number: int) -> None:
        await insert(engine, (f"name {number}", number))

    await asyncio.gather(*map(commit, range(1_000)))
    assert engine.requests.since(before).rest <= 6
    assert len(await scan(engine.begin())) == 1_003


async def test_each_joined_transaction_gets_its_own_verdict() -> None:
    engine = await prepared()

    async def claim(name: str, age: int) -> str:
        try:
            await insert(engine, (name, age))
        except SerializationError:
            return f"{age} refused"
        return f"{age} stored"

    verdicts = await asyncio.gather(claim("Barbara", 1), claim("Barbara", 2), claim("Frances", 3), claim("Ada", 4))
    # Uniqueness against what was there already is for the executor to check.
    assert verdicts == ["1 stored", "2 refused", "3 stored", "4 stored"]
    guild = engine.guild
    assert isinstance(guild, LocalGuild)
    again = await open_engine(guild.peer())
    assert [row[2] for row in await scan(again.begin())] == ["Ada", "Grace", "Edsger", "Barbara", "Frances", "Ada"]


async def test_a_commit_that_waits_can_be_cancelled_and_one_under_way_cannot() -> None:
    engine = await prepared()
    tasks = [asyncio.ensure_future(insert(engine, (f"name {number}", number))) for number in range(2)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert tasks[0].cancelled() and tasks[1].exception() is None
    assert len(await scan(engine.begin())) == 4

    task = asyncio.ensure_future(insert(engine, ("under way", 1)))
    while engine.head == 4 and not engine.log.pending:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(OperationalError, match="abandoned"):
        await task
    await insert(engine, ("after", 1))
    assert {"under way", "after"} <= {row[2] for row in await scan(engine.begin())}


# Time travel --------------------------------------------------------------------------------------------------------


async def test_the_past_can_be_read_but_not_changed() -> None:
    clock = SteppedClock()
    engine = await open_engine(LocalGuild.memory(clock=clock).peer(), options=EngineOptions(checkpoint_entries=10**9))
    await create(engine)
    moments = []
    for number in range(300):
        await insert(engine, (f"name {number}", number))
        clock.advance(10)
        moments.append((engine.head, datetime.datetime.fromtimestamp(clock.now() - 5, datetime.UTC)))
        if number % 100 == 50:
            await engine.checkpoint()
    for number in (0, 49, 50, 51, 200, 299):
        slot, moment = moments[number]
        for past in (await engine.begin_as_of(slot), await engine.begin_as_of(moment)):
            assert [row[3] for row in await scan(past)] == list(range(number + 1))
    past = await engine.begin_as_of(moments[7][0])
    add(past, "rewriting history", 1)
    with pytest.raises(OperationalError, match="readonly"):
        await engine.commit(past)
    with pytest.raises(OperationalError, match="no slot 10000 yet"):
        await engine.begin_as_of(10_000)
    with pytest.raises(OperationalError, match="as of 2020-01-01 00:00:00: it had no entry by then"):
        await engine.begin_as_of(datetime.datetime(2020, 1, 1))
    for _ in range(2):
        clock.advance(7_200)
        await insert(engine, ("more", 1))
        await engine.vacuum()
    with pytest.raises(OperationalError, match="has been removed"):
        await engine.begin_as_of(moments[7][0])
    with pytest.raises(OperationalError, match="has been removed"):
        await engine.begin_as_of(moments[7][1])


# Opening and closing ------------------------------------------------------------------------------------------------


async def test_a_closed_engine_says_so() -> None:
    engine = await prepared()
    await engine.close()
    await engine.close()
    with pytest.raises(InterfaceError, match="closed"):
        engine.begin()


async def test_processes_notice_each_other_on_a_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    one, two = await open_local(tmp_path / "a.disco"), await open_local(tmp_path / "a.disco")
    await create(one)
    assert two.is_stale(1_000.0) and not one.is_stale(1_000.0)
    await two.refresh()
    assert not two.is_stale(1_000.0)
    await insert(two, ("Ada", 1))
    assert one.is_stale(1_000.0)
    await one.refresh()
    assert len(await scan(one.begin())) == 1
    await one.close()
    await two.close()


async def test_statistics_tell_what_is_known() -> None:
    engine = await open_engine(LocalGuild.memory().peer(), options=EngineOptions(page_size=4_000))
    await create(engine)
    await insert(engine, *[(f"name {number}", number % 50) for number in range(2_000)])
    known = engine.statistics(1)
    assert (known.rows, known.pages, known.highest_rowid) == (2_000, 0, 2_000)
    assert known.indexes[2].distinct == 2_000
    assert 40 <= known.indexes[3].distinct <= 60
    await engine.checkpoint()
    known = engine.statistics(1)
    assert known.rows == 2_000 and known.pages > 5 and known.bytes > 10_000
    assert known.cached_pages == known.pages
    assert known.ranges[0] == (1, 2_000) and known.ranges[2] == (0, 49)
    assert known.indexes[2].distinct == 2_000 and known.indexes[2].pages > 2
    assert known.indexes[3].distinct == 50


def test_the_map_of_an_index_is_made_once_even_if_it_stays_empty() -> None:
    version = TableVersion(USERS)
    assert list(version.candidates(2, "Ada")) == []
    index_map = version.known_map(2)
    assert index_map is not None and len(index_map) == 0
    version.key_reader(2)
    assert version.find_in_memory(2, ("Ada",)) == []
    assert version.known_map(2) is index_map
