"""What is JSON and what is text in whole statements, against SQLite."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pysqlite3 import dbapi2 as sqlite

import discosql

SETUP = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, k INTEGER)",
    """INSERT INTO t (a, k) VALUES ('[1]', 1), ('2', 1), ('{"b":[3]}', 2)""",
    "CREATE VIEW v AS SELECT k, json(a) AS j FROM t",
)
QUERIES = """
SELECT json_array(json_group_array(1)) FROM t
SELECT json_group_array(json(a)) FROM t
SELECT k, json_object('a', json_group_array(json(a)), 'n', count(*)) FROM t GROUP BY k
SELECT json_object('a', json_group_object(a, json(a))) FROM t HAVING count(*) > 0 ORDER BY json_group_array(a)
SELECT json_array(json(a)) FROM t ORDER BY json(a)
SELECT json_array(json(a)) FROM t GROUP BY json(a)
SELECT json_array((SELECT json_group_array(json(a)) FROM t))
SELECT json_array((SELECT json(a) FROM t WHERE a = '[1]'))
SELECT json_array((SELECT x FROM (SELECT json(a) AS x FROM t)))
SELECT json_group_array((SELECT json_group_array(json(b.a)) FROM t AS b)) FROM t
SELECT k, (SELECT json_group_array(json(b.a)) FROM t AS b WHERE b.k = t.k) FROM t
SELECT k, json_array((SELECT json_group_array(json(b.a)) FROM t AS b WHERE b.k = t.k)) FROM t
SELECT k, json_array((SELECT json_group_array(json(b.a)) FROM t AS b WHERE b.k = t.k + 5)) FROM t
SELECT k, json_array((SELECT json_object('x', json(b.a)) FROM t AS b WHERE b.id = t.k + 1)) FROM t
SELECT json_group_array(json_object('k', (SELECT json_group_array(json_array(a)) FROM t AS b WHERE b.k = t.k))) FROM t
SELECT json_group_array(json_object('a', a)) FILTER (WHERE a IS NOT NULL) FROM t
SELECT json_group_array(DISTINCT json(a)) FROM t
SELECT json_group_array(json(a) ORDER BY a DESC) FROM t
SELECT json_group_array(json(a)) OVER (ORDER BY id) FROM t
SELECT json_group_array(json(a)) OVER (ORDER BY id ROWS 1 PRECEDING) FROM t
SELECT json_array(json_group_array(json(a)) OVER (PARTITION BY k)) FROM t
SELECT json_array(x) FROM (SELECT json_group_array(json(a)) AS x FROM t)
WITH x(v) AS (SELECT json_group_array(json(a)) FROM t) SELECT json_array(v) FROM x
WITH x(v) AS MATERIALIZED (SELECT json_group_array(json(a)) FROM t) SELECT json_array(v) FROM x
SELECT json_array(j) FROM v
SELECT json_group_array(j) FROM v GROUP BY k
SELECT json_array(j) FROM (SELECT json(a) AS j, id FROM t LIMIT 2)
SELECT json_array(j, json(j)) FROM (SELECT a -> '$' AS j, id FROM t)
SELECT json_insert('{}', '$.a', (SELECT json_group_array(a) FROM t))
SELECT json_array(json('[1]') -> '$', a) FROM t
SELECT json_array(CASE WHEN a = '2' THEN json(a) ELSE '[3]' END, CASE a WHEN '2' THEN json(a) ELSE '[3]' END) FROM t
SELECT json_array(ifnull(json(a), 1), coalesce(NULL, json(a)), iif(k = 1, json(a), a), nullif(json(a), '2')) FROM t
SELECT json_array(json(a) = '[1]', json(a) || '', lower(json(a)), +json(a)) FROM t
SELECT json_array(json_extract(a, '$'), json_extract(a, '$.b'), a) FROM t
SELECT json_array(a -> '$', a ->> '$', a -> 'b' -> 0, a ->> 'b' ->> 0) FROM t
SELECT json_array(v.value) FROM t, json_each(t.a) AS v
SELECT json_array(value), json_array(atom), json_array(key) FROM json_each('{"a":[1]}')
SELECT json_array(value) FROM json_tree('{"a":[1]}') ORDER BY id DESC
SELECT json_group_array(json_array(value)), json_group_array(value) FROM json_each('[[1],2]')
SELECT json_group_array(value) FROM (SELECT value FROM json_each('[[1],2]') ORDER BY 1)
SELECT json_array(a, json('[1]')) FROM t
SELECT json_array(a.column1) FROM (VALUES (json('[1]'))) AS a
SELECT json_array(x.j) FROM (SELECT json(a) AS j FROM t UNION ALL SELECT '5') AS x
SELECT t.id, json_object('v', u.j) FROM t LEFT JOIN (SELECT id, json(a) AS j FROM t) AS u ON u.id = t.id + 1
SELECT t.id, json_object('v', json(u.a)) FROM t LEFT JOIN t AS u ON u.id = t.id + 1
SELECT DISTINCT json(a) FROM t
SELECT json(a) FROM t UNION SELECT '[1]'
SELECT json_array(json_quote(a), json_quote(json(a))) FROM t
SELECT count(*), typeof(json(a)) FROM t GROUP BY 2
SELECT sum(json_extract(a, '$')) FROM t WHERE json_type(a) = 'integer'
SELECT id FROM t WHERE json_extract(a, '$.b[0]') = 3
SELECT max(json(a)), group_concat(json(a)) FROM t
SELECT typeof(jsonb(a)), json(jsonb(a)), json_array(jsonb(a)) FROM t
SELECT json(jsonb_patch(a, '{"c":1}')), json(jsonb_set('[1,2]', '$[0]', a)) FROM t
SELECT json(jsonb_group_array(a)), json(jsonb_group_object(a, k)) FROM t
""".strip().splitlines()


@pytest.fixture(scope="module")
def databases() -> Iterator[tuple[discosql.Connection, Any]]:
    own, oracle = discosql.connect(":memory:"), sqlite.connect(":memory:")
    for sql in SETUP:
        own.execute(sql)
        oracle.execute(sql)
    own.commit()
    yield own, oracle
    own.close()
    oracle.close()


@pytest.mark.parametrize("sql", QUERIES)
def test_json_is_told_from_text_as_in_sqlite(sql: str, databases: tuple[discosql.Connection, Any]) -> None:
    own, oracle = databases
    rows = own.execute(sql).fetchall()
    assert sorted(map(repr, rows)) == sorted(map(repr, oracle.execute(sql).fetchall()))
    assert {type(value) for row in rows for value in row} <= {int, float, str, type(None)}


@pytest.fixture
def stored() -> Iterator[Callable[[str], list[Any]]]:
    connection = discosql.connect(":memory:")
    connection.execute("CREATE TABLE s (a ANY, b TEXT DEFAULT (json_array(1)), c JSON)")

    def run(sql: str) -> list[Any]:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []

    yield run
    connection.close()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO s (a) VALUES (json('[1]')) RETURNING a, b",
        "INSERT INTO s (a) SELECT json_group_array(1) RETURNING a, json_array(a)",
        "INSERT INTO s (a, b) SELECT value, value FROM json_each('[[1]]') RETURNING a, b",
        "INSERT INTO s (a) SELECT json('[1]') LIMIT 1 RETURNING a",
    ],
)
def test_what_is_stored_or_returned_is_plain_text(sql: str, stored: Callable[[str], list[Any]]) -> None:
    returned = stored(sql)
    stored("UPDATE s SET b = json_array(a, b)")
    rows = stored("SELECT a, b, json_array(a) FROM s")
    assert rows[0][0] == "[1]"
    assert rows[0][2] == '["[1]"]'
    assert {type(value) for row in (*returned, *rows) for value in row} == {str}


def test_columns_of_the_type_json_hold_json(stored: Callable[[str], list[Any]]) -> None:
    stored("""INSERT INTO s (c) VALUES (json('{ "a" : [1.50] }'))""")
    assert stored("SELECT c, c -> 'a', c ->> '$.a[0]' FROM s") == [({"a": [1.5]}, "[1.50]", 1.5)]
