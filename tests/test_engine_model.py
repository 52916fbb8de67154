"""The engine against a dict: whatever is done, a table holds what was put there, and every way to read it agrees."""

import asyncio
import datetime
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from stepped_clock import SteppedClock
from tables import create, look_up, scan

from discosql.schema import Column, Index
from discosql.storage import page_store
from discosql.storage.engine import Engine, EngineOptions, Transaction, open_engine
from discosql.storage.local import LocalGuild
from discosql.types import Row, SqlType

ages = st.sampled_from([None, 0, 1, 1.0, 2, "1", b"1", "a", "A", 1.5])
rowids = st.integers(1, 12)


class EngineMachine(RuleBasedStateMachine):
    """A table with a unique and a plain index; `committed` and `now` are what it should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.engines: list[Engine] = []
        self.clock = SteppedClock()
        self.guild = LocalGuild.memory(clock=self.clock)
        self.committed: dict[int, Row] = {}
        self.now: dict[int, Row] = {}
        self.marks: list[tuple[object, dict[int, Row]]] = []
        self.transaction: Transaction | None = None
        self.numbers = 0
        self.old: list[tuple[Transaction, dict[int, Row]]] = []
        self.past: list[tuple[int, dict[int, Row], float]] = []

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    @initialize(
        page_size=st.sampled_from([200, 2_000, 100_000]),
        cache_size=st.sampled_from([0, 2_000, 10**6]),
        small=st.sampled_from([0, 2**14]),
    )
    def open(self, page_size: int, cache_size: int, small: int) -> None:
        # Whether single rows are read from a page's text is a matter of its size, and here all are small.
        page_store._SMALL = small  # type: ignore[misc]
        self.options = EngineOptions(page_size=page_size, cache_size=cache_size, checkpoint_entries=7)
        self.engine = self.open_engine()
        self.run(create(self.engine))

    def open_engine(self) -> Engine:
        engine: Engine = self.run(open_engine(self.guild.peer(), options=self.options))
        self.engines.append(engine)
        return engine

    def teardown(self) -> None:
        for engine in self.engines:
            self.run(engine.close())
        self.loop.close()
        page_store._SMALL = 2**14  # type: ignore[misc]

    @property
    def schema(self) -> Any:
        assert self.transaction is not None
        return self.transaction.catalog.table("users")

    def begin(self) -> Transaction:
        if self.transaction is None:
            self.transaction = self.engine.begin()
            self.now = dict(self.committed)
            self.marks = []
        return self.transaction

    def row(self, rowid: int, age: Any) -> Row:
        self.numbers += 1
        return (rowid, rowid, f"name {self.numbers}", age, *[None] * (len(self.schema.columns) - 3))

    @rule(age=ages, count=st.integers(1, 5))
    def insert(self, age: Any, count: int) -> None:
        transaction = self.begin()
        for _ in range(count):
            rowid = transaction.next_rowid(1)
            assert rowid not in self.now
            self.now[rowid] = self.row(rowid, age)
            transaction.insert(1, self.now[rowid])

    @rule(rowid=rowids, age=ages)
    def put(self, rowid: int, age: Any) -> None:
        transaction = self.begin()
        old = self.now.get(rowid)
        new = self.now[rowid] = self.row(rowid, age)
        if old is None:
            transaction.insert(1, new)
        else:
            transaction.update(1, old, new)

    @rule(rowid=rowids, to=rowids)
    def move(self, rowid: int, to: int) -> None:
        transaction = self.begin()
        if rowid in self.now and to not in self.now:
            old = self.now.pop(rowid)
            self.now[to] = (to, to, *old[2:])
            transaction.update(1, old, self.now[to])

    @rule(rowid=rowids)
    def delete(self, rowid: int) -> None:
        transaction = self.begin()
        if rowid in self.now:
            transaction.delete(1, self.now.pop(rowid))

    @rule()
    def delete_all(self) -> None:
        transaction = self.begin()
        for row in self.now.values():
            transaction.delete(1, row)
        self.now = {}

    @rule()
    def mark(self) -> None:
        self.marks.append((self.begin().mark(), dict(self.now)))

    @precondition(lambda self: self.transaction is not None and self.marks)
    @rule(data=st.data())
    def rollback_to(self, data: st.DataObject) -> None:
        position = data.draw(st.integers(0, len(self.marks) - 1))
        mark, now = self.marks[position]
        del self.marks[position:]
        self.begin().rollback_to(mark)
        self.now = dict(now)

    @rule()
    def add_column(self) -> None:
        transaction = self.begin()
        schema = self.schema
        # An id is never used twice, for pages may still hold values under it.
        self.numbers += 1
        number = 100 + self.numbers
        column = Column(number, f"c{number}", SqlType.ANY, fill=number)
        transaction.set_catalog(transaction.catalog.with_table(schema.replace(columns=(*schema.columns, column))))
        self.now = {rowid: (*row, number) for rowid, row in self.now.items()}

    @rule()
    def drop_column(self) -> None:
        transaction = self.begin()
        schema = self.schema
        if len(schema.columns) > 3:
            columns = (*schema.columns[:3], *schema.columns[4:])
            transaction.set_catalog(transaction.catalog.with_table(schema.replace(columns=columns)))
            self.now = {rowid: (*row[:4], *row[5:]) for rowid, row in self.now.items()}

    @rule()
    def create_or_drop_index(self) -> None:
        transaction = self.begin()
        schema = self.schema
        if len(schema.indexes) > 2:
            changed = schema.replace(indexes=schema.indexes[:2])
        else:
            index = Index(transaction.catalog.next_id, "both", (2, 0), unique=False, collations=("NOCASE", "BINARY"))
            changed = schema.replace(indexes=(*schema.indexes, index))
        transaction.set_catalog(transaction.catalog.with_table(changed))

    @precondition(lambda self: self.transaction is not None)
    @rule()
    def commit(self) -> None:
        self.run(self.engine.commit(self.transaction))
        self.transaction, self.committed = None, self.now
        self.past.append((self.engine.head, self.now, self.clock.now() + 0.5))
        self.clock.advance(1.0)

    @precondition(lambda self: self.transaction is not None)
    @rule()
    def rollback(self) -> None:
        self.engine.rollback(self.transaction)
        self.transaction = None

    @precondition(lambda self: self.transaction is None)
    @rule()
    def reopen(self) -> None:
        self.engine = self.open_engine()
        self.old = []

    @rule(everything=st.booleans())
    def checkpoint(self, everything: bool) -> None:
        self.run(self.engine.checkpoint(everything=everything))

    @precondition(lambda self: self.transaction is None)
    @rule(hours=st.sampled_from([0, 0.6, 3]))
    def vacuum(self, hours: float) -> None:
        self.clock.advance(hours * 3600)
        self.run(self.engine.vacuum())
        # The pages that old snapshots need may be gone, and so may the past.
        self.old, self.past = [], []

    @precondition(lambda self: self.past)
    @rule(data=st.data(), by_time=st.booleans())
    def look_back(self, data: st.DataObject, by_time: bool) -> None:
        position = data.draw(st.integers(0, len(self.past) - 1))
        slot, rows, time = self.past[position]
        moment = datetime.datetime.fromtimestamp(time, datetime.UTC) if by_time else slot
        self.run(self.check(self.run(self.engine.begin_as_of(moment)), rows))

    @rule()
    def keep_snapshot(self) -> None:
        self.old = [*self.old[-2:], (self.engine.begin(), dict(self.committed))]

    @invariant()
    def reads_agree(self) -> None:
        if self.transaction is not None:
            self.run(self.check(self.transaction, self.now))
        for snapshot, rows in self.old:
            self.run(self.check(snapshot, rows))

    async def check(self, view: Transaction, rows: dict[int, Row]) -> None:
        assert await scan(view) == [rows[rowid] for rowid in sorted(rows)]
        schema = view.catalog.table("users")
        for rowid in (1, 2, 13):
            assert await look_up(view, None, (rowid,)) == ([rows[rowid]] if rowid in rows else [])
        for age in (None, 1, 1.0, "1", "A"):
            expected = [row for _, row in sorted(rows.items()) if age is not None and row[3] == age]
            assert await look_up(view, 3, (age,)) == expected
        names = [(row[2],) for row in rows.values()]
        assert await look_up(view, 2, *names, *names, ("none",)) == [rows[rowid] for rowid in sorted(rows)]
        assert view.statistics(1).rows == len(rows)
        for index in schema.indexes[2:]:
            wanted = [row for _, row in sorted(rows.items()) if row[3] is not None and str(row[3]).lower() == "a"]
            keys = [("a", row[0]) for row in rows.values()]
            assert await look_up(view, index.id, *keys) == wanted


EngineMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestEngine = EngineMachine.TestCase
