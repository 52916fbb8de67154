"""Measure what both libraries ask of Discord, print the table, and write it into the documentation. Takes a minute."""

import asyncio
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tests"))  # the simulated server is the tests'
warnings.simplefilter("ignore", DeprecationWarning)

from benchmarks.markdown import ROOT, write_between_marks  # noqa: E402
from benchmarks.traffic.report import table  # noqa: E402
from benchmarks.traffic.work import measure  # noqa: E402


def main() -> int:
    report = table(asyncio.run(measure(lambda step: print(step, "…", file=sys.stderr))))
    print(report)
    for path in (ROOT / "docs" / "requests.md", ROOT / "README.md"):
        write_between_marks(path, report, "requests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
