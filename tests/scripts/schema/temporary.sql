# Temporary tables, views and triggers belong to the connection: nothing of them is stored.
> CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT)
> INSERT INTO item VALUES (1, 'tea'), (2, 'rum')
---
changed 2

[requests]> CREATE TEMP TABLE seen (id INTEGER PRIMARY KEY, times INTEGER DEFAULT 1)
[requests]> INSERT INTO seen (id) VALUES (1), (7) RETURNING *
[requests]> INSERT INTO seen (id) VALUES (1) ON CONFLICT DO UPDATE SET times = times + 1
[requests]> CREATE TEMP VIEW both AS SELECT name, times FROM item LEFT JOIN seen USING (id)
> SELECT * FROM both
> SELECT type, name, sql FROM sqlite_temp_master
> SELECT type, name FROM sqlite_master
---
requests: none
requests: none
1, 1
7, 1
requests: none
changed 1
requests: none
'tea', 2
'rum', NULL
'table', 'seen', 'CREATE TABLE seen (id INTEGER PRIMARY KEY, times INTEGER DEFAULT 1)'
'view', 'both', 'CREATE VIEW both AS SELECT name, times FROM item LEFT JOIN seen USING (id)'
'table', 'item'

# One of the same name hides the other, unless a database is named.
> CREATE TEMP TABLE item (other)
> INSERT INTO item VALUES ('mine')
> SELECT * FROM item
> SELECT count(*) FROM main.item
> UPDATE main.item SET name = upper(name)
> DROP TABLE item
> SELECT name FROM item
---
changed 1
'mine'
2
changed 2
'TEA'
'RUM'

!> CREATE TEMP TABLE main.x (a)
!> CREATE TABLE missing.x (a)
> CREATE VIEW lasting AS SELECT * FROM seen
!> SELECT * FROM lasting
---
ProgrammingError: temporary table name must be unqualified
ProgrammingError: unknown database missing
UnknownNameError: no such table: seen
