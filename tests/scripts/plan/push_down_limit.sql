# LIMIT goes down only where every row below counts.
> CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)
> INSERT INTO t VALUES (1, 2), (2, 3), (3, 4)
---
changed 3

[plan]> SELECT a + 1 FROM t LIMIT 1
---
Projection: t.a + 1
└─ Limit: 1
   └─ Scan: t
3

[plan]> SELECT a FROM t WHERE a > 2 LIMIT 1
---
Projection: t.a
└─ Limit: 1
   └─ Filter: t.a > 2
      └─ Scan: t, pages with a >= 2
3

[plan]> SELECT a FROM t UNION ALL SELECT id FROM t LIMIT 2
---
Limit: 2
└─ SetOperation: UNION ALL
   ├─ Projection: t.a
   │  └─ Limit: 2
   │     └─ Scan: t
   └─ Projection: t.id
      └─ Limit: 2
         └─ Scan: t
2
3
