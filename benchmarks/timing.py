"""Measuring: repetitions of all engines in turn, so that a slow minute of the machine hits each of them."""

import gc
import math
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from benchmarks.engines import Engine

BUDGET: Final = 2.0
"""Seconds that the repetitions of one query on one engine may take, roughly."""

SHORTEST: Final = 0.005
"""Seconds that one measurement should take at least: quicker queries are run several times in it."""


@dataclass
class Timing:
    """The seconds that a query took on an engine, and the rows it gave at first; `error` tells why there are none."""

    seconds: list[float] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    error: str = ""

    @property
    def median(self) -> float:
        return median(self.seconds)


Timings = dict[tuple[str, str], Timing]
"""Timings by the names of query and engine."""


@dataclass
class _Cell:
    """One query on one engine: how often it is measured, and how often it is run in one measurement."""

    engine: Engine
    sql: str
    timing: Timing
    rounds: int = 0
    repeats: int = 1

    def warm_up(self) -> None:
        started = time.perf_counter()
        self.timing.rows = self.engine.query(self.sql)
        first = time.perf_counter() - started
        if first > 4 * BUDGET:
            # Planning and compiling is nothing beside this, and a second run would not tell more.
            self.timing.seconds.append(first)
            return
        again = self._run() if first < SHORTEST * 10 else first
        self.rounds = 1 if first > BUDGET else max(3, min(9, int(BUDGET / first)))
        self.repeats = max(1, min(200, int(SHORTEST / again)))

    def measure(self) -> None:
        self.timing.seconds.append(self._run())

    def _run(self) -> float:
        gc.collect()
        started = time.perf_counter()
        for _ in range(self.repeats):
            self.engine.query(self.sql)
        return (time.perf_counter() - started) / self.repeats


def measure(engines: Sequence[Engine], queries: dict[str, str], refusals: tuple[type[Exception], ...]) -> Timings:
    """Time each query on each engine, after a run that warms it up; engines may refuse a query with `refusals`.

    The collector of garbage runs between measurements and works as usual during them; what was loaded is taken out of
    its sight, so that no engine pays for the rows of the others.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    timings: Timings = {}
    cells = []
    for query, sql in queries.items():
        for engine in engines:
            print(f"\r{query}: {engine.name}".ljust(79), end="", file=sys.stderr, flush=True)
            cell = _Cell(engine, sql, Timing())
            timings[query, engine.name] = cell.timing
            try:
                cell.warm_up()
            except refusals as error:
                cell.timing.error = type(error).__name__
            cells.append(cell)
    for number in range(max(cell.rounds for cell in cells)):
        for cell in cells:
            if number < cell.rounds:
                cell.measure()
    print("\r".ljust(80), end="\r", file=sys.stderr)
    return timings


def microseconds(calls: Iterable[Callable[[], object]]) -> float:
    """Return the median duration of many short calls."""
    gc.collect()
    found = []
    for call in calls:
        started = time.perf_counter()
        call()
        found.append(time.perf_counter() - started)
    return median(found) * 1e6


def geometric_mean(ratios: Iterable[float]) -> float:
    """Return the geometric mean."""
    logarithms = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logarithms) / len(logarithms))


def same_rows(left: Sequence[Sequence[Any]], right: Sequence[Sequence[Any]]) -> bool:
    """Return whether two results hold the same rows, in any order, up to rounding."""
    if len(left) != len(right):
        return False
    pairs = zip(sorted(left, key=_sort_key), sorted(right, key=_sort_key), strict=True)
    return all(len(one) == len(other) and all(map(_same, one, other)) for one, other in pairs)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return one is not None and other is not None and math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


def _sort_key(row: Sequence[Any]) -> list[str]:
    return [f"{value:.6g}" if isinstance(value, float | int) else str(value) for value in row]
