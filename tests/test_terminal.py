"""The shell as a person meets it, in a pseudo-terminal."""

import asyncio
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from discord.http import Route
from guilds import NAME
from loopback import TOKEN, LoopbackDiscord, rate_limited
from stepped_clock import SteppedClock
from terminals import Terminal

import discosql
from discosql.output import MODES

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n;\r"
PROMPT = r"discosql>[\s\x08]*$"  # what follows it are empty lines, and the cursor going back
OPEN = r"discosql\*>[\s\x08]*$"
MORE = r"\.\.\.>[\s\x08]*$"
DONE = r"\d requests?, \d downloads?[\s\S]*" + PROMPT
BAR = r"\[\.*####\.*\]"

LINE = r"(?:\.####|####\.|━━━ )[^#━]*?, \d+ s"  # a bar that has come to an end still tells the time


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with discosql.connect(tmp_path / "shop.disco") as db:
        db.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
        db.executemany("INSERT INTO item (name, price) VALUES (?, ?)", [("tea", 2.5), ("\x1b[31mEVIL\x9b2J", None)])
    db.close()
    return tmp_path


def test_a_session(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "shop.disco", PAGER="cat")
    terminal.expect(PROMPT)
    terminal.type("CREATE TABLE item (id INTEGER PRIMARY KEY, flavour TEXT);\r")
    terminal.expect(DONE)
    terminal.type("INSERT INTO item (flavour)\r")
    terminal.expect(MORE)
    terminal.type("VALUES ('tea');\r")
    assert "1 row changed" in terminal.expect(DONE)
    terminal.type("SELECT flav\t")
    terminal.expect("our")  # only what is new is drawn
    terminal.type(" FROM item;\r")
    answer = terminal.expect(DONE)
    assert "tea" in answer and "1 row, " in answer and "0 requests" in answer
    terminal.type("SELECT 1\rFROM item\rWHERE ORDER BY 1;\r")
    assert re.search(r"line 3: WHERE ORDER BY 1;\n {14}\^\n", terminal.expect(r"SqlSyntaxError[\s\S]*" + PROMPT))
    terminal.type("exit\r")
    assert terminal.close() == 0
    assert "+VALUES ('tea');" in (tmp_path / "history").read_text(encoding="utf-8")
    assert "\x1b[2m" in terminal.raw and "\x1b[31mdiscosql: SqlSyntaxError" in terminal.raw


def test_control_c_ends_the_statement_and_not_the_shell(folder: Path) -> None:
    terminal = Terminal(folder, "shop.disco")
    terminal.expect(PROMPT)
    terminal.type("BEGIN; DELETE FROM item WHERE id = 1;\r")
    terminal.expect(OPEN)
    terminal.type(ENDLESS)
    assert len(set(terminal.expect_moves(BAR))) == 2
    terminal.type("\x03")
    assert "Error" not in terminal.expect(r"interrupted[\s\S]*" + OPEN)
    terminal.type("SELECT count(*) AS items FROM item;\r")
    assert re.search(r"items\n─+\n +1\n", terminal.expect(r"1 row, [\s\S]*" + OPEN))
    terminal.type("SELECT half\r")
    terminal.expect(MORE)
    terminal.type("\x03")
    terminal.expect(OPEN)
    terminal.type("\x03")
    terminal.expect(OPEN)
    terminal.type("\x04")
    assert terminal.close() == 0
    assert "was not committed: it is rolled back" in terminal.raw
    with discosql.connect(folder / "shop.disco") as db:
        assert db.execute("SELECT count(*) FROM item").fetchone() == (2,)
    db.close()


def test_names_are_completed_where_they_fit(folder: Path) -> None:
    terminal = Terminal(folder, "shop.disco")
    terminal.expect(PROMPT)
    terminal.type("select i.na\x01\x0b")  # to the beginning, and all is cut: nothing is run
    terminal.type("select i. from it\t")
    terminal.expect("em")
    terminal.type(" i;" + "\x1b[D" * 13 + "na\t")
    terminal.expect("me")
    terminal.type("\x05\r")
    assert "tea" in terminal.expect(DONE)
    terminal.type(".he\t")
    terminal.expect("lp|aders")
    terminal.type("\x03")
    terminal.expect(PROMPT)
    terminal.type("\x04")
    assert terminal.close() == 0


