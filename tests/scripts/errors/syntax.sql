# What does not parse is told with its place.
!> SELEC 1
!> SELECT 1 FROM
!> SELECT (1
!> SELECT 1; SELECT 2
!> SELECT 'open
!> CREATE TABLE (a)
---
SqlSyntaxError: near "SELEC": syntax error
SqlSyntaxError: incomplete input
SqlSyntaxError: incomplete input
ProgrammingError: You can only execute one statement at a time.
SqlSyntaxError: unrecognized token: "'open"
SqlSyntaxError: near "(": syntax error
