"""One process and its client of the service: it may be frozen, cut off, or die at any request."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias, TypeVar

from discosql.errors import NoAnswerError, NotFoundError, UnavailableError
from discosql.storage.clock import DRIFT
from discosql.storage.guild import MAX_PAGE, Attachment, Channel, File, Guild, Listener, Message, Requests, Stamp
from discosql.storage.ratelimit import RateModel
from simulation.history import History
from simulation.server import ACCOUNT, Server

T = TypeVar("T")

Hook: TypeAlias = Callable[[str], Awaitable[None]]
"""Called with the kind of each request before it is sent: it may wait, or raise what the client gets instead."""

TIMEOUT: Final = 3.0
"""The longest time that a client waits for an answer that does not come."""


class Process:
    """A process: its clock, and what befalls it."""

    def __init__(self, server: Server, name: str, history: History) -> None:
        random = server.random
        self.server = server
        self.name = name
        self.history = history
        self.frozen_until = 0.0
        self.cut_until = 0.0
        self.died = asyncio.Event()
        self.dies_at_request = 0
        self.requests = 0
        self.before: Hook | None = None
        self._offset = random.uniform(0, 1e5)
        self._rate = 1 + random.uniform(-DRIFT, DRIFT)
        self._never: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def dead(self) -> bool:
        return self.died.is_set()

    def monotonic(self) -> float:
        return self._offset + asyncio.get_running_loop().time() * self._rate

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.001) / self._rate)
        await self.gate()

    async def gate(self) -> None:
        """Wait while the process is frozen; for ever if it is dead."""
        now = asyncio.get_running_loop().time()
        while self.frozen_until > now and not self.dead:
            await asyncio.sleep(self.frozen_until - now)
            now = asyncio.get_running_loop().time()
        if self.dead:
            await self._never

    def freeze(self, seconds: float) -> None:
        self.history.note(self.name, "is frozen", seconds)
        self.frozen_until = asyncio.get_running_loop().time() + seconds

    def cut_off(self, seconds: float) -> None:
        self.history.note(self.name, "is cut off", seconds)
        self.cut_until = asyncio.get_running_loop().time() + seconds

    def die(self) -> None:
        self.history.note(self.name, "dies")
        self.died.set()


class SimulatedGuild(Guild):
    """A process's client of the simulated service."""

    default_visibility = 1.0
    default_settle = 1.0

    def __init__(self, process: Process, *, live: bool = False) -> None:
        self.process = process
        self.server = process.server
        self.account = ACCOUNT
        self.visibility = self.default_visibility
        self.settle = self.default_settle
        self.file_limit = 10 << 20
        self.post_limit = 25 << 20
        self.requests = Requests()
        self.model = RateModel(process.monotonic)
        self._live = live
        self._listeners: list[Listener] = []
        self._stamp: Stamp | None = None

    @property
    def name(self) -> str:
        return "simulation"

    @property
    def is_live(self) -> bool:
        return self._live

    def stamp(self) -> Stamp | None:
        return self._stamp

    def monotonic(self) -> float:
        return self.process.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self.process.sleep(seconds)

    async def log_in(self) -> None:
        """Take the first stamp."""
        await self._call("login", lambda: None)

    async def _call(self, kind: str, request: Callable[[], T]) -> T:
        process, server = self.process, self.server
        random, weather = server.random, server.weather
        self.requests.count[kind] += 1
        process.requests += 1
        if process.requests == process.dies_at_request and random.random() < 0.5:
            process.die()
        if process.before is not None:
            await process.before(kind)
        await process.gate()
        await asyncio.sleep(random.uniform(*weather.latency))
        await self._meet_trouble(kind, request)
        missing: NotFoundError | None = None
        try:
            answer = request()
            if kind == "post" and random.random() < weather.doubled:
                request()
        except NotFoundError as error:
            missing = error
        answered = server.now()
        if process.requests == process.dies_at_request:
            process.die()
        await asyncio.sleep(random.uniform(*weather.latency))
        await process.gate()
        if random.random() < weather.unanswered:
            await self._no_answer("unanswered")
        if random.random() >= weather.dateless:
            # The header has whole seconds, of about the moment when the answer was made.
            self._stamp = Stamp(float(int(answered - random.uniform(0, 0.2))), self.monotonic())
        if missing is not None:
            raise missing
        return answer

    async def _meet_trouble(self, kind: str, request: Callable[[], T]) -> None:
        """Raise what keeps a request from being answered, carried out or not."""
        random, weather, loop = self.server.random, self.server.weather, asyncio.get_running_loop()
        if self.process.cut_until > loop.time():
            if random.random() < 0.3:
                _ignore_missing(request)
            await self._no_answer("cut off")
        if loop.time() < self.server.outage_until and random.random() < 0.8:
            raise UnavailableError("503 or 429")
        if weather.refused and random.random() < weather.refused:
            raise UnavailableError("429")
        if weather.lost and random.random() < weather.lost:
            await self._no_answer("lost")
        if weather.late and kind == "post" and random.random() < weather.late:
            loop.call_later(random.uniform(0.5, 6), _ignore_missing, request)
            await self._no_answer("late")

    async def _no_answer(self, why: str) -> None:
        await asyncio.sleep(self.server.random.uniform(0, TIMEOUT))
        await self.process.gate()
        raise NoAnswerError(why)

    async def channels(self) -> list[Channel]:
        return await self._call("channels", self.server.listed)

    async def create_category(self, name: str) -> Channel:
        return await self._call("create_category", lambda: self.server.create(name, None, "", is_category=True))

    async def create_channel(self, name: str, category: int, topic: str = "") -> Channel:
        create = self.server.create
        return await self._call("create_channel", lambda: create(name, category, topic, is_category=False))

    async def delete_channel(self, channel: int) -> None:
        await self._call("delete_channel", lambda: self.server.delete_channel(channel))

    async def post(
        self, channel: int, content: str, files: Sequence[File] = (), *, nonce: str | None = None
    ) -> Message:
        history, name = self.process.history, self.process.name
        history.note(name, "posts", content)

        def store() -> Message:
            stored = self.server.post(channel, content, files, nonce)
            history.note(name, "'s post is stored as", stored)
            self._push(channel)
            return stored

        return await self._call("post", store)

    def _push(self, channel: int) -> None:
        loop, random = asyncio.get_running_loop(), self.server.random
        for process in self.server.watchers:
            if random.random() < 0.9:
                loop.call_later(random.uniform(0, 1), process, channel)

    async def messages(
        self, channel: int, *, before: int | None = None, after: int | None = None, limit: int = MAX_PAGE
    ) -> list[Message]:
        return await self._call("messages", lambda: self.server.page(channel, before, after, limit))

    async def message(self, channel: int, message: int) -> Message:
        return await self._call("message", lambda: self.server.one(channel, message))

    async def download(self, attachment: Attachment) -> bytes:
        return await self._call("download", lambda: self.server.download(attachment.url))

    async def delete_message(self, channel: int, message: int) -> None:
        self.process.history.note(self.process.name, "deletes", 1)
        await self._call("delete_message", lambda: self.server.delete(channel, message))

    async def delete_messages(self, channel: int, messages: Sequence[int]) -> None:
        self.process.history.note(self.process.name, "deletes", len(messages))
        await self._call("delete_messages", lambda: self.server.delete_some(channel, messages))

    def listen(self, listener: Listener) -> Callable[[], None]:
        if not self._live:
            return lambda: None
        self.server.watchers.append(listener)
        return lambda: self.server.watchers.remove(listener)

    async def close(self) -> None:
        return


def _ignore_missing(request: Callable[[], T]) -> None:
    try:
        request()
    except NotFoundError:
        pass
