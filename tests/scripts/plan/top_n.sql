# ORDER BY with LIMIT keeps only so many rows in memory.
> CREATE TABLE t (id INTEGER PRIMARY KEY, x INTEGER)
> INSERT INTO t VALUES (1, 5), (2, 3), (3, 9), (4, NULL)
---
changed 4

[plan]> SELECT id, x FROM t ORDER BY x DESC LIMIT 2
---
TopN: 2 BY t.x DESC
└─ Projection: t.id, t.x
   └─ Scan: t
3, 9
1, 5

[plan]> SELECT id, x FROM t ORDER BY x LIMIT 2 OFFSET 1
---
TopN: 2 OFFSET 1 BY t.x
└─ Projection: t.id, t.x
   └─ Scan: t
2, 3
1, 5
