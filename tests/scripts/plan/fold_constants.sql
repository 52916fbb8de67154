# What holds for every row is computed once; what can never hold reads nothing.
> CREATE TABLE t (id INTEGER PRIMARY KEY, x INTEGER)
> INSERT INTO t VALUES (1, 5), (2, 3)
---

[plan]> SELECT id FROM t WHERE x > 1 + 2 * 3 - 4
---

[plan]> SELECT id FROM t WHERE 1 = 2
---

[plan]> SELECT id FROM t WHERE x > 4 AND 1 = 1
---

# Nothing is folded that would raise where the row is never reached.
> SELECT id FROM t WHERE x < 0 AND abs(-9223372036854775807 - 1) > 0
---
