"""Where to start reading a log: the newest checkpoint that is certain to be valid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from discosql.storage.chain import ORIGIN, Candidate, Chain, Head, Reading, Timing
from discosql.storage.entry import Cover, Entry
from discosql.storage.guild import MAX_PAGE, Guild, Message, id_time, time_id
from discosql.storage.reading import entries_of, unlocked, with_retries
from discosql.storage.sealing import Keyring

SEGMENT: Final = 30 * 60.0
"""Seconds within which the pages of a checkpoint must be followed by its entry (T_seg)."""


@dataclass(frozen=True, slots=True)
class Base:
    """Where the state starts: the checkpoint adopted (None: an empty database), and the decided chain above it.

    `winners` are the entries from the base on, oldest first.
    """

    checkpoint: Candidate | None
    chain: Chain
    winners: tuple[Candidate, ...]


def is_timely(entry: Entry, message: Message) -> bool:
    """Tell whether an entry came soon enough after the pages or parts posted for it, so that none can be collected.

    What came too late has no effect, though it takes its slot.
    """
    return entry.oldest == 0 or id_time(message.id) - id_time(entry.oldest) <= SEGMENT


class BaseSearch:
    """Reads a log backwards from its end until there is a base to start from.

    `messages` are those read so far, in the order of their ids. `needed` is the highest slot of a refused checkpoint.
    """

    def __init__(self, guild: Guild, channel: int, started: float, timing: Timing, keyring: Keyring) -> None:
        self.messages: list[Message] = []
        self.needed = 0
        self._guild = guild
        self._channel = channel
        self._started = started
        self._timing = timing
        self._keyring = keyring
        self._entries: list[tuple[Entry, Message]] = []
        self._pages = 0
        self._complete = False
        self._refused: list[Cover] = []

    def refuse(self, checkpoint: Entry) -> None:
        """Do not take a checkpoint, which cannot be read."""
        assert checkpoint.cover is not None
        self._refused.append(checkpoint.cover)
        self.needed = max(self.needed, checkpoint.slot)

    async def find(self) -> Base:
        """Return the newest base that was not refused; an empty database if there is none in the whole log."""
        if not self._pages:
            await self._read()
        while True:
            base = find_base(
                self._entries,
                self._started,
                self._timing,
                oldest=None if self._complete else self.messages[0].id,
                one_page=self._pages == 1,
                usable=lambda cover: cover not in self._refused,
            )
            if base is not None:
                return base
            await self._read()

    async def _read(self) -> None:
        before = self.messages[0].id if self.messages else None
        page = await with_retries(self._guild, partial(self._guild.messages, self._channel, before=before))
        self._pages += 1
        self._complete = len(page) < MAX_PAGE
        self._entries += entries_of(self._guild, page, self._keyring)
        self.messages = [*sorted(page, key=lambda message: message.id), *self.messages]


async def opened_base(base: Base, keyring: Keyring) -> Base:
    """Return a base all of whose winners can be read. Raises EncryptionKeyError if one cannot."""
    winners = tuple([await unlocked(winner, keyring) for winner in base.winners])
    checkpoint = base.checkpoint
    if checkpoint is not None:
        checkpoint = next(winner for winner in winners if winner.entry.id == checkpoint.entry.id)
    return Base(checkpoint, base.chain, winners)


def find_base(
    entries: Sequence[tuple[Entry, Message]],
    started: float,
    timing: Timing,
    *,
    oldest: int | None,
    one_page: bool,
    usable: Callable[[Cover], bool] = lambda cover: True,
) -> Base | None:
    """Return the base that these entries of the log give, or None if older ones must be read first.

    `oldest` is the id from which on all messages are at hand, None if it is the whole channel. `usable` tells which
    checkpoints may be taken.
    """
    for entry, _ in sorted(entries, key=lambda pair: -pair[0].slot):
        cover = entry.cover
        if cover is None or not usable(cover) or (oldest is not None and _first_needed(cover, timing) < oldest):
            continue
        head = Head(cover.slot, cover.id, cover.session, cover.message)
        chain, winners = walk(head, entries, started, timing, one_page=one_page)
        adopted = _valid_winner(winners, entry)
        if adopted is not None:
            return Base(adopted, chain, winners)
    if oldest is not None:
        return None
    return Base(None, *walk(ORIGIN, entries, started, timing, one_page=one_page))


def _first_needed(cover: Cover, timing: Timing) -> int:
    if timing.instant:
        return cover.message
    return time_id(id_time(cover.message) - timing.overlap)


def walk(
    base: Head, entries: Sequence[tuple[Entry, Message]], started: float, timing: Timing, *, one_page: bool
) -> tuple[Chain, tuple[Candidate, ...]]:
    """Return the chain above a base as far as entries decide it, and its winners, oldest first."""
    chain = Chain(base, timing)
    for entry, message in sorted(entries, key=lambda pair: pair[1].id):
        chain.learn(entry, message)
    winners = []
    reading = Reading(started, one_page, frozenset())
    while (winner := chain.decide(reading)) is not None:
        chain.advance(winner)
        winners.append(winner)
    return chain, tuple(winners)


def _valid_winner(winners: Sequence[Candidate], wanted: Entry) -> Candidate | None:
    """Return the winner that is the wanted checkpoint, if no earlier one on the walk covers as much."""
    assert wanted.cover is not None
    for winner in winners:
        cover = winner.entry.cover
        if cover is None or not is_timely(winner.entry, winner.message):
            continue
        if winner.entry.id == wanted.id:
            return winner
        if cover.slot >= wanted.cover.slot:
            return None
    return None
