"""Aggregates over lists of values, for generated code: sums by SQLite's rules, extremes of any classes, DISTINCT.

Sums of REAL values are rounded once, at the end, where SQLite compensates its running sum; the two agree but for the
last digit in rare cases.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import accumulate
from math import fsum
from operator import itemgetter
from typing import Any

from discosql.errors import OperationalError
from discosql.executor.functions.registry import Aggregation
from discosql.executor.operators import add, divide
from discosql.types import MAX_INTEGER, MIN_INTEGER, Value, number_prefix, sort_key, text_of, to_numeric

_SAFE = 2**40
_EXACT = 2**52
_INTEGERS = frozenset((int,))
_PLAIN = frozenset((int, float))


def sum_integers(values: Sequence[int]) -> int | None:
    """Return the sum of integers, NULL if there are none; raises what SQLite raises when it overflows on the way."""
    if not values:
        return None
    total = sum(values)
    if not (min(values) > -_SAFE and max(values) < _SAFE and len(values) < 2**22):
        sums = list(accumulate(values))
        if min(sums) < MIN_INTEGER or max(sums) > MAX_INTEGER:
            raise OperationalError("integer overflow")
    return total


def add_integers(total: int | None, values: Sequence[int]) -> int | None:
    """Return the sum of a batch of integers added to that of the batches before."""
    if not values:
        return total
    if total is None or -_SAFE < total < _SAFE:
        return (total or 0) + (sum_integers(values) or 0)
    return sum_integers([total, *values])


def part_of_sum(values: Sequence[float]) -> float:
    """Return the sum of a batch of REAL values; NaN where infinities cancel out."""
    try:
        return fsum(values)
    except (OverflowError, ValueError):
        return sum(values)


def average_of_parts(parts: Sequence[float], count: int) -> float | None:
    """Return avg() of REAL values, given the sum of each batch."""
    total = total_reals(parts) if count else None
    return total / count if total is not None else None


def sum_reals(values: Sequence[float]) -> float | None:
    """Return the sum of REAL values, NULL if there are none or infinities cancel out."""
    return total_reals(values) if values else None


def total_reals(values: Sequence[float]) -> float | None:
    """Return the sum of REAL values."""
    total = part_of_sum(values)
    return total if total == total else None


def sum_values(values: Sequence[Any]) -> Value:
    """Return sum() of non-NULL values of any class."""
    classes = set(map(type, values))
    if not classes <= _PLAIN:
        values = [_summand(value) for value in values]
        classes = set(map(type, values))
    if classes <= _INTEGERS:
        return sum_integers(values)
    return _sum_exactly(values) if Decimal in classes else _total(values)


def _summand(value: Value) -> int | float | Decimal:
    """Return a value as the number that sums add: an integer only if all of a text is one."""
    if isinstance(value, int | float | Decimal):
        return value
    text = text_of(value)
    number = number_prefix(text)
    return number if isinstance(value, str) and isinstance(to_numeric(text), int) else float(number)


def _total(numbers: Sequence[int | float]) -> float | None:
    """Return the sum of integers and REAL values; integers that a REAL cannot hold are added in two parts."""
    large = [number for number in numbers if isinstance(number, int) and not -_EXACT < number < _EXACT]
    if not large:
        return total_reals(numbers)
    others = [float(number) for number in numbers if not isinstance(number, int) or -_EXACT < number < _EXACT]
    return total_reals(
        [*others, *[float(number % 2**14) for number in large], *[float(number >> 14 << 14) for number in large]]
    )


def _sum_exactly(numbers: Iterable[int | float | Decimal]) -> Value:
    total: Value = 0
    for number in numbers:
        total = add(total, number)
    return total


def total_values(values: Sequence[Any]) -> float | None:
    """Return total() of non-NULL values: always a REAL."""
    numbers = [_summand(value) for value in values]
    return _total([float(number) if isinstance(number, Decimal) else number for number in numbers])


def average_integers(values: Sequence[int]) -> float | None:
    """Return avg() of integers."""
    # SQLite makes the exact sum a double before it divides, which may round twice.
    return float(sum(values)) / len(values) if values else None


def average_reals(values: Sequence[float]) -> float | None:
    """Return avg() of REAL values."""
    total = total_reals(values) if values else None
    return total / len(values) if total is not None else None


def average_values(values: Sequence[Any]) -> Value:
    """Return avg() of non-NULL values of any class; of DECIMAL values an exact quotient."""
    classes = set(map(type, values))
    if classes <= _INTEGERS:
        return average_integers(values)
    if Decimal in classes:
        return divide(_sum_exactly([_summand(value) for value in values]), Decimal(len(values)))
    total = total_values(values)
    return None if total is None else total / len(values)


def least(values: Iterable[Value], key: Callable[[Value], Any] = sort_key) -> Value:
    """Return min() of non-NULL values of any class, the first of equal ones."""
    return min(values, key=key, default=None)


def greatest(values: Iterable[Value], key: Callable[[Value], Any] = sort_key) -> Value:
    """Return max() of non-NULL values of any class, the first of equal ones."""
    return max(values, key=key, default=None)


def without_doubles(values: Iterable[Value], key: Callable[[Value], Any]) -> list[Value]:
    """Return the first of all values that are equal under a collation."""
    kept: dict[Any, Value] = {}
    for value in values:
        kept.setdefault(key(value), value)
    return list(kept.values())


def best_row(
    rows: Sequence[Any], place: Callable[[Any], Value], greatest_first: bool, key: Callable[[Value], Any] = sort_key
) -> Any:
    """Return the row in which min() or max() was found; the last one if all values are NULL."""
    present = [row for row in rows if place(row) is not None]
    if not present:
        return rows[-1]
    choose = max if greatest_first else min
    return choose(present, key=lambda row: key(place(row)))


def aggregate_values(factory: Callable[[], Aggregation], values: Iterable[Value]) -> Value:
    """Run an aggregate function of one argument."""
    state = factory()
    step = state.step
    for value in values:
        step(value)
    return state.final()


def aggregate_rows(factory: Callable[[], Aggregation], rows: Iterable[Sequence[Value]]) -> Value:
    """Run an aggregate function of any number of arguments."""
    state = factory()
    step = state.step
    for row in rows:
        step(*row)
    return state.final()


def identity(value: Any) -> Any:
    """Return the value: items that are not packed are their own only place."""
    return value


def ordered(rows: list[Any], terms: Sequence[tuple[int, bool, bool]]) -> list[Any]:
    """Return rows in the order of terms (position, descending, nulls first); values compare in Python as in SQL."""
    result = list(rows)
    for position, descending, nulls_first in reversed(terms):
        present = [row for row in result if row[position] is not None]
        missing = [row for row in result if row[position] is None]
        present.sort(key=itemgetter(position), reverse=descending)
        result = missing + present if nulls_first else present + missing
    return result


def group_order(item: tuple[Any, Any]) -> Any:
    """Return the sort key of a group by its key of several values."""
    return [sort_key(value) for value in item[0]]


def group_order_of_one(item: tuple[Any, Any]) -> Any:
    """Return the sort key of a group by its key of one value."""
    return sort_key(item[0])
