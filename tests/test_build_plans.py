"""What plans say: conversions, collations, types, NULLs, shared subplans, and how deep SQL may nest."""

import itertools
from collections.abc import Iterator

import pytest
from binding import bound, build, type_of

from discosql.errors import NotSupportedError, ProgrammingError
from discosql.planner.build import MAX_DEPTH
from discosql.planner.plan import (
    Aggregate,
    And,
    Between,
    Binary,
    Case,
    CatalogScan,
    ColumnRef,
    Compare,
    Constant,
    Convert,
    Distinct,
    Exists,
    Expression,
    Filter,
    InList,
    InSubquery,
    Is,
    Limit,
    NestedLoopJoin,
    Node,
    Or,
    Projection,
    RecursiveUnion,
    ScalarSubquery,
    Scan,
    SetOperation,
    Shared,
    Sort,
    Values,
    WorkingScan,
)
from discosql.planner.traverse import children, columns_in, expressions
from discosql.stack import call_deeply
from discosql.types import SqlType


def nodes(node: Node) -> Iterator[Node]:
    yield node
    below = children(node) if not isinstance(node, Shared) else (node.child,)
    for child in below:
        yield from nodes(child)


def kinds(sql: str) -> list[str]:
    return [type(node).__name__ for node in nodes(build(sql)[0])]


def operand(expression: Expression) -> str:
    """Return a short form of an operand: its name or value, in the type it is converted to."""
    if isinstance(expression, Convert):
        return f"{expression.target.value}({operand(expression.operand)})"
    if isinstance(expression, ColumnRef):
        return expression.name
    return repr(expression.value) if isinstance(expression, Constant) else type(expression).__name__


def sides(condition: str, tables: str = "t, own, wide, u") -> tuple[str, str]:
    compared = bound(condition, tables)
    assert isinstance(compared, Compare | Is)
    return operand(compared.left), operand(compared.right)


# Conversions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "left", "right"),
    [
        ("t.a = 5", "a", "5"),
        ("t.a = '5'", "a", "5"),
        ("t.a = '5.5'", "a", "5.5"),
        ("t.a = 'x'", "a", "'x'"),
        ("'5' = t.a", "5", "a"),
        ("t.b = 5", "b", "'5'"),
        ("t.b = 5.5", "b", "'5.5'"),
        ("t.b = ?", "b", "TEXT(Parameter)"),
        ("t.a = ?", "a", "INTEGER(Parameter)"),
        ("t.a = +t.b", "a", "INTEGER(Unary)"),
        ("+t.a = t.b", "TEXT(Unary)", "b"),
        ("+t.a = '5'", "Unary", "'5'"),
        ("t.a + 1 = '5'", "Binary", "'5'"),
        ("t.b || '' = 5", "Binary", "5"),
        ("t.a = t.b", "a", "INTEGER(b)"),
        ("t.b = t.c", "REAL(b)", "c"),
        ("t.a = t.c", "a", "c"),
        ("t.a = u.e", "a", "e"),
        ("t.b = u.e", "b", "e"),
        ("u.e = '5'", "e", "'5'"),
        ("wide.c = '5'", "c", "5"),
        ("wide.c = t.b", "c", "NUMERIC(b)"),
        ("wide.\"any\" = '5'", "any", "'5'"),
        ('wide."any" = t.a', "INTEGER(any)", "a"),
        ("cast(t.b AS INTEGER) = '5'", "Cast", "5"),
        ("cast(? AS TEXT) = 5", "Cast", "'5'"),
        ("(t.a) = ('5')", "a", "5"),
        ("(SELECT a FROM t) = '5'", "ScalarSubquery", "5"),
        ("(SELECT a + 1 FROM t) = '5'", "ScalarSubquery", "'5'"),
        ("t.a COLLATE NOCASE = '5'", "a", "5"),
        ("likely(t.a) = '5'", "a", "'5'"),
        ("abs(t.a) = '5'", "Call", "'5'"),
        ("t.a IS '5'", "a", "5"),
        ("t.a IS NOT DISTINCT FROM '5'", "a", "5"),
        ("own.moment = '2024-01-02T03:04:05Z'", "moment", "'2024-01-02 03:04:05+00:00'"),
        ("own.moment > '2024'", "moment", "'2024'"),
        ("own.moment = ?", "moment", "TIMESTAMP(Parameter)"),
        ("own.moment = own.at", "moment", "at"),
        ("own.moment = t.b", "moment", "TIMESTAMP(b)"),
        ("own.id = '6BA7B810-9DAD-11D1-80B4-00C04FD430C8'", "id", "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'"),
        ("own.flag = 'true'", "flag", "1"),
        ("own.flag = t.a", "flag", "a"),
        ("own.amount = '1.50'", "amount", "Decimal('1.50')"),
        ("own.amount = t.c", "amount", "DECIMAL(c)"),
        ("own.amount = t.a", "amount", "a"),
        ("own.day = 5", "day", "'5'"),
    ],
)
def test_comparison_converts_operands(condition: str, left: str, right: str) -> None:
    assert sides(condition) == (left, right)


