"""A database as of one moment, to read only, without a log that must be whole."""

from typing import Final

from discosql.errors import OperationalError
from discosql.schema import TableSchema
from discosql.storage.guild import Guild
from discosql.storage.page_store import Held, Keep, PageStore
from discosql.storage.paged import Need
from discosql.storage.sealing import Keyring
from discosql.storage.state import State
from discosql.storage.transaction import Rowids, Transaction

_CACHE: Final = 64 * 2**20


class Archive:
    """A state and the way to its pages; what `Engine` is to its newest state, but it never changes."""

    def __init__(self, guild: Guild, state: State, keyring: Keyring, pages: PageStore | None = None) -> None:
        self.guild = guild
        self.state = state
        self.pages = pages or PageStore(guild, _CACHE, keyring)
        self.rowids: dict[int, Rowids] = {}

    def begin(self) -> Transaction:
        """Return a view of the state."""
        return Transaction(self, self.state, historic=True)

    async def commit(self, transaction: Transaction) -> None:
        """Refuse: nothing can be stored here."""
        message = "attempt to write a readonly database: the past cannot be changed"
        raise OperationalError(message).coded("SQLITE_READONLY")

    async def load(self, need: Need, schema: TableSchema, keep: Keep, snapshot: State) -> Held:
        """Load pages."""
        return await self.pages.load(need, schema, keep)
