"""What the library discobase gets wrong, one test a fault: each shows that it is gone."""

import asyncio
import datetime
import hashlib
import re
from collections import Counter
from contextlib import suppress
from typing import Any

import discord
import pytest
from databases import SERVER, Crash, World, new_bot

import discosql
from discosql import Database, Field, Table
from discosql.storage.engine import EngineOptions

SMALL = EngineOptions(page_size=2_000)
"""Pages so small that a few hundred rows fill several, and indexes are read."""


class FewHashes:
    """blake2b with eight different digests, so that nearly all keys of an index clash."""

    def __init__(self, data: bytes, **options: Any) -> None:
        self._data = data

    def digest(self) -> bytes:
        return bytes(7) + bytes([hashlib.blake2b(self._data).digest()[0] & 0xE0])


@pytest.mark.parametrize("clash", [False, True], ids=["hashes", "clashing hashes"])
async def test_1_all_of_256_rows_saved_at_once_are_found(
    world: World, monkeypatch: pytest.MonkeyPatch, clash: bool
) -> None:
    if clash:
        monkeypatch.setattr("discosql.storage.hash_index.blake2b", FewHashes)
        discosql.storage.hash_index.hasher.cache_clear()
    keys = [f"key {number}" for number in range(256)]

    def attach(db: Database) -> None:
        @db.table
        class User(Table):
            name: str = Field(index=True)
            number: int

    db = await world.process(build=attach, options=SMALL)
    user: Any = db.tables["user"]
    await asyncio.gather(*(user(name=key, number=number).save() for number, key in enumerate(keys)))
    for _ in range(2):
        for number, key in enumerate(keys):
            assert [(row.name, row.number) for row in await user.find(name=key)] == [(key, number)]
            assert await user.find(name=f"no {key}") == []
        assert Counter(row.name for row in await user.find()) == Counter(keys)
        # The same from pages and index pages, by a process that has nothing in memory.
        assert db._engine is not None
        await db._engine.checkpoint(everything=True)
        db = await world.process(build=attach, options=SMALL)
        user = db.tables["user"]
        assert any(channel.name == "user_name" for channel in world.env.backend.channels.values())
    if clash:
        discosql.storage.hash_index.hasher.cache_clear()


async def test_2_several_fields_must_all_match(db: Database) -> None:
    @db.table
    class User(Table):
        name: str
        team: str

    await db.build_tables()
    await User.save_all([User(name=name, team=team) for name in "ab" for team in "xy"])
    assert [(user.name, user.team) for user in await User.find(name="a", team="x")] == [("a", "x")]
    assert await User.find(name="a", team="z") == []
    assert len(await User.find(name="a")) == 2


async def test_3_a_miss_is_an_empty_list(db: Database) -> None:
    @db.table
    class User(Table):
        name: str = Field(index=True)
        age: int

    await db.build_tables()
    assert await User.find(name="nobody") == []
    await User.save_all([User(name=f"user {number}", age=number) for number in range(256)])
    for number in range(256):
        assert await User.find(name=f"user {number}x") == []
    for wrong in ("17", 17.5, None, True, 2**70, float("nan"), b"17", [17], object(), "\ud800"):
        assert await User.find(age=wrong) == [], wrong


async def test_4_a_value_that_cannot_be_stored_leaves_nothing_behind(world: World, db: Database) -> None:
    @db.table
    class Facts(Table):
        number: float | None = None
        count: int = 0
        day: datetime.date | None = None
        moment: datetime.datetime | None = None
        tags: list[Any] = Field(default_factory=list)
        facts: dict[str, Any] = Field(default_factory=dict)
        text: str = ""

    await db.build_tables()
    before = world.shim.number
    for wrong in (
        {"number": float("nan")},
        {"count": 2**63},
        {"tags": [object()]},
        {"tags": [float("inf")]},
        {"facts": {"key": (1, 2)}},
        {"text": "\ud800"},
    ):
        with pytest.raises((discosql.DataError, discosql.ProgrammingError)):
            await Facts.model_construct(**{"tags": [], "facts": {}, "text": "", "count": 0, **wrong}).save()
    assert world.shim.number == before
    assert await Facts.find() == []
    right = Facts(number=0.1, day=datetime.date(2024, 2, 29), tags=[None, 1, "x"], facts={"a": {"b": [True]}})
    await right.save()
    for name in Facts.model_fields:
        assert await Facts.find(**{name: getattr(right, name)}) == [right]


