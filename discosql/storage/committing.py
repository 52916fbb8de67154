"""Commits: transactions that wait together are checked one after the other, joined into one entry, and appended."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from discosql.errors import LimitExceededError, SerializationError, UnknownOutcomeError
from discosql.schema import Catalog
from discosql.storage.reads import Written
from discosql.storage.state import Changes, State, commits_to_json
from discosql.storage.transaction import Transaction

if TYPE_CHECKING:
    from discosql.storage.engine import Engine

_MAX_JOINED: Final = 4_096
"""Transactions that are joined into one entry at most."""

CONFLICT: Final = "could not serialize access: another transaction changed what this one read or wrote"


@dataclass(slots=True, eq=False)
class _Job:
    transaction: Transaction
    changes: Changes
    future: asyncio.Future[None] | None = None
    error: BaseException | None = None
    taken: bool = False


class Committer:
    """The commits of one process. Where a loop runs, one task appends as long as transactions wait; no other does."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._waiting: list[_Job] = []
        self._task: asyncio.Task[None] | None = None
        self._numbers = 0
        self.unknown: dict[str, bool | None] = {}

    async def commit(self, transaction: Transaction) -> None:
        """Store a transaction, or raise SerializationError with nothing done."""
        self._numbers += 1
        transaction.number = self._numbers
        job = _Job(transaction, transaction.changes(self._numbers))
        self._waiting.append(job)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            await self._append_waiting()
        else:
            job.future = loop.create_future()
            if self._task is None:
                self._task = loop.create_task(self._run())
            await self._wait_for(job)
        if job.error is not None:
            raise job.error

    async def _wait_for(self, job: _Job) -> None:
        assert job.future is not None
        try:
            await job.future
        except asyncio.CancelledError:
            if not job.taken:
                self._waiting.remove(job)
                raise
            # It is on its way and cannot be called back; whether it arrives is not waited for.
            if job.future.cancelled():
                raise self._unknown(job, "the commit was abandoned while it was under way") from None
            raise

    def _unknown(self, job: _Job, text: str) -> UnknownOutcomeError:
        name = f"{self._engine.log.session}-{job.changes.transaction}"
        self.unknown[name] = None
        return UnknownOutcomeError(text, name)

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._append_waiting()
        finally:
            self._task = None

    async def finish(self) -> None:
        """Wait until nothing is being appended."""
        if self._task is not None:
            await asyncio.wait({self._task})

    # Appending ----------------------------------------------------------------------------------------------------

    async def _append_waiting(self) -> None:
        jobs, self._waiting = self._waiting[:_MAX_JOINED], self._waiting[_MAX_JOINED:]
        for job in jobs:
            job.taken = True
        try:
            await self._append(jobs)
        except BaseException as exc:
            # Whatever it is, an end of the process included, those who wait must not take it for success.
            for job in jobs:
                job.error = job.error or exc
        for job in jobs:
            if job.future is not None and not job.future.done():
                job.future.set_result(None)

    async def _append(self, jobs: Sequence[_Job]) -> None:
        log = self._engine.log
        await self.resolve()
        if not log.is_fresh:
            await self._engine.refresh()
        while jobs := self._valid(jobs):
            body = commits_to_json([job.changes for job in jobs], self._engine.state.catalog)
            draft = log.draft(body, title_of(jobs[0].changes, self._engine.state, len(jobs)))
            if draft is None:
                await self._append_apart(jobs)
                return
            try:
                if await log.append(draft, [job.changes for job in jobs]):
                    return
            except UnknownOutcomeError as exc:
                for job in jobs:
                    job.error = self._unknown(job, str(exc))
                return

    async def _append_apart(self, jobs: Sequence[_Job]) -> None:
        """Append in two entries what is too large for one."""
        if len(jobs) == 1:
            jobs[0].error = LimitExceededError("the transaction is too large for one commit")
            return
        await self._append(jobs[: len(jobs) // 2])
        await self._append(jobs[len(jobs) // 2 :])

    def _valid(self, jobs: Sequence[_Job]) -> list[_Job]:
        """Return the jobs that may follow the newest state and one another; the others get their verdict."""
        joined = Written()
        since: dict[int, Written] = {}
        valid = []
        for job in jobs:
            snapshot = job.transaction.snapshot
            written = since.get(snapshot.slot)
            if written is None:
                written = since[snapshot.slot] = _written_since(snapshot)
            reads = job.transaction.reads
            if snapshot.detached or any(
                each.conflicts(reads, job.changes, snapshot.catalog) for each in (written, joined)
            ):
                job.error = SerializationError(CONFLICT)
            else:
                joined.add((job.changes,))
                valid.append(job)
        return valid

    # Unknown outcomes ---------------------------------------------------------------------------------------------

    async def resolve(self) -> None:
        """Find out what became of an entry that was left without an answer."""
        resolved = await self._engine.log.resolve()
        if resolved is None:
            return
        pending, won = resolved
        if isinstance(pending.own, list):
            for changes in pending.own:
                self.unknown[f"{self._engine.log.session}-{changes.transaction}"] = won

    async def outcome(self, transaction: str) -> bool | None:
        """Return whether a transaction of an UnknownOutcomeError was stored; None if that cannot be found out."""
        await self.finish()
        await self.resolve()
        return self.unknown.get(transaction)


def _written_since(snapshot: State) -> Written:
    written = Written()
    for state in snapshot.since():
        written.add(state.changes)
    return written


def title_of(changes: Changes, state: State, joined: int) -> str:
    """Return the line that tells people what an entry does."""
    catalog = changes.catalog or state.catalog
    parts = []
    if changes.catalog is not None:
        parts.append(_schema_title(state.catalog, changes.catalog))
    for table, changed in changes.tables.items():
        schema = catalog.table_by_id(table)
        name = schema.name if schema is not None else f"table {table}"
        counts = {"INSERT": len(changed.inserted), "UPDATE": len(changed.updated), "DELETE": len(changed.deleted)}
        parts += [f"{verb} {name} ×{count}" for verb, count in counts.items() if count]
    if joined > 1:
        parts.append(f"and {joined - 1} more transactions")
    return ", ".join(parts)


def _schema_title(old: Catalog, new: Catalog) -> str:
    known = {table.id: table for table in old.tables.values()}
    created = [f"CREATE TABLE {table.name}" for table in new.tables.values() if table.id not in known]
    altered = [
        f"ALTER TABLE {table.name}"
        for table in new.tables.values()
        if table.id in known and known.pop(table.id) != table
    ]
    left = {table.id for table in new.tables.values()}
    dropped = [f"DROP TABLE {table.name}" for table in old.tables.values() if table.id not in left]
    return ", ".join(created + altered + dropped) or "change views"
