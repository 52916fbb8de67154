"""Pages in memory, as many as a bound in bytes allows, and loading the others with few requests."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from functools import partial
from typing import Final, TypeAlias

from discosql.errors import DatabaseCorruptionError, ForbiddenError, NotFoundError
from discosql.schema import TableSchema
from discosql.storage.guild import Attachment, Guild, Message
from discosql.storage.hash_index import Bucket, Hasher, IndexPage, decode_bucket
from discosql.storage.paged import Need
from discosql.storage.pages import PageRows, Place, RowPage, decode_page, describe
from discosql.storage.reading import with_retries

Loaded: TypeAlias = PageRows | Bucket

MAX_MESSAGES: Final = 4_096
"""Messages whose attachments are remembered, so that a page that was evicted costs a download only."""

_AT_ONCE: Final = 8
_SMALL: Final = 2**14


class PageLostError(DatabaseCorruptionError):
    """A page is not where the manifest says; it may have been removed after a newer checkpoint."""


class PageCache:
    """Decoded pages, the least recently used given up first once they take more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.hits = 0
        self.misses = 0
        self._pages: OrderedDict[Place, Loaded] = OrderedDict()

    def get(self, place: Place) -> Loaded | None:
        """Return a page, None if it is not here."""
        page = self._pages.get(place)
        if page is None:
            self.misses += 1
            return None
        self.hits += 1
        try:
            self._pages.move_to_end(place)
        except KeyError:
            # Another thread gave it up in this moment; what was found is still good.
            pass
        return page

    def peek(self, place: Place) -> Loaded | None:
        """Return a page without counting it as used."""
        return self._pages.get(place)

    def put(self, place: Place, page: Loaded) -> None:
        """Add a page."""
        self.drop(place)
        if page.cost > self.limit:
            return
        self._pages[place] = page
        self.used += page.cost
        while self.used > self.limit and self._pages:
            _, old = self._pages.popitem(last=False)
            self.used -= old.cost

    def drop(self, place: Place) -> None:
        """Remove a page if it is here."""
        old = self._pages.pop(place, None)
        if old is not None:
            self.used -= old.cost


