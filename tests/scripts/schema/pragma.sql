# What the schema says of itself.
> CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL DEFAULT 'x', b REAL, UNIQUE (a, b))
> CREATE INDEX t_b ON t (b)
> CREATE VIEW v AS SELECT a FROM t
---

> PRAGMA table_info(t)
---

> PRAGMA index_list(t)
---

> SELECT type, name, tbl_name FROM sqlite_master ORDER BY name
---
