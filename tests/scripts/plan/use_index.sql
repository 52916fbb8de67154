# An equality on a key is a lookup, not a scan, and asks nothing of the guild once the table is in memory.
> CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, age INTEGER)
> INSERT INTO users VALUES (1, 'Ada', 36), (2, 'Bob', 40), (7, 'Cy', 19)
---

[plan,requests]> SELECT name FROM users WHERE id = 7
---

[plan,requests]> SELECT age FROM users WHERE name = 'Ada'
---

[plan]> SELECT name FROM users WHERE id IN (1, 2, 99)
---

[plan]> SELECT name FROM users WHERE id = 1 OR id = 7
---
