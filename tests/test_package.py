"""The shape of the package: imports point one way, files and functions stay small, public names are what they say."""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import discosql

ROOT = Path(discosql.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# Rooms from the ground up; a module may import from its own row or from rows above it in this list.
LAYERS = (
    ("errors", "sqlite_codes", "reals", "stack"),
    ("types", "adapting", "conversion", "exceptions"),
    ("schema", "statistics"),
    ("planner", "storage"),
    ("executor",),
    ("session", "sharing", "explaining", "limits", "past", "tracing", "upkeep", "detecting", "index_keys"),
    ("rows", "frames", "drive", "opening", "connection", "background", "output"),
    ("aio", "dbapi", "blob", "cursor", "transfer"),
    ("database", "table"),
    ("bot", "cli", "sqlalchemy"),
)
FOREIGN_HOMES = {
    "sqlglot": ("planner",),
    "discord": ("storage.discord", "database", "bot"),
    "cryptography": ("storage.sealing",),
    "pydantic": ("table", "database", "bot"),
    "sqlalchemy": ("sqlalchemy",),
    "alembic": ("sqlalchemy",),
}
MAX_FILE, MAX_FUNCTION = 400, 60


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    """Yield the full name of everything a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(module: str) -> int:
    room = module.split(".")[0]
    for number, rooms in enumerate(LAYERS):
        if any(room == name or room.startswith(f"{name}_") for name in rooms):
            return number
    return len(LAYERS)


def own_imports(path: Path) -> Iterator[str]:
    """Yield the package's own modules that a file imports, without the package's name."""
    for name in imports_of(path):
        parts = name.split(".")
        file = ROOT / Path(*parts[1:])
        if parts[0] == "discosql" and len(parts) > 1 and (file.with_suffix(".py").exists() or file.is_dir()):
            yield name.removeprefix("discosql.")


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_point_one_way(path: Path) -> None:
    module = module_of(path)
    if not module:
        return
    for name in own_imports(path):
        assert layer_of(name) <= layer_of(module), f"{module} imports {name}, which is above it"
        rooms = {module.split(".")[0], name.split(".")[0]}
        assert rooms != {"planner", "storage"}, f"{module} imports {name}"
        if module.startswith("executor") and name.startswith("planner."):
            assert name.startswith("planner.plan"), f"{module} imports {name}, not only the plan"
        if not module.startswith("storage") and name.startswith("storage."):
            doors = ("storage.engine", "storage.inspection") if module.startswith("upkeep") else ("storage.engine",)
            assert name in doors, f"{module} imports {name}, not only the engine"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_foreign_packages_stay_in_their_rooms(path: Path) -> None:
    module = module_of(path)
    for name in imports_of(path):
        homes = FOREIGN_HOMES.get(name.split(".")[0])
        if homes is not None:
            assert module.startswith(homes), f"{module} imports {name}"


def imports_at_import(path: Path) -> Iterator[str]:
    """Yield the own modules that are imported when this one is: not those for type checkers or inside functions."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("discosql."):
            yield (node.module or "").removeprefix("discosql.")


def test_no_import_cycles() -> None:
    graph = {module_of(path): set(imports_at_import(path)) - {module_of(path)} for path in FILES}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, f"import cycle: {' > '.join((*trail, module))}"
        if module in done:
            return
        for name in sorted(graph.get(module, ())):
            if not module.startswith(f"{name}.") and not name.startswith(f"{module}."):
                visit(name, (*trail, module))
        done.add(module)

    for module in sorted(graph):
        if module:
            visit(module, ())


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_files_and_functions_are_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_FILE, f"{path} is longer than {MAX_FILE} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= MAX_FUNCTION, f"{path}: {node.name} has {length} lines"


def test_nine_functions_in_ten_are_within_thirty_lines() -> None:
    lengths = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert lengths[int(0.9 * len(lengths))] <= 30


def test_all_names_what_is_public() -> None:
    public = {
        name
        for name, value in vars(discosql).items()
        if not name.startswith("_") and not isinstance(value, type(sys)) and name not in ("TYPE_CHECKING", "Any")
    }
    assert set(discosql.__all__) == (public - {"import_module"}) | set(discosql._LAZY) | {"aio"}
    for name in discosql.__all__:
        assert getattr(discosql, name) is not None


def test_version_is_that_of_the_changelog_and_the_project() -> None:
    top = ROOT.parent
    changelog = re.search(r"^## \[?(\d+\.\d+\.\d+)", (top / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    project = re.search(r'^version = "([^"]+)"', (top / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert changelog is not None and project is not None
    assert changelog[1] == project[1] == discosql.__version__


def test_life_of_a_statement_names_only_what_exists() -> None:
    """The package's docstring tells the life of a statement by the names of functions; each must exist."""
    named = re.findall(r"`([a-z_.]+\.[A-Za-z_.]+)`", discosql.__doc__ or "")
    assert len(named) > 5
    for dotted in named:
        parts = dotted.split(".")
        for cut in range(len(parts), 0, -1):
            try:
                found: object = importlib.import_module("discosql." + ".".join(parts[:cut]))
            except ModuleNotFoundError:
                continue
            for attribute in parts[cut:]:
                found = getattr(found, attribute)
            break
        else:
            pytest.fail(f"{dotted} does not exist")


def test_importing_needs_no_development_tools_and_no_slow_parts() -> None:
    """``import discosql`` pulls in neither what runs SQL nor what only some users need: scripts start at once."""
    code = (
        "import sys, discosql\n"
        "slow = {'discord', 'pydantic', 'sqlglot', 'discosql.session', 'discosql.storage'}\n"
        "tools = {'hypothesis', 'pytest', 'simcord', 'rich', 'prompt_toolkit'}\n"
        "print(sorted((slow | tools) & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("asked", [False, True])
def test_nothing_is_logged_unless_the_program_asks(asked: bool) -> None:
    code = (
        "import discosql\n"
        "from loguru import logger\n"
        f"if {asked}: logger.enable('discosql')\n"
        "discosql.connect(':memory:').execute('CREATE TABLE t (x)')\n"
        "exec('logger.warning(\"a page is damaged\")', {'logger': logger, '__name__': 'discosql.storage.page_store'})\n"
        "logger.warning('the program says so')\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "the program says so" in answer.stderr
    assert ("a page is damaged" in answer.stderr) is asked


def test_type_checkers_of_other_programs_look_at_the_package() -> None:
    """PEP 561: without this file they take every name of an installed package for Any."""
    assert (ROOT / "py.typed").exists()
