# LIKE folds A to Z only; GLOB tells cases apart.
> SELECT 'Straße' LIKE 'STRASSE', 'Ada' LIKE 'a%A', 'É' LIKE 'é', '50%' LIKE '50!%' ESCAPE '!', 'a' LIKE NULL
---
0, 1, 0, 1, NULL

> SELECT 'Ada' GLOB 'A*', 'Ada' GLOB 'a*', 'a1' GLOB '[a-c][0-9]', 'x' REGEXP '^[xyz]$'
---
1, 0, 1, 1
