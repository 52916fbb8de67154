"""The README's examples run as they stand, and it names every public error."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import discosql

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.S)
SHELL = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.S)
    for line in block.splitlines()
    if "discosql " in line and "discord:" not in line
]


@pytest.mark.parametrize("code", PYTHON)
def test_python_examples_run(code: str, tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout


def test_shell_examples_run(tmp_path: Path) -> None:
    bin_folder = str(Path(sys.executable).parent)
    for line in SHELL:
        answer = subprocess.run(
            ["bash", "-ec", f'PATH="{bin_folder}:$PATH"; {line}'],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, f"{line}\n{answer.stderr}"
    assert len(SHELL) >= 3


def test_readme_names_every_error() -> None:
    for name in discosql.__all__:
        value = getattr(discosql, name)
        if isinstance(value, type) and issubclass(value, Exception):
            assert f"`{name}`" in README, name


def test_first_screen_has_the_two_commands() -> None:
    first_screen = "\n".join(README.splitlines()[:40])
    assert "make demo" in first_screen
    assert "make test" in first_screen


@pytest.mark.parametrize("page", ["encryption", "guide", "import", "limits"])
def test_the_examples_of_a_page_run_one_after_the_other(page: str, tmp_path: Path) -> None:
    text = (TOP / "docs" / f"{page}.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.S))
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("page", ["import"])
def test_the_commands_of_a_page_run_one_after_the_other(page: str, tmp_path: Path) -> None:
    text = (TOP / "docs" / f"{page}.md").read_text(encoding="utf-8")
    script = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.S))
    path = f'PATH="{Path(sys.executable).parent}:$PATH"'
    answer = subprocess.run(
        ["bash", "-ec", f"{path}\n{script}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
