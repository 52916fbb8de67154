"""Measure what tables of 10³ to 10⁶ rows cost, print it, and write it into the documentation. Takes two minutes."""

import sys
import tempfile
from pathlib import Path

from benchmarks.markdown import ROOT, write_between_marks
from benchmarks.size.measure import measure
from benchmarks.size.report import report

SIZES = (1_000, 10_000, 100_000, 1_000_000)


def main() -> int:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in SIZES:
            print(f"{count:,} rows …", file=sys.stderr)
            found[count] = measure(count, Path(folder))
    text = report(found)
    print(text)
    write_between_marks(ROOT / "docs" / "size.md", text, "size")
    return 0


if __name__ == "__main__":
    sys.exit(main())
