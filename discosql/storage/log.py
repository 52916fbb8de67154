"""Appending to the log of a database.

What was sent once is sent again unchanged or never, so that no answer that got lost can do harm.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from discosql.errors import (
    LimitExceededError,
    NoAnswerError,
    NotFoundError,
    OperationalError,
    UnavailableError,
    UnknownOutcomeError,
)
from discosql.storage.entry import (
    MAX_PAYLOAD,
    Body,
    Cover,
    Draft,
    FileMark,
    Packed,
    Position,
    compress,
    mark_of,
    read_entry,
    write_entry,
)
from discosql.storage.guild import MAX_FILES, File, Message
from discosql.storage.log_reader import LogReader, Pending
from discosql.storage.reading import TRIES, with_retries
from discosql.storage.sealing import Seal

FRESH: Final = 2.0
"""Seconds for which a reading is recent enough to append without reading again."""

PART_TEXT: Final = "Part of an entry that follows."

_FIRST_PAUSE: Final = 0.5
_MAX_READINGS: Final = 100
_REMEMBERED: Final = 1_000
_SURELY_TEXT: Final = 1_400
_MANY_LINES: Final = 5


class UntraceableError(UnknownOutcomeError):
    """What became of an entry can no longer be told: its slot is below all that is left of the log."""


class Log(LogReader):
    """A log that this process also appends to, one entry at a time."""

    @property
    def is_fresh(self) -> bool:
        """Whether an entry may be appended without reading the log first."""
        return self.head.session == self.session or self.clock.lower_bound() - self.synced <= FRESH

    async def pack(self, body: Body, seal: Seal | None) -> Packed:
        """Make a body ready for messages, sealed; what is too large for one message is posted in parts now."""
        if sum(map(len, body.lines)) < _SURELY_TEXT:
            return Packed(body, seal=seal)
        if len(body.lines) < _MANY_LINES:
            files = compress(body, self.guild.file_limit, seal)
        else:
            files = await asyncio.to_thread(compress, body, self.guild.file_limit, seal)
        marks: list[FileMark] = []
        limit = min(MAX_PAYLOAD, self.guild.post_limit)
        while len(files) > MAX_FILES or sum(len(file.data) for file in files) > limit:
            count = _fitting(files, limit)
            message = await self._post_part(files[:count])
            marks += [mark_of(file, message.id) for file in files[:count]]
            files = files[count:]
        return Packed(body, tuple(files), (*marks, *map(mark_of, files)), seal)

    async def _post_part(self, files: list[File]) -> Message:
        nonce = self.randbytes(12).hex()
        return await with_retries(self.guild, partial(self.guild.post, self.channel, PART_TEXT, files, nonce=nonce))

    def draft(self, packed: Packed, title: str, *, oldest: int = 0, cover: Cover | None = None) -> Draft:
        """Return an entry for the next slot. Raises LimitExceededError if its body is too large for any entry."""
        salt = self.randbytes(4).hex()
        position = Position(self.channel, self.head.slot + 1, self.head.id, self.session, salt)
        parts = [mark.part for mark in packed.marks if mark.part]
        oldest = min([*parts, oldest] if oldest else parts, default=0)
        draft = write_entry(position, packed, title, oldest=oldest, cover=cover)
        if draft is None and not packed.files:
            files = compress(packed.body, self.guild.file_limit, packed.seal)
            packed = Packed(packed.body, tuple(files), tuple(map(mark_of, files)), packed.seal)
            draft = write_entry(position, packed, title, oldest=oldest, cover=cover)
        if draft is None:
            raise LimitExceededError("the transaction is too large for one commit")
        return draft

    async def append(self, draft: Draft, own: Any) -> bool:
        """Post an entry and wait until its slot is decided; return whether it won.

        Raises UnknownOutcomeError when that cannot be found out; the entry stays pending and `resolve` must come before
        another. Any other error means that nothing was done.
        """
        pending = self.pending = Pending(draft, own)
        try:
            await self._post(pending)
            return await self._settle(pending)
        except UntraceableError:
            raise
        except OperationalError as exc:
            if not pending.sent:
                self.pending = None
                raise
            raise UnknownOutcomeError(
                f"the guild did not answer: whether entry #{draft.entry.slot} was stored is not known"
            ) from exc

    async def resolve(self) -> tuple[Pending, bool | None] | None:
        """Find out what became of a pending entry, by sending it again; None if there is none.

        The answer has None in place of whether it won if that cannot be found out any more. Raises NoAnswerError if the
        guild does not answer now.
        """
        pending = self.pending
        if pending is None:
            return None
        try:
            if not self._is_decided(pending.draft):
                await self._post(pending)
            return pending, await self._settle(pending)
        except UntraceableError:
            return pending, None
        except (NoAnswerError, UnavailableError) as exc:
            raise NoAnswerError(
                f"nothing can be stored before it is known whether entry #{pending.draft.entry.slot} was: {exc}"
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
                await self.guild.wait("outage", pause)
                pause *= 2
            else:
                pending.sent = True
                self.clock.observe(message.id)
                self._learn_answer(message, pending)
                return

    def _learn_answer(self, message: Message, pending: Pending) -> None:
        # It may be another session's message with the same nonce: then ours does not exist, and this one is a rival.
        entry = read_entry(message, self.keyring)
        if entry is not None and not message.edited:
            self.chain.learn(entry, message)
            if entry.id == pending.draft.entry.id:
                pending.message, pending.answered = message.id, self.guild.monotonic()

    async def _settle(self, pending: Pending) -> bool:
        draft = pending.draft
        for _ in range(_MAX_READINGS):
            await self.sync()
            if self._is_decided(draft):
                break
            certain = self.chain.certain_at
            left = 0.0 if certain is None else self.clock.until(certain)
            await self.guild.wait("settling", max(left, self.timing.visibility / 4))
        else:
            raise NoAnswerError(f"entry #{draft.entry.slot} was posted but does not appear in the log")
        self.pending = None
        winner = self.chain.winners.get(draft.entry.slot)
        if winner is None:
            raise UntraceableError(f"whether entry #{draft.entry.slot} was stored can no longer be found out")
        won = pending.won or (winner == draft.entry.id and draft.entry.slot == self.chain.base.slot)
        if won:
            self.acknowledged[draft.entry.slot] = winner
        if len(self.acknowledged) > 2 * _REMEMBERED:
            self.acknowledged = dict(list(self.acknowledged.items())[-_REMEMBERED:])
        return won

    def _is_decided(self, draft: Draft) -> bool:
        return self.head.slot >= draft.entry.slot


def _fitting(files: Sequence[File], limit: int) -> int:
    """Return how many of the first files fit into one message."""
    size = 0
    for count, file in enumerate(files[:MAX_FILES]):
        size += len(file.data)
        if size > limit:
            return max(1, count)
    return min(len(files), MAX_FILES)
