"""Drawings of boxes and arrows as SVG that readers, screen readers and light and dark pages can use.

A drawing brings its own background, and its colours follow what the reader prefers. It loads nothing.
"""

from collections.abc import Sequence
from html import escape
from typing import Final

WIDTH: Final = 700
"""How wide every drawing is: about a page's column."""

_SIZE: Final = 13
_SMALL: Final = 11.5
_LINE: Final = 17
# How wide characters of the widest of the fonts, DejaVu Sans Bold, are, in parts of its size.
_NARROW: Final = frozenset("iljtfr ,;:.|'()!-")
_WIDE: Final = frozenset("mwMW→…Δ")
_REGULAR: Final = 0.9  # of that, for text that is not bold

_STYLE: Final = """\
  svg { --ink: #1f2328; --mute: #545d68; --line: #77808b; --face: #ffffff; --edge: #d1d9e0; --plain: #f3f5f8;
        --log: #dde8fb; --page: #dcf0e2; --index: #f8ead0; --gone: #ffffff; --stop: #fbdfdf; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e6e8ec; --mute: #a6adba; --line: #8d95a3; --face: #1b1d24; --edge: #3b3f4a; --plain: #292c36;
          --log: #23365c; --page: #1f4430; --index: #4d3c1c; --gone: #1b1d24; --stop: #5a2a2c; }
  }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--ink); }
  .strong { font-weight: 600; }
  .small { font-size: 11.5px; fill: var(--mute); }
  .edge { fill: none; stroke: var(--line); stroke-width: 1.4; }
  .dashed { stroke-dasharray: 5 4; }
  .tip { fill: var(--line); }
  rect { stroke: var(--line); stroke-width: 1; }
  .frame { fill: var(--face); stroke: var(--edge); }
  .group { fill: none; stroke: var(--edge); stroke-width: 1.4; }
"""

KINDS: Final = ("plain", "log", "page", "index", "gone", "stop")
"""What a box is: nothing special, of the log, a page, a page of an index, removed, or an error."""


class Drawing:
    """A drawing that is written from the top down; `title` names it, `description` says in words what it shows."""

    def __init__(self, title: str, description: str, height: int) -> None:
        self._title = title
        self._description = description
        self._height = height
        self._parts: list[str] = []

    def box(self, x: float, y: float, width: float, height: float, *lines: str, kind: str = "plain") -> None:
        """Draw a box with lines in its middle, the first of them strong. Raises ValueError if they do not fit."""
        if kind not in KINDS:
            raise ValueError(f"no kind {kind}")
        widest = max(_width(line, "small" if number else "strong") for number, line in enumerate(lines))
        if widest > width - 8 or len(lines) * _LINE > height - 2:
            raise ValueError(f"{lines} do not fit a box of {width} × {height}: {widest:.0f} × {len(lines) * _LINE}")
        dashed = ' class="dashed"' if kind == "gone" else ""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5"{dashed} '
            f'style="fill: var(--{kind})"/>'
        )
        top = y + height / 2 - (len(lines) - 1) * _LINE / 2 + 4.5
        for number, line in enumerate(lines):
            self.text(x + width / 2, top + number * _LINE, line, style="small" if number else "strong", anchor="middle")

    def group(self, x: float, y: float, width: float, height: float, title: str, note: str = "") -> None:
        """Draw a frame round what belongs together, with its name at the upper left and a note behind it."""
        self._parts.append(f'<rect class="group" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="8"/>')
        self.text(x + 12, y + 21, title, style="strong")
        self.text(x + 22 + _width(title, "strong"), y + 21, note, style="small")

    def text(self, x: float, y: float, text: str, *, style: str = "", anchor: str = "start") -> None:
        """Write a line; `style` is "strong", "small" or nothing. Raises ValueError if it leaves the drawing."""
        width = _width(text, style)
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        if left < 4 or left + width > WIDTH - 4:
            raise ValueError(f"{text!r} leaves the drawing: from {left:.0f} to {left + width:.0f}")
        shown = f' class="{style}"' if style else ""
        self._parts.append(f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{shown}>{escape(text)}</text>')

    def arrow(self, *points: tuple[float, float], dashed: bool = False) -> None:
        """Draw an arrow along straight lines, its tip at the last point."""
        (x0, y0), (x1, y1) = points[-2:]
        along = ((x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0))
        if 0 not in along:
            raise ValueError("the last piece of an arrow goes along an axis")
        line = (*points[:-1], (x1 - 6 * along[0], y1 - 6 * along[1]))
        path = " ".join(f"{'L' if number else 'M'}{x:g},{y:g}" for number, (x, y) in enumerate(line))
        self._parts.append(f'<path class="edge{" dashed" if dashed else ""}" d="{path}"/>')
        back, side = (x1 - 8 * along[0], y1 - 8 * along[1]), (4 * along[1], 4 * along[0])
        corners = ((x1, y1), (back[0] + side[0], back[1] + side[1]), (back[0] - side[0], back[1] - side[1]))
        self._parts.append(f'<polygon class="tip" points="{" ".join(f"{x:g},{y:g}" for x, y in corners)}"/>')

    def svg(self) -> str:
        """Return the drawing as the text of a file."""
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self._height}" width="{WIDTH}" '
                f'height="{self._height}" role="img" aria-labelledby="title description">',
                f'<title id="title">{escape(self._title)}</title>',
                f'<desc id="description">{escape(self._description)}</desc>',
                f"<style>\n{_STYLE}</style>",
                f'<rect class="frame" x="0.5" y="0.5" width="{WIDTH - 1}" height="{self._height - 1}" rx="8"/>',
                *self._parts,
                "</svg>\n",
            )
        )


def _width(text: str, style: str) -> float:
    ems = sum(0.42 if c in _NARROW else 1.02 if c in _WIDE else 0.8 if c.isupper() else 0.7 for c in text)
    return ems * (_SMALL if style == "small" else _SIZE) * (1 if style == "strong" else _REGULAR)


def row_of(count: int, left: float, width: float, gap: float) -> Sequence[float]:
    """Return where boxes of a row begin."""
    return [left + number * (width + gap) for number in range(count)]
