"""Every kind of node against SQLite: the rows, their classes and their order."""

import random
from typing import Any

import pytest
from compiling import Pair
from memory_view import run

from discosql.executor.compile import compile_plan
from discosql.executor.context import Context
from discosql.executor.functions import DEFAULT

TABLES = """
CREATE TABLE t (a INTEGER NOT NULL, b REAL, c TEXT, d INTEGER);
CREATE TABLE u (id INTEGER PRIMARY KEY, n TEXT NOT NULL, x INTEGER);
CREATE TABLE k (name TEXT COLLATE NOCASE PRIMARY KEY, t_a INTEGER, UNIQUE (t_a, name));
CREATE TABLE e (q INTEGER)
"""


def _rows() -> dict[str, list[tuple[Any, ...]]]:
    rng = random.Random(7)
    return {
        "t": [
            (
                rng.randrange(10),
                rng.choice([None, 1.5, 2.0, -3.25, 0.0]),
                rng.choice([None, "x", "y", "Z", "abc", "12"]),
                rng.choice([None, 1, 2, 3, -4]),
            )
            for _ in range(50)
        ],
        "u": [(number, f"n{number % 4}", rng.choice([None, 1, 2, 9])) for number in range(1, 12)],
        "k": [("X", 1), ("y", 2), ("abc", None), ("Zz", 3)],
        "e": [],
    }


PAIRS = {
    "memory": Pair(TABLES, _rows()),
    "small batches": Pair(TABLES, _rows(), batch=7),
    "fetched": Pair(TABLES, _rows(), batch=16, pending=True),
}

