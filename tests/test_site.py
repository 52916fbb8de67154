"""The documentation's site: its menu has every page, it builds without a warning, and its pages' programs run."""

import dataclasses
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

import discosql
from discosql.cli.dot_commands import DOT_COMMANDS
from discosql.cli.main import COMMANDS, SHELL
from discosql.opening import Options
from documentation.commands import on_page_markdown as list_commands
from documentation.diagrams import DIAGRAMS
from documentation.diagrams import FOLDER as DIAGRAM_FILES
from documentation.drawing import Drawing
from documentation.links import on_page_markdown

TOP = Path(__file__).parent.parent
DOCS = TOP / "docs"


def test_the_menu_has_every_page_once() -> None:
    menu = re.findall(r"^ +- .*: (\w+\.md)$", (TOP / "mkdocs.yml").read_text(encoding="utf-8"), re.M)
    assert sorted(menu) == sorted(path.name for path in DOCS.glob("*.md"))


def test_links_to_code_become_paths() -> None:
    text = "See [examples/scores.py](../examples/scores.py), [the planner](../discosql/planner) and [this](table.md)."
    assert on_page_markdown(text) == (
        "See `examples/scores.py`, the planner (`discosql/planner`) and [this](table.md)."
    )


def test_links_to_code_lead_somewhere() -> None:
    for page in DOCS.glob("*.md"):
        for path in re.findall(r"\]\(\.\./([^)#]+)", page.read_text(encoding="utf-8")):
            assert (TOP / path).exists(), f"{page.name}: {path}"


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocstrings", reason="the group docs is not installed")
    answer = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=TOP,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, answer.stdout + answer.stderr) == (0, "")
    api = (tmp_path / "site" / "api.html").read_text(encoding="utf-8")
    shown = set(re.findall(r'id="(discosql\.[\w.]+)"', api))
    assert {name for name in public_names() if not shown & name} == set()
    pages = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "site").glob("*.html"))
    assert '<script src="iframe-worker.js">' in pages  # which searches in this, where the site is opened as files
    assert (tmp_path / "site" / "search" / "search_index.js").exists()
    assert not re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?//[^"]+"', pages)


def public_names() -> Iterator[frozenset[str]]:
    """Yield for each public name, and each of a public class, the ids that a page may show it under."""
    for name in discosql.__all__:
        value = getattr(discosql, name)
        if name != "aio":
            yield frozenset({f"discosql.{name}", f"discosql.errors.{name}"})
        if isinstance(value, type) and name in CLASSES:
            yield from (frozenset({f"discosql.{name}.{member}"}) for member in members(value))
    yield frozenset({"discosql.aio.connect"})
    for value in (discosql.aio.Connection, discosql.aio.Cursor):
        yield from (frozenset({f"discosql.aio.{value.__name__}.{member}"}) for member in members(value))


CLASSES = ("Connection", "Cursor", "Row", "Blob", "Database", "Table", "Query", "FieldRef")

WITHIN = {
    "Database": {"start", "remember", "connection", "new_connection", "catalog"},
    "Table": {"model_config", "model_post_init"},
    "Query": {"table", "text", "condition", "order", "count_limit", "count_offset"},
    "FieldRef": {"column", "sql"},
}
"""What the rooms of the package use of each other."""


def members(owner: type) -> set[str]:
    """Return the names of a class that programs use: methods and properties, its bases' of this package too."""
    return {
        name
        for base in owner.__mro__
        if base.__module__.startswith("discosql")
        for name, value in vars(base).items()
        if not name.startswith("_")
        and name not in WITHIN.get(owner.__name__, ())
        and not (isinstance(value, type) and issubclass(value, Exception))
    }


def test_every_public_name_has_a_docstring() -> None:
    """Constants too, whose docstrings stand below them."""
    griffe = pytest.importorskip("griffe", reason="the group docs is not installed")
    package = griffe.load("discosql", search_paths=[str(TOP)], resolve_aliases=True)
    for name in discosql.__all__:
        assert package[name].docstring, name
        value = getattr(discosql, name)
        for member in members(value) if isinstance(value, type) and name in CLASSES else ():
            assert inspect.getdoc(inspect.getattr_static(value, member)), f"{name}.{member}"


def test_the_page_on_the_api_has_every_option_of_connect() -> None:
    rows = re.findall(r"^\| (`.*?`) \|", (DOCS / "api.md").read_text("utf-8"), re.M)
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    known = [item.name for item in dataclasses.fields(Options) if item.name != "address"]
    assert sorted(told) == sorted([*known, "check_same_thread", "factory"])


def test_drawings_are_those_of_their_source_and_shown() -> None:
    assert {path.name for path in DIAGRAM_FILES.iterdir()} == {f"{name}.svg" for name in DIAGRAMS}
    pages = "".join(path.read_text("utf-8") for path in DOCS.glob("*.md"))
    for name, draw in DIAGRAMS.items():
        text = (DIAGRAM_FILES / f"{name}.svg").read_text("utf-8")
        assert text == draw().svg(), f"{name}: run python -m documentation.diagrams"
        assert len(re.findall(rf"!\[[^\]]{{20,}}\]\(diagrams/{name}\.svg\)", pages)) == 1, name
        names = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
        assert {"title", "desc"} < names and "image" not in names
        assert "prefers-color-scheme: dark" in text


