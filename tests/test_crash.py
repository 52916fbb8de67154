"""A process killed at any moment leaves every acknowledged commit and no half of one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROUNDS = Path(__file__).parent / "crash_rounds.py"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_two_hundred_kills(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROUNDS), str(tmp_path / "shop.disco"), "200", "7"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20  # many times that on a machine with nothing else to do
