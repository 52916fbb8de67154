"""The optimiser on statements of unusual size, and on every kind of statement."""

import time
from itertools import pairwise
from random import Random

import pytest
from optimising import Tables

from discosql.planner.explain import explain_lines
from discosql.planner.plan import Delete, Explain, Insert, NestedLoopJoin, Query, Update
from discosql.planner.rules import Trace, optimise
from discosql.planner.statement import walk_all


def planned_in(tables: Tables, sql: str) -> tuple[float, list[str]]:
    """Return the seconds of the optimiser alone, and the plan."""
    statement = tables.plan(sql, optimised=False)
    start = time.process_time()
    optimised = optimise(statement, tables.context())
    return time.process_time() - start, explain_lines(optimised)


@pytest.fixture(scope="module")
def numbers() -> Tables:
    tables = Tables("CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER, c TEXT)")
    tables.load("t", [(number, number % 3, str(number)) for number in range(10)])
    return tables


def chain(count: int, seed: int) -> tuple[Tables, str]:
    tables = Tables(*(f"CREATE TABLE t{i} (a{i} INTEGER PRIMARY KEY, b{i} INTEGER)" for i in range(count)))
    for number in range(count):
        tables.load(f"t{number}", [(row, row) for row in range(10)])
    random = Random(seed)
    order = random.sample(range(count), count)
    conditions = [f"a{left} = b{right}" for left, right in pairwise(order)]
    random.shuffle(conditions)
    names = ", ".join(f"t{number}" for number in range(count))
    return tables, f"SELECT count(*) FROM {names} WHERE a{order[-1]} = 5 AND {' AND '.join(conditions)}"


@pytest.mark.parametrize("count", [2, 8, 9, 20, 62])
def test_long_chains_of_joins_are_planned_without_cross_products(count: int) -> None:
    tables, sql = chain(count, count)
    seconds, _ = planned_in(tables, sql)
    plan = tables.plan(sql)
    assert isinstance(plan, Query)
    assert not any(isinstance(node, NestedLoopJoin) for node in walk_all(plan.plan))
    assert tables.run(sql) == [(1,)]
    assert seconds < 1.5  # a tenth of it on an idle machine


def test_stars_and_cliques_are_planned(numbers: Tables) -> None:
    star = ", ".join(f"t AS t{i}" for i in range(60))
    ties = " AND ".join(f"t0.b = t{i}.a" for i in range(1, 60))
    seconds, lines = planned_in(numbers, f"SELECT 1 FROM {star} WHERE {ties}")
    assert not any("NestedLoopJoin" in line for line in lines)
    assert seconds < 3
    clique = " AND ".join(f"t{i}.b = t{j}.b" for i in range(8) for j in range(i + 1, 8))
    seconds, lines = planned_in(numbers, f"SELECT 1 FROM {', '.join(f't AS t{i}' for i in range(8))} WHERE {clique}")
    assert sum("HashJoin" in line for line in lines) == 7
    assert seconds < 1


def test_long_expressions_do_not_exhaust_the_stack(numbers: Tables) -> None:
    total = " + ".join(["a"] * 2_000)
    _, lines = planned_in(numbers, f"SELECT {total} FROM t WHERE {total} > 3")
    assert len(lines) == 3
    ones = " + ".join(["1"] * 1_500)
    assert planned_in(numbers, f"SELECT {ones} FROM t")[1] == ["Projection: 1500", "└─ Scan: t"]
    arms = " OR ".join(f"b = {number}" for number in range(2_000))
    assert planned_in(numbers, f"SELECT a FROM t WHERE {arms}")[1][1] == "└─ Filter: t.b IN (0, 1, 2, 3, … 2000 in all)"
    pairs = " OR ".join(f"b = {number} AND a > {number}" for number in range(500))
    assert len(planned_in(numbers, f"SELECT a FROM t WHERE {pairs}")[1]) == 3


def test_long_lists_and_unions_are_planned(numbers: Tables) -> None:
    values = ", ".join(map(str, range(20_000)))
    seconds, lines = planned_in(numbers, f"SELECT a FROM t WHERE b IN ({values})")
    assert lines[1].endswith("… 20000 in all)")
    assert seconds < 0.5
    unions = " UNION ALL ".join(f"SELECT a FROM t WHERE b = {number}" for number in range(500))
    seconds, lines = planned_in(numbers, f"SELECT * FROM ({unions}) WHERE a = 5")
    assert sum("IndexLookup: t.a (5)" in line for line in lines) == 500
    assert seconds < 2


