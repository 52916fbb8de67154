# Every kind of join.
> CREATE TABLE a (k INTEGER, x TEXT)
> CREATE TABLE b (k INTEGER, y TEXT)
> INSERT INTO a VALUES (1, 'one'), (2, 'two'), (2, 'zwei')
> INSERT INTO b VALUES (2, 'deux'), (3, 'trois')
---
changed 3
changed 2

> SELECT * FROM a JOIN b USING (k) ORDER BY x
---
2, 'two', 'deux'
2, 'zwei', 'deux'

> SELECT * FROM a LEFT JOIN b ON a.k = b.k ORDER BY x
---
1, 'one', NULL, NULL
2, 'two', 2, 'deux'
2, 'zwei', 2, 'deux'

> SELECT * FROM a RIGHT JOIN b ON a.k = b.k ORDER BY y, x
---
2, 'two', 2, 'deux'
2, 'zwei', 2, 'deux'
NULL, NULL, 3, 'trois'

[names]> SELECT * FROM a NATURAL FULL JOIN b ORDER BY 1, 2
---
k | x | y
1, 'one', NULL
2, 'two', 'deux'
2, 'zwei', 'deux'
3, NULL, 'trois'

> SELECT count(*) FROM a CROSS JOIN b
---
6

# Joins in parentheses, with an aggregate over them.
> SELECT count(*) FROM (a AS p CROSS JOIN a AS q) JOIN (b AS r JOIN b AS s ON r.k = s.k) ON p.k = r.k
---
6
