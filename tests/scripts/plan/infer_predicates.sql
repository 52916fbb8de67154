# A constant on one side of a join holds on the other side too.
> CREATE TABLE a (id INTEGER PRIMARY KEY, x INTEGER NOT NULL)
> CREATE TABLE b (id INTEGER PRIMARY KEY, x INTEGER NOT NULL)
> INSERT INTO a VALUES (1, 10), (2, 20)
> INSERT INTO b VALUES (1, 20), (2, 30)
---
changed 2
changed 2

[plan]> SELECT a.id, b.id FROM a JOIN b ON a.x = b.x WHERE a.x = 20
---
Projection: a.id, b.id
└─ HashJoin: inner ON a.x = b.x
   ├─ Filter: a.x = 20
   │  └─ Scan: a, pages with x = 20
   └─ Filter: b.x = 20
      └─ Scan: b, pages with x = 20
2, 1
