"""The simulated service: what all clients share."""

import asyncio
from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from discosql.errors import NotFoundError
from discosql.storage.guild import Attachment, Channel, File, Listener, Message, id_time, time_id

START: Final = 1_780_000_000.0
ACCOUNT: Final = 7
NONCE_MINUTES: Final = 300.0


@dataclass(frozen=True)
class Weather:
    """How bad things are; times in seconds, shares from 0 to 1.

    Ids lag behind the server's clock by up to `skew`, reads behind posts by up to `lag`. A request may be `lost`, or
    `refused` for now; its answer may be lost (`unanswered`); a post may be stored twice (`doubled`), or `late`, after
    its failure was told. `nonce` is the share of posts whose nonce the server honours, `dateless` that of answers
    without a Date, `expiry` how long a file's address holds.
    """

    latency: tuple[float, float] = (0.02, 0.15)
    skew: float = 0.2
    lag: float = 0.5
    lost: float = 0.0
    refused: float = 0.0
    unanswered: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    nonce: float = 1.0
    dateless: float = 0.0
    expiry: float = 20.0


FAIR: Final = Weather()


@dataclass(slots=True)
class Stored:
    """A message and when it can first be read. `nonce` is forgotten where the server did not honour it."""

    message: Message
    visible: float


@dataclass
class Shelf:
    """The messages of a channel, those that were deleted apart."""

    ids: list[int] = field(default_factory=list)
    stored: dict[int, Stored] = field(default_factory=dict)
    nonces: dict[str, tuple[int, float]] = field(default_factory=dict)
    posted: list[Message] = field(default_factory=list)


class Server:
    """Channels, messages and files, and the weather."""

    def __init__(self, random: Random, weather: Weather = FAIR) -> None:
        self.random = random
        self.weather = weather
        self.channels: list[Channel] = []
        self.shelves: dict[int, Shelf] = {}
        self.files: dict[str, bytes] = {}
        self.gone: set[str] = set()
        self.outage_until = 0.0
        self.watchers: list[Listener] = []
        self._used: set[int] = set()
        self.lags: list[float] = []  # of the next messages, before the weather's
        self.skews: list[float] = []

    def now(self) -> float:
        return START + asyncio.get_running_loop().time()

    def _often_extreme(self, limit: float) -> float:
        """Return a number up to a limit; the ends, where rules break, are likely."""
        chance = self.random.random()
        if chance < 0.3:
            return 0.0
        return limit if chance < 0.5 else self.random.uniform(0, limit)

    def new_id(self) -> int:
        skew = self.skews.pop(0) if self.skews else self._often_extreme(self.weather.skew)
        moment = self.now() - skew
        while (found := time_id(moment) + self.random.getrandbits(22)) in self._used:
            pass
        self._used.add(found)
        return found

    # Channels

    def create(self, name: str, category: int | None, topic: str, *, is_category: bool) -> Channel:
        channel = Channel(self.new_id(), name, category, is_category, topic)
        self.channels.append(channel)
        self.shelves[channel.id] = Shelf()
        return channel

    def delete_channel(self, channel: int) -> None:
        self.channels = [known for known in self.channels if known.id != channel]
        self.shelves.pop(channel, None)

    def listed(self) -> list[Channel]:
        """Return the channels, each with the newest message that it ever had."""
        return [
            replace(channel, newest=max((message.id for message in self.shelves[channel.id].posted), default=0))
            for channel in self.channels
        ]

    def shelf(self, channel: int) -> Shelf:
        if channel not in self.shelves:
            raise NotFoundError("no such channel")
        return self.shelves[channel]

    @property
    def log(self) -> Channel:
        """The channel of the log."""
        return min(
            (channel for channel in self.channels if channel.name == "_dbmetadata"), key=lambda channel: channel.id
        )

    # Messages

    def post(self, channel: int, content: str, files: Sequence[File], nonce: str | None) -> Message:
        shelf, now = self.shelf(channel), self.now()
        honoured = nonce is not None and self.random.random() < self.weather.nonce
        if nonce is not None and honoured:
            known, until = shelf.nonces.get(nonce, (0, 0.0))
            if now < until:
                if known not in shelf.stored:
                    raise NotFoundError("the message of this nonce was deleted")
                return self.read(shelf.stored[known].message)
        message_id = self.new_id()
        attachments = []
        for number, file in enumerate(files):
            url = f"{message_id}/{number}"
            self.files[url] = file.data
            attachments.append(Attachment(message_id + number + 1, file.name, len(file.data), url))
        message = Message(message_id, channel, ACCOUNT, content.strip(), tuple(attachments))
        lag = self.lags.pop(0) if self.lags else self._often_extreme(self.weather.lag)
        shelf.stored[message_id] = Stored(message, now + lag)
        shelf.posted.append(message)
        insort(shelf.ids, message_id)
        if nonce is not None and honoured:
            shelf.nonces[nonce] = (message_id, now + NONCE_MINUTES)
        return self.read(message)

    def read(self, message: Message) -> Message:
        """Return a message as it is answered: the addresses of its files are good for a while."""
        if not message.attachments:
            return message
        until = self.now() + self.weather.expiry
        return replace(
            message, attachments=tuple(replace(each, url=f"{each.url}?{until}") for each in message.attachments)
        )

    def page(self, channel: int, before: int | None, after: int | None, limit: int) -> list[Message]:
        shelf, now = self.shelf(channel), self.now()
        found: list[Message] = []
        if after is not None:
            for position in range(bisect_right(shelf.ids, after), len(shelf.ids)):
                stored = shelf.stored[shelf.ids[position]]
                if stored.visible <= now:
                    found.append(self.read(stored.message))
                    if len(found) == limit:
                        break
            return found[::-1]
        end = len(shelf.ids) if before is None else bisect_right(shelf.ids, before - 1)
        for position in range(end - 1, -1, -1):
            stored = shelf.stored[shelf.ids[position]]
            if stored.visible <= now:
                found.append(self.read(stored.message))
                if len(found) == limit:
                    break
        return found

    def one(self, channel: int, message: int) -> Message:
        stored = self.shelf(channel).stored.get(message)
        if stored is None or stored.visible > self.now():
            raise NotFoundError("no such message")
        return self.read(stored.message)

    def download(self, url: str) -> bytes:
        plain, _, until = url.partition("?")
        if plain in self.gone or self.now() > float(until):
            raise NotFoundError("this content is no longer available")
        return self.files[plain]

    def delete(self, channel: int, message: int) -> None:
        shelf = self.shelf(channel)
        stored = shelf.stored.pop(message, None)
        if stored is None:
            raise NotFoundError("no such message")
        shelf.ids.remove(message)
        for attachment in stored.message.attachments:
            self.gone.add(attachment.url)

    def delete_some(self, channel: int, messages: Sequence[int]) -> None:
        for message in messages:
            if message in self.shelf(channel).stored:
                self.delete(channel, message)

    def edit(self, channel: int, message: int, content: str) -> None:
        stored = self.shelf(channel).stored[message]
        stored.message = replace(stored.message, content=content, edited=True)


def age(server: Server, message: Message) -> float:
    """Return the seconds since a message was posted, by its id."""
    return server.now() - id_time(message.id)
