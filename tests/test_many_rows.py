"""Many rows at once come out as the same rows one by one do: parameters, inserts, undoing."""

import datetime
import enum
import math
import struct
import uuid
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from tables import USERS, create

import discosql
from discosql.adapting import adapters, register_adapter, to_value
from discosql.drive import LOOP_THREAD, Control, drive
from discosql.planner.parse import bind_parameters
from discosql.session import Session
from discosql.session_parameters import bind_many
from discosql.storage.engine import Transaction, open_memory
from discosql.types import MAX_INTEGER, MIN_INTEGER, Row


class Colour(enum.Enum):
    RED = 1


class Special(int):
    """An integer that is stored otherwise."""

    def __conform__(self, _protocol: object) -> str:
        return "special"


KINDS: dict[str, list[Any]] = {
    "int": [0, 1, -5, MAX_INTEGER, MIN_INTEGER],
    "large": [3, MAX_INTEGER + 1, MIN_INTEGER - 1],
    "float": [0.5, -0.0, math.inf, -math.inf, 1e308],
    "nan": [0.5, 2.0, math.nan],
    "text": ["", "a", "é", "\0", "\U0001f600"],
    "surrogates": ["a", "é", "\ud83d", "\ude00"],
    "bytes": [b"", b"x"],
    "bool": [True, False],
    "decimal": [Decimal("1.50"), Decimal("-0"), Decimal("NaN"), Decimal(3), Decimal(4)],
    "moment": [datetime.datetime(2024, 1, 2, 3, 4), datetime.datetime(2024, 1, 2, 3, 4, 5, 6, datetime.UTC)],
    "day": [datetime.date(2024, 1, 2), datetime.time(12, 30)],
    "uuid": [uuid.UUID(int=7)],
    "other": [Colour.RED, Special(3), [1], {"a": 1}, object],
}


def bits(value: object) -> object:
    """Return something that is equal only for the same value of the same type."""
    shown = struct.pack("d", value) if isinstance(value, float) else str(value)
    return type(value), shown


Binding = Callable[[tuple[None, ...], list[Any]], list[tuple[Any, ...]]]


def one_by_one(names: tuple[None, ...], rows: list[Any]) -> list[tuple[Any, ...]]:
    return [tuple(map(to_value, bind_parameters(names, row))) for row in rows]


