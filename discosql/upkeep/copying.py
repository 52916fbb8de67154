"""Copying a database into another one: what `Connection.backup` does."""

from dataclasses import replace

from discosql.schema import TableSchema
from discosql.storage.engine import Engine, Transaction
from discosql.storage.inspection import Progress, no_progress
from discosql.types import fold_case


async def copy_database(view: Transaction, target: Engine, progress: Progress = no_progress) -> None:
    """Make a database what another is, in one commit: all it held before is replaced.

    Raises SerializationError if others commit to it meanwhile.
    """
    transaction = target.begin()
    before = transaction.catalog
    # Ids are never used twice, so that rows of tables that are replaced cannot be taken for those of new ones.
    shift = before.next_id if before.version else 0
    tables = {table.id: _renumbered(table, shift) for table in view.catalog.tables.values()}
    transaction.set_catalog(
        replace(
            view.catalog,
            tables={fold_case(table.name): table for table in tables.values()},
            version=max(before.version, view.catalog.version) + 1,
            next_id=view.catalog.next_id + shift,
        )
    )
    total = sum(view.statistics(table).rows for table in tables)
    done = 0
    for table, copied in tables.items():
        reading = view.scan(table)
        while (batch := reading.next()) is not None:
            if not isinstance(batch, list):
                batch = await batch.fetch()
            for row in batch or ():
                transaction.insert(copied.id, row)
            done += len(batch or ())
            progress("rows", done, total)
        transaction.note_used(copied.id, view.statistics(table).highest_rowid)
    await target.commit(transaction)


def _renumbered(table: TableSchema, shift: int) -> TableSchema:
    indexes = tuple(replace(index, id=index.id + shift) for index in table.indexes)
    computed = tuple(replace(index, id=index.id + shift) for index in table.computed_indexes)
    return table.replace(id=table.id + shift, indexes=indexes, computed_indexes=computed)
