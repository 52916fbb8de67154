"""Entries of the log: what one says, and the message that carries it.

The text of the message is a line for people, the entry's *head* as JSON in a code block, and the entry's id. A body is
a list of JSON values. Up to about 1,900 characters it stands in the head itself; a longer one is in the message's
files, a value a line and gzipped, and the head holds their sizes and digests. What does not fit into one message is
posted before, in messages called *parts*. The id is a digest of the head's bytes. So a message is judged by its text
alone, and as the head contains the parent's id, an id vouches for the whole chain and all files below it. In a database
with a key what the head says of content is sealed, for the place that the rest of the head tells (`sealing`)::

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
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from discosql.errors import DatabaseCorruptionError, OperationalError
from discosql.storage.codec import dump
from discosql.storage.guild import MAX_CONTENT, MAX_NONCE, File, Message
from discosql.storage.sealing import OVERHEAD, Keyring, Seal, place_of

FORMAT: Final = 1
"""The version of the format of entries, manifests and pages that this code writes, and the newest that it reads."""

GENESIS: Final = "g"
"""The parent of the first entry."""

MAX_TEXT: Final = 1_900
"""The longest text of a message with a body in it."""

MAX_PAYLOAD: Final = 20 * 2**20
"""The most bytes of files that one message carries."""

_TITLE_LENGTH: Final = 120
_TEXT: Final = re.compile(r"```json\n([^\n]+)\n```\n-# ([0-9a-f]{24})\Z")
_SEALED: Final = re.compile(r'(.+),"z":"([A-Za-z0-9+/=]+)"\}\Z')


@dataclass(frozen=True, slots=True)
class Cover:
    """What a checkpoint covers: the state as of `slot`, won by entry `id` of `session` in message `message`.

    `previous` is the cover of the valid checkpoint before it, 0 if there is none.
    """

    slot: int
    id: str
    session: str
    message: int
    previous: int


@dataclass(frozen=True, slots=True)
class FileMark:
    """A file that carries (a piece of) an entry's body: its size and SHA-256 as stored, and the part that it is in.

    `part` is 0 for a file of the entry's own message.
    """

    size: int
    digest: str
    part: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log. `body` is parsed JSON, or None when it is in `files`; `size` is that of head and files.

    `objects` tells that rows in the body hold values that JSON lacks. `oldest` is the oldest message that was posted
    for this entry before it, a part or a page, 0 if none was. `cover` makes it a checkpoint. `seal` is what its content
    is sealed with; `locked` tells why that cannot be opened, if it cannot, and `mark` with which key it could.
    """

    id: str
    slot: int
    parent: str
    session: str
    size: int
    objects: bool
    body: Any
    files: tuple[FileMark, ...] = ()
    oldest: int = 0
    cover: Cover | None = None
    seal: Seal | None = field(default=None, compare=False, repr=False)
    locked: str = ""
    mark: Any = field(default=None, compare=False)

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


@dataclass(frozen=True, slots=True)
class Body:
    """A body as JSON text, a value a line, and whether it holds objects for values that JSON lacks."""

    lines: tuple[str, ...]
    objects: bool = False


@dataclass(frozen=True, slots=True)
class Packed:
    """A body made ready for messages: as text if it may fit, and as files, of which the last go with the entry itself.

    `marks` name all files in order. `seal` is what they are sealed with and the entry is to be.
    """

    body: Body
    files: tuple[File, ...] = ()
    marks: tuple[FileMark, ...] = ()
    seal: Seal | None = None


def compress(body: Body, file_limit: int, seal: Seal | None = None) -> list[File]:
    """Return the files that a body makes."""
    text = "\n".join(body.lines)
    data = gzip.compress(text.encode("ascii"), 6 if len(text) < 2**18 else 1, mtime=0)
    if seal is not None:
        file_limit -= OVERHEAD
    parts = [data[start : start + file_limit] for start in range(0, len(data), file_limit)]
    if seal is None:
        return [File(f"entry.{number}.jsonl.gz", part) for number, part in enumerate(parts, 1)]
    sealed = [seal.seal_file(part, place_of("body", number, len(parts))) for number, part in enumerate(parts)]
    return [File(f"entry.{number}.sealed", part) for number, part in enumerate(sealed, 1)]


def mark_of(file: File, part: int = 0) -> FileMark:
    """Return what an entry says of a file."""
    return FileMark(len(file.data), hashlib.sha256(file.data).hexdigest(), part)


def write_entry(
    position: Position, packed: Packed, title: str, *, oldest: int = 0, cover: Cover | None = None
) -> Draft | None:
    """Return the draft of an entry; None if its body was to stand in the text and is too long for that."""
    head: dict[str, Any] = {
        "discosql": FORMAT,
        "n": position.slot,
        "p": position.parent,
        "s": position.session,
        "x": position.salt,
        "k": "c" if cover is None else "p",
    }
    if packed.seal is not None:
        head["e"] = packed.seal.mark
    if oldest:
        head["old"] = oldest
    if cover is not None:
        head |= {"c": cover.slot, "ct": cover.id, "cs": cover.session, "ca": cover.message, "prev": cover.previous}
    if packed.files:
        head["f"] = [[mark.size, mark.digest, mark.part][: 3 if mark.part else 2] for mark in packed.marks]
    code = _with_content(dump(head)[0][:-1], packed)
    entry_id = digest(code.encode())
    if packed.seal is not None and cover is None:
        title = "sealed"
    text = f"{_title(position.slot, title)}\n```json\n{code}\n```\n-# {entry_id}"
    if len(text) > (MAX_CONTENT if packed.files else MAX_TEXT):
        return None
    entry = _entry(entry_id, head | {"b": None}, len(code), packed.seal)
    return Draft(entry, text, packed.files, nonce_of(position.channel, position.slot, position.parent))


