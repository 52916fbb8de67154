# INSERT that meets a row with its key.
> CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER DEFAULT 0, note TEXT UNIQUE)
> INSERT INTO t VALUES ('a', 1, 'x')
---
changed 1

> INSERT INTO t VALUES ('a', 5, 'y') ON CONFLICT (k) DO UPDATE SET n = n + excluded.n RETURNING k, n, note
---
'a', 6, 'x'

> INSERT INTO t VALUES ('b', 5, 'x') ON CONFLICT DO NOTHING
---
changed 0

> INSERT OR REPLACE INTO t VALUES ('c', 7, 'x') RETURNING *
---
'c', 7, 'x'

> SELECT * FROM t
---
'c', 7, 'x'
