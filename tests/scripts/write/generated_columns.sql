# A generated column follows the others, and takes no value of its own.
> CREATE TABLE t (a INTEGER, b INTEGER AS (a * 2) STORED, c TEXT AS ('b is ' || b))
> INSERT INTO t (a) VALUES (1), (2)
> UPDATE t SET a = 10 WHERE a = 1
---
changed 2
changed 1

> SELECT * FROM t
---
10, 20, 'b is 20'
2, 4, 'b is 4'

!> INSERT INTO t (a, b) VALUES (1, 1)
!> UPDATE t SET b = 5
---
ProgrammingError: cannot INSERT into generated column "b"
ProgrammingError: cannot UPDATE generated column "b"
