"""What every guild does alike: one suite over memory, a file, simcord, and discord.py's real HTTP client."""

import asyncio
from collections import Counter

import pytest
from guilds import Server

from discosql.errors import InterfaceError, LimitExceededError, NotFoundError
from discosql.storage.guild import Channel, File, Guild, id_time, time_id

MIB = 1 << 20
HOURS = 3_600.0
DAYS = 24 * HOURS


@pytest.fixture
async def category(guild: Guild) -> Channel:
    return await guild.create_category("Data")


@pytest.fixture
async def channel(guild: Guild, category: Channel) -> int:
    return (await guild.create_channel("log", category.id)).id


def ids(messages: list) -> list[int]:
    return [message.id for message in messages]


# Channels


async def test_created_channels_are_listed(guild: Guild) -> None:
    category = await guild.create_category("My Data")
    channel = await guild.create_channel("orders", category.id, "what was ordered")
    assert category == Channel(category.id, "My Data", None, True)
    assert channel == Channel(channel.id, "orders", category.id, False, "what was ordered")
    listed = await guild.channels()
    assert category in listed
    assert channel in listed


async def test_names_of_text_channels_are_put_in_lower_case_without_spaces(guild: Guild, category: Channel) -> None:
    channel = await guild.create_channel("Order Lines ÄÖ", category.id)
    assert channel.name == "order-lines-äö"


async def test_names_need_not_be_unique(guild: Guild, category: Channel) -> None:
    first = await guild.create_channel("same", category.id)
    second = await guild.create_channel("same", category.id)
    assert first.id != second.id


@pytest.mark.parametrize(("name", "topic"), [("", ""), ("n" * 101, ""), ("n", "t" * 1025)])
async def test_names_and_topics_have_limits(guild: Guild, category: Channel, name: str, topic: str) -> None:
    with pytest.raises(LimitExceededError):
        await guild.create_channel(name, category.id, topic)


async def test_the_longest_name_and_topic_are_taken(guild: Guild, category: Channel) -> None:
    channel = await guild.create_channel("n" * 100, category.id, "t" * 1024)
    assert (len(channel.name), len(channel.topic)) == (100, 1024)


async def test_a_channel_needs_a_category_that_exists(guild: Guild) -> None:
    with pytest.raises(NotFoundError):
        await guild.create_channel("orphan", 4)


async def test_a_deleted_channel_is_gone_with_its_messages(guild: Guild, channel: int) -> None:
    posted = await guild.post(channel, "x")
    await guild.delete_channel(channel)
    assert channel not in ids(await guild.channels())
    with pytest.raises(NotFoundError):
        await guild.message(channel, posted.id)
    with pytest.raises(NotFoundError):
        await guild.delete_channel(channel)


async def test_a_deleted_category_leaves_its_channels(guild: Guild, category: Channel, channel: int) -> None:
    await guild.delete_channel(category.id)
    (left,) = [listed for listed in await guild.channels() if listed.id == channel]
    assert left.category is None


async def test_a_category_holds_50_channels(guild: Guild, category: Channel) -> None:
    for number in range(50):
        await guild.create_channel(f"c{number}", category.id)
    with pytest.raises(LimitExceededError):
        await guild.create_channel("one-more", category.id)
    assert len(await guild.channels()) == 51


async def test_a_server_has_500_channels_and_50_categories(guild: Guild) -> None:
    categories = [await guild.create_category(f"k{number}") for number in range(50)]
    with pytest.raises(LimitExceededError):
        await guild.create_category("one more")
    for number in range(450):
        await guild.create_channel(f"c{number}", categories[number % 50].id)
    with pytest.raises(LimitExceededError):
        await guild.create_channel("one-more", categories[0].id)
    assert len(await guild.channels()) == 500


# Posting


async def test_a_posted_message_is_returned_and_read(guild: Guild, channel: int) -> None:
    posted = await guild.post(channel, "hello", nonce="abc")
    assert (posted.channel, posted.author, posted.content) == (channel, guild.account, "hello")
    assert (posted.nonce, posted.edited, posted.attachments) == ("abc", False, ())
    (read,) = await guild.messages(channel)
    assert (read.id, read.content, read.nonce) == (posted.id, "hello", None)
    assert await guild.message(channel, posted.id) == read


@pytest.mark.parametrize(
    "content",
    [
        "snow ☃ and 👩‍👩‍👧",
        "```json\n[1, 2]\n```",
        "@everyone <@1> https://example.org",
        "a  b\n\n\tc",
        "\\u0041 \"quoted\" 'x'",
    ],
)
async def test_content_comes_back_as_sent(guild: Guild, channel: int, content: str) -> None:
    posted = await guild.post(channel, content)
    assert posted.content == content
    assert (await guild.message(channel, posted.id)).content == content


