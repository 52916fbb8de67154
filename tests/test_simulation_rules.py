"""Every rule of the protocol is needed: with any of them switched off, a scene or a random run fails."""

from collections.abc import Awaitable, Callable

import pytest
from simulation.ledger import Violation
from simulation.loop import run
from simulation.modes import MODES
from simulation.rules import RANDOM, Switch
from simulation.runs import simulate
from simulation.scenarios import DIRECTED, OTHERS

from discosql.errors import DatabaseError

SEEDS = 60
"""Random runs within which a switch must be noticed."""

FAILURES = (AssertionError, DatabaseError)
"""What a scene raises when something is wrong: the oracle's verdict, or an alarm of the code itself."""


@pytest.mark.parametrize("scene", [*DIRECTED, *OTHERS], ids=lambda scene: scene.__name__)
def test_scenes(scene: Callable[[], Awaitable[None]]) -> None:
    run(scene())


@pytest.mark.parametrize(
    ("scene", "switch"), DIRECTED.items(), ids=[f"{s.__name__}-{r.__name__}" for s, r in DIRECTED.items()]
)
def test_scenes_without_their_rule(
    scene: Callable[[], Awaitable[None]], switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(monkeypatch)
    with pytest.raises(FAILURES):
        run(scene())


@pytest.mark.parametrize("switch", RANDOM, ids=lambda switch: switch.__name__)
def test_random_runs_without_a_rule(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    switch(monkeypatch)
    mode, clients = RANDOM[switch]
    assert mode in MODES
    with pytest.raises(Violation):
        for seed in range(SEEDS):
            simulate(mode, clients, seed)
