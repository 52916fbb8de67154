"""Requests that fail by plan do what each fault says."""

import pytest
from faults import Crash, Fault, FaultyGuild, at, on

from discosql.errors import ForbiddenError, NoAnswerError, NotFoundError, UnavailableError
from discosql.storage.local import LocalGuild


async def channel_of(guild: FaultyGuild | LocalGuild) -> int:
    category = await guild.create_category("x")
    return (await guild.create_channel("x", category.id)).id


@pytest.mark.parametrize(
    ("fault", "error", "posted"),
    [
        (Fault.LOST, UnavailableError, 0),
        (Fault.RATE_LIMITED, UnavailableError, 0),
        (Fault.NO_ANSWER, NoAnswerError, 1),
        (Fault.NOT_DONE, NoAnswerError, 0),
        (Fault.FORBIDDEN, ForbiddenError, 0),
        (Fault.NOT_FOUND, NotFoundError, 0),
        (Fault.CRASH_BEFORE, Crash, 0),
        (Fault.CRASH_AFTER, Crash, 1),
    ],
)
async def test_a_fault_does_what_it_says(fault: Fault, error: type[BaseException], posted: int) -> None:
    inner = LocalGuild.memory()
    guild = FaultyGuild(inner, at(3, fault))
    channel = await channel_of(guild)
    with pytest.raises(error):
        await guild.post(channel, "x")
    assert len(await inner.messages(channel)) == posted
    assert (guild.number, guild.kinds) == (3, ["create_category", "create_channel", "post"])
    if guild.crashed:
        with pytest.raises(Crash):
            await guild.post(channel, "y")
    else:
        await guild.post(channel, "y")
    await guild.close()


async def test_a_late_request_is_carried_out_after_the_next() -> None:
    guild = FaultyGuild(LocalGuild.memory(), on("post", Fault.LATE))
    channel = await channel_of(guild)
    with pytest.raises(NoAnswerError):
        await guild.post(channel, "late")
    assert await guild.messages(channel) == []
    assert [message.content for message in await guild.messages(channel)] == ["late"]
    await guild.close()


async def test_a_doubled_request_posts_twice_unless_it_has_a_nonce() -> None:
    guild = FaultyGuild(LocalGuild.memory(), on("post", Fault.TWICE, times=2))
    channel = await channel_of(guild)
    await guild.post(channel, "x")
    assert len(await guild.messages(channel)) == 2
    await guild.post(channel, "x", nonce="n")
    assert len(await guild.messages(channel)) == 3
    await guild.close()


async def test_faults_can_be_planned_by_kind() -> None:
    guild = FaultyGuild(LocalGuild.memory(), on("post", Fault.LOST, nth=2, times=2))
    channel = await channel_of(guild)
    outcomes = []
    for number in range(5):
        try:
            await guild.post(channel, str(number))
            outcomes.append(True)
        except UnavailableError:
            outcomes.append(False)
    assert outcomes == [True, False, False, True, True]
    await guild.close()
