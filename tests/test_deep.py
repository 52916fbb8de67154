"""Statements that nest deep or are long: they work up to SQLite's limits and are a clear error beyond them."""

import sys
import threading
from collections.abc import Iterator

import pytest
from planning import oracle

import discosql
from discosql.stack import call_deeply, is_deep

NESTED = {
    "parentheses": ("(", "a", ")"),
    "sums on the right": ("(1 + ", "a", ")"),
    "sums on the left": ("(", "a", " + 1)"),
    "NOT": ("NOT ", "a", ""),
    "minus": ("- ", "a", ""),
    "CASE": ("CASE WHEN a THEN ", "b", " END"),
    "calls": ("abs(", "a", ")"),
    "conditions": ("(a = 1 AND (b = 3 OR ", "a", "))"),
    "IN": ("a IN (1, ", "a", ")"),
}
LIMIT = "maximum depth|nested too deeply"


@pytest.fixture(scope="module")
def db() -> Iterator[discosql.Connection]:
    with discosql.connect(":memory:", isolation_level=None) as opened:
        opened.executescript("CREATE TABLE t (a INTEGER, b INTEGER); INSERT INTO t VALUES (1, 2), (3, 4)")
        yield opened


@pytest.mark.parametrize("nested", NESTED.values(), ids=NESTED)
def test_nesting(db: discosql.Connection, nested: tuple[str, str, str]) -> None:
    opening, core, closing = nested
    sqlite = oracle("CREATE TABLE t (a INTEGER, b INTEGER)", "INSERT INTO t VALUES (1, 2), (3, 4)")
    for depth in (150, 400):
        sql = f"SELECT {opening * depth}{core}{closing * depth} FROM t"
        assert db.execute(sql).fetchall() == sqlite.execute(sql).fetchall()


@pytest.mark.parametrize("nested", list(NESTED.values())[:6], ids=list(NESTED)[:6])
def test_a_thousand_levels(db: discosql.Connection, nested: tuple[str, str, str]) -> None:
    opening, core, closing = nested
    assert len(db.execute(f"SELECT {opening * 1000}{core}{closing * 1000} FROM t").fetchall()) == 2
    assert db.execute(f"EXPLAIN SELECT {opening * 1000}{core}{closing * 1000} FROM t").fetchall()
    with pytest.raises(discosql.ProgrammingError, match=LIMIT):
        db.execute(f"SELECT {opening * 5000}{core}{closing * 5000} || '{opening}' FROM t WHERE {'NOT ' * 5000} a")


def test_queries_within_each_other(db: discosql.Connection) -> None:
    assert db.execute("SELECT " + "(SELECT " * 100 + "1" + ")" * 100).fetchall() == [(1,)]
    assert len(db.execute("SELECT * FROM " + "(SELECT * FROM " * 100 + "t" + ")" * 100).fetchall()) == 2
    with pytest.raises(discosql.ProgrammingError, match=LIMIT):
        db.execute("SELECT " + "(SELECT " * 2000 + "1" + ")" * 2000)


def test_long_statements(db: discosql.Connection) -> None:
    numbers = ", ".join(map(str, range(2, 100_002)))
    assert db.execute(f"SELECT a FROM t WHERE a IN ({numbers})").fetchall() == [(3,)]
    for operator, count in (("UNION ALL", 1000), ("UNION", 2)):
        assert len(db.execute(f" {operator} ".join(["SELECT a FROM t"] * 500)).fetchall()) == count


def test_a_trigger_and_a_check_may_be_deep(db: discosql.Connection) -> None:
    deep = "abs(" * 300 + "{}" + ")" * 300
    db.execute(f"CREATE TABLE c (a INTEGER CHECK ({deep.format('a')} < 5), g INTEGER AS ({deep.format('a')}))")
    db.execute(f"CREATE TRIGGER tr AFTER INSERT ON c BEGIN INSERT INTO t SELECT {deep.format('NEW.a')}, 0; END")
    db.execute("INSERT INTO c VALUES (-4)")
    assert db.execute("SELECT * FROM c").fetchall() == [(-4, 4)]
    assert db.execute("DELETE FROM t WHERE b = 0 RETURNING a").fetchall() == [(4,)]
    with pytest.raises(discosql.IntegrityError):
        db.execute("INSERT INTO c VALUES (-5)")


def test_the_process_is_left_as_it_was() -> None:
    limit, size = sys.getrecursionlimit(), threading.stack_size()

    def descend(levels: int) -> int:
        return 0 if levels == 0 else 1 + descend(levels - 1)

    assert call_deeply(lambda: (descend(20_000), is_deep(), call_deeply(is_deep))) == (20_000, True, True)
    with pytest.raises(RecursionError):
        call_deeply(lambda: descend(10**9))
    with pytest.raises(ZeroDivisionError):
        call_deeply(lambda: descend(5_000) // 0)
    assert not is_deep()
    assert (sys.getrecursionlimit(), threading.stack_size()) == (limit, size)
