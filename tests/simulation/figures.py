"""Figures of many runs, for the documentation: ``python -m simulation.figures`` in the directory of the tests.

Prints a table of modes, all if none are named after the number of seeds: runs of one to three clients with so many
seeds each, and what came of their transactions.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Final

from loguru import logger

from simulation.history import Attempt
from simulation.ledger import Violation
from simulation.modes import MODES
from simulation.runs import simulate

FIRST: Final = 1_000
COLUMNS: Final = ("runs", "acknowledged", "refused", "unknown", "failed", "failing runs")


def _outcome(attempt: Attempt) -> str:
    return "unknown" if attempt.outcome == "running" else attempt.outcome


def count(mode: str, seeds: range) -> Counter[str]:
    """Run a mode with each seed and number of clients, and count what came of it."""
    counts = Counter[str]()
    for clients in (1, 2, 3):
        for seed in seeds:
            counts["runs"] += 1
            try:
                attempts = simulate(mode, clients, seed).history.attempts.values()
            except Violation as violation:
                counts["failing runs"] += 1
                print(str(violation), file=sys.stderr)
            else:
                counts.update(map(_outcome, attempts))
    return counts


def _line(name: str, counts: Counter[str]) -> str:
    return f"| {name} | {' | '.join(f'{counts[column]:,}' for column in COLUMNS)} |"


def main(seeds: int, modes: Sequence[str]) -> None:
    logger.disable("discosql")
    print(f"| mode | {' | '.join(COLUMNS)} |")
    print(f"| --- |{' ---: |' * len(COLUMNS)}")
    total = Counter[str]()
    for mode in modes:
        counts = count(mode, range(FIRST, FIRST + seeds))
        total += counts
        print(_line(mode, counts), flush=True)
    print(_line("**all**", total))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:] or list(MODES))
