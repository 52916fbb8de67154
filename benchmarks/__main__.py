"""Run all benchmarks, print the results, and write them into the documentation. Takes several minutes."""

import gc
import sys
import time

from benchmarks.markdown import ROOT, write_between_marks
from benchmarks.report import full_report, short_report
from benchmarks.shop import ShopResults
from benchmarks.tpch_run import TpchResults


def main() -> int:
    started = time.monotonic()
    print("100,000 orders of 10,000 users …", file=sys.stderr)
    shop = ShopResults()
    print("TPC-H …", file=sys.stderr)
    tpch = TpchResults()
    report = full_report(shop, tpch)
    print(report)
    write_between_marks(ROOT / "docs" / "performance.md", report)
    write_between_marks(ROOT / "README.md", short_report(shop))
    print(f"\nWritten to docs/performance.md and README.md after {time.monotonic() - started:.0f} s.", file=sys.stderr)
    gc.unfreeze()  # what `measure` froze would otherwise not be freed in order
    return 0


if __name__ == "__main__":
    sys.exit(main())
