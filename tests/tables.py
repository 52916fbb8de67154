"""Tables for storage tests, and short ways to change and read them."""

from collections.abc import Sequence
from typing import Any

from discosql.schema import Column, Index, TableSchema
from discosql.storage.engine import Engine, Key, ReadView, Transaction
from discosql.types import Row, SqlType

USERS = TableSchema(
    id=1,
    name="users",
    columns=(
        Column(1, "id", SqlType.INTEGER),
        Column(2, "name", SqlType.TEXT),
        Column(3, "age", SqlType.ANY),
    ),
    primary_key=(0,),
    rowid_column=0,
    indexes=(
        Index(2, "users_name", (1,), unique=True, origin="u", collations=("BINARY",)),
        Index(3, "users_age", (2,), unique=False, collations=("BINARY",)),
    ),
    sql="CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, age)",
)


async def create(engine: Engine, table: TableSchema = USERS) -> None:
    """Create a table in a transaction of its own."""
    transaction = engine.begin()
    transaction.set_catalog(transaction.catalog.with_table(table))
    await engine.commit(transaction)


async def insert(engine: Engine, *rows: Sequence[Any], table: int = 1) -> None:
    """Insert rows, given without their rowid column, in one transaction."""
    transaction = engine.begin()
    for row in rows:
        add(transaction, *row, table=table)
    await engine.commit(transaction)


def add(transaction: Transaction, *values: Any, table: int = 1) -> int:
    """Insert a row under the next rowid, which is returned."""
    rowid = transaction.next_rowid(table)
    transaction.insert(table, (rowid, rowid, *values))
    return rowid


async def scan(view: ReadView, table: int = 1) -> list[Row]:
    """Return all rows of a table."""
    rows: list[Row] = []
    reading = view.scan(table)
    while True:
        batch: Any = reading.next()
        if hasattr(batch, "fetch"):
            batch = await batch.fetch()
        if batch is None:
            return rows
        rows += batch


async def look_up(view: ReadView, index: int | None, *keys: Key, table: int = 1) -> list[Row]:
    """Return the rows with any of the keys."""
    found: Any = view.lookup(table, index, keys)
    return await found.fetch() if hasattr(found, "fetch") else found  # type: ignore[no-any-return]
