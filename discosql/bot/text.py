"""Text that may come from anybody, made safe to show in Discord, and cut to Discord's limits.

Lengths are counted in UTF-16 units, as Discord's own clients do: never less than the characters that the API counts.
"""

from typing import Final

MAX_CONTENT: Final = 2_000
MAX_TITLE: Final = 256
MAX_DESCRIPTION: Final = 4_096
MAX_FOOTER: Final = 2_048
"""Discord's limits for a message's text and for the parts of an embed."""

FENCE: Final = "```"

PAGE_TEXT: Final = MAX_DESCRIPTION - 2 * (len(FENCE) + 1)
PAGE_LINES: Final = 25
"""A page's size: what fits an embed with its code block, and a screen."""

_MARKDOWN: Final = frozenset("\\*_~`|>[]()#-<@:")


def length(text: str) -> int:
    """Return a text's length in UTF-16 units."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """Return text of at most `limit` units, with an ellipsis where something is missing."""
    if length(text) <= limit:
        return text
    # Every character has one unit or two.
    kept = text[: limit - 1]
    while length(kept) > limit - 1:
        kept = kept[:-1]
    return kept + "…"


def visible(text: str) -> str:
    """Return text without anything that is not seen but does something.

    Control characters (those of ANSI colours too), marks that change the direction of writing, zero-width characters
    and lone surrogates are written as escapes; line ends stay.
    """
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text
    )


def plain(text: str, limit: int) -> str:
    """Return text for a place that Discord reads as Markdown, such as an embed's title: no markup, mention or link."""
    pieces: list[str] = []
    size = 0
    for char in visible(text).replace("\n", " "):
        piece = f"\\{char}" if char in _MARKDOWN else char
        size += length(piece)
        if size >= limit:
            return "".join(pieces) + "…"
        pieces.append(piece)
    return "".join(pieces)


def code_block(text: str) -> str:
    """Return text as a code block that nothing in it can close, leave or colour.

    Within a code block Discord knows no mentions, links or markup; only a backtick could end it, and is shown as its
    look-alike. A block of nothing would not be one.
    """
    safe = visible(text).replace("`", "\u02cb").strip("\n")
    return f"{FENCE}\n{safe or ' '}\n{FENCE}"


def split_pages(text: str, head: int = 0) -> list[str]:
    """Return text cut at line ends into pages that fit `code_block` and an embed.

    The first `head` lines, such as a table's head, are repeated on each page. Lines too long for a page are cut.
    """
    lines = [cut(visible(line), PAGE_TEXT // (head + 1) - 1) for line in text.rstrip("\n").split("\n")]
    top = lines[:head]
    pages: list[list[str]] = []
    size = 0
    for line in lines[head:] or [""]:
        needed = length(line) + 1
        if not pages or size + needed > PAGE_TEXT or len(pages[-1]) == PAGE_LINES:
            pages.append(list(top))
            size = sum(length(line) + 1 for line in top)
        pages[-1].append(line)
        size += needed
    return ["\n".join(page) for page in pages]


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 row``, ``1,200 rows``. The plural is the noun with an s unless given."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
