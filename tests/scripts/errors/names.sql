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
SqlSyntaxError: near "nothing": syntax error
UnknownNameError: no such column: c
UnknownNameError: no such column: t.c
ProgrammingError: ambiguous column name: a
SqlSyntaxError: near "nothing": syntax error
ProgrammingError: wrong number of arguments to function abs()
ProgrammingError: table t has 2 columns but 1 values were supplied
ProgrammingError: 2 values for 1 columns
ProgrammingError: table t has no column named c
UnknownNameError: no such column: c
ProgrammingError: table t already exists
UnknownNameError: no such table: u
UnknownNameError: no such index: i
UnknownNameError: no such column: c
ProgrammingError: 1st ORDER BY term out of range - should be between 1 and 1
ProgrammingError: misuse of aggregate: sum()
ProgrammingError: SELECTs to the left and right of UNION do not have the same number of result columns
UnknownNameError: no such collation sequence: klingon
