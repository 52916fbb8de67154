# DISTINCT keeps the first of equal rows; NULLs are equal to each other, and 1 to 1.0.
> SELECT DISTINCT column1 FROM (VALUES (2), (NULL), (1), (2.0), (NULL), ('2'))
---
2
NULL
1
'2'

> SELECT count(DISTINCT column1) FROM (VALUES (2), (NULL), (1), (2.0), (NULL), ('2'))
---
3
