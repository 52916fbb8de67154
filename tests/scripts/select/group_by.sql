# Groups, their aggregates, and what stands beside them.
> CREATE TABLE sale (shop TEXT, item TEXT, price REAL)
> INSERT INTO sale VALUES ('n', 'tea', 2.5), ('n', 'jam', 4), ('s', 'tea', 3), ('s', NULL, NULL)
---
changed 4

[names]> SELECT shop, count(*), count(price), sum(price), avg(price), min(item), max(price) FROM sale GROUP BY shop
---
shop | count(*) | count(price) | sum(price) | avg(price) | min(item) | max(price)
'n', 2, 2, 6.5, 3.25, 'jam', 4.0
's', 2, 1, 3.0, 3.0, 'tea', 3.0

> SELECT item, total(price) AS t FROM sale GROUP BY item HAVING t > 0 ORDER BY t DESC
---
'tea', 5.5
'jam', 4.0

> SELECT count(DISTINCT item), group_concat(item, '+') FROM sale
---
2, 'tea+jam+tea'

# A bare column comes from the row of the only min() or max().
> SELECT shop, item, max(price) FROM sale GROUP BY shop
---
'n', 'jam', 4.0
's', 'tea', 3.0

> SELECT count(*), sum(price) FROM sale WHERE price > 100
---
0, NULL

> SELECT count(*) FILTER (WHERE price > 2.6) FROM sale
---
2

# The exact sum of integers becomes a double before it is divided.
> SELECT avg(column1) FROM (VALUES (9007199254740992), (17), (0), (0), (0), (0))
---
1501199875790168.0
