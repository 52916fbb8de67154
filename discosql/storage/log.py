"""The log of a database: reading it, keeping up with it, and appending to it.

Here is the input and output of the slot chain; what wins is judged in `chain`. Everything is built from readings of the
channel, and what was sent once is sent again unchanged or never, so that no answer that got lost can do harm.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from loguru import logger

from discosql.errors import (
    DatabaseCorruptionError,
    NoAnswerError,
    NotFoundError,
    OperationalError,
    UnavailableError,
    UnknownOutcomeError,
)
from discosql.storage.chain import ORIGIN, Chain, Head, Reading, Timing
from discosql.storage.clock import ServerClock
from discosql.storage.entry import Cover, Draft, Entry, Position, looks_like_entry, read_entry, write_entry
from discosql.storage.guild import MAX_PAGE, Guild, Message, id_time, time_id
from discosql.storage.opening import Base, find_base, is_timely
from discosql.storage.reading import TRIES, body_of, entries_of, read_after, with_retries

TRIM_LIMIT: Final = 30 * 60.0
"""Seconds after which entries that were not read yet may have been collected (H)."""

FRESH: Final = 2.0
"""Seconds for which a reading is recent enough to append without reading again."""

_FIRST_PAUSE: Final = 0.5
_MAX_READINGS: Final = 100


class Follower(Protocol):
    """Who builds the state that the log tells of."""

    def reset(self, cover: Cover | None, body: Any) -> None:
        """Start anew from a checkpoint's state, or from nothing."""

    def apply(self, entry: Entry, body: Any, own: Any) -> None:
        """Take the next entry: a commit's parsed body, or what it was appended with if this process did."""


@dataclass(slots=True)
class Pending:
    """The entry of this session whose slot is not decided. `sent` tells that it may have reached the channel."""

    draft: Draft
    own: Any
    sent: bool = False