def test_derived_columns_have_the_affinity_of_their_expression() -> None:
    assert sides("x = '5'", "(SELECT a AS x FROM t)") == ("x", "5")
    assert sides("x = '5'", "(SELECT a + 1 AS x FROM t)") == ("x", "'5'")
    assert sides("x = 5", "(SELECT b || '' AS x FROM t)") == ("x", "5")
    assert sides("x = '5'", "w") == ("a", "5")


def test_affinity_of_set_operations() -> None:
    assert sides("x = '5'", "(SELECT a AS x FROM t UNION SELECT a FROM u)") == ("x", "5")
    assert sides("x = 5", "(SELECT b AS x FROM t UNION SELECT a FROM u)") == ("x", "5")
    assert sides("x = '5'", "(SELECT a AS x FROM t UNION SELECT d FROM u)") == ("x", "'5'")


def test_in_list_takes_the_left_affinity() -> None:
    found = bound("a IN ('1', b, ?)")
    assert isinstance(found, InList)
    assert [operand(item) for item in found.items] == ["1", "INTEGER(b)", "INTEGER(Parameter)"]
    plain = bound("a + 1 IN ('1', b)")
    assert isinstance(plain, InList)
    assert [operand(item) for item in plain.items] == ["'1'", "b"]


def test_in_query_converts_both_sides() -> None:
    found = bound("b IN (SELECT a FROM u)")
    assert isinstance(found, InSubquery)
    assert operand(found.operands[0]) == "INTEGER(b)"
    other = bound("a IN (SELECT d FROM u)")
    assert isinstance(other, InSubquery)
    assert isinstance(other.plan, Projection)
    assert operand(other.plan.expressions[0]) == "INTEGER(d)"


def test_between_compares_twice() -> None:
    plain = bound("a BETWEEN '1' AND b")
    assert isinstance(plain, And)
    assert [operand(part.right) for part in plain.operands if isinstance(part, Compare)] == ["1", "INTEGER(b)"]
    assert isinstance(bound("a + 1 BETWEEN 1 AND 2"), Between)


# Collations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "collation"),
    [
        ("b = 'x'", "BINARY"),
        ("d = 'x'", "NOCASE"),
        ("'x' = d", "NOCASE"),
        ("b = d", "BINARY"),
        ("d = b", "NOCASE"),
        ("b = d COLLATE RTRIM", "RTRIM"),
        ("b COLLATE NOCASE = d COLLATE RTRIM", "NOCASE"),
        ("b = 'x' COLLATE nocase", "NOCASE"),
        ("b || 'x' = d", "NOCASE"),
        ("(b COLLATE NOCASE) || 'x' = b", "NOCASE"),
        ("+d = 'x'", "NOCASE"),
        ("cast(d AS TEXT) = 'x'", "NOCASE"),
        ("upper(d) = 'x'", "BINARY"),
        ("upper(d COLLATE NOCASE) = 'x'", "NOCASE"),
        ("d IS 'x'", "NOCASE"),
    ],
)
def test_comparison_takes_a_collation(condition: str, collation: str) -> None:
    found = bound(condition, "t JOIN u ON t.a = u.a")
    assert isinstance(found, Compare | Is)
    assert found.collation == collation


