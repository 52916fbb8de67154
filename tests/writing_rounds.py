"""Processes that write to one database at once and are killed at random; a program, run by test_many_processes.

Each child counts up one row, inserts under unique names with foreign keys, and tells of every commit once it is
acknowledged. The parent kills children with SIGKILL and starts others; at the end it looks at what is there.
Prints the number of acknowledged commits, or fails.
"""

import asyncio
import os
import random
import select
import signal
import sys
import time
from dataclasses import dataclass

from discord.http import Route
from loopback import TOKEN

import discosql
from discosql.aio import Connection, connect

SCHEMA = """
BEGIN;
CREATE TABLE counter (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE part (id INTEGER PRIMARY KEY, item INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE);
CREATE TABLE seat (number INTEGER PRIMARY KEY, taken_by TEXT NOT NULL UNIQUE);
INSERT INTO counter VALUES (1, 0);
COMMIT;
"""
SEATS = 20


async def opened(address: str) -> Connection:
    """Open the database: a file, or Discord at the address of a server on this machine."""
    if address.startswith("http"):
        Route.BASE = f"{address}/api/v10"
        return await connect("discord://Test Server", token=TOKEN)
    return await connect(address)


async def opened_at_last(address: str) -> Connection:
    """Open the database, however often that fails."""
    while True:
        try:
            return await opened(address)
        except discosql.OperationalError:
            await asyncio.sleep(0.1)


async def write(db: Connection, name: str, chance: random.Random) -> None:
    """Make one transaction over four tables."""
    await db.execute("UPDATE counter SET n = n + 1 WHERE id = 1")
    item = (await db.execute("INSERT INTO item (name) VALUES (?)", (name,))).lastrowid
    await db.executemany("INSERT INTO part (item) VALUES (?)", [(item,)] * 2)
    seat = chance.randrange(SEATS)
    if not (await db.execute("DELETE FROM seat WHERE number = ?", (seat,))).rowcount:
        await db.execute("INSERT INTO seat VALUES (?, ?)", (seat, name))
    await db.commit()


async def write_for_ever(address: str, acknowledge: int, life: int) -> None:
    chance = random.Random(life)
    db: Connection | None = None
    number = 0
    while True:
        number += 1
        name = f"{life}.{number}"
        try:
            if db is None:
                db = await opened(address)
            await write(db, name, chance)
        except discosql.UnknownOutcomeError as error:
            assert db is not None
            if await outcome(db, error.transaction):
                os.write(acknowledge, f"{name}\n".encode())
        except discosql.OperationalError:
            # A conflict, or no answer: nothing was stored.
            if db is not None:
                await db.rollback()
        else:
            os.write(acknowledge, f"{name}\n".encode())


async def outcome(db: Connection, transaction: str) -> bool:
    while True:
        try:
            return bool(await db.outcome(transaction))
        except discosql.OperationalError:
            await asyncio.sleep(0.1)


@dataclass
class Child:
    """A process that writes, and the pipe on which it tells what was acknowledged."""

    pid: int
    pipe: int

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        assert os.WIFSIGNALED(status), "the process ended by itself"


def start(address: str, life: int) -> Child:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            asyncio.run(write_for_ever(address, writing, life))
        finally:
            os._exit(1)
    os.close(writing)
    return Child(pid, reading)


def heard(child: Child, *, to_the_end: bool) -> str:
    """Return what a child has told so far."""
    told = b""
    while to_the_end or select.select([child.pipe], [], [], 0)[0]:
        some = os.read(child.pipe, 65_536)
        if not some:
            break
        told += some
    return told.decode()


async def set_up(address: str) -> None:
    db = await opened_at_last(address)
    await db.executescript(SCHEMA)
    await db.close()


async def check(address: str, acknowledged: set[str]) -> None:
    db = await opened_at_last(address)

    async def rows(sql: str) -> list[tuple[object, ...]]:
        return await (await db.execute(sql)).fetchall()

    names = [str(name) for (name,) in await rows("SELECT name FROM item")]
    assert acknowledged <= set(names), f"lost: {sorted(acknowledged - set(names))[:10]}"
    assert len(set(names)) == len(names)
    assert await rows("SELECT n FROM counter") == [(len(names),)]
    assert await rows("SELECT count(*), count(DISTINCT item) FROM part") == [(2 * len(names), len(names))]
    assert await rows("SELECT * FROM part WHERE item NOT IN (SELECT id FROM item)") == []
    seats = await rows("SELECT number, taken_by FROM seat")
    assert len({number for number, _ in seats}) == len({name for _, name in seats}) == len(seats)
    await db.close()


def main(address: str, processes: int, seconds: float, pause: float, seed: int) -> None:
    chance = random.Random(seed)
    asyncio.run(set_up(address))
    acknowledged: list[str] = []
    end, life = time.monotonic() + seconds, processes
    children = [start(address, number) for number in range(processes)]
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.2, 1.8) * pause)
        victim = chance.randrange(processes)
        children[victim].kill()
        acknowledged += heard(children[victim], to_the_end=True).split()
        os.close(children[victim].pipe)
        children[victim] = start(address, life)
        life += 1
        for child in children:
            acknowledged += heard(child, to_the_end=False).split()
    for child in children:
        child.kill()
        acknowledged += heard(child, to_the_end=True).split()
    assert len(set(acknowledged)) == len(acknowledged)
    asyncio.run(check(address, set(acknowledged)))
    print(len(acknowledged))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
