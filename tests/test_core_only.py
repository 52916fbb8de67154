"""What ``pip install`` without extras brings: it is all that the core needs, and what needs an extra names it."""

import ast
import os
import pty
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pages_walked import blocks, page

from discosql.cli.main import COMMANDS, SHELL

TOP: Final = Path(__file__).parent.parent
PROJECT: Final = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: Final = PROJECT["optional-dependencies"]

_SELECTED = "discosql.connect(':memory:').execute('SELECT 1')"
_EXPORTED = "discosql.connect(':memory:').export({!r}, query='SELECT 1 AS one')"

USES: Final = (
    ("arrow", f"{_SELECTED}.fetch_arrow_table()"),
    ("arrow", _EXPORTED.format("one.parquet")),
    (
        "arrow",
        "from discosql.cli.main import main; open('one.parquet', 'wb').close(); main(['import', 'a', 'one.parquet'])",
    ),
    ("chart", "from discosql.bot.charts import draw; draw('bar', ['a', 'b'], [('x', 1)])"),
    ("crypto", "discosql.connect('sealed.disco', key='secret')"),
    ("duckdb", _EXPORTED.format("one.duckdb")),
    ("pandas", f"{_SELECTED}.fetch_df()"),
    ("sqlalchemy", "import discosql.sqlalchemy.dialect"),
    ("sqlalchemy", _EXPORTED.format("postgresql://localhost/one")),
)
"""What needs each extra. The prompt works without, and so does the storing of rows: see tests of their own."""


def needed(requirements: Iterable[str]) -> Iterator[Distribution]:
    """Yield the distributions that requirements bring, with all that those bring."""
    seen: set[str] = set()
    left = [(Requirement(text), "") for text in requirements]
    while left:
        requirement, extra = left.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        if name not in seen:
            seen.add(name)
            found = distribution(name)
            yield found
            for wanted in ("", *requirement.extras):
                left += [(Requirement(text), wanted) for text in found.requires or ()]


def names_of(found: Iterable[Distribution]) -> set[str]:
    return {canonicalize_name(one.metadata["Name"]) for one in found}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages, with the core's dependencies and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "discosql").symlink_to(TOP / "discosql")
    for one in needed(PROJECT["dependencies"]):
        tops = {file.parts[0] for file in one.files or () if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            if not (folder / top).exists():
                (folder / top).symlink_to(Path(str(one.locate_file(top))))
    return folder


def environment(site: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DISCOSQL"))}
    return {**kept, "PYTHONPATH": str(site)}


def run(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these packages only."""
    ignored = "ignore:'audioop' is deprecated", "ignore:unclosed database"  # as in pyproject.toml
    warnings = [part for each in ("error", *ignored) for part in ("-W", each)]
    command = [sys.executable, "-S", *warnings, *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(site),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_extra_is_looked_at() -> None:
    assert {extra for extra, _ in USES} | {"shell", "speed"} == set(EXTRAS)
    told = re.findall(r"^\| `(\w+)` \|", page("quickstart.md"), re.M)
    assert told == sorted(EXTRAS)


def test_what_is_imported_is_declared() -> None:
    """No module comes from a package that neither the core nor an extra brings, and none is brought in vain."""
    core = names_of(needed(PROJECT["dependencies"]))
    extras = {name: names_of(needed(brought)) for name, brought in EXTRAS.items()}
    optional = {"alembic"}  # extended when SQLAlchemy's users have it
    homes = packages_distributions()
    imported = {
        canonicalize_name(home)
        for path in (TOP / "discosql").rglob("*.py")
        for module in imports_of(path)
        for home in homes.get(module, ())
    } - {"discosql"}
    assert imported <= core.union(*extras.values()) | optional
    for requirement in PROJECT["dependencies"]:
        assert canonicalize_name(Requirement(requirement).name) in imported


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def test_the_core_runs_by_itself(site: Path, tmp_path: Path) -> None:
    programs = "\n".join(block.text for block in blocks(page("README.md")) if block.kind == "python")
    answer = run(site, tmp_path, "-c", f"{programs}\nimport discosql.bot.commands, discosql.bot.service")
    assert answer.returncode == 0, answer.stderr
    answer = run(site, tmp_path, "-m", "discosql", ":memory:", "SELECT 'tea' AS name")
    assert answer.stdout.split() == ["name", "----", "tea"], answer.stderr


def test_every_command_starts_without_extras(site: Path, tmp_path: Path) -> None:
    modules = [name for name in COMMANDS if name != SHELL]
    code = (
        "from discosql.cli.main import COMMANDS, build_parser, module_of\n"
        "for name in COMMANDS:\n    module_of(name).add_arguments(build_parser(name)); print(name)"
    )
    answer = run(site, tmp_path, "-c", code)
    assert set(answer.stdout.split()) == {SHELL, *modules}, answer.stderr


@pytest.mark.parametrize(("extra", "use"), USES)
def test_the_absence_of_an_extra_names_it(extra: str, use: str, site: Path, tmp_path: Path) -> None:
    answer = run(site, tmp_path, "-c", f"import discosql\n{use}")
    last = answer.stderr.splitlines()[-1]
    assert re.match(r"discosql: |discosql\.errors\.\w+: |ModuleNotFoundError: ", last), answer.stderr
    assert f"pip install 'discosql[{extra}]'" in last


def test_the_prompt_without_its_extra(site: Path, tmp_path: Path) -> None:
    """It says what it lacks, and works."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-S", "-m", "discosql", "shop.disco"],
        cwd=tmp_path,
        env={**environment(site), "TERM": "xterm", "DISCOSQL_HISTORY": str(tmp_path / "history")},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as prompt:
        os.write(ours, b"SELECT 'te' || 'a';\n.quit\n")
        assert prompt.wait(30) == 0
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "pip install 'discosql[shell]'" in shown
    assert re.search(r"^tea\b", shown, re.M)
