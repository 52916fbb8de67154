"""Reading the log of a database and keeping up with it.

Here is the input of the slot chain; what wins is judged in `chain`. Everything is built from readings of the channel.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from loguru import logger

from discosql.errors import DatabaseCorruptionError, GuildError, OperationalError
from discosql.storage.chain import ORIGIN, Candidate, Chain, Head, Reading, Timing
from discosql.storage.clock import ServerClock
from discosql.storage.entry import Cover, Draft, Entry, looks_like_entry, read_entry
from discosql.storage.guild import Guild, Message, id_time, time_id
from discosql.storage.opening import Base, BaseSearch, is_timely, opened_base
from discosql.storage.reading import body_of, entries_of, read_after, unlocked
from discosql.storage.sealing import Keyring

TRIM_LIMIT: Final = 30 * 60.0
"""Seconds after which entries that were not read yet may have been collected (H)."""

_MAX_WAITS: Final = 20
"""Readings after which `catch_up` leaves the rest to later ones: others commit faster than slots are decided."""


class Follower(Protocol):
    """Who builds the state that the log tells of."""

    def reset(self, checkpoint: Candidate | None, body: Any) -> None:
        """Start anew from a checkpoint's state, or from nothing."""

    def apply(self, entry: Entry, body: Any) -> None:
        """Take the next entry. `body` is what it was appended with if this process did, else its parsed body.

        It is None for a checkpoint, and for what has no effect.
        """

    def adopt(self, checkpoint: Candidate, body: Any) -> None:
        """Take a valid checkpoint that was applied before; `body` as for `apply`."""


@dataclass(slots=True)
class Pending:
    """The entry of this session whose slot is not decided.

    `sent` tells that it may have reached the channel, `won` that it won its slot and took effect. `message` is where it
    was stored, as far as that is known, and `answered` the local moment of that answer.
    """

    draft: Draft
    own: Any
    sent: bool = False
    won: bool = False
    message: int = 0
    answered: float = 0.0


