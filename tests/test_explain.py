"""EXPLAIN on plans written by hand: every kind of node and expression has a line a person can read."""

import json

from plans import Tables, compare, equals, query

from discosql.planner.explain import explain_json, explain_lines
from discosql.planner.plan import (
    Aggregate,
    AggregateCall,
    And,
    Between,
    Binary,
    Bound,
    Call,
    Case,
    Cast,
    ColumnRef,
    Constant,
    Convert,
    Delete,
    Distinct,
    Exists,
    Expression,
    Filter,
    Frame,
    FrameBound,
    HashJoin,
    IndexJoin,
    IndexLookup,
    InList,
    InSubquery,
    Is,
    Limit,
    NestedLoopJoin,
    Not,
    Or,
    Parameter,
    Projection,
    RecursiveUnion,
    RowRules,
    ScalarSubquery,
    Scan,
    SetOperation,
    Shared,
    SimpleCase,
    Sort,
    SortKey,
    TopN,
    TransactionControl,
    Unary,
    Vacuum,
    Values,
    Window,
    WindowCall,
    WorkingScan,
)
from discosql.types import SqlType

A = ColumnRef(1, "a", "t", SqlType.INTEGER)
B = ColumnRef(2, "b", "t", SqlType.TEXT)
ONE, TWO = Constant(1), Constant(2)
NOTHING = Values((), ())


def text(expression: Expression) -> str:
    return explain_lines(Filter(NOTHING, expression))[0].removeprefix("Filter: ")


def test_expressions_read_as_sql() -> None:
    assert text(Binary("*", Binary("+", A, ONE), Binary("*", A, TWO))) == "(t.a + 1) * (t.a * 2)"
    assert text(Binary("-", Binary("-", A, ONE), TWO)) == "t.a - 1 - 2"
    assert text(Or((And((equals(A, 1), equals(B, 2))), Not(equals(A, 2))))) == "t.a = 1 AND t.b = 2 OR NOT t.a = 2"
    assert text(And((Or((A, B)), Not(Or((A, B)))))) == "(t.a OR t.b) AND NOT (t.a OR t.b)"
    assert text(Is(A, Constant(None), True)) == "t.a IS NOT NULL"
    assert text(Between(A, ONE, A, Binary("+", ONE, TWO))) == "t.a BETWEEN 1 AND 1 + 2"
    assert text(InList(B, (Constant("it's"), Constant(b"\x01"), Parameter(0), Parameter(1, "x")), True)) == (
        "t.b NOT IN ('it''s', x'01', ?1, :x)"
    )
    assert text(Case(((A, ONE),), TWO)) == "CASE WHEN t.a THEN 1 ELSE 2 END"
    assert text(Case(((Is(A, Constant(None)), ONE),), A)) == "coalesce(t.a, 1)"
    assert text(SimpleCase(((A, ONE, "BINARY", B),), Constant(None))) == "CASE t.a WHEN 1 THEN t.b END"
    assert text(Cast(A, SqlType.TEXT)) == "CAST(t.a AS TEXT)"
    assert text(equals(Convert(A, SqlType.TEXT), B)) == "t.a = t.b"
    assert text(Unary("-", Binary("+", A, Constant(1.0)))) == "-(t.a + 1.0)"
    assert text(Call("like", (Constant("a%"), B, Constant("!")))) == "t.b LIKE 'a%' ESCAPE '!'"
    assert text(Call("max", (A, B))) == "max(t.a, t.b)"
    assert text(equals(B, Constant("x"), "NOCASE")) == "t.b = 'x' COLLATE NOCASE"
    assert text(ColumnRef(3, "odd name", "select")) == 'select."odd name"'


def test_long_expressions_are_cut() -> None:
    assert text(InList(A, tuple(Constant(n) for n in range(1000)))) == "t.a IN (0, 1, 2, 3, … 1000 in all)"
    chain: Expression = A
    for _ in range(5000):
        chain = Binary("+", chain, ONE)
    assert len(text(chain)) < 1000
    assert len(text(Constant("x" * 10_000))) < 100


