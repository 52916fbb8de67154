"""A guild that fails at chosen requests, in each of the ways that a request over a network can fail."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from discosql.errors import NoAnswerError, UnavailableError
from discosql.storage.guild import Attachment, Channel, File, Guild, Listener, Message, Stamp

Answer = TypeVar("Answer")

FAULTS = ("refused", "lost", "unanswered", "crash before", "crash after")


class Crash(BaseException):
    """The process ends here. No code of the package may catch it."""


class FaultyGuild(Guild):
    """Passes every call on to another guild, but fails at the requests that `faults` numbers from 0.

    ``refused``: nothing is done, and the caller knows. ``lost``: nothing is done, the caller does not know.
    ``unanswered``: it is done, the caller does not know. After a ``crash`` every request crashes.
    """

    def __init__(self, inner: Guild, faults: dict[int, str] | None = None) -> None:
        self.inner = inner
        self.faults = faults or {}
        self.sent: list[str] = []
        self.crashed = False
        self.account = inner.account
        self.visibility = inner.visibility
        self.settle = inner.settle
        self.file_limit = inner.file_limit
        self.post_limit = inner.post_limit
        self.requests = inner.requests

    async def _call(self, kind: str, request: Callable[[], Awaitable[Answer]]) -> Answer:
        if self.crashed:
            raise Crash
        fault = self.faults.get(len(self.sent))
        self.sent.append(kind)
        if fault == "refused":
            raise UnavailableError(f"{kind} was refused")
        if fault == "lost":
            raise NoAnswerError(f"{kind} was lost")
        if fault == "crash before":
            self.crashed = True
            raise Crash
        answer = await request()
        if fault == "unanswered":
            raise NoAnswerError(f"the answer to {kind} was lost")
        if fault == "crash after":
            self.crashed = True
            raise Crash
        return answer

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def is_live(self) -> bool:
        return self.inner.is_live

    def stamp(self) -> Stamp | None:
        return self.inner.stamp()

    def heard(self) -> Stamp | None:
        return self.inner.heard()

    def monotonic(self) -> float:
        return self.inner.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self.inner.sleep(seconds)

    async def channels(self) -> list[Channel]:
        return await self._call("channels", self.inner.channels)

    async def create_category(self, name: str) -> Channel:
        return await self._call("create_category", lambda: self.inner.create_category(name))

    async def create_channel(self, name: str, category: int, topic: str = "") -> Channel:
        return await self._call("create_channel", lambda: self.inner.create_channel(name, category, topic))

    async def delete_channel(self, channel: int) -> None:
        await self._call("delete_channel", lambda: self.inner.delete_channel(channel))

    async def post(
        self, channel: int, content: str, files: Sequence[File] = (), *, nonce: str | None = None
    ) -> Message:
        return await self._call("post", lambda: self.inner.post(channel, content, files, nonce=nonce))

    async def messages(
        self, channel: int, *, before: int | None = None, after: int | None = None, limit: int = 100
    ) -> list[Message]:
        return await self._call(
            "messages", lambda: self.inner.messages(channel, before=before, after=after, limit=limit)
        )

    async def message(self, channel: int, message: int) -> Message:
        return await self._call("message", lambda: self.inner.message(channel, message))

    async def download(self, attachment: Attachment) -> bytes:
        return await self._call("download", lambda: self.inner.download(attachment))

    async def delete_message(self, channel: int, message: int) -> None:
        await self._call("delete_message", lambda: self.inner.delete_message(channel, message))

    async def delete_messages(self, channel: int, messages: Sequence[int]) -> None:
        await self._call("delete_messages", lambda: self.inner.delete_messages(channel, messages))

    def listen(self, listener: Listener) -> Callable[[], None]:
        return self.inner.listen(listener)

    def poll(self) -> None:
        self.inner.poll()

    async def close(self) -> None:
        await self.inner.close()
