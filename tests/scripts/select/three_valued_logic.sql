# NULL in comparisons, IN, and logic.
> SELECT NULL = NULL, NULL IS NULL, 1 IN (2, NULL), 1 NOT IN (2, NULL), 1 IN (), NULL IN ()
---
NULL, 1, NULL, NULL, 0, 0

> SELECT NULL AND 0, NULL AND 1, NULL OR 1, NULL OR 0, NOT NULL
---
0, NULL, 1, NULL, NULL

> SELECT 1 WHERE NULL
---

> SELECT CASE NULL WHEN NULL THEN 'equal' ELSE 'not' END, coalesce(NULL, NULL, 3), nullif(1, 1), iif(NULL, 'a', 'b')
---
'not', 3, NULL, 'b'