def test_collations_of_groups_and_order() -> None:
    plan, _ = build("SELECT d, count(*) FROM u GROUP BY d ORDER BY d")
    aggregate = next(node for node in nodes(plan) if isinstance(node, Aggregate))
    sort = next(node for node in nodes(plan) if isinstance(node, Sort))
    assert aggregate.collations == ("NOCASE",)
    assert [key.collation for key in sort.keys] == ["NOCASE"]
    plan, _ = build("SELECT DISTINCT b, d FROM t, u ORDER BY b COLLATE NOCASE DESC NULLS FIRST")
    sort, distinct = (next(node for node in nodes(plan) if isinstance(node, kind)) for kind in (Sort, Distinct))
    assert (sort.keys[0].collation, sort.keys[0].descending, sort.keys[0].nulls_first) == ("NOCASE", True, True)
    assert distinct.collations == ("BINARY", "NOCASE")


# Types and NULLs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "type"),
    [
        ("a", SqlType.INTEGER),
        ("moment", SqlType.TIMESTAMP),
        ("flag", SqlType.BOOLEAN),
        ("(SELECT flag FROM own)", SqlType.BOOLEAN),
        ("max(day)", SqlType.DATE),
        ("coalesce(day, day)", SqlType.DATE),
        ("nullif(doc, '')", SqlType.JSON),
        ("iif(a, id, NULL)", SqlType.UUID),
        ("CASE WHEN a THEN flag ELSE flag END", SqlType.BOOLEAN),
        ("CASE WHEN a THEN flag ELSE a END", SqlType.INTEGER),
        ("CASE a WHEN 1 THEN moment WHEN 2 THEN moment END", SqlType.TIMESTAMP),
        ("CASE WHEN a THEN moment ELSE a END", None),
        ("cast(b AS DATE)", SqlType.DATE),
        ("cast(b AS VARCHAR(3))", SqlType.TEXT),
        ("cast(b AS UNSIGNED BIG INT)", SqlType.INTEGER),
        ("a + 1", None),
        ("a + c", SqlType.REAL),
        ("a % 2", SqlType.INTEGER),
        ("a & 2", SqlType.INTEGER),
        ("a || b", SqlType.TEXT),
        ("a = 1", SqlType.INTEGER),
        ("NOT a", SqlType.INTEGER),
        ("9223372036854775807", SqlType.INTEGER),
        ("9223372036854775808", SqlType.REAL),
        ("-9223372036854775808", SqlType.INTEGER),
        ("0xFFFFFFFFFFFFFFFF", SqlType.INTEGER),
        ("x'00'", SqlType.BLOB),
        ("count(*)", SqlType.INTEGER),
        ("?", None),
    ],
)
def test_types(expression: str, type: SqlType | None) -> None:
    assert type_of(expression, "t, own") == type


def test_types_of_set_operations() -> None:
    def result(sql: str) -> SqlType | None:
        return build(sql)[1][0].type

    assert result("SELECT flag FROM own UNION SELECT flag FROM own") == SqlType.BOOLEAN
    assert result("SELECT flag FROM own UNION SELECT NULL") is None
    assert result("SELECT flag FROM own UNION SELECT b FROM t") is None
    assert result("SELECT flag FROM own EXCEPT SELECT b FROM t") == SqlType.BOOLEAN
    assert result("WITH c AS (SELECT day FROM own) SELECT c.day FROM c, c AS d") == SqlType.DATE


