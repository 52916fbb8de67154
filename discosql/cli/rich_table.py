"""Tables with the lines and colours that rich draws, where the extra ``shell`` is installed."""

import io
from typing import Final

from discosql.output_table import Grid

GAP: Final = 3
"""Columns of a terminal between two columns of such a table."""

MOST_ROWS: Final = 500
"""Rows above which a table is drawn without rich, which needs half a millisecond for each."""


def rich_table(grid: Grid, encoding: str, *, headers: bool, colours: bool) -> str | None:
    """Return a table as rich draws it, None if rich is not installed or the table is too long.

    Lines are of characters that the terminal's encoding has.
    """
    if len(grid.cells) > MOST_ROWS:
        return None
    try:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return None

    def shown(cell: str | None) -> Text:
        return Text(grid.null, style="dim italic") if cell is None else Text(cell)

    drawn = Table(box=box.SIMPLE_HEAD, show_header=headers, show_edge=False, pad_edge=False, header_style="bold cyan")
    for head, size, right in zip(grid.heads, grid.widths, grid.numeric, strict=True):
        drawn.add_column(Text(head), justify="right" if right else "left", min_width=size, no_wrap=True)
    for row in grid.cells:
        drawn.add_row(*map(shown, row))
    data = io.BytesIO()
    with io.TextIOWrapper(data, encoding=encoding, errors="backslashreplace", newline="\n") as file:
        Console(
            file=file,
            force_terminal=True,
            color_system="standard",
            no_color=not colours,
            width=sum(grid.widths) + GAP * len(grid.widths),
            legacy_windows=False,
        ).print(drawn)
        file.flush()
        return data.getvalue().decode(encoding)
