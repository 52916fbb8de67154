"""The code blocks of the documentation's pages, and running them as a reader would."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).parent.parent
DOCS: Final = TOP / "docs"

_BLOCK: Final = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.M | re.S)
_STRANGE: Final = ("PYTHON", "DISCOSQL", "VIRTUAL_ENV", "PYTEST")
_SHELL: Final = ("bash", "sh")
_END: Final = "\x1e"  # stands behind what a block has printed


@dataclass(frozen=True)
class Block:
    """A block of code: `title` is the name of the file that it belongs into, "" if it is to be run as it is."""

    kind: str
    title: str
    text: str


@dataclass(frozen=True)
class Run:
    """What a block of shell commands has printed, and what the page says that it prints, if it says so."""

    commands: str
    printed: str
    told: str | None


def page(name: str) -> str:
    """Return the text of a page of docs/, or of README.md."""
    return (TOP / name if name == "README.md" else DOCS / name).read_text(encoding="utf-8")


def part(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"no heading {heading}"
    return re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.M)[0]


def blocks(text: str) -> list[Block]:
    """Return all blocks of a text in their order."""
    return [Block(kind, title, code) for kind, title, code in _BLOCK.findall(text)]


def walk(found: Sequence[Block], folder: Path, *, python: Path | None = None) -> list[Run]:
    """Do what blocks say in one terminal that begins in `folder`: write files, run commands.

    The terminal has the commands of this environment. With `python`, a folder with a Python, it has those of that, and
    nothing of this environment that could make up for a step that is missing.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith(_STRANGE)}
    environment = os.environ if python is None else own
    commands = Path(sys.executable).parent if python is None else python
    steps, told = [], []
    for block in found:
        if block.kind in _SHELL:
            steps.append(f"{block.text}\nprintf '{_END}'")
            told.append((block.text, None))
        elif block.title:
            steps.append(f"cat > {block.title} <<'END OF FILE'\n{block.text}END OF FILE")
        elif block.kind == "text":
            told[-1] = (told[-1][0], block.text)
    answer = subprocess.run(
        ["bash", "-c", "set -e\n" + "\n".join(steps)],
        cwd=folder,
        env={**environment, "PATH": f"{commands}:/usr/bin:/bin", "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    printed = answer.stdout.split(_END)
    return [Run(commands, said, expected) for (commands, expected), said in zip(told, printed, strict=False)]
