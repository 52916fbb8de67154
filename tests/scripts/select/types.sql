# Values of our own types come back as Python's.
> CREATE TABLE v (b BOOLEAN, d DATE, t TIMESTAMP, m DECIMAL(8, 2), j JSON, u UUID)
> INSERT INTO v VALUES (TRUE, '2024-02-29', '2024-02-29T12:30:00', '1.10', '{"a":[1,null]}', '12345678123456781234567812345678')
---
changed 1

> SELECT * FROM v
---
True, datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 12, 30), Decimal('1.10'), {'a': [1, None]}, UUID('12345678-1234-5678-1234-567812345678')

> SELECT max(d), coalesce(b, FALSE), m * 2, j ->> '$.a[0]', date(d, '+1 day') FROM v
---
datetime.date(2024, 2, 29), 1, Decimal('2.20'), 1, '2024-03-01'

> SELECT count(*) FROM v WHERE d = '2024-02-29' AND m = 1.1 AND b AND u = '12345678-1234-5678-1234-567812345678'
---
1

!> INSERT INTO v (d) VALUES ('tomorrow')
---
DataError: cannot store TEXT value in DATE column v.d
