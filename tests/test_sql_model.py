"""SQL on tiny pages against SQLite: whatever is done, with checkpoints and reopening in between, the answers agree."""

import asyncio
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pysqlite3 import dbapi2
from stepped_clock import SteppedClock

from discosql.aio import Connection
from discosql.errors import Error
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage import page_store
from discosql.storage.engine import Engine, EngineOptions, open_engine
from discosql.storage.local import LocalGuild

ids = st.integers(-2, 25)
names = st.sampled_from([None, "", "a", "A", "b", "ä", "10", "x" * 30])
anything = st.sampled_from([None, 0, 1, 1.0, -1.5, 2**40, "1", "a", b"1", b""])

INDEXES = {
    "by_any": "CREATE INDEX by_any ON t (any)",
    "by_name": "CREATE INDEX by_name ON t (name COLLATE NOCASE, any)",
    "by_lower": "CREATE INDEX by_lower ON t (lower(name))",
    "by_kind": "CREATE INDEX by_kind ON t (typeof(any), id % 3) WHERE name IS NOT NULL",
    "of_some": "CREATE UNIQUE INDEX of_some ON t (any) WHERE id > 9",
    "once": "CREATE UNIQUE INDEX once ON t (any, name)",
}

QUERIES = (
    ("SELECT * FROM t WHERE name = ?", "SELECT * FROM t WHERE name || '' = ?", names),
    ("SELECT * FROM t WHERE any = ?", "SELECT * FROM t WHERE coalesce(any, any) = ?", anything),
    ("SELECT * FROM t WHERE lower(name) = ?", "SELECT * FROM t WHERE lower(name) || '' = ?", names),
    (
        "SELECT * FROM t WHERE typeof(any) = typeof(?) AND id % 3 = 1 AND name IS NOT NULL",
        "SELECT * FROM t WHERE typeof(any) || '' = typeof(?) AND id % 3 + 0 = 1 AND name IS NOT NULL",
        anything,
    ),
    (
        "SELECT * FROM t WHERE any = ? AND id > 9",
        "SELECT * FROM t WHERE coalesce(any, any) = ? AND id > 9",
        anything,
    ),
    ("SELECT * FROM t WHERE id = ?", "SELECT * FROM t WHERE id + 0 = ?", ids),
    ("SELECT * FROM t WHERE id > ?", "SELECT * FROM t WHERE id + 0 > ?", ids),
    (
        "SELECT t.* FROM t JOIN u ON t.name = u.name WHERE u.id < ?",
        "SELECT t.* FROM t JOIN u ON t.name || '' = u.name || '' WHERE u.id + 0 < ?",
        ids,
    ),
)
"""Pairs of queries with the same answer, the first of which may use an index and the second may not."""


