"""What the errors of discord.py and aiohttp mean to storage: the border where they become discosql's own.

The question that matters is whether a request may have been carried out. A request that only reads can always be sent
again, so it fails as UnavailableError. One that writes fails as UnavailableError only if it is sure that nothing
was done, and as NoAnswerError otherwise.
"""

from collections.abc import Mapping
from json import JSONDecodeError
from types import MappingProxyType
from typing import Final

import aiohttp
import discord

from discosql.errors import (
    ForbiddenError,
    GuildError,
    LimitExceededError,
    NoAnswerError,
    NotFoundError,
    UnavailableError,
)

READS: Final = frozenset({"channels", "messages", "message", "download"})

FOREIGN: Final = (discord.DiscordException, aiohttp.ClientError, OSError, JSONDecodeError, UnicodeDecodeError)
"""All that discord.py's HTTP client raises; a TimeoutError is an OSError. The last two are of answers cut short."""

# The connection was never made, so the request never left.
NEVER_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)

# Discord's JSON error codes, where they say more than the HTTP status.
BY_CODE: Final[Mapping[int, type[GuildError]]] = MappingProxyType(
    {
        10003: NotFoundError,  # unknown channel
        10004: NotFoundError,  # unknown server
        10008: NotFoundError,  # unknown message, or the message of a nonce was deleted
        20016: UnavailableError,  # slow mode
        20022: UnavailableError,  # announcement rate limit
        20028: UnavailableError,  # channel write rate limit
        20029: UnavailableError,  # server write rate limit
        30013: LimitExceededError,  # channels in a server
        30015: LimitExceededError,  # files in a message
        30061: LimitExceededError,  # the channels are too large
        40005: LimitExceededError,  # request too large
        40062: UnavailableError,  # the service is rate limited
        40333: UnavailableError,  # blocked by the network in front of Discord
        50001: ForbiddenError,  # missing access
        50006: LimitExceededError,  # empty message
        50008: NotFoundError,  # not a text channel
        50013: ForbiddenError,  # missing permissions
        50016: LimitExceededError,  # too few or too many messages to delete
        50024: NotFoundError,  # not for this type of channel
        50034: LimitExceededError,  # a message too old for bulk deletion
        50035: LimitExceededError,  # a field of the request breaks a limit
        50045: LimitExceededError,  # file too large
        50074: ForbiddenError,  # a channel that a community server needs
    }
)
BY_STATUS: Final[Mapping[int, type[GuildError]]] = MappingProxyType(
    {
        401: ForbiddenError,
        403: ForbiddenError,
        404: NotFoundError,
        410: NotFoundError,
        413: LimitExceededError,
        429: UnavailableError,
    }
)

# The permissions a request needs, as the server's settings name them.
PERMISSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "channels": "View Channels",
        "create_category": "Manage Channels",
        "create_channel": "Manage Channels",
        "delete_channel": "Manage Channels",
        "post": "View Channels, Send Messages and Attach Files",
        "messages": "View Channels and Read Message History",
        "message": "View Channels and Read Message History",
        "delete_message": "View Channels and Manage Messages",
        "delete_messages": "View Channels and Manage Messages",
    }
)


def may_have_run(error: BaseException) -> bool:
    """Tell whether a request that failed so may nevertheless have been carried out."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500
    return not isinstance(error, (discord.RateLimited, discord.LoginFailure, *NEVER_SENT))


def translate(error: Exception, kind: str, *, earlier_try: bool = False) -> GuildError:
    """Return the error of a failed request.

    `earlier_try` tells that discord.py sent the request before, and that this first time may have been carried out.
    """
    doubtful = earlier_try or may_have_run(error)
    doing = kind.replace("_", " ")
    if kind not in READS and doubtful:
        return NoAnswerError(f"{doing}: no answer from Discord, it may have been done ({describe(error)})")
    if not isinstance(error, discord.HTTPException) or error.status >= 500:
        return UnavailableError(f"{doing}: Discord cannot be reached for now ({describe(error)})")
    found = BY_CODE.get(error.code) or BY_STATUS.get(error.status, GuildError)
    text = f"{doing}: {describe(error)}"
    if error.status == 401:
        text = f"{doing}: the bot's token is no longer valid"
    elif found is ForbiddenError and kind in PERMISSIONS:
        text += f"; the bot needs {PERMISSIONS[kind]} there"
    return found(text)


def describe(error: BaseException) -> str:
    """Return an error in one line: Discord's own words and code, or what the network said."""
    if isinstance(error, discord.RateLimited):
        return f"rate limited for {error.retry_after:.0f} s"
    if not isinstance(error, discord.HTTPException):
        return str(error) or type(error).__name__
    is_page = error.text.lstrip().startswith("<")  # of HTML, by something in front of Discord
    words = "; ".join(error.text.splitlines()) if not is_page else ""
    code = f", code {error.code}" if error.code else ""
    return f"{words or error.response.reason or 'refused'} (status {error.status}{code})"
