# What a column of a set operation compares by: within it by the first arm that has a collation, around it by the first
# arm's, and as an operand of IN by the last arm's, as in SQLite.
> CREATE TABLE t (n TEXT COLLATE NOCASE, m TEXT)
> INSERT INTO t VALUES ('A', 'A')
---
changed 1

> SELECT 'A' AS x UNION SELECT n FROM t UNION SELECT 'a'
---
'a'

> SELECT x, x = 'a' FROM (SELECT 'A' AS x UNION ALL SELECT n FROM t)
---
'A', 0
'A', 0

> SELECT x, x = 'a' FROM (SELECT n AS x FROM t UNION ALL SELECT 'A')
---
'A', 1
'A', 1

> SELECT count(DISTINCT x) FROM (SELECT 'A' AS x UNION ALL SELECT n FROM t UNION ALL SELECT 'a')
---
2

> SELECT 'a' IN (SELECT m FROM t UNION ALL SELECT n FROM t), 'a' IN (SELECT n FROM t UNION ALL SELECT m FROM t)
---
1, 0

> SELECT m IN (SELECT 'b' UNION SELECT 'a' COLLATE NOCASE), n IN (SELECT 'b' UNION SELECT 'a' COLLATE BINARY) FROM t
---
1, 0

> WITH RECURSIVE r (x, k) AS (SELECT 'a', 0 UNION SELECT n, k + 1 - (k > 0) FROM r, t WHERE k < 3) SELECT * FROM r
---
'a', 0
'A', 1
