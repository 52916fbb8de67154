"""Seven queries on 100,000 orders of 10,000 users, and what a statement costs besides its rows."""

from collections.abc import Callable, Sequence
from itertools import count
from random import Random
from statistics import median
from typing import Any, Final

import sqlglot.errors
from shillelagh.exceptions import ProgrammingError

from benchmarks.engines import Discosql, Duckdb, Engine, KeyedSqlite, Shillelagh, Sqlglot, Sqlite
from benchmarks.tables import SEED, SHOP_INDEXES, USERS, shop
from benchmarks.timing import Timings, measure, microseconds
from discosql.executor.run import compile_statement
from discosql.planner.parse import parse

POINT: Final = "point lookup by key"
TOP: Final = "join, group, top 10"
QUERIES: Final = {
    POINT: "SELECT name, country FROM users WHERE id = 7077",
    "filtered count and sum": "SELECT count(*), sum(amount) FROM orders WHERE status = 'paid' AND amount > 250",
    "group by with avg, min, max": "SELECT status, avg(amount), min(amount), max(amount) FROM orders GROUP BY status",
    TOP: """
        SELECT users.name, count(*) AS orders, sum(orders.amount) AS total
        FROM orders JOIN users ON users.id = orders.user_id
        WHERE users.country = 'DE'
        GROUP BY users.id, users.name ORDER BY total DESC, users.name LIMIT 10""",
    "order by, limit": "SELECT id, amount FROM orders ORDER BY amount DESC, id LIMIT 20",
    "distinct over a range": "SELECT DISTINCT user_id FROM orders WHERE day BETWEEN 200 AND 399",
    "row_number() = 1 per user": """
        SELECT id, user_id, amount FROM (
          SELECT id, user_id, amount, row_number() OVER (PARTITION BY user_id ORDER BY amount DESC, id) AS place
          FROM orders) AS ranked
        WHERE place = 1""",
}

NEW_STATEMENTS: Final = {
    POINT: "SELECT name, country FROM users WHERE id = {}",
    TOP: QUERIES[TOP].replace("LIMIT 10", "LIMIT {}"),
}
"""Statements whose text is made new each time."""

REFUSALS: Final = (sqlglot.errors.SqlglotError, ProgrammingError)
"""What the slower engines raise for queries that they cannot run."""

LOOKUPS: Final = 2_000
STATEMENTS: Final = 300


class ShopResults:
    """What was measured on the shop: `timings` of queries, and in microseconds of single lookups and of new statements.

    `lookups` are by engine; `statements` by what the statement is, with its parsing, planning and compiling.
    """

    def __init__(self) -> None:
        tables = shop()
        self._ours = Discosql()
        self._indexed = KeyedSqlite(SHOP_INDEXES)
        self.engines: list[Engine] = [self._ours, Sqlite(), self._indexed, Duckdb(), Shillelagh(), Sqlglot()]
        for engine in self.engines:
            engine.load(tables)
        self.timings: Timings = measure(self.engines, QUERIES, REFUSALS)
        self.lookups = self._time_lookups()
        numbers = count(1)
        self.statements = {
            title: self._time_statements([sql.format(next(numbers)) for _ in range(STATEMENTS)])
            for title, sql in NEW_STATEMENTS.items()
        }

    def _time_lookups(self) -> dict[str, float]:
        """Time single lookups with one statement and changing parameters, in turns of the two engines."""
        random = Random(SEED)
        keys = [(random.randint(1, USERS),) for _ in range(LOOKUPS)]
        found: dict[str, list[float]] = {}
        for _ in range(5):
            for engine in (self._ours, self._indexed):
                cursor = engine.connection.cursor()
                taken = microseconds(_lookup(cursor, key) for key in keys)
                found.setdefault(engine.name, []).append(taken)
        return {name: median(taken) for name, taken in found.items()}

    def _time_statements(self, texts: Sequence[str]) -> tuple[float, float, float]:
        session = self._ours.connection._session
        parsing = microseconds(_call(parse, sql) for sql in texts)
        preparing = microseconds(_call(session.prepare, sql) for sql in texts)
        plans = [session.prepare(sql).statement for sql in texts[-100:]]
        compiling = microseconds(_call(compile_statement, plan, session.registry) for plan in plans)
        return parsing, preparing - parsing, compiling


def _lookup(cursor: Any, key: Sequence[int]) -> Callable[[], object]:
    return lambda: cursor.execute("SELECT name, country FROM users WHERE id = ?", key).fetchone()


def _call(function: Callable[..., object], *arguments: Any) -> Callable[[], object]:
    return lambda: function(*arguments)
