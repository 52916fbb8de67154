# Order: NULL first, then numbers, text by code point, blobs; other orders on demand.
> SELECT column1 FROM (VALUES ('b'), (2), (NULL), (x'00'), ('B'), (1.5), ('a')) ORDER BY column1
---
NULL
1.5
2
'B'
'a'
'b'
b'\x00'

> SELECT column1 FROM (VALUES ('b'), (NULL), ('B'), ('a')) ORDER BY column1 COLLATE NOCASE, column1 DESC
---
NULL
'a'
'b'
'B'

> SELECT column1 FROM (VALUES (1), (NULL), (2)) ORDER BY column1 NULLS LAST
---
1
2
NULL

> SELECT column1 AS x FROM (VALUES (1), (3), (2)) ORDER BY -x
---
3
2
1

> SELECT column1, column2 FROM (VALUES (1, 'b'), (2, 'a')) ORDER BY 2
---
2, 'a'
1, 'b'