QUERIES = """
SELECT a, b FROM t WHERE b > 1
SELECT * FROM t WHERE NOT (b > 1 OR c = 'x')
SELECT count(*), count(b), sum(a), avg(b), min(c), max(c), total(d), sum(d) FROM t
SELECT count(*) FROM t WHERE c > 'Y'
SELECT count(*), sum(d) FROM t WHERE a > 3
SELECT sum(a + d), avg(a * b), max(a) - min(a) FROM t WHERE d <> 2
SELECT count(DISTINCT c), sum(DISTINCT d), count(DISTINCT b) FROM t
SELECT sum(q), min(q), count(q), avg(q), total(q), max(q), count(*) FROM e
SELECT max(d), c FROM t
SELECT min(d) FILTER (WHERE b > 100), c, count(*) FILTER (WHERE c IS NULL) FROM t
SELECT group_concat(c), group_concat(a, '-') FROM t WHERE a < 4
SELECT a, count(*), sum(b), min(d) FROM t GROUP BY a HAVING count(*) > 3
SELECT c, d, count(*) FROM t GROUP BY c, d
SELECT a, max(b), c FROM t GROUP BY a
SELECT a, min(d), c, b FROM t GROUP BY a
SELECT c, d FROM t GROUP BY c
SELECT c, count(*) FROM t GROUP BY c COLLATE NOCASE
SELECT c COLLATE NOCASE, max(b), min(a) FROM t GROUP BY 1
SELECT c, max(b), a FROM (SELECT c COLLATE NOCASE AS c, b, a FROM t UNION ALL SELECT upper(c), a + 0.5, 5 FROM t) \
GROUP BY c
SELECT x, min(y) FROM (SELECT 1 AS x, 2 AS y UNION ALL SELECT 1.0, 1 UNION ALL SELECT 2.0, 1 UNION ALL SELECT 2, 3) \
GROUP BY x
SELECT q FROM e GROUP BY q
SELECT a, sum(d) FILTER (WHERE b > 0), count(*) FILTER (WHERE c IS NULL) FROM t GROUP BY a
SELECT a, group_concat(c ORDER BY b DESC, c), group_concat(DISTINCT c) FROM t GROUP BY a
SELECT a % 3 AS k, count(*), sum(CASE WHEN d > 0 THEN 1 ELSE 0 END) FROM t GROUP BY k
SELECT DISTINCT c FROM t
SELECT DISTINCT c COLLATE NOCASE FROM t
SELECT DISTINCT c, d FROM t
SELECT DISTINCT a FROM t LIMIT 3
SELECT * FROM t ORDER BY b DESC, a, c LIMIT 7 OFFSET 2
SELECT * FROM t ORDER BY c COLLATE NOCASE, a DESC, d
SELECT * FROM t ORDER BY d NULLS LAST, c DESC NULLS FIRST, a, b
SELECT a FROM t ORDER BY a, b, c, d LIMIT -1 OFFSET 45
SELECT a FROM t LIMIT 0
SELECT a FROM t UNION ALL SELECT id FROM u UNION ALL SELECT 'x' LIMIT 4 OFFSET 48
SELECT * FROM (SELECT a FROM t UNION ALL SELECT n FROM u LIMIT 55) WHERE a IS NOT NULL
SELECT c, count(*) FROM t GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3
SELECT * FROM (SELECT a, b FROM t LIMIT 5) WHERE b IS NOT NULL
SELECT u.id, t.a, t.c FROM t JOIN u ON t.a = u.id
SELECT u.id, t.a, t.c FROM t LEFT JOIN u ON t.a = u.id AND u.x > 1
SELECT u.id, t.a, t.c FROM t RIGHT JOIN u ON t.d = u.id AND u.x = 1
SELECT u.id, t.a, t.c FROM t FULL JOIN u ON t.d = u.id AND u.x = 1
SELECT t.a, k.name FROM t JOIN k ON k.name = t.c
SELECT t.a, k.name FROM t LEFT JOIN k ON k.t_a = t.a
SELECT t.a, u.id FROM t, u WHERE t.a < u.x
SELECT t.a, u.id FROM t LEFT JOIN u ON t.a < u.x AND t.d = 1
SELECT t.a, u.id FROM t FULL JOIN u ON t.a < u.x AND t.d = 1
SELECT t.a, u.id FROM t LEFT JOIN u ON t.d IS u.x
SELECT * FROM t CROSS JOIN e
SELECT * FROM t LEFT JOIN e ON q = a
SELECT t.a, u.id, v.id FROM t JOIN u ON t.a = u.id JOIN u AS v ON v.x = t.d ORDER BY 1, 2, 3
SELECT t.a, s.m FROM t LEFT JOIN (SELECT x, max(id) AS m FROM u GROUP BY x) AS s ON s.x = t.d
SELECT t.a, (SELECT n FROM u WHERE u.id = t.a) FROM t
SELECT t.a, (SELECT count(*) FROM u WHERE u.x > t.d) FROM t
SELECT a, (SELECT a FROM t AS v WHERE v.a > t.a ORDER BY a LIMIT 1) FROM t
SELECT id, (SELECT group_concat(c) FROM t WHERE t.a = u.id AND t.c IS NOT NULL) FROM u
SELECT (SELECT max(id) FROM u), (SELECT n FROM u WHERE id = 100)
SELECT * FROM u WHERE EXISTS (SELECT 1 FROM t WHERE t.a = u.id AND t.d = 2)
SELECT * FROM u WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.a = u.id)
SELECT id, EXISTS (SELECT 1 FROM t WHERE t.a > u.id + 5 AND t.d = u.x) FROM u
SELECT EXISTS (SELECT 1 FROM t WHERE a = 3), NOT EXISTS (SELECT 1 FROM e)
SELECT * FROM u WHERE id IN (SELECT a FROM t WHERE d IS NOT NULL)
SELECT * FROM u WHERE x NOT IN (SELECT d FROM t)
SELECT * FROM u WHERE x NOT IN (SELECT d FROM t WHERE d IS NOT NULL)
SELECT x IN (SELECT d FROM t), x NOT IN (SELECT d FROM t), x IN (SELECT q FROM e) FROM u
SELECT a FROM t WHERE (a, d) IN (SELECT id, x FROM u)
SELECT (a, d) IN (SELECT id, x FROM u), (a, d) NOT IN (SELECT 1, 2) FROM t
SELECT c IN (SELECT name FROM k) FROM t
SELECT id FROM u WHERE id = 5
SELECT * FROM u WHERE id IN (3, 1, 2, 2, 100)
SELECT 1 UNION SELECT 2 UNION SELECT 1
SELECT 1 UNION SELECT 1.0
SELECT a FROM t UNION ALL SELECT id FROM u
SELECT a FROM t EXCEPT SELECT id FROM u
SELECT d FROM t INTERSECT SELECT x FROM u
SELECT b FROM t UNION SELECT d FROM t
SELECT c, a FROM t UNION SELECT n, id FROM u UNION ALL SELECT 'x', 1
SELECT c COLLATE NOCASE FROM t UNION SELECT 'Abc'
WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 10) SELECT x FROM c
WITH RECURSIVE c (x, y) AS (SELECT 1, 1 UNION ALL SELECT x + 1, y * 2 FROM c WHERE x < 70) SELECT * FROM c
WITH RECURSIVE c (x) AS (SELECT 1 UNION SELECT (x * 3) % 7 FROM c) SELECT x FROM c
WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5 OFFSET 2) SELECT x FROM c
WITH RECURSIVE c (x) AS (SELECT id FROM u WHERE x = 9 UNION SELECT t.a FROM c JOIN t ON t.d = c.x) SELECT x FROM c
WITH RECURSIVE c (x, l) AS (SELECT 1, 0 UNION ALL SELECT 2 * x + y, l + 1 FROM c, (SELECT 0 AS y UNION SELECT 1) \
WHERE l < 3 ORDER BY 2 DESC, 1) SELECT x FROM c
WITH q AS (SELECT a, count(*) AS n FROM t GROUP BY a) SELECT * FROM q JOIN q AS r ON q.a = r.n ORDER BY 1, 2, 3, 4
VALUES (1, 2), (3, 'x')
SELECT t.a, v.column1 FROM t JOIN (VALUES (1), (2), (NULL)) AS v ON v.column1 = t.d ORDER BY 1, 2
""".replace("\\\n", "").strip()


