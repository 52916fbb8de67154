"""The typed API under mypy and pyright: what is right passes in their strictest mode, what is wrong is an error.

In the file of wrong uses a comment on each wrong line names the error that each of the two must report there.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
RIGHT = TOP / "tests" / "typing" / "table_use.py"
WRONG = TOP / "tests" / "typing" / "table_misuse.py"

Errors = dict[Path, dict[int, set[str]]]


def mypy_errors() -> Errors:
    """Return the codes of mypy's errors by file and line; strict and python_version are the project's."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--hide-error-context", str(RIGHT), str(WRONG)]
    answer = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert answer.returncode in (0, 1), answer.stdout + answer.stderr
    errors: Errors = {RIGHT: {}, WRONG: {}}
    for line in answer.stdout.splitlines():
        match = re.fullmatch(r"(\S+\.py):(\d+): error: .*\[([a-z-]+)\]", line)
        assert match is not None or ": note: " in line, line
        if match is not None:
            errors[TOP / match[1]].setdefault(int(match[2]), set()).add(match[3])
    return errors


def pyright_errors(folder: Path) -> Errors:
    """Return the rules of pyright's errors by file and line."""
    files = [str(RIGHT), str(WRONG)]
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": files, "extraPaths": [str(TOP)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    answer = subprocess.run([*command, "-p", str(folder)], cwd=folder, capture_output=True, text=True, check=False)
    assert answer.returncode in (0, 1), answer.stdout + answer.stderr
    errors: Errors = {RIGHT: {}, WRONG: {}}
    for found in json.loads(answer.stdout)["generalDiagnostics"]:
        if found["severity"] == "error":
            line = found["range"]["start"]["line"] + 1
            errors[Path(found["file"])].setdefault(line, set()).add(found.get("rule", "syntax"))
    return errors


@pytest.fixture(scope="module", params=["mypy", "pyright"])
def checked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Errors]:
    """Both files, checked by each of the two."""
    if request.param == "mypy":
        return request.param, mypy_errors()
    return request.param, pyright_errors(tmp_path_factory.mktemp("pyright"))


def expected(path: Path, place: int) -> dict[int, str]:
    """Return what the comments say: the code in that place of each comment, by line."""
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = re.search(r"  # ([a-z-]+) (report\w+)$", line)
        if match is not None:
            found[number] = match[place]
    return found


def test_what_is_right_passes(checked: tuple[str, Errors]) -> None:
    assert checked[1][RIGHT] == {}


def test_what_is_wrong_is_an_error(checked: tuple[str, Errors]) -> None:
    checker, errors = checked
    wanted = expected(WRONG, 1 if checker == "mypy" else 2)
    assert len(wanted) > 50
    assert {line: code for line, code in wanted.items() if code not in errors[WRONG].get(line, ())} == {}
    # A wrong line can bring further errors with it, a right one none.
    assert set(errors[WRONG]) - set(wanted) == set()
