"""Many processes on a service that lags and loses: the whole storage code on virtual time, judged by an oracle."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from simulation.clients import Program
from simulation.ledger import Violation
from simulation.modes import MODES
from simulation.runs import simulate

from discosql.storage.committing import Committer

SEEDS = {1: 30, 2: 20, 3: 10}
CAMPAIGN_SEEDS = 200
"""Seeds for each mode and number of clients: 10,200 runs."""


@pytest.mark.parametrize("clients", SEEDS)
@pytest.mark.parametrize("mode", MODES)
def test_simulated_minutes(mode: str, clients: int) -> None:
    acknowledged = 0
    for seed in range(SEEDS[clients]):
        acknowledged += simulate(mode, clients, seed).acknowledged
    assert acknowledged > 5 * SEEDS[clients]


@pytest.mark.campaign
@pytest.mark.parametrize("clients", SEEDS)
@pytest.mark.parametrize("mode", MODES)
def test_many_simulated_minutes(mode: str, clients: int) -> None:
    for seed in range(1_000, 1_000 + CAMPAIGN_SEEDS):
        simulate(mode, clients, seed)


@pytest.mark.parametrize("mode", ["all at once", "sql", "garbage"])
def test_the_same_seed_gives_the_same_trace(mode: str) -> None:
    trace = simulate(mode, 3, 5).history.trace()
    assert trace == simulate(mode, 3, 5).history.trace()
    assert trace != simulate(mode, 3, 6).history.trace()
    # In another process sets of strings have another order.
    code = f"from simulation.runs import simulate; print(simulate({mode!r}, 3, 5).history.trace())"
    folder = Path(__file__).parent
    path = os.pathsep.join([str(folder), str(folder.parent)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.rstrip("\n") == trace


def test_a_failing_run_tells_its_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Committer, "_valid", lambda self, jobs: list(jobs))
    with pytest.raises(Violation) as raised:
        for seed in range(20):
            simulate("busy", 3, seed)
    lines = str(raised.value).splitlines()
    assert lines[0].startswith("busy, 3 clients, seed ")
    history = "\n".join(lines[1:])
    assert "setup: posts #1 CREATE TABLE journal" in history
    assert " is stored as * " in history
    assert " is stored as   " in history, "there are losers, too"
    assert "count_up acknowledged" in history


def test_programs_do_all_that_they_are_told_to() -> None:
    names = {attempt.name.split()[1] for attempt in simulate("files", 2, 3).history.attempts.values()}
    assert names == {
        work.__name__
        for work in (
            Program.write,
            Program.transfer,
            Program.count_up,
            Program.skew,
            Program.look_around,
            Program.claim,
            Program.large,
        )
    }
