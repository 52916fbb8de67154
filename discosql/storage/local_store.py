"""The server side of a local guild: what Discord does with a request, in one SQLite database.

Each method is one request and one transaction. Nothing waits: `LocalGuild` does that around it.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from discosql.errors import LimitExceededError, NotFoundError
from discosql.storage.guild import (
    MAX_PAGE,
    Attachment,
    Channel,
    File,
    Message,
    check_post,
    id_time,
    time_id,
)
from discosql.storage.ratelimit import FORTNIGHT

MIB: Final = 1 << 20
MAX_NAME: Final = 100
MAX_TOPIC: Final = 1_024
BULK: Final = (2, 100)

# Discord drops invalid Unicode and characters that upset the layout; its list is not published. These are known.
_DROPPED: Final = re.compile("[\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_URL: Final = re.compile(r"local://files/(\d+)\?ex=([0-9a-f]+)&hm=([0-9a-f]+)")

_COLUMNS: Final = "id, channel, author, content, files, edited"
_CHANNEL_COLUMNS: Final = "id, name, category, is_category, topic, newest"


@dataclass(frozen=True, slots=True)
class Habits:
    """The figures of Discord that depend on the server's boosts, or that tests change."""

    file_limit: int = 10 * MIB
    """The largest file; 50 MiB with boost tier 2, 100 MiB with tier 3."""
    post_limit: int = 25 * MIB
    """The largest sum of the files of one post."""
    channels: int = 500
    categories: int = 50
    per_category: int = 50
    nonce_window: float = 300.0
    """The "past few minutes" in seconds in which a nonce gives the same message again."""
    url_lifetime: float = 86_400.0
    """Seconds after which the URL of a file expires."""


