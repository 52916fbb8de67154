"""Watching discord.py's HTTP client: the server's clock, how a request's tries went, and what it waited for.

discord.py returns bodies only and repeats requests by itself; aiohttp's trace hooks show what happens below it.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Final

import aiohttp
import discord
from discord.http import Route
from yarl import URL

from discosql.storage.discord_errors import NEVER_SENT
from discosql.storage.discord_refusals import Refusals
from discosql.storage.guild import Requests, Stamp

DRIFT: Final = 2e-4
"""How much faster than the server's the local clock may run."""

NOTABLE: Final = 0.01
"""Seconds of waiting that are not counted: the client's own work takes so long."""


@dataclass(slots=True)
class Attempts:
    """What became of the tries of one request.

    Since the moment `held` discord.py keeps it back, because of `reason`; None while it is under way. `longest` is the
    longest rate limit in seconds that it waits for.
    """

    requests: Requests
    held: float | None
    longest: float
    reason: str = "rate limit"
    may_have_run: bool = False

    def start(self, now: float) -> None:
        """Note that a try begins: what it waited for is over."""
        if self.held is not None and now - self.held > NOTABLE:
            self.requests.wait(self.reason, now - self.held)
        self.held = None

    def end(self, now: float, answer: aiohttp.ClientResponse) -> None:
        """Note an answer; after some of them there is another try, after a pause."""
        if answer.status == 429:
            seconds = _seconds(answer.headers.get("Retry-After"))
            if seconds is None:
                self.held, self.reason = now, "rate limit"
            elif seconds <= self.longest:
                self.requests.wait("rate limit", seconds)
        elif answer.status >= 500:
            self.may_have_run = True
            self.held, self.reason = now, "outage"


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


attempts: Final[ContextVar[Attempts | None]] = ContextVar("discosql_attempts", default=None)
"""The request that is being made; trace hooks run in its task."""


class Watch:
    """The trace hooks of one HTTP session, and the stamps they keep.

    `stamp` is the best there was; `heard` the last date (in whole seconds), though it may say less.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.stamp: Stamp | None = None
        self.heard: Stamp | None = None
        self.refusals = Refusals(monotonic)
        self.config = aiohttp.TraceConfig()
        self.config.on_request_start.append(self._on_start)
        self.config.on_request_end.append(self._on_answer)
        self.config.on_request_exception.append(self._on_error)
        self._session: aiohttp.ClientSession | None = None

    def follow(self, client: discord.Client) -> None:
        """Watch the client's session, if that is not done yet.

        discord.py has no public way to see the headers of a client made by somebody else. Without this the server's
        time is known from the ids of messages only, which is enough.
        """
        session = getattr(client.http, "_HTTPClient__session", None)
        if not isinstance(session, aiohttp.ClientSession) or session is self._session:
            return
        self.leave()
        self._session = session
        if self.config not in session.trace_configs:
            self.config.freeze()
            session.trace_configs.append(self.config)

    def leave(self) -> None:
        """Stop watching."""
        if self._session is not None and self.config in self._session.trace_configs:
            self._session.trace_configs.remove(self.config)
        self._session = None

    def note(self, server: float, local: float) -> None:
        """Keep a pair of times if it says more than the one known."""
        known = self.stamp
        if known is None or server > known.server + (local - known.local) * (1 - DRIFT):
            self.stamp = Stamp(server, local)

    def hear(self, server: float, local: float) -> None:
        """Keep the date of an answer."""
        self.heard = Stamp(server, local)
        self.note(server, local)

    async def _on_start(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, request: aiohttp.TraceRequestStartParams
    ) -> None:
        current = attempts.get()
        if current is not None:
            current.start(self._monotonic())

    async def _on_answer(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, answer: aiohttp.TraceRequestEndParams
    ) -> None:
        local = self._monotonic()
        current = attempts.get()
        if current is not None:
            current.end(local, answer.response)
        # Other hosts (the CDN, that of a bot) have clocks and limits of their own.
        if answer.url.host != URL(Route.BASE).host:
            return
        self.refusals.note_try(answer.response.status)
        date = answer.response.headers.get("Date")
        if date is not None:
            try:
                self.hear(parsedate_to_datetime(date).timestamp(), local)
            except ValueError:
                return  # not a date: there will be others

    async def _on_error(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, failure: aiohttp.TraceRequestExceptionParams
    ) -> None:
        current = attempts.get()
        if current is None:
            return
        current.held, current.reason = self._monotonic(), "outage"
        if not isinstance(failure.exception, NEVER_SENT):
            current.may_have_run = True