def test_a_drawing_takes_no_text_that_does_not_fit() -> None:
    drawing = Drawing("title", "description", 100)
    with pytest.raises(ValueError, match="do not fit"):
        drawing.box(10, 10, 60, 40, "a text that is too long")
    with pytest.raises(ValueError, match="do not fit"):
        drawing.box(10, 10, 60, 40, "a", "b", "c")
    with pytest.raises(ValueError, match="leaves the drawing"):
        drawing.text(690, 10, "beyond")
    with pytest.raises(ValueError, match="along an axis"):
        drawing.arrow((0, 0), (10, 10))
    with pytest.raises(ValueError, match="no kind"):
        drawing.box(10, 10, 60, 40, "a", kind="other")


@pytest.mark.parametrize("page", ["index", "api"])
def test_the_programs_of_a_page_run(page: str, tmp_path: Path) -> None:
    programs = re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(encoding="utf-8"), re.S)
    assert programs
    for program in programs:
        answer = subprocess.run(
            [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout


def run_blocks(page: str, folder: Path) -> list[str]:
    """Run a page's commands and programs in order, and return what each printed."""
    shown = []
    for kind, block in re.findall(r"```(sh|python)\n(.*?)```", (DOCS / page).read_text("utf-8"), re.S):
        command = [sys.executable, "-W", "error", "-c", block] if kind == "python" else ["bash", "-ec", block]
        answer = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, f"{block}\n{answer.stderr}"
        shown.append(answer.stdout)
    return shown


def test_the_commands_of_operations(tmp_path: Path) -> None:
    checks, copies, program, logging = run_blocks("operations.md", tmp_path)
    assert "all is well" in checks
    assert copies.endswith("ok\n")
    assert "INSERT INTO" in (tmp_path / "shop.sql").read_text("utf-8")
    assert program == "[(1, 'tea')]\nTrue\n"
    assert logging == ""


def test_the_commands_of_commands(tmp_path: Path) -> None:
    (shown,) = run_blocks("commands.md", tmp_path)
    assert '"name": "tea"' in shown
    assert '"ok": true' in shown


def test_the_commands_of_export(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    files, program, *_ = run_blocks("export.md", tmp_path)
    assert "| 1 | tea | 2.50 |" in files
    assert program == "{'query': 1} []\n"
    assert {"item.csv", "cheap.json", "out", "dear.csv", "shop.sqlite", "prices.db", "shop.duckdb"} <= set(
        os.listdir(tmp_path)
    )


ELSEWHERE = {
    "test_docs_on_discord.py": {"migrating.md", "table.md"},
    "test_examples.py": {"bot.md"},
    "test_quickstart.py": {"quickstart.md"},
    "test_readme.py": {"encryption.md", "guide.md", "import.md", "limits.md"},
    "test_sqlalchemy.py": {"sqlalchemy.md"},
}
"""The tests that run what stands on other pages."""

HERE = {"api.md", "commands.md", "export.md", "index.md", "operations.md", "shell.md"}
MAKE = {"contributing.md", "performance.md", "requests.md", "size.md"}
"""Pages with commands of make only, each of which exists."""


def test_the_commands_and_programs_of_every_page_are_run() -> None:
    told = {
        path.name for path in DOCS.glob("*.md") if re.search(r"^```(python|sh|bash)", path.read_text("utf-8"), re.M)
    }
    assert told == HERE.union(MAKE, *ELSEWHERE.values())
    for file, pages in ELSEWHERE.items():
        code = (TOP / "tests" / file).read_text("utf-8")
        for page in pages:
            assert f'"{page}"' in code or f'"{page.removesuffix(".md")}"' in code, (file, page)
    targets = set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text("utf-8"), re.M))
    for page in DOCS.glob("*.md"):
        assert set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text("utf-8"), re.M)) <= targets, page.name
    for page in MAKE:
        for block in re.findall(r"```(?:sh|bash)\n(.*?)```", (DOCS / page).read_text("utf-8"), re.S):
            assert all(line.startswith("make ") for line in block.splitlines()), page


def test_commands_are_listed_with_their_options() -> None:
    page = list_commands((DOCS / "commands.md").read_text("utf-8"))
    assert "<!--" not in page
    for command in COMMANDS:
        assert command == SHELL or f"### discosql {command}\n\n```text\nusage: discosql {command} " in page
    page = list_commands((DOCS / "shell.md").read_text("utf-8"))
    for name, command in DOT_COMMANDS.items():
        assert f"| `{name}" in page and f"| {command.help} |" in page


def test_the_script_and_the_commands_of_the_shell(tmp_path: Path) -> None:
    script, shown = re.findall(r"```text\n(.*?)```", (DOCS / "shell.md").read_text("utf-8"), re.S)
    answer = subprocess.run(
        [sys.executable, "-m", "discosql"], input=script, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (answer.stdout, answer.stderr) == (shown, "")
    assert run_blocks("shell.md", tmp_path) == ["tea\n"]
    assert (tmp_path / "item.csv").read_text("utf-8") == "id,name\n1,tea\n"


def test_contributing_names_what_is_there() -> None:
    page = (DOCS / "contributing.md").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text("utf-8"), re.M))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", page, re.M))
    assert len(named) >= 5 and named <= targets
    paths = re.findall(r"`(tests/[\w./]+|documentation/|pyproject.toml)`", page)
    assert len(paths) >= 4
    for path in paths:
        assert (TOP / path).exists(), path