@pytest.mark.parametrize(
    ("expression", "nullable"),
    [
        ("c", False),
        ("a", True),
        ("rowid", False),
        ("rowid + 1", False),
        ("c + 1", True),  # infinity minus infinity is NULL
        ("rowid / 2", False),
        ("rowid / a", True),
        ("rowid = 1", False),
        ("a = 1", True),
        ("a IS NULL", False),
        ("rowid IN (1, 2)", False),
        ("rowid IN (1, NULL)", True),
        ("rowid BETWEEN 1 AND 2", False),
        ("coalesce(a, 1)", False),
        ("coalesce(a, b)", True),
        ("count(a)", False),
        ("max(c)", True),
        ("CASE WHEN a THEN 1 END", True),
        ("CASE WHEN a THEN 1 ELSE 2 END", False),
        ("exists(SELECT 1)", False),
        ("(SELECT 1)", True),
        ("(SELECT count(*) FROM t)", False),
        ("nullif(1, 2)", True),
        ("cast(c AS TEXT)", False),
        ("cast(c AS UUID)", True),
    ],
)
def test_nullable(expression: str, nullable: bool) -> None:
    assert bound(expression).nullable is nullable


@pytest.mark.parametrize(
    ("tables", "left", "right"),
    [
        ("t JOIN wide", False, False),
        ("t LEFT JOIN wide", False, True),
        ("t RIGHT JOIN wide", True, False),
        ("t FULL JOIN wide", True, True),
        ("u LEFT JOIN (t JOIN wide)", True, True),
        ("u LEFT JOIN t JOIN wide", True, False),
        ("t JOIN wide RIGHT JOIN u", True, True),
    ],
)
def test_outer_joins_make_columns_nullable(tables: str, left: bool, right: bool) -> None:
    plan, _ = build(f"SELECT t.c, wide.id FROM {tables}")
    assert isinstance(plan, Projection)
    assert [expression.nullable for expression in plan.expressions] == [left, right]
    produced = {column.id: column for column in plan.child.output}
    assert all(produced[item.id] == item for item in plan.expressions if isinstance(item, ColumnRef))


def test_outer_join_of_a_query_makes_its_columns_nullable() -> None:
    plan, _ = build("SELECT s.x FROM t LEFT JOIN (SELECT c AS x FROM t) AS s")
    assert isinstance(plan, Projection)
    assert plan.expressions[0].nullable


# Shapes of plans --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "shape"),
    [
        ("SELECT 1", "Projection Values"),
        ("SELECT a FROM t WHERE b = 'x'", "Projection Filter Scan"),
        ("SELECT a FROM t ORDER BY a LIMIT 2", "Limit Sort Projection Scan"),
        ("SELECT a FROM t ORDER BY b LIMIT 2", "Projection Limit Sort Projection Scan"),
        ("SELECT DISTINCT a FROM t ORDER BY a", "Sort Distinct Projection Scan"),
        ("SELECT DISTINCT a FROM t ORDER BY b", "Projection Sort Aggregate Projection Scan"),
        ("SELECT a, count(*) FROM t GROUP BY a HAVING count(*) > 1", "Projection Filter Aggregate Scan"),
        ("SELECT sum(a) OVER () FROM t", "Projection Window Scan"),
        ("SELECT sum(count(*)) OVER () FROM t GROUP BY a", "Projection Window Aggregate Scan"),
        ("SELECT * FROM t, u", "Projection NestedLoopJoin Scan Scan"),
        ("SELECT * FROM t LEFT JOIN (u JOIN wide) ON 1", "Projection NestedLoopJoin Scan NestedLoopJoin Scan Scan"),
        ("VALUES (1), (2)", "Values"),
        ("SELECT a FROM t UNION VALUES (1)", "SetOperation Projection Scan Projection Values"),
        ("WITH c AS (SELECT a FROM t) SELECT * FROM c", "Projection Projection Scan"),
        ("SELECT * FROM sqlite_master", "Projection CatalogScan"),
        (
            "SELECT a FROM t UNION SELECT a FROM u EXCEPT SELECT 1 ORDER BY 1",
            "Sort SetOperation Projection Scan Projection Scan Projection Values",
        ),
    ],
)
def test_shapes(sql: str, shape: str) -> None:
    assert " ".join(kinds(sql)) == shape


