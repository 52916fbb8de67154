"""Posting pages: as many files a message as Discord allows, in channels that are made when first needed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from loguru import logger

from discosql.errors import ForbiddenError, LimitExceededError, OperationalError
from discosql.storage.entry import MAX_PAYLOAD
from discosql.storage.guild import MAX_FILES, Channel, File, Guild, Message
from discosql.storage.page_store import PageStore
from discosql.storage.pages import Place
from discosql.storage.reading import with_retries
from discosql.storage.sealing import Seal

Placed = Callable[[Place], None]

_NAME_LENGTH: Final = 80
_SEALED_TEXT: Final = "`sealed pages`"
_SEALED_FILE: Final = "page.sealed"
TOPIC: Final = "Pages of a discosql database: do not write here."


class PagePoster:
    """Posts the pages of one channel. Files wait until a message is full or `flush` is called."""

    def __init__(self, guild: Guild, channel: int, text: str, randbytes: Callable[[int], bytes]) -> None:
        self.posted: list[Message] = []
        self._guild = guild
        self._channel = channel
        self._text = text
        self._randbytes = randbytes
        self._waiting: list[tuple[File, Placed]] = []
        self._size = 0
        self._limit = min(MAX_PAYLOAD, guild.post_limit)

    async def add(self, file: File, placed: Placed) -> None:
        """Post a file sooner or later; `placed` is then told where it is."""
        if self._waiting and (self._size + len(file.data) > self._limit or len(self._waiting) == MAX_FILES):
            await self.flush()
        self._waiting.append((file, placed))
        self._size += len(file.data)

    async def flush(self) -> None:
        """Post what waits."""
        if not self._waiting:
            return
        waiting, self._waiting, self._size = self._waiting, [], 0
        files = [file for file, _ in waiting]
        nonce = self._randbytes(12).hex()
        post = partial(self._guild.post, self._channel, self._text, files, nonce=nonce)
        message = await with_retries(self._guild, post)
        if [attachment.size for attachment in message.attachments] != [len(file.data) for file in files]:
            raise OperationalError(f"the guild did not store the files of message {message.id} as they were sent")
        self.posted.append(message)
        for number, (_, placed) in enumerate(waiting):
            placed(Place(self._channel, message.id, number))


class Channels:
    """Makes channels for pages; where Discord allows no more, pages share the channel of others.

    `known` are the guild's channels. One that an earlier attempt made and nothing uses is taken again; `in_use` tells
    which are used.
    """

    def __init__(self, guild: Guild, category: int, known: Iterable[Channel] = ()) -> None:
        self.in_use: set[int] = set()
        self._guild = guild
        self._category = category
        pages = [channel for channel in known if channel.category == category and channel.topic == TOPIC]
        self._spare = {channel.name: channel.id for channel in pages}
        self._names = {channel.id: channel.name for channel in pages}
        self._refused = False

    async def make(self, name: str, *, shared: int | None, since: int = 0) -> int | None:
        """Return a new channel's id, or `shared` if none can be made. One from before `since` is not taken again."""
        name = channel_name(name)
        spare = self._spare.get(name)
        if spare is not None and spare >= since and spare not in self.in_use:
            self.in_use.add(spare)
            return spare
        if self._refused and shared is not None:
            return shared
        try:
            channel = await with_retries(self._guild, partial(self._guild.create_channel, name, self._category, TOPIC))
        except (LimitExceededError, ForbiddenError) as exc:
            logger.warning("no channel can be made on {}: {}", self._guild.name, exc)
            self._refused = True
            return shared
        self._spare[name] = channel.id
        self._names[channel.id] = name
        self.in_use.add(channel.id)
        return channel.id

    def name(self, channel: int) -> str:
        """Return the name that a channel had when it was last seen; its id if another process made it since."""
        return self._names.get(channel, str(channel))

    def forget(self) -> None:
        """Do not take channels again that were there once: one of them is gone."""
        self._spare = {}


@dataclass(slots=True)
class Workshop:
    """What building needs. `oldest` is the oldest message posted or channel made so far, 0 if none was.

    Channels that an earlier attempt has left are taken again if they were made since the id `since`.
    Pages are sealed with `seal` if there is one, and named so that nothing shows; `seed` is the key of index hashes.
    """

    guild: Guild
    store: PageStore
    channels: Channels
    page_size: int
    randbytes: Callable[[int], bytes]
    seed: bytes
    seal: Seal | None = None
    since: int = 0
    oldest: int = 0
    replaced: list[Place] = field(default_factory=list)

    def poster(self, channel: int, text: str) -> PagePoster:
        """Return what posts pages into a channel."""
        return PagePoster(self.guild, channel, text if self.seal is None else _SEALED_TEXT, self.randbytes)

    async def make_channel(self, name: str, *, shared: int | None) -> int | None:
        """Return a new channel for a table or an index, or `shared` if none can be made."""
        shown = name if self.seal is None else f"data-{self.seal.name_of(name)}"
        channel = await self.channels.make(shown, shared=shared, since=self.since)
        if channel is not None and channel != shared:
            # VACUUM removes channels that nothing uses by their age: they have to be named in time, as pages do.
            self.oldest = min(self.oldest or channel, channel)
        return channel

    def file_name(self, stem: str, rest: str) -> str:
        """Return a file's name."""
        return file_name(stem, rest) if self.seal is None else _SEALED_FILE

    def note(self, poster: PagePoster) -> None:
        """Take note of what was posted."""
        for message in poster.posted:
            self.store.remember(message)
            self.oldest = min(self.oldest or message.id, message.id)


def channel_name(name: str) -> str:
    """Return a channel's name for a table or an index; it is for people only."""
    shown = "".join(character if character.isalnum() or character in "-_" else "-" for character in name.lower())
    return shown.strip("-")[:_NAME_LENGTH] or "table"


def file_name(stem: str, rest: str) -> str:
    """Return a file's name of plain ASCII, which Discord leaves as it is."""
    shown = "".join(character if character.isascii() and character.isalnum() else "_" for character in stem)
    return f"{shown[:40] or 'table'}.{rest}"


def page_text(name: str, columns: Sequence[str]) -> str:
    """Return the line above the pages of a table."""
    shown = ", ".join(columns)
    line = f"{name}: rowid, {shown}"
    printable = "".join(character if character.isprintable() and character != "`" else " " for character in line)
    return f"`{printable[:200]}`"
