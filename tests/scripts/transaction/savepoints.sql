# A transaction is one message, whatever it changes; savepoints undo parts of it.
> CREATE TABLE a (x INTEGER)
> CREATE TABLE b (x INTEGER)
---

[requests]> BEGIN
[requests]> INSERT INTO a VALUES (1)
[requests]> SAVEPOINT s
[requests]> INSERT INTO b VALUES (2)
[requests]> ROLLBACK TO s
[requests]> INSERT INTO b VALUES (3)
[requests]> COMMIT
---
requests: none
requests: none
changed 1
requests: none
requests: none
changed 1
requests: none
requests: none
changed 1
requests: messages 1, post 1

> SELECT a.x, b.x FROM a, b
---
1, 3