def test_column_ids_are_unique() -> None:
    sql = "WITH c AS (SELECT a, b FROM t) SELECT x.a, y.a, z.a FROM c AS x, c AS y, (SELECT a FROM c) AS z, v, v AS w"
    produced = [
        column.id
        for node in nodes(build(sql)[0])
        if isinstance(node, Scan | Projection | Shared | Values | Aggregate)
        for column in node.output
    ]
    shared = {node.id: node for node in nodes(build(sql)[0]) if isinstance(node, Shared)}
    assert len(shared) == 1
    below = [column.id for node in nodes(next(iter(shared.values())).child) for column in node.output]
    repeated = {id for id in produced if produced.count(id) > 1}
    assert repeated <= set(below)


def test_plans_use_only_columns_that_are_produced_below() -> None:
    plan, _ = build(
        "SELECT b, max(a), (SELECT count(*) FROM u WHERE u.a = t.a) FROM t LEFT JOIN wide ON id = a GROUP BY b "
        "HAVING sum(t.c) > 1 ORDER BY min(t.c), rank() OVER (ORDER BY b)"
    )
    for node in nodes(plan):
        below = {column.id for child in children(node) for column in child.output}
        for expression in expressions(node):
            assert columns_in(expression) <= below


def test_bare_columns_and_keys() -> None:
    plan, _ = build("SELECT a + 1, b, max(c) FROM t GROUP BY a + 1")
    aggregate = next(node for node in nodes(plan) if isinstance(node, Aggregate))
    assert [(call.name, call.bare) for call in aggregate.calls] == [("max", False), ("", True)]
    assert isinstance(plan, Projection)
    assert plan.expressions[0] == aggregate.output[0]


def test_equal_calls_are_computed_once() -> None:
    plan, _ = build("SELECT sum(a), sum(a) + 1 FROM t GROUP BY b HAVING sum(a) > 1 ORDER BY sum(a), sum(a * 1.0)")
    aggregate = next(node for node in nodes(plan) if isinstance(node, Aggregate))
    assert len(aggregate.calls) == 2


def test_aggregate_belongs_to_the_query_whose_columns_it_uses() -> None:
    plan, _ = build("SELECT (SELECT sum(t.a) FROM u) FROM t")
    outer = [node for node in nodes(plan) if isinstance(node, Aggregate)]
    assert len(outer) == 1
    inner, _ = build("SELECT (SELECT sum(u.a + t.a) FROM u) FROM t")
    assert not [node for node in nodes(inner) if isinstance(node, Aggregate)]


def test_full_join_using_gives_the_side_that_has_a_value() -> None:
    plan, _ = build("SELECT a FROM t FULL JOIN u USING (a)")
    assert isinstance(plan, Projection)
    assert operand(plan.expressions[0]) == "Call"
    for tables, table in (("t LEFT JOIN u", "t"), ("t RIGHT JOIN u", "u"), ("t JOIN u", "t")):
        found = bound("a", f"{tables} USING (a)")
        assert isinstance(found, ColumnRef)
        assert found.table == table


def test_lateral_table_functions() -> None:
    plan, _ = build("SELECT * FROM t, json_each(t.b)")
    join = next(node for node in nodes(plan) if isinstance(node, NestedLoopJoin))
    assert join.lateral
    assert isinstance(join.right, CatalogScan)
    with pytest.raises(ProgrammingError, match="RIGHT JOIN"):
        build("SELECT * FROM t RIGHT JOIN json_each(t.b)")


