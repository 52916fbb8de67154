"""An encrypted database in the hands of somebody who can change everything but has no key: never a wrong answer.

The file of a local guild is changed behind its back, as nobody on Discord could: no message counts as edited, and the
digests that need no key are made to fit.
"""

import asyncio
import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import damage
import pytest
from guilds import LocalServer
from stepped_clock import SteppedClock
from test_damage import CopiedServer, assert_harmless_or_named

import discosql
from discosql.aio import Connection
from discosql.errors import DatabaseCorruptionError, EncryptionKeyError
from discosql.executor.functions import DEFAULT
from discosql.session import Session
from discosql.storage.engine import EngineOptions, open_local
from discosql.storage.entry import digest, nonce_of

KEY = bytes(range(32))
QUERIES = ("SELECT * FROM person ORDER BY id", "SELECT id FROM person WHERE name = 'name 77'", "SELECT * FROM note")
CODE = re.compile(r"```json\n(.+)\n```\n-# [0-9a-f]{24}")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sealed") / "original.disco"
    asyncio.run(fill(path))
    return path


async def fill(path: Path) -> None:
    """Make a database with several pages of rows and of an index, and with commits after the checkpoint."""
    engine = await open_local(path, options=EngineOptions(key=KEY, page_size=4_096))
    db = Connection(Session(engine, DEFAULT), isolation_level=None)
    await db.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT UNIQUE, n INTEGER)")
    await db.execute("CREATE TABLE note (text TEXT)")
    people = [(number, f"name {number}", number * 7919 % 10_007) for number in range(1_000)]
    await db.executemany("INSERT INTO person VALUES (?, ?, ?)", people)
    assert await engine.checkpoint(everything=True)
    await db.execute("INSERT INTO note VALUES ('in the log')")
    await db.execute("UPDATE person SET n = -1 WHERE id = 5")
    await db.close()


@pytest.fixture
def path(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "copy.disco"))


def answers(path: Path) -> list[list[Any]]:
    with closing(discosql.connect(path, key=KEY)) as db:
        return [db.execute(sql).fetchall() for sql in QUERIES]


def is_safe(path: Path, expected: list[list[Any]]) -> bool:
    """Tell whether a damaged database was told apart; False if it was read in full all the same."""
    try:
        assert answers(path) == expected
    except (DatabaseCorruptionError, EncryptionKeyError):
        return True
    return False


@pytest.fixture(scope="module")
def expected(original: Path) -> list[list[Any]]:
    return answers(original)


def entries(path: Path) -> list[tuple[int, str]]:
    """Return the messages of the log, oldest first."""
    with closing(sqlite3.connect(path)) as guild:
        (log,) = guild.execute("SELECT id FROM channel WHERE name = '_dbmetadata'").fetchone()
        return guild.execute("SELECT id, content FROM message WHERE channel = ? ORDER BY id", (log,)).fetchall()


def rewrite(path: Path, message: int, content: str) -> None:
    with closing(sqlite3.connect(path)) as guild, guild:
        guild.execute("UPDATE message SET content = ? WHERE id = ?", (content, message))


def changed(content: str, change: Callable[[dict[str, Any]], None]) -> str:
    """Return an entry with its head changed and a digest that fits."""
    found = CODE.search(content)
    assert found is not None
    head = json.loads(found[1])
    change(head)
    code = json.dumps(head, separators=(",", ":"))
    return f"{content[: found.start()]}```json\n{code}\n```\n-# {digest(code.encode())}"


def test_the_original_is_whole(expected: list[list[Any]]) -> None:
    assert (len(expected[0]), expected[0][5], expected[1]) == (1_000, (5, "name 5", -1), [(77,)])


def test_any_byte_of_any_file(path: Path, original: Path, expected: list[list[Any]]) -> None:
    with closing(sqlite3.connect(path)) as guild:
        files = guild.execute("SELECT id, data FROM file").fetchall()
    assert len(files) >= 4
    for file, data in files:
        for position in (0, 8, 14, len(data) // 2, len(data) - 1):
            with closing(sqlite3.connect(path)) as guild, guild:
                broken = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
                guild.execute("UPDATE file SET data = ? WHERE id = ?", (broken, file))
            is_safe(path, expected)
            shutil.copy(original, path)


def test_swapped_and_truncated_files(path: Path, original: Path, expected: list[list[Any]]) -> None:
    with closing(sqlite3.connect(path)) as guild:
        files = guild.execute("SELECT id, data FROM file").fetchall()
    for (one, data), (other, more) in pairwise(files):
        for changes in ([(more, one), (data, other)], [(data[:-1], one)], [(b"", one)]):
            with closing(sqlite3.connect(path)) as guild, guild:
                guild.executemany("UPDATE file SET data = ? WHERE id = ?", changes)
            is_safe(path, expected)
            shutil.copy(original, path)


def test_any_region_of_any_entry(path: Path, original: Path, expected: list[list[Any]]) -> None:
    told = 0
    for message, content in entries(original):
        start = content.index("```json")
        for position in (*range(start + 8, len(content), 53), len(content) - 1):
            other = "0" if content[position] != "0" else "1"
            rewrite(path, message, content[:position] + other + content[position + 1 :])
            told += is_safe(path, expected)
            shutil.copy(original, path)
    assert told > 20


HEADS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "slot": lambda head: head.update(n=head["n"] + 1),
    "parent": lambda head: head.update(p="0" * 24),
    "session": lambda head: head.update(s="0" * 24),
    "salt": lambda head: head.update(x="00000000"),
    "content": lambda head: head.update(z=head["z"][:40] + head["z"][44:]),
    "no content": lambda head: head.pop("z"),
    "in the open": lambda head: (head.pop("z"), head.pop("e"), head.update(b=[])),
    "oldest part": lambda head: head.update(old=1),
    "another key": lambda head: head.update(e=["raw", "0" * 16]),
    "weak derivation": lambda head: head.update(e=["scrypt", 1, 8, 1, "0" * 32, "0" * 16]),
    "heavy derivation": lambda head: head.update(e=["scrypt", 40, 8, 1, "0" * 32, "0" * 16]),
    "odd mark": lambda head: head.update(e=[]),
}