def together(names: tuple[str | None, ...], rows: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Return what `bind_many` does in the end; it must give others a turn every few milliseconds."""
    steps, ticks = bind_many(names, rows), 0
    while True:
        try:
            next(steps)
            ticks += 1
        except StopIteration as stop:
            found: list[tuple[Any, ...]] = stop.value
            assert ticks >= len(found) / 4_096
            return found


def outcome(bind: Binding, count: int, rows: list[Any]) -> object:
    try:
        return [tuple(map(bits, row)) for row in bind((None,) * count, rows)]
    except discosql.Error as exc:
        return type(exc), str(exc)


def random_rows(random: Random) -> tuple[int, list[Any]]:
    """Return sets of parameters, each place of kinds of its own, and how many places there are."""
    places = [random.sample(sorted(KINDS), 1 if random.random() < 0.8 else 2) for _ in range(random.randrange(1, 4))]
    nulls = random.choice((0.0, 0.3))
    rows: list[Any] = [
        tuple(None if random.random() < nulls else random.choice(KINDS[random.choice(kinds)]) for kinds in places)
        for _ in range(random.randrange(1, 6))
    ]
    if random.random() < 0.3:
        rows = [list(row) if random.random() < 0.5 else row for row in rows]
    if random.random() < 0.05:
        rows.insert(random.randrange(len(rows)), random.choice([(), (1, 2, 3, 4), "text", {}, 5]))
    return len(places), rows


def test_parameters_by_column_are_those_by_row() -> None:
    random = Random(5)
    for _ in range(6_000):
        count, rows = random_rows(random)
        assert outcome(together, count, rows) == outcome(one_by_one, count, rows), rows


def test_adapters_see_every_parameter_of_their_type() -> None:
    register_adapter(int, lambda number: f"<{number}>")
    try:
        assert together((None, None), [(1, "a"), (2, "b")]) == [("<1>", "a"), ("<2>", "b")]
    finally:
        adapters.clear()


def test_sets_by_name_and_without_values() -> None:
    assert together(("a", "b"), [{"b": 2, "a": 1}, (3, True)]) == [(1, 2), (3, 1)]
    assert together((), [(), ()]) == [(), ()]
    assert together((None,), [[number] for number in range(10_000)]) == [(number,) for number in range(10_000)]
    assert together((None,), [(math.inf,), (-math.inf,)]) == [(math.inf,), (-math.inf,)]


TABLES = (
    "CREATE TABLE t (a INTEGER, b TEXT, c REAL)",
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL DEFAULT 'none', c REAL)",
    "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b TEXT UNIQUE, c REAL)",
    "CREATE TABLE t (a INTEGER UNIQUE, b TEXT COLLATE NOCASE, c REAL CHECK (c < 5), PRIMARY KEY (b, c))",
    "CREATE TABLE t (a INTEGER, b TEXT, c REAL, d TEXT AS (a || b), UNIQUE (d))",
    "CREATE TABLE t (a TIMESTAMP, b DATE, c DECIMAL, d BOOLEAN DEFAULT TRUE)",
    "CREATE TABLE t (a INTEGER REFERENCES p, b TEXT, c ANY)",
    "CREATE TEMPORARY TABLE t (a INTEGER, b TEXT, c REAL)",
)
INSERTS = (
    "INSERT INTO t (a, b, c) VALUES (?, ?, ?)",
    "INSERT INTO t (c, b, a) VALUES (?3, ?2, ?1)",
    "INSERT OR IGNORE INTO t (a, b, c) VALUES (?, ?, ?)",
    "INSERT OR REPLACE INTO t (a, b, c) VALUES (?, ?, ?)",
    "INSERT INTO t (a, b) VALUES (?, ?2 || ?3)",
)
SCHEMA = (
    "CREATE TABLE p (id INTEGER PRIMARY KEY)",
    "INSERT INTO p VALUES (1), (2), (3)",
    "CREATE TABLE seen (rows INTEGER)",
)
TRIGGER = "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO seen SELECT count(*) FROM t; END"
NUMBERS: list[Any] = [None, None, 0, 1, 2, 3, 4, 5, 6]
VALUES: tuple[list[Any], ...] = (
    [*NUMBERS, "2024-01-01 00:00:00", "2024-01-01T00:00:00Z", "7", 2.0, 2.5, True],
    ["0", "1", "2", "3", "a", "A", None, "2024-02-29", "2024-02-29 ", 4, b"x"],
    [None, 1.5, 2, 2.0, "1.50", Decimal("1.50"), 7.25, math.nan, math.inf],
)


def some_rows(random: Random) -> list[tuple[Any, ...]]:
    """Return rows for `INSERTS`, some of them all of one kind."""
    values = VALUES if random.random() < 0.5 else (NUMBERS, VALUES[1][:6], VALUES[2][:4])
    return [tuple(map(random.choice, values)) for _ in range(random.randrange(7))]


@pytest.fixture(scope="module")
def twins() -> Iterator[tuple[discosql.Connection, discosql.Connection]]:
    both = tuple(discosql.connect(":memory:", isolation_level=None) for _ in range(2))
    yield both  # type: ignore[misc]
    for db in both:
        db.close()


def contents(db: discosql.Connection) -> object:
    rows = db.execute("SELECT rowid, * FROM t ORDER BY rowid").fetchall()
    seen = db.execute("SELECT (SELECT count(*) FROM t), count(*), sum(rows) FROM seen").fetchone()
    return [tuple(map(bits, row)) for row in rows], seen


def test_rows_together_are_the_rows_one_by_one(twins: tuple[discosql.Connection, discosql.Connection]) -> None:
    """In one transaction with savepoints, some of which are undone, and rows removed in between."""
    random = Random(11)
    for _ in range(25):
        for table in TABLES:
            script = [*SCHEMA, table]
            if random.random() < 0.3 and "TEMPORARY" not in table:
                script.append(TRIGGER)
            for db in twins:
                db.execute("BEGIN")
                for sql in script:
                    db.execute(sql)
            for _ in range(random.randrange(1, 5)):
                _compare_step(twins, random)
            for db in twins:
                db.execute("ROLLBACK")
                db.execute("DROP TABLE IF EXISTS temp.t")


def _compare_step(twins: tuple[discosql.Connection, discosql.Connection], random: Random) -> None:
    sql, rows = random.choice(INSERTS), some_rows(random)
    together, alone = [_run(db, sql, rows, many) for db, many in zip(twins, (True, False), strict=True)]
    # Of several faults another one may be told first: foreign keys are looked at when all rows are in.
    assert together == alone
    undone, gone = random.random() < 0.4, random.sample(range(7), 3)
    for db in twins:
        if undone:
            db.execute("ROLLBACK TO step")
        db.execute("RELEASE step")
        db.executemany("DELETE FROM t WHERE rowid = ?", [(rowid,) for rowid in gone])
    assert contents(twins[0]) == contents(twins[1])


def _run(db: discosql.Connection, sql: str, rows: list[tuple[Any, ...]], together: bool) -> object:
    """Insert the rows within a savepoint, all or none; return what is there then, None after an error."""
    db.execute("SAVEPOINT step")
    try:
        if together:
            db.executemany(sql, rows)
        else:
            for row in rows:
                db.execute(sql, row)
    except discosql.Error:
        db.execute("ROLLBACK TO step")
        return None
    return contents(db)


# In a transaction of the engine -------------------------------------------------------------------------------------


def all_of(transaction: Transaction) -> object:
    """Return all that can be told of a transaction: rows, what a commit would store, counts, keys, rowids."""
    found = transaction.lookup(1, 2, [(f"name {number}",) for number in range(12)])
    changed = {
        table: (each.inserted, each.updated, each.deleted) for table, each in transaction.changes(1).tables.items()
    }
    batches = transaction.scan(1)
    rows = []
    while (batch := batches.next()) is not None:
        rows += batch  # type: ignore[arg-type]
    return rows, found, changed, transaction.statistics(1).rows, transaction.next_rowid(1)


@pytest.mark.parametrize("stored", [(), (1, 2, 5)])
async def test_rows_added_together_are_the_rows_added_one_by_one(stored: tuple[int, ...]) -> None:
    random = Random(3)
    engines = [await open_memory(), await open_memory()]
    for engine in engines:
        await create(engine)
        transaction = engine.begin()
        for rowid in stored:
            transaction.insert(1, (rowid, rowid, f"name {rowid}", None))
        await engine.commit(transaction)
    for _ in range(150):
        together, alone = [engine.begin() for engine in engines]
        used, marks = set(stored), []
        for _ in range(random.randrange(1, 8)):
            step = random.random()
            if step < 0.5:
                free = sorted(set(range(1, 12)) - used)
                rowids = random.sample(free, min(len(free), random.randrange(4)))
                rows: list[Row] = [(rowid, rowid, f"name {rowid}", random.randrange(3)) for rowid in rowids]
                together.insert_all(1, rows)
                for row in rows:
                    alone.insert(1, row)
                used.update(rowids)
            elif step < 0.7 and used:
                rowid = random.choice(sorted(used))
                used.remove(rowid)
                for transaction in (together, alone):
                    (gone,) = transaction.lookup(1, None, [(rowid,)])  # type: ignore[misc]
                    transaction.delete(1, gone)
            elif step < 0.85 or not marks:
                marks.append((together.mark(), alone.mark(), set(used)))
            else:
                first, second, used = marks.pop()
                together.rollback_to(first)
                alone.rollback_to(second)
            assert all_of(together) == all_of(alone)
        for engine, transaction in zip(engines, (together, alone), strict=True):
            engine.rollback(transaction)


async def test_rowids_given_together_are_spent() -> None:
    engine = await open_memory()
    await create(engine, USERS.replace(autoincrement=True, indexes=()))
    one, two = engine.begin(), engine.begin()
    assert list(one.next_rowids(1, 3)) == [1, 2, 3]
    assert one.next_rowid(1) == 4
    assert list(two.next_rowids(1, 2, above=1)) == [5, 6]
    assert list(two.next_rowids(1, 2, above=10)) == [11, 12]
    engine.rollback(two)
    with pytest.raises(discosql.OperationalError, match="no rowid left"):
        one.next_rowids(1, 2, above=MAX_INTEGER - 1)
    assert list(one.next_rowids(1, 1, above=MAX_INTEGER - 1)) == [MAX_INTEGER]


def test_the_schema_may_change_while_parameters_are_bound() -> None:
    db = discosql.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE t (a INTEGER)")
    session = db._session
    other = Session(session.engine, session.registry, implicit_begin="never")
    steps = session.execute_many("INSERT INTO t (a) VALUES (?)", [(number,) for number in range(3_000)])
    assert next(steps) is None
    for each in (other.execute("ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 7"), steps):
        LOOP_THREAD.run(drive(each, Control().start()))
    assert db.execute("SELECT count(*), sum(a), min(b), max(b) FROM t").fetchall() == [(3_000, 4_498_500, 7, 7)]
    db.close()
