"""Many writers on a service that lags and loses: every acknowledged commit is there once, and all agree."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from simulated_guild import Server, SimulatedGuild, Weather, run
from tables import USERS, create, look_up, scan

from discosql.errors import DatabaseCorruptionError, OperationalError, SerializationError, UnknownOutcomeError
from discosql.storage.chain import Chain
from discosql.storage.engine import Engine, EngineOptions, open_engine
from discosql.storage.log import Log
from discosql.storage.reads import Written

SECONDS = 60.0

WEATHERS = {
    "fair": Weather(),
    "no nonces": Weather(nonce=0.0),
    "some nonces": Weather(nonce=0.5, doubled=0.2),
    "losses": Weather(lost=0.05, unanswered=0.05),
    "storm": Weather(lost=0.05, unanswered=0.08, late=0.08, doubled=0.1, nonce=0.5),
}


class Run:
    """One simulated minute: writers count up one row and add one row for each step."""

    def __init__(self, seed: int, weather: Weather, writers: int) -> None:
        self.random = Random(seed)
        self.server = Server(self.random, weather)
        self.writers = writers
        self.acknowledged: list[str] = []
        self.unknown: list[str] = []
        self.options = EngineOptions(
            randbytes=self.random.randbytes, checkpoint_entries=8, page_size=2_000, cache_size=10**6
        )

    async def open(self) -> Engine:
        guild = SimulatedGuild(self.server)
        await guild.log_in()
        while True:
            try:
                return await open_engine(guild, options=self.options)
            except OperationalError:
                await asyncio.sleep(1)

    async def main(self) -> None:
        engine = await self.open()
        await create(engine, USERS.replace(indexes=USERS.indexes[:1]))
        transaction = engine.begin()
        transaction.insert(1, (1, 1, "counter", 0))
        await engine.commit(transaction)
        engines = [engine, *[await self.open() for _ in range(self.writers - 1)]]
        for engine in engines:
            await self.latest(engine)
        await asyncio.gather(*[self.write(engine, number) for number, engine in enumerate(engines)])
        self.server.weather = Weather()
        await asyncio.sleep(10)
        for engine in engines:
            await self.resolve(engine)
        await self.check([*engines, await self.open()])

    async def write(self, engine: Engine, writer: int) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + SECONDS
        step = 0
        while loop.time() < end:
            await asyncio.sleep(self.random.expovariate(1.0 if self.random.random() < 0.8 else 0.1))
            step += 1
            name = f"{writer}.{step}"
            while not await self.count_up(engine, name):
                await asyncio.sleep(self.random.uniform(0, 0.5))

    async def count_up(self, engine: Engine, name: str) -> bool:
        transaction = engine.begin()
        try:
            (counter,) = await look_up(transaction, None, (1,))
            transaction.update(1, counter, (*counter[:3], counter[3] + 1))
            rowid = transaction.next_rowid(1)
            transaction.insert(1, (rowid, rowid, name, None))
            await engine.commit(transaction)
        except SerializationError:
            await self.quietly(engine)
            return False
        except UnknownOutcomeError as error:
            self.unknown.append(name)
            assert error.transaction
            return True
        except OperationalError:
            return False
        finally:
            engine.rollback(transaction)
        self.acknowledged.append(name)
        return True

    async def latest(self, engine: Engine) -> None:
        while True:
            try:
                return await engine.refresh(latest=True)
            except OperationalError:
                await asyncio.sleep(1)

    async def quietly(self, engine: Engine) -> None:
        try:
            await engine.refresh()
        except OperationalError:
            pass

    async def resolve(self, engine: Engine) -> None:
        await engine.outcome("")
        while (await self.head_of(engine)) != (await self.head_of(engine)):
            await asyncio.sleep(3)

    async def head_of(self, engine: Engine) -> int:
        await asyncio.sleep(3)
        await engine.refresh()
        return engine.head

    async def check(self, engines: list[Engine]) -> None:
        states = []
        for engine in engines:
            await engine.refresh()
            states.append(await scan(engine.begin()))
        assert all(state == states[0] for state in states)
        names = [row[2] for row in states[0][1:]]
        assert len(set(names)) == len(names) == states[0][0][3]
        assert set(self.acknowledged) <= set(names) <= {*self.acknowledged, *self.unknown}


async def run_here(function: Callable[..., Any], *arguments: Any) -> Any:
    """Stand in for `asyncio.to_thread`: threads know nothing of virtual time."""
    return function(*arguments)


@pytest.mark.parametrize("weather", WEATHERS)
@pytest.mark.parametrize("writers", [1, 2, 3])
@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(1_000, 1_700), marks=pytest.mark.campaign)])
def test_simulated_minutes(seeds: range, writers: int, weather: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "to_thread", run_here)
    for seed in seeds:
        run(Run(seed, WEATHERS[weather], writers).main())


def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chain, "_certain_at", lambda self, candidates: 0.0)


def no_conflicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Written, "conflicts", lambda *arguments: False)


def a_new_entry_instead_of_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forget(log: Log) -> None:
        log.pending = None

    monkeypatch.setattr(Log, "resolve", forget)


@pytest.mark.parametrize("mutation", [no_waiting, no_conflicts, a_new_entry_instead_of_the_same_again])
def test_without_a_rule_commits_are_lost(
    mutation: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulation finds it when a rule is missing."""
    monkeypatch.setattr(asyncio, "to_thread", run_here)
    mutation(monkeypatch)
    weather = Weather(nonce=0.0, unanswered=0.25 if mutation is a_new_entry_instead_of_the_same_again else 0.0)
    with pytest.raises((AssertionError, OperationalError, DatabaseCorruptionError)):
        for seed in range(300):
            run(Run(seed, weather, 3).main())
