"""Plans as they are built, without any rule applied, give SQLite's rows."""
# ruff: noqa: E501 (a query a line)

from functools import cache

import pytest
from binding import build, catalog, new_oracle
from memory_view import MemoryView
from pysqlite3 import dbapi2

from discosql.executor.context import Context
from discosql.executor.functions import DEFAULT
from discosql.executor.run import compile_statement
from discosql.planner.plan import Query
from discosql.types import Row

ROWS = {
    "t": [
        (1, "1", 1.0),
        (2, "a", 2.5),
        (3, "A", -1.0),
        (None, "b", 10.0),
        (10, None, 2.0),
        (2, "01", 3.0),
        (1, "10", 0.5),
    ],
    "u": [(1, "a", b"1"), (2, "A", None), (None, "b", b""), (4, None, b"a"), (2, "B", b"x")],
    "Wide": [(-1, "1", 1, None), (2, "x", 2.5, "1"), (5, None, "q", 5), (9, "10", None, b"9")],
}

QUERIES = """
SELECT * FROM t WHERE a = '2' ORDER BY rowid
SELECT * FROM t WHERE +a = '2'
SELECT * FROM t WHERE b = 1
SELECT * FROM t WHERE b IN (1, 10)
SELECT * FROM t WHERE a IN ('1', '10', b) ORDER BY rowid
SELECT b, b + 0, a || '' = 1, a || '' = '1' FROM t ORDER BY rowid
SELECT a < 'x', a > b, b > c, c = 1, c = '1.0', '1' = a, 1 = b FROM t ORDER BY rowid
SELECT CASE a WHEN '1' THEN 'one' WHEN 2.0 THEN 'two' ELSE b END FROM t ORDER BY rowid
SELECT a BETWEEN '1' AND 2, b BETWEEN 1 AND 2, a + 0 BETWEEN '1' AND '2', a NOT BETWEEN 2 AND NULL FROM t ORDER BY rowid
SELECT a IS NULL, a IS NOT 1, a IS b, a IS TRUE, a IS NOT FALSE, b IS TRUE, a IS DISTINCT FROM 2 FROM t ORDER BY rowid
SELECT id, c = '1', c = 1, c < 'z', typeof(c) FROM wide ORDER BY id
SELECT * FROM (SELECT a + 1 AS x, b || '' AS y FROM t) WHERE x = '2' OR y = 1
SELECT * FROM (SELECT CAST(b AS INTEGER) AS x FROM t) WHERE x = '1' ORDER BY 1
SELECT * FROM (SELECT a AS x FROM t UNION SELECT d FROM u) WHERE x = '2' ORDER BY 1
SELECT * FROM (SELECT b AS x FROM t UNION ALL SELECT a FROM u) WHERE x = 2 ORDER BY 1
SELECT (SELECT a FROM t ORDER BY a DESC LIMIT 1) = '10', (SELECT a + 0 FROM t ORDER BY a DESC LIMIT 1) = '10'
SELECT (SELECT 1 UNION SELECT a FROM t ORDER BY 1 DESC) = '10', (SELECT a FROM t UNION SELECT 1 ORDER BY 1 DESC) = '10'
SELECT d, d = 'A', 'a' = d, d = 'a' COLLATE BINARY, d || '' = 'A', +d = 'A', d IN ('a', 'B'), d LIKE 'A' FROM u ORDER BY rowid
SELECT t.b, u.d FROM t JOIN u ON t.b = u.d ORDER BY 1, 2
SELECT t.b, u.d FROM t JOIN u ON u.d = t.b ORDER BY t.rowid, u.rowid
SELECT d, count(*) FROM u GROUP BY d ORDER BY d
SELECT DISTINCT d FROM u ORDER BY d
SELECT d COLLATE BINARY, count(*) FROM u GROUP BY 1 ORDER BY 1
SELECT max(d), min(d), max(d COLLATE BINARY), count(DISTINCT d) FROM u
SELECT b FROM t ORDER BY b COLLATE NOCASE, rowid
SELECT b FROM t ORDER BY b DESC NULLS LAST, rowid
SELECT a AS x FROM t UNION SELECT d FROM u ORDER BY x COLLATE NOCASE, x
SELECT upper(d) FROM (SELECT d FROM u UNION SELECT b FROM t) ORDER BY 1
SELECT b FROM t EXCEPT SELECT d FROM u ORDER BY 1
SELECT upper(d) FROM (SELECT d FROM u INTERSECT SELECT b FROM t) ORDER BY 1
SELECT 1 UNION ALL SELECT 2 UNION SELECT 2 EXCEPT SELECT 1
SELECT * FROM t NATURAL JOIN u ORDER BY t.rowid, u.rowid
SELECT * FROM t JOIN u USING (a) ORDER BY t.rowid, u.rowid
SELECT * FROM t LEFT JOIN u USING (a) ORDER BY t.rowid, u.rowid
SELECT * FROM t RIGHT JOIN u USING (a) ORDER BY t.rowid, u.rowid
SELECT * FROM t FULL JOIN u USING (a) ORDER BY t.rowid, u.rowid
SELECT a, t.a, u.a FROM t FULL JOIN u USING (a) ORDER BY t.rowid, u.rowid
SELECT a, count(*) FROM t FULL JOIN u USING (a) GROUP BY a ORDER BY a
SELECT a, x.a, y.a FROM t x LEFT JOIN u y USING (a) FULL JOIN (SELECT 7 AS a UNION SELECT 2) z USING (a) ORDER BY 1, 2, 3, x.rowid, y.rowid
SELECT t.b, u.d, wide.id FROM t LEFT JOIN (u JOIN wide ON u.a = wide.id) ON t.a = u.a ORDER BY t.rowid, u.rowid
SELECT s.b, s.x, w.id FROM (t JOIN (SELECT 2 AS x) ON a = x) AS s JOIN wide w ON w.id = s.a ORDER BY 1, 2
SELECT t.b, u.d, wide.id FROM t JOIN u ON u.a = wide.id JOIN wide ON t.a = u.a ORDER BY t.rowid, u.rowid
SELECT t.b, u.d FROM t LEFT JOIN u ON t.a = u.a AND u.d > 'a' WHERE u.d IS NULL ORDER BY t.rowid
SELECT t.b, count(u.a), count(*) FROM t LEFT JOIN u ON t.a = u.a GROUP BY t.rowid ORDER BY t.rowid
SELECT t.a, j.value FROM t, json_each('[1, ' || t.a || ']') AS j WHERE t.a > 1 ORDER BY t.rowid, j.id
SELECT (a, b) = (1, '1'), (a, b) < (2, 'a'), (a, b) >= (2, 'a'), (a, b) IS (NULL, 'b'), (a, b) <> (1, NULL) FROM t ORDER BY rowid
SELECT (a, b) BETWEEN (1, '0') AND (2, 'b'), (a, c) IN (SELECT a, 1.0 FROM u), (a, b) IN ((1, '1'), (2, 'a')) FROM t ORDER BY rowid
SELECT (a, b) = (SELECT 1, '1'), (SELECT a, d FROM u WHERE u.a = t.a LIMIT 1) > (1, 'A') FROM t ORDER BY rowid
SELECT CASE (a, b) WHEN (1, '1') THEN 'x' WHEN (2, 'a') THEN 'y' END FROM t ORDER BY rowid
SELECT a IN (SELECT a FROM u), a NOT IN (SELECT a FROM u WHERE a > 1), b IN (SELECT a FROM u), a IN (SELECT d FROM u) FROM t ORDER BY rowid
SELECT a FROM t WHERE a IN ((SELECT a FROM u)) ORDER BY rowid
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.d > t.b) ORDER BY rowid
SELECT a, (SELECT max(d) FROM u WHERE u.a <= t.a), (SELECT t.b || u.d FROM u WHERE u.a = t.a ORDER BY u.rowid LIMIT 1) FROM t ORDER BY rowid
SELECT a, (SELECT count(*) FROM u WHERE u.a > (SELECT avg(x.a) FROM t AS x WHERE x.a <= t.a)) FROM t ORDER BY rowid
SELECT a + 1 AS x, count(*) FROM t GROUP BY x HAVING x > 1 ORDER BY x DESC
SELECT a AS b, count(*) FROM t GROUP BY b ORDER BY 1, 2
SELECT a % 2, sum(c), sum(c) + a % 2 FROM t GROUP BY a % 2 ORDER BY sum(c)
SELECT a, b, max(c) FROM t GROUP BY a ORDER BY a
SELECT b, min(c) FROM t
SELECT count(*), sum(a), b IS NULL FROM t WHERE 0
SELECT count(*) FROM t WHERE 0 GROUP BY a
SELECT a, (SELECT count(*) FROM u WHERE u.a = t.a) FROM t GROUP BY a ORDER BY a
SELECT (SELECT sum(t.a) FROM u LIMIT 1), (SELECT sum(u.a + t.a) FROM u) FROM t LIMIT 1
SELECT (SELECT sum(u.a + t.a) FROM u) FROM t ORDER BY rowid
SELECT u.a, (SELECT count(t.a) FILTER (WHERE t.a > u.a) FROM t) FROM u ORDER BY rowid
SELECT a FROM t GROUP BY a HAVING count(*) > (SELECT count(*) FROM u WHERE u.a = t.a) ORDER BY a
SELECT group_concat(b, '-' ORDER BY c DESC), count(DISTINCT a), sum(a) FILTER (WHERE c > 1), total(a) FROM t
SELECT DISTINCT a FROM t ORDER BY c
SELECT DISTINCT a, c > 1 FROM t ORDER BY a + 1, 2
SELECT a, sum(c) OVER (PARTITION BY a ORDER BY rowid), row_number() OVER (ORDER BY c) FROM t ORDER BY rowid
SELECT a, sum(count(*)) OVER (ORDER BY a), rank() OVER (ORDER BY count(*) DESC) FROM t GROUP BY a ORDER BY a
SELECT b, first_value(b) OVER w, sum(c) OVER (w ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM t WINDOW w AS (ORDER BY rowid) ORDER BY rowid
SELECT b, count(*) FILTER (WHERE a > 1) OVER (ORDER BY rowid DESC) AS n FROM t ORDER BY n, rowid
SELECT a FROM t ORDER BY count(*) OVER (PARTITION BY a), a, rowid
SELECT * FROM t ORDER BY rowid LIMIT 2 OFFSET (SELECT 1)
SELECT a FROM t ORDER BY rowid LIMIT -1 OFFSET 5
WITH x AS (SELECT a, b FROM t WHERE c > 0) SELECT p.a, q.b FROM x p JOIN x q ON p.a = q.a ORDER BY 1, 2, p.b
WITH x(k) AS (SELECT a FROM t), y AS (SELECT k + 1 AS k2 FROM x) SELECT count(*), sum(k2) FROM y
WITH x AS (SELECT 1 AS v) SELECT (SELECT v FROM x), (WITH x AS (SELECT 2 AS v) SELECT v FROM x), v FROM x
SELECT a, (WITH x AS (SELECT t.a + 1 AS y) SELECT y FROM x) FROM t ORDER BY rowid
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i, i * i FROM n
WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT (i * 2) % 7 FROM n) SELECT i FROM n ORDER BY i
WITH RECURSIVE n(i, s) AS (VALUES (1, 'a') UNION ALL SELECT i + 1, s || 'b' FROM n LIMIT 4) SELECT * FROM n
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i * 2 FROM n WHERE i < 9 UNION ALL SELECT i * 3 FROM n WHERE i < 9 ORDER BY 1 DESC LIMIT 6) SELECT i FROM n
WITH RECURSIVE n(i) AS (SELECT a FROM t WHERE a = 1 UNION SELECT t.a FROM n JOIN t ON t.a = n.i + 1) SELECT i FROM n ORDER BY i
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3 OFFSET 1) SELECT a.i, b.i FROM n a, n b ORDER BY 1, 2
VALUES (1, 'x'), (2, NULL)
SELECT column1 + 1 FROM (VALUES (1), (2.5)) ORDER BY 1
SELECT * FROM v ORDER BY 2
SELECT x, count(*) FROM w GROUP BY x ORDER BY x
SELECT v.bee, w.y FROM v JOIN w ON v.a = w.x WHERE v."a+1" = '3' ORDER BY 1, 2
SELECT a AS x FROM t WHERE x > 1 AND EXISTS (SELECT 1 FROM u WHERE u.a = x) ORDER BY x
SELECT "a", "nothing", [b], `c` FROM t ORDER BY rowid LIMIT 1
SELECT iif(a > 1, 'y', 'n'), iif(a > 1, 'y'), nullif(a, 1), coalesce(a, b), max(a, 2), min(b, '2') FROM t ORDER BY rowid
SELECT -9223372036854775808, 9223372036854775807, 9223372036854775808, -a, ~a, a / 2, a % 0, a << 2, a || b FROM t ORDER BY rowid
SELECT CAST(b AS INTEGER), CAST(c AS TEXT), CAST(a AS REAL), CAST(b AS NUMERIC), CAST(b AS BLOB) FROM t ORDER BY rowid
SELECT NOT a, NOT (a = 1), a AND c > 1, a OR NULL, NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a) FROM t ORDER BY rowid
SELECT b LIKE 'A', b NOT LIKE '%1%', b GLOB '[a-z]', 'x_y' LIKE 'x!_y' ESCAPE '!' FROM t ORDER BY rowid
SELECT '{"x": [1, 2]}' -> 'x', '{"x": [1, 2]}' ->> '$.x[1]', ('{"x": 1}' ->> 'x') + 1
"""


@cache
def filled_oracle() -> dbapi2.Connection:
    connection = new_oracle()
    for name, rows in ROWS.items():
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
    return connection


@cache
def view() -> MemoryView:
    schema = catalog()
    tables = {table.id: [] for table in schema.tables.values()}
    for name in ROWS:
        found = filled_oracle().execute(f"SELECT rowid, * FROM {name} ORDER BY rowid")
        tables[schema.table(name).id] = [tuple(row) for row in found]
    made = MemoryView(tables)
    made.catalog = schema
    return made


def run(sql: str) -> list[Row]:
    steps = compile_statement(Query(*build(sql)), DEFAULT).run(Context(view=view()))
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return list(stop.value.rows)


def exact(rows: list[Row]) -> list[list[tuple[str, str]]]:
    return [[(type(value).__name__, repr(value)) for value in row] for row in rows]


@pytest.mark.parametrize("sql", QUERIES.strip().splitlines())
def test_results(sql: str) -> None:
    assert exact(run(sql)) == exact(filled_oracle().execute(sql).fetchall())
