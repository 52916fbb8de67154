"""A ready-made bot: a database with its slash commands, until somebody stops it."""

import asyncio
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final

from discosql.database import Database
from discosql.database_access import CommandAccess
from discosql.database_start import invite_url
from discosql.storage.engine import EncryptionKey

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


async def serve(
    server: str,
    database: str,
    token: str,
    *,
    key: EncryptionKey | None = None,
    read_roles: Collection[int | str] = (),
    write_roles: Collection[int | str] = (),
    timeout: float = 20.0,
    tell: Callable[[str], None] = print,
) -> None:
    """Run a bot with a database's slash commands until SIGINT or SIGTERM, or until the task is cancelled.

    `tell` is given lines for the person who started it. Raises OperationalError and its like if the bot cannot start.
    """
    db = Database(server, database=database, key=key, slash_commands=access_of(read_roles, write_roles, timeout))
    stopped = asyncio.Event()
    with _signals(stopped):
        running = db.login_task(token)
        stopping = asyncio.create_task(stopped.wait())
        ready = asyncio.create_task(db.wait_ready())
        try:
            await asyncio.wait({ready, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                ready.result()
                assert db.guild is not None
                tell(f"database {database} on {db.guild.name} (id {db.guild.id}) is ready: try /tablestats there")
                tell(f"invite the bot to other servers: {invite_url(db.bot)}")
                await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if db.open:
                await db.close()
            for task in (ready, stopping, running):
                task.cancel()
            await asyncio.wait({ready, stopping, running})
    tell("stopped")


def access_of(read_roles: Collection[int | str], write_roles: Collection[int | str], timeout: float) -> CommandAccess:
    """Return who may use the commands: administrators, and those with a role. Ids may be given as text."""
    read, write = (
        [int(role) if str(role).isdecimal() else role for role in roles] for roles in (read_roles, write_roles)
    )
    given = CommandAccess(timeout=timeout)
    return CommandAccess(read=[*read, *write] or given.read, write=write or given.write, timeout=timeout)


@contextmanager
def _signals(stopped: asyncio.Event) -> Iterator[None]:
    """Let signals ask for an orderly end, where the system's event loop can."""
    loop = asyncio.get_running_loop()
    handled = []
    for number in SIGNALS:
        try:
            loop.add_signal_handler(number, stopped.set)
        except (NotImplementedError, RuntimeError):  # Windows; a loop that is not in the main thread
            continue
        handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
