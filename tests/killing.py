"""Killing a process that imports a file, at a moment when some of its rows are stored."""

import os
import signal
import subprocess
import time
from pathlib import Path

import discosql


def kill_when(command: list[str], folder: Path, goal: int) -> None:
    """Run an import into ``t.disco`` until a number of rows is stored, and kill it."""
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while _rows_stored(folder) < goal:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()


def _rows_stored(folder: Path) -> int:
    try:
        db = discosql.connect(folder / "t.disco", create=False)
    except discosql.OperationalError:
        return 0  # not made yet
    try:
        return int(db.execute("SELECT sum(rows) FROM discosql_imports").fetchone()[0] or 0)
    except discosql.ProgrammingError:
        return 0
    finally:
        db.close()
