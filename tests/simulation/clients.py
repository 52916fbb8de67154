"""The programs that run in the simulated processes: what they commit and read, and what they note of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, Final, TypeAlias

from tables import USERS, look_up, scan

from discosql.errors import (
    DatabaseCorruptionError,
    OperationalError,
    SerializationError,
    UnknownOutcomeError,
)
from discosql.schema import Column, Index, TableSchema
from discosql.storage.engine import Engine, Transaction
from discosql.types import Row, SqlType
from simulation.history import Attempt, History, Read, Rows, Sight
from simulation.process import Process

ACCOUNTS: Final = 6
CLAIMS: Final = 5
LOST: Final = "have been lost"
"""What the error says that must never come."""

Tables: TypeAlias = dict[str, dict[int, tuple[Any, ...]]]
"""Tables by name, rows by rowid."""


def _table(table: int, name: str, *, unique: bool) -> TableSchema:
    index = Index(table + 1, f"{name}_key", (1,), unique=True, origin="u", collations=("BINARY",))
    return USERS.replace(
        id=table,
        name=name,
        columns=(Column(1, "id", SqlType.INTEGER), Column(2, "name", SqlType.ANY), Column(3, "note", SqlType.ANY)),
        indexes=(index,) if unique else (),
        sql=f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, name, note)",
    )


TABLES: Final = {
    "journal": _table(1, "journal", unique=True),
    "accounts": _table(10, "accounts", unique=False),
    "claims": _table(20, "claims", unique=True),
    "blobs": _table(30, "blobs", unique=False),
}


async def set_up(engine: Engine) -> None:
    """Make the tables, with a little money in the accounts."""
    transaction = engine.begin()
    for table in TABLES.values():
        transaction.set_catalog(transaction.catalog.with_table(table))
    for account in range(ACCOUNTS):
        transaction.insert(10, (account, account, "", 100))
    await engine.commit(transaction)


def shown(rows: list[Row]) -> Rows:
    """Return rows as the ledger has them."""
    return tuple(tuple(row[1:]) for row in rows)


Work = Callable[[Transaction, Attempt], Awaitable[None]]


class Program:
    """What one process does with its engine."""

    def __init__(self, process: Process, engine: Engine, history: History, random: Random) -> None:
        self.process = process
        self.engine = engine
        self.history = history
        self.random = random
        self.hesitation = 0.2  # the share of transactions that take seconds
        self.steps = 0

    # Changing -----------------------------------------------------------------------------------------------------

    async def commit_something(self, *, large: float = 0.0) -> None:
        """Run one transaction of some kind, once."""
        kinds = (self.write, self.transfer, self.count_up, self.skew, self.look_around, self.claim)
        work = self.large if self.random.random() < large else self.random.choice(kinds)
        self.steps += 1
        await self.attempt(f"{self.process.name}.{self.steps} {work.__name__}", work)

    async def attempt(self, name: str, work: Work) -> Attempt:
        """Run a transaction and note how it ended."""
        attempt = self.history.begin(self.process.name, name)
        transaction = self.engine.begin()
        try:
            with self.noting(attempt):
                await work(transaction, attempt)
                rowid = self.random.getrandbits(40)
                transaction.insert(1, (rowid, rowid, name, self.steps))
                if self.random.random() < self.hesitation:
                    await self.process.sleep(self.random.uniform(0, 3))
                await self.engine.commit(transaction)
        finally:
            self.engine.rollback(transaction)
        if attempt.outcome == "refused":
            await self.refresh()
        return attempt

    @contextmanager
    def noting(self, attempt: Attempt) -> Iterator[None]:
        """Note how a transaction ends."""
        try:
            yield
        except SerializationError as error:
            self.history.end(attempt, "refused", error)
        except UnknownOutcomeError as error:
            attempt.transaction = error.transaction
            self.history.end(attempt, "unknown", error)
        except DatabaseCorruptionError:
            # It may have been found out at any moment, before the commit or after.
            self.history.end(attempt, "unknown", "damage")
            raise
        except OperationalError as error:
            if LOST in str(error):
                raise
            self.history.end(attempt, "failed", error)
        else:
            self.history.end(attempt, "acknowledged")

    async def read(self, transaction: Transaction, attempt: Attempt, account: int) -> Row:
        (row,) = await look_up(transaction, None, (account,), table=10)
        attempt.reads.append(Read("accounts", 0, account, shown([row])))
        return row

    async def write(self, transaction: Transaction, attempt: Attempt) -> None:
        """Change nothing but the journal."""

    async def large(self, transaction: Transaction, attempt: Attempt) -> None:
        """Write so much that it needs a file."""
        for _ in range(self.random.randrange(3, 20)):
            rowid = self.random.getrandbits(40)
            transaction.insert(30, (rowid, rowid, attempt.name, self.random.randbytes(150).hex()))

    async def transfer(self, transaction: Transaction, attempt: Attempt) -> None:
        """Move money from one account to another."""
        giver, taker = self.random.sample(range(1, ACCOUNTS), 2)
        for account, amount in ((giver, -1), (taker, 1)):
            row = await self.read(transaction, attempt, account)
            transaction.update(10, row, (*row[:3], row[3] + amount))

    async def count_up(self, transaction: Transaction, attempt: Attempt) -> None:
        """Add one to a row that everybody adds to."""
        row = await self.read(transaction, attempt, 0)
        transaction.update(10, row, (*row[:3], row[3] + 1))

    async def skew(self, transaction: Transaction, attempt: Attempt) -> None:
        """Change one of two rows after a look at both."""
        rows = [await self.read(transaction, attempt, account) for account in (1, 2)]
        row = self.random.choice(rows)
        transaction.update(10, row, (*row[:2], attempt.name, row[3]))

    async def look_around(self, transaction: Transaction, attempt: Attempt) -> None:
        """Write after reading a whole table."""
        attempt.reads.append(Read("accounts", -1, None, shown(await scan(transaction, 10))))

    async def claim(self, transaction: Transaction, attempt: Attempt) -> None:
        """Take a unique key that is free, or give it back."""
        key = self.random.randrange(CLAIMS)
        rows = await look_up(transaction, 21, (key,), table=20)
        attempt.reads.append(Read("claims", 1, key, shown(rows)))
        if rows:
            transaction.delete(20, rows[0])
        else:
            rowid = self.random.getrandbits(40)
            transaction.insert(20, (rowid, rowid, key, None))

    # Reading ------------------------------------------------------------------------------------------------------

    async def look(self, *, latest: bool) -> None:
        """Note what a table looks like."""
        asked = asyncio.get_running_loop().time()
        if not await self.refresh(latest=latest):
            return
        transaction = self.engine.begin()
        slot = transaction.snapshot.slot
        name = self.random.choice(list(TABLES))
        try:
            rows = await scan(transaction, TABLES[name].id)
        except DatabaseCorruptionError:
            raise
        except OperationalError:
            return
        finally:
            self.engine.rollback(transaction)
        await self.process.gate()
        self.see(slot, name, rows, asked if latest else 0.0)

    def see(self, slot: int, name: str, rows: list[Row], asked: float = 0.0) -> None:
        """Note a table as it was seen."""
        self.history.note(self.process.name, f"sees {name} at slot {slot}")
        self.history.sights.append(Sight(self.process.name, slot, name, shown(rows), asked))

    async def refresh(self, *, latest: bool = False) -> bool:
        try:
            await self.engine.refresh(latest=latest)
        except DatabaseCorruptionError:
            raise
        except OperationalError as error:
            if LOST in str(error):
                raise
            return False
        return True

    async def vacuum(self) -> None:
        """Remove what nobody needs."""
        try:
            removed: Any = await self.engine.vacuum()
        except DatabaseCorruptionError:
            raise
        except OperationalError as error:
            self.history.note(self.process.name, "could not vacuum:", error)
        else:
            self.history.note(self.process.name, "vacuumed", removed)
