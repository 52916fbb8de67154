"""The shell as programs meet it, in pipes, and its parts. What it is in a terminal is in test_terminal.py."""

import io
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from rich.cells import cell_len
from terminals import COMMAND

import discosql
from discosql.cli.carets import caret_lines, placed
from discosql.cli.completion import Names, complete, names_of
from discosql.cli.console import Console, is_ready, parts_of
from discosql.cli.dot_commands import DOT_COMMANDS
from discosql.cli.prompting import history_file
from discosql.errors import SqlSyntaxError
from discosql.output import MODES, Style, table, width
from discosql.output_text import cut, harmless, printable


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
        "tsv": "n\ttext\tempty\n1\ta|b\\t<c>\t\\N\n",
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


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        ("SELECT a,\n c FROM t", "c FROM"),
        ("SELECT x.c, 'c' FROM t AS x", "x.c"),
        ('SELECT "nö" (a) FROM t', '"nö"'),
        ("SELECT nope(a) FROM t", "nope"),
        ("SELECT * FROM nowhere", "nowhere"),
        ("DELETE FROM [no where]", "[no where]"),
        ("UPDATE t SET c = 1", "c ="),
        ("SELECT a COLLATE german FROM t", "german"),
        ("DROP TABLE u", "u"),
        ("SELECT c FROM t WHERE c = 1", None),  # which one is not known
    ],
)
def test_unknown_names_have_a_caret_where_they_are_known_to_be(console: Console, sql: str, place: str | None) -> None:
    told(console, "CREATE TABLE t (a, b);")
    with pytest.raises(discosql.ProgrammingError) as caught:
        console.connection.execute(sql)
    found = placed(caught.value, sql)
    assert (None if found is None else sql[found.offset :].startswith(place or "")) == (None if place is None else True)
    if place is not None:
        assert "\n" in sql or f"  {sql}\n" in refused(console, f"{sql};").replace(";\n", "\n")


@pytest.mark.parametrize(
    ("entered", "first"),
    [
        ("sel|", ["select"]),
        ("SEL|", ["SELECT"]),
        ("select * from |", ["item", '"big sales"', "v"]),
        ("SELECT * FROM item JOIN it|", ["item"]),
        ("INSERT INTO |", ["item", '"big sales"', "v"]),
        ("UPDATE i|", ["item"]),
        ("select * from item, b|", ['"big sales"']),
        ("INSERT INTO item (|", ["id", "name"]),
        ("SELECT x.| FROM item AS x", ["id", "name"]),
        ("SELECT x.n| FROM item x WHERE 1", ["name"]),
        ("SELECT b.| FROM item x, [big sales] b", ["sum", '"order"']),
        ('SELECT "big sales".| FROM "big sales"', ["sum", '"order"']),
        ("SELECT | FROM item", ["id", "name", "item", "ABORT"]),
        ("SELECT na| FROM item", ["name", "natural"]),
        ("SELECT su| FROM item", ["sum(", "substr(", "substring("]),
        ("SELECT 1; DELETE FROM item WHERE n|", ["name", "natural"]),
        ("SELECT 'from |", []),
        ("DROP INDEX |", ["by_name"]),
        ("DROP TABLE |", ["item", '"big sales"', "v"]),
        (".mo|", [".mode"]),
        (".mode j|", ["json", "jsonl"]),
        (".schema |", ["item", '"big sales"', "v"]),
        (".timer o|", ["on", "off"]),
        (".read |", ["folder/", "script.sql"]),
        (".read folder/|", ["folder/inner.sql"]),
        (".read nowhere/|", []),
        (".nonsense |", []),
    ],
)
def test_what_is_completed(entered: str, first: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("script.sql", "folder/inner.sql", ".hidden"):
        (tmp_path / name).write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    before, after = entered.split("|")
    found = complete(before, after, NAMES)
    shown = [text for text in found.texts if text in first]
    assert (shown == first and found.texts[: len(first)] == first) or first[-1:] in (["ABORT"], ["substring("])
    assert all(
        text.lower().lstrip('"').startswith(before[len(before) - found.length :].lower()) for text in found.texts
    )
    assert first or not found.texts


NAMES = Names(
    {"item": ["id", "name"], "big sales": ["sum", "order"], "v": ["x"]}, ["substr", "substring", "sum"], ["by_name"]
)


def test_the_names_of_a_database(console: Console) -> None:
    told(console, "CREATE TABLE t (a, b AS (a + 1)); CREATE VIEW v AS SELECT 1 AS one; CREATE INDEX by_a ON t (a);")
    names = names_of(console.connection)
    assert names.tables == {"t": ["a", "b"], "v": ["one"]} and names.indexes == ["by_a"]
    assert {"substr", "json_extract", "row_number"} <= set(names.functions)
    console.connection.close()


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("tea", 3),
        ("玫瑰", 4),
        ("é", 1),
        ("👨‍👩‍👧", 2),
        ("❤️", 2),
        ("👍🏽", 2),
        ("🇩🇪", 2),
        ("می‌خواهم", 7),
        ("🏳️‍🌈", 2),
        ("1️⃣", 2),
        ("🤷🏽‍♀️", 2),
        ("ﷺ", 1),
    ],
)
def test_how_wide_text_is(text: str, columns: int) -> None:
    assert width(text) == columns == cell_len(text)
    for room in range(2, columns + 3):
        assert width(cut(text * 3, room)) <= room
    assert cut(text, columns) == text


