"""Results as aligned tables: what stands in each cell, and how wide each column is."""

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from discosql.adapting import timestamp_text
from discosql.output_text import cut, padded, printable, width
from discosql.types import real_text

GAP: Final = 2
"""Columns of a terminal between two columns of a table."""

_NARROWEST: Final = 8
_WIDEST: Final = 60


@dataclass(frozen=True, slots=True)
class Style:
    """How rows are written.

    `null` stands for NULL; None leaves that to the mode. Where `room` is not 0, a table is made to fit in so many
    columns of a terminal, and where `widest` is not 0, no column takes more than that: longer values end with `mark`.
    """

    headers: bool = True
    null: str | None = None
    widest: int = 0
    room: int = 0
    mark: str = "…"


PLAIN: Final = Style()
"""For files and other programs: nothing is cut."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table that is ready to be drawn. A cell is None where the value is NULL; `numeric` columns stand to the right.

    `is_cut` tells that a value is not shown whole.
    """

    heads: list[str]
    cells: list[list[str | None]]
    widths: list[int]
    numeric: list[bool]
    is_cut: bool
    null: str


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


def grid_of(names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style = PLAIN) -> Grid:
    """Lay a result out."""
    null = "NULL" if style.null is None else style.null
    cells = [[None if value is None else printable(shown(value)) for value in row] for row in rows]
    heads = [printable(name) for name in names]
    numeric = [_is_numeric([row[place] for row in rows]) for place in range(len(names))]
    natural = [
        max(
            width(head) if style.headers else 1,
            1,
            *(len(null) if row[place] is None else width(row[place] or "") for row in cells),
        )
        for place, head in enumerate(heads)
    ]
    widths = _fitted(natural, numeric, style)
    if widths == natural:
        return Grid(heads, cells, widths, numeric, False, null)
    heads = [cut(head, size, style.mark) for head, size in zip(heads, widths, strict=True)]
    cells = [
        [cell if cell is None else cut(cell, size, style.mark) for cell, size in zip(row, widths, strict=True)]
        for row in cells
    ]
    return Grid(heads, cells, widths, numeric, True, null)


def _is_numeric(values: Sequence[Any]) -> bool:
    return any(value is not None for value in values) and all(
        value is None or isinstance(value, int | float | Decimal) for value in values
    )


def _fitted(natural: list[int], numeric: list[bool], style: Style) -> list[int]:
    """Return the widths of columns within the limits of a style; the widest are made narrower first.

    Numbers are never cut: they would look like others.
    """

    def limited(limit: int) -> list[int]:
        return [size if whole else min(size, limit) for size, whole in zip(natural, numeric, strict=True)]

    widths = limited(style.widest) if style.widest else natural
    room = style.room - GAP * (len(widths) - 1)
    if not style.room or sum(widths) <= room:
        return widths
    if sum(limited(_NARROWEST)) > room:
        return limited(_WIDEST)  # so many columns fit in no way: the pager shows them side by side
    limits = range(_NARROWEST, max(widths) + 1)
    return limited(limits[bisect_right(limits, room, key=lambda limit: sum(limited(limit))) - 1])


def table(names: Sequence[str], rows: Sequence[Sequence[Any]], style: Style = PLAIN) -> str:
    """Return an aligned table: numbers to the right, NULL written out."""
    return table_text(grid_of(names, rows, style), headers=style.headers) if names else ""


def table_text(grid: Grid, *, headers: bool = True) -> str:
    """Return a table as text without colours."""

    def line(cells: Sequence[str | None]) -> str:
        return (" " * GAP).join(
            padded(grid.null if cell is None else cell, size, right=right)
            for cell, size, right in zip(cells, grid.widths, grid.numeric, strict=True)
        )

    lines = [line(grid.heads), (" " * GAP).join("-" * size for size in grid.widths)] if headers else []
    lines.extend(map(line, grid.cells))
    return "".join(f"{text.rstrip()}\n" for text in lines)