def _with_content(start: str, packed: Packed) -> str:
    """Return the code of an entry from its beginning: what tells of content is added, in a sealed entry sealed."""
    content = ['"o":1'] if packed.body.objects else []
    if not packed.files:
        content.append(f'"b":[{",".join(packed.body.lines)}]')
    if packed.seal is None:
        return f"{','.join([start, *content])}}}"
    # Compressed it takes hardly more room in base64 than plain, so that as many bodies fit into a message's text.
    text = zlib.compress(f"{{{','.join(content)}}}".encode("ascii"), 9)
    return f'{start},"z":"{packed.seal.seal_text(text, start.encode("ascii"))}"}}'


def _title(slot: int, title: str) -> str:
    # Names of tables are any text; here they are for people only, so what could upset the message's form goes.
    shown = "".join(character if character.isprintable() and character != "`" else " " for character in title)
    return f"#{slot} {shown[:_TITLE_LENGTH]}".rstrip()


def entry_id_of(message: Message) -> str | None:
    """Return the id of the entry that a message carries unharmed, or None."""
    match = _TEXT.search(message.content)
    if match is None or digest(match[1].encode("utf-8", "replace")) != match[2]:
        return None
    return match[2]


def looks_like_entry(message: Message) -> bool:
    """Tell whether a message was an entry once, whole or damaged."""
    # Any of its marks is enough, so that damage to one of them does not hide it.
    return any(mark in message.content for mark in ('{"discosql":', "```json\n{", "\n```\n-# "))


def read_entry(message: Message, keyring: Keyring | None = None) -> Entry | None:
    """Return the entry that a message carries, or None if it carries none or is damaged.

    Without a keyring only plain entries can be opened. Raises OperationalError if a newer version of discosql wrote it.
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
        entry = _opened(entry_id, head, code, keyring or Keyring())
    except (ValueError, KeyError, TypeError, RecursionError, zlib.error):
        return None
    own = [mark.size for mark in entry.files if not mark.part]
    return entry if own == [attachment.size for attachment in message.attachments] else None


def _opened(entry_id: str, head: dict[str, Any], code: str, keyring: Keyring) -> Entry:
    """Return an entry from its head. Raises ValueError if what it has sealed was not sealed so."""
    mark = head.get("e")
    if mark is None:
        return _entry(entry_id, head, len(code), locked=keyring.refusal(None))
    seal = keyring.find(mark)
    if seal is None:
        locked = _entry(entry_id, head | {"b": None}, len(code), locked=keyring.refusal(mark))
        return replace(locked, mark=mark)
    sealed = _SEALED.fullmatch(code)
    content = None if sealed is None else seal.open_text(sealed[2], sealed[1].encode())
    if content is None:
        raise ValueError("not sealed for this place")
    return _entry(entry_id, head | json.loads(zlib.decompress(content)), len(code), seal)


def _entry(entry_id: str, head: dict[str, Any], size: int, seal: Seal | None = None, *, locked: str = "") -> Entry:
    cover = None
    if head["k"] == "p":
        cover = Cover(head["c"], head["ct"], head["cs"], head["ca"], head["prev"])
    marks = tuple(FileMark(*mark) for mark in head.get("f", ()))
    body = None if marks else head["b"]
    size += sum(mark.size for mark in marks)
    oldest = head.get("old", 0)
    slot, parent, session = head["n"], head["p"], head["s"]
    return Entry(entry_id, slot, parent, session, size, "o" in head, body, marks, oldest, cover, seal, locked)


def read_body(entry: Entry, files: Sequence[bytes]) -> list[Any]:
    """Return the body from an entry's downloaded files. Raises DatabaseCorruptionError if they are damaged."""
    for mark, data in zip(entry.files, files, strict=True):
        if len(data) != mark.size or hashlib.sha256(data).hexdigest() != mark.digest:
            raise DatabaseCorruptionError(f"a file of entry #{entry.slot} is damaged")
    if entry.seal is not None:
        files = [_open_file(entry, entry.seal, number, data) for number, data in enumerate(files)]
    try:
        # Line by line, so that another thread gets its turn in between.
        return [json.loads(line) for line in gzip.decompress(b"".join(files)).splitlines()]
    except (OSError, EOFError, ValueError, zlib.error) as exc:
        raise DatabaseCorruptionError(f"the file of entry #{entry.slot} cannot be read") from exc


def _open_file(entry: Entry, seal: Seal, number: int, data: bytes) -> bytes:
    opened = seal.open_file(data, place_of("body", number, len(entry.files)))
    if opened is None:
        raise DatabaseCorruptionError(f"a file of entry #{entry.slot} was not sealed for its place")
    return opened
