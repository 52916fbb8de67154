"""Loading pages with few requests, each only once for all who want it."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Final, Literal, TypeAlias

from loguru import logger

from discosql.errors import DatabaseCorruptionError, ForbiddenError, NotFoundError
from discosql.schema import TableSchema
from discosql.storage.cache import Loaded, PageCache
from discosql.storage.guild import Attachment, Guild, Message
from discosql.storage.hash_index import Bucket, IndexPage, decode_bucket
from discosql.storage.page_text import PageText
from discosql.storage.paged import Need
from discosql.storage.pages import (
    PageRows,
    Place,
    RowPage,
    check_digest,
    decode_page,
    describe,
    describe_rows,
    unpack_page,
)
from discosql.storage.reading import fetch_message, with_retries
from discosql.storage.sealing import Keyring

Keep: TypeAlias = Literal["rows", "text", "nothing"]
"""In what form a page that is read as a whole goes into the cache."""

MAX_MESSAGES: Final = 4_096
"""Messages whose attachments are remembered, so that a page that was evicted costs a download only."""

_AT_ONCE: Final = 8
_SMALL: Final = 2**14


class PageLostError(DatabaseCorruptionError):
    """A page is not where the manifest says; it may have been removed after a newer checkpoint."""


class PageStore:
    """The pages of a database: those in memory (a `Source`), and the way to the others.

    `lost` has the pages of indexes that turned out to be missing or damaged.
    """

    def __init__(self, guild: Guild, limit: int, keyring: Keyring) -> None:
        self.guild = guild
        self.cache = PageCache(limit)
        self._keyring = keyring
        self.lost: set[Place] = set()
        self._attachments: OrderedDict[int, tuple[Attachment, ...]] = OrderedDict()
        self._loading: dict[tuple[str, Place], asyncio.Future[Loaded]] = {}
        self._finding = asyncio.Lock()

    def rows(self, page: RowPage, schema: TableSchema) -> PageRows | None:
        """Return a page's rows in the layout of a schema, None if they are not in memory."""
        return _as_rows(self.cache.get(page.place), schema)

    def lookup(self, page: RowPage, schema: TableSchema) -> PageRows | PageText | None:
        """Return what gives single rows of a page in the layout of a schema, None if it is not in memory."""
        return _as_lookup(self.cache.get(page.place), schema)

    def bucket(self, page: IndexPage) -> Bucket | None:
        """Return a bucket, None if it is not in memory."""
        found = self.cache.get(page.place)
        return found if isinstance(found, Bucket) else None

    def is_lost(self, page: IndexPage) -> bool:
        """Tell whether a bucket was found missing or damaged, so that the rows have to be searched instead."""
        return page.place in self.lost

    def holds(self, page: RowPage, schema: TableSchema) -> bool:
        """Tell whether `rows` would return a page."""
        return _as_rows(self.cache.peek(page.place), schema) is not None

    # Loading ------------------------------------------------------------------------------------------------------

    async def load(self, need: Need, schema: TableSchema, keep: Keep = "rows") -> "Held":
        """Load pages, also into the cache as far as it has room, and return them.

        `keep` is for the pages all of whose rows are wanted. An index's page that cannot be read counts as `lost` from
        then on; DatabaseCorruptionError for a row page tells what it held.
        """
        async with self._finding:
            await self._find_messages([*need.buckets, *need.texts, *need.rows])
        held = Held(self)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def load_bucket(page: IndexPage) -> None:
            async with gate:
                try:
                    held.add(page.place, await self._once("bucket", page.place, partial(self._load_bucket, page)))
                except DatabaseCorruptionError as exc:
                    self.lost.add(page.place)
                    logger.warning("{}: it belongs to an index of table {}, whose rows are read", exc, schema.name)

        async def load_one(kind: str, page: RowPage, load: Callable[[], Awaitable[Loaded]]) -> None:
            async with gate:
                try:
                    held.add(page.place, await self._once(kind, page.place, load))
                except DatabaseCorruptionError as exc:
                    raise type(exc)(f"{exc}: it holds {describe_rows(page)} of table {schema.name}") from exc

        loads = [
            *[load_bucket(page) for page in need.buckets.values()],
            *[load_one(keep, page, partial(self._load_rows, page, schema, keep)) for page in need.rows.values()],
            *[
                load_one("text", page, partial(self._load_text, page, schema))
                for place, page in need.texts.items()
                if place not in need.rows
            ],
        ]
        results: list[Any] = await asyncio.gather(*loads, return_exceptions=True)
        for result in results:
            if result is not None:
                raise result
        return held

    async def _once(self, kind: str, place: Place, load: Callable[[], Awaitable[Loaded]]) -> Loaded:
        """Load a page once for all who ask for it at the same time."""
        key = (kind, place)
        running = self._loading.get(key)
        if running is None:
            running = self._loading[key] = asyncio.ensure_future(load())
            running.add_done_callback(lambda _: self._loading.pop(key))
        return await asyncio.shield(running)

    async def _load_bucket(self, page: IndexPage) -> Bucket:
        bucket = decode_bucket(page, await self._download(page.place), self._keyring)
        self.cache.put(page.place, bucket)
        return bucket

    async def _load_text(self, page: RowPage, schema: TableSchema) -> Loaded:
        text = await self._text_of(page)
        # A small page is decoded as quickly as one row is found in a large one.
        loaded = decode_page(page, text, schema) if page.raw <= _SMALL else PageText(page, text, schema)
        self.cache.put(page.place, loaded)
        return loaded

    async def _load_rows(self, page: RowPage, schema: TableSchema, keep: Keep) -> Loaded:
        text = await self._text_of(page)
        if page.raw <= _SMALL:
            rows = decode_page(page, text, schema)
        else:
            rows = await asyncio.to_thread(decode_page, page, text, schema)
        if keep == "rows":
            self.cache.put(page.place, rows)
        elif keep == "text" and self.cache.peek(page.place) is None:
            self.cache.put(page.place, PageText(page, text, schema))
        return rows

    async def _text_of(self, page: RowPage) -> bytes:
        known = self.cache.get(page.place)
        if isinstance(known, PageText):
            return known.text
        data = await self._download(page.place)
        if page.raw <= _SMALL:
            return unpack_page(page, data, self._keyring)
        return await asyncio.to_thread(unpack_page, page, data, self._keyring)

    async def read(self, place: Place, digest: str) -> bytes:
        """Return a page's file as it is stored. Raises DatabaseCorruptionError if it is missing or damaged."""
        async with self._finding:
            await self._find_messages([place])
        data = await self._download(place)
        check_digest(place, digest, data)
        return data

    async def _download(self, place: Place) -> bytes:
        attachment = self._attachment(place)
        try:
            return await with_retries(self.guild, partial(self.guild.download, attachment))
        except (NotFoundError, ForbiddenError):
            # Most likely the URL has expired, and with it those of the other pages in the message.
            async with self._finding:
                if self._attachment(place) is attachment:
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

    async def close(self) -> None:
        """Give up what is being loaded."""
        running = list(self._loading.values())
        for load in running:
            load.cancel()
        await asyncio.gather(*running, return_exceptions=True)

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
                for message in page:
                    if message.id in messages:
                        self.remember(message)
                if ids[0] not in self._attachments:
                    break
                ids = [message for message in ids if message not in self._attachments]
            for message_id in ids:
                await self._find_message(messages[message_id])

    async def _find_message(self, place: Place) -> None:
        try:
            self.remember(await fetch_message(self.guild, place.channel, place.message))
        except NotFoundError:
            # Who wants the page will find that there is no attachment for it.
            self._attachments.pop(place.message, None)


class Held:
    """Pages that were just loaded, over those in the cache: a `Source` that loses nothing while it is used."""

    def __init__(self, store: PageStore) -> None:
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
        return _as_rows(self._pages.get(page.place), schema) or self._store.rows(page, schema)

    def lookup(self, page: RowPage, schema: TableSchema) -> PageRows | PageText | None:
        """Return what gives single rows of a page in the layout of a schema, None if it is not in memory."""
        return _as_lookup(self._pages.get(page.place), schema) or self._store.lookup(page, schema)

    def bucket(self, page: IndexPage) -> Bucket | None:
        """Return a bucket, None if it is not in memory."""
        found = self._pages.get(page.place)
        return found if isinstance(found, Bucket) else self._store.bucket(page)

    def is_lost(self, page: IndexPage) -> bool:
        """Tell whether a bucket was found missing or damaged, so that the rows have to be searched instead."""
        return self._store.is_lost(page)


def _as_rows(page: Loaded | None, schema: TableSchema) -> PageRows | None:
    return page if isinstance(page, PageRows) and page.fits(schema) else None


def _as_lookup(page: Loaded | None, schema: TableSchema) -> PageRows | PageText | None:
    if isinstance(page, PageText):
        return page.under(schema)
    return _as_rows(page, schema)
