"""How results are written: aligned tables for people, CSV and JSON for programs."""

import csv
import html
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Protocol
from uuid import UUID

from discosql.output_table import PLAIN, Style, shown, table
from discosql.output_text import padded, printable, width

__all__ = [
    "MODES",
    "PLAIN",
    "Style",
    "Writer",
    "escaped",
    "html_line",
    "json_value",
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
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    null = style.null or ""
    if style.headers:
        writer.writerow(names)
    writer.writerows([null if value is None else shown(value) for value in row] for row in rows)
    return out.getvalue()


def json_value(value: Any) -> Any:
    """Return a value as JSON has it: BLOBs as hexadecimal text, infinities and dates as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return shown(value)
    if isinstance(value, Decimal | UUID | date):
        return shown(value)
    return value


def _json(names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style = PLAIN) -> str:
    return _json_array({name: json_value(value) for name, value in zip(names, row, strict=True)} for row in rows)


def _json_array(items: Iterable[dict[str, Any]]) -> str:
    lines = [json.dumps(item, ensure_ascii=False) for item in items]
    return "[" + ",\n ".join(lines) + "]\n"


def _tabbed(names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style = PLAIN) -> str:
    """Return tab-separated lines; tabs and line breaks in values are escaped as ``\\t``, ``\\n`` and so on."""
    null = style.null or ""
    lines = [[null if value is None else escaped(shown(value)) for value in row] for row in rows]
    if style.headers:
        lines.insert(0, list(map(escaped, names)))
    return "".join("\t".join(line) + "\n" for line in lines)


_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def escaped(text: str) -> str:
    """Return a value of tab-separated lines with tabs, line breaks and backslashes as escapes."""
    return text.translate(_ESCAPES)


def _json_lines(names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style = PLAIN) -> str:
    items = ({name: json_value(value) for name, value in zip(names, row, strict=True)} for row in rows)
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)


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
