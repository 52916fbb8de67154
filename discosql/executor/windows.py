"""Window functions over rows that are sorted already, for generated code.

A *partition* is the list of its rows in order; *peers* are neighbours with equal sort keys. Every function here takes
all partitions and returns the list of results in the order of their rows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import is_not, itemgetter
from typing import Any, Literal, TypeAlias

from discosql.errors import OperationalError
from discosql.executor.functions.registry import WindowAggregation
from discosql.executor.operators import to_integer
from discosql.types import Value, to_numeric

Partition: TypeAlias = list[Any]
Getter: TypeAlias = Callable[[Any], Any]
Span: TypeAlias = tuple[int, int]
"""A frame as positions in its partition: from the first one up to the second one."""


def partitions(rows: list[Any], places: Sequence[int]) -> list[Partition]:
    """Split rows by the values at some places; the partitions come in the order of these, NULL first."""
    if not places:
        return [rows] if rows else []
    groups: defaultdict[Any, Partition] = defaultdict(list)
    getter = itemgetter(*places)
    for row in rows:
        groups[getter(row)].append(row)
    if len(places) == 1:
        without = groups.pop(None, None)
        found = [groups[key] for key in sorted(groups)]
        return found if without is None else [without, *found]
    return [groups[key] for key in sorted(groups, key=_nulls_first)]


def _nulls_first(key: Sequence[Any]) -> list[tuple[bool, Any]]:
    return [(value is not None, value) for value in key]


def flattened(parts: Sequence[Partition]) -> list[Any]:
    """Return the rows of all partitions."""
    return parts[0] if len(parts) == 1 else [row for part in parts for row in part]


def peer_spans(part: Partition, peer_key: Getter | None) -> Iterator[Span]:
    """Yield where each group of peers starts and ends; without a key all rows are peers."""
    if peer_key is None:
        yield 0, len(part)
        return
    start = 0
    for _, group in groupby(part, key=peer_key):
        end = start + sum(1 for _ in group)
        yield start, end
        start = end


# Ranks -----------------------------------------------------------------------------------------------------------


def row_numbers(parts: Sequence[Partition]) -> list[int]:
    """Compute row_number()."""
    return [number for part in parts for number in range(1, len(part) + 1)]


def ranks(parts: Sequence[Partition], peer_key: Getter | None) -> list[int]:
    """Compute rank()."""
    return [start + 1 for part in parts for start, end in peer_spans(part, peer_key) for _ in range(start, end)]


def dense_ranks(parts: Sequence[Partition], peer_key: Getter | None) -> list[int]:
    """Compute dense_rank()."""
    return [
        number
        for part in parts
        for number, (start, end) in enumerate(peer_spans(part, peer_key), 1)
        for _ in range(start, end)
    ]


def percent_ranks(parts: Sequence[Partition], peer_key: Getter | None) -> list[float]:
    """Compute percent_rank()."""
    return [
        start / (len(part) - 1) if len(part) > 1 else 0.0
        for part in parts
        for start, end in peer_spans(part, peer_key)
        for _ in range(start, end)
    ]


def cumulative_distances(parts: Sequence[Partition], peer_key: Getter | None) -> list[float]:
    """Compute cume_dist()."""
    return [end / len(part) for part in parts for start, end in peer_spans(part, peer_key) for _ in range(start, end)]


def tiles(parts: Sequence[Partition], count_of: Getter) -> list[int]:
    """Compute ntile(): the larger tiles come first."""
    result: list[int] = []
    for part in parts:
        value = count_of(part[0])
        count = to_integer(value) if value is not None else 0
        if count <= 0:
            raise OperationalError("argument of ntile must be a positive integer")
        size, larger = divmod(len(part), count)
        for tile in range(min(count, len(part))):
            result += [tile + 1] * (size + (tile < larger))
    return result


# Other rows --------------------------------------------------------------------------------------------------------


def shifted(
    parts: Sequence[Partition], direction: int, value_of: Getter, distance_of: Getter | None, default_of: Getter | None
) -> list[Value]:
    """Compute lag() (direction -1) and lead() (1)."""
    result: list[Value] = []
    for part in parts:
        count = len(part)
        for place, row in enumerate(part):
            distance = 1 if distance_of is None else distance_of(row)
            other = -1 if distance is None else place + direction * to_integer(distance)
            if 0 <= other < count:
                result.append(value_of(part[other]))
            else:
                result.append(None if default_of is None else default_of(row))
    return result


# Frames ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FrameSpec:
    """A frame: its unit, and for each end -1 (preceding), 0 (current row) or 1 (following) with an offset, None for
    UNBOUNDED. `descending` is the direction of the only sort key, which RANGE with an offset needs.
    """

    unit: Literal["rows", "range", "groups"]
    start: int
    end: int
    exclude: Literal["no others", "current row", "group", "ties"]
    descending: bool = False


Offsets: TypeAlias = tuple[Value, Value]


def _offset(value: Value, unit: str, which: str) -> int | float | Decimal:
    number = to_numeric(value)
    if unit == "range":
        if isinstance(value, int | float | Decimal) and value >= 0:
            return value
        raise OperationalError(f"frame {which} offset must be a non-negative number")
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not isinstance(number, int) or number < 0:
        raise OperationalError(f"frame {which} offset must be a non-negative integer")
    return number


def spans(
    part: Partition, frame: FrameSpec, offsets: Offsets, peer_key: Getter | None, order_key: Getter | None
) -> list[Span]:
    """Return the frame of each row of a partition, before any EXCLUDE."""
    start = None if offsets[0] is None else _offset(offsets[0], frame.unit, "starting")
    end = None if offsets[1] is None else _offset(offsets[1], frame.unit, "ending")
    peers = list(peer_spans(part, peer_key))
    if frame.unit == "rows":
        firsts: Sequence[int] = _row_edges(len(part), frame.start, start, 0)
        lasts: Sequence[int] = _row_edges(len(part), frame.end, end, 1)
    elif frame.unit == "groups":
        firsts = _group_edges(peers, frame.start, start, 0)
        lasts = _group_edges(peers, frame.end, end, 1)
    else:
        firsts = _range_edges(part, frame, start, 0, peers, order_key)
        lasts = _range_edges(part, frame, end, 1, peers, order_key)
    return list(zip(firsts, lasts, strict=True))


def _row_edges(count: int, side: int, offset: Any, is_end: int) -> list[int]:
    if side and offset is None:
        return [count if side > 0 else 0] * count
    shift = side * (offset or 0) + is_end
    return [min(max(place + shift, 0), count) for place in range(count)]


def _group_edges(peers: Sequence[Span], side: int, offset: Any, is_end: int) -> list[int]:
    count = peers[-1][1]
    edges: list[int] = []
    for number, (start, end) in enumerate(peers):
        other = number + side * (offset or 0)
        if side and offset is None:
            other = side * len(peers)
        edge = 0 if other < 0 else count if other >= len(peers) else peers[other][is_end]
        edges += [edge] * (end - start)
    return edges


def _range_edges(
    part: Partition, frame: FrameSpec, offset: Any, is_end: int, peers: Sequence[Span], order_key: Getter | None
) -> list[int]:
    side = frame.end if is_end else frame.start
    if not side or offset is None or order_key is None:
        return _group_edges(peers, side, None if side else 0, is_end)
    keys = [order_key(row) for row in part]
    numeric = [place for place, key in enumerate(keys) if isinstance(key, int | float | Decimal)]
    low, high = (numeric[0], numeric[-1] + 1) if numeric else (0, 0)
    sign = -1 if frame.descending else 1
    ordered = [sign * key if low <= place < high else 0 for place, key in enumerate(keys)]
    find = bisect_right if is_end else bisect_left
    edges: list[int] = []
    for start, end in peers:
        if low <= start < high:
            edge = find(ordered, ordered[start] + side * offset, low, high)
        else:
            edge = end if is_end else start
        edges += [edge] * (end - start)
    return edges


def frames(
    part: Partition, frame: FrameSpec, offsets: Offsets, peer_key: Getter | None, order_key: Getter | None
) -> Iterator[Partition]:
    """Yield the rows of each row's frame."""
    bounds = spans(part, frame, offsets, peer_key, order_key)
    if frame.exclude == "no others":
        for low, high in bounds:
            yield part[low:high]
        return
    peers = [span for span in peer_spans(part, peer_key) for _ in range(*span)]
    for place, ((low, high), (first, last)) in enumerate(zip(bounds, peers, strict=True)):
        if frame.exclude == "current row":
            first, last = place, place + 1
        rows = part[low : min(high, max(first, low))]
        if frame.exclude == "ties" and low <= place < high:
            rows = [*rows, part[place]]
        yield rows + part[max(low, last) : high]