@pytest.mark.parametrize("change", HEADS)
def test_heads_that_were_made_to_fit(path: Path, expected: list[list[Any]], change: str) -> None:
    message, content = entries(path)[-1]
    rewrite(path, message, changed(content, HEADS[change]))
    assert is_safe(path, expected)


def test_swapped_entries(path: Path, expected: list[list[Any]]) -> None:
    (one, first), (other, second) = entries(path)[-2:]
    rewrite(path, one, second)
    rewrite(path, other, first)
    # Where a message stands tells nothing; what it says is still true.
    assert not is_safe(path, expected)


def test_swapped_contents_of_entries(path: Path, expected: list[list[Any]]) -> None:
    (one, first), (other, second) = entries(path)[-2:]
    sealed = [json.loads(CODE.search(content)[1])["z"] for content in (first, second)]  # type: ignore[index]
    rewrite(path, one, changed(first, lambda head: head.update(z=sealed[1])))
    rewrite(path, other, changed(second, lambda head: head.update(z=sealed[0])))
    assert is_safe(path, expected)


def post(path: Path, content: str) -> None:
    """Post a message to the log with the bot's account."""
    with closing(sqlite3.connect(path)) as guild, guild:
        guild.execute(
            "INSERT INTO message SELECT channel, id + 4194304, author, ?, '', 0 FROM message WHERE id = ?",
            (content, entries(path)[-1][0]),
        )
        guild.execute("UPDATE channel SET newest = newest + 4194304 WHERE name = '_dbmetadata'")


def test_a_copy_of_an_old_entry_has_no_effect(path: Path, expected: list[list[Any]]) -> None:
    post(path, entries(path)[-2][1])
    assert not is_safe(path, expected)


def test_an_old_entry_at_another_slot(path: Path, expected: list[list[Any]]) -> None:
    (_, old), (_, newest) = entries(path)[-2:]
    head = json.loads(CODE.search(newest)[1])  # type: ignore[index]
    parent = CODE.search(newest)[0][-24:]  # type: ignore[index]
    post(path, changed(old, lambda entry: entry.update(n=head["n"] + 1, p=parent)))
    assert is_safe(path, expected)


def test_a_plain_entry_after_sealed_ones(path: Path, expected: list[list[Any]]) -> None:
    _, newest = entries(path)[-1]
    head = json.loads(CODE.search(newest)[1])  # type: ignore[index]
    parent = CODE.search(newest)[0][-24:]  # type: ignore[index]
    plain = {"discosql": 1, "n": head["n"] + 1, "p": parent, "s": "0" * 24, "x": "0" * 8, "k": "c"}
    body = [[1, None, [["d", 1, [5]]]]]
    post(path, changed(newest, lambda entry: (entry.clear(), entry.update(plain, b=body))))
    with pytest.raises(EncryptionKeyError, match="not encrypted"):
        answers(path)


def test_the_nonce_tells_nothing_of_content() -> None:
    assert nonce_of(1, 2, "parent") == nonce_of(1, 2, "parent") != nonce_of(1, 3, "parent")


@pytest.mark.parametrize("share", [0, *[pytest.param(share, marks=pytest.mark.campaign) for share in range(1, 6)]])
async def test_damage_is_named_found_and_repaired(monkeypatch: pytest.MonkeyPatch, share: int) -> None:
    """What holds of a plain database holds of an encrypted one."""
    monkeypatch.setattr(damage, "OPTIONS", replace(damage.OPTIONS, key=KEY))
    source = LocalServer(SteppedClock(), None)
    guild = await source.open()
    contents = await damage.make_database(guild)
    messages = await damage.messages_of(guild)
    newest = max(message.id for message in messages if message.content.startswith("#"))
    for case in damage.cases_of(messages)[share::6]:
        if case.name.startswith("replace") and case.message.id == newest:
            continue  # nothing tells of it without a key, either
        server = CopiedServer(source)
        await assert_harmless_or_named(server, await server.open(), contents, case)
        await server.close()
    await source.close()
