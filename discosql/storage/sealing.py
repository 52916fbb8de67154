"""Encryption: what a key is, the keys that follow from it, and sealing with them.

A *seal* closes what a database stores under one key: AES-GCM with 256 bits, a random nonce of 96 bits for each sealed
text, and, as associated data, the place where it belongs, so that nothing sealed can be moved. Its keys are derived by
HKDF (RFC 5869) from a *master key* and the id of the log's channel, one for each purpose. The master key is given, or
follows from a passphrase by scrypt (RFC 7914).

Every sealed entry carries a *mark*: how its key follows from a passphrase, and an id by which a wrong key is known. A
*keyring* has the keys that a process was given and finds the seal to a mark. Needs the library ``cryptography``.
"""

import asyncio
import base64
import binascii
import hashlib
import json
import os
import re
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from discosql.errors import Error, OperationalError, ProgrammingError, UnknownOutcomeError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

EncryptionKey: TypeAlias = bytes | str
"""What a caller gives: 32 bytes are the master key itself, text is a passphrase, or ``hex:`` and the 32 bytes."""

KEY_SIZE: Final = 32

COST: Final = 17
"""Scrypt's cost for new databases: 2^17 blocks, 128 MiB."""

_MIN_COST: Final = 15
_MAX_COST: Final = 20
_BLOCK: Final = 8
_SALT: Final = 16
_MAX_DERIVED: Final = 8
"""Keys are derived for so many marks at most: each takes time and memory, and marks can be made up."""

_NONCE: Final = 12
_MAGIC: Final = b"dsqs\x01"
"""The first bytes of sealed files. No file of a plain database begins so."""

_ID: Final = 8
OVERHEAD: Final = len(_MAGIC) + _ID + _NONCE + 16
"""Bytes by which a sealed file is longer."""

_RAW_TEXT: Final = re.compile(r"hex:([0-9A-Fa-f]{64})")


def place_of(kind: str, *parts: int) -> bytes:
    """Return the associated data of what is sealed for a place."""
    return ":".join([kind, *map(str, parts)]).encode("ascii")


def plain_seed(log: int) -> bytes:
    """Return the key of index hashes in a plain database: no secret, but different in each."""
    return str(log).encode()


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a master key follows from a passphrase: scrypt with 2^`cost` blocks of `block` × 128 bytes."""

    salt: bytes
    cost: int = COST
    block: int = _BLOCK
    parallel: int = 1

    def to_json(self) -> list[Any]:
        """Return the beginning of a mark."""
        return ["scrypt", self.cost, self.block, self.parallel, self.salt.hex()]

    @classmethod
    def from_json(cls, data: list[Any]) -> Self:
        """Return what `to_json` wrote. Raises ValueError for parameters too weak to use or too heavy to bear."""
        kind, cost, block, parallel, salt = data
        sizes = (cost, block, parallel)
        if kind != "scrypt" or not all(type(size) is int for size in sizes) or not isinstance(salt, str):
            raise ValueError("unknown derivation")
        made = cls(bytes.fromhex(salt), cost, block, parallel)
        if not (_MIN_COST <= cost <= _MAX_COST and block == _BLOCK and 1 <= parallel <= 4 and len(made.salt) == _SALT):
            raise ValueError("parameters out of bounds")
        return made


class Secret:
    """A key as it was given. Never shows itself."""

    __slots__ = ("_bytes", "is_passphrase")

    def __init__(self, key: EncryptionKey) -> None:
        raw = _RAW_TEXT.fullmatch(key) if isinstance(key, str) else None
        self.is_passphrase = isinstance(key, str) and raw is None
        if isinstance(key, str):
            try:
                self._bytes = bytes.fromhex(raw[1]) if raw else unicodedata.normalize("NFC", key).encode()
            except UnicodeEncodeError:
                raise ProgrammingError("the key has characters that are no text") from None
        elif isinstance(key, bytes):
            self._bytes = key
        else:
            raise ProgrammingError("a key is bytes or text")
        if not self._bytes:
            raise ProgrammingError("the key is empty")
        if not self.is_passphrase and len(self._bytes) != KEY_SIZE:
            raise ProgrammingError(f"a key of bytes has {KEY_SIZE} bytes; give a passphrase as text")

    def master(self, derivation: Derivation | None) -> bytes:
        """Return the master key. From a passphrase that takes a good part of a second."""
        if derivation is None:
            return self._bytes
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        scrypt = Scrypt(
            salt=derivation.salt, length=KEY_SIZE, n=2**derivation.cost, r=derivation.block, p=derivation.parallel
        )
        return scrypt.derive(self._bytes)


class Seal:
    """Seals and opens under one master key, for one database."""

    __slots__ = ("_entries", "_id", "_names", "_pages", "_randbytes", "mark", "seed")

    def __init__(
        self, master: bytes, derivation: Derivation | None, log: int, randbytes: Callable[[int], bytes]
    ) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        def subkey(purpose: str, size: int = KEY_SIZE) -> bytes:
            return _expand(master, f"discosql {purpose} {log}".encode(), size)

        self._entries = AESGCM(subkey("entries"))
        self._pages = AESGCM(subkey("pages"))
        self._names = subkey("names")
        self._id = subkey("id", _ID)
        self._randbytes = randbytes
        self.seed = subkey("index")
        self.mark: list[Any] = [*(["raw"] if derivation is None else derivation.to_json()), self._id.hex()]

    def seal_text(self, text: bytes, place: bytes) -> str:
        """Return a text of an entry, sealed, in base64."""
        return base64.b64encode(self._seal(self._entries, text, place)).decode("ascii")

    def open_text(self, sealed: str, place: bytes) -> bytes | None:
        """Return the text, or None if it was not sealed so for that place."""
        try:
            return self._open(self._entries, base64.b64decode(sealed, validate=True), place)
        except binascii.Error:
            return None

    def seal_file(self, data: bytes, place: bytes) -> bytes:
        """Return a file's bytes, sealed."""
        return _MAGIC + self._id + self._seal(self._pages, data, place)

    def open_file(self, sealed: bytes, place: bytes) -> bytes | None:
        """Return a file's bytes, or None if they were not sealed so for that place."""
        start = len(_MAGIC) + _ID
        return self._open(self._pages, sealed[start:], place) if sealed[:start] == _MAGIC + self._id else None

    def name_of(self, text: str) -> str:
        """Return a name that stands for another one and tells nothing of it."""
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=self._names).hexdigest()

    def _seal(self, cipher: "AESGCM", data: bytes, place: bytes) -> bytes:
        nonce = self._randbytes(_NONCE)
        return nonce + cipher.encrypt(nonce, data, place)

    def _open(self, cipher: "AESGCM", sealed: bytes, place: bytes) -> bytes | None:
        from cryptography.exceptions import InvalidTag

        if len(sealed) < _NONCE + 16:
            return None
        try:
            return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place)
        except InvalidTag:
            return None


