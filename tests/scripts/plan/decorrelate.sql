# EXISTS, IN and correlated scalar subqueries become joins.
> CREATE TABLE a (id INTEGER PRIMARY KEY, x INTEGER NOT NULL)
> CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER NOT NULL, y INTEGER)
> INSERT INTO a VALUES (1, 10), (2, 20), (3, 30)
> INSERT INTO b VALUES (1, 1, 5), (2, 2, 6), (3, 2, 7)
---

[plan]> SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.a_id = a.id)
---

[plan]> SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.a_id = a.id)
---

[plan]> SELECT id FROM a WHERE id IN (SELECT a_id FROM b WHERE y > 5)
---

[plan]> SELECT id, (SELECT max(y) FROM b WHERE b.a_id = a.id) FROM a
---

[plan]> SELECT id, (SELECT count(*) FROM b WHERE b.a_id = a.id) FROM a
---
