"""Getting the rows of a lost page back: from an earlier checkpoint and the log since, as far as VACUUM left them."""

from collections.abc import Iterable
from dataclasses import dataclass

from discosql.errors import DatabaseCorruptionError
from discosql.storage.archive import Archive
from discosql.storage.layout import layout_of
from discosql.storage.mending import Mending
from discosql.storage.page_store import PageStore
from discosql.storage.pages import Place, RowPage, encode_page
from discosql.storage.problems import Progress
from discosql.storage.state import State
from discosql.storage.survey import LogSurvey, Standing, states_of
from discosql.storage.table import TableVersion
from discosql.storage.verify import TableVerifier
from discosql.storage.views import Batch, Range


@dataclass(frozen=True, slots=True)
class PageLoss:
    """A page with rows that cannot be read. `rebuilt` are its rows if they could be got back, from slot `source` on."""

    table: str
    page: RowPage
    rebuilt: Batch | None = None
    source: int = 0


class Recovery:
    """Finds the rows of lost pages of the state that a survey gives."""

    def __init__(self, survey: LogSurvey, store: PageStore, progress: Progress) -> None:
        self._survey = survey
        self._store = store
        self._progress = progress
        self._states: list[Standing] | None = None

    async def recover(self, verified: Iterable[TableVerifier]) -> tuple[list[PageLoss], dict[int, Mending]]:
        """Return what became of each lost page, and what is to be done for each table with anything wrong."""
        losses: list[PageLoss] = []
        mending: dict[int, Mending] = {}
        for verifier in verified:
            version = verifier.version
            found = [await self._recover(version, page) for page in verifier.lost]
            losses += found
            if verifier.lost or verifier.indexes or verifier.rows != version.rows:
                mending[version.schema.id] = _mending_of(verifier, found)
        return losses, mending

    async def _recover(self, version: TableVersion, page: RowPage) -> PageLoss:
        name = version.schema.name
        for number, earlier in enumerate(await self._earlier()):
            self._progress(f"searching rows {page.first} to {page.last} of table {name}", number, 0)
            rows = await self._rows_in(earlier.state, version, page)
            if rows is not None:
                start = earlier.checkpoint.entry.slot if earlier.checkpoint is not None else 0
                return PageLoss(name, page, rows, start)
        return PageLoss(name, page)

    async def _earlier(self) -> list[Standing]:
        """Return the state that the pages are of, built from each of the earlier checkpoints, the newest first."""
        standing = self._survey.standing
        if self._states is None:
            self._states = []
            if standing is not None and standing.checkpoint is not None:
                cover = standing.checkpoint.entry.cover
                assert cover is not None
                self._states = [
                    found
                    async for found in states_of(self._survey, standing.stretch, cover.slot)
                    if found.state.slot == cover.slot and found.checkpoint != standing.checkpoint
                ]
        return self._states

    async def _rows_in(self, state: State, version: TableVersion, page: RowPage) -> Batch | None:
        table = state.tables.get(version.schema.id)
        if table is None:
            return None
        archive = Archive(self._survey.guild, state, self._survey.keyring, self._store)
        reading = archive.begin().scan(version.schema.id, [Range(0, page.first, page.last)])
        rows: Batch = []
        try:
            while (batch := reading.next()) is not None:
                if not isinstance(batch, list):
                    batch = await batch.fetch()
                rows += [row for row in batch or () if page.first <= row[0] <= page.last]
        except DatabaseCorruptionError:
            return None
        return rows if _is_that_page(rows, layout_of(table.schema), page) else None


def _is_that_page(rows: Batch, columns: tuple[int, ...], page: RowPage) -> bool:
    """Tell whether rows are those that a page had, as far as the manifest tells: its columns may have changed since."""
    if len(rows) != page.rows or rows[0][0] != page.first or rows[-1][0] != page.last:
        return False
    if columns != page.columns:
        return True
    encoded = encode_page(rows, columns)
    # A sealed page has another checksum whenever it is written.
    return encoded.raw == page.raw and encoded.zones == page.zones


def _mending_of(verifier: TableVerifier, losses: list[PageLoss]) -> Mending:
    version = verifier.version
    batches = tuple(loss.rebuilt for loss in losses if loss.rebuilt is not None)
    changes = version.changes()
    visible = sum(row[0] not in changes for batch in batches for row in batch)
    lost: frozenset[Place] = frozenset(page.place for page in verifier.lost)
    known = set() if version.base is None else set(version.base.indexes)
    return Mending(
        lost,
        batches,
        layout_of(version.schema),
        frozenset(known if lost else verifier.indexes),
        version.rows - verifier.rows - visible,
    )
