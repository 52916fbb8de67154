"""Real processes that write to one database at once and are killed: nothing acknowledged is lost, counts are exact."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


def run_rounds(address: str, processes: int, seconds: float, pause: float) -> int:
    """Return the number of commits that were acknowledged; `pause` is the mean of seconds between kills."""
    arguments = [address, str(processes), str(seconds), str(pause), "7"]
    done = subprocess.run(
        [sys.executable, str(TESTS / "writing_rounds.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=seconds + 300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@contextmanager
def faulty_discord() -> Iterator[str]:
    """Run a Discord with faults; gives its address."""
    program = [sys.executable, str(TESTS / "faulty_discord.py")]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


@pytest.mark.parametrize("seconds", [5.0, pytest.param(60.0, marks=pytest.mark.campaign)])
def test_four_processes_on_one_file(tmp_path: Path, seconds: float) -> None:
    assert run_rounds(str(tmp_path / "shop.disco"), 4, seconds, 0.4) > seconds


@pytest.mark.parametrize(
    ("processes", "seconds", "pause"), [(2, 20.0, 16.0), pytest.param(4, 60.0, 4.0, marks=pytest.mark.campaign)]
)
def test_processes_on_a_discord_with_faults(processes: int, seconds: float, pause: float) -> None:
    # Starting, opening and a first commit beside another process take five seconds and more.
    with faulty_discord() as address:
        assert run_rounds(address, processes, seconds, pause) > 0