def test_every_rule_keeps_the_columns_of_the_result(numbers: Tables) -> None:
    queries = (
        "SELECT * FROM t AS x JOIN t AS y ON y.a = x.b JOIN t AS z ON z.b = y.a",
        "SELECT * FROM (SELECT c, a FROM t) AS x LEFT JOIN t AS y USING (a)",
        "SELECT * FROM t WHERE a IN (SELECT b FROM t)",
        "SELECT DISTINCT * FROM t AS x, t AS y WHERE x.a = y.b",
        "SELECT b, a FROM t UNION SELECT * FROM (SELECT a, b FROM t AS x WHERE EXISTS (SELECT 1 FROM t WHERE b = x.a))",
    )
    for sql in queries:
        statement = numbers.plan(sql, optimised=False)
        assert isinstance(statement, Query)
        trace: Trace = []
        optimise(statement, numbers.context(), trace)
        assert trace
        for rule, plan in trace:
            if len(plan.output) == len(statement.plan.output):
                assert [c.id for c in plan.output] == [c.id for c in statement.plan.output], rule
        numbers.check(sql)


def test_statements_that_change_rows_are_optimised(numbers: Tables) -> None:
    lines = numbers.lines("DELETE FROM t WHERE a IN (SELECT b FROM t WHERE a = 7)")
    assert lines[0] == "Delete: t"
    assert any("IndexJoin" in line for line in lines)
    lines = numbers.lines("UPDATE t SET c = (SELECT max(c) FROM t AS x WHERE x.b = t.a) WHERE a = 3")
    assert lines[0] == "Update: t (c)"
    assert any("IndexLookup: t.a (3)" in line for line in lines)
    lines = numbers.lines("INSERT INTO t SELECT a + 100, b, c FROM t WHERE a = 3")
    assert lines == ["Insert: t (a, b, c)", "└─ Projection: t.a + 100, t.b, t.c", "   └─ IndexLookup: t.a (3)"]
    for sql, kind in (
        ("DELETE FROM t", Delete),
        ("UPDATE t SET b = 1", Update),
        ("INSERT INTO t DEFAULT VALUES", Insert),
    ):
        assert isinstance(numbers.plan(sql), kind)


def test_subqueries_in_other_places_are_optimised(numbers: Tables) -> None:
    lines = numbers.lines("INSERT INTO t VALUES (1, 1, 'x') RETURNING (SELECT c FROM t WHERE a = 3)")
    assert lines[-3:] == ["└─ subquery", "   └─ Projection: t.c", "      └─ IndexLookup: t.a (3)"]
    explained = numbers.plan("EXPLAIN SELECT * FROM t WHERE a = 3")
    assert isinstance(explained, Explain)
    assert explain_lines(explained.statement)[1] == "└─ IndexLookup: t.a (3)"


def test_a_point_query_is_planned_quickly(numbers: Tables) -> None:
    statement = numbers.plan("SELECT c FROM t WHERE a = ?", optimised=False)
    context = numbers.context()
    best = min(planning_time(statement, context) for _ in range(20))
    assert best < 0.001  # about a tenth of it on an idle machine


def planning_time(statement: object, context: object) -> float:
    start = time.process_time()
    for _ in range(10):
        optimise(statement, context)  # type: ignore[arg-type]
    return (time.process_time() - start) / 10


def test_common_table_expressions_used_twice_are_planned_once(numbers: Tables) -> None:
    steps = [f"c{i}(x) AS (SELECT p.x FROM c{i - 1} AS p JOIN c{i - 1} AS q ON p.x = q.x)" for i in range(1, 40)]
    sql = f"WITH c0(x) AS (SELECT b FROM t WHERE a < 4), {', '.join(steps)} SELECT count(*) FROM c39"
    # Each doubles the number of ways down to the table: going all of them would take longer than the universe is old.
    _, lines = planned_in(numbers, sql)
    assert sum("Scan: t" in line for line in lines) == 1
