"""``discosql doctor`` against Discord on this machine, through discord.py's real HTTP client."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
from guilds import NAME, LoopbackServer, loopback_server
from loopback import TOKEN, Fault, rate_limited
from stepped_clock import START, SteppedClock

from discosql import aio
from discosql.bot.doctor import Doctor, Finding
from discosql.cli.main import main
from discosql.database_start import PERMISSIONS
from discosql.storage.discord_login import NEEDED


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopbackServer]:
    monkeypatch.delenv("DISCOSQL_TOKEN", raising=False)
    clock = SteppedClock()
    monkeypatch.setattr("discosql.storage.discord.Clock", lambda: clock)
    async with loopback_server(clock) as opened:
        opened.discord.headers = {
            "X-RateLimit-Limit": "5",
            "X-RateLimit-Remaining": "4",
            "X-RateLimit-Reset-After": "1.0",
        }
        yield opened


async def examine(server: LoopbackServer, name: str | None = NAME, token: str = TOKEN) -> dict[str, Finding]:
    doctor = Doctor(name, now=server.clock.now)
    return {finding.check: finding async for finding in doctor.examine(token)}


async def make_database(server: LoopbackServer) -> None:
    async with aio.connect(f"discord://{server.id}", token=TOKEN) as db:
        await db.execute("CREATE TABLE item (name TEXT)")
        await db.execute("INSERT INTO item VALUES ('tea'), ('jam')")


async def test_all_is_well(server: LoopbackServer) -> None:
    found = await examine(server)
    assert all(finding.ok for finding in found.values()), found
    assert "no database discosql yet" in found["database"].text
    await make_database(server)
    found = await examine(server)
    assert list(found) == [
        "token", "clock", "gateway", "server", "permissions", "commands", "files", "channels", "privacy", "rate limits",
        "database",
    ]  # fmt: skip
    assert all(finding.ok and not finding.advice for finding in found.values()), found
    assert "1 table with 2 rows" in found["database"].text
    assert "not privileged; 990 of 1,000 sessions" in found["gateway"].text
    assert "4 of 5 reads" in found["rate limits"].text
    assert "of 500 channels, the database 1 of 50" in found["channels"].text


async def test_it_changes_nothing(server: LoopbackServer) -> None:
    await make_database(server)
    server.discord.requests.clear()
    await examine(server)
    assert {request.method for request in server.discord.requests} == {"GET"}
    assert len(server.discord.requests) <= 20


async def test_tokens(server: LoopbackServer) -> None:
    found = await examine(server, token="wrong.token")
    assert list(found) == ["token"]
    assert not found["token"].ok
    assert "Reset Token" in found["token"].advice


async def test_servers(server: LoopbackServer) -> None:
    found = await examine(server, "Elsewhere")
    assert list(found) == ["token", "clock", "gateway", "server"]
    assert NAME in found["server"].text
    assert f"permissions={PERMISSIONS.value}" in found["server"].advice
    assert "make the server" in found["server"].advice
    assert (await examine(server, str(server.id)))["server"].ok
    found = await examine(server, None)
    assert found["server"].ok
    assert NAME in found["server"].text
    server.backend.create_guild(NAME)
    found = await examine(server)
    assert "2 servers" in found["server"].text
    assert str(server.id) in found["server"].advice


async def test_permissions(server: LoopbackServer) -> None:
    server.forbid("manage_channels", "attach_files")
    found = await examine(server)
    assert found["permissions"].text == "the bot lacks Attach Files, Manage Channels"
    assert f"permissions={PERMISSIONS.value}" in found["permissions"].advice
    assert "database" not in found


def test_the_invitation_asks_for_exactly_what_storage_needs() -> None:
    assert PERMISSIONS == NEEDED
    assert not PERMISSIONS.administrator
    url = discord.utils.oauth_url(1, permissions=PERMISSIONS)
    assert "scope=bot+applications.commands" in url


async def test_clocks(server: LoopbackServer) -> None:
    for skew, said in ((120, "120 s ahead of"), (-60, "60 s behind")):
        doctor = Doctor(None, now=lambda skew=skew: server.clock.now() + skew)  # type: ignore[misc]
        found = {finding.check: finding async for finding in doctor.examine(TOKEN)}
        assert said in found["clock"].text
        assert "NTP" in found["clock"].advice
    server.discord.send_date = False
    assert (await examine(server))["clock"].ok


async def test_channels(server: LoopbackServer) -> None:
    for number in range(492):
        server.backend.create_channel(server.id, f"talk-{number}")
    found = await examine(server)
    assert not found["channels"].ok
    assert "of 500 channels" in found["channels"].text


async def test_a_full_category(server: LoopbackServer) -> None:
    await make_database(server)
    log = next(channel for channel in server.backend.channels.values() if channel.name == "_dbmetadata")
    for number in range(45):
        server.backend.create_channel(server.id, f"talk-{number}", parent_id=log.parent_id)
    found = await examine(server)
    assert "46 of 50" in found["channels"].text
    assert "another database" in found["channels"].advice


async def test_privacy(server: LoopbackServer) -> None:
    await make_database(server)
    for channel in server.backend.channels.values():
        channel.overwrites = [overwrite for overwrite in channel.overwrites if overwrite.target_id != server.id]
    found = await examine(server)
    assert not found["privacy"].ok
    assert "deny View Channel to @everyone" in found["privacy"].advice


async def test_rate_limits(server: LoopbackServer) -> None:
    await make_database(server)
    server.discord.headers["X-RateLimit-Remaining"] = "0"
    server.discord.headers["X-RateLimit-Reset-After"] = "0.01"
    found = await examine(server)
    assert "a bot of its own" in found["rate limits"].advice
    server.discord.headers = {}
    assert "named none" in (await examine(server))["rate limits"].text
    server.discord.faults.append(rate_limited(0.01, path="/users/@me/guilds"))
    found = await examine(server)
    assert "refused 1 times" in found["rate limits"].text


async def test_gateway_sessions(server: LoopbackServer) -> None:
    server.discord.session_start_limit["remaining"] = 3
    found = await examine(server)
    assert not found["gateway"].ok
    assert "2.0 hours" in found["gateway"].advice


async def test_a_damaged_database(server: LoopbackServer) -> None:
    await make_database(server)
    log = next(channel for channel in server.backend.channels.values() if channel.name == "_dbmetadata")
    entries = server.backend.messages[log.id]
    del entries[sorted(entries)[1]]
    found = await examine(server)
    assert found["database"].text == "it does not open"
    assert found["database"].advice


async def test_discord_does_not_answer(server: LoopbackServer) -> None:
    for check, path in (
        ("server", "/users/@me/guilds"),
        ("channels", "/guilds/.*/channels"),
        ("files", r"/guilds/\d+"),
    ):
        fault = Fault(503, path=f"{path}$", method="GET")
        server.discord.faults.append(fault)
        found = await examine(server)
        assert "did not answer" in found[check].text, check
        assert "discordstatus.com" in found[check].advice
    server.discord.faults.append(Fault(403, '{"code": 50001, "message": "Missing Access"}', path="/commands$"))
    found = await examine(server)
    assert "Missing Access" in found["commands"].text
    assert "applications.commands" in found["commands"].advice


async def test_the_command(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.clock.advance(time.time() - START)
    monkeypatch.setenv("DISCOSQL_TOKEN", TOKEN)
    assert await asyncio.to_thread(main, ["doctor", NAME]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ok", "token", "Discord", "knows", "the", "bot", *lines[0].split()[6:]]
    assert lines[-1] == "all is well"
    assert await asyncio.to_thread(main, ["doctor", "--json", f"discord://{server.id}"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is True
    assert report["checks"][0]["check"] == "token"
    server.forbid("manage_channels")
    assert await asyncio.to_thread(main, ["doctor", NAME]) == 1
    out = capsys.readouterr().out
    assert "PROBLEM  permissions  the bot lacks Manage Channels\n" in out
    assert "-> give them" in out
    assert out.endswith("1 problem\n")


def test_without_a_token(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("DISCOSQL_TOKEN", raising=False)
    assert main(["doctor", "My Server"]) == 1
    out = capsys.readouterr().out
    assert "DISCOSQL_TOKEN" in out
    assert "https://discord.com/developers/applications" in out
    assert main(["bot", "My Server"]) == 1
    assert "DISCOSQL_TOKEN" in capsys.readouterr().err


def test_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "shop.disco"
    assert main(["doctor", str(path)]) == 1
    assert "does not open" in capsys.readouterr().out
    assert not path.exists()
    assert main([str(path), "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)"]) == 0
    assert main(["doctor", str(path)]) == 0
    assert "1 table with 1 row\n" in capsys.readouterr().out
