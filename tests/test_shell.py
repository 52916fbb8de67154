"""The shell as programs meet it, in pipes, and its parts. What it is in a terminal is in test_terminal.py."""

import io
import json
import subprocess
from pathlib import Path

import pytest
from terminals import COMMAND

import discosql
from discosql.cli.carets import caret_lines
from discosql.cli.console import Console, is_ready, parts_of
from discosql.cli.dot_commands import DOT_COMMANDS
from discosql.errors import SqlSyntaxError
from discosql.output import MODES, width


def test_a_pipe_has_no_colours_and_no_costs(tmp_path: Path) -> None:
    script = (
        "CREATE TABLE t (a, b);\n.mode jsonl\nINSERT INTO t VALUES (1, 'x\n.tables\ny');\nSELECT * FROM t;\n.tables\n"
    )
    answer = subprocess.run(COMMAND, input=script, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == '{"a": 1, "b": "x\\n.tables\\ny"}\nt\n'
    answer = subprocess.run(
        COMMAND, input="SELECT 1;\nSELEC 2;\nSELECT 3;", cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1 and "\x1b" not in answer.stderr + answer.stdout
    assert answer.stderr.startswith("  SELEC 2;\n  ^\n")


# In this process ---------------------------------------------------------------------------------------------------


@pytest.fixture
def console() -> Console:
    return new_console()


def new_console() -> Console:
    return Console(discosql.connect(":memory:", isolation_level=None), out=io.StringIO(), errors=io.StringIO())


def told(console: Console, text: str) -> str:
    console.out = out = io.StringIO()
    assert console.run(text), console.errors
    return out.getvalue()


def refused(console: Console, text: str) -> str:
    console.errors = errors = io.StringIO()
    assert not console.run(text)
    return errors.getvalue()


def test_modes(console: Console) -> None:
    query = "SELECT 1 AS n, 'a|b\t<c>' AS \"text\", NULL AS empty;"
    expected = {
        "tsv": "n\ttext\tempty\n1\ta|b\\t<c>\t\n",
        "jsonl": '{"n": 1, "text": "a|b\\t<c>", "empty": null}\n',
        "markdown": "| n | text | empty |\n| --- | --- | --- |\n| 1 | a\\|b\\t<c> | NULL |\n",
        "line": "    n = 1\n text = a|b\\t<c>\nempty = NULL\n",
        "html": (
            "<table>\n<tr><th>n</th><th>text</th><th>empty</th></tr>\n"
            "<tr><td>1</td><td>a|b\t&lt;c&gt;</td><td>NULL</td></tr>\n</table>\n"
        ),
    }
    for mode, output in expected.items():
        assert told(console, f".mode {mode}\n{query}") == output
    assert set(expected) | {"table", "csv", "json"} == set(MODES)
    assert "unknown mode x" in refused(console, ".mode x")


def test_dot_commands(console: Console, tmp_path: Path) -> None:
    told(console, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE); CREATE VIEW v AS SELECT 1;")
    told(console, "INSERT INTO t (b) VALUES ('x'), ('y');")
    assert told(console, ".tables") == "t\nv\n"
    assert "CREATE VIEW v AS SELECT 1;" in told(console, ".schema")
    assert "sqlite_autoindex_t_1" in told(console, ".indexes t")
    assert "_dbmetadata" in told(console, ".channels")
    assert told(console, ".check").endswith("2 rows checked: ok\n")
    assert told(console, ".dump").endswith("COMMIT;\n")
    assert "2 rows written" in told(console, f".dump '{tmp_path}/a.zip'")
    told(console, ".vacuum")
    other = new_console()
    assert "2 rows restored" in told(other, f".restore '{tmp_path}/a.zip'")
    (tmp_path / "more.sql").write_text("SELECT count(*) AS n FROM t;\n.mode csv\n", encoding="utf-8")
    assert "2\n" in told(console, f".read {tmp_path}/more.sql") and console.mode == "csv"
    told(console, ".timer on\n.requests on")
    assert console.timer and console.requests
    help_text = told(console, ".help")
    assert all(name in help_text for name in DOT_COMMANDS)
    assert "unknown command .nothing" in refused(console, ".nothing")
    assert "usage: .read FILE" in refused(console, ".read")
    assert "cannot read" in refused(console, f".read {tmp_path}/none.sql")


def test_files_out_and_in(console: Console, tmp_path: Path) -> None:
    told(console, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c REAL);")
    told(console, "INSERT INTO t VALUES (1, 'it''s, \"x\"', 2.5), (2, NULL, NULL), (3, 'ü', 1e10);")
    for ending in ("csv", "tsv", "jsonl"):
        assert "3 rows written" in told(console, f".export {tmp_path}/t.{ending} t")
        told(console, "CREATE TABLE again (a INTEGER PRIMARY KEY, b TEXT, c REAL);")
        assert "3 rows inserted" in told(console, f".import {tmp_path}/t.{ending} again")
        rows = "SELECT json_group_array(json_array(a, b, c)) FROM"
        same = f"SELECT ({rows} t) = ({rows} again) AS same;"
        told(console, ".mode jsonl")
        assert json.loads(told(console, same)) == {"same": 1}
        told(console, "DROP TABLE again;")
    assert "2 rows written" in told(console, f'.export {tmp_path}/q.md "SELECT a FROM t WHERE a > 1"')
    (tmp_path / "bad.csv").write_text('a,b\n10,"two\nlines"\n11,fine\nelf,no number\n', encoding="utf-8")
    assert "3 rows inserted into made" in told(console, f".import {tmp_path}/t.csv made")
    assert "2 rows inserted into q" in told(
        console, f".export {tmp_path}/q.csv 'SELECT a FROM t WHERE a > 1'\n.import {tmp_path}/q.csv"
    )
    assert "2 rows inserted into q" in told(console, f".import {tmp_path}/q.csv")
    told(console, f"BEGIN;\n.import {tmp_path}/q.csv gone\nDELETE FROM q;\nROLLBACK;")
    tables = "SELECT group_concat(name) AS names, (SELECT count(*) FROM q) AS n FROM sqlite_master;"
    assert json.loads(told(console, tables)) == {"names": "t,made,q", "n": 4}
    assert "bad.csv, line 5: datatype mismatch" in refused(console, f".import {tmp_path}/bad.csv t")
    assert json.loads(told(console, "SELECT count(*) AS n FROM t;")) == {"n": 3}
    (tmp_path / "short.csv").write_text("a,b\n10\n", encoding="utf-8")
    assert "line 2: 1 fields instead of 2" in refused(console, f".import {tmp_path}/short.csv t")
    assert "No such file" in refused(console, f".import {tmp_path}/t.xls t")
    (tmp_path / "t.xls").write_bytes(b"")
    assert "the endings known" in refused(console, f".import {tmp_path}/t.xls t")


def test_what_is_a_statement_and_what_a_command() -> None:
    assert list(parts_of("SELECT 1;\n.tables\nSELECT\n2")) == ["SELECT 1;", ".tables", "SELECT\n2"]
    assert [is_ready(text) for text in ("", ".help", "SELECT 1", "SELECT 1;", "SELECT ';")] == [
        True,
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("sql", "place", "room"),
    [
        ("SELEC 1", "SELEC", 0),
        ("SELECT 1,\n\t'玫', x y z FROM", "y z", 0),
        ("SELECT '👨‍💻 ❤️ 🇩🇪 é',\r\n 1 y z", "z", 0),
        ("SELECT '\x1b[31m\x9b', 1 y z", "z", 0),
        ("SELECT '\u2028\x0b' AS a,\n1 y z", "z", 0),
        (f"SELECT {'column, ' * 50} 1 y z{', column' * 50}", "z,", 80),
        (f"SELECT {'玫, ' * 50} 1 y z{', 玫' * 50}", "z,", 41),
        ("SELECT 1 +", "", 80),
    ],
)
def test_the_caret_stands_below_the_place(sql: str, place: str, room: int) -> None:
    offset = sql.index(place) if place else len(sql)
    line, caret = caret_lines(SqlSyntaxError("near", sql, offset), room)
    assert caret.strip() == "^"
    before = next(line[:n] for n in range(len(line) + 1) if width(line[:n]) == len(caret) - 1)
    assert line[len(before) :].startswith(place)
    assert line.isprintable() and (room == 0 or width(line) <= room)
    assert ("line 2: " in line) == ("\n" in sql)
