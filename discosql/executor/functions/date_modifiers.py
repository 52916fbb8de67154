"""Modifiers of the date functions (https://www.sqlite.org/lang_datefunc.html section 3)."""

import re
import struct
from collections.abc import Callable
from typing import Final

from discosql.executor.functions.moments import DAY, UNIX_EPOCH, InvalidMomentError, Moment, read_clock
from discosql.executor.functions.values import numeric_of
from discosql.types import fold_case

_SHIFT = re.compile(r"([+-])(\d{4}|\d{5})-(\d\d)-(\d\d)(?:[ \t\n\v\f\r](\d\d:\d\d.*))?", re.ASCII | re.DOTALL)
_AMOUNT = re.compile(r"[+\-0-9][^: \t\n\v\f\r]*")
_FIRST_SECOND, _LAST_SECOND = -210_866_760_000, 253_402_300_799  # what 'auto' takes for a Unix time


def _single(number: float) -> float:
    return float(struct.unpack("f", struct.pack("f", number))[0])


# Seconds of each unit, and the limit of its amount, which SQLite keeps in single precision.
_UNITS: Final = {
    "second": (1.0, _single(4.6427e14)),
    "minute": (60.0, _single(7.7379e12)),
    "hour": (3600.0, _single(1.2897e11)),
    "day": (86400.0, 5373485.0),
    "month": (2592000.0, 176546.0),
    "year": (31536000.0, 14713.0),
}


def apply_modifier(moment: Moment, modifier: str, position: int, now: Callable[[], int]) -> None:
    """Change a moment by the modifier that is its `position`-th. Raises InvalidMomentError where there is none such.

    `now` is called, for its refusal, where the result depends on the time zone of the machine.
    """
    folded = fold_case(modifier)
    if folded in ("localtime", "utc"):
        now()
    plain = _PLAIN.get(folded)
    if plain is not None:
        plain(moment)
    elif folded in _FIRST_ONLY:
        if position > 1 and (folded != "unixepoch" or moment.raw is not None):
            raise InvalidMomentError
        _FIRST_ONLY[folded](moment)
    elif folded.startswith("start of "):
        _start_of(moment, folded[9:])
    elif folded.startswith("weekday "):
        _weekday(moment, folded[8:])
    elif modifier[:1] in set("+-0123456789"):
        _move(moment, modifier)
    else:
        raise InvalidMomentError


def _ceiling(moment: Moment) -> None:
    moment.add(0)
    moment.overflow = 0


def _floor(moment: Moment) -> None:
    moment.add(-moment.overflow * DAY)


def _localtime(moment: Moment) -> None:
    if not moment.is_local:
        moment.to_local()
    moment.is_utc, moment.is_local = False, True


def _utc(moment: Moment) -> None:
    if moment.is_utc:
        return
    wanted = guess = moment.to_julian()
    for _ in range(5):  # the offset may differ between the guess and the moment sought
        local = Moment.at(guess)
        local.to_local()
        error = local.to_julian() - wanted
        if error == 0:
            break
        last, guess = guess, guess - error
    else:
        guess = last
    moment.reset(guess)  # as in SQLite it forgets 'subsec' too
    moment.is_utc = True


def _subsecond(moment: Moment) -> None:
    moment.subsecond = True


def _auto(moment: Moment) -> None:
    if moment.raw is None or moment.julian is not None:
        moment.raw = None
    elif _FIRST_SECOND <= moment.raw <= _LAST_SECOND:
        _set_unix_time(moment, moment.raw)


def _julianday(moment: Moment) -> None:
    if moment.julian is None or moment.raw is None:
        raise InvalidMomentError
    moment.raw = None


def _unixepoch(moment: Moment) -> None:
    if moment.raw is None or not 0.0 <= moment.raw * 1000.0 + UNIX_EPOCH < 464_269_060_800_000.0:
        raise InvalidMomentError
    _set_unix_time(moment, moment.raw)


def _set_unix_time(moment: Moment, seconds: float) -> None:
    moment.forget_fields()
    moment.julian = int(seconds * 1000.0 + UNIX_EPOCH + 0.5)
    moment.raw = None


def _start_of(moment: Moment, unit: str) -> None:
    if moment.julian is None and moment.date is None and moment.clock is None:
        raise InvalidMomentError
    year, month, day = moment.to_date()
    if unit == "month":
        day = 1
    elif unit == "year":
        month = day = 1
    elif unit != "day":
        raise InvalidMomentError
    moment.date, moment.clock = (year, month, day), (0, 0, 0.0)
    moment.julian = moment.raw = None
    moment.zone = 0


def _weekday(moment: Moment, text: str) -> None:
    number = numeric_of(text)
    if number is None or not 0.0 <= number < 7.0 or int(number) != number:
        raise InvalidMomentError
    moment.to_date()
    moment.to_clock()
    moment.zone = 0
    moment.julian = None
    today = (moment.to_julian() + DAY // 2 + DAY) // DAY % 7
    moment.add((int(number) - today) % 7 * DAY)


def _move(moment: Moment, modifier: str) -> None:
    shift = _SHIFT.fullmatch(modifier)
    if shift is not None:
        _shift_date(moment, shift)
        return
    match = _AMOUNT.match(modifier)
    number = numeric_of(match[0]) if match is not None else None
    if match is None or number is None:
        raise InvalidMomentError
    rest = modifier[match.end() :]
    if rest.startswith(":"):
        _add_clock(moment, modifier.lstrip("+-") if modifier[0] in "+-" else modifier, modifier[0] == "-")
    else:
        _add_units(moment, float(number), fold_case(rest.lstrip(" \t\n\v\f\r")))


def _shift_date(moment: Moment, shift: re.Match[str]) -> None:
    years, months, days = int(shift[2]), int(shift[3]), int(shift[4])
    if months > 11 or days > 30 or years > 14712:
        raise InvalidMomentError
    direction = -1 if shift[1] == "-" else 1
    moment.to_clock()
    year, month, day = moment.to_date()
    moment.set_date(year + direction * years, month + direction * months, day)
    moment.add(direction * days * DAY)
    if shift[5] is not None:
        _add_clock(moment, shift[5], direction < 0)


def _add_clock(moment: Moment, text: str, backwards: bool) -> None:
    distance = Moment()
    if not read_clock(distance, text):
        raise InvalidMomentError
    milliseconds = (distance.to_julian() - DAY // 2) % DAY
    moment.add(-milliseconds if backwards else milliseconds)


def _add_units(moment: Moment, amount: float, unit: str) -> None:
    if not 3 <= len(unit) <= 10:
        raise InvalidMomentError
    moment.to_julian()
    moment.overflow = 0
    seconds, limit = _UNITS.get(unit.removesuffix("s"), (0.0, 0.0))
    if not -limit < amount < limit:
        raise InvalidMomentError
    rounding = -0.5 if amount < 0 else 0.5
    if unit.startswith(("month", "year")):
        whole = int(amount)
        year, month, day = moment.to_date()
        years, months = (0, whole) if unit.startswith("month") else (whole, 0)
        moment.set_date(year + years, month + months, day)
        amount -= whole
    moment.add(int(amount * 1000.0 * seconds + rounding))


_PLAIN: Final[dict[str, Callable[[Moment], None]]] = {
    "ceiling": _ceiling,
    "floor": _floor,
    "localtime": _localtime,
    "utc": _utc,
    "subsec": _subsecond,
    "subsecond": _subsecond,
}
_FIRST_ONLY: Final[dict[str, Callable[[Moment], None]]] = {
    "auto": _auto,
    "julianday": _julianday,
    "unixepoch": _unixepoch,
}
