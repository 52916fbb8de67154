"""The documentation's site: its menu has every page, it builds without a warning, and its pages' programs run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
    for name in (
        "dbapi.connect",
        "dbapi.Cursor.fetchone",
        "aio.Connection.execute",
        "table.Table.save",
        "errors.Error",
    ):
        assert f'id="discosql.{name}"' in api, name


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
