# Joins on equality build a hash table; others compare every pair.
> CREATE TABLE a (id INTEGER PRIMARY KEY, x INTEGER, name TEXT)
> CREATE TABLE b (id INTEGER PRIMARY KEY, x INTEGER, name TEXT)
> INSERT INTO a VALUES (1, 1, 'a'), (2, 2, 'b'), (3, NULL, 'c')
> INSERT INTO b VALUES (1, 1, 'x'), (2, 1, 'y'), (3, NULL, 'z')
---

[plan]> SELECT a.name, b.name FROM a JOIN b ON a.x = b.x
---

[plan]> SELECT a.name, b.name FROM a LEFT JOIN b ON a.x = b.x AND b.id > 1
---

[plan]> SELECT a.name, b.name FROM a FULL JOIN b ON a.x = b.x
---

[plan]> SELECT a.name, b.name FROM a JOIN b ON a.x < b.x + 1
---

[plan]> SELECT a.name, b.name FROM a JOIN b ON a.x IS b.x
---