class Log:
    """One process's view of a log channel.

    `synced` is a moment of the server's clock not after the last reading began. `cover` is that of the last valid
    checkpoint. `timing` grows when reads turn out to lag more than assumed.
    """

    def __init__(
        self, guild: Guild, channel: int, follower: Follower, randbytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        self.guild = guild
        self.channel = channel
        self.session = randbytes(12).hex()
        self.clock = ServerClock(guild)
        self.timing = Timing(guild.visibility, guild.settle)
        self.chain = Chain(ORIGIN, self.timing)
        self.cover: Cover | None = None
        self.pending: Pending | None = None
        self.synced = float("-inf")
        self._randbytes = randbytes
        self._follower = follower
        self._lock = asyncio.Lock()
        self._acknowledged: dict[int, str] = {}

    @property
    def head(self) -> Head:
        """The winner of the last decided slot."""
        return self.chain.head

    @property
    def is_fresh(self) -> bool:
        """Whether an entry may be appended without reading the log first."""
        return self.head.session == self.session or self.clock.lower_bound() - self.synced <= FRESH

    # Opening ------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Read the log from its newest checkpoint on."""
        async with self._lock:
            await self._open()

    async def _open(self) -> None:
        started = self.clock.lower_bound()
        messages: list[Message] = []
        base: Base | None = None
        pages = 0
        while base is None:
            before = messages[0].id if messages else None
            page = await with_retries(self.guild, partial(self.guild.messages, self.channel, before=before))
            pages += 1
            messages = sorted(page, key=lambda message: message.id) + messages
            oldest = messages[0].id if len(page) == MAX_PAGE else None
            entries = entries_of(self.guild, messages)
            base = find_base(entries, started, self.timing, oldest=oldest, one_page=pages == 1)
        await self._adopt(base)
        self.synced = started
        self._check_damage(messages, started)

    async def _adopt(self, base: Base) -> None:
        bodies = [await body_of(self.guild, winner) for winner in base.winners if winner.entry.kind == "c"]
        checkpoint = base.checkpoint
        manifest = None if checkpoint is None else await body_of(self.guild, checkpoint)
        self.chain = base.chain
        self.cover = None if checkpoint is None else checkpoint.entry.cover
        self._follower.reset(self.cover, manifest)
        remaining = iter(bodies)
        for winner in base.winners:
            own = self._own(winner.entry)
            self._follower.apply(winner.entry, next(remaining) if winner.entry.kind == "c" else None, own)

    # Keeping up ---------------------------------------------------------------------------------------------------

    async def sync(self) -> None:
        """Read what is new in the log and apply what is certain of it."""
        async with self._lock:
            await self._sync()

    async def _sync(self) -> None:
        sent = self.guild.monotonic()
        started = self.clock.lower_bound()
        known = self.chain.known
        cursor = self._cursor()
        messages, pages = await read_after(self.guild, self.channel, cursor)
        if self._may_be_trimmed(sent):
            await self._open()
            return
        if messages:
            self.clock.observe(messages[-1].id)
        entries = entries_of(self.guild, messages)
        late = [entry for entry, message in entries if self.chain.learn(entry, message)]
        if late:
            await self._start_over()
            return
        self._check_recent(entries, messages, cursor, started)
        await self._decide(Reading(started, pages == 1, known))
        self.synced = started
        self._check_damage(messages, started)

    def _cursor(self) -> int:
        head = self.head.message
        if self.timing.instant or head == 0:
            return max(0, head - 1)
        return max(0, time_id(id_time(head) - self.timing.overlap) - 1)

    def _may_be_trimmed(self, sent: float) -> bool:
        if self.synced == float("-inf"):
            return False
        now = self.clock.upper_bound(sent)
        return now is None or now - self.synced > TRIM_LIMIT

    async def _decide(self, reading: Reading) -> None:
        while (winner := self.chain.decide(reading)) is not None:
            entry = winner.entry
            own = self._own(entry)
            body = await body_of(self.guild, winner) if own is None and entry.kind == "c" else None
            self.chain.advance(winner)
            if self._is_valid_checkpoint(entry, winner.message):
                self.cover = entry.cover
            self._follower.apply(entry, body, own)

    def _own(self, entry: Entry) -> Any:
        pending = self.pending
        return pending.own if pending is not None and pending.draft.entry.id == entry.id else None

    def _is_valid_checkpoint(self, entry: Entry, message: Message) -> bool:
        if entry.cover is None or not is_timely(entry, message):
            return False
        return self.cover is None or entry.cover.slot > self.cover.slot

    # Appending ----------------------------------------------------------------------------------------------------

    def draft(self, body: Any, title: str, cover: Cover | None = None) -> Draft | None:
        """Return an entry for the next slot, or None if its body is too large for a message."""
        salt = self._randbytes(4).hex()
        position = Position(self.channel, self.head.slot + 1, self.head.id, self.session, salt)
        limits = {"file_limit": self.guild.file_limit, "post_limit": self.guild.post_limit}
        return write_entry(position, body, title, cover=cover, **limits)

    async def append(self, draft: Draft, own: Any) -> bool:
        """Post an entry and wait until its slot is decided; return whether it won.

        Raises UnknownOutcomeError when that cannot be found out; the entry stays pending and `resolve` must come before
        another. Any other error means that nothing was done.
        """
        self.pending = Pending(draft, own)
        try:
            await self._post(self.pending)
            return await self._settle(self.pending)
        except OperationalError as exc:
            if not self.pending.sent:
                self.pending = None
                raise
            raise UnknownOutcomeError(
                f"the guild did not answer: whether entry #{draft.entry.slot} was stored is not known"
            ) from exc

    async def resolve(self) -> tuple[Pending, bool] | None:
        """Find out what became of a pending entry, by sending it again; None if there is none."""
        pending = self.pending
        if pending is None:
            return None
        try:
            if not self._is_decided(pending.draft):
                await self._post(pending)
            return pending, await self._settle(pending)
        except OperationalError as exc:
            raise UnknownOutcomeError(
                f"the guild does not answer: whether entry #{pending.draft.entry.slot} was stored is not known"
            ) from exc

    async def _post(self, pending: Pending) -> None:
        pause = _FIRST_PAUSE
        draft = pending.draft
        nonce: str | None = draft.nonce
        for attempt in range(TRIES):
            try:
                message = await self.guild.post(self.channel, draft.text, draft.files, nonce=nonce)
            except (UnavailableError, NoAnswerError, NotFoundError) as exc:
                pending.sent = pending.sent or not isinstance(exc, UnavailableError)
                if isinstance(exc, NotFoundError):
                    # The message of that nonce was deleted; without one the same bytes can still be stored.
                    nonce = None
                if attempt == TRIES - 1:
                    raise
                await self.guild.sleep(pause)
                pause *= 2
            else:
                pending.sent = True
                self.clock.observe(message.id)
                self._learn_answer(message)
                return

    def _learn_answer(self, message: Message) -> None:
        # It may be another session's message with the same nonce: then ours does not exist, and this one is a rival.
        entry = read_entry(message)
        if entry is not None and not message.edited:
            self.chain.learn(entry, message)

    async def _settle(self, pending: Pending) -> bool:
        draft = pending.draft
        for _ in range(_MAX_READINGS):
            await self.sync()
            if self._is_decided(draft):
                break
            certain = self.chain.certain_at
            left = 0.0 if certain is None else certain - self.clock.lower_bound()
            await self.guild.sleep(max(left, self.timing.visibility / 4))
        else:
            raise NoAnswerError(f"entry #{draft.entry.slot} was posted but does not appear in the log")
        self.pending = None
        winner = self.chain.winners.get(draft.entry.slot)
        if winner is None:
            raise UnknownOutcomeError(f"whether entry #{draft.entry.slot} was stored can no longer be found out")
        if winner == draft.entry.id:
            self._acknowledged[draft.entry.slot] = draft.entry.id
        return winner == draft.entry.id

    def _is_decided(self, draft: Draft) -> bool:
        return self.head.slot >= draft.entry.slot

    # Alarms -------------------------------------------------------------------------------------------------------

    async def _start_over(self) -> None:
        """A late message changes what was decided: reads lag more than assumed. Assume more, and read all again."""
        self.timing = Timing(max(2 * self.timing.visibility, 1.0), max(2 * self.timing.settle, 1.0))
        logger.error("a late entry changes the log of {}; reading it again", self.guild.name)
        await self._open()
        lost = [slot for slot, entry in self._acknowledged.items() if self.chain.winners.get(slot, entry) != entry]
        if lost:
            self._acknowledged = {slot: i for slot, i in self._acknowledged.items() if slot not in lost}
            raise OperationalError(f"commits that were acknowledged have been lost: entries {sorted(lost)} of the log")

    def _check_recent(
        self, entries: Sequence[tuple[Entry, Message]], messages: Sequence[Message], cursor: int, started: float
    ) -> None:
        """Raise DatabaseCorruptionError if an entry that was read before is gone or was edited."""
        seen = {entry.id for entry, _ in entries}
        for winner in self.chain.recent_winners:
            message = winner.message
            if message.id <= cursor or winner.entry.id in seen or started < winner.time + self.timing.visibility:
                continue
            edited = any(other.id == message.id for other in messages)
            raise DatabaseCorruptionError(
                f"entry #{winner.entry.slot} of the log was {'changed' if edited else 'deleted'}: message {message.id} "
                f"of channel {self.channel}"
            )

    def _check_damage(self, messages: Sequence[Message], started: float) -> None:
        for message in messages:
            if message.id > self.head.message and self._is_damaged(message):
                raise DatabaseCorruptionError(
                    f"slot {self.head.slot + 1} of the log cannot be read: message {message.id} of channel "
                    f"{self.channel} was {'edited' if message.edited else 'damaged'}"
                )
        orphan = self.chain.orphan()
        # Its author had read the parent, so a reading that began 2Δ later would show the parent if it still existed.
        if orphan is not None and started >= orphan.time + 2 * self.timing.visibility:
            raise DatabaseCorruptionError(
                f"slot {orphan.entry.slot - 1} of the log is missing: entry #{orphan.entry.slot} in message "
                f"{orphan.message.id} of channel {self.channel} follows an entry that is not there"
            )

    def _is_damaged(self, message: Message) -> bool:
        if message.author != self.guild.account or not looks_like_entry(message):
            return False
        return message.edited or read_entry(message) is None
