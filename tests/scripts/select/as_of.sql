# A table as it was: FOR SYSTEM_TIME AS OF the slot of an entry, or a moment.
> CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price INTEGER)
> INSERT INTO item VALUES (1, 'tea', 3), (2, 'milk', 2), (3, 'salt', 1)
> UPDATE item SET price = price * 10 WHERE id < 3
> DELETE FROM item WHERE id = 3
> INSERT INTO item VALUES (4, 'rice', 5)
---
changed 3
changed 2
changed 1
changed 1

> SELECT * FROM item
---
1, 'tea', 30
2, 'milk', 20
4, 'rice', 5

# Slot 1 made the table, slot 2 filled it.
[requests]> SELECT * FROM item FOR SYSTEM_TIME AS OF 2
[requests]> SELECT * FROM item FOR SYSTEM_TIME AS OF 2 WHERE id = 1
> SELECT count(*) FROM item FOR SYSTEM_TIME AS OF 1
---
requests: messages 2
1, 'tea', 3
2, 'milk', 2
3, 'salt', 1
requests: none
1, 'tea', 3
0

# The present joined with the past, and two moments of the past.
[plan]> SELECT name, now.price, old.price FROM item AS now JOIN item FOR SYSTEM_TIME AS OF 2 AS old USING (id, name)
> SELECT a.id FROM item FOR SYSTEM_TIME AS OF 2 AS a EXCEPT SELECT id FROM item FOR SYSTEM_TIME AS OF 4
> SELECT name, (SELECT old.price FROM item FOR SYSTEM_TIME AS OF 2 AS old WHERE old.id = item.id) FROM item
---
Projection: now.name, now.price, old.price
└─ HashJoin: inner ON now.id = old.id AND now.name = old.name
   ├─ Scan: item AS now
   └─ Scan: item AS old AS OF 2
'tea', 30, 3
'milk', 20, 2
3
'tea', 3
'milk', 2
'rice', NULL

# What was deleted by mistake can be taken from the past.
> INSERT INTO item SELECT * FROM item FOR SYSTEM_TIME AS OF 3 WHERE id = 3
> SELECT * FROM item WHERE id = 3
---
changed 1
3, 'salt', 1

# The changes of one's own transaction do not show in the past.
> BEGIN
> DELETE FROM item
> SELECT count(*) FROM item FOR SYSTEM_TIME AS OF 2
> ROLLBACK
---
changed 4
3

# Columns are those that the table has now: younger ones have their default, dropped ones are not seen.
> ALTER TABLE item ADD COLUMN unit TEXT DEFAULT 'kg'
> ALTER TABLE item DROP COLUMN name
> SELECT * FROM item FOR SYSTEM_TIME AS OF 2
---
1, 3, 'kg'
2, 2, 'kg'
3, 1, 'kg'

# An index may be younger than the rows, and a unique one promise what did not hold.
> UPDATE item SET price = id
> CREATE UNIQUE INDEX item_price ON item (price)
> INSERT INTO item VALUES (7, 7, 'g')
> UPDATE item SET price = 30 WHERE id = 4
[plan]> SELECT DISTINCT price FROM item FOR SYSTEM_TIME AS OF 3 WHERE price = 20
---
changed 4
changed 1
changed 1
Distinct
└─ Projection: item.price
   └─ IndexLookup: item.price AS OF 3 (20)
20

# Moments are slots, or text as ISO 8601 has it.
!> SELECT * FROM item FOR SYSTEM_TIME AS OF 'yesterday'
!> SELECT * FROM item FOR SYSTEM_TIME AS OF NULL
!> SELECT * FROM item FOR SYSTEM_TIME AS OF 1.5
!> SELECT * FROM item FOR SYSTEM_TIME AS OF 0
!> SELECT * FROM item FOR SYSTEM_TIME AS OF 1000
!> SELECT * FROM item FOR SYSTEM_TIME AS OF '2000-01-01'
!> SELECT * FROM item FOR SYSTEM_TIME AS OF '2999-12-31 23:59:59'
---
DataError: AS OF 'yesterday' is neither a moment such as '2024-05-01 12:30:00' nor the number of a slot
DataError: AS OF NULL is neither a moment such as '2024-05-01 12:30:00' nor the number of a slot
DataError: AS OF 1.5 is neither a moment such as '2024-05-01 12:30:00' nor the number of a slot
OperationalError: there is no slot 0: the first entry of a database has slot 1
OperationalError: the database has no slot 1000 yet
OperationalError: cannot read the database as of 2000-01-01 00:00:00: it had no entry by then
OperationalError: cannot read the database as of 2999-12-31 23:59:59: that is in the future

> CREATE TABLE later (x INTEGER)
!> SELECT * FROM later FOR SYSTEM_TIME AS OF 2
!> SELECT * FROM sqlite_master FOR SYSTEM_TIME AS OF 2
---
OperationalError: no such table as of 2: later
NotSupportedError: FOR SYSTEM_TIME AS OF is not supported for sqlite_master, which is not a stored table