def framed(
    parts: Sequence[Partition],
    frame: FrameSpec,
    offsets: Offsets,
    keys: tuple[Getter | None, Getter | None],
    compute: Callable[[Partition], Value],
) -> Generator[None, None, list[Value]]:
    """Compute an aggregate over each frame by itself; equal neighbours are computed once."""
    result: list[Value] = []
    work = 0
    for part in parts:
        before: Partition | None = None
        for rows in frames(part, frame, offsets, *keys):
            if before is None or len(rows) != len(before) or any(map(is_not, rows, before)):
                value = compute(rows)
                before = rows
                work += len(rows)
            result.append(value)
            if work > 100_000:
                work = 0
                yield
    return result


def sliding(
    parts: Sequence[Partition],
    frame: FrameSpec,
    offsets: Offsets,
    keys: tuple[Getter | None, Getter | None],
    factory: Callable[[], WindowAggregation],
    arguments_of: Callable[[Any], Sequence[Value] | None],
) -> list[Value]:
    """Compute a window function of the user's: a row is stepped when it enters the frame, taken back when it leaves.

    `arguments_of` gives the arguments in a row, None where FILTER leaves it out.
    """
    result: list[Value] = []
    for part in parts:
        if frame.exclude != "no others":
            result += [_alone(factory(), rows, arguments_of) for rows in frames(part, frame, offsets, *keys)]
            continue
        state, low, high = factory(), 0, 0
        arguments = [arguments_of(row) for row in part]
        for first, end in spans(part, frame, offsets, *keys):
            left = min(first, max(high, end))
            for values in arguments[high:end]:
                if values is not None:
                    state.step(*values)
            for values in arguments[low:left]:
                if values is not None:
                    state.inverse(*values)
            low, high = max(low, left), max(high, end)
            result.append(state.value())
        state.close()
    return result


