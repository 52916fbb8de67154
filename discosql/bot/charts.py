"""Charts of query results as PNG images, drawn by matplotlib (the extra ``chart``).

The first column says where, the others how much. matplotlib's objects are used without pyplot, which keeps figures in a
global list; drawing is plain computation, to be run in a thread. Text is drawn as it is: matplotlib's mathematical
markup is off.
"""

import io
import math
import threading
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from discosql.bot.text import cut, visible
from discosql.errors import DataError, NotSupportedError
from discosql.output import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind: TypeAlias = Literal["bar", "line", "pie"]

MAX_POINTS: Final = MappingProxyType({"bar": 60, "line": 5_000, "pie": 20})
"""Rows that a chart of a kind may have and still be read."""

MAX_SERIES: Final = 8
MAX_LABEL: Final = 24
MAX_TITLE: Final = 80
SIZE: Final = (10.0, 5.6)
DPI: Final = 100
"""Inches and dots an inch: 1,000 × 560 pixels, what Discord shows without scaling on a desktop."""

MAX_TICKS: Final = 20
MIN_SHARE: Final = 3.0
"""Per cent of a pie below which a piece has no room for its figure."""

FONTS: Final = (
    "DejaVu Sans",  # comes with matplotlib
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "WenQuanYi Zen Hei",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Yu Gothic",
    "Noto Emoji",
)
"""Where glyphs are looked for, in this order, as far as the machine has them."""

MISSING_GLYPH: Final = "\u25a1"

# matplotlib's font cache and text layout are shared by all figures.
_DRAWING: Final = threading.Lock()


def draw(kind: Kind, names: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> bytes:
    """Return a chart as a PNG.

    Raises DataError for rows that make no chart of this kind, NotSupportedError if matplotlib is not installed.
    """
    labels, series = _columns(kind, names, rows)
    try:
        from matplotlib.figure import Figure
        from matplotlib.text import Text
    except ImportError as exc:
        raise NotSupportedError("charts need matplotlib: install it with pip install 'discosql[chart]'") from exc
    heading = title or (f"{', '.join(series)} by {names[0]}" if len(names) > 1 else names[0])
    with _DRAWING:
        figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
        axes = figure.add_subplot()
        _DRAWERS[kind](axes, labels, series)
        axes.set_title(_drawable(heading, MAX_TITLE))
        for text in figure.findobj(Text):
            text.set_parse_math(False)
            text.set_fontfamily(list(_fonts()))
        image = io.BytesIO()
        figure.savefig(image, format="png")
    return image.getvalue()


def _columns(
    kind: Kind, names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> tuple[list[Any], dict[str, list[float]]]:
    """Return the labels and the series by name; NULL is a gap."""
    if not rows:
        raise DataError("the query has no rows, so there is nothing to draw")
    if len(rows) > MAX_POINTS[kind]:
        raise DataError(
            f"a {kind} chart has at most {MAX_POINTS[kind]:,} rows, and the query has {len(rows):,}; "
            "group them, or add LIMIT"
        )
    labels = [row[0] for row in rows] if len(names) > 1 else list(range(1, len(rows) + 1))
    columns = range(1, len(names)) if len(names) > 1 else range(1)
    most = 1 if kind == "pie" else MAX_SERIES
    if len(columns) > most:
        raise DataError(f"a {kind} chart shows at most {most} column{'s' * (most > 1)} of numbers beside the first")
    series: dict[str, list[float]] = {}
    for column in columns:
        name = names[column] if names[column] not in series else f"{names[column]} ({column})"
        series[name] = [_number(names[column], row[column]) for row in rows]
    if all(math.isnan(value) for values in series.values() for value in values):
        raise DataError("all values are NULL, so there is nothing to draw")
    return labels, series


def _number(name: str, value: Any) -> float:
    if value is None:
        return math.nan
    if not isinstance(value, int | float | Decimal):
        raise DataError(
            f"column {name} holds {type(value).__name__} values; a chart needs numbers after the first column"
        )
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise DataError(f"column {name} holds a number that is too large to draw")
    return number


def _label(value: Any) -> str:
    return _drawable("NULL" if value is None else shown(value), MAX_LABEL)


def _series_label(name: str) -> str:
    label = _label(name)
    return f" {label}" if label.startswith("_") else label  # matplotlib leaves such labels out of the legend


def _drawable(text: str, limit: int) -> str:
    """Return text for a chart: one line, cut, and with a box for what none of the fonts has a glyph for."""
    fonts = _fonts().values()
    return "".join(
        char if any(has_glyph(ord(char)) for has_glyph in fonts) else MISSING_GLYPH
        for char in cut(visible(text).replace("\n", " "), limit)
    )


@cache
def _fonts() -> dict[str, Callable[[int], int]]:
    """Return the fonts of this machine by name, each with what tells the number of a character's glyph, 0 for none."""
    from matplotlib import font_manager

    known = {entry.name: entry.fname for entry in font_manager.fontManager.ttflist}
    return {name: font_manager.get_font(known[name]).get_char_index for name in FONTS if name in known}


def _draw_bars(axes: "Axes", labels: list[Any], series: dict[str, list[float]]) -> None:
    width = 0.8 / len(series)
    for number, (name, values) in enumerate(series.items()):
        offset = (number - (len(series) - 1) / 2) * width
        axes.bar([place + offset for place in range(len(labels))], values, width, label=_series_label(name))
    _name_places(axes, labels)
    axes.axhline(0, color="black", linewidth=0.8)
    _finish_axes(axes, series)


def _draw_lines(axes: "Axes", labels: list[Any], series: dict[str, list[float]]) -> None:
    # Numbers and dates have a place of their own on the axis; anything else is set side by side.
    scaled = all(isinstance(label, int | float | Decimal) and math.isfinite(label) for label in labels)
    dated = all(isinstance(label, date) for label in labels)
    places: Sequence[Any] = labels if dated else [float(label) for label in labels] if scaled else range(len(labels))
    for name, values in series.items():
        axes.plot(places, values, label=_series_label(name), marker="o" if len(labels) <= MAX_TICKS * 2 else "")
    if not scaled and not dated:
        _name_places(axes, labels)
    axes.grid(True, alpha=0.3)
    _finish_axes(axes, series)


def _draw_pie(axes: "Axes", labels: list[Any], series: dict[str, list[float]]) -> None:
    ((name, values),) = series.items()
    parts = [(label, value) for label, value in zip(labels, values, strict=True) if not math.isnan(value)]
    if any(value < 0 for _, value in parts) or sum(value for _, value in parts) == 0:
        raise DataError(f"a pie chart needs values of at least 0 and a sum above it; those of {name} are not")
    axes.pie(
        [value for _, value in parts],
        labels=[_label(label) for label, _ in parts],
        autopct=lambda share: f"{share:.1f} %" if share >= MIN_SHARE else "",
        startangle=90,
    )


_DRAWERS: Final = MappingProxyType({"bar": _draw_bars, "line": _draw_lines, "pie": _draw_pie})


def _name_places(axes: "Axes", labels: list[Any]) -> None:
    step = math.ceil(len(labels) / MAX_TICKS)
    texts = [_label(label) for label in labels[::step]]
    slanted = sum(map(len, texts)) > 90
    axes.set_xticks(
        range(0, len(labels), step),
        texts,
        rotation=35 if slanted else 0,
        horizontalalignment="right" if slanted else "center",
    )


def _finish_axes(axes: "Axes", series: dict[str, list[float]]) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    if len(series) > 1:
        axes.legend()
    else:
        axes.set_ylabel(_label(next(iter(series))))
