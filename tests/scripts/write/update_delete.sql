# UPDATE and DELETE, with FROM and RETURNING.
> CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)
> CREATE TABLE d (id INTEGER PRIMARY KEY, by INTEGER)
> INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)
> INSERT INTO d VALUES (1, 5), (3, 7)
---
changed 3
changed 2

> UPDATE t SET n = n + d.by FROM d WHERE d.id = t.id RETURNING id, n
---
1, 15
3, 37

> UPDATE t SET id = id + 100 WHERE n > 30
---
changed 1

> DELETE FROM t WHERE id < 2 RETURNING *
---
1, 15

> SELECT * FROM t
---
2, 20
103, 37
