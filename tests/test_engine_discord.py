"""What Discord may do to a database: files whose addresses expire or break, and channels that it does not give."""

import pytest
from guilds import LoopbackServer, Server, SimcordServer, SimulatedServer
from loopback import Fault, rate_limited
from tables import create, insert, look_up, scan

from discosql.storage.engine import Engine, EngineOptions, open_engine
from discosql.storage.guild import Guild
from discosql.storage.posting import TOPIC

OPTIONS = EngineOptions(page_size=4_000, cache_size=0, checkpoint_entries=10**9, checkpoint_bytes=10**12)

BOTH = pytest.mark.parametrize("server", ["simcord", "loopback"], indirect=True)
LOOPBACK = pytest.mark.parametrize("server", ["loopback"], indirect=True)


async def opened(guild: Guild) -> Engine:
    return await open_engine(guild, options=OPTIONS)


async def filled(server: Server) -> Engine:
    engine = await opened(await server.open())
    await create(engine)
    await insert(engine, *[(f"name {number}", number % 50) for number in range(500)])
    return engine


async def check(engine: Engine) -> None:
    assert len(await scan(engine.begin())) == 500
    assert await look_up(engine.begin(), 2, ("name 77",)) == [(78, 78, "name 77", 27)]
    assert await look_up(engine.begin(), 2, ("nobody",)) == []


async def page_channels(engine: Engine) -> list[str]:
    return sorted(channel.name for channel in await engine.guild.channels() if channel.topic == TOPIC)


@BOTH
async def test_addresses_that_have_expired_are_asked_for_again(server: Server) -> None:
    engine = await filled(server)
    assert await engine.checkpoint(everything=True)
    await check(engine)
    server.clock.advance(20 * 86_400)
    await check(engine)
    await check(await opened(await server.open()))


@LOOPBACK
async def test_downloads_that_break_are_repeated(server: LoopbackServer) -> None:
    engine = await filled(server)
    assert await engine.checkpoint(everything=True)
    for fault in (
        Fault(drop=True, path="/cdn/"),
        Fault(cut=True, path="/cdn/"),
        Fault(503, path="/cdn/"),
        Fault(403, path="/cdn/"),
        Fault(404, path="/cdn/"),
    ):
        server.discord.faults.append(fault)
        await check(engine)
        assert not server.discord.faults


@BOTH
async def test_without_permission_to_make_channels_the_database_goes_on(server: SimulatedServer) -> None:
    engine = await filled(server)
    server.forbid("manage_channels")
    assert await engine.checkpoint(everything=True)
    assert await page_channels(engine) == []
    await check(engine)
    await insert(engine, ("one more", 1))
    # The permission came back, and so do pages.
    server.permit("manage_channels")
    again = await opened(await server.open())
    assert len(await scan(again.begin())) == 501
    assert await again.checkpoint(everything=True)
    assert await page_channels(again) == ["users", "users_age", "users_name"]
    assert len(await scan((await opened(await server.open())).begin())) == 501


@BOTH
@pytest.mark.parametrize("free", [0, 1, 2])
async def test_a_server_that_is_full_of_channels_leaves_fewer_for_pages(server: SimulatedServer, free: int) -> None:
    engine = await filled(server)
    for number in range(500 - free - len(server.backend.get_guild(server.id).channel_ids)):
        server.backend.create_channel(server.id, f"other-{number}")
    assert await engine.checkpoint(everything=True)
    assert len(await page_channels(engine)) == free
    await check(engine)
    await check(await opened(await server.open()))


@LOOPBACK
async def test_making_channels_may_be_rate_limited(server: LoopbackServer) -> None:
    engine = await filled(server)
    server.discord.faults.extend(rate_limited(0.01, method="POST", path="/guilds/") for _ in range(2))
    assert await engine.checkpoint(everything=True)
    assert not server.discord.faults
    assert await page_channels(engine) == ["users", "users_age", "users_name"]
    await check(engine)


@LOOPBACK
async def test_a_channel_made_twice_is_removed_in_time(server: LoopbackServer) -> None:
    engine = await filled(server)
    server.discord.faults.append(Fault(done=True, drop=True, method="POST", path="/guilds/"))
    assert await engine.checkpoint(everything=True)
    assert await page_channels(engine) == ["users", "users", "users_age", "users_name"]
    await check(engine)
    server.clock.advance(3 * 3600)
    again = await opened(await server.open())
    assert (await again.vacuum()).channels == 1
    assert await page_channels(again) == ["users", "users_age", "users_name"]
    await check(again)


@pytest.mark.parametrize("server", ["simcord"], indirect=True)
async def test_boosts_allow_larger_files(server: SimcordServer) -> None:
    assert (await server.open()).file_limit == 10 << 20
    known = server.env.bot.get_guild(server.id)
    assert known is not None
    known.premium_tier = 2
    # More than a whole request may have is of no use.
    assert (await server.open()).file_limit == 25 << 20
