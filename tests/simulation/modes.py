"""The modes of simulated runs: the weather, what befalls processes, and what their programs do."""

from dataclasses import dataclass
from typing import Final

from simulation.server import FAIR, Weather


@dataclass(frozen=True)
class Mode:
    """What a run is like.

    It lasts `seconds`; `pace` is the mean of seconds between a coroutine's transactions, `large` the share of them with
    files. `live` clients hear of changes, `sql` ones use sessions. Mean seconds between events: `freezes` (of one
    process), `cuts` (of one from the service), `outages`, `crashes`, `vacuums`, `damages` by an administrator; 0 for
    never. `quick` makes seconds of the protocol's hours, so that old messages are removed within a run.
    """

    weather: Weather = FAIR
    pace: float = 1.5
    seconds: float = 60.0
    coroutines: int = 1
    large: float = 0.0
    live: bool = False
    sql: bool = False
    freezes: float = 0.0
    cuts: float = 0.0
    outages: float = 0.0
    crashes: float = 0.0
    vacuums: float = 0.0
    damages: float = 0.0
    quick: bool = False


LOSSES: Final = Weather(lag=0.8, lost=0.04, unanswered=0.05, nonce=0.5)
STORM: Final = Weather(
    lag=0.8, lost=0.04, refused=0.05, unanswered=0.06, late=0.06, doubled=0.1, nonce=0.5, dateless=0.1
)

MODES: Final = {
    "fair": Mode(),
    "no nonces": Mode(Weather(nonce=0.0)),
    "some nonces": Mode(Weather(nonce=0.5, doubled=0.2)),
    "lagging": Mode(Weather(nonce=0.0, lag=0.8), pace=0.8),
    "busy": Mode(Weather(nonce=0.0), pace=0.4),
    "losses": Mode(LOSSES),
    "storm": Mode(STORM),
    "idle": Mode(Weather(nonce=0.0), seconds=1200.0, pace=40.0),
    "coroutines": Mode(LOSSES, coroutines=3),
    "files": Mode(LOSSES, large=0.4),
    "frozen": Mode(Weather(nonce=0.0), freezes=12.0),
    "cut off": Mode(Weather(nonce=0.5), cuts=15.0, outages=20.0),
    "crashes": Mode(LOSSES, crashes=12.0, large=0.2),
    "garbage": Mode(Weather(nonce=0.3, doubled=0.1, late=0.03), vacuums=4.0, freezes=15.0, large=0.1, quick=True),
    "pushed": Mode(LOSSES, live=True),
    "sql": Mode(LOSSES, sql=True),
    "all at once": Mode(
        STORM, coroutines=2, large=0.2, freezes=20.0, cuts=20.0, outages=40.0, crashes=20.0, vacuums=10.0, quick=True
    ),
    "damage": Mode(Weather(nonce=0.0), damages=20.0, vacuums=30.0),
}
