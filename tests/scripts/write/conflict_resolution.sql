# OR IGNORE skips a row, OR REPLACE makes room, OR ABORT is the default, OR FAIL keeps what came before.
> CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT UNIQUE)
> INSERT INTO t VALUES (1, 'a'), (2, 'b')
---
changed 2

> INSERT OR IGNORE INTO t VALUES (1, 'x'), (3, 'c')
---
changed 1

> REPLACE INTO t VALUES (1, 'b')
---
changed 1

!> INSERT OR FAIL INTO t VALUES (4, 'd'), (1, 'e'), (5, 'f')
---
IntegrityError: UNIQUE constraint failed: t.k

> SELECT * FROM t
---
1, 'b'
3, 'c'
4, 'd'
