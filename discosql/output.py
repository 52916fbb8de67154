"""How results are written: aligned tables for people, CSV and JSON for programs."""

import html
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol

from discosql.output_fields import (
    JSON_BETWEEN,
    TSV_NULL,
    csv_field,
    csv_line,
    json_field,
    json_template,
    tsv_field,
    tsv_line,
)
from discosql.output_table import PLAIN, Style, shown, table
from discosql.output_text import padded, printable, width

__all__ = [
    "MODES",
    "PLAIN",
    "Style",
    "Writer",
    "html_line",
    "markdown_line",
    "shown",
    "table",
    "width",
]


class Writer(Protocol):
    """Turns column names and rows into text that ends with a line break, or into nothing."""

    def __call__(self, names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style = PLAIN, /) -> str:
        """Return the text."""


def _separated(names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style = PLAIN) -> str:
    null = style.null or ""
    lines = [csv_line([csv_field(value, null) for value in row]) for row in rows]
    return "".join([csv_line(list(map(csv_field, names))), *lines] if style.headers else lines)


def _tabbed(names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style = PLAIN) -> str:
    null = TSV_NULL if style.null is None else style.null
    lines = [tsv_line([tsv_field(value, null) for value in row]) for row in rows]
    return "".join([tsv_line(list(map(tsv_field, names))), *lines] if style.headers else lines)


def _objects(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    template = json_template(names)
    return [template % tuple(map(json_field, row)) for row in rows]


def _json(names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style = PLAIN) -> str:
    return f"[{JSON_BETWEEN.join(_objects(names, rows))}]\n"


def _json_lines(names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style = PLAIN) -> str:
    return "".join([f"{text}\n" for text in _objects(names, rows)])


def _markdown(names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style = PLAIN) -> str:
    null = _null(style)
    lines = [
        names,
        ["---"] * len(names),
        *[[null if value is None else printable(shown(value)) for value in row] for row in rows],
    ]
    return "".join(map(markdown_line, lines))


def markdown_line(cells: Sequence[str]) -> str:
    """Return a row of a Markdown table; the cells have no line breaks."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _lines(names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style = PLAIN) -> str:
    """Return a value a line, and a blank line between rows."""
    null = _null(style)
    space = max(map(width, names), default=0)
    blocks = [
        "".join(
            f"{padded(name, space, right=True)} = {null if value is None else printable(shown(value))}\n"
            for name, value in zip(names, row, strict=True)
        )
        for row in rows
    ]
    return "\n".join(blocks)


def _html(names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style = PLAIN) -> str:
    null = _null(style)
    body = "".join(html_line("td", [null if value is None else shown(value) for value in row]) for row in rows)
    head = html_line("th", names) if style.headers else ""
    return f"<table>\n{head}{body}</table>\n"


def html_line(kind: str, cells: Iterable[str]) -> str:
    """Return a row of an HTML table; `kind` is ``th`` or ``td``."""
    return f"<tr>{''.join(f'<{kind}>{html.escape(cell)}</{kind}>' for cell in cells)}</tr>\n"


def _null(style: Style) -> str:
    return "NULL" if style.null is None else style.null


MODES: Final[Mapping[str, Writer]] = MappingProxyType(
    {
        "table": table,
        "csv": _separated,
        "tsv": _tabbed,
        "json": _json,
        "jsonl": _json_lines,
        "markdown": _markdown,
        "line": _lines,
        "html": _html,
    }
)
"""The output modes by name."""
