"""Pages in memory, as many as a bound in bytes allows."""

from collections import OrderedDict
from typing import TypeAlias

from discosql.storage.hash_index import Bucket
from discosql.storage.page_text import PageText
from discosql.storage.pages import PageRows, Place

Loaded: TypeAlias = PageRows | PageText | Bucket
"""A page in one of its forms in memory."""


class PageCache:
    """Pages by place, the least recently used given up first once they take more than `limit` bytes."""

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
        """Add a page, in place of another form of it."""
        if page.cost > self.limit:
            return
        self.drop(place)
        self._pages[place] = page
        self.used += page.cost
        while self.used > self.limit and self._pages:
            _, old = self._pages.popitem(last=False)
            self.used -= old.cost

    def put_if_room(self, place: Place, page: Loaded) -> None:
        """Add a page if no other must be given up for it."""
        if self.used + page.cost <= self.limit:
            self.put(place, page)

    def drop(self, place: Place) -> None:
        """Remove a page if it is here."""
        old = self._pages.pop(place, None)
        if old is not None:
            self.used -= old.cost
