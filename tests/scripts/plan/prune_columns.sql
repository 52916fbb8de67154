# What nobody asks for is not computed.
> CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER)
> INSERT INTO t VALUES (1, 2, 3)
---
changed 1

[plan]> SELECT s FROM (SELECT a + b AS s, a * b AS p, id FROM t)
---
Projection: t.a + t.b AS s
└─ Scan: t
5
