"""Figures of many runs, for the documentation: ``python -m simulation.figures`` in the directory of the tests.

Prints a table of modes, all if none are named after the number of seeds: runs of one to three clients with so many
seeds each, and what came of their transactions. With ``rules`` after the number, a table of rules switched off: how
many of so many runs fail without them.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Final

import pytest
from loguru import logger

from simulation.history import Attempt
from simulation.ledger import Violation
from simulation.modes import MODES
from simulation.rules import RANDOM
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


def rules(seeds: int) -> None:
    """Print how many runs fail without each rule."""
    print("| switched off | mode, clients | failing runs |\n| --- | --- | ---: |")
    for switch, (mode, clients) in RANDOM.items():
        failing = 0
        for seed in range(FIRST, FIRST + seeds):
            with pytest.MonkeyPatch.context() as patch:
                switch(patch)
                try:
                    simulate(mode, clients, seed)
                except Violation:
                    failing += 1
        print(f"| {switch.__name__} | {mode}, {clients} | {failing} of {seeds} |", flush=True)


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
    if sys.argv[2:] == ["rules"]:
        logger.disable("discosql")
        rules(int(sys.argv[1]))
    else:
        main(int(sys.argv[1]), sys.argv[2:] or list(MODES))
