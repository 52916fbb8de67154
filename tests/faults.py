"""Requests that go wrong: a guild round any other that fails the requests a plan names.

To let a scenario fail at each of its requests in turn::

    for number in range(1, 1_000):
        guild = FaultyGuild(LocalGuild.memory(), at(number, Fault.NO_ANSWER))
        ...run the scenario, ignoring the error...
        if guild.number < number:
            break
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from discosql.errors import ForbiddenError, GuildError, NoAnswerError, NotFoundError, UnavailableError
from discosql.storage.guild import MAX_PAGE, Attachment, Channel, File, Guild, Listener, Message, Stamp


class Fault(Enum):
    """What becomes of a request."""

    LOST = "it never reaches the guild, and the caller knows: UnavailableError"
    RATE_LIMITED = "the guild refuses it for now: UnavailableError"
    NO_ANSWER = "it is carried out, its answer is lost: NoAnswerError"
    NOT_DONE = "it is not carried out, and the caller cannot know: NoAnswerError"
    LATE = "the caller gets NoAnswerError; it is carried out after the caller's next request"
    TWICE = "it is carried out twice, and answered"
    FORBIDDEN = "the bot lacks a permission: ForbiddenError"
    NOT_FOUND = "what it names is not there: NotFoundError"
    CRASH_BEFORE = "the process dies before it is sent: Crash"
    CRASH_AFTER = "the process dies after it is carried out: Crash"


ONCE = (Fault.LOST, Fault.NOT_DONE, Fault.NO_ANSWER, Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
"""What can become of one request in any process: with an error before it, after it, or the end of the process."""

CRASHES = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)


class Crash(BaseException):
    """The process ends here, and with it every later request. No code of the package may catch it."""


Plan = Callable[[int, str], Fault | None]
"""Given a request's number (from 1) and kind, says how it fails."""


def at(number: int, fault: Fault, *, times: int = 1) -> Plan:
    """Fail request `number`, and those after it up to `times` in all."""
    return lambda current, kind: fault if number <= current < number + times else None


def on(kind: str, fault: Fault, *, nth: int = 1, times: int = 1) -> Plan:
    """Fail the nth request of a kind, and those after it up to `times` in all."""
    seen = 0

    def plan(number: int, current: str) -> Fault | None:
        nonlocal seen
        seen += current == kind
        return fault if current == kind and nth <= seen < nth + times else None

    return plan


def never(number: int, kind: str) -> Fault | None:
    """Fail nothing."""
    return None


ERRORS = {
    Fault.LOST: UnavailableError("lost before it reached the guild"),
    Fault.RATE_LIMITED: UnavailableError("rate limited"),
    Fault.FORBIDDEN: ForbiddenError("the bot lacks a permission"),
    Fault.NOT_FOUND: NotFoundError("it is not there"),
    Fault.NOT_DONE: NoAnswerError("no answer"),
    Fault.NO_ANSWER: NoAnswerError("no answer"),
    Fault.LATE: NoAnswerError("no answer"),
}


@dataclass
class Delayed:
    """A request that is under way while its caller has given up on it."""

    run: Callable[[], Awaitable[Any]]
    after: int


class FaultyGuild(Guild):
    """A guild whose requests fail by plan; `number` counts them, `kinds` lists them."""

    def __init__(self, inner: Guild, plan: Plan = never) -> None:
        self.inner = inner
        self.plan = plan
        self.number = 0
        self.kinds: list[str] = []
        self.crashed = False
        self.account = inner.account
        self.visibility = inner.visibility
        self.settle = inner.settle
        self.file_limit = inner.file_limit
        self.post_limit = inner.post_limit
        self.requests = inner.requests
        self.model = inner.model
        self._delayed: list[Delayed] = []

    async def _request(self, kind: str, run: Callable[[], Awaitable[Any]]) -> Any:
        if self.crashed:
            raise Crash
        self.number += 1
        self.kinds.append(kind)
        fault = self.plan(self.number, kind)
        try:
            return await self._carry_out(fault, run)
        finally:
            await self._catch_up()

    async def _carry_out(self, fault: Fault | None, run: Callable[[], Awaitable[Any]]) -> Any:
        match fault:
            case None:
                return await run()
            case Fault.TWICE:
                answer = await run()
                with suppress(GuildError):
                    await run()
                return answer
            case Fault.CRASH_BEFORE:
                self.crashed = True
                raise Crash
            case Fault.CRASH_AFTER:
                await run()
                self.crashed = True
                raise Crash
            case Fault.NO_ANSWER:
                await run()
            case Fault.LATE:
                self._delayed.append(Delayed(run, self.number + 1))
        raise type(ERRORS[fault])(*ERRORS[fault].args)

    async def _catch_up(self) -> None:
        due = [delayed for delayed in self._delayed if delayed.after <= self.number]
        for delayed in due:
            self._delayed.remove(delayed)
            with suppress(GuildError):
                await delayed.run()

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
        return await self._request("channels", self.inner.channels)

    async def create_category(self, name: str) -> Channel:
        return await self._request("create_category", lambda: self.inner.create_category(name))

    async def create_channel(self, name: str, category: int, topic: str = "") -> Channel:
        return await self._request("create_channel", lambda: self.inner.create_channel(name, category, topic))

    async def delete_channel(self, channel: int) -> None:
        await self._request("delete_channel", lambda: self.inner.delete_channel(channel))

    async def post(
        self, channel: int, content: str, files: Sequence[File] = (), *, nonce: str | None = None
    ) -> Message:
        return await self._request("post", lambda: self.inner.post(channel, content, files, nonce=nonce))

    async def messages(
        self, channel: int, *, before: int | None = None, after: int | None = None, limit: int = MAX_PAGE
    ) -> list[Message]:
        return await self._request(
            "messages", lambda: self.inner.messages(channel, before=before, after=after, limit=limit)
        )

    async def message(self, channel: int, message: int) -> Message:
        return await self._request("message", lambda: self.inner.message(channel, message))

    async def download(self, attachment: Attachment) -> bytes:
        return await self._request("download", lambda: self.inner.download(attachment))

    async def delete_message(self, channel: int, message: int) -> None:
        await self._request("delete_message", lambda: self.inner.delete_message(channel, message))

    async def delete_messages(self, channel: int, messages: Sequence[int]) -> None:
        await self._request("delete_messages", lambda: self.inner.delete_messages(channel, messages))

    def listen(self, listener: Listener) -> Callable[[], None]:
        return self.inner.listen(listener)

    def poll(self) -> None:
        self.inner.poll()

    async def close(self) -> None:
        await self.inner.close()
