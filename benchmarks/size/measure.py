"""Running the steps, each in a fresh process on a copy of the same file."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.markdown import ROOT
from benchmarks.size.steps import STEPS


@dataclass(frozen=True)
class Spent:
    """What a step took.

    `processor` are the seconds of all threads of the process, from its start to its end; others on the machine do not
    count. `checkpoint` is the part of it that closing took, `memory` the most it had in MiB.
    """

    rows: int
    processor: float
    checkpoint: float
    rest: int
    posts: int
    downloads: int
    bytes: int
    memory: float


def spend(step: str, path: Path, count: int) -> Spent:
    """Run a step in a process of its own on a table of so many rows."""
    command = [sys.executable, "-m", "benchmarks.size.steps", step, str(path), str(count)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return Spent(**json.loads(done.stdout))


def measure(count: int, folder: Path) -> dict[str, Spent]:
    """Return what each step takes with so many rows."""
    full = folder / f"{count}.disco"
    found = {"load": spend("load", full, count)}
    for step in STEPS:
        if step != "load":
            copy = folder / "copy.disco"
            shutil.copy(full, copy)
            found[step] = spend(step, copy, count)
            copy.unlink()
    full.unlink()
    return found
