"""Aggregate functions (https://www.sqlite.org/lang_aggfunc.html). NULLs are skipped by all but count(*)."""

import decimal
import math
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from discosql.errors import OperationalError
from discosql.executor.functions.registry import AggregateFunction, Aggregation, Counts, SortKey
from discosql.executor.functions.values import numeric_of, real_of
from discosql.executor.sizes import sized
from discosql.planner.plan import FunctionSignature
from discosql.types import MAX_INTEGER, MIN_INTEGER, SqlType, Value, sort_key, text_of

_EXACT = decimal.Context(prec=200, Emin=-9999, Emax=9999)
_QUOTIENT = decimal.Context(prec=34, Emin=-9999, Emax=9999)


class Count:
    """count(*) and count(x)."""

    def __init__(self) -> None:
        self._count = 0

    def step(self, value: Value = 1) -> None:
        """Take in one row."""
        if value is not None:
            self._count += 1

    def inverse(self, value: Value = 1) -> None:
        """Take back one row."""
        if value is not None:
            self._count -= 1

    def value(self) -> Value:
        """Return the number of rows."""
        return self._count

    final = value


class Sum:
    """sum(x): exact for integers and decimals, NULL without any value.

    From the first REAL on, or once integers overflow, it is a double and an error term, as in SQLite (Kahan, Babuska,
    Neumaier): `_exact` is then no longer used.
    """

    def __init__(self) -> None:
        self._count = 0
        self._exact: int | Decimal = 0
        self._approximate = False
        self._overflowed = False
        self._sum = 0.0
        self._error = 0.0

    def step(self, value: Value) -> None:
        """Take in one row."""
        if value is None:
            return
        self._count += 1
        number = value if isinstance(value, int | float | Decimal) else numeric_of(value)
        if number is None:
            number = real_of(value)
        if self._approximate:
            self._overflowed = self._overflowed and not isinstance(number, float)
            self._add(number)
        elif isinstance(number, float):
            self._become_approximate()
            self._add(number)
        else:
            self._add_exactly(number)

    def inverse(self, value: Value) -> None:
        """Take back one row."""
        if value is None:
            return
        self._count -= 1
        number = numeric_of(value)
        if number is None:
            number = real_of(value)
        if self._approximate:
            self._add(-number)
        else:
            self._exact = _plus(self._exact, -number)  # type: ignore[arg-type]  # a float would have made it approximate

    def _add_exactly(self, number: int | Decimal) -> None:
        total = _plus(self._exact, number)
        if isinstance(total, int) and not MIN_INTEGER <= total <= MAX_INTEGER:
            self._become_approximate()
            self._overflowed = True
            self._add(number)
        else:
            self._exact = total

    def _become_approximate(self) -> None:
        self._approximate = True
        self._add(self._exact)

    def _add(self, number: int | float | Decimal) -> None:
        if isinstance(number, int) and not -(2**52) < number < 2**52:
            small = number % 16384 if number > 0 else -(-number % 16384)
            self._add_real(float(number - small))
            self._add_real(float(small))
        else:
            self._add_real(float(number))

    def _add_real(self, number: float) -> None:
        before = self._sum
        total = before + number
        if abs(before) > abs(number):
            self._error += (before - total) + number
        else:
            self._error += (number - total) + before
        self._sum = total

    @property
    def _real(self) -> float | None:
        if not self._approximate:
            return float(self._exact)
        total = self._sum + self._error if math.isfinite(self._error) else self._sum
        return total if total == total else None

    def value(self) -> Value:
        """Return the sum."""
        if self._count == 0:
            return None
        if self._overflowed:
            raise OperationalError("integer overflow")
        return self._real if self._approximate else self._exact

    def final(self) -> Value:
        """Return the sum."""
        return self.value()


def _plus(left: int | Decimal, right: int | Decimal) -> int | Decimal:
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    return _EXACT.add(Decimal(left), Decimal(right))


class Total(Sum):
    """total(x): the sum as a REAL, 0.0 without any value."""

    def value(self) -> Value:
        """Return the sum."""
        return self._real


class Average(Sum):
    """avg(x): the mean as a REAL, a DECIMAL of decimals, NULL without any value."""

    def value(self) -> Value:
        """Return the mean."""
        if self._count == 0:
            return None
        if isinstance(self._exact, Decimal) and not self._approximate:
            return _QUOTIENT.divide(self._exact, Decimal(self._count))
        total = self._real
        return None if total is None else total / self._count