async def test_white_space_at_both_ends_is_trimmed(guild: Guild, channel: int) -> None:
    posted = await guild.post(channel, " \n\t a b \u2003\n")
    assert (await guild.message(channel, posted.id)).content == "a b"


@pytest.mark.parametrize("content", ["", " \n\t "])
async def test_a_message_of_nothing_is_refused(guild: Guild, channel: int, content: str) -> None:
    with pytest.raises(LimitExceededError):
        await guild.post(channel, content)
    assert await guild.messages(channel) == []


async def test_content_has_2000_code_points(guild: Guild, channel: int) -> None:
    posted = await guild.post(channel, " " + "𝄞" * 2000 + " ")
    assert len(posted.content) == 2000
    with pytest.raises(LimitExceededError):
        await guild.post(channel, "x" * 2001)


async def test_posting_in_what_is_no_channel(guild: Guild, category: Channel) -> None:
    with pytest.raises(NotFoundError):
        await guild.post(4, "x")


async def test_ids_rise_and_tell_the_time(server: Server, guild: Guild, channel: int) -> None:
    first = await guild.post(channel, "1")
    second = await guild.post(channel, "2")
    server.clock.advance(10.0)
    third = await guild.post(channel, "3")
    assert first.id < second.id < third.id
    assert id_time(third.id) == pytest.approx(server.clock.now(), abs=0.002)
    assert time_id(id_time(third.id)) <= third.id


async def test_many_posts_at_once_have_ids_of_their_own(guild: Guild, channel: int) -> None:
    posted = await asyncio.gather(*(guild.post(channel, str(number)) for number in range(30)))
    assert len(set(ids(list(posted)))) == 30
    assert {message.content for message in await guild.messages(channel)} == {str(number) for number in range(30)}


# Nonces


async def test_a_nonce_posts_once(guild: Guild, channel: int) -> None:
    first = await guild.post(channel, "one", nonce="n")
    again = await guild.post(channel, "two", nonce="n")
    assert (again.id, again.content) == (first.id, "one")
    assert len(await guild.messages(channel)) == 1


async def test_a_nonce_posts_a_file_once(guild: Guild, channel: int) -> None:
    file = File("a.bin", b"data")
    first = await guild.post(channel, "", [file], nonce="n")
    again = await guild.post(channel, "", [file], nonce="n")
    assert (again.id, again.attachments[0].id) == (first.id, first.attachments[0].id)


async def test_a_nonce_is_forgotten_after_minutes(server: Server, guild: Guild, channel: int) -> None:
    first = await guild.post(channel, "one", nonce="n")
    server.clock.advance(60.0)
    assert (await guild.post(channel, "one", nonce="n")).id == first.id
    server.clock.advance(600.0)
    assert (await guild.post(channel, "one", nonce="n")).id != first.id


async def test_the_nonce_of_a_deleted_message_finds_nothing(guild: Guild, channel: int) -> None:
    posted = await guild.post(channel, "one", nonce="n")
    await guild.delete_message(channel, posted.id)
    with pytest.raises(NotFoundError):
        await guild.post(channel, "one", nonce="n")
    assert await guild.messages(channel) == []


async def test_a_nonce_has_25_characters(guild: Guild, channel: int) -> None:
    assert (await guild.post(channel, "x", nonce="n" * 25)).nonce == "n" * 25
    with pytest.raises(LimitExceededError):
        await guild.post(channel, "x", nonce="n" * 26)


async def test_messages_without_a_nonce_are_posted_each(guild: Guild, channel: int) -> None:
    await guild.post(channel, "x")
    await guild.post(channel, "x")
    assert len(await guild.messages(channel)) == 2


# Pages


async def test_pages_are_newest_first_and_bounded_by_exclusive_ids(guild: Guild, channel: int) -> None:
    posted = [(await guild.post(channel, str(number))).id for number in range(7)]
    newest = posted[::-1]
    assert ids(await guild.messages(channel)) == newest
    assert ids(await guild.messages(channel, limit=3)) == newest[:3]
    assert ids(await guild.messages(channel, before=posted[4], limit=2)) == [posted[3], posted[2]]
    assert ids(await guild.messages(channel, after=posted[1], limit=2)) == [posted[3], posted[2]]
    assert ids(await guild.messages(channel, after=posted[4])) == [posted[6], posted[5]]
    assert await guild.messages(channel, after=posted[6]) == []
    assert await guild.messages(channel, before=posted[0]) == []