class PageStore:
    """The pages of a database: those in memory (a `Source`), and the way to the others."""

    def __init__(self, guild: Guild, limit: int, hash_key: Hasher) -> None:
        self.guild = guild
        self.cache = PageCache(limit)
        self.hash_key = hash_key
        self._attachments: OrderedDict[int, tuple[Attachment, ...]] = OrderedDict()
        self._loading: dict[Place, asyncio.Future[Loaded]] = {}
        self._finding = asyncio.Lock()

    def rows(self, page: RowPage, schema: TableSchema) -> PageRows | None:
        """Return a page's rows in the layout of a schema, None if they are not in memory."""
        found = self.cache.get(page.place)
        if isinstance(found, PageRows) and found.fits(schema):
            return found
        return None

    def holds(self, page: RowPage, schema: TableSchema) -> bool:
        """Tell whether `rows` would return a page."""
        found = self.cache.peek(page.place)
        return isinstance(found, PageRows) and found.fits(schema)

    def bucket(self, page: IndexPage) -> Bucket | None:
        """Return a bucket, None if it is not in memory."""
        found = self.cache.get(page.place)
        return found if isinstance(found, Bucket) else None

    # Loading ------------------------------------------------------------------------------------------------------

    async def load(self, need: Need, schema: TableSchema) -> "Held":
        """Load pages, also into the cache as far as it has room, and return them."""
        held = Held(self)
        wanted: dict[Place, RowPage | IndexPage] = {page.place: page for page in need.buckets}
        wanted.update((page.place, page) for page in need.rows)
        async with self._finding:
            await self._find_messages(wanted)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def load_one(page: RowPage | IndexPage) -> None:
            async with gate:
                held.add(page.place, await self._load_shared(page, schema))

        results = await asyncio.gather(*map(load_one, wanted.values()), return_exceptions=True)
        for result in results:
            if result is not None:
                raise result
        return held

    async def _load_shared(self, page: RowPage | IndexPage, schema: TableSchema) -> Loaded:
        """Load a page once for all who ask for it at the same time."""
        running = self._loading.get(page.place)
        if running is None:
            running = asyncio.ensure_future(self._load_page(page, schema))
            self._loading[page.place] = running
            running.add_done_callback(lambda _: self._loading.pop(page.place))
        loaded = await asyncio.shield(running)
        if isinstance(loaded, PageRows) and not loaded.fits(schema):
            return await self._load_page(page, schema)
        return loaded

    async def _load_page(self, page: RowPage | IndexPage, schema: TableSchema) -> Loaded:
        data = await self._download(page.place)
        loaded: Loaded
        if isinstance(page, IndexPage):
            loaded = decode_bucket(page, data)
        elif page.raw <= _SMALL:
            loaded = decode_page(page, data, schema)
        else:
            loaded = await asyncio.to_thread(decode_page, page, data, schema)
        self.cache.put(page.place, loaded)
        return loaded

    async def _download(self, place: Place) -> bytes:
        try:
            return await with_retries(self.guild, partial(self.guild.download, self._attachment(place)))
        except (NotFoundError, ForbiddenError):
            # Most likely the URL has expired.
            self._attachments.pop(place.message, None)
            await self._find_message(place)
        try:
            return await with_retries(self.guild, partial(self.guild.download, self._attachment(place)))
        except (NotFoundError, ForbiddenError) as exc:
            raise PageLostError(f"{describe(place)} is missing") from exc

    def _attachment(self, place: Place) -> Attachment:
        attachments = self._attachments.get(place.message, ())
        if place.file >= len(attachments):
            raise PageLostError(f"{describe(place)} is missing")
        return attachments[place.file]

    # Messages -----------------------------------------------------------------------------------------------------

    def remember(self, message: Message) -> None:
        """Note a message's attachments."""
        self._attachments[message.id] = message.attachments
        self._attachments.move_to_end(message.id)
        if len(self._attachments) > MAX_MESSAGES:
            self._attachments.popitem(last=False)

    async def _find_messages(self, places: Iterable[Place]) -> None:
        """Learn the attachments of all messages that the places name: one request for each hundred in a row."""
        missing: dict[int, dict[int, Place]] = {}
        for place in places:
            if place.message not in self._attachments:
                missing.setdefault(place.channel, {})[place.message] = place
        for channel, messages in missing.items():
            ids = sorted(messages)
            while len(ids) > 1:
                page = await with_retries(self.guild, partial(self.guild.messages, channel, after=ids[0] - 1))
                wanted = [message for message in page if message.id in messages]
                for message in wanted:
                    self.remember(message)
                if ids[0] not in self._attachments:
                    break
                ids = [message for message in ids if message not in self._attachments]
            for message_id in ids:
                await self._find_message(messages[message_id])

    async def _find_message(self, place: Place) -> None:
        try:
            self.remember(await with_retries(self.guild, partial(self.guild.message, place.channel, place.message)))
        except NotFoundError as exc:
            raise PageLostError(f"{describe(place)} is missing") from exc


class Held:
    """Pages that were just loaded, over those in the cache: a `Source` that loses nothing while it is used."""

    def __init__(self, store: PageStore) -> None:
        self.hash_key = store.hash_key
        self._store = store
        self._pages: dict[Place, Loaded] = {}

    def add(self, place: Place, page: Loaded) -> None:
        """Hold a page."""
        self._pages[place] = page

    def update(self, other: "Held") -> None:
        """Hold what another holds, too."""
        self._pages.update(other._pages)

    def rows(self, page: RowPage, schema: TableSchema) -> PageRows | None:
        """Return a page's rows in the layout of a schema, None if they are not in memory."""
        found = self._pages.get(page.place)
        if isinstance(found, PageRows) and found.fits(schema):
            return found
        return self._store.rows(page, schema)

    def bucket(self, page: IndexPage) -> Bucket | None:
        """Return a bucket, None if it is not in memory."""
        found = self._pages.get(page.place)
        return found if isinstance(found, Bucket) else self._store.bucket(page)