def test_leaves_tell_their_table_and_keys() -> None:
    tables = Tables()
    index = tables.index(1, 2)
    users = tables.table("users", "id INTEGER, name TEXT, age INTEGER", indexes=(index,), rowid=0)
    scan = tables.scan(users, "u")
    bounds = (Bound(-1, ONE), Bound(2, ONE, TWO), Bound(1, B, B))
    bounded = Scan(users, "users", scan.output, scan.positions, bounds)
    assert explain_lines(scan) == ["Scan: users AS u"]
    assert explain_lines(bounded) == ["Scan: users, pages with id >= 1 and age >= 1 and age <= 2 and name = t.b"]
    by_rowid = IndexLookup(users, "users", scan.output, scan.positions, None, ((ONE,), (TWO,)))
    assert explain_lines(by_rowid) == ["IndexLookup: users.id (1, 2)"]
    by_index = IndexLookup(users, "u", scan.output, scan.positions, index, ((B, TWO),))
    assert explain_lines(by_index) == ["IndexLookup: users(name, age) AS u ((t.b, 2))"]
    assert explain_lines(Values(((),), ())) == ["Values: one row"]
    assert explain_lines(Values(((ONE, TWO), (TWO, ONE)), (A, B))) == ["Values: (1, 2), (2, 1)"]
    assert explain_lines(NOTHING) == ["Values: no rows"]


def test_nodes_tell_what_they_do() -> None:
    key = SortKey(A, descending=True, nulls_first=False)
    other = SortKey(B, nulls_first=False, collation="NOCASE")
    count = AggregateCall("count", (), filter=equals(A, 1))
    total = AggregateCall("sum", (A,), distinct=True, order_by=(key,))
    frame = Frame("rows", FrameBound("preceding", ONE), FrameBound("following"), "ties")
    window = WindowCall("lag", (A,), (SortKey(B),), (key,), frame)
    lines = {
        "Projection: t.a, t.b AS c, t.a + 1 AS d": Projection(
            NOTHING, (A, B, Binary("+", A, ONE)), (A, ColumnRef(3, "c"), ColumnRef(4, "d"))
        ),
        "Aggregate: count(*) FILTER (WHERE t.a = 1), sum(DISTINCT t.a ORDER BY t.a DESC) BY t.b": Aggregate(
            NOTHING, (B,), ("BINARY",), (count, total), (B,)
        ),
        "Aggregate: BY t.b": Aggregate(NOTHING, (B,), ("BINARY",), (), (B,)),
        "Window: lag(t.a) OVER (PARTITION BY t.b ORDER BY t.a DESC ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING"
        " EXCLUDE TIES)": Window(NOTHING, (window,), (A,)),
        "Sort: t.a DESC, t.b COLLATE NOCASE NULLS LAST": Sort(NOTHING, (key, other)),
        "TopN: 1 OFFSET 2 BY t.a DESC": TopN(NOTHING, (key,), ONE, TWO),
        "Limit: all OFFSET 2": Limit(NOTHING, None, TWO),
        "Distinct": Distinct(NOTHING, ()),
        "NestedLoopJoin: lateral left ON t.a < 1": NestedLoopJoin(NOTHING, NOTHING, "left", compare("<", A, 1), True),
        "NestedLoopJoin: inner": NestedLoopJoin(NOTHING, NOTHING, "inner"),
        "HashJoin: left ON t.a = t.b AND t.b IS t.a, t.a < 1": HashJoin(
            NOTHING, NOTHING, "left", (A, B), (B, A), ("BINARY",) * 2, compare("<", A, 1), (False, True)
        ),
    }
    for line, node in lines.items():
        assert explain_lines(node)[0] == line


