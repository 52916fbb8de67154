"""Text as a terminal shows it: how wide it is, and what in it would do something else than be seen."""

from bisect import bisect_right
from typing import Final
from unicodedata import category, east_asian_width

_NON_JOINER: Final = "\u200c"
_JOINER: Final = "\u200d"
_AS_EMOJI: Final = "\ufe0f"
_SKIN: Final = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes, emoji that are made of several characters as one."""
    if text.isascii():
        return len(text)
    columns = last = 0
    before = ""
    for char in text:
        if char == _AS_EMOJI:
            columns += last == 1
            last = 2
        elif (char in _SKIN and last) or (before == _JOINER and category(char) == "So"):
            pass
        elif category(char) not in ("Mn", "Me", "Cf"):
            last = 2 if east_asian_width(char) in "WF" else 1
            columns += last
        before = char
    return columns


def printable(text: str) -> str:
    """Show control characters as escapes, so that stored text cannot move a terminal's cursor or break a table.

    So are characters that hide or turn round what is next to them. The two joiners stay where scripts need them.
    """
    if text.isprintable():
        return text
    shown = []
    before = ""
    for char in text:
        joins = char in (_JOINER, _NON_JOINER) and not before.isascii()
        shown.append(char if joins or char.isprintable() else char.encode("unicode_escape").decode())
        before = char
    return "".join(shown)


def harmless(text: str) -> str:
    """Return several lines of text as `printable` does, line breaks and tabs as they are."""
    if text.isprintable():
        return text
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def cut(text: str, columns: int, mark: str = "…") -> str:
    """Return a text that takes at most so many columns; what is left out is told by a mark at the end."""
    if len(text) <= columns // 2:
        return text
    # A character takes no column at all in some scripts, but seldom more than a few in a row.
    head = text[: 8 * columns]
    if len(head) == len(text) and width(text) <= columns:
        return text
    room = max(0, columns - width(mark))
    length = room if head.isascii() else bisect_right(range(len(head) + 1), room, key=lambda n: width(head[:n])) - 1
    return head[:length] + mark


def padded(text: str, columns: int, *, right: bool) -> str:
    """Return a text with spaces that make it as wide as that, before it if it stands to the right."""
    space = " " * (columns - width(text))
    return space + text if right else text + space
