# EXISTS, IN and correlated scalar subqueries become joins.
> CREATE TABLE a (id INTEGER PRIMARY KEY, x INTEGER NOT NULL)
> CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER NOT NULL, y INTEGER)
> INSERT INTO a VALUES (1, 10), (2, 20), (3, 30)
> INSERT INTO b VALUES (1, 1, 5), (2, 2, 6), (3, 2, 7)
---
changed 3
changed 3

[plan]> SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.a_id = a.id)
---
Projection: a.id
└─ HashJoin: semi ON a.id = b.a_id
   ├─ Scan: a
   └─ Scan: b
1
2

[plan]> SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.a_id = a.id)
---
Projection: a.id
└─ HashJoin: anti ON a.id = b.a_id
   ├─ Scan: a
   └─ Scan: b
3

[plan]> SELECT id FROM a WHERE id IN (SELECT a_id FROM b WHERE y > 5)
---
Projection: a.id
└─ HashJoin: semi ON a.id = b.a_id
   ├─ Scan: a
   └─ Filter: b.y > 5
      └─ Scan: b, pages with y >= 5
2

[plan]> SELECT id, (SELECT max(y) FROM b WHERE b.a_id = a.id) FROM a
---
Projection: a.id, max()
└─ HashJoin: left ON a.id = b.a_id
   ├─ Scan: a
   └─ Aggregate: max(b.y) BY b.a_id
      └─ Scan: b
1, 5
2, 7
3, NULL

[plan]> SELECT id, (SELECT count(*) FROM b WHERE b.a_id = a.id) FROM a
---
Projection: a.id, coalesce(count(), 0)
└─ HashJoin: left ON a.id = b.a_id
   ├─ Scan: a
   └─ Aggregate: count(*) BY b.a_id
      └─ Scan: b
1, 1
2, 2
3, 0
