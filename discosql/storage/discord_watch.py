"""Watching the answers of discord.py's HTTP client: the server's clock, and whether a request was sent before.

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
from discosql.storage.guild import Stamp

DRIFT: Final = 2e-4
"""How much faster than the server's the local clock may run."""


@dataclass(slots=True)
class Attempts:
    """What became of the tries of one request."""

    may_have_run: bool = False


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
        self.config = aiohttp.TraceConfig()
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

    async def _on_answer(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, answer: aiohttp.TraceRequestEndParams
    ) -> None:
        local = self._monotonic()
        current = attempts.get()
        if current is not None and answer.response.status >= 500:
            current.may_have_run = True
        # Other hosts (the CDN, that of a bot) have clocks of their own.
        date = answer.response.headers.get("Date")
        if date is not None and answer.url.host == URL(Route.BASE).host:
            try:
                self.hear(parsedate_to_datetime(date).timestamp(), local)
            except ValueError:
                return  # not a date: there will be others

    async def _on_error(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, failure: aiohttp.TraceRequestExceptionParams
    ) -> None:
        current = attempts.get()
        if current is not None and not isinstance(failure.exception, NEVER_SENT):
            current.may_have_run = True
