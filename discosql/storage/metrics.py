"""Metrics: what a database tells a program of its work while it happens.

=============  =============================  =================================================
name           label                          value
=============  =============================  =================================================
``request``    kind: ``post``, ``messages``…  seconds until its answer, waits included
``wait``       why, see `WAITS`               seconds that are about to be waited, or just were
``commit``                                    transactions that were joined into one entry
``conflict``                                  1: a transaction was refused
``checkpoint`` ``written`` or ``given up``    seconds it took
=============  =============================  =================================================
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

WAITS: Final = ("rate limit", "outage", "settling")
"""Why requests wait: Discord lets no more through for now; it did not answer or refused; a slot of the log that several
processes may write to is not decided yet."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One measurement."""

    name: str
    label: str
    value: float


Observer: TypeAlias = Callable[[Metric], object]
"""Called with every measurement in the thread that makes requests. Must be quick: what it raises ends the operation."""


@dataclass(slots=True)
class Activity:
    """What an engine has done since it was opened.

    `commits` are transactions stored, `entries` the messages that these were joined into, `conflicts` transactions
    refused because of others, `unknown` those whose outcome was left open, `checkpoints` those written.
    """

    commits: int = 0
    entries: int = 0
    conflicts: int = 0
    unknown: int = 0
    checkpoints: int = 0
