# Every kind of join.
> CREATE TABLE a (k INTEGER, x TEXT)
> CREATE TABLE b (k INTEGER, y TEXT)
> INSERT INTO a VALUES (1, 'one'), (2, 'two'), (2, 'zwei')
> INSERT INTO b VALUES (2, 'deux'), (3, 'trois')
---

> SELECT * FROM a JOIN b USING (k) ORDER BY x
---

> SELECT * FROM a LEFT JOIN b ON a.k = b.k ORDER BY x
---

> SELECT * FROM a RIGHT JOIN b ON a.k = b.k ORDER BY y, x
---

[names]> SELECT * FROM a NATURAL FULL JOIN b ORDER BY 1, 2
---

> SELECT count(*) FROM a CROSS JOIN b
---