class Extreme:
    """min(x) and max(x) under a collation. For moving windows it keeps the values that may still come up."""

    def __init__(self, key: SortKey, least: bool) -> None:
        self._key = key
        self._least = least
        self._candidates: deque[tuple[Any, int, Value]] = deque()
        self._taken = 0
        self._dropped = 0

    def step(self, value: Value) -> None:
        """Take in one row."""
        if value is None:
            return
        key = self._key(value)
        candidates = self._candidates
        while candidates and (candidates[-1][0] > key if self._least else candidates[-1][0] < key):
            candidates.pop()
        candidates.append((key, self._taken, value))
        self._taken += 1

    def inverse(self, value: Value) -> None:
        """Take back the oldest row."""
        if value is None:
            return
        if self._candidates and self._candidates[0][1] == self._dropped:
            self._candidates.popleft()
        self._dropped += 1

    def value(self) -> Value:
        """Return the extreme value, the first of equal ones."""
        return self._candidates[0][2] if self._candidates else None

    final = value


class GroupConcat:
    """group_concat(x [, separator]) and string_agg(x, separator)."""

    def __init__(self) -> None:
        self._parts: deque[tuple[str, str]] = deque()

    def step(self, value: Value, separator: Value = ",") -> None:
        """Take in one row."""
        if value is not None:
            self._parts.append(("" if separator is None else text_of(separator), text_of(value)))

    def inverse(self, value: Value, _separator: Value = ",") -> None:
        """Take back the oldest row."""
        if value is not None:
            self._parts.popleft()

    def value(self) -> Value:
        """Return the text, without the separator before the first value."""
        if not self._parts:
            return None
        pieces = [piece for pair in self._parts for piece in pair]
        return sized("".join(pieces[1:]))

    final = value


class Percentile:
    """median(x), percentile(x, p) and their kin (https://www.sqlite.org/percentile.html)."""

    def __init__(self, name: str, scale: float, discrete: bool = False) -> None:
        self._name = name
        self._scale = scale
        self._discrete = discrete
        self._share: float | None = None
        self._values: list[float] = []

    def step(self, value: Value, share: Value = None) -> None:
        """Take in one row."""
        self._check_share(self._scale / 2 if share is None and self._name == "median" else share)
        if value is None:
            return
        if isinstance(value, str | bytes):
            raise OperationalError(f"input to {self._name}() is not numeric")
        number = float(value)
        if math.isinf(number):
            raise OperationalError(f"Inf input to {self._name}()")
        self._values.append(number)

    def _check_share(self, share: Value) -> None:
        number = numeric_of(share)
        if number is None or not 0 <= number <= self._scale:
            raise OperationalError(f"the fraction argument to {self._name}() is not between 0.0 and {self._scale:.1f}")
        part = float(number) / self._scale
        if self._share is not None and abs(self._share - part) >= 0.001:
            raise OperationalError(f"the fraction argument to {self._name}() is not the same for all input rows")
        self._share = part

    def inverse(self, value: Value, _share: Value = None) -> None:
        """Take back one row."""
        if value is not None:
            self._values.remove(real_of(value))

    def value(self) -> Value:
        """Return the value at that share of the sorted values, in between where no value is."""
        if not self._values:
            return None
        ordered = sorted(self._values)
        place = (self._share or 0.0) * (len(ordered) - 1)
        below = int(place)
        if self._discrete or below == place or below + 1 == len(ordered):
            return ordered[below]
        return ordered[below] + (ordered[below + 1] - ordered[below]) * (place - below)

    final = value


def aggregate(
    name: str, factory: Callable[[], Aggregation], counts: Counts, result: Any = None, *, null_safe: bool = False
) -> AggregateFunction:
    """Return an aggregate function that can run over moving windows."""
    minimum, maximum = (counts, counts) if isinstance(counts, int) else counts
    signature = FunctionSignature(name, minimum, maximum, "aggregate", result, null_safe)
    return AggregateFunction(signature, factory, invertible=True)


def _extreme(name: str, least: bool) -> AggregateFunction:
    def make(key: SortKey) -> Callable[[], Extreme]:
        return lambda: Extreme(key, least)

    signature = FunctionSignature(name, 1, 1, "aggregate", "argument")
    return AggregateFunction(signature, make(sort_key), invertible=True, collated=make)


FUNCTIONS: Final[tuple[AggregateFunction, ...]] = (
    aggregate("count", Count, (0, 1), SqlType.INTEGER, null_safe=True),
    aggregate("sum", Sum, 1),
    aggregate("total", Total, 1, SqlType.REAL),
    aggregate("avg", Average, 1),
    _extreme("min", True),
    _extreme("max", False),
    aggregate("group_concat", GroupConcat, (1, 2), SqlType.TEXT),
    aggregate("string_agg", GroupConcat, 2, SqlType.TEXT),
    aggregate("median", lambda: Percentile("median", 100.0), 1, SqlType.REAL),
    aggregate("percentile", lambda: Percentile("percentile", 100.0), 2, SqlType.REAL),
    aggregate("percentile_cont", lambda: Percentile("percentile_cont", 1.0), 2, SqlType.REAL),
    aggregate("percentile_disc", lambda: Percentile("percentile_disc", 1.0, True), 2, SqlType.REAL),
)
"""The aggregate functions of this module."""
