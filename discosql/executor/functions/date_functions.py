"""date(), time(), datetime(), julianday(), unixepoch(), strftime() and timediff().

``'now'`` is one moment for a whole statement. ``'localtime'`` and ``'utc'`` use the time zone of the machine.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from discosql.errors import OperationalError
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


class _DependsOnContextError(Exception):
    """A result that is not to be kept was asked for: of the present or of the machine's time zone."""


def _moment(arguments: tuple[Value, ...], now: Callable[[], int]) -> Moment:
    """Return the moment of a time value and its modifiers. Raises InvalidMomentError where the result is NULL."""
    if None in arguments:
        raise InvalidMomentError
    first = arguments[0] if arguments else "now"
    if isinstance(first, str | bytes):
        moment = parse_moment(c_text(first), now)
    else:
        moment = number_moment(float(first))  # type: ignore[arg-type]  # NULL was dealt with
    for position, modifier in enumerate(arguments[1:], 1):
        apply_modifier(moment, c_text(modifier), position, now)
    if not is_valid(moment.to_julian()):
        raise InvalidMomentError
    if len(arguments) == 1 and moment.date is not None and moment.date[2] > 28:
        moment.date = None  # 2023-02-31 is 2023-03-03
    return moment


def _stable(
    name: str, compute: Callable[..., Value], counts: Counts, result: SqlType | None = SqlType.TEXT
) -> ScalarFunction:
    """Return the function that `compute` is, given where to ask for the present and then the arguments.

    Results that depend on the arguments only are kept, since columns of dates repeat themselves.
    """

    def compute_or_null(now: Callable[[], int], *arguments: Value) -> Value:
        try:
            return compute(now, *arguments)
        except InvalidMomentError:
            return None

    @lru_cache(maxsize=2048, typed=True)
    def compute_once(*arguments: Value) -> Value:
        return compute_or_null(_refuse, *arguments)

    def function(context: "Context", *arguments: Value) -> Value:
        try:
            return compute_once(*arguments)
        except _DependsOnContextError:
            if context.timeless is not None:
                raise OperationalError(f"non-deterministic use of {name}() in {context.timeless}") from None
        return compute_or_null(lambda: int(context.now.timestamp() * 1000) + UNIX_EPOCH, *arguments)

    return varying(scalar(name, function, counts, result), stable=True)


def _refuse() -> int:
    raise _DependsOnContextError


def _of_moment(result: Callable[[Moment], Value]) -> Callable[..., Value]:
    """Return the computation of a result of the moment that the arguments name."""

    def compute(now: Callable[[], int], *arguments: Value) -> Value:
        return result(_moment(arguments, now))

    return compute


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
}


def _strftime(now: Callable[[], int], template: Value = None, *arguments: Value) -> Value:
    """Return a moment written as a template says, NULL for a template with an unknown code."""
    if template is None:
        return None
    moment = _moment(arguments, now)
    pieces = iter(c_text(template).split("%"))
    written = [next(pieces)]
    for piece in pieces:
        if piece:
            code = _CODES.get(piece[0])
            if code is None:
                return None
            written.append(code(moment) + piece[1:])
        else:  # two percent signs: the piece behind the second is plain
            plain = next(pieces, None)
            if plain is None:
                return None
            written.append("%" + plain)
    return "".join(written)


def _timediff(now: Callable[[], int], first: Value, second: Value) -> Value:
    """Return what must be added to the second moment to reach the first, as ``±YYYY-MM-DD HH:MM:SS.SSS``."""
    later, earlier = (_moment((value,), now) for value in (first, second))
    sign, direction = "+", 1
    if later.to_julian() < earlier.to_julian():
        sign, direction = "-", -1
    years, months, rest = _calendar_distance(later, earlier, direction)
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


FUNCTIONS: Final[tuple[ScalarFunction, ...]] = (
    _stable("date", _of_moment(_date_text), (0, None)),
    _stable("time", _of_moment(_time_text), (0, None)),
    _stable("datetime", _of_moment(_datetime_text), (0, None)),
    _stable("julianday", _of_moment(_julian_day), (0, None), SqlType.REAL),
    _stable("unixepoch", _of_moment(_unix_time), (0, None), None),
    _stable("strftime", _strftime, (0, None)),
    _stable("timediff", _timediff, 2),
    _stable("current_date", _of_moment(_date_text), 0),
    _stable("current_time", _of_moment(_time_text), 0),
    _stable("current_timestamp", _of_moment(_datetime_text), 0),
)
"""The scalar functions of this module."""
