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
    is_usual,
    is_valid,
    julian_of,
    julian_of_usual,
    number_moment,
    parse_moment,
)
from discosql.executor.functions.printf import printf
from discosql.executor.functions.registry import Counts, ScalarFunction, scalar, varying
from discosql.executor.functions.values import c_text
from discosql.types import SqlType, Value

if TYPE_CHECKING:
    from discosql.executor.context import Context


class _TimelessError(Exception):
    """The present, or the time zone of the machine, was asked for where results are kept for good."""


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


def _refuse() -> int:
    raise _TimelessError


def _with_context(
    name: str, compute: Callable[..., Value], short: Callable[..., Value] | None = None
) -> Callable[..., Value]:
    """Return the function that `compute` is, given what tells the present and then the arguments.

    Results are kept, since columns of dates repeat themselves; those that depend on the present together with it.
    `short` may give the result where the last argument is a text that `is_usual`, and there are no modifiers.
    """

    @lru_cache(maxsize=2048, typed=True)
    def compute_timeless(*arguments: Value) -> tuple[Value, bool]:
        try:
            return compute(_refuse, *arguments), True
        except InvalidMomentError:
            return None, True
        except _TimelessError:
            return None, False

    @lru_cache(maxsize=64, typed=True)
    def compute_at(present: int, *arguments: Value) -> Value:
        try:
            return compute(lambda: present, *arguments)
        except InvalidMomentError:
            return None

    count = 2 if name == "strftime" else 1

    def function(context: "Context", *arguments: Value) -> Value:
        if short is not None and len(arguments) == count:
            text = arguments[-1]
            if type(text) is str and is_usual(text):
                result = short(*arguments)
                if result is not None:
                    return result
        result, timeless = compute_timeless(*arguments)
        if timeless:
            return result
        if context.timeless is not None:
            raise OperationalError(f"non-deterministic use of {name}() in {context.timeless}")
        return compute_at(int(context.now.timestamp() * 1000) + UNIX_EPOCH, *arguments)

    return function


def _dated(
    name: str,
    compute: Callable[..., Value],
    result: SqlType | None = SqlType.TEXT,
    *,
    counts: Counts = (0, None),
    short: Callable[..., Value] | None = None,
) -> ScalarFunction:
    """Return a function of time values. It counts as deterministic: with ``'now'`` it refuses to be computed early."""
    function = scalar(name, _with_context(name, compute, short), counts, result)
    return ScalarFunction(function.signature, function.implementation, needs_context=True)


def _current(name: str, result: Callable[[Moment], Value]) -> ScalarFunction:
    return varying(scalar(name, _with_context(name, _of_moment(result)), 0, SqlType.TEXT, null_safe=True), stable=True)


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
    return max(moment.to_julian() - start + DAY // 2, 0) // DAY


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


def _short_strftime(template: Value, text: str) -> Value:
    pieces = _read_simple(template) if isinstance(template, str) else None
    if pieces is None:
        return None
    whole = text if len(text) > 10 else text + " 00:00:00"
    return "".join([piece if isinstance(piece, str) else whole[piece] for piece in pieces])


@lru_cache(maxsize=256)
def _read_simple(template: str) -> tuple[str | slice, ...] | None:
    """Return which parts of a usual time value make up a template, None if it needs more than that."""
    literal, *pieces = template.split("%")
    parts: list[str | slice] = [literal]
    for piece in pieces:
        place = _PLACES.get(piece[:1])
        if place is None:
            return None
        parts += (place, piece[1:])
    return None if "\0" in template else tuple(parts)


_PLACES: Final = {
    "Y": slice(0, 4),
    "m": slice(5, 7),
    "d": slice(8, 10),
    "H": slice(11, 13),
    "M": slice(14, 16),
    "S": slice(17, 19),
    "F": slice(0, 10),
    "T": slice(11, 19),
    "R": slice(11, 16),
}

FUNCTIONS: Final[tuple[ScalarFunction, ...]] = (
    _dated("date", _of_moment(_date_text), short=lambda text: text[:10]),
    _dated("time", _of_moment(_time_text), short=lambda text: text[11:] or "00:00:00"),
    _dated("datetime", _of_moment(_datetime_text), short=lambda text: text if len(text) > 10 else text + " 00:00:00"),
    _dated("julianday", _of_moment(_julian_day), SqlType.REAL, short=lambda text: julian_of_usual(text) / 86400000.0),
    _dated("unixepoch", _of_moment(_unix_time), None, short=lambda text: (julian_of_usual(text) - UNIX_EPOCH) // 1000),
    _dated("strftime", _strftime, short=_short_strftime),
    _dated("timediff", _timediff, counts=2),
    _current("current_date", _date_text),
    _current("current_time", _time_text),
    _current("current_timestamp", _datetime_text),
)
"""The scalar functions of this module."""
