"""What was measured, as Markdown."""

import platform
from collections.abc import Mapping
from os import cpu_count

from benchmarks.markdown import markdown_table
from benchmarks.size.measure import Spent
from benchmarks.size.steps import CHANGED

TITLES = {
    "load": "Load the table: one `executemany`, one commit, and the checkpoint at closing",
    "open": "Open, and close again",
    "key": "Open, and look up one row by its PRIMARY KEY",
    "unique": "Open, and look up one row by a UNIQUE column",
    "secondary": "Open, and look up one row by CREATE INDEX",
    "miss": "Open, and look up what is not there",
    "scan": "Open, and read all rows, grouped",
    "index": "Open, make an index over two columns, and write its pages (VACUUM)",
    "update": f"Open, and change a key and a value of {CHANGED:,} rows all over the table",
}
HEAD = ("rows", "seconds", "requests", "downloads", "MB moved", "memory, MiB")


def report(found: Mapping[int, Mapping[str, Spent]]) -> str:
    """Return a table for each step, a line for each size."""
    parts = [f"Measured on {cpu_count()} cores ({platform.machine()}) with Python {platform.python_version()}."]
    for step, title in TITLES.items():
        parts.append(f"### {title}")
        parts.append(markdown_table(HEAD, [_line(count, spent[step]) for count, spent in found.items()]))
    return "\n\n".join(parts)


def _line(count: int, spent: Spent) -> tuple[str, ...]:
    return (
        f"{count:,}",
        f"{spent.processor:.2f}",
        f"{spent.rest:,}",
        f"{spent.downloads:,}",
        f"{spent.bytes / 1e6:.2f}",
        f"{spent.memory:.0f}",
    )
