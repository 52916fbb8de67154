"""The same programs in SQL: sessions over one engine, explicit transactions and statements that are retried."""

from typing import Any, Final

from discosql.aio import Connection
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from simulation.clients import ACCOUNTS, CLAIMS, Program, Tables
from simulation.history import Attempt, Read

_ALL: Final = "SELECT id, name, note FROM accounts"


def _counts(tables: Tables, row: tuple[Any, ...]) -> bool:
    return bool(row[2] == len(tables["journal"]))


class SqlProgram(Program):
    """What one process does through SQL. Every transaction has a connection for itself."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._free: list[Connection] = []

    async def commit_something(self, *, large: float = 0.0) -> None:
        """Run one statement or one explicit transaction."""
        self.steps += 1
        kinds = (self.count, self.transfer_sql, self.skew_sql, self.claim_sql, self.look_sql)
        work = self.random.choice(kinds)
        attempt = self.history.begin(self.process.name, f"{self.process.name}.{self.steps} {work.__name__}")
        db = self._free.pop() if self._free else Connection(Session(self.engine, DEFAULT), isolation_level=None)
        try:
            with self.noting(attempt):
                await work(db, attempt)
        finally:
            await db.rollback()
            self._free.append(db)

    async def journal(self, db: Connection, attempt: Attempt) -> None:
        await db.execute("INSERT INTO journal VALUES (?, ?, ?)", (self.random.getrandbits(40), attempt.name, None))

    async def read_sql(self, db: Connection, attempt: Attempt, account: int) -> int:
        rows = await (await db.execute(f"{_ALL} WHERE id = ?", (account,))).fetchall()
        attempt.reads.append(Read("accounts", 0, account, tuple(rows)))
        return int(rows[0][2])

    async def count(self, db: Connection, attempt: Attempt) -> None:
        """One statement that depends on all that was committed before: it is run again until it fits."""
        attempt.exact = _counts
        rowid = self.random.getrandbits(40)
        await db.execute("INSERT INTO journal SELECT ?, ?, count(*) FROM journal", (rowid, attempt.name))

    async def transfer_sql(self, db: Connection, attempt: Attempt) -> None:
        """Move money from one account to another."""
        giver, taker = self.random.sample(range(1, ACCOUNTS), 2)
        await db.execute("BEGIN")
        await self.read_sql(db, attempt, giver)
        await db.execute("UPDATE accounts SET note = note - 1 WHERE id = ?", (giver,))
        await self.process.sleep(self.random.choice([0.0, 0.0, 2.0]))
        await db.execute("UPDATE accounts SET note = note + 1 WHERE id = ?", (taker,))
        await self.journal(db, attempt)
        await db.execute("COMMIT")

    async def skew_sql(self, db: Connection, attempt: Attempt) -> None:
        """Change one of two rows after a look at both."""
        await db.execute("BEGIN")
        balances = [await self.read_sql(db, attempt, account) for account in (1, 2)]
        changed = self.random.choice([1, 2])
        await db.execute("UPDATE accounts SET name = ? WHERE id = ?", (str(sum(balances)), changed))
        await self.journal(db, attempt)
        await db.execute("COMMIT")

    async def claim_sql(self, db: Connection, attempt: Attempt) -> None:
        """Take a unique key, or give it back if it is taken."""
        key = self.random.randrange(CLAIMS)
        await db.execute("BEGIN")
        deleted = await db.execute("DELETE FROM claims WHERE name = ?", (key,))
        if not deleted.rowcount:
            await db.execute("INSERT INTO claims VALUES (?, ?, NULL)", (self.random.getrandbits(40), key))
        await self.journal(db, attempt)
        await db.execute("COMMIT")

    async def look_sql(self, db: Connection, attempt: Attempt) -> None:
        """Write after reading a whole table, in a transaction that may be unwound to a savepoint."""
        await db.execute("BEGIN")
        rows = await (await db.execute(_ALL)).fetchall()
        attempt.reads.append(Read("accounts", -1, None, tuple(rows)))
        await db.execute("SAVEPOINT s")
        await db.execute("UPDATE accounts SET note = 0")
        await db.execute("ROLLBACK TO s")
        await self.journal(db, attempt)
        await db.execute("COMMIT")
