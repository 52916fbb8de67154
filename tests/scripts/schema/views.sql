# A view is a query with a name.
> CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)
> INSERT INTO t VALUES (1, 'x'), (2, 'y')
> CREATE VIEW v (letter, upper) AS SELECT a, upper(a) FROM t
---
changed 2

[names]> SELECT * FROM v WHERE letter = 'y'
---
letter | upper
'y', 'Y'

!> INSERT INTO v VALUES ('a', 'A')
---
ProgrammingError: cannot modify v because it is a view

> DROP VIEW v
---

!> SELECT * FROM v
---
UnknownNameError: no such table: v
