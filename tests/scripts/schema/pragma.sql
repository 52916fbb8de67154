# What the schema says of itself.
> CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL DEFAULT 'x', b REAL, UNIQUE (a, b))
> CREATE INDEX t_b ON t (b)
> CREATE VIEW v AS SELECT a FROM t
---

> PRAGMA table_info(t)
---
0, 'id', 'INTEGER', 0, NULL, 1
1, 'a', 'TEXT', 1, "'x'", 0
2, 'b', 'REAL', 0, NULL, 0

> PRAGMA index_list(t)
---
0, 't_b', 0, 'c', 0
1, 'sqlite_autoindex_t_1', 1, 'u', 0

> SELECT type, name, tbl_name FROM sqlite_master ORDER BY name
---
'index', 'sqlite_autoindex_t_1', 't'
'table', 't', 't'
'index', 't_b', 't'
'view', 'v', 'v'
