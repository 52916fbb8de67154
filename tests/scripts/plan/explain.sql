# EXPLAIN shows the plan and what it is expected to ask of Discord; tables this small are in memory.
> CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, price INTEGER)
> INSERT INTO item VALUES (1, 'tea', 3), (2, 'milk', 2)
---
changed 2

> EXPLAIN SELECT name FROM item WHERE id = 1
> EXPLAIN QUERY PLAN SELECT price FROM item WHERE name IN ('tea', 'milk')
> EXPLAIN (FORMAT JSON) SELECT name FROM item WHERE id = 1
---
'Projection: item.name'
'└─ IndexLookup: item.id (1)'
'expected: no requests'
'Projection: item.price'
"└─ IndexLookup: item.name ('tea', 'milk')"
'expected: no requests'
'{"plan": [{"node": "Projection", "text": "item.name", "children": [{"node": "IndexLookup", "text": "item.id (1)", "children": []}]}], "expected": {"requests": 0, "bytes": 0, "commit_requests": 0}}'

# A change costs a commit: one request to post it, one to see that it holds.
> EXPLAIN DELETE FROM item WHERE price > 2
> EXPLAIN INSERT INTO item VALUES (3, 'salt', 1)
> EXPLAIN (FORMAT JSON) CREATE TABLE other (x)
> SELECT count(*) FROM item
---
'Delete: item'
'└─ Projection: item.id, item.id, item.name, item.price'
'   └─ Filter: item.price > 2'
'      └─ Scan: item, pages with price >= 2'
'expected: 2 requests to commit'
'Insert: item (id, name, price)'
"└─ Values: (3, 'salt', 1)"
'expected: 2 requests to commit'
'{"plan": [{"node": "ChangeSchema", "text": "CREATE TABLE other", "children": []}], "expected": {"requests": 0, "bytes": 0, "commit_requests": 2}}'
2

!> EXPLAIN COMMIT
!> EXPLAIN VACUUM
!> EXPLAIN ANALYZE ROLLBACK
> EXPLAIN PRAGMA foreign_keys = ON
---
NotSupportedError: EXPLAIN of TransactionControl has nothing to show
NotSupportedError: EXPLAIN of Vacuum has nothing to show
NotSupportedError: EXPLAIN of TransactionControl has nothing to show
'SetPragma: foreign_keys = ON'
'expected: no requests'
