# DISTINCT over a key and ORDER BY over one row change nothing and are left out.
> CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)
> INSERT INTO t VALUES (1, 2), (2, 2)
---
changed 2

[plan]> SELECT DISTINCT id, a FROM t
---
Projection: t.id, t.a
└─ Scan: t
1, 2
2, 2

[plan]> SELECT count(*) FROM t ORDER BY 1
---
Projection: count()
└─ Aggregate: count(*)
   └─ Scan: t
2

[plan]> SELECT DISTINCT a FROM t
---
Distinct
└─ Projection: t.a
   └─ Scan: t
2