async def test_the_ids_that_bound_a_page_need_not_exist(guild: Guild, channel: int) -> None:
    posted = [(await guild.post(channel, str(number))).id for number in range(3)]
    assert ids(await guild.messages(channel, after=0, limit=2)) == [posted[1], posted[0]]
    assert ids(await guild.messages(channel, before=posted[2] + (1 << 30))) == posted[::-1]
    await guild.delete_message(channel, posted[1])
    assert ids(await guild.messages(channel, after=posted[1])) == [posted[2]]
    assert ids(await guild.messages(channel, before=posted[1])) == [posted[0]]


async def test_a_page_has_at_most_100_messages(guild: Guild, channel: int) -> None:
    posted = [(await guild.post(channel, str(number))).id for number in range(103)]
    assert ids(await guild.messages(channel)) == posted[:2:-1]
    assert ids(await guild.messages(channel, after=posted[0])) == posted[100:0:-1]
    for limit in (0, 101):
        with pytest.raises(LimitExceededError):
            await guild.messages(channel, limit=limit)


async def test_a_page_has_one_bound(guild: Guild, channel: int) -> None:
    with pytest.raises(InterfaceError):
        await guild.messages(channel, before=2, after=1)


async def test_a_new_channel_is_empty_and_an_unknown_one_is_not_found(guild: Guild, channel: int) -> None:
    assert await guild.messages(channel) == []
    with pytest.raises(NotFoundError):
        await guild.messages(4)
    with pytest.raises(NotFoundError):
        await guild.message(channel, 4)


async def test_messages_of_others_and_edited_ones_are_told(server: Server, guild: Guild, channel: int) -> None:
    strange = await server.post_as_stranger(channel, "not ours")
    own = await guild.post(channel, "ours")
    await server.edit(channel, own.id, "changed")
    found = {message.id: message for message in await guild.messages(channel)}
    assert found[strange].author != guild.account
    assert not found[strange].edited
    assert (found[own.id].author, found[own.id].content, found[own.id].edited) == (guild.account, "changed", True)


# Files


async def test_files_come_back_byte_for_byte(guild: Guild, channel: int) -> None:
    files = [File("a.jsonl", b"[1]\n"), File("b.bin", bytes(range(256)) * 500)]
    posted = await guild.post(channel, "two files", files)
    assert [(file.name, file.size) for file in posted.attachments] == [("a.jsonl", 4), ("b.bin", 128_000)]
    read = await guild.message(channel, posted.id)
    assert [await guild.download(file) for file in read.attachments] == [file.data for file in files]
    (listed,) = await guild.messages(channel)
    assert [file.id for file in listed.attachments] == [file.id for file in posted.attachments]


async def test_a_message_has_10_files(guild: Guild, channel: int) -> None:
    files = [File(f"{number}.txt", b"x") for number in range(11)]
    assert len((await guild.post(channel, "", files[:10])).attachments) == 10
    with pytest.raises(LimitExceededError):
        await guild.post(channel, "", files)


async def test_files_have_sizes_that_are_too_large(guild: Guild, channel: int) -> None:
    largest = File("large.bin", bytes(guild.file_limit))
    assert guild.file_limit == 10 * MIB
    assert guild.post_limit == 25 * MIB
    posted = await guild.post(channel, "", [largest])
    assert posted.attachments[0].size == 10 * MIB
    with pytest.raises(LimitExceededError):
        await guild.post(channel, "", [File("larger.bin", bytes(guild.file_limit + 1))])
    with pytest.raises(LimitExceededError):
        await guild.post(channel, "", [largest] * 3)


async def test_a_url_expires_and_a_fetch_gives_a_fresh_one(server: Server, guild: Guild, channel: int) -> None:
    posted = await guild.post(channel, "", [File("a.txt", b"data")])
    (old,) = posted.attachments
    server.clock.advance(25 * HOURS)
    with pytest.raises(NotFoundError):
        await guild.download(old)
    (fresh,) = (await guild.message(channel, posted.id)).attachments
    assert (fresh.id, fresh.url != old.url) == (old.id, True)
    assert await guild.download(fresh) == b"data"


async def test_a_file_goes_with_its_message(guild: Guild, channel: int) -> None:
    posted = [await guild.post(channel, "", [File("a.txt", b"data")]) for _ in range(3)]
    await guild.delete_message(channel, posted[0].id)
    await guild.delete_messages(channel, ids(posted[1:]))
    for message in posted:
        with pytest.raises(NotFoundError):
            await guild.download(message.attachments[0])


# Deleting


async def test_a_message_is_deleted_once(guild: Guild, channel: int) -> None:
    posted = await guild.post(channel, "x")
    await guild.delete_message(channel, posted.id)
    assert await guild.messages(channel) == []
    with pytest.raises(NotFoundError):
        await guild.delete_message(channel, posted.id)


