"""What happened in a run: for the ledger, which judges it, and for people, who read it when a run fails."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from discosql.storage.entry import read_entry
from discosql.storage.guild import Message, id_time

Rows: TypeAlias = tuple[tuple[Any, ...], ...]
"""Rows of a table in order, without their rowids."""

Outcome: TypeAlias = Literal["running", "acknowledged", "refused", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Read:
    """Rows that were read: those of a table whose `column` has a value; column -1 stands for the whole table."""

    table: str
    column: int
    value: Any
    rows: Rows


@dataclass(slots=True)
class Attempt:
    """A transaction as its program saw it. It puts a row with its name into the journal, so that it can be found.

    `refused` and `failed` mean that nothing was stored, `unknown` may be asked for by `transaction`. `exact` may check
    its row in the journal against the tables as they were just before.
    """

    name: str
    process: str
    started: float
    ended: float = 0.0
    outcome: Outcome = "running"
    reads: list[Read] = field(default_factory=list)
    transaction: str = ""
    told: bool | None = None
    exact: Callable[[dict[str, dict[int, Any]], tuple[Any, ...]], bool] | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """A whole table as somebody saw it at a slot; `asked` is when a reading of the latest state began, else 0."""

    process: str
    slot: int
    table: str
    rows: Rows
    asked: float = 0.0


class History:
    """Everything that was done and seen in a run."""

    def __init__(self) -> None:
        self.events: list[tuple[float, str, str, Any]] = []
        self.attempts: dict[str, Attempt] = {}
        self.sights: list[Sight] = []
        self.closed = False

    def note(self, who: str, what: str, detail: Any = "") -> None:
        if not self.closed:
            self.events.append((asyncio.get_running_loop().time(), who, what, detail))

    def begin(self, process: str, name: str) -> Attempt:
        attempt = self.attempts[name] = Attempt(name, process, asyncio.get_running_loop().time())
        return attempt

    def end(self, attempt: Attempt, outcome: Outcome, why: object = "") -> None:
        attempt.outcome, attempt.ended = outcome, asyncio.get_running_loop().time()
        self.note(attempt.process, f"{attempt.name} {outcome}", why)

    def text(self, winners: Sequence[Message] = ()) -> str:
        """Return all of it, a line an event; posts that won their slot have a star."""
        won = {message.id for message in winners}
        return "\n".join(f"{time:9.3f} {who}: {what} {_shown(detail, won)}" for time, who, what, detail in self.events)

    def trace(self) -> str:
        """Return all of it in a form that can be compared."""
        return "\n".join(map(repr, self.events))


def _shown(detail: Any, won: set[int]) -> str:
    if isinstance(detail, Message):
        entry = read_entry(detail)
        star = "*" if detail.id in won else " "
        told = "no entry" if entry is None else f"#{entry.slot} {entry.id[:6]} after {entry.parent[:6]}"
        return f"{star} {detail.id} (id time {id_time(detail.id) % 10_000:.3f}) {told}"
    if isinstance(detail, str) and "```" in detail:
        return f"{detail.splitlines()[0]} [{detail[-24:][:6]}]"
    return f"{detail:.3f} s" if isinstance(detail, float) else str(detail)
