"""What SQLite has not or only by extension: DECIMAL values, collations and functions of the user's own."""

from decimal import Decimal
from typing import Any, Final

import pytest
from compiling import Pair
from memory_view import run

from discosql.executor.compile import compile_plan
from discosql.executor.context import Context
from discosql.executor.functions import DEFAULT, Registry
from discosql.executor.functions.user import user_aggregate, user_scalar
from discosql.planner.context import PlanContext
from discosql.planner.plan import Query
from discosql.planner.prepare import prepare
from discosql.types import Row, Value

PRICES: Final = [Decimal("0.10"), Decimal("0.20"), None, Decimal("99999999999999999999.01"), Decimal("0.1")]


def _by_length(left: str, right: str) -> int:
    return (len(left) > len(right)) - (len(left) < len(right))


class Shop(Pair):
    """A table with a DECIMAL column, a collation by length, and functions of the user's."""

    def __init__(self, registry: Registry = DEFAULT) -> None:
        super().__init__("CREATE TABLE p (id INTEGER PRIMARY KEY, price DECIMAL, name TEXT)", {})
        names = ["bb", "a", "ccc", "dd", None]
        rows = [
            (number, number, price, name) for number, (price, name) in enumerate(zip(PRICES, names, strict=True), 1)
        ]
        self.view.tables = {self.catalog.table("p").id: rows}
        self.registry = registry

    def ask(self, sql: str, *parameters: Value) -> list[Row]:
        context = PlanContext(
            self.catalog,
            self.registry.signatures(),
            lambda expression: None,
            collations=frozenset({"BINARY", "NOCASE", "RTRIM", "LENGTH"}),
            optimise=False,
        )
        statement = prepare(sql, context).statement
        assert isinstance(statement, Query)
        compiled = compile_plan(statement.plan, self.registry, [type(value) for value in parameters])
        collations = {"LENGTH": _by_length}
        rows: list[Row] = run(compiled.run(Context(self.view, parameters, collations=collations)))  # type: ignore[arg-type]
        return rows


SHOP: Final = Shop()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT price + 1 FROM p WHERE id = 1", Decimal("1.10")),
        ("SELECT price * 3 FROM p WHERE id = 2", Decimal("0.60")),
        ("SELECT price - price FROM p WHERE id = 4", Decimal("0.00")),
        ("SELECT price + 0.01 FROM p WHERE id = 4", 1e20),
        ("SELECT typeof(price * 0.5) FROM p WHERE id = 1", "real"),
        ("SELECT price / 3 FROM p WHERE id = 2", Decimal("0.06666666666666666666666666666666667")),
        ("SELECT price / 0 FROM p WHERE id = 2", None),
        ("SELECT -price FROM p WHERE id = 1", Decimal("-0.10")),
        ("SELECT 7 % price FROM p WHERE id = 2", Decimal("0.00")),
        ("SELECT price || 'x' FROM p WHERE id = 1", "0.10x"),
        ("SELECT sum(price) FROM p", Decimal("99999999999999999999.41")),
        ("SELECT sum(price) FROM p WHERE price IS NULL", None),
        ("SELECT avg(price) FROM p WHERE id < 3", Decimal("0.15")),
        ("SELECT total(price) FROM p WHERE id < 3", 0.1 + 0.2),
        ("SELECT max(price) FROM p", PRICES[3]),
        ("SELECT min(price) FROM p", PRICES[0]),
        ("SELECT count(DISTINCT price) FROM p", 3),
        ("SELECT count(*) FROM p WHERE price = 0.1", 2),
        ("SELECT count(*) FROM p WHERE price = '0.1'", 2),
        ("SELECT count(*) FROM p WHERE price > 1", 1),
        ("SELECT count(*) FROM p WHERE price IN (0.2, 5)", 1),
        ("SELECT count(*) FROM p WHERE price", 4),
        ("SELECT CAST(price AS INTEGER) FROM p WHERE id = 4", 2**63 - 1),
        ("SELECT CAST(price AS REAL) FROM p WHERE id = 1", 0.1),
        ("SELECT CAST('1.50' AS DECIMAL)", Decimal("1.50")),
        ("SELECT group_concat(id) FROM (SELECT id FROM p ORDER BY price DESC)", "4,2,1,5,3"),
        ("SELECT group_concat(n) FROM (SELECT count(*) AS n FROM p GROUP BY price)", "1,2,1,1"),
        ("SELECT count(*) FROM p AS a JOIN p AS b ON a.price = b.price", 6),
        ("SELECT sum(price) OVER (ORDER BY id) FROM p LIMIT 1 OFFSET 1", Decimal("0.30")),
    ],
)
def test_decimals(sql: str, expected: Value) -> None:
    ((value,),) = SHOP.ask(sql)
    assert (type(value), value) == (type(expected), expected)


