# Numbers: 64-bit integers that become REAL beyond, division, remainders, text that looks like a number.
> SELECT 7 / 2, -7 / 2, 7 % 3, -7 % 3, 7.0 / 2, 1 / 0, 1 % 0
---

> SELECT 9223372036854775807 + 1, -9223372036854775808, 9223372036854775807 * 2
---

> SELECT '12abc' + 1, 'abc' + 1, '0x10' + 0, 1 || 2, 5 & 3, 5 | 3, ~5, 1 << 62, 1 >> 1
---
