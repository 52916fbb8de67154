"""VACUUM: removing entries and pages that nobody can need any more.

When something was posted is judged by its id, and what time it is now by the last reading of the log, never by a clock:
a process that was asleep while others went on cannot remove what it does not know of.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, Protocol, TypeAlias

from discosql.errors import NotFoundError
from discosql.storage.checkpoint import channels_of, messages_of
from discosql.storage.entry import Entry, read_entry
from discosql.storage.guild import Channel, Guild, Message, id_time
from discosql.storage.log import PART_TEXT, Log
from discosql.storage.manifest import Adopted, Retired
from discosql.storage.opening import SEGMENT
from discosql.storage.posting import TOPIC
from discosql.storage.reading import read_after, with_retries

GRACE: Final = 3600.0
"""Seconds after which what was replaced may be removed: processes that slept for longer start anew (G)."""

_MARGIN: Final = 2.5
_FORTNIGHT: Final = 14 * 86_400.0
_BULK: Final = 100

Progress: TypeAlias = Callable[[str, int], None]
"""Told what is being removed, ``entries`` or ``pages``, and how many messages have been removed so far."""


@dataclass(slots=True)
class Vacuumed:
    """What was removed: messages of the log, messages with pages, and channels."""

    entries: int = 0
    pages: int = 0
    channels: int = 0


class Home(Protocol):
    """What collection needs of its engine."""

    guild: Guild
    log: Log
    channel: Channel
    adopted: Adopted | None


class Collector:
    """One VACUUM over a database whose log was just read."""

    def __init__(self, home: Home, adopted: Adopted, progress: Progress | None = None) -> None:
        self._guild = home.guild
        self._log = home.log
        self._channel = home.channel
        self._adopted = adopted
        self._now = home.log.synced - home.log.timing.visibility
        self._progress = progress
        self._done = Vacuumed()

    async def collect(self) -> Vacuumed:
        """Remove everything that may be removed."""
        await self._collect_entries()
        live = messages_of(self._adopted.manifest.tables.values())
        used = channels_of(self._adopted.manifest.tables.values())
        retired = self._adopted.retired()
        for channel in await with_retries(self._guild, self._guild.channels):
            if channel.category == self._channel.category and channel.id != self._channel.id:
                if channel.id in used:
                    await self._collect_pages(channel.id, live, retired)
                elif channel.topic == TOPIC:
                    await self._collect_channel(channel.id, retired)
        return self._done

    # Entries ------------------------------------------------------------------------------------------------------

    async def _collect_entries(self) -> None:
        """Remove the log below the cover of the last checkpoint but one, oldest first."""
        lowest = self._adopted.cover.previous
        messages, _ = await read_after(self._guild, self._channel.id, 0)
        # The newest message stays, whatever it is: its absence is how a log that was cut off shows.
        own = [message for message in messages[:-1] if message.author == self._guild.account]
        entries = {message.id: read_entry(message, self._log.keyring) for message in own}
        newest = [read_entry(message, self._log.keyring) for message in messages[-1:]]
        known = [entry for entry in (*entries.values(), *newest) if entry is not None]
        needed = _parts_of(entry for entry in known if entry.slot >= lowest)
        old = [
            message.id
            for message in own
            if self._is_past(message.id, GRACE)
            and message.id not in needed
            and _is_below(entries[message.id], message, lowest)
        ]
        await self._delete(self._channel.id, old, "entries")

    # Pages --------------------------------------------------------------------------------------------------------

    async def _collect_pages(self, channel: int, live: set[tuple[int, int]], retired: Sequence[Retired]) -> None:
        messages, _ = await read_after(self._guild, channel, 0)
        waiting = self._waiting(retired)
        old = [
            message.id
            for message in messages
            if message.author == self._guild.account
            and (channel, message.id) not in live
            and (channel, message.id) not in waiting
            and self._is_past(message.id, SEGMENT + _MARGIN)
        ]
        await self._delete(channel, old, "pages")

    def _waiting(self, retired: Sequence[Retired]) -> set[tuple[int, int]]:
        """Return the pages that were retired so lately that somebody may still read them."""
        return {page for item in retired if not self._is_past(item.message, GRACE) for page in item.pages}

    async def _collect_channel(self, channel: int, retired: Sequence[Retired]) -> None:
        """Remove a channel that no table or index uses."""
        if not self._is_past(channel, GRACE):
            return
        if any(channel in item.channels and not self._is_past(item.message, GRACE) for item in retired):
            return
        newest = await with_retries(self._guild, partial(self._guild.messages, channel, limit=1))
        if all(self._is_past(message.id, GRACE) for message in newest):
            await _unless_gone(self._guild, partial(self._guild.delete_channel, channel))
            self._done.channels += 1

    # Deleting -----------------------------------------------------------------------------------------------------

    def _is_past(self, snowflake: int, seconds: float) -> bool:
        return self._now > id_time(snowflake) + seconds

    async def _delete(self, channel: int, messages: Sequence[int], kind: Literal["entries", "pages"]) -> None:
        """Delete messages, in bulk where Discord allows it."""
        single = [message for message in messages if self._is_past(message, _FORTNIGHT - GRACE)]
        for message in single:
            await self._delete_some(channel, [message], kind)
        bulk = messages[len(single) :]
        for start in range(0, len(bulk), _BULK):
            await self._delete_some(channel, bulk[start : start + _BULK], kind)

    async def _delete_some(self, channel: int, messages: Sequence[int], kind: Literal["entries", "pages"]) -> None:
        if len(messages) == 1:
            await _unless_gone(self._guild, partial(self._guild.delete_message, channel, messages[0]))
        else:
            await with_retries(self._guild, partial(self._guild.delete_messages, channel, messages))
        done = getattr(self._done, kind) + len(messages)
        setattr(self._done, kind, done)
        if self._progress is not None:
            self._progress(kind, done)


async def _unless_gone(guild: Guild, delete: Callable[[], Awaitable[None]]) -> None:
    try:
        await with_retries(guild, delete)
    except NotFoundError:
        # Somebody else, or a request whose answer was lost, was quicker.
        pass


def _parts_of(entries: Iterable[Entry]) -> set[int]:
    return {mark.part for entry in entries for mark in entry.files if mark.part}


def _is_below(entry: Entry | None, message: Message, lowest: int) -> bool:
    """Tell whether a message of the log is an entry below a slot, or a part of one."""
    if entry is not None:
        return entry.slot < lowest
    return message.content == PART_TEXT
