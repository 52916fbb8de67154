# Constraints refuse a statement as a whole.
> CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b INTEGER NOT NULL CHECK (b > 0), c TEXT DEFAULT 'x')
> INSERT INTO t (a, b) VALUES ('one', 1)
---
changed 1

!> INSERT INTO t (a, b) VALUES ('two', 2), ('one', 3)
---
IntegrityError: UNIQUE constraint failed: t.a

!> INSERT INTO t (a, b) VALUES ('two', NULL)
---
IntegrityError: NOT NULL constraint failed: t.b

!> UPDATE t SET b = 0
---
IntegrityError: CHECK constraint failed: b > 0

!> INSERT INTO t (id, b) VALUES (1, 1)
---
IntegrityError: UNIQUE constraint failed: t.id

!> INSERT INTO t (id, b) VALUES ('x', 1)
---
DataError: datatype mismatch

> SELECT * FROM t
---
1, 'one', 1, 'x'
