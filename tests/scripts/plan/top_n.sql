# ORDER BY with LIMIT keeps only so many rows in memory.
> CREATE TABLE t (id INTEGER PRIMARY KEY, x INTEGER)
> INSERT INTO t VALUES (1, 5), (2, 3), (3, 9), (4, NULL)
---

[plan]> SELECT id, x FROM t ORDER BY x DESC LIMIT 2
---

[plan]> SELECT id, x FROM t ORDER BY x LIMIT 2 OFFSET 1
---
