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

# Where the rowid is taken, SQLite does not come to look at types.
> CREATE TABLE typed (id INTEGER PRIMARY KEY, body BLOB) STRICT
> INSERT INTO typed VALUES (1, x'01')
---
changed 1

> INSERT OR IGNORE INTO typed VALUES (1, 'text'), (2, x'02')
---
changed 1

> INSERT INTO typed VALUES (2, 'text') ON CONFLICT (id) DO UPDATE SET body = x'ff'
---
changed 1

!> INSERT INTO typed VALUES (1, 'text')
---
IntegrityError: UNIQUE constraint failed: typed.id

!> INSERT OR REPLACE INTO typed VALUES (1, 'text')
---
DataError: cannot store TEXT value in BLOB column typed.body

!> INSERT OR IGNORE INTO typed VALUES (3, 'text')
---
DataError: cannot store TEXT value in BLOB column typed.body

> SELECT * FROM typed
---
1, b'\x01'
2, b'\xff'