@pytest.mark.skipif(shutil.which("less") is None, reason="needs less")
def test_ten_thousand_rows_go_through_the_pager_which_control_c_does_not_end(folder: Path) -> None:
    terminal = Terminal(folder, "shop.disco", PAGER="less", LESS="")
    terminal.expect(PROMPT)
    terminal.type(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT 'row ' || i FROM n;\r"
    )
    terminal.expect(r"row 30[\s\S]*:$")
    terminal.type("\x03")
    terminal.expect("\x07|:$")
    # Where less had not yet taken notice of Ctrl-C, that swallows the next key.
    terminal.type("G")
    if "END" not in terminal.expect(r"\(END\)|:$"):
        terminal.type("G")
        assert "row 10000" in terminal.expect(r"\(END\)")
    terminal.type("q")
    terminal.expect(r"10,000 rows, [\s\S]*" + PROMPT)
    terminal.type("SELECT 7 * 6;\r")
    assert "42" in terminal.expect(DONE)
    terminal.type(".quit\r")
    assert terminal.close() == 0


def test_nothing_that_is_stored_reaches_the_terminal_but_as_text(folder: Path) -> None:
    evil = 'SELECT name, name AS "\x1bname" FROM item;\nSELECT 1 \x1b[31mEVIL;\n'
    (folder / "evil.sql").write_text(evil, encoding="utf-8")
    terminal = Terminal(folder, "shop.disco", PAGER="")
    terminal.expect(PROMPT)
    for mode in MODES:
        terminal.type(f".mode {mode}\r")
        terminal.expect(PROMPT)
        terminal.type('SELECT name, name AS "\x16\x1bname" FROM item;\r')
        assert "31mEVIL" in terminal.expect(r"2 rows, [\s\S]*" + PROMPT)
    terminal.type(".dump\r")
    terminal.expect(r"COMMIT;[\s\S]*" + PROMPT)
    terminal.type("\x04")
    assert terminal.close() == 0
    assert "\x1b[31mEVIL" not in terminal.raw and "\x9b" not in terminal.raw and "\x1bname" not in terminal.raw


def test_tables_fit_the_window_as_it_is_now(folder: Path) -> None:
    terminal = Terminal(folder, "shop.disco", columns=120)
    terminal.expect(PROMPT)
    query = "SELECT hex(zeroblob(45)) AS zeros, 1234567890123456 AS number, NULL AS none;\r"
    for columns in (120, 60):
        terminal.resize(columns)
        terminal.type(query)
        answer = terminal.expect(r"was cut[\s\S]*" + PROMPT) if columns == 60 else terminal.expect(DONE)
        line = next(line for line in answer.split("\n") if line.startswith("000"))
        assert len(line.rstrip()) <= columns and "1234567890123456" in line and ("…" in line) == (columns == 60)
    assert "\x1b[2;3m" in terminal.raw  # NULL is not the text NULL
    terminal.type("\x04")
    assert terminal.close() == 0


def test_a_terminal_that_only_prints_and_one_without_colours(folder: Path) -> None:
    dumb = Terminal(folder, "shop.disco", TERM="dumb")
    dumb.expect(PROMPT)
    dumb.type("SELECT name\n")
    dumb.expect(MORE)
    dumb.type("FROM item;\n")
    assert "tea" in dumb.expect(DONE)
    dumb.type("nonsense;\n")
    dumb.expect(r"SqlSyntaxError[\s\S]*" + PROMPT)
    dumb.type("\x04")
    assert dumb.close() == 0 and "\x1b" not in dumb.raw
    grey = Terminal(folder, "shop.disco", NO_COLOR="1")
    grey.expect(PROMPT)
    grey.type("SELECT name FROM item; nonsense;\r")
    grey.expect(r"SqlSyntaxError[\s\S]*" + PROMPT)
    grey.type("\x04")
    assert grey.close() == 0
    assert re.findall(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10\d)(?:;\d+)*m", grey.raw) == []


def test_statements_are_not_remembered_where_they_cannot_be(folder: Path) -> None:
    terminal = Terminal(folder, "shop.disco", HOME="", DISCOSQL_HISTORY="nowhere/history")
    terminal.expect(r"are not remembered[\s\S]*" + PROMPT)
    terminal.type("SELECT 7 * 6;\r")
    assert "42" in terminal.expect(DONE)
    terminal.type("\x04")
    assert terminal.close() == 0


