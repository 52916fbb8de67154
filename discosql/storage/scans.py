"""Scans: a table's rows in rowid order, batch by batch, from memory or from pages with the changes put over them."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import Final

from discosql.storage.batches import BATCH_ROWS, apply_changes
from discosql.storage.fetching import Load, Table
from discosql.storage.page_store import Held, Keep, PageStore
from discosql.storage.paged import Need
from discosql.storage.pages import RowPage
from discosql.storage.views import Batch, Range

MAX_AHEAD: Final = 10
"""Pages that a scan loads together: as many as one message has files."""

_BYTES_AHEAD: Final = 2**23
_ROWS_TO_TEXT: Final = 5
"""How much more memory rows take than their text, by experience."""


class MemoryScan:
    """A scan of batches that are all in memory."""

    __slots__ = ("next",)

    def __init__(self, batches: Sequence[Batch]) -> None:
        following = iter(batches).__next__

        def next_batch() -> Batch | None:
            try:
                return following()
            except StopIteration:
                return None

        self.next = next_batch


class PagedScan:
    """A scan of a table with pages. Pages that the ranges rule out are not read; changes to them still show."""

    def __init__(self, store: PageStore, table: Table, ranges: Sequence[Range], load: Load) -> None:
        self._store = store
        self._keep = _what_to_keep(table, store.cache.limit)
        self._load = load
        self._schema = table.schema
        self._changes = table.changes()
        self._ordered = table.ordered()
        self._pages = table.base.pages if table.base is not None else ()
        self._ranges = tuple(ranges)
        self._position = 0
        self._changed = 0
        self._ready: deque[Batch] = deque()
        self._held: Held | None = None

    def next(self) -> "Batch | PagedScan | None":
        """Return the next batch, None at the end, or what to fetch."""
        while not self._ready:
            if self._position == len(self._pages):
                return None
            page = self._pages[self._position]
            rows: Batch = []
            if self._is_wanted(page):
                loaded = (self._held or self._store).rows(page, self._schema)
                if loaded is None:
                    return self
                rows = loaded.rows
            self._add(rows, page)
            self._position += 1
        return self._ready.popleft()

    def _is_wanted(self, page: RowPage) -> bool:
        return not self._ranges or page.may_match(self._ranges, self._schema)

    def _add(self, rows: Batch, page: RowPage) -> None:
        """Make ready a page's rows with the changes up to it, and after the last page those above it."""
        ordered = self._ordered
        end = bisect_right(ordered, page.last, self._changed)
        changed = ordered[self._changed : end]
        self._changed = end
        if changed:
            self._ready.extend(
                apply_changes([rows] if rows else [], {rowid: self._changes[rowid] for rowid in changed})
            )
        elif rows:
            self._ready.append(rows)
        if self._position == len(self._pages) - 1 and end < len(ordered):
            added = [row for rowid in ordered[end:] if (row := self._changes[rowid]) is not None]
            self._ready.extend(added[start : start + BATCH_ROWS] for start in range(0, len(added), BATCH_ROWS))

    async def fetch(self) -> Batch | None:
        """Load the next pages and return the next batch."""
        while True:
            self._held = await self._load(Need.of_rows(self._window()), self._schema, self._keep)
            batch = self.next()
            if not isinstance(batch, PagedScan):
                return batch

    def _window(self) -> list[RowPage]:
        window: list[RowPage] = []
        size = 0
        for page in self._pages[self._position :]:
            if len(window) == MAX_AHEAD or (window and size + page.raw > _BYTES_AHEAD):
                break
            if self._is_wanted(page) and not self._store.holds(page, self._schema):
                window.append(page)
                size += page.raw
        return window


def _what_to_keep(table: Table, limit: int) -> Keep:
    """Return what of a table's pages to keep: a table that does not fit would only drive out everything else."""
    text = sum(page.raw for page in table.base.pages) if table.base is not None else 0
    if text * _ROWS_TO_TEXT <= limit // 2:
        return "rows"
    return "text" if text <= limit // 2 else "nothing"
