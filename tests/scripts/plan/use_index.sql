# An equality on a key is a lookup, not a scan, and asks nothing of the guild once the table is in memory.
> CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, age INTEGER)
> INSERT INTO users VALUES (1, 'Ada', 36), (2, 'Bob', 40), (7, 'Cy', 19)
---
changed 3

[plan,requests]> SELECT name FROM users WHERE id = 7
---
Projection: users.name
└─ IndexLookup: users.id (7)
requests: none
'Cy'

[plan,requests]> SELECT age FROM users WHERE name = 'Ada'
---
Projection: users.age
└─ IndexLookup: users.name ('Ada')
requests: none
36

[plan]> SELECT name FROM users WHERE id IN (1, 2, 99)
---
Projection: users.name
└─ IndexLookup: users.id (1, 2, 99)
'Ada'
'Bob'

[plan]> SELECT name FROM users WHERE id = 1 OR id = 7
---
Projection: users.name
└─ IndexLookup: users.id (1, 7)
'Ada'
'Cy'