@pytest.mark.parametrize("way", PAIRS)
@pytest.mark.parametrize("sql", QUERIES.splitlines())
def test_query_gives_what_sqlite_gives(sql: str, way: str) -> None:
    PAIRS[way].check(sql)


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("SELECT * FROM t WHERE a = ? AND (d = ? OR d IS NULL)", (3, 2)),
        ("SELECT * FROM t WHERE a = ?", ("3",)),
        ("SELECT * FROM t WHERE c = ?", (12,)),
        ("SELECT * FROM t WHERE a = ?", (None,)),
        ("SELECT * FROM t WHERE d > ? + 0.5", (1,)),
        ("SELECT * FROM t WHERE a IN (?, ?, NULL, 7)", (1, 2.0)),
        ("SELECT * FROM t WHERE d NOT IN (?, ?)", (1, None)),
        ("SELECT ?, ? || 'x', ? + 1, typeof(?)", (1, b"b", "2", None)),
        ("SELECT id FROM u WHERE id IN (?, ?)", (7, "3")),
        ("SELECT a FROM t ORDER BY a, b, c, d LIMIT ? OFFSET ?", (4, 2)),
        ("SELECT a FROM t ORDER BY a, b, c, d LIMIT ? OFFSET ?", (-1, 48)),
        ("SELECT a FROM t LIMIT ?", (0,)),
    ],
)
def test_parameters_of_any_class(sql: str, parameters: tuple[Any, ...]) -> None:
    for pair in PAIRS.values():
        pair.check(sql, parameters)
        generic = compile_plan(pair.plan(sql), DEFAULT)
        assert run(generic.run(Context(pair.view, parameters))) == pair.rows(sql, parameters)  # type: ignore[arg-type]
