"""Measure how fast `discosql import` stores a file of 336,776 rows, and write it into the documentation."""

import platform
import sys
import tempfile
from os import cpu_count
from pathlib import Path

from benchmarks.loading.flights import COLUMNS, ROWS, write_flights
from benchmarks.loading.measure import Spent, spend
from benchmarks.markdown import ROOT, markdown_table, write_between_marks

ROUNDS = 3
HEAD = ("", "rows a second, as the command says", "of all that the command takes", "seconds", "memory, MiB")
CASES: dict[str, list[str]] = {"A new table, whose types are found": [], "The same table once more": ["--again"]}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flights.csv"
        print(f"writing {ROWS:,} rows …", file=sys.stderr)
        write_flights(path)
        size = path.stat().st_size
        rounds = []
        for number in range(ROUNDS):
            print(f"round {number + 1} of {ROUNDS} …", file=sys.stderr)
            database = Path(folder) / f"{number}.disco"
            rounds.append([spend(database, path, options) for options in CASES.values()])
            database.unlink()
    best = [min(case, key=lambda spent: spent.seconds) for case in zip(*rounds, strict=True)]
    text = report(best, size)
    print(text)
    write_between_marks(ROOT / "docs" / "import.md", text, "import")
    return 0


def report(found: list[Spent], size: int) -> str:
    """Return what was measured, as Markdown."""
    lines = [
        (case, f"{spent.rate:,.0f}", f"{ROWS / spent.seconds:,.0f}", f"{spent.seconds:.1f}", f"{spent.memory:.0f}")
        for case, spent in zip(CASES, found, strict=True)
    ]
    where = f"{cpu_count()} cores ({platform.machine()}) with Python {platform.python_version()}"
    return (
        f"{ROWS:,} rows of {len(COLUMNS)} columns, {size / 1e6:.0f} MB of CSV, into a local file on {where}, the best "
        f"of {ROUNDS} rounds:\n\n{markdown_table(HEAD, lines)}"
    )


if __name__ == "__main__":
    sys.exit(main())
