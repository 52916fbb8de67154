# Dates and times as SQLite computes them.
> SELECT date('2024-02-29', '+1 year'), datetime('2024-01-01 00:00', '-1 second'), strftime('%Y week %W', '2024-12-31')
---
'2025-03-01', '2023-12-31 23:59:59', '2024 week 53'

> SELECT unixepoch('1970-01-02'), julianday('2000-01-01 12:00'), timediff('2024-03-01', '2024-02-01')
---
86400, 2451545.0, '+0000-01-00 00:00:00.000'

> SELECT date('not a date'), time('25:00')
---
NULL, NULL
