"""Running the command as a user does, in a process of its own."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.markdown import ROOT


@dataclass(frozen=True)
class Spent:
    """What an import took.

    `rate` are the rows a second that the command printed, `seconds` those by the clock from the start of its process to
    its end, `processor` those of all of its threads, `memory` the most it had in MiB (or what the process that started
    it had, if that is more).
    """

    rows: int
    rate: float
    seconds: float
    processor: float
    memory: float


def spend(database: Path, path: Path, options: Sequence[str] = ()) -> Spent:
    """Import a file. Raises RuntimeError with what the command said if it failed."""
    command = [sys.executable, "-m", "discosql", "import", str(database), str(path), *options]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process.stderr as stream:
        said = stream.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    found = re.search(r"^(\d+) rows imported .*?(?:\(([\d,]+) rows/s\))?$", said, re.MULTILINE)
    if process.returncode or found is None:
        raise RuntimeError(said)
    rows = int(found[1])
    rate = float(found[2].replace(",", "")) if found[2] else rows / seconds
    return Spent(rows, rate, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
