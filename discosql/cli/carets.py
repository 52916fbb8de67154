"""The place of an error in the SQL: its line, and a caret below."""

from collections.abc import Iterator
from typing import Final

from discosql.errors import Error, SqlSyntaxError, UnknownNameError
from discosql.output_text import cut, printable, width
from discosql.planner.tokens import tokenize, unquote

_TAB: Final = "    "


def placed(exc: Error, sql: str) -> SqlSyntaxError | None:
    """Return an error with its place in a statement, None where that is not known.

    An unknown name is known to be meant where it stands only once, with nothing before it that it does not name.
    """
    if isinstance(exc, SqlSyntaxError):
        return exc if exc.sql else None
    if not isinstance(exc, UnknownNameError) or not exc.names:
        return None
    tokens = list(tokenize(sql))
    texts = [unquote(token.text).lower() for token in tokens]
    pattern = [part for name in exc.names for part in (".", name.lower())][1:]
    size = len(pattern)
    found = [
        tokens[place]
        for place in range(len(tokens) - size + 1)
        if texts[place : place + size] == pattern and tokens[place].kind != "string"
    ]
    return SqlSyntaxError(str(exc), sql, found[0].start) if len(found) == 1 else None


def caret_lines(exc: SqlSyntaxError, room: int = 0, first: int = 1) -> Iterator[str]:
    """Yield the line of the SQL with an error, and below it a caret at the place.

    Of a line that takes more than `room` columns (0: there is no limit) the part around the place is shown. `first` is
    the number of the first line, which is told where there are several.
    """
    lines = exc.sql.split("\n")
    line = lines[min(exc.line, len(lines)) - 1]
    title = f"line {first + exc.line - 1}: " if len(lines) > 1 else "  "
    before, after = _shown(line[: exc.column - 1]), _shown(line[exc.column - 1 :])
    room -= len(title)
    if room > 0 and width(before) + width(after) > room:
        before = _end_of(before, room * 3 // 4)
        after = cut(after, room - width(before))
    yield f"{title}{before}{after}".rstrip()
    yield " " * (len(title) + width(before)) + "^"


def _shown(text: str) -> str:
    return printable(text.rstrip("\r").replace("\t", _TAB))


def _end_of(text: str, columns: int) -> str:
    """Return the end of a text that takes at most so many columns."""
    if width(text) <= columns:
        return text
    while width(text) >= columns:
        text = text[max(1, (len(text) - columns) // 2) :]
    return f"…{text}"
