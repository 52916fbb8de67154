"""Going back to an earlier slot of a log that is whole: by a commit that makes the database what it was then.

It is a transaction like any other: what was committed since stays in the log, and can be gone back to in its turn.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

from discosql.storage.archive import Archive
from discosql.storage.core import Engine
from discosql.storage.history import state_as_of
from discosql.storage.lost_entries import RowCounts
from discosql.storage.problems import Progress
from discosql.storage.table import TableVersion
from discosql.storage.transaction import Transaction
from discosql.types import Row


async def revert(engine: Engine, slot: int, progress: Progress) -> dict[str, RowCounts]:
    """Commit what makes the database what it was as of a slot; return how many rows of each table that changed.

    Raises OperationalError if the past of that slot has been removed, SerializationError if others commit meanwhile.
    """
    target = await state_as_of(engine, slot)
    transaction = engine.begin()
    now = transaction.catalog
    then = Archive(engine.guild, target, engine.log.keyring, engine.pages).begin()
    transaction.set_catalog(
        replace(target.catalog, version=now.version + 1, next_id=max(now.next_id, target.catalog.next_id))
    )
    counts: dict[str, RowCounts] = {}
    for done, (table, version) in enumerate(target.tables.items()):
        progress("tables", done, len(target.tables))
        current = engine.state.tables.get(table)
        if current is None or not _is_same(current, version):
            counts[version.schema.name] = await _make_equal(transaction, then, table)
    await engine.commit(transaction)
    return {name: count for name, count in counts.items() if count != RowCounts()}


def _is_same(one: TableVersion, other: TableVersion) -> bool:
    """Tell at once that two versions of a table hold the same rows; False where only reading them could tell."""
    places = [
        () if version.base is None else tuple(page.place for page in version.base.pages) for version in (one, other)
    ]
    return one.schema == other.schema and places[0] == places[1] and one.changes() == other.changes()


async def _make_equal(transaction: Transaction, then: Transaction, table: int) -> RowCounts:
    counts = RowCounts()
    old, new = _rows(transaction, table), _rows(then, table)
    mine, wanted = await anext(old, None), await anext(new, None)
    while mine is not None or wanted is not None:
        if wanted is None or (mine is not None and mine[0] < wanted[0]):
            assert mine is not None
            transaction.delete(table, mine)
            counts.deleted += 1
            mine = await anext(old, None)
        elif mine is None or wanted[0] < mine[0]:
            transaction.insert(table, wanted)
            counts.inserted += 1
            wanted = await anext(new, None)
        else:
            if mine != wanted:
                transaction.update(table, mine, wanted)
                counts.updated += 1
            mine, wanted = await anext(old, None), await anext(new, None)
    return counts


async def _rows(view: Transaction, table: int) -> AsyncIterator[Row]:
    reading = view.scan(table)
    while (batch := reading.next()) is not None:
        if not isinstance(batch, list):
            batch = await batch.fetch()
        for row in batch or ():
            yield row
