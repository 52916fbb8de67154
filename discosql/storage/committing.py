"""Commits: transactions that wait together are checked one after the other, joined into one entry, and appended."""

import asyncio
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from discosql.errors import (
    DatabaseCorruptionError,
    DataError,
    LimitExceededError,
    SerializationError,
    UnknownOutcomeError,
)
from discosql.storage.body import dump_commits
from discosql.storage.chain import Candidate
from discosql.storage.codec import dump
from discosql.storage.entry import Packed
from discosql.storage.log import Log
from discosql.storage.metrics import Activity
from discosql.storage.reading import body_of, entries_of, read_after
from discosql.storage.reads import Written
from discosql.storage.state import Changes, State, commits_to_json
from discosql.storage.titles import title_of
from discosql.storage.transaction import Transaction
from discosql.types import Row

_MAX_JOINED: Final = 4_096
"""Transactions that are joined into one entry at most."""

_OVERHEAD: Final = 64
"""Bytes that a file takes beyond the compressed text of its rows."""

CONFLICT: Final = "could not serialize access: another transaction changed what this one read or wrote"


class Home(Protocol):
    """What commits need of their engine. `appending` is held while an entry is appended."""

    log: Log
    state: State
    activity: Activity
    appending: asyncio.Lock

    async def ready_to_append(self) -> None:
        """Resolve what is unknown, and bring the state up to date if it must be."""


@dataclass(slots=True, eq=False)
class _Job:
    transaction: Transaction
    changes: Changes
    future: asyncio.Future[None] | None = None
    error: BaseException | None = None
    taken: bool = False


class Committer:
    """The commits of one process. Where a loop runs, one task appends as long as transactions wait; no other does."""

    def __init__(self, home: Home) -> None:
        self._home = home
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
                if job in self._waiting:
                    self._waiting.remove(job)
                raise
            # It is on its way and cannot be called back; whether it arrives is not waited for.
            if job.future.cancelled():
                raise self._unknown(job, "the commit was abandoned while it was under way") from None
            raise

    def _unknown(self, job: _Job, text: str) -> UnknownOutcomeError:
        name = f"{self._home.log.session}-{job.changes.transaction}"
        self.unknown[name] = None
        self._home.activity.unknown += 1
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
        first, self._waiting = self._waiting[:_MAX_JOINED], self._waiting[_MAX_JOINED:]
        jobs = [job for job in first if job.future is None or not job.future.cancelled()]
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
        async with self._home.appending:
            await self._home.ready_to_append()
            try:
                await self._append_valid(jobs)
            except LimitExceededError as exc:
                if len(jobs) == 1:
                    jobs[0].error = exc
                    return
            else:
                return
        # Too much for one entry may do in two.
        await self._append(jobs[: len(jobs) // 2])
        await self._append(jobs[len(jobs) // 2 :])

    async def _append_valid(self, jobs: Sequence[_Job]) -> None:
        log = self._home.log
        packed: Packed | None = None
        packed_jobs: list[_Job] = []
        while valid := self._valid(jobs):
            if packed is None or packed_jobs != valid:
                changes = [job.changes for job in valid]
                body = await dump_commits(commits_to_json(changes, self._home.state.catalog))
                if any(len(line) > log.guild.file_limit for line in body.lines):
                    self._refuse_large_rows(valid)
                packed, packed_jobs = await log.pack(body, log.keyring.current), valid
                # Other entries may have been read meanwhile.
                continue
            title = title_of(valid[0].changes, self._home.state.catalog, len(valid))
            try:
                if await log.append(log.draft(packed, title), tuple(job.changes for job in valid)):
                    self._count_commits(len(valid))
                    return
            except UnknownOutcomeError as exc:
                for job in valid:
                    job.error = self._unknown(job, str(exc))
                return
            if any(mark.part for mark in packed.marks) or packed.seal is not log.keyring.current:
                packed = None

    def _count_commits(self, number: int) -> None:
        activity = self._home.activity
        activity.commits += number
        activity.entries += 1
        self._home.log.guild.requests.tell("commit", "", number)

    def _refuse_large_rows(self, jobs: Sequence[_Job]) -> None:
        """Refuse transactions with rows that no page could hold, as a page is one file."""
        limit = self._home.log.guild.file_limit
        for job, table, row in _rows_of(jobs):
            size = len(zlib.compress(dump(row)[0].encode("ascii"), 1)) + _OVERHEAD
            if size > limit:
                schema = (job.changes.catalog or self._home.state.catalog).table_by_id(table)
                name = schema.name if schema is not None else str(table)
                job.error = DataError(f"a row of table {name} takes {size} bytes; a file may have {limit}")

    def _valid(self, jobs: Sequence[_Job]) -> list[_Job]:
        """Return the jobs that may follow the newest state and one another; the others get their verdict."""
        joined = Written()
        since: dict[State, Written | None] = {}
        valid = []
        for job in jobs:
            if job.error is not None:
                continue
            snapshot = job.transaction.snapshot
            if snapshot not in since:
                since[snapshot] = _written_since(snapshot)
            written = since[snapshot]
            reads = job.transaction.reads
            if written is None or any(
                each.conflicts(reads, job.changes, snapshot.catalog) for each in (written, joined)
            ):
                job.error = SerializationError(CONFLICT)
                self._home.activity.conflicts += 1
                self._home.log.guild.requests.tell("conflict", "", 1)
            else:
                joined.add((job.changes,))
                valid.append(job)
        return valid

    # Unknown outcomes ---------------------------------------------------------------------------------------------

    async def resolve(self) -> None:
        """Find out what became of an entry that was left without an answer."""
        resolved = await self._home.log.resolve()
        if resolved is None:
            return
        pending, won = resolved
        if isinstance(pending.own, tuple):
            if won:
                self._count_commits(len(pending.own))
            for changes in pending.own:
                self.unknown[f"{self._home.log.session}-{changes.transaction}"] = won

    async def outcome(self, transaction: str) -> bool | None:
        """Return whether a transaction of an UnknownOutcomeError was stored; None if that cannot be found out.

        Of a process that is gone, only what is still in the log after the last checkpoint can be told.
        """
        await self.finish()
        async with self._home.appending:
            await self.resolve()
        known = self.unknown.get(transaction)
        return known if known is not None else await self._search(transaction)

    async def _search(self, transaction: str) -> bool | None:
        session, _, number = transaction.rpartition("-")
        log = self._home.log
        messages, _ = await read_after(log.guild, log.channel, log.chain.base.message)
        for entry, message in entries_of(log.guild, messages, log.keyring):
            if entry.session == session and entry.kind == "c" and log.chain.winners.get(entry.slot) == entry.id:
                try:
                    body = await body_of(log.guild, Candidate(entry, message))
                except DatabaseCorruptionError:
                    # A file that was removed since the reading; one that is damaged is the business of readers.
                    continue
                if any(str(value[0]) == number for value in body):
                    return True
        return None


def _rows_of(jobs: Sequence[_Job]) -> Iterator[tuple[_Job, int, Row]]:
    for job in jobs:
        for table, changed in job.changes.tables.items():
            for row in (*changed.inserted, *changed.updated):
                yield job, table, row


def _written_since(snapshot: State) -> Written | None:
    """Return what was committed after a state, None if that is not known any more."""
    written = Written()
    if snapshot.detached:
        return None
    for state in snapshot.since():
        if state.detached:
            return None
        written.add(state.changes)
    return written
