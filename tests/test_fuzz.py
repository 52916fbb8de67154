"""Bad SQL of three kinds: whatever comes, only errors of PEP 249 come back, soon, and a statement that fails has done
nothing. The kinds are random text, right statements with their tokens torn apart, and sentences of a loose grammar."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import discosql

SENTENCES = 250
TEXTS = 150
CAMPAIGN_BLOCKS = 22
CAMPAIGN_BLOCK = 2_500

TIMEOUT = 2.0
LONGEST = 5.0
"""Seconds that a statement may take, with the timeout that ends it."""

SCHEMA = """
    CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c REAL, d);
    CREATE TABLE u (x INTEGER REFERENCES t, y TEXT UNIQUE, z BLOB CHECK (length(z) < 9), PRIMARY KEY (x, y));
    CREATE INDEX ud ON t (d);
    CREATE VIEW v AS SELECT a, y FROM t LEFT JOIN u ON a = x;
    INSERT INTO t VALUES (1, 'one', 1.5, NULL), (2, 'two', -2, x'02'), (3, NULL, 0.0, 'three'), (7, '', 1e300, 7);
    INSERT INTO u VALUES (1, 'p', x''), (1, 'q', NULL), (3, 'r', x'0102');
"""

TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|[\w.]+|\S")
FOLDER = Path(__file__).parent / "parse_corpus"
TORN = re.compile(r"generate_series|zeroblob|randomblob|printf|format|RECURSIVE", re.IGNORECASE)
"""What can make results of any size, which no timeout between rows would end."""


class Target:
    """A small database that is made anew whenever a statement changed it."""

    def __init__(self) -> None:
        self.connection = self.opened()
        self.contents = self.dump()

    def opened(self) -> discosql.Connection:
        connection = discosql.connect(":memory:", isolation_level=None)
        connection.executescript(SCHEMA)
        return connection

    def dump(self) -> list[Any]:
        run = self.connection.execute
        tables = run("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        return [(name, sql, run(f'SELECT * FROM "{name}"').fetchall()) for name, sql in tables]

    def check(self, sql: str) -> None:
        """Run a statement that may be wrong."""
        # Seconds of work, not by the clock: a busy machine makes nothing wrong.
        started = time.process_time()
        self.connection.timeout = TIMEOUT
        failed = False
        try:
            cursor = self.connection.execute(sql)
            if cursor.description:
                cursor.fetchall()
        except discosql.Error:
            failed = True
        except Exception as error:
            error.add_note(sql)
            raise
        self.connection.timeout = None
        assert time.process_time() - started < LONGEST, sql
        if self.connection.in_transaction:
            self.connection.rollback()
        changed = self.dump() != self.contents
        assert not (failed and changed), f"failed and changed something: {sql}"
        if changed:
            self.connection.close()
            self.connection = self.opened()


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    made = Target()
    yield made
    made.connection.close()


# Random text -------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [*"()[]'\"`;,.*+-/%<>=!|&~?:@$#\\ \n\0\ufeff", "--", "/*", "*/", "SELECT", "FROM", "t", "a", "1", "1e", "0x", "x'"]
)
TEXT = st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=30).map(" ".join))


@given(sql=TEXT)
@settings(max_examples=TEXTS)
def test_text(target: Target, sql: str) -> None:
    target.check(sql)


@pytest.mark.campaign
@given(sql=TEXT)
@settings(max_examples=10_000)
def test_much_text(target: Target, sql: str) -> None:
    target.check(sql)


# Torn statements ---------------------------------------------------------------------------------------------------


def corpus() -> list[list[str]]:
    """Return the tokens of the statements that the parser's tests know."""
    lines = (FOLDER / "valid.sql").read_text().splitlines()
    statements = [line for line in lines if line and not line.startswith("--") and not TORN.search(line)]
    return [TOKEN.findall(line) for line in statements]


NAMES = ("t", "u", "v", "a", "b", "c", "d", "x", "y", "nope", "NULL", "1", "'p'", "(", ")", ",", "SELECT", "*", "?")


