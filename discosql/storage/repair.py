"""Repairing a database: new pages for what was lost, and a new end for a log that cannot be read to its end.

Nothing is edited. Pages are written anew by a checkpoint. Where the log is broken, the chain goes on from the last
entry that is good: empty entries take the slots that are given up, so that what is left of those becomes late
candidates of decided slots, which everybody passes by; a checkpoint follows. A process that still has what is given up
in memory sees entries beyond its own that follow on nothing it knows, and stops (rule 12 of the protocol).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from discosql.errors import DatabaseCorruptionError, NotFoundError, OperationalError
from discosql.schema import Catalog
from discosql.storage.archive import Archive
from discosql.storage.chain import ORIGIN, Candidate, Chain, Head, Timing
from discosql.storage.core import Engine
from discosql.storage.entry import Body, Entry
from discosql.storage.guild import Channel, Guild, Message
from discosql.storage.log import Log
from discosql.storage.lost_entries import LostEntry, lost_entries, rivals_of
from discosql.storage.mending import Mending
from discosql.storage.opening import Base
from discosql.storage.options import EngineOptions
from discosql.storage.problems import Progress
from discosql.storage.reading import body_of, with_retries
from discosql.storage.recovery import PageLoss, Recovery
from discosql.storage.survey import LogSurvey, Standing, survey_log
from discosql.storage.verify import verify_tables

TITLE: Final = "REPAIR: what this slot held is lost"

_BEYOND: Final = 2
"""Slots above all that are lost: whoever wrote those may not have noticed yet, and add one more."""


@dataclass(slots=True)
class RepairPlan:
    """What a repair would do.

    `slot` is that of the state that remains, None if there is nothing to start from. `entries` are given up, `pages`
    are row pages that cannot be read, with what could be got back of them; `indexes` are written anew, by name.
    `new_end` tells that the log cannot be read to its end.
    """

    slot: int | None
    new_end: bool
    entries: list[LostEntry] = field(default_factory=list)
    pages: list[PageLoss] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    mending: dict[int, Mending] = field(default_factory=dict)
    rewrite: bool = False

    @property
    def loses(self) -> bool:
        """Whether anything would be lost that is not lost already for those who can still read it."""
        return bool(self.entries) or self.new_end or any(loss.rebuilt is None for loss in self.pages)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.new_end or self.mending or self.rewrite)


class Repair:
    """One repair of one database: `plan` looks at it, `execute` does what was planned."""

    def __init__(self, guild: Guild, log: Channel, options: EngineOptions, progress: Progress) -> None:
        self._guild = guild
        self._log = log
        self._options = options
        self._progress = progress
        self._engine = Engine(guild, log, options)
        self._survey: LogSurvey | None = None

    async def plan(self) -> RepairPlan:
        """Return what is to be done. Reads the whole log and all pages of the newest state that can be had."""
        survey = self._survey = await survey_log(self._guild, self._log, self._engine.log.keyring, self._progress)
        standing = survey.standing
        if standing is None:
            return RepairPlan(None, True, await lost_entries(survey, 0, Catalog()))
        archive = Archive(self._guild, standing.state, survey.keyring)
        found = await verify_tables(archive, standing.state.tables, lambda _table, _rows: (), self._progress)
        losses, mending = await Recovery(survey, archive.pages, self._progress).recover(found.values())
        await archive.pages.close()
        tables = standing.state.tables
        names = [
            index.name
            for table, each in mending.items()
            for index in tables[table].schema.kept_indexes
            if index.id in each.indexes
        ]
        entries = [] if survey.is_whole else await lost_entries(survey, standing.state.slot, standing.state.catalog)
        # A checkpoint whose manifest is lost, or a gap below it, is made up for by another checkpoint.
        rewrite = survey.is_whole and bool(survey.unreadable)
        return RepairPlan(standing.state.slot, not survey.is_whole, entries, losses, names, mending, rewrite)

    async def execute(self, plan: RepairPlan) -> None:
        """Do it. Raises OperationalError if there is nothing to start from."""
        survey = self._survey
        if survey is None or survey.standing is None or plan.slot is None:
            raise OperationalError("nothing whole is left of the database to start from: restore it from a dump")
        engine = self._engine
        if plan.new_end:
            await self._new_end(engine, survey, survey.standing, plan)
        else:
            await engine.log.open()
        self._progress("new checkpoint", 0, 1)
        if not await engine.checkpoint(everything=True, mending=plan.mending) and engine.state.slot:
            raise OperationalError(
                "another process wrote a checkpoint meanwhile; check the database and repair it again"
            )
        await engine.pages.close()

    async def _new_end(self, engine: Engine, survey: LogSurvey, standing: Standing, plan: RepairPlan) -> None:
        head = _head_of(standing)
        for _, message in rivals_of(survey, head.slot + 1, head.id):
            await self._remove(message)
        log = _BrokenLog(self._guild, self._log.id, engine, self._options.randbytes, engine.log.keyring)
        engine.log = log
        manifest = None if standing.checkpoint is None else await body_of(self._guild, standing.checkpoint)
        await log.resume(_base_of(standing, log.timing), manifest)
        top = max([head.slot, *[entry.slot for entry in plan.entries]]) + _BEYOND
        while log.head.slot < top:
            self._progress("slots of the log", log.head.slot - head.slot, top - head.slot)
            await engine.ready_to_append()
            packed = await log.pack(Body(()), log.keyring.current)
            draft = log.draft(packed, TITLE)
            # By the nonce that all candidates of a slot share, the answer could be the very message that was damaged.
            await log.append(replace(draft, nonce=self._options.randbytes(12).hex()), ())

    async def _remove(self, message: Message) -> None:
        """Delete an entry that would win the slot after the last good one though its files are lost, or it had lost."""
        try:
            await with_retries(self._guild, partial(self._guild.delete_message, message.channel, message.id))
        except NotFoundError:
            return  # an earlier try whose answer was lost


def _head_of(standing: Standing) -> Head:
    if standing.winners:
        winner = standing.winners[-1]
        return Head(winner.entry.slot, winner.entry.id, winner.entry.session, winner.message.id)
    return _start_of(standing)


def _start_of(standing: Standing) -> Head:
    if standing.checkpoint is None:
        return ORIGIN
    cover = standing.checkpoint.entry.cover
    assert cover is not None
    return Head(cover.slot, cover.id, cover.session, cover.message)


def _base_of(standing: Standing, timing: Timing) -> Base:
    chain = Chain(_start_of(standing), timing)
    for winner in standing.winners:
        chain.learn(winner.entry, winner.message)
        chain.advance(winner)
    return Base(standing.checkpoint, chain, standing.winners)


class _BrokenLog(Log):
    """A log that is taken up at its last good entry, whatever else is in the channel."""

    async def resume(self, base: Base, manifest: Any) -> None:
        """Start from a base that was found by a survey."""
        self.clock.lower_bound()
        self.synced = self.clock.lower_bound()
        await self._adopt(base, manifest)
        await self.sync()

    def _check_damage(self, messages: Sequence[Message], started: float) -> None:
        """Let damage be: that is what is being repaired."""

    def _check_orphan(self, started: float) -> None:
        """Let damage be: that is what is being repaired."""

    def _check_recent(
        self, entries: Sequence[tuple[Entry, Message]], messages: Sequence[Message], cursor: int, started: float
    ) -> Candidate | None:
        """Let damage be: that is what is being repaired."""
        return None


async def reopens(guild: Guild, log: Channel, options: EngineOptions) -> None:
    """Raise DatabaseCorruptionError unless a database can be opened now."""
    engine = Engine(guild, log, options)
    try:
        await engine.log.open()
    except DatabaseCorruptionError as exc:
        raise DatabaseCorruptionError(f"the repair did not help: {exc}") from exc
