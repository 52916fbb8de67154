"""date(), time(), datetime(), julianday(), unixepoch(), strftime() and timediff().

``'now'`` is one moment for a whole statement. ``'localtime'`` and ``'utc'`` use the time zone of the machine.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from discosql.executor.functions.date_modifiers import apply_modifier
from discosql.executor.functions.moments import (
    DAY,
    UNIX_EPOCH,
    InvalidMomentError,
    Moment,
    date_of,
    is_valid,
    julian_of,
    number_moment,
    parse_moment,
)
from discosql.executor.functions.printf import printf
from discosql.executor.functions.registry import Counts, ScalarFunction, scalar, varying
from discosql.executor.functions.values import c_text
from discosql.types import SqlType, Value

if TYPE_CHECKING:
    from discosql.executor.context import Context


def _now(context: "Context") -> int:
    return int(context.now.timestamp() * 1000) + UNIX_EPOCH


def _moment(context: "Context", arguments: tuple[Value, ...]) -> Moment:
    """Return the moment of a time value and its modifiers. Raises InvalidMomentError where the result is NULL."""
    if not arguments:
        return Moment.at(_now(context))
    first, *modifiers = arguments
    if None in arguments:
        raise InvalidMomentError
    if isinstance(first, str | bytes):
        moment = parse_moment(c_text(first), lambda: _now(context))
    else:
        moment = number_moment(float(first))  # type: ignore[arg-type]  # NULL was dealt with
    for position, modifier in enumerate(modifiers, 1):
        apply_modifier(moment, c_text(modifier), position)
    if not is_valid(moment.to_julian()):
        raise InvalidMomentError
    if not modifiers and moment.date is not None and moment.date[2] > 28:
        moment.date = None  # 2023-02-31 is 2023-03-03
    return moment


def _function(result: Callable[[Moment], Value]) -> Callable[..., Value]:
    def function(context: "Context", *arguments: Value) -> Value:
        try:
            return result(_moment(context, arguments))
        except InvalidMomentError:
            return None

    return function


def _date_text(moment: Moment) -> str:
    year, month, day = moment.to_date()
    return f"{'-' if year < 0 else ''}{abs(year):04d}-{month:02d}-{day:02d}"


def _time_text(moment: Moment) -> str:
    hour, minute, second = moment.to_clock()
    if moment.subsecond:
        milliseconds = int(1000.0 * second + 0.5)
        return f"{hour:02d}:{minute:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"
    return f"{hour:02d}:{minute:02d}:{int(second):02d}"


def _datetime_text(moment: Moment) -> str:
    return f"{_date_text(moment)} {_time_text(moment)}"


def _julian_day(moment: Moment) -> float:
    return moment.to_julian() / 86400000.0


def _unix_time(moment: Moment) -> int | float:
    julian = moment.to_julian()
    return (julian - UNIX_EPOCH) / 1000.0 if moment.subsecond else julian // 1000 - UNIX_EPOCH // 1000


# strftime() ---------------------------------------------------------------------------------------------------------


def _hour_of_twelve(moment: Moment) -> int:
    return (moment.to_clock()[0] - 1) % 12 + 1


def _days_after_new_year(moment: Moment) -> int:
    hour, minute, second = moment.to_clock()
    start = julian_of(moment.to_date()[0], 1, 1) + hour * 3_600_000 + minute * 60_000 + int(second * 1000.0 + 0.5)
    return (moment.to_julian() - start + DAY // 2) // DAY


def _days_after_monday(moment: Moment) -> int:
    return (moment.to_julian() + DAY // 2) // DAY % 7


def _days_after_sunday(moment: Moment) -> int:
    return (moment.to_julian() + DAY // 2 + DAY) // DAY % 7


def _thursday(moment: Moment) -> Moment:
    """Return the moment's Thursday: the year that it is in has the week."""
    thursday = moment.copy()
    thursday.julian = moment.to_julian() + (3 - _days_after_monday(moment)) * DAY
    thursday.date = date_of(thursday.julian)
    return thursday


def _milliseconds(seconds: float) -> str:
    return str(printf("%06.3f", min(seconds, 59.999)))


def _unix_time_text(moment: Moment) -> str:
    number = _unix_time(moment)
    return str(printf("%.3f", number)) if isinstance(number, float) else str(number)


