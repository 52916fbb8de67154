# What each rule does to a query.
> CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER NOT NULL)
> CREATE TABLE u (id INTEGER PRIMARY KEY, t INTEGER NOT NULL)
> INSERT INTO t VALUES (1, 2), (2, 5)
> INSERT INTO u VALUES (7, 2)
---
changed 2
changed 1

[rules]> SELECT t.a FROM t, u WHERE t.id = u.t AND u.id = 3 + 4 ORDER BY t.a LIMIT 1
---
fold_constants:
  Limit: 1
  └─ Sort: t.a
     └─ Projection: t.a
        └─ Filter: t.id = u.t AND u.id = 7
           └─ NestedLoopJoin: inner
              ├─ Scan: t
              └─ Scan: u
push_down_filters:
  Limit: 1
  └─ Sort: t.a
     └─ Projection: t.a
        └─ NestedLoopJoin: inner ON t.id = u.t
           ├─ Scan: t
           └─ Filter: u.id = 7
              └─ Scan: u
use_index:
  Limit: 1
  └─ Sort: t.a
     └─ Projection: t.a
        └─ NestedLoopJoin: inner ON t.id = u.t
           ├─ Scan: t
           └─ IndexLookup: u.id (7)
choose_hash_joins:
  Limit: 1
  └─ Sort: t.a
     └─ Projection: t.a
        └─ HashJoin: inner ON t.id = u.t
           ├─ Scan: t
           └─ IndexLookup: u.id (7)
top_n:
  TopN: 1 BY t.a
  └─ Projection: t.a
     └─ HashJoin: inner ON t.id = u.t
        ├─ Scan: t
        └─ IndexLookup: u.id (7)
prune_columns:
  TopN: 1 BY t.a
  └─ Projection: t.a
     └─ HashJoin: inner ON t.id = u.t
        ├─ Scan: t
        └─ IndexLookup: u.id (7)
5