class SqlMachine(RuleBasedStateMachine):
    """Two databases that are told the same; `sqlite` is what the other is compared with."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = SteppedClock()
        self.guild = LocalGuild.memory(clock=self.clock)
        self.sqlite = dbapi2.connect(":memory:", isolation_level=None)
        self.engines: list[Engine] = []
        self.columns = 0

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    @initialize(
        page_size=st.sampled_from([150, 1_000, 100_000]),
        cache_size=st.sampled_from([0, 1_000, 10**6]),
        small=st.sampled_from([0, 2**14]),
    )
    def open(self, page_size: int, cache_size: int, small: int) -> None:
        # Whether single rows are read from a page's text is a matter of its size, and here all are small.
        page_store._SMALL = small  # type: ignore[misc]
        self.options = EngineOptions(page_size=page_size, cache_size=cache_size, checkpoint_entries=9)
        self.connect()
        for table in "tu":
            self.both(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, name TEXT UNIQUE, any ANY) STRICT")
        for number in range(8):
            self.both("INSERT INTO u (id, name, any) VALUES (?, ?, ?)", number, "a" * number, number % 3)

    def connect(self) -> None:
        self.engine: Engine = self.run(open_engine(self.guild.peer(), options=self.options))
        self.engines.append(self.engine)
        self.connection = Connection(Session(self.engine, DEFAULT), isolation_level=None)

    def teardown(self) -> None:
        for engine in self.engines:
            self.run(engine.close())
        self.loop.close()
        self.sqlite.close()
        page_store._SMALL = 2**14  # type: ignore[misc]

    def rows(self, sql: str, *parameters: Any) -> list[str]:
        async def fetch() -> list[Any]:
            cursor = await self.connection.execute(sql, parameters)
            return [] if cursor.description is None else await cursor.fetchall()

        return sorted(map(repr, self.run(fetch())))

    def both(self, sql: str, *parameters: Any) -> None:
        """Run a statement on both; either both fail or none does, and then they return the same rows."""
        failure: Error | None = None
        try:
            expected: list[str] | None = sorted(map(repr, self.sqlite.execute(sql, parameters).fetchall()))
        except dbapi2.Error:
            expected = None
        try:
            given: list[str] | None = self.rows(sql, *parameters)
        except Error as error:
            given, failure = None, error
        assert given == expected, f"{sql}: {failure!r}"

    # Ids are always given: over pages the next one may lie above that of a row which was deleted last.
    @rule(
        number=ids,
        name=names,
        value=anything,
        how=st.sampled_from(["", "OR IGNORE", "OR REPLACE"]),
    )
    def insert(self, number: int, name: str | None, value: Any, how: str) -> None:
        self.both(f"INSERT {how} INTO t (id, name, any) VALUES (?, ?, ?) RETURNING *", number, name, value)

    @rule(first=ids, count=st.integers(5, 30), value=anything)
    def insert_many(self, first: int, count: int, value: Any) -> None:
        numbers = ", ".join(f"({number})" for number in range(first, first + count))
        self.both(f"INSERT OR IGNORE INTO t (id, any) SELECT column1, ? FROM (VALUES {numbers})", value)

    @rule(number=ids, name=names, value=anything)
    def upsert(self, number: int, name: str | None, value: Any) -> None:
        sql = "INSERT INTO t (id, name, any) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET any = excluded.any"
        self.both(sql, number, name, value)

    @rule(number=ids, name=names, value=anything)
    def update_one(self, number: int, name: str | None, value: Any) -> None:
        self.both("UPDATE t SET name = ?, any = ? WHERE id = ?", name, value, number)

    @rule(old=anything, new=anything)
    def update_by_value(self, old: Any, new: Any) -> None:
        self.both("UPDATE t SET any = ? WHERE any = ? RETURNING id", new, old)

    @rule(number=ids, to=ids)
    def move(self, number: int, to: int) -> None:
        self.both("UPDATE t SET id = ? WHERE id = ?", to, number)

    @rule(low=ids, high=ids)
    def delete_range(self, low: int, high: int) -> None:
        self.both("DELETE FROM t WHERE id BETWEEN ? AND ?", low, high)

    @rule(name=names)
    def delete_by_name(self, name: str | None) -> None:
        self.both("DELETE FROM t WHERE name = ?", name)

    @rule(index=st.sampled_from(sorted(INDEXES)))
    def create_index(self, index: str) -> None:
        self.both(INDEXES[index])

    @rule(index=st.sampled_from(sorted(INDEXES)))
    def drop_index(self, index: str) -> None:
        self.both(f"DROP INDEX {index}")

    @rule()
    def add_column(self) -> None:
        self.columns += 1
        self.both(f"ALTER TABLE t ADD COLUMN c{self.columns} INTEGER DEFAULT {self.columns}")

    @precondition(lambda self: not self.connection.in_transaction)
    @rule()
    def begin(self) -> None:
        self.both("BEGIN")

    @precondition(lambda self: self.connection.in_transaction)
    @rule(how=st.sampled_from(["COMMIT", "ROLLBACK"]))
    def end(self, how: str) -> None:
        self.both(how)
        self.clock.advance(1.0)

    @rule(how=st.sampled_from(["SAVEPOINT s", "ROLLBACK TO s", "RELEASE s"]))
    def savepoint(self, how: str) -> None:
        self.both(how)

    @rule(everything=st.booleans())
    def checkpoint(self, everything: bool) -> None:
        self.run(self.engine.checkpoint(everything=everything))

    @precondition(lambda self: not self.connection.in_transaction)
    @rule()
    def reopen(self) -> None:
        self.connect()

    @precondition(lambda self: not self.connection.in_transaction)
    @rule(hours=st.sampled_from([0, 0.6, 3]))
    def vacuum(self, hours: float) -> None:
        self.clock.advance(hours * 3600)
        self.rows("VACUUM")

    @rule(data=st.data(), query=st.sampled_from(QUERIES))
    def look(self, data: st.DataObject, query: tuple[str, str, st.SearchStrategy[Any]]) -> None:
        indexed, scanned, values = query
        value = data.draw(values)
        answer = self.rows(indexed, value)
        assert answer == self.rows(scanned, value)
        assert answer == sorted(map(repr, self.sqlite.execute(indexed, (value,)).fetchall()))

    @invariant()
    def same_rows(self) -> None:
        self.both("SELECT * FROM t")


class LongSqlMachine(SqlMachine):
    """The same, for longer."""


SqlMachine.TestCase.settings = settings(max_examples=8, stateful_step_count=25)
LongSqlMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=50)
TestSql = SqlMachine.TestCase
TestSqlForLong = pytest.mark.campaign(LongSqlMachine.TestCase)
