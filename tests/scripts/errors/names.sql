# Errors name the thing that is wrong.
> CREATE TABLE t (a INTEGER, b INTEGER)
---

!> SELECT * FROM nothing
!> SELECT c FROM t
!> SELECT t.c FROM t
!> SELECT a FROM t AS x, t AS y
!> SELECT nothing(1)
!> SELECT abs(1, 2)
!> INSERT INTO t VALUES (1)
!> INSERT INTO t (a) VALUES (1, 2)
!> INSERT INTO t (c) VALUES (1)
!> UPDATE t SET c = 1
!> CREATE TABLE t (x)
!> DROP TABLE u
!> DROP INDEX i
!> CREATE INDEX i ON t (c)
!> SELECT 1 ORDER BY 2
!> SELECT sum(a) FROM t WHERE sum(a) > 1
!> SELECT 1 UNION SELECT 1, 2
!> SELECT a COLLATE klingon FROM t
---
