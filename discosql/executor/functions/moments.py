"""Points in time as SQLite's date functions compute with them (https://www.sqlite.org/lang_datefunc.html).

A moment is a Julian day number in whole milliseconds, or a date and a time of day in the proleptic Gregorian calendar,
or both; each is computed from the other when it is asked for. Dates may overflow (2023-02-31) until then. The way
between the two follows Meeus, Astronomical Algorithms, chapter 7, in integers.
"""

import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from discosql.errors import OperationalError
from discosql.executor.functions.values import numeric_of

DAY: Final = 86_400_000
"""Milliseconds of a day."""

UNIX_EPOCH: Final = 210_866_760_000_000
"""1970-01-01 00:00 as a Julian day number in milliseconds."""

_LAST = 464_269_060_799_999  # 9999-12-31 23:59:59.999
_LOCAL_FIRST, _LOCAL_LAST = 210_866_760_000_000, 213_014_145_600_000  # where the C library knows local time
_USUAL = re.compile(
    r"\d{4}-(?:02-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:0[1-9]|[12]\d|30)|(?:0[13578]|1[02])-31)"
    r"(?: (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)?",
    re.ASCII,
)
_DATE = re.compile(r"(-?)(\d{4})-(\d\d)-(\d\d)[ \t\n\v\f\rT]*", re.ASCII)
_TIME = re.compile(
    r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?[ \t\n\v\f\r]*(?:([zZ])|([+-])(\d\d):(\d\d))?[ \t\n\v\f\r]*", re.ASCII
)
_LONG_MONTHS = frozenset((1, 3, 5, 7, 8, 10, 12))


class InvalidMomentError(Exception):
    """No moment that the date functions know: the SQL result is NULL."""


