"""Time travel: the state as of an earlier slot or moment, as long as VACUUM has not removed it."""

import datetime
from functools import partial
from typing import Final, Protocol

from discosql.errors import OperationalError
from discosql.schema import Catalog
from discosql.storage.chain import Candidate, Timing
from discosql.storage.clock import DATE_AGE
from discosql.storage.entry import Cover, Entry
from discosql.storage.guild import MAX_PAGE, Guild, Message, id_time, time_id
from discosql.storage.log import Log
from discosql.storage.manifest import manifest_from_json
from discosql.storage.opening import Base, find_base, is_timely, opened_base
from discosql.storage.reading import body_of, entries_of, with_retries
from discosql.storage.state import State
from discosql.storage.tail import commits_of

_TICK: Final = 0.002
"""The millisecond that an id's time is cut to, and one more for the rounding of seconds."""


class Home(Protocol):
    """What time travel needs of its engine."""

    guild: Guild
    log: Log

    async def refresh(self, *, latest: bool = False) -> None:
        """Bring the log up to date."""


class Limit:
    """Where a state of the past ends: at a slot, or with the last entry before a moment (seconds since 1970)."""

    def __init__(self, slot: int | None, moment: float) -> None:
        self._slot = slot
        self._moment = moment

    def allows_cover(self, cover: Cover) -> bool:
        """Tell whether the state that a checkpoint covers is not too new."""
        if self._slot is not None:
            return cover.slot <= self._slot
        return id_time(cover.message) <= self._moment

    def allows(self, winner: Candidate) -> bool:
        """Tell whether an entry belongs to the state."""
        if self._slot is not None:
            return winner.entry.slot <= self._slot
        return winner.time <= self._moment

    def window_end(self, timing: Timing) -> float:
        """Return the moment after which nothing was posted that could win a slot of the state."""
        return self._moment + timing.settle + timing.visibility + _TICK


async def state_as_of(home: Home, moment: int | datetime.datetime) -> State:
    """Return the state as of a slot, or of a moment (UTC if it has no zone). Raises OperationalError if it is gone."""
    if isinstance(moment, int):
        limit = await _limit_of_slot(home, moment)
    else:
        limit = await _limit_of_moment(home, moment)
    base = await opened_base(await _base_of(home, limit), home.log.keyring)
    winners = [winner for winner in base.winners if limit.allows(winner)]
    reached = max([base.chain.base.slot, *[winner.entry.slot for winner in winners]])
    if isinstance(moment, int) and moment > reached:
        raise OperationalError(f"the history of slot {moment} has been removed")
    if not reached:
        raise OperationalError(await _why_empty(home, moment))
    return await _replay(home, base, winners)


def is_settled(home: Home, moment: int | datetime.datetime) -> bool:
    """Tell whether the state as of a slot or a moment can no longer become another one."""
    return isinstance(moment, int) or Limit(None, _seconds(moment)).window_end(home.log.timing) < (
        home.log.clock.lower_bound()
    )


def _seconds(moment: datetime.datetime) -> float:
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)).timestamp()


async def _limit_of_slot(home: Home, slot: int) -> Limit:
    if slot < 1:
        raise OperationalError(f"there is no slot {slot}: the first entry of a database has slot 1")
    if slot > home.log.head.slot:
        raise OperationalError(f"the database has no slot {slot} yet")
    return Limit(slot, await _time_of(home, slot))


async def _limit_of_moment(home: Home, moment: datetime.datetime) -> Limit:
    limit = Limit(None, _seconds(moment))
    if not is_settled(home, moment):
        since = home.guild.monotonic()
        await home.refresh(latest=True)
        now = home.log.clock.upper_bound(since) or home.log.clock.lower_bound() + DATE_AGE
        if _seconds(moment) > now:
            raise OperationalError(f"cannot read the database as of {moment}: that is in the future")
    return limit


async def _why_empty(home: Home, moment: int | datetime.datetime) -> str:
    guild, channel = home.guild, home.log.channel
    oldest = await with_retries(guild, partial(guild.messages, channel, after=channel))
    if any(entry.slot == 1 for entry, _ in entries_of(guild, oldest, home.log.keyring)):
        return f"cannot read the database as of {moment}: it had no entry by then"
    return f"the history of {moment} has been removed"


async def _base_of(home: Home, limit: Limit) -> Base:
    guild, log = home.guild, home.log
    entries: list[tuple[Entry, Message]] = []
    before = time_id(limit.window_end(log.timing))
    while True:
        page = await with_retries(guild, partial(guild.messages, log.channel, before=before))
        entries += entries_of(guild, page, log.keyring)
        complete = len(page) < MAX_PAGE
        before = min([before, *[message.id for message in page]])
        base = find_base(
            entries,
            float("inf"),
            log.timing,
            oldest=None if complete else before,
            one_page=False,
            usable=limit.allows_cover,
        )
        if base is not None:
            if base.checkpoint is None and base.chain.orphan() is not None:
                raise OperationalError("the history of that time has been removed")
            return base


async def _replay(home: Home, base: Base, winners: list[Candidate]) -> State:
    state = State(0, Catalog(), {})
    if base.checkpoint is not None:
        entry = base.checkpoint.entry
        assert entry.cover is not None
        values = await body_of(home.guild, base.checkpoint)
        manifest = manifest_from_json(values, objects=entry.objects, log=home.log.channel)
        state = State(entry.cover.slot, manifest.catalog, manifest.tables)
    for winner in winners:
        body = None
        if winner.entry.kind == "c" and is_timely(winner.entry, winner.message):
            body = await body_of(home.guild, winner)
        state = state.after(winner.entry.slot, commits_of(winner.entry, body, state.catalog))
    return state


async def _time_of(home: Home, slot: int) -> float:
    """Return a moment not before the entry of a slot was posted, found by halving the time that the log spans."""
    guild, channel, keyring = home.guild, home.log.channel, home.log.keyring
    low, high = channel, home.log.head.message + 1
    while True:
        page = await with_retries(guild, partial(guild.messages, channel, before=high))
        reached = [message.id for entry, message in entries_of(guild, page, keyring) if entry.slot <= slot]
        if reached or len(page) < MAX_PAGE:
            return id_time(max(reached, default=high))
        high = min(message.id for message in page)
        middle = (low + high) // 2
        probe = await with_retries(guild, partial(guild.messages, channel, before=middle))
        if any(entry.slot > slot for entry, _ in entries_of(guild, probe, keyring)):
            high = middle
        else:
            low = middle
