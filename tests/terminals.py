"""The command in a pseudo-terminal, as if a person typed."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

COMMAND = [sys.executable, "-m", "discosql"]

_SEQUENCES = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|[=>78]|\][^\x07]*\x07)|\r")


class Terminal:
    """A pseudo-terminal with a process in it. `raw` is all that the process has written."""

    def __init__(
        self, folder: Path, *arguments: str, command: Sequence[str] = COMMAND, columns: int = 120, **environment: str
    ) -> None:
        self._ours, theirs = pty.openpty()
        self._size(columns)
        settings = {
            **os.environ,
            "TERM": "xterm-256color",
            "DISCOSQL_HISTORY": str(folder / "history"),
            "COLUMNS": "",
            "NO_COLOR": "",
            **environment,
        }
        self.process = subprocess.Popen(
            [*command, *arguments],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            # Ctrl-C reaches who has the terminal as its own.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={name: value for name, value in settings.items() if value or name == "HOME"},
        )
        os.close(theirs)
        self.raw = ""
        self._read = 0

    def _size(self, columns: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))

    def resize(self, columns: int) -> None:
        """Make the window narrower or wider."""
        self._size(columns)
        os.killpg(self.process.pid, signal.SIGWINCH)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._ours, text.encode())

    def expect(self, pattern: str, seconds: float = 30) -> str:
        """Read until a pattern shows, colours and cursor movements left out; return what came since the last call."""
        deadline = time.monotonic() + seconds
        while True:
            plain = _SEQUENCES.sub("", self.raw[self._read :])
            if re.search(pattern, plain) is not None:
                self._read = len(self.raw)
                return plain
            if not self._receive(deadline - time.monotonic()):
                self._give_up(f"{pattern!r} did not come, but {plain!r}")

    def expect_moves(self, pattern: str) -> list[str]:
        """Read until a pattern has shown with two different texts, as what moves does; return both."""
        found: list[str] = []
        deadline = time.monotonic() + 60
        while len(found) < 2:
            plain = _SEQUENCES.sub("", self.raw[self._read :])
            found = list(dict.fromkeys(match[0] for match in re.finditer(pattern, plain)))
            if len(found) < 2 and not self._receive(deadline - time.monotonic()):
                self._give_up(f"{pattern!r} did not move: {found} in {plain!r}")
        return found[:2]

    def _receive(self, seconds: float) -> bool:
        """Read what there is; tell whether there was anything before the time was over or the process ended."""
        ready, _, _ = select.select([self._ours], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self._ours, 65_536)
        except OSError:  # Linux tells so that the other end is closed
            return False
        # A terminal answers where its cursor is.
        if b"\x1b[6n" in data:
            os.write(self._ours, b"\x1b[1;1R")
        self.raw += data.decode("utf-8", "replace")
        return data != b""

    def _give_up(self, reason: str) -> NoReturn:
        self.process.kill()
        self.close()
        raise AssertionError(reason)

    def close(self) -> int:
        """Read to the end and return the process's exit status."""
        while self._receive(60):
            pass
        os.close(self._ours)
        return self.process.wait(60)
