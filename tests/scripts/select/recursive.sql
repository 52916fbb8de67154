# Recursive common table expressions.
> WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT sum(x), group_concat(x) FROM n
---
15, '1,2,3,4,5'

> CREATE TABLE part (id INTEGER PRIMARY KEY, parent INTEGER, name TEXT)
> INSERT INTO part VALUES (1, NULL, 'car'), (2, 1, 'engine'), (3, 2, 'bolt'), (4, 1, 'door')
---
changed 4

> WITH RECURSIVE tree (id, path) AS (
    SELECT id, name FROM part WHERE parent IS NULL
    UNION ALL SELECT part.id, path || '/' || name FROM part JOIN tree ON parent = tree.id
  ) SELECT path FROM tree ORDER BY path
---
'car'
'car/door'
'car/engine'
'car/engine/bolt'

# The recursive arm may join an aggregate, but not be one, nor look at its table from a subquery.
> WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + least FROM r, (SELECT min(value) AS least FROM json_each('[3, 2]')) WHERE x < 5) SELECT x FROM r
---
1
3
5

!> WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT max(x) + 1 FROM r WHERE x < 5) SELECT x FROM r
---
ProgrammingError: recursive aggregate queries not supported

!> WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT sum(x) OVER () FROM r) SELECT x FROM r
---
ProgrammingError: cannot use window functions in recursive queries

!> WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < (SELECT max(x) FROM r)) SELECT x FROM r
---
ProgrammingError: multiple recursive references: r

!> WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 2 FROM r UNION SELECT x + 1 FROM r WHERE x < 5) SELECT x FROM r
---
ProgrammingError: circular reference: r

# A LIMIT around ends what has no end.
> WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT x * 2 FROM r WHERE x % 3 = 0 LIMIT 4 OFFSET 1
---
12
18
24
30

> WITH RECURSIVE r (x) AS (SELECT 1 UNION SELECT x * 3 % 700001 FROM r) SELECT * FROM (SELECT x FROM r) LIMIT 4
---
1
3
9
27

> WITH RECURSIVE r (x) AS (SELECT 5 UNION ALL SELECT x - 1 FROM r ORDER BY 1), s AS (SELECT x + 1 AS y FROM r) SELECT DISTINCT y % 4 FROM s LIMIT 4
---
2
1
0
3

> SELECT count(*) FROM (WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r LIMIT 100) SELECT x FROM r LIMIT 7)
---
7

# One that is only named within another, which is written out twice.
> WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 3), s AS NOT MATERIALIZED (SELECT x FROM r WHERE x > 1) SELECT a.x, b.x FROM s AS a, s AS b ORDER BY 1, 2
---
2, 2
2, 3
3, 2
3, 3
