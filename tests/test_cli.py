"""The discosql command, run as people run it: as a process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import discosql
from discosql.cli.main import COMMANDS
from discosql.cli.progress import speed_of

# discord.py imports a module that Python is about to drop.
WARNINGS = ["-W", "error", "-W", "ignore:'audioop' is deprecated:DeprecationWarning"]
PYTHON = [sys.executable, *WARNINGS, "-m", "discosql"]
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "DISCOSQL_TOKEN"}


def run(*arguments: str, stdin: str = "", cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PYTHON, *arguments], input=stdin, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with discosql.connect(tmp_path / "shop.disco") as db:
        db.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL, photo BLOB, made DATE)")
        db.executemany(
            "INSERT INTO item (name, price, photo, made) VALUES (?, ?, ?, ?)",
            [("tea", 2.5, b"\x01", "2024-02-29"), ("玫瑰 jam", None, None, None), ('say "hi",\n', 10, None, None)],
        )
    db.close()
    return tmp_path


def test_sql_from_an_argument_as_a_table(folder: Path) -> None:
    answer = run("shop.disco", "SELECT name, price, made FROM item", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == (
        "name         price  made\n"
        "-----------  -----  ----------\n"
        "tea            2.5  2024-02-29\n"
        "玫瑰 jam      NULL  NULL\n"
        'say "hi",\\n   10.0  NULL\n'
    )


def test_csv_and_json(folder: Path) -> None:
    answer = run("--mode", "csv", "shop.disco", "SELECT id, name, price FROM item", cwd=folder)
    assert answer.stdout == 'id,name,price\n1,tea,2.5\n2,玫瑰 jam,\n3,"say ""hi"",\n",10.0\n'
    answer = run("-m", "json", "shop.disco", "SELECT * FROM item LIMIT 2", cwd=folder)
    assert json.loads(answer.stdout) == [
        {"id": 1, "name": "tea", "price": 2.5, "photo": "01", "made": "2024-02-29"},
        {"id": 2, "name": "玫瑰 jam", "price": None, "photo": None, "made": None},
    ]


def test_changes_are_committed_from_arguments_files_and_standard_input(folder: Path) -> None:
    (folder / "more.sql").write_text("INSERT INTO item (name) VALUES ('file'); -- done\n", encoding="utf-8")
    for arguments, stdin in (
        (("shop.disco", "INSERT INTO item (name) VALUES ('argument')"), ""),
        (("shop.disco", "-f", "more.sql"), ""),
        (("shop.disco",), "INSERT INTO item (name)\nVALUES ('input');\n"),
        (("shop.disco", "BEGIN", "DELETE FROM item", "ROLLBACK"), ""),
    ):
        answer = run(*arguments, stdin=stdin, cwd=folder)
        assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    answer = run("-m", "csv", "shop.disco", "SELECT name FROM item WHERE id > 3 ORDER BY id", cwd=folder)
    assert answer.stdout.split() == ["name", "argument", "file", "input"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("shop.disco", "SELEC 1"), 'near "SELEC": syntax error'),
        (("shop.disco", "SELECT * FROM nowhere"), "no such table: nowhere"),
        (("shop.disco", "INSERT INTO item (id) VALUES (1)"), "UNIQUE constraint failed: item.id"),
        (("shop.disco", "-f", "missing.sql"), "missing.sql"),
        (("notes.txt", "SELECT 1"), "notes.txt"),
        (("missing/shop.disco", "SELECT 1"), "missing"),
        (("discord://server", "SELECT 1"), "DISCOSQL_TOKEN"),
        (("ftp://server", "SELECT 1"), "ftp://"),
    ],
)
def test_failures_go_to_standard_error_and_the_status(arguments: tuple[str, ...], said: str, folder: Path) -> None:
    (folder / "notes.txt").write_text("no database " * 100, encoding="utf-8")
    before = (folder / "notes.txt").read_bytes()
    answer = run(*arguments, cwd=folder)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr
    assert (folder / "notes.txt").read_bytes() == before


def test_a_script_stops_at_its_first_error(folder: Path) -> None:
    answer = run("shop.disco", stdin="SELECT 1 AS one; SELECT oops; DELETE FROM item;", cwd=folder)
    assert answer.returncode == 1
    assert answer.stdout.split() == ["one", "---", "1"]
    assert "no such column: oops" in answer.stderr
    assert run("-m", "csv", "shop.disco", "SELECT count(*) FROM item", cwd=folder).stdout.split() == ["count(*)", "3"]


def test_a_wrong_command_line_is_status_2(folder: Path) -> None:
    assert run("--mode", "xml", cwd=folder).returncode == 2
    assert run("--help", cwd=folder).stdout.startswith("usage: discosql")
    assert run("--version", cwd=folder).stdout == f"discosql {discosql.__version__}\n"


def test_the_first_word_may_name_a_command(folder: Path) -> None:
    assert run("shell", ":memory:", "SELECT 1 AS one", cwd=folder).stdout.split() == ["one", "---", "1"]
    assert run("./shell", "CREATE TABLE t (a)", cwd=folder).returncode == 0
    assert (folder / "shell").exists()
    assert run("-m", "csv", "shell", "SELECT count(*) AS n FROM t", cwd=folder).stdout.split() == ["n", "0"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_is_listed(command: str, folder: Path) -> None:
    assert f"  {command} " in run("--help", cwd=folder).stdout
    answer = run(command, "--help", cwd=folder)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith(f"usage: discosql {command} ")
    assert run(command, "--no-such-option", cwd=folder).returncode == 2


def test_a_speed_is_told_of_much_work_only() -> None:
    assert [speed_of(1_000, 2.0), speed_of(999, 2.0), speed_of(5_000, 1.0)] == [" (500 rows/s)", "", ""]
