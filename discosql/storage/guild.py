"""The seam: what storage asks of a guild. `LocalGuild` and `DiscordGuild` are the two there are.

A guild holds *channels*, a channel *messages*, a message text and *files*. Requests are its cost, so every call here is
one request of Discord's REST API (or one download from its CDN) and is counted.

Every call may raise the errors below `GuildError`: `NoAnswerError` when the request may or may not have been carried
out, `UnavailableError` when it was not and may be sent again, `NotFoundError`, `ForbiddenError` and
`LimitExceededError` when sending it again is of no use.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from discosql.errors import LimitExceededError
from discosql.storage.metrics import Metric, Observer
from discosql.storage.ratelimit import RateModel

DISCORD_EPOCH: Final = 1_420_070_400_000
"""Milliseconds from 1970 to the start of Discord's ids."""

MAX_CONTENT: Final = 2_000
MAX_FILES: Final = 10
MAX_PAGE: Final = 100
MAX_NONCE: Final = 25

NEEDED_PERMISSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "view_channel": "View Channels",
        "send_messages": "Send Messages",
        "attach_files": "Attach Files",
        "read_message_history": "Read Message History",
        "manage_channels": "Manage Channels",
        "manage_messages": "Manage Messages",
    }
)
"""What a bot must be allowed to do on a Discord server, as discord.py and the server's settings call it."""


def id_time(snowflake: int) -> float:
    """Return the moment in an id, as seconds since 1970."""
    return ((snowflake >> 22) + DISCORD_EPOCH) / 1000


def time_id(moment: float) -> int:
    """Return the lowest id that a message created at that moment (seconds since 1970) or later can have."""
    return max(0, int(moment * 1000) - DISCORD_EPOCH) << 22


@dataclass(frozen=True, slots=True)
class File:
    """A file to post."""

    name: str
    data: bytes


def check_post(content: str, files: Sequence[File], nonce: str | None, *, file_limit: int, post_limit: int) -> None:
    """Raise LimitExceededError for what no guild takes: too long, too many, too large, or nothing at all.

    Discord trims the content first, so what is too long only because of white space at its ends is taken.
    """
    content = content.strip()
    if len(content) > MAX_CONTENT:
        raise LimitExceededError(f"a message has at most {MAX_CONTENT} characters, not {len(content)}")
    if nonce is not None and len(nonce) > MAX_NONCE:
        raise LimitExceededError(f"a nonce has at most {MAX_NONCE} characters, not {len(nonce)}")
    if not content and not files:
        raise LimitExceededError("a message needs content or a file; white space alone is trimmed away")
    if len(files) > MAX_FILES:
        raise LimitExceededError(f"a message has at most {MAX_FILES} files, not {len(files)}")
    for file in files:
        if len(file.data) > file_limit:
            raise LimitExceededError(f"file {file.name} has {len(file.data)} bytes; at most {file_limit} can be sent")
    total = sum(len(file.data) for file in files)
    if total > post_limit:
        raise LimitExceededError(f"the files of a message have {total} bytes; at most {post_limit} can be sent")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message. `url` is signed and expires; any fetch of the message gives a fresh one."""

    id: int
    name: str
    size: int
    url: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a guild returned it. `author` is a user's id; `nonce` is there only in the answer to a post."""

    id: int
    channel: int
    author: int
    content: str
    attachments: tuple[Attachment, ...] = ()
    edited: bool = False
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """A text channel, or a category (a group of channels). `category` is the id of the group a channel is in.

    `newest` is the id of the message posted last, 0 if none ever was; it stays when that message is deleted.
    """

    id: int
    name: str
    category: int | None = None
    is_category: bool = False
    topic: str = ""
    newest: int = 0


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment by the server's clock (seconds since 1970) and the local monotonic clock when it was received.

    The server's clock showed at least `server` at the local moment `local`.
    """

    server: float
    local: float


@dataclass(slots=True)
class Requests:
    """Counts of what a guild was asked since it was opened. Kinds are the names of `Guild`'s methods.

    A `download` is a request to Discord's CDN, which has no rate limit that matters; all others are REST calls. `waits`
    counts the waits by reason (`metrics.WAITS`), `waited` their seconds. `observers` hear of everything as it happens.
    """

    count: Counter[str] = field(default_factory=Counter)
    bytes_sent: int = 0
    bytes_received: int = 0
    waits: Counter[str] = field(default_factory=Counter)
    waited: dict[str, float] = field(default_factory=dict)
    observers: list[Observer] = field(default_factory=list, compare=False, repr=False)

    def tell(self, name: str, label: str, value: float) -> None:
        """Let the observers hear of something."""
        for observer in self.observers:
            observer(Metric(name, label, value))

    def wait(self, reason: str, seconds: float) -> None:
        """Count a wait, and let the observers hear of it."""
        self.count_wait(reason, seconds)
        self.tell("wait", reason, seconds)

    def count_wait(self, reason: str, seconds: float) -> None:
        """Count a wait that the observers have heard of."""
        self.waits[reason] += 1
        self.waited[reason] = self.waited.get(reason, 0.0) + seconds

    @property
    def rest(self) -> int:
        """The number of REST calls."""
        return sum(number for kind, number in self.count.items() if kind != "download")

    @property
    def downloads(self) -> int:
        """The number of files downloaded."""
        return self.count["download"]

    def copy(self) -> "Requests":
        """Return the counts as they are now."""
        return Requests(
            Counter(self.count), self.bytes_sent, self.bytes_received, Counter(self.waits), dict(self.waited)
        )

    def since(self, before: "Requests") -> "Requests":
        """Return what was added since an earlier copy."""
        return Requests(
            self.count - before.count,
            self.bytes_sent - before.bytes_sent,
            self.bytes_received - before.bytes_received,
            self.waits - before.waits,
            {reason: self.waited[reason] - before.waited.get(reason, 0.0) for reason in self.waits - before.waits},
        )


Listener = Callable[[int], None]
"""Called with a channel's id when a message appeared, changed or went there. A hint, never a promise."""