async def test_messages_are_deleted_in_bulk_and_missing_ones_do_not_matter(guild: Guild, channel: int) -> None:
    posted = ids([await guild.post(channel, str(number)) for number in range(5)])
    await guild.delete_message(channel, posted[0])
    await guild.delete_messages(channel, posted[:4])
    assert ids(await guild.messages(channel)) == posted[4:]


async def test_bulk_deletion_takes_2_to_100_different_messages(guild: Guild, channel: int) -> None:
    posted = ids([await guild.post(channel, str(number)) for number in range(2)])
    for wrong in ([], posted[:1], [posted[0], posted[0]], posted + [posted[1] + number for number in range(1, 100)]):
        with pytest.raises(LimitExceededError):
            await guild.delete_messages(channel, wrong)
    assert len(await guild.messages(channel)) == 2


async def test_bulk_deletion_is_all_or_nothing_and_ends_at_14_days(server: Server, guild: Guild, channel: int) -> None:
    old = await guild.post(channel, "old")
    server.clock.advance(15 * DAYS)
    new = await guild.post(channel, "new")
    with pytest.raises(LimitExceededError):
        await guild.delete_messages(channel, [old.id, new.id])
    assert len(await guild.messages(channel)) == 2
    await guild.delete_message(channel, old.id)
    assert ids(await guild.messages(channel)) == [new.id]


# Time, counts, the model


async def test_the_stamp_is_a_moment_the_server_has_reached(server: Server, guild: Guild, channel: int) -> None:
    for _ in range(3):
        server.clock.advance(100.0)
        await guild.post(channel, "x")
        stamp = guild.stamp()
        assert stamp is not None
        assert server.clock.now() - 1.0 <= stamp.server <= server.clock.now()
        assert stamp.local == guild.monotonic()


async def test_a_guild_sleeps_by_its_clock(guild: Guild) -> None:
    before = guild.monotonic()
    await guild.sleep(5.0)
    assert guild.monotonic() - before == pytest.approx(5.0)


async def test_requests_are_counted_by_kind_and_bytes(guild: Guild, channel: int) -> None:
    before = guild.requests.copy()
    posted = await guild.post(channel, "häh", [File("a", b"12345")])
    await guild.messages(channel)
    await guild.download(posted.attachments[0])
    with pytest.raises(NotFoundError):
        await guild.message(channel, 4)
    spent = guild.requests.since(before)
    assert spent.count == Counter({"post": 1, "messages": 1, "download": 1, "message": 1})
    assert (spent.rest, spent.downloads) == (3, 1)
    assert (spent.bytes_sent, spent.bytes_received) == (9, 9)


async def test_the_model_counts_the_seconds_on_discord(guild: Guild, channel: int) -> None:
    before = guild.model.seconds
    for number in range(8):
        await guild.post(channel, str(number))
    # Five at once, a tenth of a second each, then one a second.
    assert guild.model.seconds - before == pytest.approx(3.1)


# simcord answers within the call, so that nothing can overlap there.
@pytest.mark.parametrize("server", ["memory", "file", "loopback"], indirect=True)
async def test_requests_that_overlap_take_the_time_of_the_longest(guild: Guild, channel: int) -> None:
    before = guild.model.seconds
    await asyncio.gather(*(guild.messages(channel) for _ in range(4)))
    assert guild.model.seconds - before == pytest.approx(0.1)


# Hints, and the end


@pytest.mark.parametrize("server", ["memory", "file", "simcord"], indirect=True)
async def test_listeners_are_told_of_changes_by_others(server: Server, guild: Guild, channel: int) -> None:
    other = await server.open()
    told: list[int] = []
    stop = guild.listen(told.append)

    async def hints() -> list[int]:
        await asyncio.sleep(0)
        guild.poll()
        found = told.copy()
        told.clear()
        return found

    posted = await other.post(channel, "x")
    assert set(await hints()) == {channel}
    await server.edit(channel, posted.id, "y")
    assert set(await hints()) == {channel}
    await other.delete_message(channel, posted.id)
    assert set(await hints()) == {channel}
    assert await hints() == []
    stop()
    await other.post(channel, "x")
    assert await hints() == []


async def test_a_closed_guild_answers_nothing(guild: Guild, channel: int) -> None:
    await guild.close()
    await guild.close()
    with pytest.raises(InterfaceError):
        await guild.messages(channel)


async def test_two_clients_see_the_same_server(server: Server, guild: Guild, channel: int) -> None:
    other = await server.open()
    posted = await guild.post(channel, "x", nonce="n")
    assert ids(await other.messages(channel)) == [posted.id]
    assert (await other.post(channel, "x", nonce="n")).id == posted.id
    assert other.account == guild.account
    assert guild.requests.count["messages"] == 0
