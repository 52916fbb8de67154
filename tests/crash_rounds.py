"""Kill a process that commits to a local guild's file, many times at random moments; a program, run by test_crash.

Each round forks a process that commits in a loop and tells after every commit; the round kills it and looks at the
file. Prints the number of commits that were acknowledged, or fails.
"""

import asyncio
import os
import random
import signal
import sys
import time

from tables import USERS, add, create, scan

from discosql.storage.engine import Engine, EngineOptions, open_local

SECOND = USERS.replace(id=10, name="copies", indexes=())
OPTIONS = EngineOptions(checkpoint_entries=16, page_size=4_096)


async def commit(engine: Engine, number: int) -> None:
    """Put a number into two tables, and into one row that is updated; now and then in an entry that needs a file."""
    transaction = engine.begin()
    padding = "x" * (3_000 if number % 7 == 0 else 10)
    rowid = add(transaction, f"{number} {padding}", number)
    add(transaction, padding, number, table=10)
    counter = transaction.lookup(1, None, [(1,)])
    assert isinstance(counter, list)
    transaction.update(1, counter[0], (1, 1, "counter", number))
    await engine.commit(transaction)
    assert rowid == number + 1


async def commit_for_ever(path: str, acknowledge: int) -> None:
    engine = await open_local(path, options=OPTIONS)
    number = engine.state.tables[10].rows
    while True:
        number += 1
        await commit(engine, number)
        os.write(acknowledge, b"%d\n" % number)


async def check(path: str, acknowledged: int, unheard: int) -> None:
    engine = await open_local(path, options=OPTIONS)
    view = engine.begin()
    numbers = [row[3] for row in await scan(view)]
    copies = [row[3] for row in await scan(view, 10)]
    # Every process killed since then may have stored one more without its acknowledgement.
    assert acknowledged <= len(copies) <= acknowledged + unheard, (len(copies), acknowledged)
    assert copies == list(range(1, len(copies) + 1))
    assert numbers == [len(copies), *copies]
    await engine.close()


def run_and_kill(path: str, seconds: float) -> int | None:
    """Return the last number that a process acknowledged before it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            asyncio.run(commit_for_ever(path, writing))
        finally:
            os._exit(1)
    os.close(writing)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the process ended by itself"
    with os.fdopen(reading, "rb") as acknowledgements:
        lines = acknowledgements.read().split(b"\n")[:-1]
    return int(lines[-1]) if lines else None


async def prepare(path: str) -> None:
    engine = await open_local(path, options=OPTIONS)
    await create(engine)
    await create(engine, SECOND)
    transaction = engine.begin()
    add(transaction, "counter", 0)
    await engine.commit(transaction)
    await engine.close()


def main(path: str, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    asyncio.run(prepare(path))
    acknowledged = unheard = 0
    for number in range(1, rounds + 1):
        last = run_and_kill(path, chance.uniform(0.0, 0.1))
        acknowledged, unheard = (acknowledged, unheard + 1) if last is None else (last, 1)
        if number % 10 == 0 or number == rounds:
            asyncio.run(check(path, acknowledged, unheard))
    print(acknowledged)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
