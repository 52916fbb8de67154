# Subqueries as values, in conditions, and correlated.
> CREATE TABLE t (id INTEGER PRIMARY KEY, g TEXT, n INTEGER)
> INSERT INTO t VALUES (1, 'a', 5), (2, 'a', 7), (3, 'b', 1)
---
changed 3

> SELECT id FROM t AS o WHERE n = (SELECT max(n) FROM t WHERE g = o.g)
---
2
3

> SELECT (SELECT n FROM t WHERE id = 99), EXISTS (SELECT 1 FROM t WHERE n > 6), 5 IN (SELECT n FROM t)
---
NULL, 1, 1

> SELECT id FROM t WHERE (g, n) IN (SELECT g, max(n) FROM t GROUP BY g)
---
2
3

> SELECT g, total FROM (SELECT g, sum(n) AS total FROM t GROUP BY g) WHERE total > 1
---
'a', 12
