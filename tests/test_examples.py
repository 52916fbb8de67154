"""The programs in examples/, run by members of a simulated Discord, or as people run them."""

import contextlib
import importlib.util
import re
import runpy
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import discord
import pytest
import simcord
from bot_world import SERVER, bot_world
from discord.ext import commands
from simcord_shim import SimcordShim, shimmed_dispatch
from stepped_clock import SteppedClock

EXAMPLES = Path(__file__).parent.parent / "examples"


def example(name: str) -> ModuleType:
    """Import a program anew: its Table classes belong to one database."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Place:
    """A server with a channel and two members."""

    def __init__(self, env: simcord.Env) -> None:
        self.env = env
        self.guild = env.create_guild(SERVER)
        self.channel = self.guild.create_text_channel("talk")
        self.ada = self.guild.add_member(env.create_user("ada"))
        self.bob = self.guild.add_member(env.create_user("bob"))

    async def ask(self, who: simcord.MemberActor, command: str, **options: Any) -> str:
        return said(await who.slash(self.channel, command, **options))


def said(result: simcord.InteractionResult) -> str:
    message = result.followups[-1] if result.followups else result.response
    assert message is not None
    return "\n".join([message.content, *(embed.description or "" for embed in message.embeds)])


@contextlib.asynccontextmanager
async def place(bot: commands.Bot) -> AsyncIterator[Place]:
    clock = SteppedClock()
    with shimmed_dispatch(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("discosql.storage.discord.Clock", lambda: clock)
        env = simcord.Env(bot)
        SimcordShim(env.backend, clock)
        here = Place(env)
        await env.start()
        yield here
        await env.shutdown()


async def test_bookmarks() -> None:
    module = example("bookmarks")
    bot = module.BookmarkBot(SERVER)
    async with place(bot) as here:
        await bot.database.wait_ready()
        first = await here.ada.send(here.channel, "Simple is better than **complex**. " * 10)
        second = await here.bob.send(here.channel, "@everyone look")
        assert "no bookmarks" in await here.ask(here.ada, "bookmarks")
        for message in (first, second):
            assert "Saved" in said(await here.ada.context_menu(here.channel, "Bookmark", message))
        assert "already" in said(await here.ada.context_menu(here.channel, "Bookmark", first))
        listed = await here.ask(here.ada, "bookmarks")
        assert listed.index("look") < listed.index("Simple")
        assert f"/{first.id})" in listed
        assert "\\*\\*complex" in listed
        assert "no bookmarks" in await here.ask(here.bob, "bookmarks")
        assert "no bookmark of this number" in await here.ask(here.bob, "forget", number=1)
        assert "forgotten" in await here.ask(here.ada, "forget", number=1)
        assert "Simple" not in await here.ask(here.ada, "bookmarks")
        assert bot.database.open
        result = await here.ada.slash(here.channel, "bookmarks")
        assert result.ephemeral
        await bot.close()
        assert not bot.database.open


async def test_scores() -> None:
    module = example("scores")
    bot = module.existing_bot()
    async with place(bot) as here:
        cog = module.Scores(bot, SERVER)
        await bot.add_cog(cog)
        await bot.tree.sync()
        await cog.ready()
        moderator = here.guild.add_member(
            here.env.create_user("max"),
            roles=[here.guild.create_role("mod", permissions=discord.Permissions(manage_guild=True))],
        )
        assert "pong" in await here.ask(here.ada, "ping")
        assert "Nobody" in await here.ask(here.ada, "top")
        assert "award" not in here.ada.available_commands(here.channel)
        assert "awarded 10" in await here.ask(moderator, "award", member=here.ada, points=10)
        assert "gave 4 points" in await here.ask(here.ada, "give", member=here.bob, points=4)
        assert "You have 6 points only" in await here.ask(here.ada, "give", member=here.bob, points=7)
        assert (await here.ask(here.bob, "top")).splitlines()[1:] == [
            f"1. <@{here.ada.id}>: 6",
            f"2. <@{here.bob.id}>: 4",
        ]
        before = cog.database.connection.requests.copy()
        await here.ask(here.bob, "top")
        assert not cog.database.connection.requests.since(before).count
        statistician = here.guild.add_member(here.env.create_user("eve"), roles=[here.guild.create_role("statistics")])
        assert "10" in await here.ask(statistician, "sql", statement="SELECT sum(points) FROM point")
        await bot.remove_cog("Scores")
        assert not cog.database.open
        assert "pong" in await here.ask(here.ada, "ping")


def test_expenses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main = example("expenses").main
    database, file = str(tmp_path / "e.disco"), tmp_path / "e.csv"

    def run(*lines: str) -> list[str]:
        with file.open("a", encoding="utf-8") as grown:
            grown.write("".join(f"{line}\n" for line in lines))
        assert main(database, str(file)) == 0
        return capsys.readouterr().out.splitlines()

    header = "day,category,amount,note"
    answer = run(header, "2024-01-03,food,12.50,bread", "2024-01-09, rent,800,", "2024-02-02,food,0.10,gum")
    assert answer == [
        "3 new expenses",
        "2024-01  rent             800.00  (1 times)",
        "2024-01  food              12.50  (1 times)",
        "2024-02  food               0.10  (1 times)",
    ]
    answer = run("2024-02-03,food,1.15,")
    assert (answer[0], answer[-1]) == ("1 new expenses", "2024-02  food               1.25  (2 times)")
    for wrong, said in (("2024-02-30,food,1,", "cannot store"), ("2024-02-05,food,one,", "InvalidOperation")):
        kept = file.read_text(encoding="utf-8")
        file.write_text(f"{kept}2024-02-04,food,2,\n{wrong}\n", encoding="utf-8")
        assert main(database, str(file)) == 1
        assert said in capsys.readouterr().err
        file.write_text(kept, encoding="utf-8")
    assert run()[0] == "0 new expenses"  # nothing of a file with an error was kept
    assert run("2024-02-04,food,2,")[0] == "1 new expenses"
    assert main(str(tmp_path / "missing" / "e.disco"), str(file)) == 1
    assert "unable to open" in capsys.readouterr().err
    assert main(database, str(tmp_path / "missing.csv")) == 1


@pytest.mark.parametrize("name", ["bookmarks", "scores", "expenses"])
def test_programs_say_what_they_need(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISCOSQL_TOKEN", raising=False)
    monkeypatch.setattr(sys, "argv", [name])
    with pytest.raises(SystemExit, match=r"usage: .*python examples/"):
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_examples_are_named_in_the_documentation(path: Path) -> None:
    top = EXAMPLES.parent
    documents = [top / "README.md", *(top / "docs").glob("*.md"), top / "Makefile"]
    assert any(f"examples/{path.name}" in document.read_text(encoding="utf-8") for document in documents)


async def test_the_page_on_bots_shows_what_is_there() -> None:
    page = (EXAMPLES.parent / "docs" / "bot.md").read_text(encoding="utf-8")
    first, second = re.findall(r"```python\n(.*?)```", page, re.S)
    names: dict[str, Any] = {}
    exec(compile(first, "bot.md", "exec"), names)
    access = names["access"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands.Bot, "run", lambda *_: None)
        exec(compile(second.replace("My Server", SERVER), "bot.md", "exec"), names)
    async with bot_world(access) as world:
        there = world.env.bot.tree.get_commands(guild=discord.Object(world.guild.id))
        told = re.findall(r"^\| `/([a-z ]+)` \|", page, re.M)
        assert sorted(name.split()[0] for name in told) == sorted(command.name for command in there)
        assert world.member.available_commands(world.channel) != ()
    async with place(names["bot"]) as here:
        database = names["database"]
        await here.env.settle()
        assert await database.sql("SELECT * FROM visit") == []
        await database.close()
    checks = re.findall(r"^\| ([a-z ]+) \| (?!what )", page.partition("## discosql doctor")[2], re.M)
    assert checks == [
        "token", "clock", "gateway", "server", "permissions", "commands", "files", "channels", "privacy", "rate limits",
        "database",
    ]  # fmt: skip