def _alone(state: WindowAggregation, rows: Partition, arguments_of: Callable[[Any], Sequence[Value] | None]) -> Value:
    for row in rows:
        values = arguments_of(row)
        if values is not None:
            state.step(*values)
    return state.final()


def lasting_reals(parts: Sequence[Partition], sums: Sequence[Value]) -> list[Value]:
    """Return sums over moving frames as SQLite gives them: after the first that is REAL, all of its partition are."""
    result: list[Value] = []
    place = 0
    for part in parts:
        is_real = False
        for total in sums[place : place + len(part)]:
            is_real = is_real or isinstance(total, float)
            result.append(float(total) if is_real and isinstance(total, int) else total)
        place += len(part)
    return result


def picked(
    parts: Sequence[Partition],
    frame: FrameSpec,
    offsets: Offsets,
    keys: tuple[Getter | None, Getter | None],
    value_of: Getter,
    place_of: Getter | int,
) -> Generator[None, None, list[Value]]:
    """Compute first_value() (place 0), last_value() (-1) or nth_value() (a function from the row to the number)."""
    result: list[Value] = []
    for part in parts:
        for row, rows in zip(part, frames(part, frame, offsets, *keys), strict=True):
            place = place_of if isinstance(place_of, int) else _nth(place_of(row))
            result.append(value_of(rows[place]) if place < len(rows) and rows else None)
        yield
    return result


def _nth(value: Value) -> int:
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(number, int) or number <= 0:
        raise OperationalError("second argument to nth_value must be a positive integer")
    return number - 1