class Guild(ABC):
    """A server that holds a database's channels.

    `account` is the user id of the bot that posts; `visibility` the longest time in seconds (Δ of the protocol) after
    which a posted message shows in `messages`, `settle` the time a slot stays open, both 0 where reads are
    linearizable. `file_limit` is the largest file and `post_limit` the largest sum of one post's files, in bytes.
    `model` says how many seconds the requests so far would take on Discord (`model.seconds`).
    """

    account: int
    visibility: float
    settle: float
    file_limit: int
    post_limit: int
    requests: Requests
    model: RateModel

    @property
    @abstractmethod
    def name(self) -> str:
        """The server's name, for messages to people."""

    @property
    def is_live(self) -> bool:
        """Whether listeners hear of every change now, so that nobody need ask from time to time."""
        return False

    @abstractmethod
    def stamp(self) -> Stamp | None:
        """Return the best known pair of server and local time; a login or open gives the first."""

    def heard(self) -> Stamp | None:
        """Return the server's time as the last answer told it, which `stamp` need not be; None if none told it."""
        return self.stamp()

    @abstractmethod
    def monotonic(self) -> float:
        """Return the local monotonic clock in seconds; simulations replace it."""

    @abstractmethod
    async def sleep(self, seconds: float) -> None:
        """Wait by the local clock; simulations replace it."""

    async def wait(self, reason: str, seconds: float) -> None:
        """Wait, if there is anything to wait for, so that it is counted and seen; `reason` is one of `WAITS`."""
        if seconds > 0:
            self.requests.wait(reason, seconds)
        await self.sleep(seconds)

    @abstractmethod
    async def channels(self) -> list[Channel]:
        """Return all channels and categories of the guild."""

    @abstractmethod
    async def create_category(self, name: str) -> Channel:
        """Create a category that @everyone cannot see. Raises LimitExceededError at 500 channels."""

    @abstractmethod
    async def create_channel(self, name: str, category: int, topic: str = "") -> Channel:
        """Create a text channel in a category. Raises LimitExceededError at 500 channels or 50 in the category."""

    @abstractmethod
    async def delete_channel(self, channel: int) -> None:
        """Delete a channel, or a category (its channels stay)."""

    @abstractmethod
    async def post(
        self, channel: int, content: str, files: Sequence[File] = (), *, nonce: str | None = None
    ) -> Message:
        """Post a message. With a nonce that was used minutes ago, the earlier message is returned instead.

        Content is trimmed of white space at both ends by Discord. No mention is parsed, no notification sent, no
        embed made.
        """

    @abstractmethod
    async def messages(
        self, channel: int, *, before: int | None = None, after: int | None = None, limit: int = MAX_PAGE
    ) -> list[Message]:
        """Return up to `limit` (at most 100) messages, newest first, of one page.

        With `after`, those right after that id; else the newest ones, or those right before `before`. Only one of the
        two can be given; it is exclusive and need not exist. The order of ids within a page is not promised.
        """

    @abstractmethod
    async def message(self, channel: int, message: int) -> Message:
        """Return one message, with fresh URLs of its files."""

    @abstractmethod
    async def download(self, attachment: Attachment) -> bytes:
        """Return a file's bytes. Raises NotFoundError or ForbiddenError when its URL has expired or it is gone."""

    @abstractmethod
    async def delete_message(self, channel: int, message: int) -> None:
        """Delete one message; NotFoundError if it is gone already."""

    @abstractmethod
    async def delete_messages(self, channel: int, messages: Sequence[int]) -> None:
        """Delete 2 to 100 messages, none older than 14 days, at once."""

    @abstractmethod
    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` on changes, from the event loop's thread; returns a function that stops it.

        A guild without a push channel never calls it.
        """

    def link(self, channel: int, message: int) -> str:
        """Return the address at which people see a message; nothing where there is none."""
        return ""

    def poll(self) -> None:
        """Call the listeners now for changes that can be seen without a request or waiting.

        A local guild looks at its file, in microseconds; elsewhere nothing can be seen that way.
        """
        return

    @abstractmethod
    async def close(self) -> None:
        """Release what the guild holds. The channels stay."""