async def test_5_true_is_not_1(db: Database) -> None:
    @db.table
    class Row(Table):
        number: int
        flag: bool
        share: float

    await db.build_tables()
    await Row(number=1, flag=True, share=1.0).save()
    assert await Row.find(number=True) == []
    assert await Row.find(share=True) == []
    assert await Row.find(flag=1) == []
    assert await Row.where(Row.number == True) == []  # noqa: E712 - that is how it is written
    assert len(await Row.find(number=1, flag=True, share=1)) == 1


@pytest.mark.parametrize("length", [1_490, 2_000, 100_000])
async def test_6_long_rows_are_stored(world: World, length: int) -> None:
    def attach(db: Database) -> None:
        @db.table
        class Note(Table):
            text: str = Field(index=True)

    db = await world.process(build=attach)
    note: Any = db.tables["note"]
    text = ("long `text`\n\u202e\x00" * length)[:length]
    await note(text=text).save()
    assert [row.text for row in await note.find(text=text)] == [text]
    db = await world.process(build=attach)
    assert [row.text for row in await db.tables["note"].find(text=text)] == [text]


async def test_6_many_rows_may_share_a_value(world: World) -> None:
    def attach(db: Database) -> None:
        @db.table
        class User(Table):
            name: str
            team: str = Field(index=True)

    db = await world.process(build=attach, options=SMALL)
    user: Any = db.tables["user"]
    await user.save_all([user(name=f"user {number}", team="red") for number in range(300)])
    assert db._engine is not None
    await db._engine.checkpoint(everything=True)
    db = await world.process(build=attach, options=SMALL)
    user = db.tables["user"]
    assert len(await user.find(team="red")) == 300
    assert len(await user.find(team="red", name="user 63")) == 1


async def test_7_messages_of_humans_do_no_harm(world: World) -> None:
    def attach(db: Database) -> None:
        @db.table
        class User(Table):
            name: str = Field(index=True)

    db = await world.process(build=attach, options=SMALL)
    user: Any = db.tables["user"]
    await user.save_all([user(name=f"user {number}") for number in range(200)])
    assert db._engine is not None
    await db._engine.checkpoint(everything=True)
    for channel in ("_dbmetadata", "user", "user_name"):
        world.say(channel, "Hello, what is this channel for?")
        world.say(channel, '```json\n{"discosql":1,"n":1,"p":"g","s":"0","x":"0","k":"c","b":[]}\n```\n-# 0')
    await user(name="after").save()
    for _ in range(2):
        assert len(await user.find()) == 201
        assert len(await user.find(name="user 7")) == len(await user.find(name="after")) == 1
        db = await world.process(build=attach, options=SMALL)
        user = db.tables["user"]


async def test_8_a_class_may_gain_a_field(world: World) -> None:
    def before(db: Database) -> None:
        @db.table
        class User(Table):
            name: str

    def after(db: Database) -> None:
        @db.table
        class User(Table):
            name: str
            age: int = 18
            nick: str | None = None
            tags: list[str] = Field(default_factory=lambda: ["new"])

    db = await world.process(build=before)
    old: Any = db.tables["user"]
    await old(name="Ada").save()
    db = await world.process(build=after)
    user: Any = db.tables["user"]
    (ada,) = await user.find(age=18)
    assert ada.model_dump() == {"name": "Ada", "age": 18, "nick": None, "tags": ["new"]}
    ada.age = 36
    await ada.update()
    assert await user.find(age=36, tags=["new"]) == [ada]


FAULTS = ("refused", "unanswered", "dies before", "dies after")


def attach_users(db: Database) -> None:
    """Attach a class with an index of each kind."""

    @db.table
    class User(Table):
        name: str = Field(unique=True)
        team: str = Field(index=True)


