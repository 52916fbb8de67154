"""What discosql's speed is held to, and whether a run kept it."""

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.shop import POINT, QUERIES, ShopResults
from benchmarks.timing import Timings, geometric_mean, same_rows
from benchmarks.tpch_run import TpchResults

US = "discosql"


@dataclass(frozen=True)
class Aim:
    """One aim: what it asks, the figure of this run, and whether that is enough."""

    text: str
    figure: str
    reached: bool


def aims(shop: ShopResults, tpch: TpchResults) -> list[Aim]:
    """Return all aims with this run's figures."""
    return [*_aims_of_results(shop, tpch), *_aims_of_shop(shop), *_aims_of_tpch(tpch)]


def ratio(timings: Timings, other: str, queries: Iterable[str] | None = None) -> float | None:
    """Return the geometric mean of our times over another engine's, on the queries that it ran; None without any."""
    wanted = {query for query, _ in timings} if queries is None else queries
    ran = [query for query in wanted if timings[query, other].seconds]
    if not ran:
        return None
    return geometric_mean(timings[query, US].median / timings[query, other].median for query in ran)


def wrong(timings: Timings, reference: str) -> list[str]:
    """Return the queries whose rows are not those of a reference engine."""
    queries = dict.fromkeys(query for query, _ in timings)
    return [query for query in queries if not same_rows(timings[query, US].rows, timings[query, reference].rows)]


def _aims_of_results(shop: ShopResults, tpch: TpchResults) -> Iterable[Aim]:
    differing = [*wrong(shop.timings, "sqlite3"), *wrong(tpch.timings, "sqlite3, indexed")]
    differing += wrong(tpch.timings, "duckdb")
    yield Aim("all queries give the rows that SQLite gives", ", ".join(differing) or "all do", not differing)


def _aims_of_shop(shop: ShopResults) -> Iterable[Aim]:
    timings = shop.timings
    slowest = max(QUERIES, key=lambda query: timings[query, US].median / timings[query, "sqlite3"].median)
    worst = timings[slowest, US].median / timings[slowest, "sqlite3"].median
    yield Aim("each shop query at most 2 × sqlite3 without indexes", f"{worst:.2f} × ({slowest})", worst <= 2)
    against = {name: ratio(timings, name) or 0.0 for name in ("sqlite3", "Shillelagh", "sqlglot.executor")}
    mean = against["sqlite3"]
    yield Aim("geometric mean at most that of sqlite3 without indexes", f"{mean:.2f} ×", mean <= 1)
    scans = ratio(timings, "sqlite3", set(QUERIES) - {POINT}) or 0.0
    yield Aim("the same without the point lookup", f"{scans:.2f} ×", scans <= 1)
    for name, times in (("Shillelagh", 10), ("sqlglot.executor", 50)):
        faster = 1 / against[name]
        yield Aim(f"geometric mean {times} × faster than {name}", f"{faster:.0f} ×", faster >= times)
    ours, theirs = shop.lookups[US], shop.lookups["sqlite3, indexed"]
    yield Aim(
        "warm point lookup at most 20 µs, or 8 × sqlite3",
        f"{ours:.1f} µs, {ours / theirs:.1f} ×",
        ours <= 20 or ours <= 8 * theirs,
    )


def _aims_of_tpch(tpch: TpchResults) -> Iterable[Aim]:
    timings = tpch.timings
    queries = dict.fromkeys(query for query, _ in timings)
    slowest = max(queries, key=lambda query: timings[query, US].median)
    seconds = timings[slowest, US].median
    yield Aim("each TPC-H query under 2 s", f"{seconds:.2f} s ({slowest})", seconds < 2)
    ran = [query for query in queries if timings[query, "sqlglot.executor"].seconds]
    ours = sum(timings[query, US].median for query in ran)
    theirs = sum(timings[query, "sqlglot.executor"].median for query in ran)
    yield Aim(
        "TPC-H in at most a third of sqlglot.executor's time",
        f"1/{theirs / ours:.1f} ({ours:.1f} s, {theirs:.1f} s; {len(ran)} queries)",
        ours * 3 <= theirs,
    )
