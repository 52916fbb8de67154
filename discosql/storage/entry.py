"""Entries of the log: what one says, and the message that carries it.

The text of the message is a line for people, the entry's *head* as JSON in a code block, and the entry's id. A body
of up to about 1,900 characters stands in the head itself; a longer one is in the message's files, gzipped, and the
head holds their sizes and digests. The id is a digest of the head's bytes. So a message is judged by its text alone,
and as the head contains the parent's id, an id vouches for the whole chain and all files below it::

    #42 INSERT users ×1
    ```json
    {"discosql":1,"n":42,"p":"…","s":"…","x":"…","k":"c","b":[[7,null,[["i",1,[[1,"Ada"]]]]]]}
    ```
    -# 6f1a…
"""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from discosql.errors import DatabaseCorruptionError, OperationalError
from discosql.storage.codec import dump
from discosql.storage.guild import MAX_NONCE, File, Message

FORMAT: Final = 1
"""The version of the format of entries, manifests and pages that this code writes, and the newest that it reads."""

GENESIS: Final = "g"
"""The parent of the first entry."""

MAX_TEXT: Final = 1_900
MAX_PAYLOAD: Final = 20 * 2**20
"""The most bytes of files that one entry carries; what is larger goes into pages first."""

_TITLE_LENGTH: Final = 120
_TEXT: Final = re.compile(r"```json\n([^\n]+)\n```\n-# ([0-9a-f]{24})\Z")


@dataclass(frozen=True, slots=True)
class Cover:
    """What a checkpoint covers: the state as of `slot`, won by entry `id` of `session` in message `message`.

    `previous` is the cover of the valid checkpoint before it (0 if none), `oldest_page` the message of the oldest page
    that it adds (0 if none).
    """

    slot: int
    id: str
    session: str
    message: int
    previous: int
    oldest_page: int


@dataclass(frozen=True, slots=True)
class FileMark:
    """A file that carries (a part of) an entry's body: its size and SHA-256, as stored."""

    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log. `body` is parsed JSON, or None when it is in `files`.

    `objects` tells that rows in the body hold values that JSON lacks. `cover` makes it a checkpoint.
    """

    id: str
    slot: int
    parent: str
    session: str
    objects: bool
    body: Any
    files: tuple[FileMark, ...] = ()
    cover: Cover | None = None

    @property
    def kind(self) -> Literal["c", "p"]:
        """``c`` for a commit, ``p`` for a checkpoint."""
        return "c" if self.cover is None else "p"


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry ready to be posted: sending a draft again sends the same bytes."""

    entry: Entry
    text: str
    files: tuple[File, ...]
    nonce: str


@dataclass(frozen=True, slots=True)
class Position:
    """Where a draft goes: its slot and parent, and who writes it with which salt."""

    channel: int
    slot: int
    parent: str
    session: str
    salt: str


def digest(data: bytes) -> str:
    """Return the blake2b-96 of bytes in hexadecimal."""
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def nonce_of(channel: int, slot: int, parent: str) -> str:
    """Return the nonce of every candidate of a slot, by which Discord may merge rivals into one message."""
    return hashlib.blake2b(f"{channel}:{slot}:{parent}".encode()).hexdigest()[:MAX_NONCE]


