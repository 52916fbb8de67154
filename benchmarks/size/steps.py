"""One step of the measurements, in a process of its own: ``python -m benchmarks.size.steps STEP FILE ROWS``.

Prints what it took as JSON. Importing the package counts: it is part of what a fresh process does.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any, Final

import discosql

CHANGED: Final = 1_000
"""Rows that the update changes, all over the table."""

SCHEMA: Final = (
    "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, grp INTEGER, price REAL, note TEXT)"
)


def rows_of(count: int) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the table."""
    for number in range(count):
        yield number, f"name {number}", number * 7919 % count, number / 4, f"this is note {number % 1000}"


def load(db: discosql.Connection, count: int) -> int:
    """Make the table with its indexes and fill it."""
    db.execute(SCHEMA)
    db.execute("CREATE INDEX item_grp ON item (grp)")
    db.commit()
    return db.executemany("INSERT INTO item VALUES (?, ?, ?, ?, ?)", rows_of(count)).rowcount


def update(db: discosql.Connection, count: int) -> int:
    """Change rows all over the table."""
    numbers = range(0, count, max(1, count // CHANGED))
    sql = "UPDATE item SET price = -1, name = name || '!' WHERE id = ?"
    return db.executemany(sql, [(number,) for number in numbers]).rowcount


def index(db: discosql.Connection, count: int) -> int:
    """Make an index over a table that is full, and have its pages written."""
    db.execute("CREATE INDEX item_note ON item (note, price)")
    db.commit()
    db.execute("VACUUM")
    return count


def query(sql: str, parameter: Callable[[int], object]) -> Callable[[discosql.Connection, int], int]:
    """Return a step that runs a query and returns the number of its rows."""
    return lambda db, count: len(db.execute(sql, (parameter(count),)).fetchall())


STEPS: Final[dict[str, Callable[[discosql.Connection, int], int]]] = {
    "load": load,
    "open": lambda db, count: 0,
    "key": query("SELECT * FROM item WHERE id = ?", lambda count: count // 2 + 1),
    "unique": query("SELECT * FROM item WHERE name = ?", lambda count: f"name {count // 2 + 1}"),
    "secondary": query("SELECT * FROM item WHERE grp = ?", lambda count: count // 3),
    "miss": query("SELECT * FROM item WHERE name = ?", lambda count: "nobody"),
    "scan": query("SELECT note, count(*), sum(price) FROM item WHERE id >= ? GROUP BY note", lambda count: 0),
    "index": index,
    "update": update,
}


def memory() -> float:
    """Return the most memory that this process has had, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if found:
            return int(found[1]) / 1024
    return getrusage(RUSAGE_SELF).ru_maxrss / 1024


def run(step: str, path: Path, count: int) -> dict[str, Any]:
    """Run a step and return what it took: closing is part of it, and makes a checkpoint where one is worth it."""
    db = discosql.connect(path)
    rows = STEPS[step](db, count)
    db.commit()
    done = time.process_time()
    guild = db.requests
    db.close()
    return {
        "rows": rows,
        "processor": time.process_time(),
        "checkpoint": time.process_time() - done,
        "rest": guild.rest,
        "posts": guild.count["post"],
        "downloads": guild.downloads,
        "bytes": guild.bytes_sent + guild.bytes_received,
        "memory": memory(),
    }


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
