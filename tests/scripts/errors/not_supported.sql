# What discosql does not have is refused by name.
> CREATE TABLE t (a INTEGER)
---

!> ATTACH 'x' AS y
!> CREATE INDEX i ON t (a) WHERE a > 1
!> CREATE INDEX i ON t (a + 1)
!> CREATE VIRTUAL TABLE v USING fts5(a)
---
NotSupportedError: ATTACH is not supported: a connection has one database
NotSupportedError: a partial index (CREATE INDEX ... WHERE) is not supported
NotSupportedError: an index on an expression is not supported
NotSupportedError: CREATE VIRTUAL TABLE is not supported
