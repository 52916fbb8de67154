"""What reading costs, how many rows are expected, and what the optimiser makes of it."""

import pytest
from optimising import Tables

from discosql.planner.cost import Cost, expected_costs, lookup_cost, scan_cost
from discosql.planner.estimate import EQUAL, RANGE, ROWS_PER_VALUE, Estimates
from discosql.planner.plan import Query


@pytest.fixture
def shop() -> Tables:
    return Tables(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, age INTEGER, active BOOLEAN)",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER, day TEXT)",
        "CREATE INDEX orders_user ON orders (user)",
        "CREATE TABLE lines (orders INT NOT NULL, place INT NOT NULL, part TEXT, PRIMARY KEY (orders, place))",
    )


def rows(tables: Tables, sql: str) -> float:
    statement = tables.plan(sql)
    assert isinstance(statement, Query)
    return Estimates(tables.context()).rows(statement.plan)


def test_costs_compare_by_requests_then_bytes_then_rows() -> None:
    assert Cost(1, 0, 0.0) > Cost(0, 10**9, 1e9)
    assert Cost(1, 5, 0.0) > Cost(1, 4, 1e9)
    assert Cost(1, 4, 2.0) > Cost(1, 4, 1.0)
    assert Cost(1, 2, 3.0) + Cost(10, 20, 30.0) == Cost(11, 22, 33.0)


def test_a_scan_downloads_what_is_not_in_memory(shop: Tables) -> None:
    estimates = Estimates(shop.context())
    shop.knows("orders", 100_000, pages=25)
    assert scan_cost(estimates, shop.table("orders")) == Cost(25 + 3, 2_500_000, 100_000.0)
    shop.knows("orders", 100_000, pages=25, cached=True)
    assert scan_cost(estimates, shop.table("orders")) == Cost(0, 0, 100_000.0)


def test_a_lookup_reads_an_index_page_and_a_row_page(shop: Tables) -> None:
    shop.knows("users", 100_000, pages=25)
    shop.knows("orders", 100_000, pages=25, orders_user=50_000)
    estimates = Estimates(shop.context())
    users, orders = shop.table("users"), shop.table("orders")
    assert lookup_cost(estimates, users, users.indexes[0], 1).requests == 4
    assert lookup_cost(estimates, users, None, 1).requests == 2
    # An index page, pages with two rows, and the addresses of both kinds.
    assert lookup_cost(estimates, orders, orders.indexes[0], 1).requests == 1 + 2 + 2
    # Many keys hit each page once.
    assert lookup_cost(estimates, users, users.indexes[0], 10_000).requests == 5 + 25 + 2


def test_an_index_that_costs_more_than_the_table_is_not_used(shop: Tables) -> None:
    keys = ", ".join(f"'{number}'" for number in range(200))
    query = f"SELECT * FROM users WHERE name IN ({keys})"
    shop.knows("users", 100_000, pages=25)
    assert shop.lines(query)[1].startswith("└─ Filter")
    shop.knows("users", 100_000, pages=2_500)
    assert shop.lines(query)[1].startswith("└─ IndexLookup")
    shop.knows("users", 100_000, pages=25, cached=True)
    assert shop.lines(query)[1].startswith("└─ IndexLookup")


def test_requests_decide_how_partners_are_found(shop: Tables) -> None:
    query = "SELECT o.id FROM users AS u JOIN orders AS o ON o.user = u.id WHERE u.name IN ('a', 'b')"
    shop.knows("users", 1_000, pages=2)
    shop.knows("orders", 100_000, pages=100)
    assert "IndexJoin: inner" in shop.lines(query)[1]
    shop.knows("orders", 1_000, pages=1)
    assert "HashJoin: inner" in shop.lines(query)[1]


def test_a_table_that_was_empty_when_planned_is_still_looked_up(shop: Tables) -> None:
    shop.knows("users", 0, pages=0)
    assert shop.lines("SELECT * FROM users WHERE name = 'x'")[1] == "└─ IndexLookup: users.name ('x')"


def test_rows_are_estimated(shop: Tables) -> None:
    shop.knows("users", 1_000)
    shop.knows("orders", 20_000, orders_user=500)
    shop.knows("lines", 60_000)
    assert rows(shop, "SELECT * FROM users") == 1_000
    assert rows(shop, "SELECT * FROM users WHERE id = 5") == 1
    assert rows(shop, "SELECT * FROM users WHERE name = 'x'") == 1
    assert rows(shop, "SELECT * FROM orders WHERE user = 5") == 40
    assert rows(shop, "SELECT * FROM orders WHERE user IN (5, 6, 7)") == 120
    assert rows(shop, "SELECT * FROM users WHERE age = 5") == pytest.approx(1_000 * EQUAL)
    assert rows(shop, "SELECT * FROM users WHERE age > 5") == pytest.approx(1_000 * RANGE)
    assert rows(shop, "SELECT * FROM users WHERE age > 5 AND active") < 1_000 * RANGE
    assert rows(shop, "SELECT * FROM users WHERE active = 1") == 500
    assert rows(shop, "SELECT * FROM users AS u JOIN orders AS o ON o.user = u.id") == 20_000
    assert rows(shop, "SELECT * FROM users AS u LEFT JOIN orders AS o ON o.user = u.id AND o.day = 'x'") == 2_000
    assert rows(shop, "SELECT * FROM orders AS o JOIN lines AS l ON l.orders = o.id") == 60_000
    assert rows(shop, "SELECT * FROM lines AS l JOIN orders AS o ON l.orders = o.id AND l.place = o.user") == 20_000
    assert rows(shop, "SELECT count(*) FROM users") == 1
    assert rows(shop, "SELECT user, count(*) FROM orders GROUP BY user") == 500
    assert rows(shop, "SELECT age, count(*) FROM users GROUP BY age") == 1_000 / ROWS_PER_VALUE
    assert rows(shop, "SELECT id FROM users UNION ALL SELECT id FROM orders") == 21_000
    assert rows(shop, "SELECT id FROM users ORDER BY age LIMIT 7") == 7
    assert rows(shop, "VALUES (1), (2)") == 2


def test_known_ranges_tell_shares(shop: Tables) -> None:
    table = shop.table("orders")
    shop.knows("orders", 1_000)
    known = shop.statistics[table.id]
    shop.statistics[table.id] = type(known)(1_000, 1, 0, 1, known.indexes, {0: (1, 1_000)})
    assert rows(shop, "SELECT * FROM orders WHERE id <= 100") == pytest.approx(100, rel=0.02)
    assert rows(shop, "SELECT * FROM orders WHERE id > 900") == pytest.approx(100, rel=0.02)
    assert rows(shop, "SELECT * FROM orders WHERE id > 5000") == pytest.approx(1, abs=1)


def test_what_each_leaf_is_expected_to_cost(shop: Tables) -> None:
    shop.knows("users", 1_000, pages=2, cached=True)
    shop.knows("orders", 100_000, pages=100, orders_user=100_000)
    statement = shop.plan(
        "SELECT o.id FROM users AS u JOIN orders AS o ON o.user = u.id WHERE u.id = 7 AND o.day = 'x'"
    )
    costs = [(node.alias, cost.requests, cost.bytes) for node, cost in expected_costs(statement, shop.context())]
    assert sorted(costs) == [("o", 4, 100_000), ("u", 0, 0)]
