# What holds for every row is computed once; what can never hold reads nothing.
> CREATE TABLE t (id INTEGER PRIMARY KEY, x INTEGER)
> INSERT INTO t VALUES (1, 5), (2, 3)
---
changed 2

[plan]> SELECT id FROM t WHERE x > 1 + 2 * 3 - 4
---
Projection: t.id
└─ Filter: t.x > 3
   └─ Scan: t, pages with x >= 3
1

[plan]> SELECT id FROM t WHERE 1 = 2
---
Values: no rows

[plan]> SELECT id FROM t WHERE x > 4 AND 1 = 1
---
Projection: t.id
└─ Filter: t.x > 4
   └─ Scan: t, pages with x >= 4
1

# Nothing is folded that would raise where the row is never reached.
> SELECT id FROM t WHERE x < 0 AND abs(-9223372036854775807 - 1) > 0
---