def test_inner_join_conditions_may_name_later_tables() -> None:
    plan, _ = build("SELECT 1 FROM t JOIN u ON d = id JOIN wide")
    assert isinstance(plan, Projection)
    assert isinstance(plan.child, Filter)


def test_as_of() -> None:
    plan, _ = build("SELECT * FROM t FOR SYSTEM_TIME AS OF '2024-01-01' AS x")
    scan = next(node for node in nodes(plan) if isinstance(node, Scan))
    assert scan.as_of == Constant("2024-01-01", SqlType.TEXT)
    assert scan.alias == "x"


# Common table expressions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "shared"),
    [
        ("WITH c AS (SELECT a FROM t) SELECT * FROM c", 0),
        ("WITH c AS (SELECT a FROM t) SELECT * FROM c, c AS d", 2),
        ("WITH c AS MATERIALIZED (SELECT a FROM t) SELECT * FROM c", 1),
        ("WITH c AS NOT MATERIALIZED (SELECT a FROM t) SELECT * FROM c, c AS d", 0),
        ("WITH c AS (SELECT a FROM t), d AS (SELECT a FROM c) SELECT * FROM d", 0),
        ("WITH c AS (SELECT a FROM t) SELECT 1", 0),
    ],
)
def test_shared_subplans(sql: str, shared: int) -> None:
    assert sum(isinstance(node, Shared) for node in nodes(build(sql)[0])) == shared


def test_subqueries_share_what_does_not_depend_on_them() -> None:
    found = bound("(WITH c AS (SELECT 1 AS x) SELECT (SELECT x FROM c))")
    assert isinstance(found, ScalarSubquery)
    inner = bound("(WITH c AS (SELECT t.a AS x) SELECT c.x FROM c, c AS d)")
    assert isinstance(inner, ScalarSubquery)
    assert not [node for node in nodes(inner.plan) if isinstance(node, Shared)]


def test_recursive_queries() -> None:
    sql = """WITH RECURSIVE c(n) AS (
        SELECT 1 UNION SELECT 2 UNION SELECT n + 1 FROM c UNION SELECT n + 2 FROM c ORDER BY 1 DESC LIMIT 9 OFFSET 1
    ) SELECT n FROM c"""
    node = next(node for node in nodes(build(sql)[0]) if isinstance(node, RecursiveUnion))
    assert isinstance(node.initial, SetOperation)
    assert isinstance(node.step, SetOperation)
    assert node.step.all is True  # the union itself drops what was seen before
    assert node.all is False
    assert node.keys[0].descending
    assert (node.limit, node.offset) == (Constant(9, SqlType.INTEGER), Constant(1, SqlType.INTEGER))
    working = [item for item in nodes(node.step) if isinstance(item, WorkingScan)]
    assert [item.id for item in working] == [node.id, node.id]


def test_shadowing() -> None:
    plan, columns = build("WITH t AS (SELECT 1 AS q) SELECT * FROM t")
    assert [column.name for column in columns] == ["q"]
    _, columns = build("WITH c AS (SELECT 1 AS q) SELECT * FROM (WITH c AS (SELECT 2 AS r) SELECT * FROM c), c")
    assert [column.name for column in columns] == ["r", "q"]
    plan, _ = build("WITH t AS (SELECT 1 AS q) SELECT * FROM v")
    assert any(isinstance(node, Scan) for node in nodes(plan))


def test_circular_views() -> None:
    with pytest.raises(ProgrammingError, match="view circle is circularly defined"):
        build("SELECT * FROM circle")


# Depth ------------------------------------------------------------------------------------------------------------


def test_long_chains() -> None:
    both = bound(" AND ".join(f"a = {number}" for number in range(5000)))
    assert isinstance(both, And)
    assert len(both.operands) == 5000
    either = bound(" OR ".join(f"a = {number}" for number in range(5000)))
    assert isinstance(either, Or)
    assert isinstance(bound(" + ".join(["a"] * 5000)), Binary)
    assert type_of(" || ".join(["b"] * 5000)) == SqlType.TEXT
    assert isinstance(bound(" + ".join(["sum(a)"] * 2000)), Binary)