async def change(user: Any, kind: str, name: str) -> None:
    """Make one change to the table, or write its pages."""
    if kind == "save":
        await user(name=name, team="red").save()
    elif kind == "checkpoint":
        await user.__disco_database__._engine.checkpoint(everything=True)
    else:
        (row,) = await user.find(name="first")
        row.name = name
        await (row.update() if kind == "update" else row.delete())


async def names_if_consistent(user: Any, tried: str) -> set[str]:
    """Return the names of the rows, after checking that each way to find them agrees."""
    rows = await user.find()
    names = {row.name for row in rows}
    assert len(names) == len(rows)
    for name in names | {"first", "second", tried}:
        found = [row.name for row in await user.find(name=name)]
        assert found == ([name] if name in names else []), f"the index on name disagrees about {name}"
    assert {row.name for row in await user.find(team="red")} == names
    assert await user.count() == len(rows)
    return names


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["save", "update", "delete", "checkpoint"])
async def test_9_a_fault_at_any_request_leaves_row_and_index_in_agreement(world: World, kind: str, fault: str) -> None:
    for number in range(1, 40):
        db = await world.process(build=attach_users, options=EngineOptions(page_size=200))
        user: Any = db.tables["user"]
        await db.sql("DELETE FROM user")
        await user.save_all([user(name=name, team="red") for name in ("first", "second")])
        tried = f"tried {number}"
        new = {
            "save": {"first", "second", tried},
            "update": {tried, "second"},
            "delete": {"second"},
            "checkpoint": {"first", "second"},
        }[kind]
        world.shim.arm({number: fault})
        acknowledged = False
        with suppress(Crash, discosql.Error):
            await change(user, kind, tried)
            acknowledged = True
        reached = world.shim.number >= number
        # A fresh process, with nothing in memory, sees all of the change or nothing of it; and so after a checkpoint.
        db = await world.process(build=attach_users, options=EngineOptions(page_size=200))
        user = db.tables["user"]
        names = await names_if_consistent(user, tried)
        assert names == new or (names == {"first", "second"} and not acknowledged)
        assert db._engine is not None
        await db._engine.checkpoint(everything=True)
        assert await names_if_consistent(user, tried) == names
        if not reached:
            break
    else:
        pytest.fail("the change never ended without a fault")
    assert number > 2


async def test_10_no_privileged_intent_is_asked_for() -> None:
    intents = Database(SERVER).bot.intents
    assert not (intents.members or intents.presences or intents.message_content)


async def test_10_nobody_else_sees_the_channels_or_has_the_commands(world: World) -> None:
    db = await world.process(build=attach_users, options=EngineOptions(page_size=200))
    user: Any = db.tables["user"]
    await user.save_all([user(name=f"user {number}", team="red") for number in range(100)])
    assert db._engine is not None and db.guild is not None
    await db._engine.checkpoint(everything=True)
    await world.env.settle()
    everyone, bot = db.guild.default_role, db.guild.me
    channels = [channel for channel in db.guild.channels if channel.category is not None]
    assert {"_dbmetadata", "user", "user_name", "user_team"} <= {channel.name for channel in channels}
    for channel in channels:
        assert not channel.permissions_for(everyone).view_channel, channel.name
        assert channel.permissions_for(bot).view_channel, channel.name


async def test_11_a_missing_server_is_an_error_that_says_what_to_do(world: World) -> None:
    await world.env.restart_bot(new_bot())
    db = Database("Elsewhere", bot=world.env.bot, slash_commands=False)
    with pytest.raises(discosql.OperationalError) as raised:
        await db.init()
    message = str(raised.value)
    assert "no server named Elsewhere" in message
    assert "make one in Discord" in message
    invitation = re.search(r"https://discord\.com/oauth2/authorize\?client_id=\d+\S*&permissions=(\d+)", message)
    assert invitation is not None
    permissions = discord.Permissions(int(invitation[1]))
    assert permissions.manage_channels and permissions.send_messages and not permissions.administrator
