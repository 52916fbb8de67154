"""Reading a channel: pages of messages and files, again if an answer is missing."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeVar

from discosql.errors import (
    DatabaseCorruptionError,
    EncryptionKeyError,
    ForbiddenError,
    NoAnswerError,
    NotFoundError,
    UnavailableError,
)
from discosql.storage.chain import Candidate
from discosql.storage.entry import Entry, read_body, read_entry
from discosql.storage.guild import MAX_PAGE, Attachment, Guild, Message
from discosql.storage.sealing import Keyring

T = TypeVar("T")

TRIES: Final = 4
_FIRST_PAUSE: Final = 0.5
_SMALL: Final = 2**14
"""Bytes that are decoded in a moment, without asking another thread."""


async def with_retries(guild: Guild, read: Callable[[], Awaitable[T]]) -> T:
    """Return what `read` gives; a missing answer or a refusal for now is tried again after a pause."""
    pause = _FIRST_PAUSE
    for _ in range(TRIES - 1):
        try:
            return await read()
        except (NoAnswerError, UnavailableError):
            await guild.wait("outage", pause)
            pause *= 2
    return await read()


async def read_after(guild: Guild, channel: int, cursor: int) -> tuple[list[Message], int]:
    """Return all messages above an id, in the order of their ids, and the number of pages it took."""
    found: dict[int, Message] = {}
    pages = 0
    while True:
        page = await with_retries(guild, partial(guild.messages, channel, after=cursor))
        pages += 1
        found.update((message.id, message) for message in page)
        if len(page) < MAX_PAGE:
            return [found[message] for message in sorted(found)], pages
        cursor = max(message.id for message in page)


async def fetch_message(guild: Guild, channel: int, message: int) -> Message:
    """Return one message that is known to be there; it may have been posted too lately to be seen at once."""
    fetch = partial(guild.message, channel, message)
    try:
        return await with_retries(guild, fetch)
    except NotFoundError:
        if not guild.visibility:
            raise
        await guild.wait("settling", guild.visibility)
        return await with_retries(guild, fetch)


async def read_files(guild: Guild, message: Message) -> list[bytes]:
    """Return the files of a message. URLs that have expired are asked for again once."""
    try:
        return [await _download(guild, attachment) for attachment in message.attachments]
    except (NotFoundError, ForbiddenError):
        fresh = await fetch_message(guild, message.channel, message.id)
        return [await _download(guild, attachment) for attachment in fresh.attachments]


async def _download(guild: Guild, attachment: Attachment) -> bytes:
    return await with_retries(guild, lambda: guild.download(attachment))


async def body_of(guild: Guild, candidate: Candidate) -> list[Any]:
    """Return the body of an entry, downloaded if it is in files. Raises EncryptionKeyError if it takes another key."""
    entry, message = candidate.entry, candidate.message
    check_key(entry)
    if not entry.files:
        return entry.body  # type: ignore[no-any-return]
    try:
        files = await _files_of(guild, entry, message)
        if sum(map(len, files)) < _SMALL:
            return read_body(entry, files)
        return await asyncio.to_thread(read_body, entry, files)
    except (NotFoundError, DatabaseCorruptionError) as exc:
        raise DatabaseCorruptionError(
            f"entry #{entry.slot} cannot be read: a file of message {message.id} of channel {message.channel}, or of "
            f"one before it, is missing or damaged"
        ) from exc


async def _files_of(guild: Guild, entry: Entry, message: Message) -> list[bytes]:
    files: list[bytes] = []
    for part in dict.fromkeys(mark.part for mark in entry.files):
        carrier = message
        if part:
            carrier = await fetch_message(guild, message.channel, part)
        files += await read_files(guild, carrier)
    if len(files) != len(entry.files):
        raise NotFoundError("a file is missing")
    return files


async def unlocked(candidate: Candidate, keyring: Keyring) -> Candidate:
    """Return a candidate whose content can be read. Raises EncryptionKeyError if none of the keys at hand opens it.

    Keys are derived from a passphrase only here, for what is needed: others can post as many salts as they like.
    """
    entry, message = candidate.entry, candidate.message
    if not entry.locked:
        return candidate
    await keyring.prepare(entry.mark)
    opened = read_entry(message, keyring)
    if opened is None:
        raise DatabaseCorruptionError(
            f"entry #{entry.slot} of the log was changed: message {message.id} of channel {message.channel}"
        )
    check_key(opened)
    return Candidate(opened, message)


def check_key(entry: Entry) -> None:
    """Raise EncryptionKeyError for an entry that the keys at hand do not open."""
    if entry.locked:
        raise EncryptionKeyError(entry.locked)


def entries_of(guild: Guild, messages: list[Message], keyring: Keyring) -> list[tuple[Entry, Message]]:
    """Return the entries in messages: those of our own account, never edited, with a right checksum.

    What needs a key that the keyring has not derived yet is locked.
    """
    found = []
    own = [message for message in messages if message.author == guild.account and not message.edited]
    for message in own:
        entry = read_entry(message, keyring)
        if entry is not None:
            found.append((entry, message))
    return found


async def opened_entries_of(guild: Guild, messages: list[Message], keyring: Keyring) -> list[tuple[Entry, Message]]:
    """Return the entries in messages, all of them opened that any key at hand opens."""
    for entry, _ in reversed(entries_of(guild, messages, keyring)):
        if entry.locked:
            await keyring.prepare(entry.mark)
    return entries_of(guild, messages, keyring)
