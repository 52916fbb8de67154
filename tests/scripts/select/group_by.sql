# Groups, their aggregates, and what stands beside them.
> CREATE TABLE sale (shop TEXT, item TEXT, price REAL)
> INSERT INTO sale VALUES ('n', 'tea', 2.5), ('n', 'jam', 4), ('s', 'tea', 3), ('s', NULL, NULL)
---

[names]> SELECT shop, count(*), count(price), sum(price), avg(price), min(item), max(price) FROM sale GROUP BY shop
---

> SELECT item, total(price) AS t FROM sale GROUP BY item HAVING t > 0 ORDER BY t DESC
---

> SELECT count(DISTINCT item), group_concat(item, '+') FROM sale
---

# A bare column comes from the row of the only min() or max().
> SELECT shop, item, max(price) FROM sale GROUP BY shop
---

> SELECT count(*), sum(price) FROM sale WHERE price > 100
---

> SELECT count(*) FILTER (WHERE price > 2.6) FROM sale
---
