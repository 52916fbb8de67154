"""Which entry wins a slot: the rules that judge messages, as plain computation.

Every entry names its slot and its parent, the entry that won the slot before. The entries that name the winner of
slot n as parent are the *candidates* of slot n+1. Among them the lowest message id wins, except that the *owner*, the
session that won slot n, has precedence as long as its candidate is at most SETTLE younger. Everybody who reads long
enough sees the same candidates and so the same winner; `Chain.decide` says when long enough is.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from discosql.storage.entry import GENESIS, Entry
from discosql.storage.guild import Message, id_time

OVERLAP: Final = 3.0
"""Seconds below the head that every sync reads again, for messages that were created late with a low id."""

_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class Candidate:
    """An entry that may win a slot; `message` is its lowest known copy, whose time counts."""

    entry: Entry
    message: Message

    @property
    def time(self) -> float:
        """When it was posted, by the server's clock."""
        return id_time(self.message.id)


@dataclass(frozen=True, slots=True)
class Head:
    """The winner of the last decided slot. `message` is 0 before the first entry."""

    slot: int
    id: str
    session: str
    message: int


ORIGIN: Final = Head(0, GENESIS, "", 0)
"""The head of an empty log."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How a guild's reads lag: Δ and SETTLE in seconds, both 0 where reads are linearizable.

    SETTLE decides who wins and must be the same for everybody; Δ only says how long to wait, and may grow.
    """

    visibility: float
    settle: float

    @property
    def instant(self) -> bool:
        """Whether what a read shows is all that there will ever be below its newest message."""
        return self.visibility == 0 and self.settle == 0

    @property
    def overlap(self) -> float:
        """Seconds below the head that a sync reads again."""
        return 0.0 if self.instant else max(OVERLAP, 3 * self.visibility)


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the log: a lower bound of the server's clock before it began, and whether it was one page.

    `known` holds the ids of entries that were known before it began.
    """

    started: float
    one_page: bool
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Decision:
    """A decided slot that a late message could still touch."""

    parent: Head
    winner: str


def winner_of(candidates: Iterable[Candidate], owner: str, settle: float) -> Candidate:
    """Return the candidate that wins its slot, given the session that won the slot before."""
    ordered = sorted(candidates, key=lambda candidate: candidate.message.id)
    first = ordered[0]
    own = next((candidate for candidate in ordered if candidate.entry.session == owner), first)
    return own if own.time <= first.time + settle else first


class Chain:
    """What is known of the log from a base on: the head, and the candidates above and just below it.

    `winners` has the ids of the newest decided slots.
    """

    def __init__(self, base: Head, timing: Timing) -> None:
        self.base = base
        self.head = base
        self.timing = timing
        self.winners: dict[int, str] = {base.slot: base.id}
        # Candidates by slot and parent, then by id.
        self._children: dict[tuple[int, str], dict[str, Candidate]] = {}
        self._known: set[str] = set()
        self._recent: deque[_Decision] = deque()

    # Learning -----------------------------------------------------------------------------------------------------

    def is_known(self, entry_id: str) -> bool:
        """Tell whether an entry was learned."""
        return entry_id in self._known

    @property
    def known(self) -> frozenset[str]:
        """The ids of the entries that may win the next slot."""
        return frozenset(self._candidates())

    def _candidates(self) -> dict[str, Candidate]:
        return self._children.get((self.head.slot + 1, self.head.id), {})

    def learn(self, entry: Entry, message: Message) -> bool:
        """Note a message that carries an entry; return whether it changes the winner of a decided slot.

        Entries that nothing decided or undecided can come of are ignored.
        """
        if entry.slot <= self.base.slot or (entry.slot <= self.head.slot and not self._is_recent(entry)):
            return False
        siblings = self._children.setdefault((entry.slot, entry.parent), {})
        candidate = siblings.get(entry.id)
        if candidate is None:
            siblings[entry.id] = Candidate(entry, message)
            self._known.add(entry.id)
        elif message.id < candidate.message.id:
            candidate.message = message
        decision = next((made for made in self._recent if made.parent.id == entry.parent), None)
        if decision is None:
            return False
        return winner_of(siblings.values(), decision.parent.session, self.timing.settle).entry.id != decision.winner

    def _is_recent(self, entry: Entry) -> bool:
        # Losers have children too, as long as their authors do not know that they lost.
        return entry.parent in self._known or any(decision.parent.id == entry.parent for decision in self._recent)

    # Deciding -----------------------------------------------------------------------------------------------------

    def decide(self, reading: Reading) -> Candidate | None:
        """Return the winner of the next slot if it is certain after a reading; `advance` makes it the head."""
        candidates = self._candidates()
        if not candidates:
            return None
        best = winner_of(candidates.values(), self.head.session, self.timing.settle)
        if self.timing.instant:
            return best
        # A rival that beats the owner is older by SETTLE, so it was visible when the owner's entry was created, unless
        # reads turned out to lag by more than that.
        is_own = best.entry.session == self.head.session and self.timing.visibility <= self.timing.settle
        if is_own and (reading.one_page or best.entry.id in reading.known):
            return best
        return best if reading.started >= self._certain_at(candidates) else None

    def _certain_at(self, candidates: dict[str, Candidate]) -> float:
        first = min(candidate.time for candidate in candidates.values())
        return first + self.timing.settle + self.timing.visibility

    @property
    def certain_at(self) -> float | None:
        """The server time from which a reading decides the next slot; None while it has no candidate."""
        candidates = self._candidates()
        return self._certain_at(candidates) if candidates else None

    def advance(self, winner: Candidate) -> None:
        """Make the winner of the next slot the head."""
        entry = winner.entry
        self._recent.append(_Decision(self.head, entry.id))
        self.head = Head(entry.slot, entry.id, entry.session, winner.message.id)
        self.winners[entry.slot] = entry.id
        if len(self.winners) > 2 * _REMEMBERED:
            self.winners = dict(list(self.winners.items())[-_REMEMBERED:])
        limit = winner.time - self.timing.overlap
        while len(self._recent) > 1 and id_time(self._recent[1].parent.message) < limit:
            old = self._recent.popleft()
            self._forget((old.parent.slot + 1, old.parent.id), old.winner)

    def _forget(self, place: tuple[int, str], winner: str = "") -> None:
        for entry_id in self._children.pop(place, ()):
            self._known.discard(entry_id)
            if entry_id != winner:
                self._forget((place[0] + 1, entry_id))

    @property
    def recent_winners(self) -> list[Candidate]:
        """The winners of the slots that are still held against late messages, oldest first."""
        return [self._children[made.parent.slot + 1, made.parent.id][made.winner] for made in self._recent]

    def orphan(self) -> Candidate | None:
        """Return the lowest entry above the head whose parent is not known, or None."""
        orphans = [
            candidate
            for (slot, parent), children in self._children.items()
            if slot > self.head.slot and parent not in self._known and parent != self.head.id
            for candidate in children.values()
        ]
        return min(orphans, key=lambda candidate: (candidate.entry.slot, candidate.message.id), default=None)