def test_without_the_extra_a_plain_prompt_says_what_to_install(tmp_path: Path) -> None:
    for name in ("prompt_toolkit", "rich"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not installed')\n", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    terminal = Terminal(tmp_path, PYTHONPATH=path)
    terminal.expect(r"pip install 'discosql\[shell\]'[\s\S]*discosql>")
    terminal.type("SELECT 1 +\n")
    terminal.expect(r"\.\.\.>")
    terminal.type("1 AS two;\n")
    terminal.expect(r"two\n---\n  2\n[\s\S]*discosql>")
    terminal.type(ENDLESS.replace("\r", "\n"))
    assert len(set(terminal.expect_moves(BAR))) == 2
    terminal.type("\x03")
    terminal.expect(r"interrupted[\s\S]*discosql>")
    terminal.type("\x04")
    assert terminal.close() == 0


def test_a_bar_grows_with_what_is_reported(tmp_path: Path) -> None:
    program = """
import time
from discosql.cli.progress import ProgressLine
with ProgressLine() as progress:
    for done in range(400):
        progress("rows", done, 400)
        time.sleep(0.005)
    progress.wipe()
    print("at its end")
"""
    for name in ("rich", "plain"):
        folder = tmp_path / name
        folder.mkdir()
        if name == "plain":
            (folder / "rich.py").write_text("raise ImportError\n", encoding="utf-8")
        path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        terminal = Terminal(folder, command=[sys.executable, "-c", program], PYTHONPATH=path)
        first, second = terminal.expect_moves(r" \d+%" if name == "rich" else r"\[#+\.+\] +\d+%")
        assert int(re.findall(r"\d+", first)[0]) < int(re.findall(r"\d+", second)[0])
        if name == "rich":
            lengths = {line.count("━") for line in re.split(r"\d+%", re.sub(r"\x1b\[90m.*?\x1b", "", terminal.raw))}
            assert len(lengths) > 1
        terminal.expect("at its end")
        assert terminal.close() == 0


# On Discord ---------------------------------------------------------------------------------------------------------


class RunningClock(SteppedClock):
    """The clock of a server for other processes, whose clocks run."""

    def now(self) -> float:
        return time.time() + self.elapsed


@pytest.fixture
async def discord() -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord(RunningClock()).running() as running:
        running.backend.create_guild(NAME)
        yield running


def on_discord(folder: Path, *arguments: str) -> Terminal:
    """Run the command with discord.py pointed to the server that runs here."""
    program = (
        f"from discord.http import Route; Route.BASE = {Route.BASE!r}; "
        "import sys; from discosql.cli.main import main; sys.exit(main())"
    )
    return Terminal(folder, *arguments, command=[sys.executable, "-c", program], DISCOSQL_TOKEN=TOKEN)


async def test_control_c_while_discord_makes_it_wait(discord: LoopbackDiscord, tmp_path: Path) -> None:
    terminal = on_discord(tmp_path, f"discord://{NAME}")

    def talk() -> None:
        terminal.expect(PROMPT)
        terminal.type("CREATE TABLE t (a);\r")
        terminal.expect(DONE)
        discord.faults.append(rate_limited(20, method="GET", path="messages$"))
        terminal.type(".messages\r")
        terminal.expect(r"reading messages, \d s")
        terminal.type("\x03")
        terminal.expect(r"interrupted[\s\S]*" + PROMPT)
        terminal.type("SELECT 7 * 6;\r")
        terminal.expect(r"42[\s\S]*" + PROMPT)
        terminal.type(".quit\r")
        assert terminal.close() == 0

    await asyncio.to_thread(talk)


async def test_something_moves_while_commands_wait_for_discord(discord: LoopbackDiscord, tmp_path: Path) -> None:
    place = f"discord://{NAME}"
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\n", encoding="utf-8")

    def slow() -> None:
        discord.faults.append(rate_limited(2, path="messages$"))

    def talk() -> None:
        terminal = on_discord(tmp_path, place)
        terminal.expect(PROMPT)
        for line in (".import t.csv", "INSERT INTO t VALUES (3, 'z');", ".check"):
            slow()
            terminal.type(f"{line}\r")
            assert len(set(terminal.expect_moves(LINE))) == 2
            terminal.expect(PROMPT)
        terminal.type(".quit\r")
        assert terminal.close() == 0
        slow()
        check = on_discord(tmp_path, "check", place)
        assert len(set(check.expect_moves(LINE))) == 2
        assert check.close() == 0 and "ok" in check.raw

    await asyncio.to_thread(talk)
