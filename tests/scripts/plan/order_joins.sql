# Tables are joined in the order that makes the fewest rows, whatever order they are written in.
> CREATE TABLE big (id INTEGER PRIMARY KEY, m INTEGER NOT NULL)
> CREATE TABLE middle (id INTEGER PRIMARY KEY, s INTEGER NOT NULL)
> CREATE TABLE small (id INTEGER PRIMARY KEY, name TEXT)
> INSERT INTO small VALUES (1, 'one'), (2, 'two')
> INSERT INTO middle WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20) SELECT x, x % 2 + 1 FROM n
> INSERT INTO big WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300) SELECT x, x % 20 + 1 FROM n
---
changed 2
changed 20
changed 300

[plan]> SELECT count(*) FROM big, middle, small WHERE big.m = middle.id AND middle.s = small.id AND small.name = 'two'
---
Projection: count()
└─ Aggregate: count(*)
   └─ HashJoin: inner ON big.m = middle.id
      ├─ Scan: big
      └─ HashJoin: inner ON middle.s = small.id
         ├─ Scan: middle
         └─ Filter: small.name = 'two'
            └─ Scan: small, pages with name = 'two'
150

# CROSS JOIN keeps the order as written.
[plan]> SELECT count(*) FROM big CROSS JOIN small WHERE big.m = small.id
---
Projection: count()
└─ Aggregate: count(*)
   └─ HashJoin: inner ON big.m = small.id
      ├─ Scan: big
      └─ Scan: small
30