def test_a_plan_is_a_tree() -> None:
    tables = Tables()
    users = tables.scan(tables.table("users", "id INTEGER, boss INTEGER", rowid=0))
    bosses = tables.scan(users.table, "bosses")
    lookup = IndexLookup(bosses.table, "bosses", bosses.output, bosses.positions, None, ((users.output[1],),))
    plan = Sort(IndexJoin(users, lookup, "inner", equals(bosses.output[1], 1)), (SortKey(users.output[0]),))
    assert explain_lines(query(plan)) == [
        "Sort: users.id",
        "└─ IndexJoin: inner, bosses.boss = 1",
        "   ├─ Scan: users",
        "   └─ IndexLookup: users.id AS bosses (users.boss)",
    ]
    data = json.loads(explain_json(query(plan), {id(users): {"rows": 5}}))
    assert data[0]["children"][0]["children"][0] == {
        "node": "Scan",
        "text": "users",
        "rows": 5,
        "children": [],
    }


def test_subqueries_have_names_and_tell_whether_they_run_for_each_row() -> None:
    tables = Tables()
    users = tables.scan(tables.table("users", "id INTEGER, age INTEGER"))
    inner = tables.scan(users.table, "i")
    average = Aggregate(inner, (), (), (AggregateCall("avg", (inner.output[1],)),), (tables.column("avg"),))
    same = Filter(tables.scan(users.table, "s"), Exists(Values((), ()), True))
    predicate = And(
        (
            compare(">", users.output[1], ScalarSubquery(average)),
            InSubquery((users.output[0],), Filter(same, equals(users.output[0], 1))),
        )
    )
    assert explain_lines(Filter(users, predicate), {id(users): {"rows": 3, "requests": 0}}) == [
        "Filter: users.age > (subquery 1) AND users.id IN (subquery 2)",
        "├─ Scan: users  (rows 3, requests 0)",
        "├─ subquery 1",
        "│  └─ Aggregate: avg(i.age)",
        "│     └─ Scan: users AS i",
        "└─ subquery 2 (for each row)",
        "   └─ Filter: users.id = 1",
        "      └─ Filter: NOT EXISTS (subquery 3)",
        "         ├─ Scan: users AS s",
        "         └─ subquery 3",
        "            └─ Values: no rows",
    ]


def test_chains_of_set_operations_are_flat_and_shared_plans_shown_once() -> None:
    shared = [Shared(7, "numbers", Values(((ONE,),), (A,)), (column,)) for column in (A, B)]
    union = SetOperation("union", shared[0], shared[1], True, (A,), ("BINARY",))
    for _ in range(500):
        union = SetOperation("union", union, WorkingScan(1, "w", (A,)), True, (A,), ("BINARY",))
    plan = SetOperation(
        "except", union, RecursiveUnion(1, "w", NOTHING, NOTHING, False, (A,), ("BINARY",)), False, (A,), ()
    )
    lines = explain_lines(plan)
    assert lines[:5] == [
        "SetOperation: EXCEPT",
        "├─ SetOperation: UNION ALL",
        "│  ├─ Shared: numbers",
        "│  │  └─ Values: (1)",
        "│  ├─ Shared: numbers (as above)",
    ]
    assert lines[5:505] == ["│  ├─ WorkingScan: w"] * 499 + ["│  └─ WorkingScan: w"]
    assert lines[505:] == ["└─ RecursiveUnion: w UNION", "   ├─ Values: no rows", "   └─ Values: no rows"]


def test_statements_start_with_their_kind() -> None:
    tables = Tables()
    users = tables.scan(tables.table("users", "id INTEGER, name TEXT"))
    rules = RowRules(users.table, users.output, ())
    assert explain_lines(Delete(rules, users)) == ["Delete: users", "└─ Scan: users"]
    assert explain_lines(TransactionControl("savepoint", "s")) == ["TransactionControl: savepoint s"]
    assert explain_lines(Vacuum()) == ["Vacuum"]