class Store:
    """A server's channels and messages, with Discord's limits and habits.

    Ids are unique and increasing over all processes that have the file open, since each is taken in the transaction
    that uses it; should the machine's clock be set back, ids count on from the highest.
    """

    def __init__(self, connection: sqlite3.Connection, now: Callable[[], float], habits: Habits) -> None:
        self.habits = habits
        self.own_changes = 0
        """The number of changes made through this connection."""
        self._connection = connection
        self._execute = connection.execute
        self._now = now
        row = self._execute("SELECT id, name, account, secret FROM guild").fetchone()
        self.guild: int = row[0]
        self.name: str = row[1]
        self.account: int = row[2]
        self._secret: bytes = row[3]

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def version(self) -> int:
        """Return a number that changes when another connection changed the database."""
        (version,) = self._execute("PRAGMA data_version").fetchone()
        return int(version)

    def changed_since(self, moment: int) -> list[tuple[int, int]]:
        """Return the channels whose messages changed after a moment (an id), and when."""
        return self._execute("SELECT id, changed FROM channel WHERE changed > ?", (moment,)).fetchall()

    def last_change(self) -> int:
        """Return the moment (an id) of the newest change."""
        (last,) = self._execute("SELECT last FROM guild").fetchone()
        return int(last)

    # Channels

    def channels(self) -> list[Channel]:
        """Return all channels and categories, oldest first."""
        rows = self._execute(f"SELECT {_CHANNEL_COLUMNS} FROM channel ORDER BY id")
        return [_channel(row) for row in rows]

    def create_channel(self, name: str, category: int | None, topic: str, *, is_category: bool = False) -> Channel:
        """Create a channel or a category."""
        if not 1 <= len(name) <= MAX_NAME:
            raise LimitExceededError(f"the name of a channel has 1 to {MAX_NAME} characters, not {len(name)}")
        if len(topic) > MAX_TOPIC:
            raise LimitExceededError(f"the topic of a channel has at most {MAX_TOPIC} characters, not {len(topic)}")
        with self._changing():
            self._check_room(category, is_category)
            channel = Channel(
                self._next_id(), name if is_category else _text_channel_name(name), category, is_category, topic
            )
            self._execute(
                "INSERT INTO channel VALUES (?, ?, ?, ?, ?, ?, 0)",
                (channel.id, channel.name, category, is_category, topic, channel.id),
            )
        return channel

    def _check_room(self, category: int | None, is_category: bool) -> None:
        total, categories, children, parents = self._execute(
            "SELECT count(*), sum(is_category), sum(category = ?), sum(id = ? AND is_category) FROM channel",
            (category, category),
        ).fetchone()
        if total >= self.habits.channels:
            raise LimitExceededError(f"the server {self.name} has {total} channels, which is the most it can have")
        if is_category and (categories or 0) >= self.habits.categories:
            raise LimitExceededError(f"the server {self.name} has {categories} categories, the most it can have")
        if category is not None and not parents:
            raise NotFoundError(f"category {category} does not exist")
        if (children or 0) >= self.habits.per_category:
            raise LimitExceededError(f"category {category} has {children} channels, which is the most it can have")

    def delete_channel(self, channel: int) -> None:
        """Delete a channel with its messages, or a category without its channels."""
        with self._changing():
            if not self._execute("DELETE FROM channel WHERE id = ?", (channel,)).rowcount:
                raise _no_channel(channel)
            self._execute("UPDATE channel SET category = NULL WHERE category = ?", (channel,))
            self._execute("DELETE FROM message WHERE channel = ?", (channel,))
            self._execute("DELETE FROM file WHERE channel = ?", (channel,))

    # Messages

    def post(self, author: int, channel: int, content: str, files: Sequence[File], nonce: str | None) -> Message:
        """Store a message, or return the one that the author posted with the same nonce minutes ago."""
        content = self._checked_content(content, files, nonce)
        with self._changing():
            self._check_channel(channel)
            if nonce is not None:
                earlier = self._posted_with(author, nonce)
                if earlier is not None:
                    return self._message(*earlier, nonce)
            message = self._next_id()
            described = [(self._next_id(), file.name, len(file.data)) for file in files]
            self._execute(
                "INSERT INTO message VALUES (?, ?, ?, ?, ?, 0)",
                (channel, message, author, content, json.dumps(described) if described else ""),
            )
            for (identity, _, _), file in zip(described, files, strict=True):
                self._execute("INSERT INTO file VALUES (?, ?, ?, ?)", (identity, channel, message, file.data))
            if nonce is not None:
                self._execute("INSERT INTO nonce VALUES (?, ?, ?, ?)", (author, nonce, channel, message))
            self._execute("UPDATE channel SET changed = ?, newest = ? WHERE id = ?", (message, message, channel))
        return Message(message, channel, author, content, self._attachments(described), False, nonce)

    def _checked_content(self, content: str, files: Sequence[File], nonce: str | None) -> str:
        if not content.isascii():
            content = _DROPPED.sub("", content)
        check_post(content, files, nonce, file_limit=self.habits.file_limit, post_limit=self.habits.post_limit)
        return content.strip()

    def _posted_with(self, author: int, nonce: str) -> tuple[int, int] | None:
        oldest = time_id(self._now() - self.habits.nonce_window)
        self._execute("DELETE FROM nonce WHERE message < ?", (oldest,))
        row: tuple[int, int] | None = self._execute(
            "SELECT channel, message FROM nonce WHERE author = ? AND nonce = ?", (author, nonce)
        ).fetchone()
        return row

    def messages(self, channel: int, before: int | None, after: int | None, limit: int) -> list[Message]:
        """Return a page of messages, newest first."""
        if not 1 <= limit <= MAX_PAGE:
            raise LimitExceededError(f"a page has 1 to {MAX_PAGE} messages, not {limit}")
        self._check_channel(channel)
        select = f"SELECT {_COLUMNS} FROM message WHERE channel = ?"
        if after is not None:
            rows = self._execute(f"{select} AND id > ? ORDER BY id LIMIT ?", (channel, after, limit)).fetchall()
            rows.reverse()
        elif before is not None:
            rows = self._execute(f"{select} AND id < ? ORDER BY id DESC LIMIT ?", (channel, before, limit)).fetchall()
        else:
            rows = self._execute(f"{select} ORDER BY id DESC LIMIT ?", (channel, limit)).fetchall()
        return [self._from_row(row) for row in rows]

    def message(self, channel: int, message: int) -> Message:
        """Return one message."""
        self._check_channel(channel)
        return self._message(channel, message)

    def edit(self, channel: int, message: int, content: str) -> Message:
        """Replace the content of a message."""
        content = self._checked_content(content, (), None)
        with self._changing():
            self._check_channel(channel)
            edited = self._execute(
                "UPDATE message SET content = ?, edited = 1 WHERE channel = ? AND id = ?", (content, channel, message)
            )
            if not edited.rowcount:
                raise _no_message(channel, message)
            self._touch(channel, self._next_id())
            return self._message(channel, message)

    def delete_message(self, channel: int, message: int) -> None:
        """Delete one message and its files."""
        with self._changing():
            self._check_channel(channel)
            if not self._delete(channel, message):
                raise _no_message(channel, message)
            self._touch(channel, self._next_id())

    def delete_messages(self, channel: int, messages: Sequence[int]) -> None:
        """Delete messages at once; those that are gone already are no fault."""
        fewest, most = BULK
        if not fewest <= len(messages) <= most:
            raise LimitExceededError(f"{fewest} to {most} messages can be deleted at once, not {len(messages)}")
        if len(set(messages)) < len(messages):
            raise LimitExceededError("a message is named twice among those to delete at once")
        if min(messages) < time_id(self._now() - FORTNIGHT):
            raise LimitExceededError(f"message {min(messages)} is older than 14 days: too old to be deleted in bulk")
        with self._changing():
            self._check_channel(channel)
            for message in messages:
                self._delete(channel, message)
            self._touch(channel, self._next_id())

    def _delete(self, channel: int, message: int) -> bool:
        self._execute("DELETE FROM file WHERE channel = ? AND message = ?", (channel, message))
        deleted = self._execute("DELETE FROM message WHERE channel = ? AND id = ?", (channel, message))
        return deleted.rowcount > 0

    def _message(self, channel: int, message: int, nonce: str | None = None) -> Message:
        row = self._execute(
            f"SELECT {_COLUMNS} FROM message WHERE channel = ? AND id = ?", (channel, message)
        ).fetchone()
        if row is None:
            raise _no_message(channel, message)
        return self._from_row(row, nonce)

    def _from_row(self, row: tuple[int, int, int, str, str, int], nonce: str | None = None) -> Message:
        message, channel, author, content, files, edited = row
        attachments = self._attachments(json.loads(files)) if files else ()
        return Message(message, channel, author, content, attachments, edited == 1, nonce)

    # Files

    def _attachments(self, described: Sequence[tuple[int, str, int]]) -> tuple[Attachment, ...]:
        expiry = int(self._now() + self.habits.url_lifetime)
        return tuple(
            Attachment(
                identity, name, size, f"local://files/{identity}?ex={expiry:x}&hm={self._sign(identity, expiry)}"
            )
            for identity, name, size in described
        )

    def _sign(self, identity: int, expiry: int) -> str:
        return blake2b(b"%d %d" % (identity, expiry), key=self._secret, digest_size=8).hexdigest()

    def download(self, attachment: Attachment) -> bytes:
        """Return a file by its signed URL."""
        url = _URL.fullmatch(attachment.url)
        if url is None or self._sign(int(url[1]), int(url[2], 16)) != url[3]:
            raise NotFoundError(f"file {attachment.name} was not found: the URL is not one of this server")
        if self._now() >= int(url[2], 16):
            raise NotFoundError(f"file {attachment.name} was not found: its URL has expired")
        row = self._execute("SELECT data FROM file WHERE id = ?", (int(url[1]),)).fetchone()
        if row is None:
            raise NotFoundError(f"file {attachment.name} was deleted")
        return bytes(row[0])

    # Transactions and ids

    @contextmanager
    def _changing(self) -> Iterator[None]:
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            # SQLite has rolled back already after some errors (a full disk, say).
            if self._connection.in_transaction:
                self._execute("ROLLBACK")
            raise
        self.own_changes += 1

    def _next_id(self) -> int:
        # Worker and process of the id are 0; the counter may run over into them, up to 4 million ids a millisecond.
        (new,) = self._execute(
            "UPDATE guild SET last = max(last + 1, ?) RETURNING last", (time_id(self._now()),)
        ).fetchone()
        return int(new)

    def _touch(self, channel: int, moment: int) -> None:
        self._execute("UPDATE channel SET changed = ? WHERE id = ?", (moment, channel))

    def _check_channel(self, channel: int) -> None:
        row = self._execute("SELECT is_category FROM channel WHERE id = ?", (channel,)).fetchone()
        if row is None:
            raise _no_channel(channel)
        if row[0]:
            raise NotFoundError(f"{channel} is a category and holds no messages")

    def age(self, message: int) -> float:
        """Return the seconds since a message was posted."""
        return self._now() - id_time(message)


def _text_channel_name(name: str) -> str:
    return name.lower().replace(" ", "-")


def _channel(row: tuple[int, str, int | None, int, str, int]) -> Channel:
    identity, name, category, is_category, topic, newest = row
    return Channel(identity, name, category, bool(is_category), topic, newest)


def _no_channel(channel: int) -> NotFoundError:
    return NotFoundError(f"channel {channel} does not exist")


def _no_message(channel: int, message: int) -> NotFoundError:
    return NotFoundError(f"message {message} does not exist in channel {channel}")
