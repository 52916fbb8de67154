"""The results as Markdown, and the places they are written to."""

import platform
import sqlite3
from collections.abc import Sequence
from importlib.metadata import version
from os import cpu_count

from benchmarks.aims import US, aims, ratio
from benchmarks.engines import Engine
from benchmarks.markdown import markdown_table
from benchmarks.shop import ShopResults
from benchmarks.timing import Timing, Timings
from benchmarks.tpch_run import TpchResults


def full_report(shop: ShopResults, tpch: TpchResults) -> str:
    """Return all results."""
    parts = [
        _machine(),
        "### A shop: 100,000 orders of 10,000 users",
        "Milliseconds, medians; below them the geometric mean of discosql's time over the engine's.",
        _timing_table(shop.engines, shop.timings),
        "### TPC-H at scale 0.01",
        "Milliseconds, medians; every table has its primary key and no other index.",
        _timing_table(tpch.engines, tpch.timings),
        "### What a statement costs",
        _overhead_table(shop),
        "### The aims",
        markdown_table(
            ("aim", "in this run", "reached"),
            ((aim.text, aim.figure, "yes" if aim.reached else "**no**") for aim in aims(shop, tpch)),
        ),
    ]
    return "\n\n".join(parts)


def short_report(shop: ShopResults) -> str:
    """Return the results that introduce the others."""
    return "\n\n".join((_timing_table(shop.engines, shop.timings), _machine()))


def _machine() -> str:
    versions = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    versions += [f"{name} {version(name)}" for name in ("duckdb", "shillelagh", "sqlglot")]
    return f"Measured on {cpu_count()} cores ({platform.machine()}), on one of them, with {', '.join(versions)}."


def _timing_table(engines: Sequence[Engine], timings: Timings) -> str:
    queries = dict.fromkeys(query for query, _ in timings)
    rows = [(query, *(_shown(timings[query, engine.name]) for engine in engines)) for query in queries]
    means = (ratio(timings, engine.name) for engine in engines)
    rows.append(("**discosql's time over it**", *(f"**{mean:.2g}**" if mean else "" for mean in means)))
    return markdown_table(("", *(engine.name for engine in engines)), rows)


def _shown(timing: Timing) -> str:
    return f"{timing.median * 1000:.3g}" if timing.seconds else "cannot"


def _overhead_table(shop: ShopResults) -> str:
    rows = [
        (f"{name}: point lookup by key, statement cached, parameter new each time", f"{taken:.1f}")
        for name, taken in shop.lookups.items()
    ]
    for title, (parsing, planning, compiling) in shop.statements.items():
        steps = f"{parsing:.0f} + {planning:.0f} + {compiling:.0f}"
        rows.append((f"{US}: new statement, {title}: parse + plan + compile", steps))
    return markdown_table(("", "µs, median"), rows)