def test_long_lists() -> None:
    found = bound(f"a IN ({', '.join(map(str, range(20000)))})")
    assert isinstance(found, InList)
    assert len(found.items) == 20000
    plan, _ = build(f"VALUES {', '.join(f'({number})' for number in range(5000))}")
    assert isinstance(plan, Values)


def test_long_group_key() -> None:
    chain = " + ".join(["a"] * 3000)
    plan, _ = build(f"SELECT {chain}, sum({chain}) FROM t GROUP BY {chain}")
    aggregate = next(node for node in nodes(plan) if isinstance(node, Aggregate))
    assert isinstance(plan, Projection)
    assert plan.expressions[0] == aggregate.output[0]
    assert len(aggregate.calls) == 1


def test_many_arms() -> None:
    plan, _ = build(" UNION ALL ".join(f"SELECT {number}" for number in range(500)))
    assert len(list(itertools.takewhile(lambda node: isinstance(node, SetOperation), nodes_on_the_left(plan)))) == 499


def nodes_on_the_left(node: Node) -> Iterator[Node]:
    while isinstance(node, SetOperation):
        yield node
        node = node.left


def test_nesting_has_a_limit() -> None:
    assert bound("abs(" * 50 + "1" + ")" * 50).type is None
    for depth in (150, MAX_DEPTH - 10):
        with pytest.raises(RecursionError):
            bound("abs(" * depth + "1" + ")" * depth)
        assert call_deeply(lambda nested=depth: bound("abs(" * nested + "1" + ")" * nested)).type is None
    deeper = 2 * MAX_DEPTH
    with pytest.raises(ProgrammingError, match="too large"):
        call_deeply(lambda: bound("-(~" * deeper + "1" + ")" * deeper))
    with pytest.raises(ProgrammingError, match="too large"):
        call_deeply(lambda: build("SELECT * FROM (" * deeper + "SELECT 1" + ")" * deeper))


# Details ----------------------------------------------------------------------------------------------------------


def test_is_true() -> None:
    found = bound("a IS TRUE")
    assert isinstance(found, Is)
    assert found.right == Constant(1, SqlType.INTEGER)
    assert isinstance(bound('"true" IS TRUE', '(SELECT 1 AS "true")'), Is)


def test_negation() -> None:
    found = bound("a NOT IN (1, 2)")
    assert isinstance(found, InList)
    assert found.negated
    assert bound("NOT EXISTS (SELECT 1)") == Exists(bound_plan("SELECT 1"), True)
    assert isinstance(bound("NOT a = 1"), type(bound("NOT a")))
    assert bound("a IN ()") == Constant(0, SqlType.INTEGER)


def bound_plan(sql: str) -> Node:
    found = bound(f"EXISTS ({sql})")
    assert isinstance(found, Exists)
    return found.plan


def test_conditional_functions_are_cases() -> None:
    found = bound("iif(a, 1, 2)")
    assert isinstance(found, Case)
    assert (len(found.whens), found.default) == (1, Constant(2, SqlType.INTEGER))


def test_limit_without_columns() -> None:
    plan, _ = build("SELECT a FROM t LIMIT (SELECT count(*) FROM u) OFFSET :skip")
    assert isinstance(plan, Limit)
    assert isinstance(plan.limit, ScalarSubquery)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(a ORDER BY b) OVER () FROM t",
        "SELECT * FROM v FOR SYSTEM_TIME AS OF '2024-01-01'",
        "WITH c AS (SELECT 1) SELECT * FROM c FOR SYSTEM_TIME AS OF '2024-01-01'",
    ],
)
def test_refused(sql: str) -> None:
    with pytest.raises(NotSupportedError):
        build(sql)
