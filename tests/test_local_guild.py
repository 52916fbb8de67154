"""LocalGuild by itself: its file, several processes on one file, what goes wrong there, smaller habits."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from stepped_clock import SteppedClock

from discosql.errors import (
    DatabaseCorruptionError,
    DatabaseError,
    InterfaceError,
    NotFoundError,
    OperationalError,
    UnavailableError,
)
from discosql.storage import local
from discosql.storage.guild import Attachment, File, Message, id_time
from discosql.storage.local import LocalGuild
from discosql.storage.local_file import APPLICATION_ID, FORMAT
from discosql.storage.local_store import Habits

MIB = 1 << 20


async def new_channel(guild: LocalGuild) -> int:
    category = await guild.create_category("data")
    return (await guild.create_channel("log", category.id)).id


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop.disco"


async def test_any_name_of_a_file_will_do(tmp_path: Path) -> None:
    for name in ("a b#c?d%20e.disco", "ü&mode=ro.db", "no_ending"):
        guild = LocalGuild.open(tmp_path / name)
        assert (tmp_path / name).is_file()
        assert guild.name == Path(name).stem
        await guild.close()


# The file


async def test_a_file_keeps_everything(path: Path) -> None:
    guild = LocalGuild.open(path)
    channel = await new_channel(guild)
    posted = await guild.post(channel, "x", [File("a.txt", b"data")], nonce="n")
    account = guild.account
    await guild.close()

    again = LocalGuild.open(path, create=False)
    (found,) = await again.messages(channel)
    assert (found.id, found.content, found.author) == (posted.id, "x", account)
    assert await again.download(found.attachments[0]) == b"data"
    assert (await again.post(channel, "y", nonce="n")).id == posted.id
    assert (await again.post(channel, "y")).id > posted.id
    assert (again.name, again.account) == ("shop", account)
    await again.close()
    assert [file.name for file in path.parent.iterdir()] == ["shop.disco"]


async def test_ids_rise_though_the_clock_is_set_back(path: Path) -> None:
    clock = SteppedClock()
    guild = LocalGuild.open(path, clock=clock)
    channel = await new_channel(guild)
    before = await guild.post(channel, "x")
    await guild.close()
    clock.advance(-3_600.0)
    again = LocalGuild.open(path, clock=clock)
    after = await again.post(channel, "y")
    assert after.id > before.id
    assert id_time(after.id) == pytest.approx(id_time(before.id), abs=0.01)
    await again.close()


def test_a_commit_is_on_the_disk_before_it_is_acknowledged(path: Path) -> None:
    guild = LocalGuild.open(path)
    connection = guild._store._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    connection.close()


def test_a_missing_file_is_told(path: Path) -> None:
    with pytest.raises(OperationalError, match=f"unable to open database file {path}: no such file"):
        LocalGuild.open(path, create=False)
    assert not path.exists()


def test_a_missing_folder_is_told(path: Path) -> None:
    with pytest.raises(OperationalError, match=r"the folder .*nowhere does not exist"):
        LocalGuild.open(path.parent / "nowhere" / "shop.disco")


def test_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(OperationalError, match="it is a folder"):
        LocalGuild.open(tmp_path)


def test_another_kind_of_file_is_told_and_left_as_it_is(path: Path) -> None:
    path.write_text("id,name\n1,Ada\n" * 1_000)
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match=f"{path} is not a discosql guild"):
        LocalGuild.open(path)
    assert path.read_bytes() == before


def test_another_sqlite_file_is_told_and_left_as_it_is(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE users (id)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match="is an SQLite file, but not a discosql guild"):
        LocalGuild.open(path)
    assert path.read_bytes() == before


def test_a_newer_format_is_told(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    with pytest.raises(DatabaseError, match=f"has format {FORMAT + 1}; .* up to {FORMAT}"):
        LocalGuild.open(path)


async def test_damage_is_told(path: Path) -> None:
    guild = LocalGuild.open(path)
    channel = await new_channel(guild)
    for number in range(50):
        await guild.post(channel, str(number) * 500)
    await guild.close()
    data = bytearray(path.read_bytes())
    data[4096:] = random.Random(1).randbytes(len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(DatabaseCorruptionError, match=f"{path} is damaged"):
        LocalGuild.open(path)


def test_a_file_that_may_not_be_written_is_told() -> None:
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "shop.disco")
        LocalGuild.open(path)._store.close()
        Path(folder).chmod(0o755)
        path.chmod(0o444)
        if user == 0:
            os.seteuid(65_534)  # the superuser may write everything, so the question is asked as somebody else
        try:
            with pytest.raises(OperationalError, match=r"it is read-only|no permission to read and write it"):
                LocalGuild.open(path)
        finally:
            os.seteuid(user)


# Several processes


WRITER = """
import asyncio, sys
from discosql.storage.guild import File
from discosql.storage.local import LocalGuild

