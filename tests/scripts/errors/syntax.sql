# What does not parse is told with its place.
!> SELEC 1
!> SELECT 1 FROM
!> SELECT (1
!> SELECT 1; SELECT 2
!> SELECT 'open
!> CREATE TABLE (a)
---
