"""What compiled plans promise besides their rows: little reading, regular ticks, no limits on depth, no user text."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Any, Final

import pytest
from compiling import Pair
from memory_view import Answer, MemoryView, run, table

from discosql.errors import NotSupportedError, OperationalError
from discosql.executor.compile import compile_plan, compile_rows, evaluate_constant
from discosql.executor.context import Context
from discosql.executor.functions import DEFAULT
from discosql.planner.plan import (
    And,
    Binary,
    Call,
    Case,
    ColumnRef,
    Compare,
    Constant,
    Convert,
    Expression,
    Filter,
    HashJoin,
    IndexJoin,
    IndexLookup,
    InList,
    Limit,
    NestedLoopJoin,
    Node,
    Not,
    Or,
    Parameter,
    Projection,
    RaiseError,
    Scan,
    SetOperation,
    Sort,
    SortKey,
    Values,
)
from discosql.schema import Index
from discosql.types import Row, SqlType, Value

TABLE: Final = table(1, "t", ("a", SqlType.INTEGER, True), ("b", SqlType.TEXT, False))
ROWS: Final = [(number, number % 5, None if number % 7 == 0 else f"x{number % 3}") for number in range(1, 41)]
ONE: Final = table(2, "one", ("a", SqlType.INTEGER, True))
IDS: Final = count(1000)


def scan(schema: Any = TABLE) -> Scan:
    output = [ColumnRef(next(IDS), "rowid", schema.name, SqlType.INTEGER, False)]
    output += [
        ColumnRef(next(IDS), column.name, schema.name, column.type, not column.not_null) for column in schema.columns
    ]
    return Scan(schema, schema.name, tuple(output), tuple(range(len(output))))


def projection(child: Node, *expressions: Expression) -> Projection:
    return Projection(child, expressions, tuple(ColumnRef(next(IDS), "x") for _ in expressions))


def view(**more: Any) -> MemoryView:
    return MemoryView({1: ROWS, 2: [(1, 1)]}, (TABLE, ONE), **more)


def rows_of(plan: Node, parameters: tuple[Value, ...] = (), **more: Any) -> list[Row]:
    compiled = compile_plan(plan, DEFAULT, [type(value) for value in parameters])
    rows: list[Row] = run(compiled.run(Context(view(**more), parameters)))  # type: ignore[arg-type]
    return rows


# Depth and width ---------------------------------------------------------------------------------------------------


def nested(start: Expression, wrap: Any, times: int = 1000) -> Expression:
    for number in range(times):
        start = wrap(start, number)
    return start


SCANNED: Final = scan()
A: Final = SCANNED.output[1]


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        (nested(A, lambda inner, _: Binary("+", inner, Constant(1))), 1001),
        (nested(A, lambda inner, _: Binary("+", Constant(1), inner)), 1001),
        (nested(Compare(">", A, Constant(0)), lambda inner, _: Not(inner)), 1),
        (nested(A, lambda inner, _: Call("coalesce", (inner, Constant(1)))), 1),
        (nested(A, lambda inner, _: Call("abs", (inner,))), 1),
        (nested(Constant("x"), lambda inner, n: Case(((Compare("=", A, Constant(n)), Constant(n)),), inner)), 1),
        (nested(A, lambda inner, n: (And, Or)[n % 2]((inner, Compare("<>", A, Constant(n))))), 1),
        (And(tuple(Compare("<>", A, Constant(number)) for number in range(2, 1002))), 1),
        (Case(tuple((Compare("=", A, Constant(999 - n)), Constant(n)) for n in range(1000)), Constant(0)), 998),
        (InList(A, tuple(Constant(number) for number in range(1, 100_001))), 1),
    ],
)
def test_deep_and_wide_expressions(expression: Expression, first: Value) -> None:
    assert rows_of(projection(SCANNED, expression))[0] == (first,)
    assert rows_of(Filter(SCANNED, expression))[0] == ROWS[0]


def test_many_parameters() -> None:
    wanted = InList(A, tuple(Parameter(number) for number in range(5000)))
    assert len(rows_of(Filter(SCANNED, wanted), tuple(range(3, 5003)))) == 16


def test_many_arms() -> None:
    plan: Node = projection(Values(((),), ()), Constant(0))
    for number in range(1, 600):
        output = (ColumnRef(next(IDS), "x"),)
        arm = projection(Values(((),), ()), Constant(number // 2))
        plan = SetOperation("union", plan, arm, number % 2 == 0, output, ("BINARY",))
    assert rows_of(plan) == [(number,) for number in range(300)] + [(299,)] * (len(rows_of(plan)) - 300)


@pytest.mark.parametrize("kind", ["inner", "left", "full"])
def test_many_joins(kind: Any) -> None:
    plan: Node = scan()
    for _ in range(61 if kind != "full" else 30):
        right = scan()
        keys = (plan.output[0],), (right.output[0],)
        plan = HashJoin(plan, right, kind, *keys, ("BINARY",))
    rows = rows_of(plan)
    assert len(rows) == len(ROWS)
    assert rows[0] == ROWS[0] * (len(plan.output) // 3)


@pytest.mark.parametrize("kind", ["inner", "left"])
def test_many_loops(kind: Any) -> None:
    plan: Node = scan(ONE)
    for _ in range(61):
        right = scan(ONE)
        plan = NestedLoopJoin(plan, right, kind, Compare("=", plan.output[0], right.output[0]))
    assert rows_of(plan) == [(1, 1) * 62]


def test_a_plan_too_deep_is_an_error() -> None:
    plan: Node = SCANNED
    for _ in range(30_000):
        plan = Filter(plan, Compare(">", A, Constant(0)))
    with pytest.raises(OperationalError, match="nested too deeply"):
        compile_plan(plan, DEFAULT)


# Reading -----------------------------------------------------------------------------------------------------------

PAIR: Final = Pair(
    "CREATE TABLE t (id INTEGER PRIMARY KEY, g INTEGER, s TEXT); CREATE INDEX t_s ON t (s);"
    "CREATE TABLE u (id INTEGER PRIMARY KEY, t INTEGER)",
    {"t": [(number, number % 10, f"s{number}") for number in range(1, 1001)], "u": [(1, 5), (2, 5), (3, 900)]},
    batch=100,
    pending=True,
)


@pytest.mark.parametrize(
    ("sql", "requests"),
    [
        ("SELECT s FROM t WHERE id = 7", {"lookup": 1}),
        ("SELECT s FROM t WHERE id IN (7, 3, 900, 7)", {"lookup": 1}),
        ("SELECT g FROM t LIMIT 5", {"scan": 1, "batch": 1}),
        ("SELECT id FROM t WHERE g = 3 LIMIT 15", {"scan": 1, "batch": 2}),
        ("SELECT g FROM t UNION ALL SELECT id FROM u LIMIT 5", {"scan": 1, "batch": 1}),
        ("SELECT g FROM u JOIN t ON u.t = t.g LIMIT 2", {"scan": 2}),
        ("SELECT DISTINCT g FROM t LIMIT 3", {"scan": 1, "batch": 1}),
        ("SELECT EXISTS (SELECT 1 FROM t WHERE g = 9)", {"scan": 1, "batch": 1}),
        ("SELECT (SELECT s FROM t WHERE g = 9)", {"scan": 1, "batch": 1}),
        ("SELECT count(*) FROM t", {"scan": 1, "batch": 10}),
        ("SELECT count(*) FROM t JOIN u ON t.g = u.t", {"prefetch": 1, "scan": 2, "batch": 11}),
        ("SELECT (SELECT max(id) FROM t WHERE t.g < u.t) FROM u", {"scan": 2, "batch": 11, "prefetch": 1}),
    ],
)
def test_what_is_read(sql: str, requests: dict[str, int]) -> None:
    plan = PAIR.plan(sql, optimise="IN" in sql or "=" in sql)
    PAIR.view.requests.clear()
    found = run(compile_plan(plan, DEFAULT).run(Context(PAIR.view)))  # type: ignore[arg-type]
    assert found == PAIR.sqlite.execute(sql).fetchall()
    assert {kind: PAIR.view.requests[kind] for kind in requests} == requests


INDEXED: Final = table(
    3,
    "k",
    ("n", SqlType.TEXT, False),
    ("a", SqlType.INTEGER, False),
    indexes=(Index(9, "k_n", (0,), False, collations=("NOCASE",)), Index(10, "k_a", (1,), True)),
)


@pytest.mark.parametrize("kind", ["inner", "left", "semi", "anti"])
@pytest.mark.parametrize("by_index", [None, 9, 10])
def test_index_joins(kind: Any, by_index: int | None) -> None:
    rows = [(1, "X1", 1), (2, "x2", 30), (3, "x1", None), (4, None, 7), (7, "X1", 3)]
    found = scan(INDEXED)
    left = scan()
    key = {None: left.output[1], 9: left.output[2], 10: left.output[0]}[by_index]
    index = None if by_index is None else INDEXED.index(by_index)
    lookup = IndexLookup(INDEXED, "k", found.output, found.positions, index, ((key,),))
    residual = Compare("<>", left.output[0], found.output[0])
    hashed = {None: found.output[0], 9: found.output[1], 10: found.output[2]}[by_index]
    for condition in (None, residual):
        join = IndexJoin(left, lookup, kind, condition)
        collations = ("NOCASE",) if by_index == 9 else ("BINARY",)
        equal = HashJoin(left, found, kind, (key,), (hashed,), collations, condition)
        for pending in (False, True):
            source = MemoryView({1: ROWS, 3: rows}, (TABLE, INDEXED), batch=16, pending=pending)
            results = [
                run(compile_plan(plan, DEFAULT).run(Context(source)))  # type: ignore[arg-type]
                for plan in (join, equal)
            ]
            assert results[0] == results[1]
            assert source.requests["lookup"] == 3


def test_an_index_join_under_a_limit_starts_small() -> None:
    left, found = scan(), scan(INDEXED)
    lookup = IndexLookup(INDEXED, "k", found.output, found.positions, None, ((left.output[0],),))
    stored = {
        1: [(number, 0, None) for number in range(1, 5001)],
        3: [(number, None, None) for number in range(1, 5001)],
    }
    for wanted, keys in ((1, 32), (33, 96), (5000, 5000)):
        source = MemoryView(stored, (TABLE, INDEXED))
        limit = Limit(IndexJoin(left, lookup, "inner"), Constant(wanted))
        assert len(run(compile_plan(limit, DEFAULT).run(Context(source)))) == wanted  # type: ignore[arg-type]
        assert source.requests["keys"] == keys


def test_what_a_correlated_subquery_does_not_change_is_computed_once() -> None:
    sql = (
        "SELECT id, (SELECT max(n) FROM (SELECT g, count(*) AS n FROM t GROUP BY g) AS s, u AS v "
        "WHERE s.g < u.t AND v.id = u.id) FROM u"
    )
    PAIR.check(sql)
    PAIR.view.requests.clear()
    PAIR.rows(sql, optimise=False)
    assert PAIR.view.requests["batch"] == 10 + 2


def test_a_subquery_that_is_not_reached_reads_nothing() -> None:
    assert (
        PAIR.rows("SELECT CASE WHEN id > 0 THEN 1 ELSE (SELECT count(*) FROM t) END FROM u", optimise=False)
        == [(1,)] * 3
    )
    PAIR.view.requests.clear()
    PAIR.rows("SELECT coalesce(id, (SELECT max(id) FROM t)) FROM u", optimise=False)
    assert PAIR.view.requests["batch"] == 1


@pytest.mark.parametrize("pending", [False, True])
def test_the_past(pending: bool) -> None:
    def past(moment: Value) -> Any:
        assert moment == "2024-01-01"
        before = MemoryView({1: ROWS[:3]}, (TABLE,), pending=pending)
        return Answer(before) if pending else before

    then = replace(scan(), as_of=Parameter(0))
    now = scan()
    gone = HashJoin(now, then, "anti", (now.output[0],), (then.output[0],), ("BINARY",))
    steps = compile_plan(gone, DEFAULT).run(Context(view(pending=pending), ("2024-01-01",), past=past))  # type: ignore[arg-type]
    assert run(steps) == ROWS[3:]
    with pytest.raises(NotSupportedError, match="cannot read the past"):
        run(compile_plan(then, DEFAULT).run(Context(view(), ("2024-01-01",))))  # type: ignore[arg-type]


# Running -----------------------------------------------------------------------------------------------------------


def ticks(plan: Node, **more: Any) -> int:
    steps = compile_plan(plan, DEFAULT).run(Context(view(**more)))  # type: ignore[arg-type]
    return sum(not isinstance(step, Answer) for step in steps)


def test_ticks() -> None:
    plain, other = scan(), scan()
    assert ticks(plain) == 0
    pairs = NestedLoopJoin(plain, other, "inner", Compare(">", plain.output[0], other.output[0]))
    more = scan()
    triples = NestedLoopJoin(pairs, more, "inner", Compare("=", more.output[1], other.output[1]))
    assert ticks(triples) >= 40 * 40 * 40 // 2 // 8192
    long = Values(tuple((Constant(number),) for number in range(50_000)), (ColumnRef(next(IDS), "x"),))
    assert ticks(Sort(long, (SortKey(long.output[0], True),))) >= 5


def test_row_counts() -> None:
    source = scan()
    kept = Filter(source, Compare("=", source.output[1], Constant(3)))
    plan = projection(kept, source.output[0])
    compiled = compile_plan(plan, DEFAULT, count_rows=True)
    assert run(compiled.run(Context(view()))) == [(number,) for number in range(3, 41, 5)]  # type: ignore[arg-type]
    assert [compiled.row_counts[id(node)] for node in (plan, kept, source)] == [8, 8, 40]


def test_no_user_text_in_the_source() -> None:
    sql = "SELECT 'pass' || 'word', g AS \"se\"\"cret\" FROM t WHERE s = 'quo\"te''d' COLLATE NOCASE OR s LIKE '%é%'"
    source = PAIR.compile(sql).source
    for text in ("pass", "word", "cret", "quo", "é", "NOCASE"):
        assert text not in source


def test_errors_of_expressions_that_are_not_needed() -> None:
    raising = RaiseError("DataError", "must not be evaluated")
    assert rows_of(projection(scan(ONE), Case(((Constant(1), Constant(2)),), raising))) == [(2,)]
    assert rows_of(projection(scan(ONE), Call("coalesce", (Constant(3), raising)))) == [(3,)]
    assert rows_of(projection(scan(ONE), Or((Constant(1), raising)), And((Constant(0), raising)))) == [(1, 0)]


# Expressions over given rows -----------------------------------------------------------------------------------------


def test_rows() -> None:
    old = (ColumnRef(1, "a", type=SqlType.INTEGER), ColumnRef(2, "b", type=SqlType.TEXT))
    new = (ColumnRef(3, "a", type=SqlType.INTEGER), ColumnRef(4, "b", type=SqlType.TEXT))
    compiled = compile_rows([Binary("+", old[0], new[0]), Binary("||", old[1], new[1])], [old, new], DEFAULT)
    context = Context(view())  # type: ignore[arg-type]
    assert compiled.is_plain
    assert compiled.evaluate(context, (1, "x"), (2, "y")) == (3, "xy")
    assert run(compiled.run(context, [((1, "x"), (None, "y")), ((5, None), (6, "z"))])) == [(None, "xy"), (11, None)]


def test_rows_with_a_subquery() -> None:
    from discosql.planner.plan import ScalarSubquery

    given = (ColumnRef(1, "a", type=SqlType.INTEGER),)
    source = scan()
    matching = Filter(source, Compare("=", source.output[0], given[0]))
    subquery = ScalarSubquery(projection(matching, source.output[2]))
    compiled = compile_rows([subquery, given[0]], [given], DEFAULT)
    assert not compiled.is_plain
    for more in ({}, {"pending": True}):
        context = Context(view(**more))  # type: ignore[arg-type]
        assert run(compiled.run(context, [((1,),), ((99,),)])) == [("x1", 1), (None, 99)]


def _constants() -> Iterable[tuple[Expression, Value]]:
    one, half, text = Constant(1), Constant(0.5), Constant("12abc")
    yield Binary("+", one, half), 1.5
    yield Binary("/", Constant(7), Constant(-2)), -3
    yield Binary("||", one, text), "112abc"
    yield Binary("+", Constant(2**63 - 1), one), 2.0**63
    yield Compare("<", one, text), 1
    yield Compare("=", Constant("A"), Constant("a"), "NOCASE"), 1
    yield Convert(Constant("12"), SqlType.INTEGER), 12
    yield And((Constant(None), Constant(0))), 0
    yield Or((Constant(None), Constant(0))), None
    yield Not(Constant("0.5")), 0
    yield Case(((Constant(None), one),), half), 0.5
    yield InList(one, (half, Constant(None))), None
    yield Call("upper", (text,)), "12ABC"
    yield nested(one, lambda inner, _: Binary("+", inner, one)), 1001


@pytest.mark.parametrize(("expression", "value"), list(_constants()))
def test_constants(expression: Expression, value: Value) -> None:
    assert evaluate_constant(expression, DEFAULT) == value
