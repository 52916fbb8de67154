"""Switches: each takes one rule of the protocol away, to show that the simulation notices."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeAlias

import pytest

from discosql.errors import OperationalError
from discosql.storage import chain, log_reader, opening
from discosql.storage.chain import Candidate, Chain, Head, Reading, Timing
from discosql.storage.checkpoint import Checkpoint
from discosql.storage.collect import Collector
from discosql.storage.committing import Committer
from discosql.storage.entry import Entry
from discosql.storage.guild import Message, id_time
from discosql.storage.log import Log
from discosql.storage.log_reader import LogReader, Pending
from discosql.storage.reads import ReadSet, Written
from simulation.process import SimulatedGuild

Switch: TypeAlias = Callable[[pytest.MonkeyPatch], None]


def no_wait_for_others(patch: pytest.MonkeyPatch) -> None:
    """4b: decide whatever a reading shows."""
    patch.setattr(Chain, "_certain_at", lambda self, candidates: 0.0)


def answer_is_the_verdict(patch: pytest.MonkeyPatch) -> None:
    """6: take the answer to a POST for the commit."""

    async def settle(log: Log, pending: Pending) -> bool:
        if log.head.slot < pending.draft.entry.slot and pending.message:
            candidate = log.chain._candidates()[pending.draft.entry.id]
            log.chain.advance(candidate)
            log._tell(candidate, None, pending.own)
            log.pending = None
            return True
        return await settle_by_reading(log, pending)

    settle_by_reading = Log._settle
    patch.setattr(Log, "_settle", settle)


def no_revalidation(patch: pytest.MonkeyPatch) -> None:
    """6: after a lost slot, send the same again for the next one without a look at what has won."""

    def valid(committer: Committer, jobs: Any) -> Any:
        fresh = [job for job in jobs if id(job) not in checked]
        passed = [job for job in jobs if id(job) in checked and job.error is None]
        passed += check(committer, fresh)
        checked.update((id(job), job) for job in passed)
        return passed

    checked: dict[int, Any] = {}
    check = Committer._valid
    patch.setattr(Committer, "_valid", valid)


def no_read_set(patch: pytest.MonkeyPatch) -> None:
    """6: compare only what transactions wrote."""

    def conflicts(written: Written, reads: ReadSet, *rest: Any) -> bool:
        return with_reads(written, ReadSet(), *rest)

    with_reads = Written.conflicts
    patch.setattr(Written, "conflicts", conflicts)


def _owner_at_once(self: Chain, reading: Reading) -> Candidate | None:
    """Decide as `Chain.decide` does, with the owner's precedence as the only condition of (4a)."""
    candidates = self._candidates()
    if not candidates:
        return None
    best = chain.winner_of(candidates.values(), self.head.session, self.timing.settle)
    if best.entry.session == self.head.session and (reading.one_page or best.entry.id in reading.known):
        return best
    return best if reading.started >= self._certain_at(candidates) else None


def settle_too_small(patch: pytest.MonkeyPatch) -> None:
    """2: SETTLE 0.3 s, less than messages take to be visible."""
    patch.setattr(SimulatedGuild, "default_settle", 0.3)
    patch.setattr(Chain, "decide", _owner_at_once)


def visibility_too_small(patch: pytest.MonkeyPatch) -> None:
    """4b: Δ 0.25 s, and no measuring of how far reads lag."""
    patch.setattr(SimulatedGuild, "default_visibility", 0.25)
    patch.setattr(LogReader, "_measure_lag", lambda *arguments: None)


def lag_not_measured(patch: pytest.MonkeyPatch) -> None:
    """12, A2: do not wait longer though an own message was seen late."""
    patch.setattr(LogReader, "_measure_lag", lambda *arguments: None)


def no_trimmed_log_rule(patch: pytest.MonkeyPatch) -> None:
    """5: decide however long ago the last reading was, and though what was read then is gone."""
    patch.setattr(LogReader, "_check_recent", lambda *arguments: None)
    patch.setattr(LogReader, "_may_be_trimmed", lambda self, sent: False)


def no_date_is_as_good(patch: pytest.MonkeyPatch) -> None:
    """5: trust a reading that does not tell when it was made."""

    def may_be_trimmed(reader: LogReader, sent: float) -> bool:
        return reader.clock.upper_bound(sent) is not None and by_date(reader, sent)

    patch.setattr(LogReader, "_check_recent", lambda *arguments: None)
    by_date = LogReader._may_be_trimmed
    patch.setattr(LogReader, "_may_be_trimmed", may_be_trimmed)


def collection_by_the_clock(patch: pytest.MonkeyPatch) -> None:
    """9: judge ages by the time it is, not by what was read."""

    def is_past(collector: Collector, snowflake: int, seconds: float) -> bool:
        return collector._log.clock.lower_bound() > id_time(snowflake) + seconds

    patch.setattr(Collector, "_is_past", is_past)


def no_overlap(patch: pytest.MonkeyPatch) -> None:
    """4: read only what lies above the head."""
    patch.setattr(Timing, "overlap", 0.0)


