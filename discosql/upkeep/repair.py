"""Repairing a database: what would be done and lost, in words, and doing it."""

import datetime
from collections.abc import Iterator

from discosql.errors import OperationalError
from discosql.storage.engine import Channel, Engine, EngineOptions, Guild
from discosql.storage.inspection import (
    LostEntry,
    Progress,
    Repair,
    RepairPlan,
    RowCounts,
    lost_entries,
    no_progress,
    revert,
    state_as_of,
    survey_log,
)


def describe_plan(plan: RepairPlan) -> Iterator[str]:
    """Yield lines that tell what a repair does and what is lost by it."""
    if plan.slot is None:
        yield "Nothing whole is left of the database to start from: restore it from a dump."
        return
    if plan.is_empty:
        yield "There is nothing to repair."
        return
    if plan.new_end:
        yield f"The log is good up to slot {plan.slot}. It would go on from there, and this would be lost:"
        yield from describe_loss(plan.entries)
    for loss in plan.pages:
        page = loss.page
        what = f"rows {page.first} to {page.last} of table {loss.table} ({page.rows} rows)"
        if loss.rebuilt is None:
            yield f"LOST: {what}: their page is missing or damaged, and no earlier checkpoint has them any more."
        else:
            yield f"Rebuild {what} from the log as of slot {loss.source} and what came after."
    for index in plan.indexes:
        yield f"Write index {index} anew."
    if plan.rewrite:
        yield "Write a new checkpoint, since the last one cannot be read."


def describe_loss(entries: list[LostEntry]) -> Iterator[str]:
    """Yield lines about entries that are given up: each, then the sums."""
    rows = RowCounts()
    tables = set()
    for entry in entries:
        yield f"  slot {entry.slot}{_when(entry)}: {_what(entry)}"
        for table, counts in entry.tables.items():
            tables.add(table)
            rows.inserted += counts.inserted
            rows.updated += counts.updated
            rows.deleted += counts.deleted
    unknown = sum(not entry.readable for entry in entries)
    transactions = sum(entry.transactions for entry in entries)
    yield (
        f"In all {len(entries)} slots, of which {unknown} cannot be read, and {transactions} transactions on "
        f"{len(tables)} tables: {rows.inserted} rows inserted, {rows.updated} updated, {rows.deleted} deleted."
    )


def _when(entry: LostEntry) -> str:
    if not entry.moment:
        return ""
    return f", {datetime.datetime.fromtimestamp(entry.moment, datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"


def _what(entry: LostEntry) -> str:
    if not entry.readable:
        return (
            f"cannot be read; it was titled {entry.title!r}"
            if entry.title
            else "cannot be read; nothing is known of it"
        )
    parts = list(entry.schema)
    for table, counts in entry.tables.items():
        done = {"inserted": counts.inserted, "updated": counts.updated, "deleted": counts.deleted}
        told = ", ".join(f"{count} rows {verb}" for verb, count in done.items() if count)
        parts.append(f"table {table}: {told}")
    return "; ".join(parts) or "nothing (a checkpoint)"


def plan_as_dict(plan: RepairPlan) -> dict[str, object]:
    """Return a plan as JSON data."""
    return {
        "slot": plan.slot,
        "new_end": plan.new_end,
        "loses": plan.loses,
        "entries": [entry.as_dict() for entry in plan.entries],
        "pages": [
            {
                "table": loss.table,
                "channel": loss.page.place.channel,
                "message": loss.page.place.message,
                "file": loss.page.place.file + 1,
                "first": loss.page.first,
                "last": loss.page.last,
                "rows": loss.page.rows,
                "rebuilt_from": None if loss.rebuilt is None else loss.source,
            }
            for loss in plan.pages
        ],
        "indexes": plan.indexes,
    }


class Reversal:
    """Going back to an earlier slot of a database whose log is whole. Must be closed, or executed."""

    def __init__(self, guild: Guild, log: Channel, options: EngineOptions, slot: int, progress: Progress) -> None:
        self._engine = Engine(guild, log, options)
        self._log = log
        self._slot = slot
        self._progress = progress

    async def losses(self) -> list[LostEntry]:
        """Return what going back would undo. Raises OperationalError for a slot that the log has not."""
        await self._engine.open()
        if not 0 < self._slot <= self._engine.head:
            raise OperationalError(f"the log has slots 1 to {self._engine.head}, not {self._slot}")
        survey = await survey_log(self._engine.guild, self._log, self._engine.log.keyring, self._progress)
        return await lost_entries(survey, self._slot, (await state_as_of(self._engine, self._slot)).catalog)

    async def execute(self) -> dict[str, RowCounts]:
        """Do it; return how many rows of each table were changed for that."""
        try:
            return await revert(self._engine, self._slot, self._progress)
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the database."""
        await self._engine.close()


def repair_of(
    guild: Guild, log: Channel, options: EngineOptions | None = None, progress: Progress | None = None
) -> Repair:
    """Return a repair of a database that need not be open; `log` is its log channel as the guild lists it now."""
    return Repair(guild, log, options or EngineOptions(), progress or no_progress)
