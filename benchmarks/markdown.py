"""Tables in Markdown, and the places in the documentation that results are written to."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent


def write_between_marks(path: Path, text: str, name: str = "bench") -> None:
    """Replace what stands between the marks of that name in a file. Raises ValueError if it has none."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    whole = path.read_text()
    if start not in whole or end not in whole:
        raise ValueError(f"{path} has no place for results: {start} … {end}")
    path.write_text(re.sub(f"{start}.*?{end}", lambda _: f"{start}\n{text}\n{end}", whole, count=1, flags=re.DOTALL))


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, its first column to the left and the others to the right."""
    marks = ["---", *("---:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, marks, *rows))
