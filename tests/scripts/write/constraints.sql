# Constraints refuse a statement as a whole.
> CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b INTEGER NOT NULL CHECK (b > 0), c TEXT DEFAULT 'x')
> INSERT INTO t (a, b) VALUES ('one', 1)
---

!> INSERT INTO t (a, b) VALUES ('two', 2), ('one', 3)
---

!> INSERT INTO t (a, b) VALUES ('two', NULL)
---

!> UPDATE t SET b = 0
---

!> INSERT INTO t (id, b) VALUES (1, 1)
---

!> INSERT INTO t (id, b) VALUES ('x', 1)
---

> SELECT * FROM t
---