def torn(random: Random, statements: list[list[str]]) -> str:
    """Return a statement with some of its tokens gone, doubled, exchanged, or from another one."""
    tokens = list(random.choice(statements))
    for _ in range(random.choice((1, 1, 2, 3))):
        place, other = random.randrange(len(tokens) + 1), random.randrange(len(tokens) + 1)
        low, high = min(place, other), max(place, other)
        match random.randrange(6):
            case 0:
                del tokens[place : place + random.randint(1, 3)]
            case 1:
                tokens[place:place] = tokens[low:high]
            case 2 if tokens:
                place, other = place % len(tokens), other % len(tokens)
                tokens[place], tokens[other] = tokens[other], tokens[place]
            case 3:
                donor = random.choice(statements)
                tokens[place:] = donor[random.randrange(len(donor)) :]
            case 4:
                donor = random.choice(statements)
                tokens[low:high] = donor[: random.randrange(len(donor) + 1)]
            case _:
                tokens[place : place + 1] = [random.choice(NAMES)]
    return " ".join(tokens)


# A loose grammar ---------------------------------------------------------------------------------------------------

OPERATORS = "+ - * / % || & | << >> < <= = <> >= AND OR LIKE GLOB REGEXP -> ->> IS"
FUNCTIONS = """
    abs ceil char coalesce concat_ws date hex iif instr json json_extract json_set length likelihood log lower max min
    nope nullif power quote replace round sign strftime substr trim typeof unhex unicode upper
"""
GRAMMAR: dict[str, tuple[str, ...]] = {
    "statement": (
        *("<query>", "<query>", "<query>", "WITH w AS (<query>) <query>", "EXPLAIN <query>", "<query>; <query>"),
        *("INSERT INTO <table> VALUES (<values>)", "INSERT <or> INTO <table> (<column>, <column>) <query>"),
        "INSERT INTO <table> VALUES (<values>), (<values>) ON CONFLICT (<column>) DO UPDATE SET <column> = <value>",
        "UPDATE <or> <table> SET <column> = <value>, <column> = <value> <where> RETURNING <list>",
        *("UPDATE <table> SET (<column>, <column>) = (<query>) FROM <from> <where>", "DELETE FROM <table> <where>"),
        *("CREATE TABLE <table> (<column> <type> <constraint>, n <type>)", "CREATE TABLE n AS <query>"),
        *("CREATE INDEX i ON <table> (<column>, <value>)", "CREATE UNIQUE INDEX i ON <table> (<column>)"),
        *("CREATE VIEW n AS <query>", "DROP TABLE <table>", "DROP VIEW <table>", "DROP INDEX ud", "SAVEPOINT s"),
        *("ALTER TABLE <table> RENAME COLUMN <column> TO n", "ALTER TABLE <table> DROP COLUMN <column>"),
        *("ALTER TABLE <table> ADD COLUMN n <type> <constraint>", "ALTER TABLE <table> RENAME TO <table>"),
        *("PRAGMA table_info(<table>)", "PRAGMA <column> = <value>", "BEGIN", "COMMIT", "ROLLBACK TO s", "RELEASE s"),
    ),
    "query": (
        *("SELECT <list>", "SELECT <list> FROM <from> <where>", "SELECT DISTINCT <list> FROM <from> <order>"),
        "SELECT <list>, <aggregate> FROM <from> <where> GROUP BY <values> HAVING <aggregate> <order> LIMIT <value>",
        *(
            "SELECT <aggregate>, <aggregate> FROM <from>",
            "<query> <set> <query> <order>",
            "VALUES (<value>), (<value>)",
        ),
        "SELECT <list>, <aggregate> OVER (PARTITION BY <value> ORDER BY <value> <frame>) FROM <from>",
    ),
    "set": ("UNION", "UNION ALL", "EXCEPT", "INTERSECT"),
    "from": (
        *("<table>", "<table>", "<table>, <table>", "(<query>) AS s", "<from> <join> <table> AS k ON <value>"),
        *("<table> <join> <table> USING (<column>)", "<table> NATURAL JOIN <table>", "json_each(<value>)", "w"),
    ),
    "join": ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"),
    "where": ("", "WHERE <value>", "WHERE <column> = <value>", "WHERE <column> IN (<query>)"),
    "order": ("", "ORDER BY <value> DESC", "ORDER BY 1, 2", "ORDER BY <value> COLLATE nocase LIMIT <value>"),
    "or": ("", "OR IGNORE", "OR REPLACE", "OR FAIL", "OR ROLLBACK"),
    "list": ("<value>", "<value>, <value>", "*", "<value> AS a, <value>"),
    "values": ("<value>", "<value>, <value>", "<value>, <value>, <value>, <value>"),
    "aggregate": (
        *("count(*)", "sum(<value>)", "avg(DISTINCT <value>)", "min(<value>)", "group_concat(<value>, <value>)"),
        *(
            "row_number()",
            "lag(<value>, <value>)",
            "json_group_array(<value>)",
            "total(<value>) FILTER (WHERE <value>)",
        ),
    ),
    "frame": (
        "",
        "ROWS <value> PRECEDING",
        "RANGE BETWEEN UNBOUNDED PRECEDING AND <value> FOLLOWING",
        "GROUPS CURRENT ROW",
    ),
    "value": (
        *("<column>", "<column>", "<column>", "<table>.<column>", "<literal>", "<literal>", "<literal>", "(<query>)"),
        *("<value> <operator> <value>", "<value> <operator> <value>", "(<value>)", "NOT <value>", "- <value>"),
        *("<function>(<value>)", "<function>(<value>, <value>)", "<function>(<value>, <value>, <value>)"),
        *("<value> IS <value>", "<value> BETWEEN <value> AND <value>", "<value> IN (<values>)", "EXISTS (<query>)"),
        *("CASE <value> WHEN <value> THEN <value> END", "CASE WHEN <value> THEN <value> ELSE <value> END"),
        *(
            "CAST(<value> AS <type>)",
            "<value> COLLATE nocase",
            "(<value>, <value>) = (<value>, <value>)",
            "<aggregate>",
        ),
    ),
    "operator": tuple(OPERATORS.split()),
    "function": tuple(FUNCTIONS.split()),
    "literal": (
        *("0", "1", "-1", "2.5", "''", "'one'", "'2024-02-30'", "'[1, {\"a\": 2}]'", "'$.a'", "x'00ff'", "NULL", "?"),
        *(
            "9223372036854775807",
            "9223372036854775808",
            "1e308",
            "-9223372036854775808",
            "0x7f",
            "'\U0001f600'",
            "''''",
        ),
    ),
    "type": ("INTEGER", "TEXT", "REAL", "BLOB", "ANY", "DECIMAL", "BOOLEAN", "DATE", "", "nope"),
    "constraint": (
        *("", "PRIMARY KEY", "NOT NULL", "UNIQUE", "CHECK (<value>)", "DEFAULT (<value>)", "REFERENCES <table>"),
        "GENERATED ALWAYS AS (<value>)",
    ),
    "table": (*("t", "u") * 6, "v", "n", "nope"),
    "column": (*"abcd" * 3, *"xyz", "rowid", "nope"),
}
SYMBOL = re.compile("<([a-z]+)>")
DEEPEST = 7


def sentence(random: Random, symbol: str = "statement", depth: int = 0) -> str:
    """Return a random sentence; deep in it the shortest forms are taken."""
    forms = GRAMMAR[symbol]
    if depth > DEEPEST:
        forms = tuple(form for form in forms if "<" not in form) or forms[:1]
    return SYMBOL.sub(lambda found: sentence(random, found[1], depth + 1), random.choice(forms))


# Running them ------------------------------------------------------------------------------------------------------


def run(target: Target, seed: int, count: int) -> None:
    random = Random(seed)
    statements = corpus()
    makers: tuple[Callable[[], str], ...] = (lambda: torn(random, statements), lambda: sentence(random))
    for make in makers:
        for _ in range(count):
            target.check(make())


def test_torn_statements_and_sentences(target: Target) -> None:
    run(target, 0, SENTENCES)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(1, CAMPAIGN_BLOCKS + 1))
def test_many_torn_statements_and_sentences(target: Target, seed: int) -> None:
    run(target, seed, CAMPAIGN_BLOCK)
