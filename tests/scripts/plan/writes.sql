# The rows that a change is about are found by a plan too, and a change is one message and one look at the log.
> CREATE TABLE t (id INTEGER PRIMARY KEY, x INTEGER)
---

[requests]> INSERT INTO t VALUES (1, 5), (2, 3)
---
requests: messages 1, post 1
changed 2

[plan,requests]> UPDATE t SET x = x + 1 WHERE id = 2
---
Update: t (x)
└─ Projection: t.id, t.id, t.x, t.x + 1
   └─ IndexLookup: t.id (2)
requests: messages 1, post 1
changed 1

[plan,requests]> DELETE FROM t WHERE id = 1
---
Delete: t
└─ Projection: t.id, t.id, t.x
   └─ IndexLookup: t.id (1)
requests: messages 1, post 1
changed 1

[requests]> UPDATE t SET x = 0 WHERE id = 99
---
requests: none
changed 0
