"""One simulated minute of some mode, judged at its end."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from random import Random
from types import SimpleNamespace
from typing import Any, Final

import pytest
from tables import scan

from discosql import drive
from discosql.errors import DatabaseCorruptionError, OperationalError
from discosql.storage import checkpoint, collect, log_reader, opening
from discosql.storage.engine import EngineOptions, open_engine
from simulation.clients import TABLES, Program, set_up
from simulation.history import History
from simulation.ledger import Judge, Ledger, Violation
from simulation.loop import run
from simulation.modes import MODES, Mode
from simulation.process import Process, SimulatedGuild
from simulation.server import FAIR, Server, age
from simulation.sql_client import SqlProgram

QUICK_SEGMENT: Final = 4.0
QUICK_GRACE: Final = 9.0
QUICK_TRIM: Final = 6.0


@contextmanager
def quick_times() -> Iterator[None]:
    """Make seconds of the protocol's hours: T_seg, G and H, with the same room between them."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (opening, checkpoint, collect):
            patch.setattr(module, "SEGMENT", QUICK_SEGMENT)
        patch.setattr(collect, "GRACE", QUICK_GRACE)
        patch.setattr(log_reader, "TRIM_LIMIT", QUICK_TRIM)
        yield


class Run:
    """A minute of so many clients in a mode."""

    def __init__(self, mode: Mode, clients: int, seed: int) -> None:
        self.mode = mode
        self.clients = clients
        self.random = Random(seed)
        self.history = History()
        self.server = Server(self.random)
        self.processes: list[Process] = []
        self.lives: dict[int, Program] = {}
        self.end = 0.0
        self.options = EngineOptions(
            randbytes=self.random.randbytes, checkpoint_entries=8, page_size=2_000, cache_size=4_000
        )

    @property
    def acknowledged(self) -> int:
        """The number of transactions that were acknowledged."""
        return sum(attempt.outcome == "acknowledged" for attempt in self.history.attempts.values())

    async def main(self) -> None:
        first = await self.open("setup")
        await set_up(first.engine)
        loop = asyncio.get_running_loop()
        self.end = loop.time() + self.mode.seconds
        self.server.weather = self.mode.weather
        nature = [loop.create_task(each) for each in self._nature()]
        try:
            await asyncio.gather(*[self.live_and_live_again(number) for number in range(self.clients)])
        finally:
            for task in nature:
                task.cancel()
        for task in nature:
            if task.done():
                task.result()
        await self.judge()
        # What is cancelled from here on, in any order, is no part of it.
        self.history.closed = True

    async def open(self, name: str) -> Program:
        process = Process(self.server, name, self.history)
        self.processes.append(process)
        guild = SimulatedGuild(process, live=self.mode.live)
        while True:
            try:
                await guild.log_in()
                engine = await open_engine(guild, options=self.options)
            except DatabaseCorruptionError:
                raise
            except OperationalError as error:
                self.history.note(name, "could not open:", error)
                await process.sleep(1)
            else:
                self.history.note(name, "opened at", engine.head)
                kind = SqlProgram if self.mode.sql else Program
                return kind(process, engine, self.history, self.random)

    # Lives --------------------------------------------------------------------------------------------------------

    async def live_and_live_again(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        life = 0
        while loop.time() < self.end:
            life += 1
            task = loop.create_task(self.live(number, f"{'ABC'[number]}{life}"))
            died = loop.create_task(self._death_of(number))
            await asyncio.wait({task, died}, return_when=asyncio.FIRST_COMPLETED)
            died.cancel()
            if task.done():
                task.result()
                return
            self.lives.pop(number)
            await asyncio.sleep(self.random.uniform(0, 5))

    async def _death_of(self, number: int) -> None:
        while number not in self.lives:
            await asyncio.sleep(0.5)
        await self.lives[number].process.died.wait()

    async def live(self, number: int, name: str) -> None:
        try:
            program = self.lives[number] = await self.open(name)
            await asyncio.gather(*[self.work(program) for _ in range(self.mode.coroutines)])
        except DatabaseCorruptionError as damage:
            if not self.mode.damages:
                raise
            self.lives.pop(number, None)
            self.history.note(name, "stops:", damage)

    async def work(self, program: Program) -> None:
        loop, random, mode = asyncio.get_running_loop(), self.random, self.mode
        while loop.time() < self.end:
            await program.process.sleep(random.expovariate(1 / mode.pace))
            if random.random() < 0.8:
                await program.commit_something(large=mode.large)
            else:
                await program.look(latest=random.random() < 0.3)

    # What befalls them --------------------------------------------------------------------------------------------

    def _nature(self) -> Iterator[Coroutine[Any, Any, None]]:
        mode = self.mode
        for mean, happen in (
            (mode.freezes, self._freeze),
            (mode.cuts, self._cut_off),
            (mode.outages, self._outage),
            (mode.crashes, self._crash),
            (mode.damages, self._damage),
        ):
            if mean:
                yield self._now_and_then(mean, happen)
        if mode.vacuums:
            yield self._vacuum(mode.vacuums)

    async def _now_and_then(self, mean: float, happen: Any) -> None:
        while True:
            await asyncio.sleep(self.random.expovariate(1 / mean))
            if self.lives:
                happen(self.lives[self.random.choice(sorted(self.lives))].process)

    def _freeze(self, process: Process) -> None:
        process.freeze(self.random.choice([2.0, 5.0, 12.0, 30.0]) * self.random.uniform(0.5, 1.5))

    def _cut_off(self, process: Process) -> None:
        process.cut_off(self.random.uniform(0, 12))

    def _outage(self, process: Process) -> None:
        self.history.note("the service", "has an outage")
        self.server.outage_until = asyncio.get_running_loop().time() + self.random.uniform(0, 10)

    def _crash(self, process: Process) -> None:
        process.dies_at_request = process.requests + self.random.randrange(1, 6)

    def _damage(self, process: Process) -> None:
        shelf = self.server.shelf(self.server.log.id)
        settled = [stored.message for stored in shelf.stored.values() if age(self.server, stored.message) > 5]
        if settled:
            message = self.random.choice(settled[-10:])
            if self.random.random() < 0.5:
                self.server.delete(message.channel, message.id)
            else:
                self.server.edit(message.channel, message.id, message.content.replace("1", "2"))
            self.history.note("an administrator", "deletes or edits", message)

    async def _vacuum(self, mean: float) -> None:
        while True:
            await asyncio.sleep(self.random.expovariate(1 / mean))
            alive = [program for _, program in sorted(self.lives.items()) if not program.process.dead]
            if alive:
                task = asyncio.ensure_future(self.random.choice(alive).vacuum())
                await asyncio.wait({task}, timeout=60)
                if task.done():
                    self._allow_damage(task.exception())

    def _allow_damage(self, error: BaseException | None) -> None:
        if error is not None and not (self.mode.damages and isinstance(error, DatabaseCorruptionError)):
            raise error

    # The end ------------------------------------------------------------------------------------------------------

    async def judge(self) -> None:
        """Let the weather clear up, and compare what everybody knows with the truth."""
        self.server.weather = FAIR
        self.server.outage_until = 0.0
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(10 + max(process.frozen_until - now for process in self.processes if not process.dead))
        programs = [program for _, program in sorted(self.lives.items()) if not program.process.dead]
        for program in programs:
            program.process.cut_until = 0.0
            program.process.dies_at_request = 0
            await self._ask_for_outcomes(program)
        await asyncio.sleep(5)
        for number in range(len(programs) + 1):
            await self._see_all(programs[number] if number < len(programs) else None)
        Judge(self._ledger(), self.history).judge()
        if not self.mode.damages:
            await self._meet(programs)

    def _ledger(self) -> Ledger:
        segment = QUICK_SEGMENT if self.mode.quick else opening.SEGMENT
        return Ledger(self.server, segment=segment, damaged=self.mode.damages > 0)

    async def _meet(self, programs: Sequence[Program]) -> None:
        """See that all come to the end of the log; a checkpoint in the background may have come after the last look."""
        for _ in range(5):
            for program in programs:
                await program.engine.refresh(latest=True)
            end, heads = self._ledger().head, {program.engine.head for program in programs}
            if heads <= {end}:
                return
            await asyncio.sleep(5)
        raise Violation(f"the log has {end} slots, but clients are at {heads}")

    async def _ask_for_outcomes(self, program: Program) -> None:
        for attempt in self.history.attempts.values():
            if attempt.process == program.process.name and attempt.outcome == "unknown" and attempt.transaction:
                try:
                    attempt.told = await program.engine.outcome(attempt.transaction)
                except DatabaseCorruptionError:
                    if not self.mode.damages:
                        raise

    async def _see_all(self, program: Program | None) -> None:
        """Let a process, a new one if it is None, see all tables as they are at last."""
        try:
            if program is None:
                program = await self.open("fresh")
            asked = asyncio.get_running_loop().time()
            await program.engine.refresh(latest=True)
            view = program.engine.begin()
            for name, table in TABLES.items():
                program.see(view.snapshot.slot, name, await scan(view, table.id), asked)
        except DatabaseCorruptionError:
            if not self.mode.damages:
                raise


def simulate(mode: str, clients: int, seed: int) -> Run:
    """Run a minute. Raises Violation with the whole history if anything went wrong."""
    this = Run(MODES[mode], clients, seed)
    try:
        with pytest.MonkeyPatch.context() as patch:
            # Computing takes no virtual time.
            patch.setattr(drive, "time", SimpleNamespace(monotonic=lambda: 0.0))
            with quick_times() if MODES[mode].quick else nullcontext():
                run(this.main())
    except Exception as error:
        text = this.history.text([message for _, message in _truth(this)])
        raise Violation(f"{mode}, {clients} clients, seed {seed}: {error!r}\n{text}") from error
    return this


def _truth(this: Run) -> Any:
    try:
        return Ledger(this.server).winners
    except (ValueError, KeyError):
        return []
