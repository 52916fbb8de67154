"""What a running statement is given and what it gives back."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Final

from discosql.types import Row, Value

if TYPE_CHECKING:
    from discosql.executor.writes.triggers import Triggers
    from discosql.planner.plan import OutputColumn
    from discosql.storage.engine import Pending, ReadView, WriteView

# The system's source: seeding one of our own for each statement would cost more than a lookup by key does, and
# processes that were forked off would share what follows from one seed.
_RANDOM: Final = SystemRandom()


@dataclass(slots=True)
class SessionState:
    """What SQL can see of a connection: counters and settings that outlive a statement.

    `in_transaction` tells of a transaction that outlives a statement, within which `foreign_keys` stays as it is.
    `deferred_keys` is what the open transaction must still check of deferred foreign keys, by child table and number of
    the key; `foreign_keys.check_deferred` does so before a commit. `commits` counts those of the connection itself.
    """

    last_insert_rowid: int = 0
    changes: int = 0
    total_changes: int = 0
    foreign_keys: bool = True
    case_sensitive_like: bool = False
    defer_foreign_keys: bool = False
    in_transaction: bool = False
    recursive_triggers: bool = False
    query_only: bool = False
    commits: int = 0
    deferred_keys: dict[tuple[int, int], set[tuple[Value, ...]]] = field(default_factory=dict)

    def count(self, result: Result) -> None:
        """Take note of what a statement changed."""
        if result.last_rowid is not None:
            self.last_insert_rowid = result.last_rowid
        if result.rowcount >= 0:
            self.changes = result.rowcount
            self.total_changes += result.rowcount

    def end_transaction(self) -> None:
        """Forget what holds for one transaction only."""
        self.deferred_keys.clear()
        self.defer_foreign_keys = False
        self.in_transaction = False


@dataclass(slots=True)
class Context:
    """The surroundings of one execution.

    `parameters` are SQL values, `now` is one moment for the whole statement (UTC), `collations` maps the upper-case
    names of user-defined collations to functions that return a negative, zero or positive number. `past` gives the view
    as of a moment (FOR SYSTEM_TIME AS OF), or what to fetch: its `fetch` returns the view. `timeless` names what is
    computed without regard to `now`, such as ``a CHECK constraint``: functions that would look at it then refuse.
    `stats` gives the figures of discosql_stats.
    `triggers` are those that a running statement may fire, None if there are none.
    """

    view: WriteView
    parameters: tuple[Value, ...] = ()
    state: SessionState = field(default_factory=SessionState)
    now: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    random: Random = _RANDOM
    collations: Mapping[str, Callable[[str, str], int]] = field(default_factory=dict)
    past: Callable[[Value], ReadView | Pending] | None = None
    timeless: str | None = None
    stats: Callable[[], Mapping[str, float]] = dict
    triggers: Triggers | None = None


@dataclass(slots=True)
class Result:
    """What a statement returns. `columns` is None for a statement without rows.

    `rowcount` counts changed rows and is -1 for queries and schema changes; `last_rowid` is the rowid of the last
    inserted row, None if none was.
    """

    columns: tuple[OutputColumn, ...] | None = None
    rows: list[Row] = field(default_factory=list)
    rowcount: int = -1
    last_rowid: int | None = None
