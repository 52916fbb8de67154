"""Aggregate functions (https://www.sqlite.org/lang_aggfunc.html). NULLs are skipped by all but count(*)."""

import math
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from discosql.errors import OperationalError
from discosql.executor.functions.registry import AggregateFunction, SortKey
from discosql.planner.plan import FunctionSignature
from discosql.types import MAX_INTEGER, MIN_INTEGER, SqlType, Value, number_of, sort_key, text_of, to_numeric


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
    """sum(x): exact for integers and decimals, compensated (Kahan, Babuska) for reals, NULL without any value."""

    def __init__(self) -> None:
        self._count = 0
        self._reals = 0
        self._exact: int | Decimal = 0
        self._sum = 0.0
        self._error = 0.0

    def step(self, value: Value) -> None:
        """Take in one row."""
        if value is None:
            return
        self._count += 1
        self._add(number_of(to_numeric(value)), 1)

    def inverse(self, value: Value) -> None:
        """Take back one row."""
        if value is None:
            return
        self._count -= 1
        self._add(number_of(to_numeric(value)), -1)

    def _add(self, number: Any, direction: int) -> None:
        if not isinstance(number, float):
            self._exact += direction * number
            return
        self._reals += direction
        number *= direction
        total = self._sum + number
        if math.isfinite(total):
            smaller, larger = sorted((self._sum, number), key=abs)
            self._error += (larger - total) + smaller
        self._sum = total

    @property
    def _real(self) -> float:
        return self._sum + self._error + float(self._exact)

    def value(self) -> Value:
        """Return the sum."""
        if self._count == 0:
            return None
        if self._reals:
            result = self._real
            return None if result != result else result
        if isinstance(self._exact, int) and not MIN_INTEGER <= self._exact <= MAX_INTEGER:
            raise OperationalError("integer overflow")
        return self._exact

    def final(self) -> Value:
        """Return the sum."""
        return self.value()


class Total(Sum):
    """total(x): the sum as a REAL, 0.0 without any value."""

    def value(self) -> Value:
        """Return the sum."""
        result = self._real
        return None if result != result else result


class Average(Sum):
    """avg(x): the mean as a REAL, a DECIMAL of decimals, NULL without any value."""

    def value(self) -> Value:
        """Return the mean."""
        if self._count == 0:
            return None
        if isinstance(self._exact, Decimal) and not self._reals:
            return self._exact / self._count
        result = self._real / self._count
        return None if result != result else result


class Extreme:
    """min(x) and max(x) under a collation. For moving windows it keeps the values that may still come up."""

    def __init__(self, key: SortKey, least: bool) -> None:
        self._key = key
        self._least = least
        self._candidates: deque[tuple[Any, Value]] = deque()

    def step(self, value: Value) -> None:
        """Take in one row."""
        if value is None:
            return
        key = self._key(value)
        candidates = self._candidates
        while candidates and (candidates[-1][0] > key if self._least else candidates[-1][0] < key):
            candidates.pop()
        candidates.append((key, value))

    def inverse(self, value: Value) -> None:
        """Take back the oldest row."""
        if value is not None and self._candidates and self._candidates[0][0] == self._key(value):
            self._candidates.popleft()

    def value(self) -> Value:
        """Return the extreme value."""
        return self._candidates[0][1] if self._candidates else None

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
        return "".join(pieces[1:])

    final = value


class Percentile:
    """median(x) and percentile(x, p): values in between are interpolated (https://www.sqlite.org/percentile.html)."""

    def __init__(self, name: str, scale: float, discrete: bool = False) -> None:
        self._name = name
        self._scale = scale
        self._discrete = discrete
        self._share: float | None = None
        self._values: list[float] = []

    def step(self, value: Value, share: Value = 50.0) -> None:
        """Take in one row."""
        part = number_of(share) if share is not None and not isinstance(share, str | bytes) else None
        if part is None or not 0 <= part <= self._scale:
            raise OperationalError(f"the fraction argument to {self._name}() is not between 0.0 and {self._scale:.1f}")
        part = float(part) / self._scale
        if self._share is not None and abs(self._share - part) > 0.001:
            raise OperationalError(f"the fraction argument to {self._name}() is not the same for all input rows")
        self._share = part
        if value is None:
            return
        if isinstance(value, str | bytes):
            raise OperationalError(f"input to {self._name}() is not numeric")
        self._values.append(float(value))

    def inverse(self, value: Value, _share: Value = 50.0) -> None:
        """Take back one row."""
        if value is not None:
            self._values.remove(float(number_of(value)))

    def value(self) -> Value:
        """Return the value at that share of the sorted values."""
        if not self._values:
            return None
        ordered = sorted(self._values)
        place = (self._share or 0.0) * (len(ordered) - 1)
        below = int(place)
        if self._discrete or below == place or below + 1 == len(ordered):
            return ordered[below]
        return ordered[below] + (ordered[below + 1] - ordered[below]) * (place - below)

    final = value


def _aggregate(
    name: str,
    factory: Callable[[], Any],
    minimum: int,
    maximum: int,
    *,
    null_safe: bool = False,
    result: Any = None,
    collated: Callable[[SortKey], Callable[[], Any]] | None = None,
) -> AggregateFunction:
    signature = FunctionSignature(name, minimum, maximum, "aggregate", result, null_safe)
    return AggregateFunction(signature, factory, invertible=True, collated=collated)


def _extremes(name: str, least: bool) -> AggregateFunction:
    def make(key: SortKey) -> Callable[[], Extreme]:
        return lambda: Extreme(key, least)

    return _aggregate(name, make(sort_key), 1, 1, result="argument", collated=make)


AGGREGATE_FUNCTIONS: Final[tuple[AggregateFunction, ...]] = (
    _aggregate("count", Count, 0, 1, result=SqlType.INTEGER, null_safe=True),
    _aggregate("sum", Sum, 1, 1),
    _aggregate("total", Total, 1, 1, result=SqlType.REAL, null_safe=True),
    _aggregate("avg", Average, 1, 1),
    _extremes("min", True),
    _extremes("max", False),
    _aggregate("group_concat", GroupConcat, 1, 2, result=SqlType.TEXT),
    _aggregate("string_agg", GroupConcat, 2, 2, result=SqlType.TEXT),
    _aggregate("median", lambda: Percentile("median", 100.0), 1, 1, result=SqlType.REAL),
    _aggregate("percentile", lambda: Percentile("percentile", 100.0), 2, 2, result=SqlType.REAL),
    _aggregate("percentile_cont", lambda: Percentile("percentile_cont", 1.0), 2, 2, result=SqlType.REAL),
    _aggregate("percentile_disc", lambda: Percentile("percentile_disc", 1.0, True), 2, 2, result=SqlType.REAL),
)
"""The functions of this module."""
