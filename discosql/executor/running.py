"""Aggregates from the start of a partition up to each row, for generated code.

Every function of values returns the result after each of them; NULL values are None. REAL sums are compensated step by
step as SQLite's are (https://en.wikipedia.org/wiki/Kahan_summation_algorithm, Neumaier's variant), so that both agree
to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

from discosql.errors import OperationalError
from discosql.executor.windows import Getter, Partition, peer_spans
from discosql.types import MAX_INTEGER, Value


def running(
    parts: Sequence[Partition], peer_key: Getter | None, compute: Callable[[Partition], list[Value]], by_rows: bool
) -> list[Value]:
    """Compute an aggregate from the start of the partition up to each row (ROWS) or the last of its peers (RANGE).

    `compute` returns the results after each row of a partition.
    """
    result: list[Value] = []
    for part in parts:
        values = compute(part)
        if by_rows:
            result += values
        else:
            for start, end in peer_spans(part, peer_key):
                result += [values[end - 1]] * (end - start)
    return result


def running_counts(values: Iterable[Value]) -> list[int]:
    """Compute count() of values."""
    return list(accumulate([value is not None for value in values], initial=0))[1:]


def running_integers(values: Sequence[int | None]) -> list[int | None]:
    """Compute sum() of integers."""
    sums = list(accumulate([value or 0 for value in values]))
    if sums and (max(sums) > MAX_INTEGER or min(sums) < ~MAX_INTEGER):
        raise OperationalError("integer overflow")
    return _after_first(values, sums)


def running_reals(values: Sequence[float | None]) -> list[float | None]:
    """Compute sum() of REAL values."""
    return _after_first(values, _compensated(values))


def running_totals(values: Sequence[float | None]) -> list[float | None]:
    """Compute total() of REAL values."""
    return list(_compensated(values))


def running_averages(values: Sequence[Any]) -> list[float | None]:
    """Compute avg() of integers or of REAL values."""
    integers = all(value.__class__ is int for value in values if value is not None)
    sums: Sequence[Any] = list(accumulate([value or 0 for value in values])) if integers else _compensated(values)
    pairs = zip(sums, running_counts(values), strict=True)
    return [float(total) / count if count and total is not None else None for total, count in pairs]


def running_extremes(values: Sequence[Any], choose: Callable[[Any, Any], Any]) -> list[Any]:
    """Compute min() or max(), whichever `choose` is, of values that Python compares as SQL does."""
    if None not in values:
        return list(accumulate(values, choose))
    return list(
        accumulate(
            values, lambda best, value: value if best is None else best if value is None else choose(best, value)
        )
    )


def running_steps(factory: Callable[[], Any], rows: Sequence[Sequence[Value]]) -> list[Value]:
    """Compute an aggregate function of the registry, given the arguments in each row."""
    state = factory()
    result: list[Value] = []
    for row in rows:
        state.step(*row)
        result.append(state.value())
    return result


def _after_first(values: Sequence[Any], sums: Sequence[Any]) -> list[Any]:
    """Return sums, with NULL instead before the first value that is not NULL."""
    if not values or values[0] is not None:
        return list(sums)
    start = next((place for place, value in enumerate(values) if value is not None), len(values))
    return [None] * start + list(sums[start:])


def _compensated(values: Iterable[float | None]) -> list[float | None]:
    total = error = 0.0
    sums: list[float | None] = []
    for value in values:
        if value is not None:
            new = total + value
            if abs(total) > abs(value):
                error += (total - new) + value
            else:
                error += (value - new) + total
            total = new
        sums.append(total + error)
    if total - total != 0:  # infinite, or not a number: the compensation is of no meaning then
        return _uncompensated(values)
    return sums


def _uncompensated(values: Iterable[float | None]) -> list[float | None]:
    sums = accumulate([value or 0.0 for value in values])
    return [total if total == total else None for total in sums]
