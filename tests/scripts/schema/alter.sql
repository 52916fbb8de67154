# A table changes its shape and keeps its rows.
> CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER CHECK (b > 0))
> INSERT INTO t VALUES (1, 'x', 5)
> ALTER TABLE t ADD COLUMN c TEXT DEFAULT 'new'
> ALTER TABLE t RENAME COLUMN b TO n
> ALTER TABLE t DROP COLUMN a
> ALTER TABLE t RENAME TO u
> INSERT INTO u (n) VALUES (6)
---
changed 1
changed 1

> SELECT * FROM u
---
1, 5, 'new'
2, 6, 'new'

> SELECT sql FROM sqlite_master WHERE name = 'u'
---
'CREATE TABLE "u" (id INTEGER PRIMARY KEY, n INTEGER CHECK (n > 0), c TEXT DEFAULT \'new\')'

!> INSERT INTO u (n) VALUES (0)
---
IntegrityError: CHECK constraint failed: n > 0

!> SELECT * FROM t
---
UnknownNameError: no such table: t
