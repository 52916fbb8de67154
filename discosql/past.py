"""Views of the past within a session: FOR SYSTEM_TIME AS OF."""

from collections import OrderedDict
from typing import Final

from discosql.conversion import moment_of
from discosql.schema import Catalog
from discosql.storage.engine import Engine, Pending, ReadView, Transaction
from discosql.types import Value

_KEPT: Final = 4
"""Moments whose state is kept, for statements that read the past several times, or again."""


class Past:
    """The past of a database, as later statements see it: tables have the columns that they have by now."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._views: OrderedDict[Value, tuple[Catalog, Transaction]] = OrderedDict()

    def view(self, moment: Value, catalog: Catalog) -> ReadView | Pending:
        """Return the view as of a moment with the tables as `catalog` has them, or what to fetch: it returns the view.

        Raises DataError for what is no moment, OperationalError where there is no history.
        """
        known, view = self._views.get(moment, (None, None))
        return view if view is not None and known is catalog else _Reading(self, moment, catalog)

    async def read(self, value: Value, catalog: Catalog) -> Transaction:
        """Read the state as of a moment from the log."""
        moment = moment_of(value)
        view = (await self._engine.begin_as_of(moment)).under(catalog)
        if self._engine.is_settled(moment):
            self._views[value] = catalog, view
            if len(self._views) > _KEPT:
                self._views.popitem(last=False)
        return view


class _Reading:
    """A view that has to be read from the log first."""

    __slots__ = ("_catalog", "_moment", "_past")

    def __init__(self, past: Past, moment: Value, catalog: Catalog) -> None:
        self._past = past
        self._moment = moment
        self._catalog = catalog

    async def fetch(self) -> Transaction:
        """Read it."""
        return await self._past.read(self._moment, self._catalog)
