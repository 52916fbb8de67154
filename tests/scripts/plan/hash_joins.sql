# Joins on equality build a hash table; others compare every pair.
> CREATE TABLE a (id INTEGER PRIMARY KEY, x INTEGER, name TEXT)
> CREATE TABLE b (id INTEGER PRIMARY KEY, x INTEGER, name TEXT)
> INSERT INTO a VALUES (1, 1, 'a'), (2, 2, 'b'), (3, NULL, 'c')
> INSERT INTO b VALUES (1, 1, 'x'), (2, 1, 'y'), (3, NULL, 'z')
---
changed 3
changed 3

[plan]> SELECT a.name, b.name FROM a JOIN b ON a.x = b.x
---
Projection: a.name, b.name
└─ HashJoin: inner ON a.x = b.x
   ├─ Scan: a
   └─ Scan: b
'a', 'x'
'a', 'y'

[plan]> SELECT a.name, b.name FROM a LEFT JOIN b ON a.x = b.x AND b.id > 1
---
Projection: a.name, b.name
└─ HashJoin: left ON a.x = b.x
   ├─ Scan: a
   └─ Filter: b.id > 1
      └─ Scan: b, pages with id >= 1
'a', 'y'
'b', NULL
'c', NULL

[plan]> SELECT a.name, b.name FROM a FULL JOIN b ON a.x = b.x
---
Projection: a.name, b.name
└─ HashJoin: full ON a.x = b.x
   ├─ Scan: a
   └─ Scan: b
'a', 'x'
'a', 'y'
'b', NULL
'c', NULL
NULL, 'z'

[plan]> SELECT a.name, b.name FROM a JOIN b ON a.x < b.x + 1
---
Projection: a.name, b.name
└─ NestedLoopJoin: inner ON a.x < b.x + 1
   ├─ Scan: a
   └─ Scan: b
'a', 'x'
'a', 'y'

[plan]> SELECT a.name, b.name FROM a JOIN b ON a.x IS b.x
---
Projection: a.name, b.name
└─ HashJoin: inner ON a.x IS b.x
   ├─ Scan: a
   └─ Scan: b
'a', 'x'
'a', 'y'
'c', 'z'
