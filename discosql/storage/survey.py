"""A survey of a log: every message of it judged, also where the chain is broken.

Who opens a database stops at the first thing that is wrong. A survey goes on: it finds the *stretches* of the chain
that are whole, what lies between them, and the newest state that can still be had.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from discosql.errors import DatabaseCorruptionError, EncryptionKeyError
from discosql.schema import Catalog
from discosql.storage.chain import ORIGIN, Candidate, Head, Timing
from discosql.storage.clock import ServerClock
from discosql.storage.entry import GENESIS, Cover, Entry, looks_like_entry
from discosql.storage.guild import Channel, Guild, Message
from discosql.storage.log import PART_TEXT
from discosql.storage.manifest import Manifest, manifest_from_json
from discosql.storage.opening import is_timely, walk
from discosql.storage.problems import Problem, Progress
from discosql.storage.reading import body_of, check_key, opened_entries_of, read_after
from discosql.storage.sealing import Keyring
from discosql.storage.state import State
from discosql.storage.tail import commits_of

_READINGS: Final = 20
_TITLE: Final = re.compile(r"#(\d+) ([^\n]*)")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Slots that follow one another without a gap: the head before the first, and the winner of each."""

    base: Head
    winners: tuple[Candidate, ...]

    @property
    def last(self) -> int:
        """The last slot."""
        return self.base.slot + len(self.winners)

    def holds(self, cover: Cover) -> bool:
        """Tell whether what a checkpoint covers is a slot of the stretch, or the one before its first."""
        place = cover.slot - self.base.slot
        if not 0 <= place <= len(self.winners):
            return False
        return cover.id == (self.winners[place - 1].entry.id if place else self.base.id)


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest state that can be had: its checkpoint (None: it starts from nothing), and the entries after that.

    `manifest` is that of the checkpoint.
    """

    state: State
    stretch: Stretch
    checkpoint: Candidate | None = None
    manifest: Manifest | None = None
    winners: tuple[Candidate, ...] = ()


class LogSurvey:
    """What was found in a log. `standing` is None where no state at all can be had."""

    def __init__(
        self,
        guild: Guild,
        channel: Channel,
        keyring: Keyring,
        messages: Sequence[Message],
        entries: Sequence[tuple[Entry, Message]],
    ) -> None:
        self.guild = guild
        self.channel = channel
        self.keyring = keyring
        self.messages = messages
        self.entries = entries
        self.stretches: list[Stretch] = []
        self.standing: Standing | None = None
        self.unreadable: dict[int, str] = {}

    @property
    def top(self) -> int:
        """The highest slot that any message claims, or that is known to have been taken."""
        claimed = [entry.slot for entry, _ in self.entries]
        return max([*claimed, *[slot for slot, _ in map(claim_of, self.damaged()) if slot], self.last_known], default=0)

    @property
    def last_known(self) -> int:
        """The last slot of the last stretch."""
        return self.stretches[-1].last if self.stretches else 0

    @property
    def is_cut_off(self) -> bool:
        """Whether the newest message that the channel ever had has been deleted."""
        return self.channel.newest > (self.messages[-1].id if self.messages else 0)

    @property
    def is_whole(self) -> bool:
        """Whether the newest state is that of the last entry, so that the database can be opened."""
        standing = self.standing
        if standing is None or self.is_cut_off:
            return False
        last = self.stretches[-1] if self.stretches else Stretch(ORIGIN, ())
        return standing.stretch is last and standing.state.slot == last.last and not self._blocked(last)

    def _blocked(self, last: Stretch) -> bool:
        head = last.winners[-1].message.id if last.winners else 0
        return any(message.id > head for message in self.damaged())

    def damaged(self) -> list[Message]:
        """Return the messages of our own account that were edited or are no entry any more."""
        whole = {message.id for _, message in self.entries}
        return [
            message
            for message in self.messages
            if message.author == self.guild.account
            and message.id not in whole
            and (message.edited or looks_like_entry(message) or message.content != PART_TEXT)
        ]

    def winners(self) -> Iterator[Candidate]:
        """Yield the winners of all stretches, oldest first."""
        for stretch in self.stretches:
            yield from stretch.winners


async def survey_log(guild: Guild, channel: Channel, keyring: Keyring, progress: Progress) -> LogSurvey:
    """Read a whole log, also one that is damaged, with all that is in its files.

    Raises EncryptionKeyError if the newest entry takes another key.
    """
    survey = await _read(guild, channel, keyring)
    winners = list(survey.winners())
    if winners:
        check_key(winners[-1].entry)
    for done, winner in enumerate(winners):
        progress("entries of the log", done, len(winners))
        if winner.entry.files and not winner.entry.locked and is_timely(winner.entry, winner.message):
            try:
                await body_of(guild, winner)
            except DatabaseCorruptionError as exc:
                survey.unreadable[winner.entry.slot] = str(exc)
    survey.standing = await _newest_state(survey)
    return survey


async def _read(guild: Guild, channel: Channel, keyring: Keyring) -> LogSurvey:
    """Read the log until the slots of all that was posted before are decided, or others post too fast for that."""
    clock = ServerClock(guild)
    timing = Timing(guild.visibility, guild.settle)
    for _ in range(_READINGS):
        # What was posted by now will be visible.
        await guild.sleep(timing.visibility)
        started = clock.lower_bound()
        messages, _ = await read_after(guild, channel.id, 0)
        entries = await opened_entries_of(guild, messages, keyring)
        survey = LogSurvey(guild, channel, keyring, messages, entries)
        survey.stretches, certain = _stretches(entries, started, timing)
        if certain is None:
            break
        await guild.sleep(clock.until(certain))
    return survey


def claim_of(message: Message) -> tuple[int, str]:
    """Return the slot and the words for people of a message that was an entry once; 0 where that is gone, too."""
    match = _TITLE.match(message.content)
    return (int(match[1]), match[2]) if match is not None else (0, "")


# Stretches --------------------------------------------------------------------------------------------------------


def _stretches(
    entries: Sequence[tuple[Entry, Message]], started: float, timing: Timing
) -> tuple[list[Stretch], float | None]:
    """Return the stretches, and the moment from which the slot after the last could be decided, if it has entries."""
    known = {entry.id for entry, _ in entries}
    covers = {entry.cover.id: entry.cover for entry, _ in entries if entry.cover is not None}
    found: list[Stretch] = []
    certain: float | None = None
    top = -1
    while True:
        orphans = [entry for entry, _ in entries if entry.slot > top and entry.parent not in known]
        lowest = min((entry.slot for entry in orphans), default=0)
        bases = {_base_of(entry, covers) for entry in orphans if entry.slot == lowest}
        walks = [(base, *walk(base, entries, started, timing, one_page=False)) for base in bases]
        # Of several that a lost slot may have had, the one is right that most was built on.
        best = max(walks, key=lambda each: (len(each[2]), each[0].id), default=None)
        if best is None or not best[2]:
            return found, certain if best is None else best[1].certain_at
        certain = best[1].certain_at
        if found and found[-1].last == best[0].slot:
            # What follows names another winner of the last slot, so the one that is left there had lost it.
            found[-1] = Stretch(found[-1].base, found[-1].winners[:-1])
        found.append(Stretch(best[0], best[2]))
        top = found[-1].last


def _base_of(entry: Entry, covers: dict[str, Cover]) -> Head:
    if entry.slot == 1 and entry.parent == GENESIS:
        return ORIGIN
    cover = covers.get(entry.parent)
    if cover is None:
        return Head(entry.slot - 1, entry.parent, "", 0)
    return Head(cover.slot, cover.id, cover.session, cover.message)


# States -----------------------------------------------------------------------------------------------------------


async def _newest_state(survey: LogSurvey) -> Standing | None:
    if not survey.entries and not survey.damaged():
        return Standing(State(0, Catalog(), {}), Stretch(ORIGIN, ()))
    for stretch in reversed(survey.stretches):
        async for standing in states_of(survey, stretch, stretch.last):
            return standing
    return None


async def states_of(survey: LogSurvey, stretch: Stretch, slot: int) -> AsyncIterator[Standing]:
    """Yield the states as near to a slot of a stretch as can be had from each checkpoint in it, the newest first."""
    for checkpoint in _bases_in(survey, stretch, slot):
        try:
            body = await body_of(survey.guild, checkpoint)
            manifest = manifest_from_json(body, objects=checkpoint.entry.objects, log=survey.channel.id)
        except (DatabaseCorruptionError, EncryptionKeyError):
            continue
        assert checkpoint.entry.cover is not None
        state = State(checkpoint.entry.cover.slot, manifest.catalog, manifest.tables)
        yield await _replay(survey, Standing(state, stretch, checkpoint, manifest), slot)
    if stretch.base == ORIGIN:
        yield await _replay(survey, Standing(State(0, Catalog(), {}), stretch), slot)


def _bases_in(survey: LogSurvey, stretch: Stretch, slot: int) -> list[Candidate]:
    """Return the checkpoints of slots in a stretch, newest first, and those first that have won a slot there."""
    winners = {winner.entry.id for winner in stretch.winners}
    found: dict[str, tuple[tuple[int, bool], Candidate]] = {}
    for entry, message in survey.entries:
        cover = entry.cover
        if cover is not None and cover.slot <= slot and stretch.holds(cover) and is_timely(entry, message):
            found.setdefault(entry.id, ((cover.slot, entry.id in winners), Candidate(entry, message)))
    ordered = sorted(found.values(), key=lambda pair: pair[0], reverse=True)
    return [candidate for _, candidate in ordered]


async def _replay(survey: LogSurvey, start: Standing, slot: int) -> Standing:
    state, winners = start.state, []
    for winner in start.stretch.winners[start.state.slot - start.stretch.base.slot :]:
        if winner.entry.slot > slot:
            break
        body: Any = None
        try:
            if winner.entry.kind == "c" and is_timely(winner.entry, winner.message):
                body = await body_of(survey.guild, winner)
            state = state.after(winner.entry.slot, commits_of(winner.entry, body, state.catalog))
        except EncryptionKeyError:
            break  # it is of before the key was changed
        except (DatabaseCorruptionError, KeyError) as exc:
            survey.unreadable.setdefault(winner.entry.slot, f"entry #{winner.entry.slot} makes no sense: {exc}")
            break
        winners.append(winner)
    return Standing(state, start.stretch, start.checkpoint, start.manifest, tuple(winners))


# Problems ---------------------------------------------------------------------------------------------------------


def problems_of(survey: LogSurvey) -> Iterator[Problem]:
    """Yield what is wrong with a log."""
    channel = survey.channel.id
    needed = _needed_from(survey)
    # VACUUM may have removed what lies below.
    collected = max([entry.cover.previous for entry, _ in survey.entries if entry.cover is not None], default=0)
    told: set[int] = set()
    for first, last, follower in _gaps(survey):
        if last < collected and first == 1:
            text = f"slots 1 to {last} of the log have been removed, as VACUUM does: the past begins after them"
            yield Problem("note", text, slot=last, channel=channel)
            continue
        claims = {claim_of(message)[0]: message for message in survey.damaged()}
        for slot in range(first, last + 1):
            message = claims.get(slot)
            if message is not None:
                told.add(message.id)
            dispensable = "note" if slot < collected else "history"
            yield _gap_problem(survey, slot, message, follower, "damage" if slot > needed else dispensable)
    for slot, text in sorted(survey.unreadable.items()):
        winner = next(winner for winner in survey.winners() if winner.entry.slot == slot)
        harmed = winner.entry.kind == "c" and slot > needed
        yield Problem("damage" if harmed else "history", text, slot=slot, channel=channel, message=winner.message.id)
    yield from _stray_messages(survey, told)
    if survey.is_cut_off:
        yield Problem(
            "damage",
            f"the newest message of the log, {survey.channel.newest} of channel {channel}, was deleted: it may have "
            f"held slot {survey.last_known + 1}",
            slot=survey.last_known + 1,
            channel=channel,
            message=survey.channel.newest,
        )
    if survey.standing is None:
        yield Problem("damage", "no checkpoint and no beginning of the log is left to start from", channel=channel)


def _needed_from(survey: LogSurvey) -> int:
    """Return the slot after which all must be whole: the cover of the checkpoint in use."""
    standing = survey.standing
    if standing is None or standing.checkpoint is None or standing.checkpoint.entry.cover is None:
        return 0
    return standing.checkpoint.entry.cover.slot


def _gaps(survey: LogSurvey) -> Iterator[tuple[int, int, Candidate | None]]:
    """Yield the first and the last slot of each gap, and the entry that follows on it."""
    above = 0
    for stretch in survey.stretches:
        if above < stretch.base.slot:
            yield above + 1, stretch.base.slot, stretch.winners[0]
        above = stretch.last
    claimed = [slot for slot, _ in map(claim_of, survey.damaged()) if slot > above]
    if claimed:
        yield above + 1, max(claimed), None


def _gap_problem(
    survey: LogSurvey, slot: int, message: Message | None, follower: Candidate | None, severity: Any
) -> Problem:
    channel = survey.channel.id
    if message is not None:
        how = "edited" if message.edited else "damaged"
        return Problem(
            severity,
            f"slot {slot} of the log cannot be read: message {message.id} of channel {channel} was {how}; it held "
            f"{claim_of(message)[1]!r}",
            slot=slot,
            channel=channel,
            message=message.id,
        )
    then = "" if follower is None else f": #{follower.entry.slot} in message {follower.message.id} comes after it"
    return Problem(severity, f"slot {slot} of the log is missing{then}", slot=slot, channel=channel)


def _stray_messages(survey: LogSurvey, told: set[int]) -> Iterator[Problem]:
    channel = survey.channel.id
    head = max((winner.message.id for winner in survey.winners()), default=0)
    for message in survey.damaged():
        if message.id not in told:
            how = "edited" if message.edited else "damaged"
            yield Problem(
                "damage" if message.id > head else "note",
                f"message {message.id} of channel {channel} was {how} and is no entry of the log any more",
                channel=channel,
                message=message.id,
            )
    for message in survey.messages:
        if message.author != survey.guild.account:
            yield Problem(
                "note",
                f"message {message.id} of channel {channel} is by somebody else ({message.author}) and is not read",
                channel=channel,
                message=message.id,
            )