async def main(path, name, count, size):
    guild = LocalGuild.open(path)
    print("open", guild.account, flush=True)
    sys.stdin.readline()
    channel = [channel for channel in await guild.channels() if not channel.is_category][0].id
    for number in range(int(count)):
        files = [File("f", name.encode() * int(size))] if int(size) else []
        posted = await guild.post(channel, f"{name} {number}", files)
        print(posted.id, flush=True)
    await guild.close()

asyncio.run(main(*sys.argv[1:]))
"""


def start_writer(path: Path, name: str, count: int, size: int = 0) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count), str(size)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go(writer: "subprocess.Popen[str]") -> None:
    assert writer.stdin is not None
    writer.stdin.write("\n")
    writer.stdin.close()
    writer.stdin = None


async def test_processes_make_one_guild_and_post_with_ids_of_their_own(path: Path) -> None:
    writers = [start_writer(path, f"w{number}", 100) for number in range(3)]
    assert len({writer.stdout.readline() for writer in writers if writer.stdout}) == 1
    guild = LocalGuild.open(path)
    channel = await new_channel(guild)
    for writer in writers:
        go(writer)
    acknowledged = [[int(line) for line in writer.communicate()[0].split()] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    found = []
    while page := await guild.messages(channel, after=found[-1].id if found else 0):
        found += reversed(page)
    assert [message.id for message in found] == sorted(chain.from_iterable(acknowledged))
    assert len(found) == 300
    for number, posted in enumerate(acknowledged):
        assert posted == [message.id for message in found if message.content.startswith(f"w{number} ")]
    await guild.close()


@pytest.mark.parametrize("size", [0, 600_000])
async def test_what_was_acknowledged_outlives_a_killed_process(path: Path, size: int) -> None:
    guild = LocalGuild.open(path)
    channel = await new_channel(guild)
    await guild.close()
    writer = start_writer(path, "w", 10_000, size)
    go(writer)
    assert writer.stdout is not None
    writer.stdout.readline()
    acknowledged = [int(writer.stdout.readline()) for _ in range(20)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in writer.communicate()[0].splitlines() if line]
    again = LocalGuild.open(path)
    found = await again.messages(channel, after=acknowledged[0] - 1)
    by_id = {message.id: message for message in found}
    for number, posted in enumerate(acknowledged[:100]):
        assert by_id[posted].content == f"w {number}"
        for file in by_id[posted].attachments:
            assert len(await again.download(file)) == size
    assert len(found) - len(acknowledged[:100]) in (0, 1)
    await again.close()


async def test_changes_by_another_process_are_noticed_unasked(path: Path) -> None:
    guild, other = LocalGuild.open(path), LocalGuild.open(path)
    channel = await new_channel(guild)
    told = asyncio.Event()
    guild.listen(lambda changed: told.set() if changed == channel else None)
    await other.post(channel, "x")
    async with asyncio.timeout(5):
        await told.wait()
    await guild.close()
    await other.close()


async def test_closing_ends_the_watching(path: Path) -> None:
    before = asyncio.all_tasks()
    guild = LocalGuild.open(path)
    guild.listen(lambda channel: None)
    stop = guild.listen(lambda channel: None)
    assert len(asyncio.all_tasks() - before) == 1
    stop()
    stop()
    await guild.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


# Locks, and a full disk


async def test_a_locked_file_is_waited_for_while_the_loop_runs_on(path: Path) -> None:
    guild = LocalGuild.open(path)
    channel = await new_channel(guild)
    locking = sqlite3.connect(path, isolation_level=None)
    locking.execute("BEGIN IMMEDIATE")
    posting = asyncio.create_task(guild.post(channel, "x"))
    for _ in range(5):
        await asyncio.sleep(0.001)
    assert not posting.done()
    assert await guild.messages(channel) == []  # readers do not wait
    locking.execute("ROLLBACK")
    locking.close()
    assert (await posting).content == "x"
    await guild.close()


async def test_a_file_that_stays_locked_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "LOCK_TIMEOUT", 0.01)
    guild = LocalGuild.open(path)
    channel = await new_channel(guild)
    locking = sqlite3.connect(path, isolation_level=None)
    locking.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnavailableError, match="locked by another process"):
        await guild.post(channel, "x")
    locking.close()
    assert await guild.messages(channel) == []
    await guild.close()


async def test_a_full_disk_is_told_and_nothing_stored(path: Path) -> None:
    guild = LocalGuild.open(path)
    channel = await new_channel(guild)
    connection = guild._store._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(UnavailableError, match="cannot be written"):
        await guild.post(channel, "", [File("a", bytes(100_000))])
    connection.execute("PRAGMA max_page_count = 100000")
    assert await guild.messages(channel) == []
    await guild.post(channel, "x")
    await guild.close()


# Large files


@pytest.mark.parametrize("in_memory", [True, False])
async def test_large_files_come_back_whole(path: Path, in_memory: bool) -> None:
    guild = LocalGuild.memory() if in_memory else LocalGuild.open(path)
    channel = await new_channel(guild)
    counts = set()
    original = guild._store.post

    def spy(*arguments: Any) -> Message:
        counts.add(len(arguments[3]))
        return original(*arguments)

    guild._store.post = spy  # type: ignore[method-assign]
    files = [File(f"{number}.bin", bytes([number]) * MIB) for number in range(4)]
    posted, _ = await asyncio.gather(guild.post(channel, "", files), guild.post(channel, "small"))
    # In a file, a large one goes through another connection, in another thread.
    assert counts == ({0, 4} if in_memory else {0})
    data = await asyncio.gather(*(guild.download(file) for file in posted.attachments))
    assert data == [file.data for file in files]
    await guild.close()


async def test_closing_waits_for_large_files(path: Path) -> None:
    guild = LocalGuild.open(path)
    channel = await new_channel(guild)
    posting = asyncio.create_task(guild.post(channel, "", [File("a", bytes(8 * MIB))]))
    while not guild.requests.count["post"]:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    posting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await posting
    await guild.close()
    again = LocalGuild.open(path)
    assert [message.attachments[0].size for message in await again.messages(channel)] in ([], [8 * MIB])
    await again.close()


# Smaller habits


async def test_peers_share_a_server_in_memory(path: Path) -> None:
    first = LocalGuild.memory("shop")
    channel = await new_channel(first)
    second = first.peer()
    posted = await first.post(channel, "x")
    await first.close()
    assert [message.id for message in await second.messages(channel)] == [posted.id]
    assert (second.name, second.account) == ("shop", first.account)
    assert second.requests.count == {"messages": 1}
    await second.close()


async def test_a_nonce_belongs_to_its_author() -> None:
    guild = LocalGuild.memory()
    channel = await new_channel(guild)
    stranger = guild.peer(account=5)
    own = await guild.post(channel, "own", nonce="n")
    theirs = await stranger.post(channel, "theirs", nonce="n")
    assert own.id != theirs.id
    assert (own.author, theirs.author) == (guild.account, 5)
    await stranger.close()
    await guild.close()


async def test_characters_that_discord_drops_are_dropped() -> None:
    guild = LocalGuild.memory()
    channel = await new_channel(guild)
    posted = await guild.post(channel, "a\u202eb\u2066c\ud800d\u200b")
    assert posted.content == "abcd\u200b"
    await guild.close()


async def test_a_forged_url_finds_nothing() -> None:
    guild = LocalGuild.memory()
    channel = await new_channel(guild)
    posted = await guild.post(channel, "", [File("a", b"data")])
    (real,) = posted.attachments
    for url in (real.url.replace("ex=", "ex=f"), "https://example.org/a", real.url[:-1]):
        with pytest.raises(NotFoundError, match="not one of this server"):
            await guild.download(Attachment(real.id, real.name, real.size, url))
    await guild.close()


async def test_boosted_servers_take_larger_files() -> None:
    guild = LocalGuild.memory(habits=Habits(file_limit=50 * MIB, post_limit=60 * MIB))
    channel = await new_channel(guild)
    posted = await guild.post(channel, "", [File("a", bytes(11 * MIB))])
    assert posted.attachments[0].size == 11 * MIB
    await guild.close()


def test_a_guild_is_made_in_one_thread_and_used_in_another(path: Path) -> None:
    guild = LocalGuild.open(path)

    async def use() -> int:
        channel = await new_channel(guild)
        await guild.post(channel, "x")
        found = await guild.messages(channel)
        await guild.close()
        return len(found)

    counted: list[int] = []
    thread = threading.Thread(target=lambda: counted.append(asyncio.run(use())))
    thread.start()
    thread.join()
    assert counted == [1]


async def test_a_guild_closed_during_a_request_is_told() -> None:
    guild = LocalGuild.memory()
    request = asyncio.create_task(guild.channels())
    await asyncio.sleep(0)
    await guild.close()
    with pytest.raises(InterfaceError, match="closed"):
        await request