def test_what_text_may_not_do_to_a_terminal() -> None:
    assert printable("a\x1b[2J\x9b\x00\n\t\u202e\u200b\ufeff") == "a\\x1b[2J\\x9b\\x00\\n\\t\\u202e\\u200b\\ufeff"
    assert harmless("a\tb\n\x1b[2J\rc") == "a\tb\n\\x1b[2J\\rc"
    assert printable("👨‍💻 می‌خواهم") == "👨‍💻 می‌خواهم"
    assert printable("ad\u200dmin") == "ad\\u200dmin"


def test_tables_fit_their_room() -> None:
    rows = [("x" * 200, 1234567890123456, "y" * 30, None)]
    names = ["long", "number", "short", "nothing"]
    for room in range(45, 150):
        first, _, row = table(names, rows, Style(room=room)).splitlines()
        assert len(row) <= room and "1234567890123456" in row and row.endswith("NULL"), room
        assert first.split() == names or "…" in first
    assert len(table(names, rows, Style(room=20)).splitlines()[2]) > 60  # the pager shows the rest
    assert table(["a"], [("abcdef",), (None,)], Style(widest=4, null="∅", headers=False)) == "abc…\n∅\n"


def test_settings(console: Console, tmp_path: Path) -> None:
    query = "SELECT 1 AS a, NULL AS b;"
    assert told(console, f".headers off\n.nullvalue -\n{query}") == "1  -\n"
    assert told(console, f".mode csv\n{query}\n.headers on\n.nullvalue\n{query}") == "1,-\na,b\n1,\n"
    assert told(console, f".echo on\n{query}\n.echo off") == f"{query}\na,b\n1,\n.echo off\n"
    path = tmp_path / "out.csv"
    assert told(console, f".once {path}\n{query}\nSELECT 2 AS c;") == "c\n2\n"
    assert path.read_text("utf-8") == "a,b\n1,\n"
    assert told(console, f".output {path}\nSELECT 3 AS d;\nSELECT 4 AS e;\n.output\n.print done it") == "done it\n"
    assert path.read_text("utf-8") == "d\n3\ne\n4\n"
    assert "cannot write" in refused(console, f".output {tmp_path}")
    shown = told(console, ".mode table\n.explain on\nSELECT 1 AS a;\n.explain off\n.width 3\n.show")
    assert shown.startswith("Projection: 1 AS a\n") and "expected: no requests" in shown
    assert re.search(r"\.width +3\n", shown)
    assert told(console, "SELECT 'abcdef' AS a;") == "a\n---\nab…\n"
    assert "usage: .width" in refused(console, ".width x")
    assert "usage: .timer [on|off]" in refused(console, ".timer x")
    assert len(told(console, ".width auto\nSELECT hex(zeroblob(500)) AS a, 1 AS b;").split()[-2]) == 1000
    assert told(console, ".width auto\n.width\n.timer\n.mode") == f"auto\noff\ntable; there are {', '.join(MODES)}\n"


def test_scripts_go_on_after_errors_if_told_so(console: Console, tmp_path: Path) -> None:
    script = tmp_path / "script.sql"
    script.write_text("SELECT 1 AS a;\n\nSELECT\n oops;\nSELECT 2 AS b;\n.nothing\n", encoding="utf-8")
    assert f"{script}, line 3: UnknownNameError: no such column: oops" in refused(console, f".read {script}")
    console.out = out = io.StringIO()
    assert f"{script}, line 6: ProgrammingError" in refused(console, f".bail off\n.read {script}\nSELECT 3 AS c;")
    assert out.getvalue().split() == ["a", "-", "1", "b", "-", "2", "c", "-", "3"]


def test_another_database_is_opened(console: Console, tmp_path: Path) -> None:
    path = tmp_path / "other.disco"
    assert "no other database can be opened" in refused(console, f".open {path}")
    console.connect = lambda database, key_file: discosql.connect(database, isolation_level=None)
    told(console, "BEGIN")
    console.errors = errors = io.StringIO()
    told(console, f".open {path}\nCREATE TABLE t (a);")
    assert "it is rolled back" in errors.getvalue()
    assert str(path) in told(console, ".databases")
    assert "missing" in refused(console, f".open {tmp_path}/missing/x.disco")
    assert told(console, ".tables") == "t\n"
    assert "requests" in told(console, ".stats requests")
    console.close()


def test_commands_by_their_beginning(console: Console) -> None:
    assert "did you mean .headers or .help?" in refused(console, ".he")
    assert "did you mean .tables or" in refused(console, ".tablse")
    assert told(console, " .tab;") == ""
    assert told(console, "-- a comment\n.print x") == "x\n"
    assert "once FILE" in told(console, ".help once") and "tables" not in told(console, ".help once")


def test_where_statements_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for given, path in (
        (str(tmp_path / "h"), tmp_path / "h"),
        ("", None),
        (str(tmp_path), None),
        (str(tmp_path / "no" / "h"), None),
    ):
        monkeypatch.setenv("DISCOSQL_HISTORY", given)
        assert history_file() == path


def test_whoever_reads_may_go(tmp_path: Path) -> None:
    query = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i FROM n"
    with subprocess.Popen(
        [*COMMAND, ":memory:", query], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_an_encoding_that_lacks_characters(tmp_path: Path) -> None:
    answer = subprocess.run(
        [*COMMAND, ":memory:", "SELECT '玫é' AS a"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert (answer.stdout, answer.stderr) == (b"a\n---\n\\u73ab\xe9\n", b"")
    answer = subprocess.run(COMMAND, input=b"SELECT '\xff", cwd=tmp_path, capture_output=True, check=False)
    assert answer.returncode == 1 and b"Traceback" not in answer.stderr