def _expand(master: bytes, purpose: bytes, size: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=size, salt=None, info=purpose).derive(master)


class Keyring:
    """The keys that a process has for one database, whose log is in channel `log`; without a key, a plain database.

    `current` is the seal of the newest entry, under which the next one is written; None where entries are plain.
    Raises ProgrammingError for what is no key, OperationalError if the library is missing.
    """

    def __init__(
        self, key: EncryptionKey | None = None, log: int = 0, randbytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        self.log = log
        self.current: Seal | None = None
        self._randbytes = randbytes
        self._secrets: list[Secret] = []
        self._accepts_plain = key is None
        self._seals: dict[str, Seal | None] = {}
        if key is not None:
            self._add(key)

    def _add(self, key: EncryptionKey) -> None:
        secret = Secret(key)
        _require_cryptography()
        self._secrets.append(secret)

    async def create(self) -> Seal | None:
        """Return a new seal under the key that was given last; None without a key."""
        if not self._secrets:
            return None
        secret = self._secrets[-1]
        derivation = Derivation(self._randbytes(_SALT), COST) if secret.is_passphrase else None
        seal = await self._derive(secret, derivation)
        self._seals[json.dumps(seal.mark)] = seal
        return seal

    @asynccontextmanager
    async def changing(self, key: EncryptionKey | None) -> AsyncIterator[Seal | None]:
        """Take another key (None: none) into the ring; give a seal under it, and keep only that key at the end.

        After an error there is only the old one, but both as long as it is not known whether the change was stored.
        """
        secrets, accepts_plain = self._secrets, self._accepts_plain
        self._secrets = list(secrets)
        if key is not None:
            self._add(key)
        self._accepts_plain = accepts_plain or key is None
        try:
            yield None if key is None else await self.create()
        except UnknownOutcomeError:
            raise
        except Error:
            self._secrets, self._accepts_plain = secrets, accepts_plain
            raise
        self._secrets = [] if key is None else self._secrets[-1:]
        self._accepts_plain = key is None

    async def _derive(self, secret: Secret, derivation: Derivation | None) -> Seal:
        master = secret.master(None) if derivation is None else await asyncio.to_thread(secret.master, derivation)
        return Seal(master, derivation, self.log, self._randbytes)

    async def prepare(self, mark: Any) -> None:
        """Derive the key that a mark asks for, so that `find` has it."""
        name = json.dumps(mark)
        if name not in self._seals and len(self._seals) < _MAX_DERIVED:
            self._seals[name] = await self._seal_to(mark)

    async def _seal_to(self, mark: Any) -> Seal | None:
        try:
            derivation = None if mark[0] == "raw" else Derivation.from_json(mark[:-1])
        except (ValueError, LookupError, TypeError):
            return None
        for secret in self._secrets:
            if secret.is_passphrase == (derivation is not None):
                seal = await self._derive(secret, derivation)
                if seal.mark == mark:
                    return seal
        return None

    def find(self, mark: Any) -> Seal | None:
        """Return the seal to a mark, None if none of the keys fits."""
        return self._seals.get(json.dumps(mark))

    def refusal(self, mark: Any) -> str:
        """Return why an entry with a mark that `find` does not know, or a plain one (None), cannot be read, if so."""
        if mark is None:
            if self._accepts_plain:
                return ""
            return "the database is not encrypted: open it without a key, or encrypt it with `discosql rekey`"
        if not self._secrets:
            return "the database is encrypted: open it with key=… or the environment variable DISCOSQL_KEY"
        passphrase = isinstance(mark, list) and len(mark) > 2
        if all(secret.is_passphrase != passphrase for secret in self._secrets):
            wanted = "a passphrase (text)" if passphrase else "a key of 32 bytes (or hex: and 64 digits)"
            return f"the key is wrong: the database was encrypted with {wanted}"
        return "the key is wrong, or the database has been given another one: open it with the key it has now"

    def open_file(self, data: bytes, place: bytes) -> bytes | None:
        """Return a file as it was before it was sealed, if it was; None if it cannot be opened at that place."""
        if not data.startswith(_MAGIC):
            return data
        opened = (seal.open_file(data, place) for seal in self._seals.values() if seal is not None)
        return next((file for file in opened if file is not None), None)


def _require_cryptography() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError as exc:
        raise OperationalError(
            "encryption needs the library cryptography, the extra 'crypto': pip install 'discosql[crypto]'"
        ) from exc