def test_decimal_parameters() -> None:
    assert SHOP.ask("SELECT id FROM p WHERE price = ?", Decimal("0.1")) == [(1,), (5,)]
    assert SHOP.ask("SELECT ? + 1, ? > 2", Decimal("1.5"), Decimal("2.5")) == [(Decimal("2.5"), 1)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT name FROM p ORDER BY name COLLATE length DESC", ["ccc", "bb", "dd", "a", None]),
        ("SELECT name FROM p ORDER BY name COLLATE length LIMIT 3", [None, "a", "bb"]),
        ("SELECT DISTINCT name COLLATE length FROM p", ["bb", "a", "ccc", None]),
        ("SELECT name FROM p GROUP BY name COLLATE length", [None, "a", "bb", "ccc"]),
        ("SELECT count(DISTINCT name COLLATE length) FROM p", [3]),
        ("SELECT max(name COLLATE length) FROM p", ["ccc"]),
        ("SELECT name FROM p WHERE name COLLATE length = 'xx'", ["bb", "dd"]),
        ("SELECT name FROM p WHERE name COLLATE length < 'xx'", ["a"]),
        ("SELECT name FROM p WHERE name COLLATE length IN ('x', 'xyz')", ["a", "ccc"]),
        (
            "SELECT a.name FROM p AS a JOIN p AS b ON a.name = b.name COLLATE length",
            ["bb", "bb", "a", "ccc", "dd", "dd"],
        ),
        ("SELECT name COLLATE length FROM p UNION SELECT 'zz'", [None, "a", "zz", "ccc"]),
        ("SELECT name FROM p WHERE name COLLATE length IN (SELECT 'q')", ["a"]),
        ("SELECT rank() OVER (ORDER BY name COLLATE length) FROM p", [1, 2, 3, 3, 5]),
        ("SELECT name FROM p WHERE name COLLATE length BETWEEN 'b' AND 'cc'", ["bb", "a", "dd"]),
        ("SELECT name FROM p WHERE name IS 'xx' COLLATE length", ["bb", "dd"]),
    ],
)
def test_a_collation_of_the_users(sql: str, expected: list[Value]) -> None:
    assert [row[0] for row in SHOP.ask(sql)] == expected


class _Longest:
    def __init__(self) -> None:
        self.best = ""

    def step(self, text: str | None) -> None:
        self.best = max(self.best, text or "", key=len)

    def finalize(self) -> str:
        return self.best


def test_functions_of_the_users_hide_the_built_in_ones() -> None:
    def first(*values: Any) -> Any:
        return f"mine: {values[0]}"

    registry = DEFAULT.with_scalar(user_scalar("coalesce", 2, first, True)).with_scalar(
        user_scalar("length", 1, first, True)
    )
    for name in ("max", "sum", "count"):
        registry = registry.with_aggregate(user_aggregate(name, 1, _Longest))
    shop = Shop(registry)
    assert shop.ask("SELECT coalesce(NULL, 1), length('abc'), coalesce(NULL, 2, 3)") == [("mine: None", "mine: abc", 2)]
    assert shop.ask("SELECT max(name), count(*), sum(name) FROM p") == [("ccc", 5, "ccc")]
    assert shop.ask("SELECT id % 2, sum(name), count(name) FROM p GROUP BY 1") == [(0, "dd", "dd"), (1, "ccc", "ccc")]