def several_pages_are_as_good(patch: pytest.MonkeyPatch) -> None:
    """4a: decide for the owner though the reading was of several pages."""

    def decide(self: Chain, reading: Reading) -> Candidate | None:
        return by_pages(self, replace(reading, one_page=True))

    by_pages = Chain.decide
    patch.setattr(Chain, "decide", decide)


def precedence_for_ever(patch: pytest.MonkeyPatch) -> None:
    """2: the owner wins however late it comes."""

    def winner(candidates: Any, owner: str, settle: float) -> Candidate:
        return by_time(candidates, owner, float("inf"))

    by_time = chain.winner_of
    patch.setattr(chain, "winner_of", winner)


def forget_what_is_unknown(patch: pytest.MonkeyPatch) -> None:
    """7: go on with a new entry for the same slot."""

    async def forget(log: Log) -> None:
        log.pending = None

    patch.setattr(Log, "resolve", forget)


def a_deleted_nonce_is_an_end(patch: pytest.MonkeyPatch) -> None:
    """7: take 404 for a refusal."""

    async def append(log: Log, draft: Any, own: Any) -> bool:
        posting = log.guild.post

        async def post(*arguments: Any, **options: Any) -> Message:
            try:
                return await posting(*arguments, **options)
            except OperationalError as error:
                if "nonce" in str(error):
                    raise LookupError("404") from error
                raise

        log.guild.post = post  # type: ignore[method-assign]
        try:
            return await with_404(log, draft, own)
        except LookupError as error:
            log.pending = None
            raise OperationalError("nothing was stored") from error
        finally:
            log.guild.post = posting  # type: ignore[method-assign]

    with_404 = Log.append
    patch.setattr(Log, "append", append)


def no_segment(patch: pytest.MonkeyPatch) -> None:
    """8: a checkpoint is as good as any however old its pages are."""
    for module in (opening, log_reader):
        patch.setattr(module, "is_timely", lambda entry, message: True)
    patch.setattr(Checkpoint, "_is_late", lambda self: False)


def any_checkpoint_will_do(patch: pytest.MonkeyPatch) -> None:
    """10: adopt the newest checkpoint, whether it has won its slot or not."""

    def find(entries: list[tuple[Entry, Message]], started: float, timing: Timing, **options: Any) -> opening.Base:
        newest = max((pair for pair in entries if pair[0].cover), key=lambda pair: pair[1].id, default=None)
        if newest is None:
            return properly(entries, started, timing, **options)  # type: ignore[return-value]
        cover = newest[0].cover
        assert cover is not None
        head = Head(cover.slot, cover.id, cover.session, cover.message)
        return opening.Base(
            Candidate(*newest), *opening.walk(head, entries, started, timing, one_page=options["one_page"])
        )

    async def opened(base: opening.Base, keyring: Any) -> opening.Base:
        return base

    properly = opening.find_base
    patch.setattr(opening, "find_base", find)
    patch.setattr(log_reader, "opened_base", opened)


def old_copies_count(patch: pytest.MonkeyPatch) -> None:
    """10: start from the first entry wherever a copy of it lies in the log."""

    def find(entries: list[tuple[Entry, Message]], started: float, timing: Timing, **options: Any) -> Any:
        if any(entry.slot == 1 for entry, _ in entries):
            return opening.Base(
                None, *opening.walk(chain.ORIGIN, entries, started, timing, one_page=options["one_page"])
            )
        return properly(entries, started, timing, **options)

    properly = opening.find_base
    patch.setattr(opening, "find_base", find)


def open_without_a_stamp(patch: pytest.MonkeyPatch) -> None:
    """10, 4b: take what the first reading shows for settled."""

    def walk(base: Head, entries: Any, started: float, timing: Timing, *, one_page: bool) -> Any:
        return carefully(base, entries, float("inf"), timing, one_page=one_page)

    carefully = opening.walk
    patch.setattr(opening, "walk", walk)


def no_late_alarm(patch: pytest.MonkeyPatch) -> None:
    """12: do not mind a message that changes what was decided."""

    def learn(self: Chain, entry: Entry, message: Message) -> bool:
        noticing(self, entry, message)
        return False

    noticing = Chain.learn
    patch.setattr(Chain, "learn", learn)


def no_orphan_alarm(patch: pytest.MonkeyPatch) -> None:
    """12: do not mind entries whose parent is missing."""
    patch.setattr(Chain, "orphan", lambda self: None)
    patch.setattr(LogReader, "_check_recent", lambda *arguments: None)


RANDOM: Final[dict[Switch, tuple[str, int]]] = {
    no_wait_for_others: ("no nonces", 3),
    answer_is_the_verdict: ("no nonces", 3),
    no_revalidation: ("busy", 3),
    no_read_set: ("busy", 3),
    settle_too_small: ("lagging", 3),
    visibility_too_small: ("lagging", 3),
    no_trimmed_log_rule: ("garbage", 2),
    precedence_for_ever: ("frozen", 3),
}
"""The switches that random runs notice, with the mode and number of clients that notice them best."""
