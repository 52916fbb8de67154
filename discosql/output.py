"""How results are written: aligned tables for people, CSV and JSON for programs."""

import csv
import html
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from unicodedata import category, east_asian_width
from uuid import UUID

from discosql.adapting import timestamp_text
from discosql.types import real_text

Writer: TypeAlias = Callable[[Sequence[str], Sequence[Sequence[Any]]], str]
"""Turns column names and rows into text that ends with a line break, or into nothing."""


def shown(value: Any) -> str:
    """Return a value as people and CSV files read it; NULL is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return real_text(value) if value == value else "NaN"
    if isinstance(value, bytes):
        return "x'" + value.hex() + "'"
    if isinstance(value, datetime):
        return timestamp_text(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if category(char) in ("Mn", "Me", "Cf") else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


def _printable(text: str) -> str:
    """Show control characters as escapes, so that stored text cannot move a terminal's cursor or break a table."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _padded(text: str, columns: int, *, right: bool) -> str:
    space = " " * (columns - width(text))
    return space + text if right else text + space


def table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return an aligned table: numbers to the right, NULL written out."""
    if not names:
        return ""
    cells = [["NULL" if value is None else _printable(shown(value)) for value in row] for row in rows]
    heads = [_printable(name) for name in names]
    widths = [max(width(head), *(width(row[place]) for row in cells), 1) if cells else max(width(head), 1)
              for place, head in enumerate(heads)]  # fmt: skip
    numeric = [
        any(row[place] is not None for row in rows)
        and all(row[place] is None or isinstance(row[place], int | float | Decimal) for row in rows)
        for place in range(len(names))
    ]
    lines = [
        "  ".join(_padded(head, size, right=right) for head, size, right in zip(heads, widths, numeric, strict=True))
    ]
    lines.append("  ".join("-" * size for size in widths))
    lines.extend(
        "  ".join(_padded(cell, size, right=right) for cell, size, right in zip(row, widths, numeric, strict=True))
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _separated(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([shown(value) for value in row] for row in rows)
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


def _json(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    return _json_array({name: json_value(value) for name, value in zip(names, row, strict=True)} for row in rows)


def _json_array(items: Iterable[dict[str, Any]]) -> str:
    lines = [json.dumps(item, ensure_ascii=False) for item in items]
    return "[" + ",\n ".join(lines) + "]\n"


def _tabbed(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return tab-separated lines; tabs and line breaks in values are escaped as ``\\t``, ``\\n`` and so on."""
    lines = [names, *[[shown(value) for value in row] for row in rows]]
    return "".join("\t".join(map(_escaped, line)) + "\n" for line in lines)


def _escaped(text: str) -> str:
    for character, escape in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(character, escape)
    return text


def _json_lines(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    items = ({name: json_value(value) for name, value in zip(names, row, strict=True)} for row in rows)
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)


def _markdown(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [
        names,
        ["---"] * len(names),
        *[["NULL" if v is None else _printable(shown(v)) for v in row] for row in rows],
    ]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _lines(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a value a line, and a blank line between rows."""
    space = max(map(width, names), default=0)
    blocks = [
        "".join(
            f"{_padded(name, space, right=True)} = {'NULL' if value is None else _printable(shown(value))}\n"
            for name, value in zip(names, row, strict=True)
        )
        for row in rows
    ]
    return "\n".join(blocks)


def _html(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    def line(kind: str, cells: Iterable[str]) -> str:
        return f"<tr>{''.join(f'<{kind}>{html.escape(cell)}</{kind}>' for cell in cells)}</tr>\n"

    body = "".join(line("td", ["NULL" if value is None else shown(value) for value in row]) for row in rows)
    return f"<table>\n{line('th', names)}{body}</table>\n"


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
