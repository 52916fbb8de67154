"""A guild on virtual time that lags, loses, doubles and delays, as a service far away may.

`run` runs a coroutine on an event loop whose clock jumps to the next event, so that a minute takes milliseconds and
the same seed gives the same run.
"""

import asyncio
import selectors
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from discosql.errors import NoAnswerError, NotFoundError
from discosql.storage.guild import (
    MAX_PAGE,
    Attachment,
    Channel,
    File,
    Guild,
    Listener,
    Message,
    Requests,
    Stamp,
    time_id,
)

T = TypeVar("T")

START = 1_780_000_000.0
ACCOUNT = 7


class _Selector(selectors.DefaultSelector):
    """Never waits: tells the loop how far to move its clock instead."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for nothing")
        self.skipped += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while everybody waits."""

    def __init__(self) -> None:
        self._skipping = _Selector()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.skipped


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(_cancel_all())
        loop.close()


async def _cancel_all() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@dataclass
class Weather:
    """How bad things are; times in seconds, shares from 0 to 1.

    A request may be lost, its answer may be lost, or it may be carried out twice, or late after its failure was told.
    `nonce` is the share of posts whose nonce the server honours.
    """

    latency: tuple[float, float] = (0.05, 0.3)
    skew: float = 0.2
    lag: float = 0.8
    lost: float = 0.0
    unanswered: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    nonce: float = 1.0


@dataclass
class Stored:
    message: Message
    visible: float
    nonce: str | None


class Server:
    """What all clients share."""

    def __init__(self, random: Random, weather: Weather) -> None:
        self.random = random
        self.weather = weather
        self.channels: list[Channel] = []
        self.messages: dict[int, dict[int, Stored]] = {}
        self.files: dict[str, bytes] = {}
        self.numbers = Counter[str]()

    def now(self) -> float:
        return START + asyncio.get_running_loop().time()

    def new_id(self) -> int:
        """Return an id whose time lags behind by up to the skew."""
        self.numbers["id"] += 1
        moment = self.now() - self.random.uniform(0, self.weather.skew)
        return time_id(moment) + self.random.getrandbits(10) * 4096 + self.numbers["id"] % 4096

    def store(self, channel: int, content: str, files: Sequence[File], nonce: str | None) -> Message:
        now = self.now()
        if nonce is not None and self.random.random() < self.weather.nonce:
            for stored in self.messages[channel].values():
                if stored.nonce == nonce and now - stored.visible < 300:
                    return stored.message
        message_id = self.new_id()
        attachments = []
        for file in files:
            attachment = Attachment(self.new_id(), file.name, len(file.data), f"sim://{message_id}/{len(attachments)}")
            self.files[attachment.url] = file.data
            attachments.append(attachment)
        message = Message(message_id, channel, ACCOUNT, content, tuple(attachments))
        lag = self.random.uniform(0, self.weather.lag)
        self.messages[channel][message_id] = Stored(message, now + lag, nonce)
        return message


@dataclass
class SimulatedGuild(Guild):
    """One client of a simulated server."""

    server: Server
    account: int = ACCOUNT
    visibility: float = 1.0
    settle: float = 1.0
    file_limit: int = 10 << 20
    post_limit: int = 25 << 20
    requests: Requests = field(default_factory=Requests)
    frozen: float = 0.0
    _stamp: Stamp | None = None

    @property
    def name(self) -> str:
        return "simulation"

    def stamp(self) -> Stamp | None:
        return self._stamp

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.001))

    async def _pass(self) -> None:
        await asyncio.sleep(self.server.random.uniform(*self.server.weather.latency))
        if self.frozen:
            frozen, self.frozen = self.frozen, 0.0
            await asyncio.sleep(frozen)

    async def _call(self, kind: str, request: Callable[[], T]) -> T:
        random, weather = self.server.random, self.server.weather
        self.requests.count[kind] += 1
        await self._pass()
        if random.random() < weather.lost:
            raise NoAnswerError("lost")
        if kind == "post" and random.random() < weather.late:
            asyncio.get_running_loop().call_later(random.uniform(0.5, 6), request)
            raise NoAnswerError("late")
        answer = request()
        if kind == "post" and random.random() < weather.doubled:
            request()
        self._heard = self.server.now()
        await self._pass()
        if random.random() < weather.unanswered:
            raise NoAnswerError("unanswered")
        # The header has whole seconds, of the moment when the answer was made.
        self._stamp = Stamp(float(int(self._heard)), self.monotonic())
        return answer

    async def log_in(self) -> None:
        """Take the first stamp."""
        self._stamp = Stamp(float(int(self.server.now())), self.monotonic())

    async def channels(self) -> list[Channel]:
        return await self._call("channels", lambda: list(self.server.channels))

    async def create_category(self, name: str) -> Channel:
        return await self._call("create_category", lambda: self._create(name, None, "", is_category=True))

    async def create_channel(self, name: str, category: int, topic: str = "") -> Channel:
        return await self._call("create_channel", lambda: self._create(name, category, topic, is_category=False))

    def _create(self, name: str, category: int | None, topic: str, *, is_category: bool) -> Channel:
        channel = Channel(self.server.new_id(), name, category, is_category, topic)
        self.server.channels.append(channel)
        self.server.messages[channel.id] = {}
        return channel

    async def delete_channel(self, channel: int) -> None:
        def delete() -> None:
            self.server.channels = [known for known in self.server.channels if known.id != channel]

        await self._call("delete_channel", delete)

    async def post(
        self, channel: int, content: str, files: Sequence[File] = (), *, nonce: str | None = None
    ) -> Message:
        return await self._call("post", lambda: self.server.store(channel, content, files, nonce))

    async def messages(
        self, channel: int, *, before: int | None = None, after: int | None = None, limit: int = MAX_PAGE
    ) -> list[Message]:
        def read() -> list[Message]:
            now = self.server.now()
            seen = sorted(
                (stored.message for stored in self.server.messages[channel].values() if stored.visible <= now),
                key=lambda message: message.id,
            )
            if after is not None:
                return [message for message in seen if message.id > after][:limit][::-1]
            return [message for message in seen if before is None or message.id < before][-limit:][::-1]

        return await self._call("messages", read)

    async def message(self, channel: int, message: int) -> Message:
        def read() -> Message:
            stored = self.server.messages[channel].get(message)
            if stored is None or stored.visible > self.server.now():
                raise NotFoundError("not there")
            return stored.message

        return await self._call("message", read)

    async def download(self, attachment: Attachment) -> bytes:
        return await self._call("download", lambda: self.server.files[attachment.url])

    async def delete_message(self, channel: int, message: int) -> None:
        await self._call("delete_message", lambda: self.server.messages[channel].pop(message, None))

    async def delete_messages(self, channel: int, messages: Sequence[int]) -> None:
        def delete() -> None:
            for message in messages:
                self.server.messages[channel].pop(message, None)

        await self._call("delete_messages", delete)

    def listen(self, listener: Listener) -> Callable[[], None]:
        return lambda: None

    async def close(self) -> None:
        return
