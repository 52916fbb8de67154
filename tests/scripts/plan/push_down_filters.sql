# Conditions move to the tables they speak of.
> CREATE TABLE a (id INTEGER PRIMARY KEY, x INTEGER)
> CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER, y INTEGER)
> INSERT INTO a VALUES (1, 10), (2, 20)
> INSERT INTO b VALUES (1, 1, 5), (2, 2, 6), (3, 2, 7)
---
changed 2
changed 3

[plan]> SELECT a.x, b.y FROM a, b WHERE a.id = b.a_id AND b.y > 5 AND a.x = 20
---
Projection: a.x, b.y
└─ HashJoin: inner ON a.id = b.a_id
   ├─ Filter: a.x = 20
   │  └─ Scan: a, pages with x = 20
   └─ Filter: b.y > 5
      └─ Scan: b, pages with y >= 5
20, 6
20, 7

# A condition on the right side of a left join stays above it, unless it rejects NULL.
[plan]> SELECT a.id, b.y FROM a LEFT JOIN b ON b.a_id = a.id WHERE b.y IS NULL
---
Projection: a.id, b.y
└─ Filter: b.y IS NULL
   └─ HashJoin: right ON b.a_id = a.id
      ├─ Scan: b
      └─ Scan: a

[plan]> SELECT a.id, b.y FROM a LEFT JOIN b ON b.a_id = a.id WHERE b.y > 5
---
Projection: a.id, b.y
└─ HashJoin: inner ON a.id = b.a_id
   ├─ Scan: a
   └─ Filter: b.y > 5
      └─ Scan: b, pages with y >= 5
2, 6
2, 7
