"""The optimiser's rules: golden files of queries and their plans, one file a rule.

A file is comments, and queries each followed by its optimised plan. Every query is also run as it was built and
optimised, on a few rows, and must give what SQLite gives. ``pytest --rewrite`` records plans anew.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from optimising import Tables

from discosql.planner.rules import RULES

HERE = Path(__file__).parent / "rules"


@pytest.fixture(scope="module")
def shop() -> Tables:
    """Return a shop whose tables are small, and known to the planner as large."""
    tables = Tables(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, age INTEGER, city TEXT)",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER NOT NULL, total REAL, day TEXT)",
        "CREATE INDEX orders_user ON orders (user)",
        "CREATE TABLE lines (orders INTEGER, place INTEGER, part TEXT, PRIMARY KEY (orders, place))",
        "CREATE TABLE tags (tag TEXT NOT NULL COLLATE NOCASE UNIQUE, code INTEGER UNIQUE)",
    )
    cities = ("a", "c", "x", "y", None)
    tables.load(
        "users", [(i, "xyzabcdefg"[i % 10] + "!" * (i // 10), i % 7 or None, cities[i % 5]) for i in range(1, 25)]
    )
    days = ("b", "d", "x", None)
    tables.load("orders", [(i, i * 5 % 30, i % 9 - 0.5 if i % 4 else None, days[i % 4]) for i in range(1, 40)])
    tables.load("lines", [(i % 8, i // 8, "xyz!ab"[i % 6]) for i in range(40)])
    tables.load("tags", [("x", 1), ("Y", None), ("z ", None)])
    tables.knows("users", 1_000, cached=True)
    tables.knows("orders", 20_000, cached=True, orders_user=1_000)
    tables.knows("lines", 60_000, cached=True)
    tables.knows("tags", 100, cached=True)
    return tables


def blocks(text: str) -> Iterator[tuple[list[str], str, list[str]]]:
    """Yield comments, query and recorded plan of each block of a file."""
    for part in re.split(r"\n\s*\n", text.strip()):
        lines = part.split("\n")
        comments = [line for line in lines if line.startswith("#")]
        queries = [line[2:] for line in lines if line.startswith("> ")]
        rest = [line for line in lines if not line.startswith(("#", "> "))]
        yield comments, queries[0] if queries else "", rest


@pytest.mark.parametrize("path", sorted(HERE.glob("*.plan")), ids=lambda path: path.stem)
def test_rule(path: Path, shop: Tables, request: pytest.FixtureRequest) -> None:
    text = path.read_text(encoding="utf-8")
    parts = []
    for comments, sql, _ in blocks(text):
        lines = list(comments)
        if sql:
            lines += [f"> {sql}", *shop.lines(sql)]
            if "random()" not in sql and "'now'" not in sql:
                shop.check(sql, (3,) * sql.count("?"), any_rows=bool(re.search(r"LIMIT (3|\?)", sql)))
        parts.append("\n".join(lines))
    given = "\n\n".join(parts) + "\n"
    if request.config.getoption("--rewrite"):
        path.write_text(given, encoding="utf-8")
    else:
        assert given == text


def test_every_rule_has_its_file_and_says_what_it_does() -> None:
    assert {rule.name for rule in RULES} == {path.stem for path in HERE.glob("*.plan")}
    for rule in RULES:
        assert rule.function.__doc__, rule.name