class Moment:
    """A point in time on its way through modifiers.

    `julian` is the Julian day number in milliseconds, `date` (year, month, day), `clock` (hour, minute, seconds); None
    means not known now. `raw` is a number of which it is open whether it counts days or seconds. `zone` is the offset
    in minutes still to be taken off, `overflow` by how many days the date went beyond its month.
    """

    julian: int | None = None
    date: tuple[int, int, int] | None = None
    clock: tuple[int, int, float] | None = None
    raw: float | None = None
    zone = 0
    overflow = 0
    subsecond = False
    is_utc = False
    is_local = False

    @classmethod
    def at(cls, julian: int) -> "Moment":
        """Return the moment of a Julian day number in milliseconds."""
        moment = cls()
        moment.julian = julian
        return moment

    def copy(self) -> "Moment":
        """Return an independent moment of the same state."""
        copied = Moment()
        copied.__dict__.update(self.__dict__)
        return copied

    def reset(self, julian: int) -> None:
        """Become a moment that only has a Julian day number."""
        self.__dict__.clear()
        self.julian = julian

    def to_julian(self) -> int:
        """Return the Julian day number, computed if need be."""
        if self.julian is None:
            year, month, day = self.date or (2000, 1, 1)
            if not -4713 <= year <= 9999 or self.raw is not None:
                raise InvalidMomentError
            self.julian = julian_of(year, month, day)
            if self.clock is not None:
                hour, minute, second = self.clock
                self.julian += hour * 3_600_000 + minute * 60_000 + int(second * 1000.0 + 0.5)
                if self.zone:
                    self.julian -= self.zone * 60_000
                    self.forget_fields()
                    self.is_utc, self.is_local = True, False
        return self.julian

    def to_date(self) -> tuple[int, int, int]:
        """Return year, month and day, computed if need be."""
        if self.date is None:
            self.date = (2000, 1, 1) if self.julian is None else date_of(self.julian)
        return self.date

    def to_clock(self) -> tuple[int, int, float]:
        """Return hour, minute and seconds, computed if need be."""
        if self.clock is None:
            milliseconds = (self.to_julian() + DAY // 2) % DAY
            minutes = milliseconds // 60_000
            self.clock = (minutes // 60, minutes % 60, milliseconds % 60_000 / 1000.0)
            self.raw = None
        return self.clock

    def forget_fields(self) -> None:
        """Keep the Julian day number only."""
        self.date = self.clock = None
        self.zone = 0

    def set_date(self, year: int, month: int, day: int) -> None:
        """Change the date and keep the time of day; months beyond 1 to 12 carry over into the year."""
        self.to_clock()
        carry = (month - 1) // 12
        self.date = (year + carry, month - carry * 12, day)
        self.julian = None
        self.overflow = _days_beyond(*self.date)

    def add(self, milliseconds: int) -> None:
        """Move by a number of milliseconds."""
        self.julian = self.to_julian() + milliseconds
        self.forget_fields()

    def to_local(self) -> None:
        """Read a moment of UTC as local time."""
        julian = self.to_julian()
        years = 0
        seconds = julian // 1000
        if not _LOCAL_FIRST <= julian <= _LOCAL_LAST:
            # Far years borrow the rules of a near one, with the same place in the cycle of leap years.
            near = self.copy()
            near.to_clock()
            year, month, day = near.to_date()
            years = 2000 + year % 4 - year
            near.date, near.julian = (year + years, month, day), None
            seconds = near.to_julian() // 1000
        try:
            local = time.localtime(seconds - UNIX_EPOCH // 1000)
        except (OverflowError, OSError, ValueError) as exc:
            raise OperationalError("local time unavailable") from exc
        self.date = (local.tm_year - years, local.tm_mon, local.tm_mday)
        self.clock = (local.tm_hour, local.tm_min, local.tm_sec + julian % 1000 * 0.001)
        self.julian = self.raw = None
        self.zone = 0


def julian_of(year: int, month: int, day: int) -> int:
    """Return the Julian day number of the start of a day, in milliseconds."""
    if month <= 2:
        year -= 1
        month += 12
    century = (year + 4800) // 100
    days = 36525 * (year + 4716) // 100 + 306001 * (month + 1) // 10000 + day + 38 - century + century // 4
    return days * DAY - 131_716_800_000


def date_of(julian: int) -> tuple[int, int, int]:
    """Return year, month and day of a Julian day number in milliseconds."""
    if not is_valid(julian):
        raise InvalidMomentError
    days = (julian + DAY // 2) // DAY
    century = int((days + 32044.75) / 36524.25) - 52
    b = days + 1 + century - (century + 100) // 4 + 25 + 1524
    c = int((b - 122.1) / 365.25)
    d = 36525 * (c & 32767) // 100
    e = int((b - d) / 30.6001)
    month = e - 1 if e < 14 else e - 13
    return (c - 4716 if month > 2 else c - 4715), month, b - d - int(30.6001 * e)


is_usual: Final = _USUAL.fullmatch
"""Tells whether a text is a real date, ``YYYY-MM-DD`` or ``YYYY-MM-DD HH:MM:SS``, as the functions write it."""


@lru_cache(maxsize=4096)
def _julian_of_day(text: str) -> int:
    return julian_of(int(text[:4]), int(text[5:7]), int(text[8:10]))


def julian_of_usual(text: str) -> int:
    """Return the Julian day number in milliseconds of a text that `is_usual`."""
    start = _julian_of_day(text[:10])
    if len(text) == 10:
        return start
    return start + ((int(text[11:13]) * 60 + int(text[14:16])) * 60 + int(text[17:19])) * 1000


def is_valid(julian: int) -> bool:
    """Return whether a Julian day number in milliseconds is between the years -4713 and 9999."""
    return 0 <= julian <= _LAST


def _days_beyond(year: int, month: int, day: int) -> int:
    if day <= 28 or month in _LONG_MONTHS:
        return 0
    if month != 2:
        return int(day == 31)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return day - (29 if leap else 28)


def parse_moment(text: str, now: Callable[[], int]) -> Moment:
    """Return the moment that a time value in text names. Raises InvalidMomentError if it names none."""
    moment = Moment()
    match = _DATE.match(text)
    if match is not None and _read_date(moment, match, text):
        return moment
    if read_clock(moment, text):
        return moment
    folded = text.lower()
    if folded in ("now", "subsec", "subsecond"):
        moment.julian = now()
        moment.is_utc = True
        moment.subsecond = folded != "now"
        return moment
    number = numeric_of(text)
    if number is None:
        raise InvalidMomentError
    return number_moment(float(number))


def number_moment(number: float) -> Moment:
    """Return the moment of a number: a Julian day number, unless a modifier says otherwise."""
    moment = Moment()
    moment.raw = number
    if 0.0 <= number < 5373484.5:
        moment.julian = int(number * DAY + 0.5)
    return moment


def _read_date(moment: Moment, match: re.Match[str], text: str) -> bool:
    year, month, day = int(match[2]), int(match[3]), int(match[4])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return False
    if match.end() < len(text) and not read_clock(moment, text[match.end() :]):
        return False
    moment.date = (-year if match[1] else year, month, day)
    moment.overflow = _days_beyond(*moment.date)
    if moment.zone:
        moment.to_julian()
    return True


def read_clock(moment: Moment, text: str) -> bool:
    """Give a moment the time of day that text is, ``HH:MM[:SS[.FFF]]`` and maybe a zone; return whether it is one."""
    match = _TIME.fullmatch(text)
    if match is None:
        return False
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if hour > 24 or minute > 59 or second > 59:
        return False
    zone = 0
    if match[6]:
        hours, minutes = int(match[7]), int(match[8])
        if hours > 14 or minutes > 59:
            return False
        zone = hours * 60 + minutes
    moment.clock = (hour, minute, second + min(_fraction(match[4]), 0.999) if match[4] else float(second))
    moment.zone = -zone if match[6] == "-" else zone
    if match[5] or (match[6] and zone == 0):
        moment.is_utc, moment.is_local = True, False
    return True


def _fraction(digits: str) -> float:
    number, scale = 0.0, 1.0
    for digit in digits[:300]:
        number = number * 10.0 + int(digit)
        scale *= 10.0
    return number / scale
