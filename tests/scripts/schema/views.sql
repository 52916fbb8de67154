# A view is a query with a name.
> CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)
> INSERT INTO t VALUES (1, 'x'), (2, 'y')
> CREATE VIEW v (letter, upper) AS SELECT a, upper(a) FROM t
---

[names]> SELECT * FROM v WHERE letter = 'y'
---

!> INSERT INTO v VALUES ('a', 'A')
---

> DROP VIEW v
---

!> SELECT * FROM v
---