_CODES: Final[dict[str, Callable[[Moment], str]]] = {
    "d": lambda moment: f"{moment.to_date()[2]:02d}",
    "e": lambda moment: f"{moment.to_date()[2]:2d}",
    "f": lambda moment: _milliseconds(moment.to_clock()[2]),
    "F": lambda moment: "{:04d}-{:02d}-{:02d}".format(*moment.to_date()),
    "G": lambda moment: f"{_thursday(moment).to_date()[0]:04d}",
    "g": lambda moment: f"{int(math.fmod(_thursday(moment).to_date()[0], 100)):02d}",
    "H": lambda moment: f"{moment.to_clock()[0]:02d}",
    "k": lambda moment: f"{moment.to_clock()[0]:2d}",
    "I": lambda moment: f"{_hour_of_twelve(moment):02d}",
    "l": lambda moment: f"{_hour_of_twelve(moment):2d}",
    "j": lambda moment: f"{_days_after_new_year(moment) + 1:03d}",
    "J": lambda moment: str(printf("%.16g", _julian_day(moment))),
    "m": lambda moment: f"{moment.to_date()[1]:02d}",
    "M": lambda moment: f"{moment.to_clock()[1]:02d}",
    "p": lambda moment: "PM" if moment.to_clock()[0] >= 12 else "AM",
    "P": lambda moment: "pm" if moment.to_clock()[0] >= 12 else "am",
    "R": lambda moment: "{:02d}:{:02d}".format(*moment.to_clock()[:2]),
    "s": _unix_time_text,
    "S": lambda moment: f"{int(moment.to_clock()[2]):02d}",
    "T": lambda moment: "{:02d}:{:02d}:{:02d}".format(*map(int, moment.to_clock())),
    "u": lambda moment: str(_days_after_sunday(moment) or 7),
    "w": lambda moment: str(_days_after_sunday(moment)),
    "U": lambda moment: f"{(_days_after_new_year(moment) - _days_after_sunday(moment) + 7) // 7:02d}",
    "V": lambda moment: f"{_days_after_new_year(_thursday(moment)) // 7 + 1:02d}",
    "W": lambda moment: f"{(_days_after_new_year(moment) - _days_after_monday(moment) + 7) // 7:02d}",
    "Y": lambda moment: f"{moment.to_date()[0]:04d}",
    "%": lambda _moment: "%",
}


def strftime(context: "Context", template: Value = None, *arguments: Value) -> Value:
    """Return a moment written as a template says, NULL for a template with an unknown code."""
    if template is None:
        return None
    try:
        moment = _moment(context, arguments)
        pieces = c_text(template).split("%")
        written = [pieces[0]]
        rest = iter(pieces[1:])
        for piece in rest:
            if not piece:  # %%: the piece behind it is plain
                written.append("%" + next(rest))
            else:
                written.append(_CODES[piece[0]](moment) + piece[1:])
        return "".join(written)
    except (InvalidMomentError, KeyError, StopIteration):
        return None


def timediff(context: "Context", first: Value, second: Value) -> Value:
    """Return what must be added to the second moment to reach the first, as ``±YYYY-MM-DD HH:MM:SS.SSS``."""
    try:
        later, earlier = _moment(context, (first,)), _moment(context, (second,))
        sign, direction = "+", 1
        if later.to_julian() < earlier.to_julian():
            sign, direction = "-", -1
        years, months, rest = _calendar_distance(later, earlier, direction)
    except InvalidMomentError:
        return None
    distance = Moment.at(rest + 148_699_540_800_000)  # 0000-01-01
    hour, minute, seconds = distance.to_clock()
    days = distance.to_date()[2] - 1
    return f"{sign}{years:04d}-{months:02d}-{days:02d} {hour:02d}:{minute:02d}:{_milliseconds(seconds)}"


def _calendar_distance(target: Moment, start: Moment, direction: int) -> tuple[int, int, int]:
    """Return the years, months and milliseconds from one moment to another, which is later if `direction` is 1."""
    goal = target.to_julian()
    target_year, target_month, _ = target.to_date()
    start.to_clock()
    year, month, day = start.to_date()
    years = (target_year - year) * direction
    months = (target_month - month) * direction
    if months < 0:
        years -= 1
        months += 12
    year, month = target_year, target_month
    while True:
        if start.to_date()[:2] != (year, month):
            start.date, start.julian = (year, month, day), None
        if (goal - start.to_julian()) * direction >= 0:
            return years, months, abs(goal - start.to_julian())
        months -= 1
        if months < 0:
            months = 11
            years -= 1
        month -= direction
        if not 1 <= month <= 12:
            month = 12 if month < 1 else 1
            year -= direction


def _stable(name: str, function: Callable[..., Value], counts: Counts, result: SqlType | None) -> ScalarFunction:
    return varying(scalar(name, function, counts, result), stable=True)


FUNCTIONS: Final[tuple[ScalarFunction, ...]] = (
    _stable("date", _function(_date_text), (0, None), SqlType.TEXT),
    _stable("time", _function(_time_text), (0, None), SqlType.TEXT),
    _stable("datetime", _function(_datetime_text), (0, None), SqlType.TEXT),
    _stable("julianday", _function(_julian_day), (0, None), SqlType.REAL),
    _stable("unixepoch", _function(_unix_time), (0, None), None),
    _stable("strftime", strftime, (0, None), SqlType.TEXT),
    _stable("timediff", timediff, 2, SqlType.TEXT),
    _stable("current_date", _function(_date_text), 0, SqlType.TEXT),
    _stable("current_time", _function(_time_text), 0, SqlType.TEXT),
    _stable("current_timestamp", _function(_datetime_text), 0, SqlType.TEXT),
)
"""The scalar functions of this module."""
