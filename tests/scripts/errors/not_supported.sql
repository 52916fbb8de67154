# What discosql does not have is refused by name.
> CREATE TABLE t (a INTEGER)
---

!> ATTACH 'x' AS y
!> CREATE VIRTUAL TABLE v USING fts5(a)
---
NotSupportedError: ATTACH is not supported: a connection has one database
NotSupportedError: CREATE VIRTUAL TABLE is not supported
