"""How an engine works, as whoever opens it wants it."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from discosql.storage.sealing import EncryptionKey


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine works.

    `cache_size` bounds the decoded pages in memory, in bytes; `page_size` is the stored size that pages aim at. A
    checkpoint is due after `checkpoint_entries` entries or `checkpoint_bytes` bytes of log; with 0 entries none is ever
    made, and all of the database stays in memory. `randbytes` is the source of session ids, salts and nonces;
    simulations replace it. `key` encrypts the database.
    """

    cache_size: int = 256 * 2**20
    page_size: int = 384 * 2**10
    checkpoint_entries: int = 64
    checkpoint_bytes: int = 2**20
    randbytes: Callable[[int], bytes] = os.urandom
    key: EncryptionKey | None = field(default=None, repr=False)
