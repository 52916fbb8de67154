# UNION, INTERSECT and EXCEPT, from left to right.
> SELECT 1 UNION SELECT 2 UNION SELECT 1
---
1
2

> SELECT 1 UNION ALL SELECT 1
---
1
1

> SELECT column1 FROM (VALUES (1), (2), (3)) INTERSECT SELECT column1 FROM (VALUES (2), (3), (4)) EXCEPT SELECT 3
---
2

> SELECT 2 AS x UNION ALL SELECT 1 ORDER BY x LIMIT 1
---
1

# A column of numbers whose first arm is a REAL column is REAL for the queries around; not where that is a CAST.
> CREATE TABLE measure (r REAL, i INTEGER)
> INSERT INTO measure VALUES (1.5, 2)
---
changed 1

> SELECT x, x / 4 FROM (SELECT r AS x FROM measure UNION ALL SELECT i FROM measure)
---
1.5, 0.375
2.0, 0.5

> SELECT r FROM measure UNION ALL SELECT i FROM measure
---
1.5
2

> SELECT x, x / 4 FROM (SELECT CAST(r AS REAL) AS x FROM measure UNION ALL SELECT i FROM measure)
---
1.5, 0.375
2, 0

# A call has no affinity, whatever it returns, and may give anything.
> SELECT likely(i) = '2', i = '2' FROM measure
---
0, 1

> SELECT x = '2' FROM (SELECT i AS x FROM measure UNION ALL SELECT iif(i, 1, 2) FROM measure)
---
0
0

> SELECT x = '2' FROM (SELECT i AS x FROM measure UNION ALL SELECT CASE WHEN i THEN 1 ELSE 2 END FROM measure)
---
1
0
