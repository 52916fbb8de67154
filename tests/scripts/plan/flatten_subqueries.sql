# A derived table or a view that only renames is part of the query around it.
> CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)
> INSERT INTO t VALUES (1, 2), (2, 5)
> CREATE VIEW v AS SELECT id AS k, a + 1 AS b FROM t
---
changed 2

[plan]> SELECT k FROM v WHERE b > 3
---
Projection: t.id AS k
└─ Filter: t.a + 1 > 3
   └─ Scan: t
2