class LogReader:
    """One process's view of a log channel: what it has read, and the entry of its own that is not decided.

    `synced` is a moment of the server's clock not after the last reading began; `hinted` tells that the channel is
    known to have changed since. `cover` is that of the last valid checkpoint. `timing` grows when reads turn out to lag
    more than assumed. `newest` is the newest message that the channel is known to have had when it was opened.
    """

    def __init__(
        self,
        guild: Guild,
        channel: int,
        follower: Follower,
        randbytes: Callable[[int], bytes] = os.urandom,
        keyring: Keyring | None = None,
    ) -> None:
        self.guild = guild
        self.channel = channel
        self.keyring = keyring or Keyring(log=channel)
        self.session = randbytes(12).hex()
        self.clock = ServerClock(guild)
        self.timing = Timing(guild.visibility, guild.settle)
        self.chain = Chain(ORIGIN, self.timing)
        self.cover: Cover | None = None
        self.pending: Pending | None = None
        self.synced = float("-inf")
        self.hinted = False
        self.newest = 0
        self._newer: Candidate | None = None
        self.randbytes = randbytes
        self._follower = follower
        self._lock = asyncio.Lock()
        self.readings = 0  # begun so far
        self._answered = 0  # the last of them that succeeded
        self.acknowledged: dict[int, str] = {}

    @property
    def head(self) -> Head:
        """The winner of the last decided slot."""
        return self.chain.head

    # Opening ------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Read the log from its newest checkpoint on, and wait until it is certain what became of all that was seen."""
        async with self._lock:
            last = await self._open()
        if last < self.newest:
            await self._check_end()
        orphan = self.chain.orphan()
        if orphan is not None:
            await self.guild.wait("settling", self.clock.until(orphan.time + 2 * self.timing.visibility))
            await self.sync()
        await self._decide_all_seen()

    async def _open(self) -> int:
        """Start from the newest checkpoint that can be read; return the newest message of the channel, 0 for none."""
        while True:
            sent, started = self.guild.monotonic(), self.clock.lower_bound()
            try:
                return await self._open_at(started)
            except DatabaseCorruptionError:
                # What is missing may have been replaced while this process was frozen.
                if not self._was_frozen(sent, started):
                    raise

    async def _open_at(self, started: float) -> int:
        search = BaseSearch(self.guild, self.channel, started, self.timing, self.keyring)
        lost: DatabaseCorruptionError | None = None
        while True:
            base = await opened_base(await search.find(), self.keyring)
            checkpoint = base.checkpoint
            try:
                manifest = None if checkpoint is None else await body_of(self.guild, checkpoint)
                break
            except DatabaseCorruptionError as exc:
                # What the pages of an older one and the log after it come to is the same.
                logger.warning("{}; going back to an older checkpoint", exc)
                lost = lost or exc
                assert checkpoint is not None
                search.refuse(checkpoint.entry)
        await self._adopt(base, manifest)
        if lost is not None and self.head.slot < search.needed:
            raise lost
        self.synced = started
        if search.messages:
            self.clock.observe(search.messages[-1].id)
        self._check_damage(search.messages, started)
        return search.messages[-1].id if search.messages else 0

    async def _check_end(self) -> None:
        """Raise DatabaseCorruptionError if the newest message that the channel ever had has been deleted."""
        self.clock.observe(self.newest)
        await self.guild.wait("settling", self.clock.until(id_time(self.newest) + self.timing.visibility))
        messages, _ = await read_after(self.guild, self.channel, self.newest - 1)
        if not messages:
            raise DatabaseCorruptionError(
                f"the end of the log is missing: message {self.newest} of channel {self.channel} was the newest "
                f"and has been deleted; it may have held slot {self.head.slot + 1}"
            )
        await self.sync()

    async def _adopt(self, base: Base, manifest: Any) -> None:
        if not base.winners and self.keyring.current is None:
            self.keyring.current = await self.keyring.create()
        bodies = {
            winner.entry.id: await body_of(self.guild, winner)
            for winner in base.winners
            if winner.entry.kind == "c" and is_timely(winner.entry, winner.message)
        }
        checkpoint = base.checkpoint
        self.chain = base.chain
        self.cover = None if checkpoint is None else checkpoint.entry.cover
        self._newer = None
        self._follower.reset(checkpoint, manifest)
        for winner in base.winners:
            self._tell(winner, bodies.get(winner.entry.id), self._own(winner.entry))

    # Keeping up ---------------------------------------------------------------------------------------------------

    async def sync(self, since: int | None = None) -> None:
        """Read what is new in the log and apply what is certain of it.

        Those who ask while it is being read share the next reading. With `since`, a value of `readings`, one that began
        after that will do.
        """
        since = self.readings if since is None else since
        async with self._lock:
            if self._answered <= since:
                self.readings += 1
                await self._sync()
                self._answered = self.readings

    async def catch_up(self) -> None:
        """Wait until what is in the log now is decided: at most the time that a slot stays open, else no time at all.

        A process that starts right after another has committed must see that commit.
        """
        for _ in range(_MAX_WAITS):
            certain = self.chain.certain_at
            if certain is None:
                return
            left = self.clock.until(certain)
            await self.guild.wait("settling", max(left, self.timing.visibility / 4))
            await self.sync()

    async def sync_to_latest(self) -> None:
        """Read until everything is certain that was posted before the call."""
        await self.guild.wait("settling", self.timing.visibility)
        await self.sync()
        await self._decide_all_seen()

    async def _decide_all_seen(self) -> None:
        while (certain := self.chain.certain_at) is not None:
            await self.guild.wait("settling", max(self.clock.until(certain), self.timing.visibility / 4))
            await self.sync()

    async def _sync(self) -> None:
        # What happened up to now, our own posts above all, will be in this reading; hints from now on may not.
        self.guild.poll()
        hinted, self.hinted = self.hinted, False
        try:
            await self._read_on()
        except BaseException:
            self.hinted = self.hinted or hinted
            raise

    async def _read_on(self) -> None:
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
        entries = entries_of(self.guild, messages, self.keyring)
        late = [entry for entry, message in entries if self.chain.learn(entry, message)]
        if late:
            await self._start_over()
            return
        self._measure_lag(messages, sent)
        gone = self._check_recent(entries, messages, cursor, started)
        if gone is not None:
            await self._open_without(gone)
            return
        # Before deciding: an entry of our own must not win on a chain that others have left.
        self._check_orphan(started)
        try:
            await self._decide(Reading(started, pages == 1, known))
        except DatabaseCorruptionError:
            # A process that was frozen since the reading finds files gone that others have replaced.
            if not self._may_be_trimmed(sent):
                raise
            await self._open()
            return
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

    def _was_frozen(self, sent: float, started: float) -> bool:
        now = self.clock.upper_bound(sent)
        return now is not None and now - started > TRIM_LIMIT

    async def _decide(self, reading: Reading) -> None:
        while (winner := self.chain.decide(reading)) is not None:
            winner = await unlocked(winner, self.keyring)
            own = self._own(winner.entry)
            body = None
            if own is None and winner.entry.kind == "c" and is_timely(winner.entry, winner.message):
                body = await body_of(self.guild, winner)
            self.chain.advance(winner)
            self._tell(winner, body, own)
        if self._newer is not None:
            await self._adopt_newer(self._newer)

    def _tell(self, winner: Candidate, body: Any, own: Any) -> None:
        """Let the follower take a winner. One that came too late has no effect but to take its slot."""
        entry = winner.entry
        self.keyring.current = entry.seal
        timely = is_timely(entry, winner.message)
        if own is not None and self.pending is not None:
            self.pending.won = timely
        if entry.cover is None:
            self._follower.apply(entry, (body if own is None else own) if timely else None)
            return
        self._follower.apply(entry, None)
        if timely and (self.cover is None or entry.cover.slot > self.cover.slot):
            self.cover = entry.cover
            self._newer = winner
            if own is not None:
                self._newer = None
                self._follower.adopt(winner, own)

    async def _adopt_newer(self, checkpoint: Candidate) -> None:
        """Let the follower take a checkpoint of another process. It can do without."""
        try:
            body = await body_of(self.guild, checkpoint)
        except GuildError as exc:
            logger.warning("the checkpoint in entry #{} cannot be read now: {}", checkpoint.entry.slot, exc)
        except DatabaseCorruptionError as exc:
            self._newer = None
            logger.warning("{}; going on without that checkpoint", exc)
        else:
            self._newer = None
            self._follower.adopt(checkpoint, body)

    def _own(self, entry: Entry) -> Any:
        pending = self.pending
        return pending.own if pending is not None and pending.draft.entry.id == entry.id else None

    # Alarms -------------------------------------------------------------------------------------------------------

    def _measure_lag(self, messages: Sequence[Message], sent: float) -> None:
        """Assume more lag if a reading missed our own post for longer than half of what is assumed."""
        pending = self.pending
        if pending is None or not pending.message or self.timing.instant:
            return
        missed = all(message.id != pending.message for message in messages)
        if missed and sent - pending.answered > self.timing.visibility / 2:
            logger.warning("{} shows messages late; waiting longer from now on", self.guild.name)
            self._lag_more()

    def _lag_more(self) -> None:
        self.timing = self.chain.timing = replace(self.timing, visibility=max(2 * self.timing.visibility, 1.0))

    async def _start_over(self) -> None:
        """A late message changes what was decided: reads lag more than assumed. Assume more, and read all again."""
        self._lag_more()
        logger.error("a late entry changes the log of {}; reading it again", self.guild.name)
        await self._open()
        lost = [slot for slot, entry in self.acknowledged.items() if self.chain.winners.get(slot, entry) != entry]
        if lost:
            self.acknowledged = {slot: i for slot, i in self.acknowledged.items() if slot not in lost}
            raise OperationalError(f"commits that were acknowledged have been lost: entries {sorted(lost)} of the log")

    def _check_recent(
        self, entries: Sequence[tuple[Entry, Message]], messages: Sequence[Message], cursor: int, started: float
    ) -> Candidate | None:
        """Return an entry that was read before and is gone. Raises DatabaseCorruptionError if one was edited."""
        seen = {entry.id for entry, _ in entries}
        for winner in self.chain.recent_winners:
            message = winner.message
            if message.id <= cursor or winner.entry.id in seen or started < winner.time + self.timing.visibility:
                continue
            if all(other.id != message.id for other in messages):
                return winner
            raise self._damage(winner, "changed")
        return None

    async def _open_without(self, gone: Candidate) -> None:
        """Start anew, as others have removed an entry after a checkpoint; if there is none, it is damage."""
        slot = gone.entry.slot
        await self._open()
        if self.chain.base.slot < slot and self.chain.winners.get(slot) != gone.entry.id:
            raise self._damage(gone, "deleted")

    def _damage(self, winner: Candidate, what: str) -> DatabaseCorruptionError:
        return DatabaseCorruptionError(
            f"entry #{winner.entry.slot} of the log was {what}: message {winner.message.id} of channel {self.channel}"
        )

    def _check_damage(self, messages: Sequence[Message], started: float) -> None:
        for message in messages:
            if message.id > self.head.message and self._is_damaged(message):
                raise DatabaseCorruptionError(
                    f"slot {self.head.slot + 1} of the log cannot be read: message {message.id} of channel "
                    f"{self.channel} was {'edited' if message.edited else 'damaged'}"
                )
        self._check_orphan(started)

    def _check_orphan(self, started: float) -> None:
        orphan = self.chain.orphan()
        # Its author had read the parent, so a reading that began 2Δ later would show the parent if it still existed.
        if orphan is not None and started >= orphan.time + 2 * self.timing.visibility:
            raise DatabaseCorruptionError(
                f"slot {orphan.entry.slot - 1} of the log is missing: entry #{orphan.entry.slot} in message "
                f"{orphan.message.id} of channel {self.channel} follows an entry that is not there"
            )

    def _is_damaged(self, message: Message) -> bool:
        if message.author != self.guild.account:
            return False
        return message.edited or (looks_like_entry(message) and read_entry(message, self.keyring) is None)
