"""A file like the flights of nycflights13: as many rows, the same columns, values of the same kinds, a fixed seed."""

import csv
import datetime
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

ROWS: Final = 336_776
"""Rows of the original."""

COLUMNS: Final = (
    "year", "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay",
    "carrier", "flight", "tailnum", "origin", "dest", "air_time", "distance", "hour", "minute", "time_hour",
)  # fmt: skip

_START: Final = datetime.datetime(2013, 1, 1, 5)
_HOURS: Final = 365 * 24
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def write_flights(path: Path, count: int = ROWS, seed: int = 13) -> None:
    """Write the file. Of flights that were cancelled, one in forty, the fields about the flight are empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_rows(count, Random(seed)))


def _rows(count: int, random: Random) -> Iterator[tuple[object, ...]]:
    carriers = ["".join(random.choices(_LETTERS, k=2)) for _ in range(16)]
    planes = [f"N{random.randrange(100, 1_000)}{''.join(random.choices(_LETTERS, k=2))}" for _ in range(4_000)]
    places = [("".join(random.choices(_LETTERS, k=3)), random.randrange(80, 5_000)) for _ in range(105)]
    for number in range(count):
        moment = _START + datetime.timedelta(hours=number * _HOURS // count)
        minute = random.randrange(60)
        place, distance = random.choice(places)
        planned = datetime.timedelta(minutes=30 + distance // 8)
        leaving = moment + datetime.timedelta(minutes=minute)
        late = max(-20, round(random.gauss(0, 15) + random.expovariate(0.1)))
        gained = round(random.gauss(0, 12))
        flown: tuple[object, ...] = (_clock(leaving, late), late, _clock(leaving + planned, late - gained))
        delay, air_time = late - gained, planned.seconds // 60 - 10
        if random.randrange(40) == 0:
            flown, delay, air_time = ("", "", ""), "", ""  # type: ignore[assignment]
        tail = random.choice(planes) if random.randrange(130) else ""
        yield (
            moment.year, moment.month, moment.day, flown[0], _clock(leaving, 0), flown[1], flown[2],
            _clock(leaving + planned, 0), delay, random.choice(carriers), random.randrange(1, 8_500), tail,
            random.choice(("EWR", "JFK", "LGA")), place, air_time, distance, moment.hour, minute, moment,
        )  # fmt: skip


def _clock(moment: datetime.datetime, late: int) -> int:
    """Return a time of day as the file writes it, 517 for 5:17."""
    moment += datetime.timedelta(minutes=late)
    return moment.hour * 100 + moment.minute
