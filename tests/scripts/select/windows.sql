# Window functions and frames.
> CREATE TABLE s (day INTEGER PRIMARY KEY, team TEXT, points INTEGER)
> INSERT INTO s VALUES (1, 'r', 3), (2, 'b', 1), (3, 'r', 5), (4, 'b', 4), (5, 'r', 5)
---
changed 5

> SELECT day, row_number() OVER (PARTITION BY team ORDER BY points DESC, day) FROM s ORDER BY day
---
1, 3
2, 2
3, 1
4, 1
5, 2

> SELECT day, sum(points) OVER (ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM s
---
1, 3
2, 4
3, 6
4, 9
5, 9

> SELECT day, rank() OVER w, dense_rank() OVER w, lag(points, 1, 0) OVER w FROM s WINDOW w AS (ORDER BY points) ORDER BY day
---
1, 2, 2, 1
2, 1, 1, 0
3, 4, 4, 4
4, 3, 3, 3
5, 4, 4, 5

# A sum over a moving frame stays REAL once it was, as in SQLite, which takes back what leaves the frame.
> SELECT column1, sum(column2) OVER (ORDER BY column1 ROWS 1 PRECEDING) FROM (VALUES (1, '1'), (2, '2.5'), (3, NULL), (4, '4'), (5, 5))
---
1, 1
2, 3.5
3, 2.5
4, 4.0
5, 9.0
