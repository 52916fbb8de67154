"""A PostgreSQL server of its own for tests, in a temporary folder; skipped by name where there is none."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = "sec:ret/1"


def _binaries() -> Path | None:
    found = shutil.which("pg_ctl")
    if found is not None:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return folders[-1].parent if folders else None


def _user() -> str | None:
    """Return whom the server must run as: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server, and yield the URL of its database, which has a password; skip where none is installed."""
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    binaries = _binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed")
    user = _user()
    with tempfile.TemporaryDirectory(prefix="postgres", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        if user is not None:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        with _running(binaries, folder, user) as port:
            yield f"postgresql+psycopg://tester:sec%3Aret%2F1@127.0.0.1:{port}/postgres"


@contextmanager
def _running(binaries: Path, folder: Path, user: str | None) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(program: str, *options: str) -> None:
        # A file, not a pipe: the server would keep that open.
        with (folder / "log").open("a") as log:
            command = [str(binaries / program), "-D", str(folder / "data"), *options]
            subprocess.run(command, user=user, cwd="/", stdout=log, stderr=log, check=True)

    run("initdb", "-U", "tester", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "-E", "UTF8", "-N")
    run(
        "pg_ctl",
        "-o",
        f"-p {port} -k '' -c listen_addresses=127.0.0.1 -c fsync=off",
        "-l",
        str(folder / "server"),
        "start",
    )
    try:
        yield port
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