def write_entry(
    position: Position, body: Any, title: str, *, file_limit: int, post_limit: int, cover: Cover | None = None
) -> Draft | None:
    """Return the draft of an entry, or None if its body is too large for one message."""
    body_text, objects = dump(body)
    head: dict[str, Any] = {
        "discosql": FORMAT,
        "n": position.slot,
        "p": position.parent,
        "s": position.session,
        "x": position.salt,
        "k": "c" if cover is None else "p",
    }
    if objects:
        head["o"] = 1
    if cover is not None:
        head |= {"c": cover.slot, "ct": cover.id, "cs": cover.session, "ca": cover.message}
        head |= {"prev": cover.previous, "old": cover.oldest_page}
    files: tuple[File, ...] = ()
    code = f'{dump(head)[0][:-1]},"b":{body_text}}}'
    title_line = _title(position.slot, title)
    if len(code) + len(title_line) > MAX_TEXT - 50:
        files = _body_files(position.slot, body_text, file_limit)
        if sum(len(file.data) for file in files) > min(post_limit, MAX_PAYLOAD) or len(files) > 10:
            return None
        head["f"] = [[len(file.data), hashlib.sha256(file.data).hexdigest()] for file in files]
        code = dump(head)[0]
    entry_id = digest(code.encode())
    text = f"{title_line}\n```json\n{code}\n```\n-# {entry_id}"
    marks = tuple(FileMark(size, name) for size, name in head.get("f", ()))
    entry = Entry(
        entry_id, position.slot, position.parent, position.session, objects, None if files else body, marks, cover
    )
    return Draft(entry, text, files, nonce_of(position.channel, position.slot, position.parent))


def _title(slot: int, title: str) -> str:
    # Names of tables are any text; here they are for people only, so what could upset the message's form goes.
    shown = "".join(character if character.isprintable() and character != "`" else " " for character in title)
    return f"#{slot} {shown[:_TITLE_LENGTH]}".rstrip()


def _body_files(slot: int, body: str, file_limit: int) -> tuple[File, ...]:
    data = gzip.compress(body.encode("ascii"), 6 if len(body) < 2**20 else 1, mtime=0)
    parts = [data[start : start + file_limit] for start in range(0, len(data), file_limit)]
    return tuple(File(f"{slot}.json.gz" + (f".{i}" if i else ""), part) for i, part in enumerate(parts))


def entry_id_of(message: Message) -> str | None:
    """Return the id of the entry that a message carries unharmed, or None."""
    match = _TEXT.search(message.content)
    if match is None or digest(match[1].encode("utf-8", "replace")) != match[2]:
        return None
    return match[2]


def looks_like_entry(message: Message) -> bool:
    """Tell whether a message was an entry once, whole or damaged."""
    return '{"discosql":' in message.content


def read_entry(message: Message) -> Entry | None:
    """Return the entry that a message carries, or None if it carries none or is damaged.

    Raises OperationalError if a newer version of discosql wrote it.
    """
    entry_id = entry_id_of(message)
    if entry_id is None:
        return None
    code = message.content[message.content.index("```json\n") + 8 : -(24 + 8)]
    try:
        head = json.loads(code)
        if head["discosql"] > FORMAT:
            raise OperationalError(
                f"entry #{head['n']} has format {head['discosql']}: it was written by a newer version of discosql, "
                f"this one reads formats up to {FORMAT}"
            )
        entry = _entry(entry_id, head)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if [mark.size for mark in entry.files] != [attachment.size for attachment in message.attachments]:
        return None
    return entry


def _entry(entry_id: str, head: dict[str, Any]) -> Entry:
    cover = None
    if head["k"] == "p":
        cover = Cover(head["c"], head["ct"], head["cs"], head["ca"], head["prev"], head["old"])
    marks = tuple(FileMark(size, name) for size, name in head.get("f", ()))
    body = None if marks else head["b"]
    return Entry(entry_id, head["n"], head["p"], head["s"], "o" in head, body, marks, cover)


def read_body(entry: Entry, parts: Sequence[bytes]) -> Any:
    """Return the body from an entry's downloaded files. Raises DatabaseCorruptionError if they are damaged."""
    for mark, part in zip(entry.files, parts, strict=True):
        if len(part) != mark.size or hashlib.sha256(part).hexdigest() != mark.digest:
            raise DatabaseCorruptionError(f"a file of entry #{entry.slot} is damaged")
    try:
        return json.loads(gzip.decompress(b"".join(parts)))
    except (OSError, EOFError, ValueError, zlib.error) as exc:
        raise DatabaseCorruptionError(f"the file of entry #{entry.slot} cannot be read") from exc
