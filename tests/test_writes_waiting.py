"""Statements over a view that has nothing in memory: everything is waited for, with as few requests as can be."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import discosql
from discosql.executor.context import Context, Result
from discosql.executor.run import compile_statement
from discosql.session import Session


class Waiting:
    """What a view gives instead of an answer."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer


class SlowScan:
    def __init__(self, scan: Any) -> None:
        self._scan = scan

    def next(self) -> Waiting:
        return Waiting(self._scan.next())


class SlowView:
    """A transaction whose reads must be waited for unless they were prefetched; `log` tells what was waited for."""

    def __init__(self, view: Any) -> None:
        self._view = view
        self._known: set[Any] = set()
        self.log: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)

    def scan(self, table: int, ranges: Sequence[Any] = ()) -> SlowScan:
        self.log.append("scan")
        return SlowScan(self._view.scan(table, ranges))

    def lookup(self, table: int, index: int | None, keys: Sequence[Any]) -> Any:
        answer = self._view.lookup(table, index, keys)
        if {(table, index, key) for key in keys} <= self._known:
            return answer
        self.log.append(f"lookup of {len(keys)}")
        return Waiting(answer)

    def prefetch(self, scans: Sequence[int], lookups: Sequence[Any]) -> Waiting | None:
        asked = {(table, index, key) for table, index, keys in lookups for key in keys}
        if not scans and asked <= self._known:
            return None
        self._known |= asked
        self.log.append(f"prefetch of {len(scans) + len(lookups)}")
        return Waiting(None)


class Slow:
    """Runs statements over one transaction, slow or not."""

    def __init__(self, session: Session, *, slow: bool) -> None:
        self.session = session
        self.transaction = session.transaction = session.engine.begin()
        self.view: Any = SlowView(self.transaction) if slow else self.transaction

    def start(self, sql: str, rows: list[tuple[Any, ...]] | None = None) -> Any:
        compiled = compile_statement(self.session.prepare(sql).statement, self.session.registry)
        context = Context(self.view, (), self.session.state)
        return compiled.run(context) if rows is None else compiled.run_many(context, rows)

    def run(self, sql: str, rows: list[tuple[Any, ...]] | None = None) -> Result:
        steps, answer = self.start(sql, rows), None
        while True:
            try:
                pending = steps.send(answer)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            answer = None if pending is None else pending.answer

    def asked(self, sql: str, rows: list[tuple[Any, ...]] | None = None) -> list[str]:
        self.view.log.clear()
        self.run(sql, rows)
        return list(self.view.log)


SCHEMA = (
    "CREATE TABLE p (id INTEGER PRIMARY KEY, k TEXT UNIQUE)",
    """CREATE TABLE c (id INTEGER PRIMARY KEY, u INTEGER UNIQUE, p INTEGER REFERENCES p ON DELETE CASCADE,
        k TEXT REFERENCES p (k) ON UPDATE SET NULL, d INTEGER AS (u * 2))""",
    "CREATE INDEX cp ON c (p)",
    "INSERT INTO p VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    "INSERT INTO c VALUES (1, 1, 1, 'a'), (2, 2, 1, 'b'), (3, 3, 2, 'b'), (4, 4, NULL, NULL)",
)


@pytest.fixture
def sessions() -> Iterator[list[Slow]]:
    connections = [discosql.connect(":memory:"), discosql.connect(":memory:")]
    yield [Slow(connection._session, slow=slow) for connection, slow in zip(connections, (False, True), strict=True)]
    for connection in connections:
        connection.close()


STATEMENTS = (
    "INSERT INTO c (u, p, k) VALUES (10, 1, 'a'), (11, 2, NULL)",
    "INSERT OR IGNORE INTO c (u, p) VALUES (10, 1), (12, 1), (12, 9)",
    "INSERT INTO c (u, p) VALUES (13, 9)",
    "INSERT INTO c (u, p) VALUES (10, 1) ON CONFLICT (u) DO UPDATE SET p = (SELECT max(id) FROM p) RETURNING *",
    "REPLACE INTO c (u, k) VALUES (1, 'c'), (2, NULL)",
    "REPLACE INTO p VALUES (2, 'b')",
    "UPDATE c SET u = u + 100 WHERE p = 1 RETURNING u, d, (SELECT count(*) FROM p)",
    "UPDATE c SET u = 3",
    "UPDATE p SET k = 'z' WHERE id = 1",
    "DELETE FROM p WHERE id = 1",
    "CREATE UNIQUE INDEX ck ON c (k)",
    "CREATE UNIQUE INDEX cd ON c (d)",
    "CREATE TABLE q AS SELECT u, d FROM c",
    "DROP TABLE p",
    "DELETE FROM c",
)


def test_waiting_changes_nothing(sessions: list[Slow]) -> None:
    for sql in (*SCHEMA, *STATEMENTS):
        fast, slow = (_outcome(session, sql) for session in sessions)
        assert fast == slow, sql
        assert _tables(sessions[0]) == _tables(sessions[1]), sql


def _outcome(session: Slow, sql: str) -> Any:
    try:
        result = session.run(sql)
    except discosql.Error as error:
        return type(error), str(error)
    return result.rows, result.rowcount, result.last_rowid


def _tables(session: Slow) -> dict[str, list[Any]]:
    catalog = session.transaction.catalog
    return {table.name: session.run(f"SELECT * FROM {table.name}").rows for table in catalog.tables.values()}


@pytest.fixture
def slow(sessions: list[Slow]) -> Slow:
    for sql in SCHEMA:
        sessions[1].run(sql)
    return sessions[1]


def test_all_keys_of_a_statement_are_looked_up_together(slow: Slow) -> None:
    rows = [(100 + i, i % 3 + 1, "abc"[i % 3]) for i in range(50)]
    asked = slow.asked("INSERT INTO c (u, p, k) VALUES (?, ?, ?)", rows)
    assert asked == ["prefetch of 3"]
    assert slow.asked("INSERT INTO p (k) VALUES (?)", [(str(i),) for i in range(50)]) == ["lookup of 50"]
    assert slow.asked("UPDATE c SET u = u + 1000 WHERE id > 0") == ["scan", "lookup of 54"]
    assert slow.asked("UPDATE c SET p = NULL WHERE id > 0") == ["scan"]


def test_all_keys_of_executemany_are_fetched_first(slow: Slow) -> None:
    slow.run("INSERT INTO c (p) VALUES (1), (2), (3)")
    assert slow.asked("UPDATE c SET p = ? WHERE id = ?", [(2, 5), (3, 6), (1, 7)]) == ["prefetch of 1"]


def test_children_are_found_by_an_index_or_one_scan(slow: Slow) -> None:
    asked = slow.asked("DELETE FROM p WHERE id < 3")
    assert asked == ["scan", "prefetch of 2", "scan"], (
        "p, then its children: by the index on c.p, and by c.k, which has none"
    )


def test_a_statement_that_is_given_up_leaves_no_trace(slow: Slow) -> None:
    before = _tables(slow)
    steps = slow.start("REPLACE INTO p VALUES (1, 'new'), (2, 'newer')")
    answer = None
    while not any(row[2] == "new" for row in _stored(slow, "p")):
        pending = steps.send(answer)
        answer = None if pending is None else pending.answer
    steps.close()
    assert _tables(slow) == before


def _stored(session: Slow, name: str) -> list[Any]:
    table = session.transaction.catalog.table(name)
    scan, rows = session.transaction.scan(table.id), []
    while (batch := scan.next()) is not None:
        rows += batch
    return rows
