"""Background checkpoints at the end of a program."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import cast

from discosql.storage.tail import Tail
from discosql.storage.upkeep import Upkeep


class Long:
    """The tail of a log that asks for a checkpoint."""

    size = 0

    def __len__(self) -> int:
        return 100


async def checkpoint(executor: ThreadPoolExecutor | None) -> BaseException | None:
    """Start a checkpoint that needs a thread, and return what came of it."""

    async def write() -> bool:
        if executor is None:
            raise RuntimeError("something else")
        await asyncio.get_running_loop().run_in_executor(executor, print)
        return True

    upkeep = Upkeep(10, 10**6, write)
    upkeep.start(cast("Tail", Long()), is_owner=True)
    (task,) = [task for task in asyncio.all_tasks() if task.get_name() == "discosql checkpoint"]
    await asyncio.wait({task})
    return task.exception()


async def test_a_program_that_ends_needs_no_checkpoint() -> None:
    executor = ThreadPoolExecutor()
    executor.shutdown()
    assert await checkpoint(executor) is None


async def test_another_fault_is_one() -> None:
    assert isinstance(await checkpoint(None), RuntimeError)
