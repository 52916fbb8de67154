"""Stored text in Discord: nothing of it breaks out of its code block, its title or its page."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from discosql.bot.pages import Answer
from discosql.bot.text import (
    MAX_DESCRIPTION,
    MAX_TITLE,
    PAGE_LINES,
    PAGE_TEXT,
    code_block,
    count,
    cut,
    length,
    plain,
    split_pages,
    visible,
)
from discosql.output import table

# What Discord's clients take for a code block, and for its language.
BLOCK = re.compile(r"```(?:([a-z0-9_+\-.#]+?)\n)?\n*([^\n][^\0]*?)\n*```", re.I)

NASTY = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "`", "``", "```", "```ansi\n", "\n", "\r", "\u200b", "\u200d", "\u2028", "\u202e", "\x1b[31m", "\0",
                "@everyone", "@here", "<@1>", "<@&1>", "<#1>", "<:a:1>", "https://discord.gg/x", "[x](https://x.y)",
                "**", "__", "~~", "||", "> ", "# ", "-# ", "\\", "\ud800", "😀", "\u0301", "ˋ", " ",
            ]
        ),
        st.text(max_size=5),
    ),
    max_size=30,
).map("".join)  # fmt: skip


@settings(max_examples=60)
@given(NASTY)
@example("```")
@example("``" + "`")
@example("\n```\n@everyone")
@example("`\u200b`\u200b`")
@example("")
@example("\n\n")
@example("ansi\n\x1b[31mred")
def test_a_code_block_is_one_block_whatever_is_in_it(text: str) -> None:
    block = code_block(text)
    found = BLOCK.fullmatch(block)
    assert found is not None
    assert found[1] is None, "a language, which could be one with colours"
    assert "`" not in found[2]
    assert [match.span() for match in BLOCK.finditer(block)] == [(0, len(block))]
    assert all(char.isprintable() or char == "\n" for char in block)
    block.encode()


@given(NASTY, st.integers(1, 300))
def test_titles_have_no_markup_mentions_or_links(text: str, limit: int) -> None:
    title = plain(text, limit)
    assert length(title) <= limit
    assert "\n" not in title
    assert all(char.isprintable() for char in title)
    unescaped = re.sub(r"\\[^0-9A-Za-z\s]", "", title)
    assert not re.search(r"[*_~`|>\[\]#<@]|://", unescaped)
    assert not unescaped.endswith("\\")


@given(NASTY)
def test_titles_say_what_they_were_given(text: str) -> None:
    assert re.sub(r"\\([^0-9A-Za-z\s])", r"\1", plain(text, 10_000)) == visible(text).replace("\n", " ")


@given(st.lists(NASTY, max_size=60), st.integers(0, 2))
def test_pages_fit_and_lose_no_line(lines: list[str], head: int) -> None:
    text = "\n".join(line.replace("\n", "") for line in lines)
    pages = split_pages(text, head)
    for page in pages:
        assert length(code_block(page)) <= MAX_DESCRIPTION
        assert page.count("\n") < PAGE_LINES
    shown = [line for number, page in enumerate(pages) for line in page.split("\n")[head if number else 0 :]]
    wanted = [visible(line) for line in text.rstrip("\n").split("\n")]
    assert [line for line in shown if line] == [line for line in wanted if line]


@given(st.text("a😀`", min_size=1, max_size=3), st.integers(1, 9_000), st.integers(0, 2))
def test_lines_too_long_for_a_page_are_cut(unit: str, times: int, head: int) -> None:
    text = "\n".join([unit * times] * 4)
    for page in split_pages(text, head):
        assert length(page) <= PAGE_TEXT
        assert all(line.endswith("…") or line == unit * times for line in page.split("\n"))


@given(NASTY, st.lists(st.tuples(NASTY, NASTY), max_size=40))
def test_answers_stay_within_discords_limits(title: str, rows: list[tuple[str, str]]) -> None:
    answer = Answer.of(title * 20, table(("one", "two"), rows), f"{len(rows)} rows", head=2)
    for page in range(len(answer.pages)):
        embed = answer.embed(page)
        assert length(embed.title or "") <= MAX_TITLE
        assert length(embed.description or "") <= MAX_DESCRIPTION
        assert len(embed) <= 6_000
        assert len(embed.fields) == 0
        assert (embed.description or "").startswith("```\none")


@given(NASTY, st.integers(1, 50))
def test_cutting(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert length(short) <= limit
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


def test_lengths_are_those_of_discords_clients() -> None:
    assert [length(text) for text in ("", "a", "é", "😀", "\ud800")] == [0, 1, 1, 2, 1]


def test_counts() -> None:
    assert [count(1, "row"), count(0, "row"), count(1200, "row")] == ["1 row", "0 rows", "1,200 rows"]
    assert count(2, "index", "indexes") == "2 indexes"
